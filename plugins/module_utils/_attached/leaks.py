# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What containers that are gone have left behind, and what may or may not be such.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._attached.survey import Key, Survey
from ansible_collections.mink8s.podnet.plugins.module_utils._attached.survey import bridges as known_bridges
from ansible_collections.mink8s.podnet.plugins.module_utils._attached.verdict import ALIVE, UNKNOWN, Verdict
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.attachments import Attachment
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.store import Lease
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import wires
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.wires import Wire
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.cni_rules import PodRule

CACHE, LEASE, RULE, VETH, TABLE = "cache", "lease", "rule", "veth", "table"


class Leak(t.NamedTuple):
    """One thing that is, or may be, left of a container; all that is of living ones is none."""

    kind: str
    #: How it is called in a State, and what stands there.
    name: str
    value: t.Any
    network: t.Optional[str]
    container_id: t.Optional[str]
    verdict: Verdict
    item: t.Union[Attachment, Lease, PodRule, Wire, str]

    def concerns(self, network: str) -> bool:
        """Whether it is of a network; of a file that cannot be read only the name tells."""
        if self.kind == TABLE:  # may hold rules of any
            return True
        if self.network is None and isinstance(self.item, str):
            return os.path.basename(self.item).startswith(f"{network}-")
        return self.network == network

    def told(self) -> dict[str, t.Any]:
        """What a module returns of it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "network": self.network,
            "container_id": self.container_id,
            "reason": self.verdict.reason,
        }


def find(survey: Survey, network: t.Optional[str] = None) -> list[Leak]:
    """Return them, of one network or of all, in the order in which a State has them.

    What is freed goes in the reverse order: the cache entries last, as they prove the rest.
    """
    found = [*_unreadable(survey), *_entries(survey), *_leases(survey), *_rules(survey), *_veths(survey)]
    return [leak for leak in found if leak.verdict.state != ALIVE and (network is None or leak.concerns(network))]


def _unreadable(survey: Survey) -> t.Iterator[Leak]:
    for path in survey.cache.unreadable:
        verdict = Verdict(UNKNOWN, "it cannot be read, or is not what libcni writes")
        yield Leak(CACHE, f"cache entry {path}", {}, None, None, verdict, path)
    for name, reason in survey.hidden.items():
        yield Leak(TABLE, name, {}, None, None, Verdict(UNKNOWN, reason), name)


def _entries(survey: Survey) -> t.Iterator[Leak]:
    for entry in survey.cache.entries:
        verdict = survey.verdicts[(entry.network, entry.container_id, "")]
        value = {"container": entry.container_id, "netns": entry.netns}
        yield Leak(CACHE, f"cache entry {entry.path}", value, entry.network, entry.container_id, verdict, entry)


def _leases(survey: Survey) -> t.Iterator[Leak]:
    for network, lease in survey.leases:
        key: Key = (network, lease.container_id, "" if lease.container_id else lease.address)
        value = {"container": lease.container_id, "ifname": lease.ifname}
        yield Leak(
            LEASE, f"lease {lease.path}", value, network, lease.container_id or None, survey.verdicts[key], lease
        )


def _rules(survey: Survey) -> t.Iterator[Leak]:
    for rule in survey.rules:
        owner = survey.owner_of(rule)
        verdict = survey.verdict_of(rule)
        yield Leak(RULE, rule.name, rule.text, owner.network, owner.container_id, verdict, rule)


def _veths(survey: Survey) -> t.Iterator[Leak]:
    """Ports of the networks' bridges that no pod is known for; the kernel keeps no veth without its other end."""
    bridges = known_bridges(survey)
    known = {name for entry in survey.cache.entries for name in entry.host_links}
    claimed = {space.nsid for space in survey.view.spaces.values() if space.there}
    lent = {lease.address for _network, lease in survey.leases}
    strange = [
        wire
        for wire in survey.view.wires
        if wire.bridge in bridges
        and wire.name not in known
        and (wire.nsid is None or wire.nsid not in claimed)
        and not lent.intersection(wire.inside or ())
    ]
    held = wires.held() if any(wire.nsid is not None for wire in strange) else set()
    for wire in strange:
        verdict = Verdict(UNKNOWN, _why_strange(wire, held))
        name, network = f"veth {wire.name}", bridges[str(wire.bridge)]
        yield Leak(VETH, name, {"bridge": wire.bridge}, network, None, verdict, wire)


def _why_strange(wire: Wire, held: set[int]) -> str:
    if wire.nsid is None:
        return "both of its ends are on the node, and no pod is known for it"
    if wire.nsid in held:
        return "somebody is in the namespace that it leads into, but no pod is known for it"
    return "neither a process nor a file is seen to hold the namespace that it leads into"
