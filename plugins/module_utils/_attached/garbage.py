# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The leaks of one network as a Resource: what is proved to be left behind is freed, and nothing else.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine, _files, _iptables
from ansible_collections.mink8s.podnet.plugins.module_utils._attached import leaks, survey
from ansible_collections.mink8s.podnet.plugins.module_utils._attached.leaks import Leak
from ansible_collections.mink8s.podnet.plugins.module_utils._attached.survey import Places
from ansible_collections.mink8s.podnet.plugins.module_utils._attached.verdict import DEAD
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import store
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.attachments import Attachment
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.store import Lease
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import cni_rules
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.cni_rules import PodRule
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.nftables import Nftables
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Host


class Garbage(Resource):
    """What dead containers have left of one network."""

    def __init__(self, host: Host, network: str, places: Places, lock_timeout: float) -> None:
        super().__init__()
        self.host = host
        self.network = network
        self.places = places
        self.lock_timeout = lock_timeout
        self.kept: list[Leak] = []
        #: What the first look found; what leaks afterwards is the next run's business.
        self.planned: t.Optional[list[str]] = None
        #: What was planned, and was in doubt when it was looked at once more; the next run decides.
        self.spared: list[str] = []
        self.doubted: list[Leak] = []
        self.done: list[Change] = []
        #: Where host-local lends the network's addresses; a store that is not there lends nothing.
        self.stores: list[str] = []

    def read(self) -> State:
        found = self._look()
        self.kept = [leak for leak in found if leak.verdict.state != DEAD]
        dead = [leak for leak in found if leak.verdict.state == DEAD]
        if self.planned is None:
            self.planned = [leak.name for leak in dead]
        return {leak.name: leak.value for leak in dead if leak.name in self.planned and leak.name not in self.spared}

    def desired(self, current: State) -> State:  # noqa: ARG002
        return {}

    def apply(self, changes: list[Change]) -> None:
        """Look once more under host-local's lock, as a pod may have come or gone, and free what is still proved."""
        wanted = {change.name: change.before for change in changes}
        stores = list(self.stores)
        with store.locked(stores, self.lock_timeout):
            found = self._look()
            gone = [leak for leak in found if _still(leak, wanted, stores)]
            names = {leak.name for leak in gone}
            self.done = [change for change in changes if change.name in names]
            self.spared = [name for name in wanted if name not in names]
            self.doubted = [leak for leak in found if leak.name in self.spared and leak.verdict.state != DEAD]
            self._free_rules([leak.item for leak in gone if isinstance(leak.item, PodRule)])
            store.free([leak.item for leak in gone if isinstance(leak.item, Lease)])
            for leak in gone:
                if isinstance(leak.item, Attachment):
                    _files.remove(leak.item.path)

    def result(self, state: State) -> dict[str, t.Any]:  # noqa: ARG002
        """What is freed, or would be, and what is kept because it may be alive."""
        freed = [name for name in self.planned or [] if name not in self.spared]
        known = [leak.name for leak in self.kept]
        kept = self.kept + [leak for leak in self.doubted if leak.name not in known]
        told: dict[str, t.Any] = {"freed": freed, "kept": [leak.told() for leak in kept]}
        # Less was done than was planned, so the plan is not what is told.
        return {**told, **_engine.render(self.done), "changed": bool(self.done)} if self.spared else told

    def _look(self) -> list[Leak]:
        found = survey.look(self.host, self.places)
        paths = {os.path.realpath(os.path.join(data_dir, self.network)) for data_dir in found.data_dirs}
        self.stores = sorted(path for path in paths if os.path.isdir(path))
        return leaks.find(found, self.network)

    def _free_rules(self, rules: t.Sequence[PodRule]) -> None:
        """All of one program in one transaction."""
        for tool in _iptables.find_tools(self.host) if rules else ():
            mine = [rule for rule in rules if rule.program == tool.name]
            if mine:
                self.host.output(tool.loader, cni_rules.removal(mine))
        mine = [rule for rule in rules if rule.program == "nft"]
        if mine:
            Nftables(self.host).load(cni_rules.removal(mine))


def _still(leak: Leak, wanted: dict[str, t.Any], stores: t.Sequence[str]) -> bool:
    """Whether it is what was planned, is still proved, and is under a lock that we have."""
    locked = not isinstance(leak.item, Lease) or os.path.dirname(leak.item.path) in stores
    return leak.verdict.state == DEAD and wanted.get(leak.name) == leak.value and locked
