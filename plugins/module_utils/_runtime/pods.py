# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Pods that were attached under an older configuration, as a Resource: one after another they are made anew.

Ended is the pod's sandbox, through the runtime's own interface; the kubelet sees that and makes the pod again, which is
attached under the configuration of now.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import time
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _programs
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import attachments
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import changes as classes
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import cri, flagged, loaded

POD, PAUSE = "pod ", 0.5

#: What the kubelet and the runtime may take to end a pod's containers.
STOP = 60.0


def sockets(run: _programs.Runner) -> list[str]:
    """Return where runtimes may listen on this node: at their usual places, and where its kubelet looks for one."""
    own = None
    with contextlib.suppress(PodnetError):
        own = flagged.endpoint(run)
    return list(dict.fromkeys([*cri.SOCKETS, *([own] if own else [])]))


class StalePods(Resource):
    """The pods of one network that are not as new ones would be."""

    def __init__(self, network: str, conf_dir: str, timeout: int, sockets: t.Sequence[str] = cri.SOCKETS) -> None:
        super().__init__()
        if timeout < 1:
            raise OptionError("timeout", timeout, "is no time", "use a number of seconds")
        self._network, self._conf_dir, self._timeout = network, conf_dir, timeout
        self._sockets = sockets
        self._sandboxes: dict[str, cri.Sandbox] = {}
        self._left: list[dict[str, t.Any]] = []

    def read(self) -> State:
        listing = cri.sandboxes(self._sockets)
        known = {each.id: each for each in listing.sandboxes}
        state: State = {}
        self._left = []
        for entry in self._stale():
            sandbox = known.get(entry["container_id"])
            if sandbox is None:
                # What a kubelet has made is a pod of a runtime, which may be the one that is silent.
                if entry["pod"] and listing.problems:
                    raise listing.problems[0]
                self._left.append(entry)
                continue
            name = f"{POD}{sandbox.pod} ({sandbox.id[:12]})"
            self._sandboxes[name] = sandbox
            state[name] = {"change_class": entry["change_class"], "changed_keys": entry["changed_keys"]}
        return state

    def desired(self, current: State) -> State:  # noqa: ARG002
        return {}

    def apply(self, changes: list[Change]) -> None:
        for index, change in enumerate(changes):
            sandbox = self._sandboxes[change.name]
            try:
                if not self._is_there(sandbox):
                    continue
                cri.remove(sandbox, STOP)
                self._wait_for(sandbox)
            except PodnetError as error:
                rest = [later.name[len(POD) :] for later in changes[index + 1 :]]
                raise PodnetError(f"{error}; not touched: {', '.join(rest) or 'none'}") from error

    def result(self, state: State) -> dict[str, t.Any]:  # noqa: ARG002
        for entry in self._left:
            self.warnings.append(
                f"container {entry['container_id'][:12]} was attached under an older configuration "
                f"({', '.join(entry['changed_keys'])}) and is no pod of a runtime's CRI; make it anew by hand"
            )
        return {"left": self._left}

    def _stale(self) -> list[dict[str, t.Any]]:
        file = loaded.ours(self._conf_dir, self._network)
        if file and file.error:
            raise PodnetError(f"{file.path}: {file.error}, so that no pod could come back; correct it first")
        # What is safe for pods that run is no reason to end them.
        found = loaded.stale(self._network, file)
        return [entry for entry in found if entry["change_class"] != classes.LIVE_SAFE]

    def _is_there(self, sandbox: cri.Sandbox) -> bool:
        """Whether a pod is still as it was listed; others may end it while we wait for those before it."""
        listing = cri.sandboxes([sandbox.socket])
        if listing.problems:
            raise listing.problems[0]
        known = {each.id for each in listing.sandboxes}
        return sandbox.id in known & {entry["container_id"] for entry in self._stale()}

    def _wait_for(self, old: cri.Sandbox) -> None:
        """Wait for the pod's new sandbox and for its attachment."""
        deadline = time.monotonic() + self._timeout
        while time.monotonic() < deadline:
            there = cri.sandboxes([old.socket]).sandboxes
            new = {each.id for each in there if each.ready and each.pod == old.pod and each.id != old.id}
            attached = {entry.container_id for entry in attachments.attachments(self._network)}
            if new & attached & {entry["container_id"] for entry in self._stale()}:
                raise PodnetError(
                    f"{POD}{old.pod}: came back under the older configuration; the runtime has not loaded the new one"
                )
            if new & attached:
                return
            time.sleep(PAUSE)
        raise PodnetError(
            f"{POD}{old.pod}: did not come back within {self._timeout} seconds; see the kubelet's journal (one whose "
            "restartPolicy is Never does not come back)"
        )
