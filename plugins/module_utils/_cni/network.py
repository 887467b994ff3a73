# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One network's file in the runtime's directory, as a Resource: the file, what it displaces, and what it leaves behind.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import hashlib
import os
import stat
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _files
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import attachments, conf, consent, loader, store
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.changes import NONE, Difference, classify
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.directory import DISABLED, Directory, Request
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError

MODE = 0o644

FILE, PERMISSIONS, STORE, LEFTOVER = "file ", "permissions of ", "store ", "leftover "


class CniNetwork(Resource):
    """The files of one network: ours is each that carries the network's name, and the one at our path."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self.request = request
        self.competing: list[dict[str, t.Any]] = []
        self.difference: t.Optional[Difference] = None
        self._seen: Directory
        #: What an earlier run of ours took out of sight.
        self._displaced: set[str] = set()

    def read(self) -> State:
        self._seen = seen = Directory(self.request)
        self._displaced |= {entry.path for entry in seen.displaced}
        rivals = seen.rivals if self.request.on_conflict == "rename" else []
        state: State = {FILE + entry.path: _content(entry) for entry in [*seen.ours, *rivals, *seen.displaced]}
        state.update(self._permissions())
        leftovers = _files.leftovers(self.request.conf_dir)
        state.update({LEFTOVER + path: {"size": os.lstat(path).st_size} for path in leftovers})
        if self.request.network is None:
            state.update(self._stores())
        return state

    def desired(self, current: State) -> State:
        if self.difference is None:
            self.difference = self._examine()
        if self.request.network is None:
            return self._absent(current)
        wanted: State = {FILE + self.request.path: conf.text(self.request.network.document)}
        for name, value in current.items():
            path = name[len(FILE) :]
            if name.startswith(FILE) and path.endswith(DISABLED):
                wanted[name] = value
            elif name.startswith(FILE) and path in [entry["path"] for entry in self.competing]:
                _require_free(path + DISABLED)
                wanted[name + DISABLED] = value
            elif name.startswith(PERMISSIONS):
                wanted[name] = _right()
        return wanted

    def apply(self, changes: list[Change]) -> None:
        """Write first and remove last, so that at every moment the old or the new network can be loaded."""
        gone = [change.name for change in changes if change.after is None]
        # But before all else what a pod may have begun to use in this moment, and what others may have locked.
        for name in [name for name in gone if name.startswith(STORE)]:
            store.remove_store(self.request.name, os.path.dirname(name[len(STORE) :]))
            gone.remove(name)
        there = [change.name for change in changes if change.after is not None]
        target = FILE + self.request.path
        if self.request.network and {target, PERMISSIONS + self.request.path} & set(there):
            # A directory with a setgid bit would give the file its group.
            owner = (os.geteuid(), os.getegid())
            _files.write_atomically(self.request.path, conf.text(self.request.network.document), MODE, owner)
        for name in there:
            other = name[: -len(DISABLED)] if name.endswith(DISABLED) else name + DISABLED
            if name != target and other in gone:
                _files.rename(other[len(FILE) :], name[len(FILE) :])
                gone.remove(other)
        for name in gone:
            if name.startswith(LEFTOVER):
                _files.remove_leftover(name[len(LEFTOVER) :])
            else:
                _files.remove(name.partition("/")[1] + name.partition("/")[2])

    def shown(self, name: str, text: str) -> str:
        """Of a file that is only renamed, which may hold somebody's token, no more than that it stays the same."""
        path = name[len(FILE) :]
        rivals = [entry["path"] for entry in self.competing]
        if not path.endswith(DISABLED) and path not in rivals and path + DISABLED not in self._displaced:
            return text
        return f"{len(text.encode())} bytes, sha256 {hashlib.sha256(text.encode()).hexdigest()}\n" if text else text

    def result(self, state: State) -> dict[str, t.Any]:  # noqa: ARG002
        network = self.request.network
        difference = self.difference or Difference(NONE, [])
        found = attachments.attachments(self.request.name) if network else []
        return {
            "path": self.request.path if network else None,
            "change_class": difference.kind,
            "changed_keys": difference.keys,
            "competing": self.competing,
            "stale": attachments.stale(found, network.document) if network else [],
        }

    def _examine(self) -> Difference:
        """Everything that may forbid the change; looks at the node as it was before it."""
        request, ours, rivals = self.request, self._seen.ours, self._seen.rivals
        if request.network is None:
            consent.require_unused(request.name, ours, request.allow_orphans)
            return Difference(NONE, [])
        self.competing = [_competitor(request, entry) for entry in rivals]
        if rivals and request.on_conflict != "rename":
            self._conflict()
        before = next((entry.document for entry in ours if entry.document), None)
        difference = classify(before, request.network.document) if before else Difference(NONE, [])
        consent.require_consent(request.network, before, difference, request.allow_orphans, request.renumber)
        # The file may be there for long and begin to be loaded now, in the place of one that is displaced.
        lends = before and before.get("name") == request.name and not (rivals and request.on_conflict == "rename")
        consent.require_unlent(request.network, conf.pod_cidrs(before) if lends else [], request.allow_orphans)
        return difference

    def _conflict(self) -> None:
        listed = ", ".join(f"{os.path.basename(entry['path'])} ({entry['reason']})" for entry in self.competing)
        problem = f"holds what a runtime would load instead of {os.path.basename(self.request.path)}: {listed}"
        if self.request.on_conflict == "ignore":
            self._warn(f"conf_dir: {self.request.conf_dir} {problem}")
            return
        raise OptionError(
            "conf_dir",
            self.request.conf_dir,
            problem,
            "remove what is not needed, use a lower priority, or set on_conflict to rename",
            competing=self.competing,
        )

    def _absent(self, current: State) -> State:
        """Nothing but what we had displaced of others, under its own name again."""
        wanted: State = {}
        for entry in self._seen.displaced:
            name, path = FILE + entry.path, entry.path[: -len(DISABLED)]
            value = current.get(name)
            if value is None or self._seen.is_own(entry):
                continue
            if os.path.lexists(path) and FILE + path not in current:
                self._warn(f"{path}{DISABLED}: stays, as there is a new {path}; remove one of the two")
                wanted[name] = value
            else:
                wanted[FILE + path] = value
        return wanted

    def _warn(self, warning: str) -> None:
        """Once, though the plan is made before and after the change."""
        if warning not in self.warnings:
            self.warnings.append(warning)

    def _permissions(self) -> State:
        path = self.request.path
        if self.request.network is None or not os.path.exists(path):
            return {}
        status = os.stat(path)
        found = {"mode": f"{stat.S_IMODE(status.st_mode):04o}", "owner": status.st_uid, "group": status.st_gid}
        return {} if found == _right() else {PERMISSIONS + path: found}

    def _stores(self) -> State:
        stores: State = {}
        for data_dir in consent.data_dirs([entry.document for entry in self._seen.ours]):
            names = store.housekeeping(self.request.name, data_dir)
            if names is not None:
                stores[STORE + os.path.join(data_dir, self.request.name)] = {"files": names}
        return stores


def _require_free(path: str) -> None:
    if os.path.lexists(path):
        raise PodnetError(f"{path}: exists from an earlier run, and its competitor is back; remove one of the two")


def _right() -> dict[str, t.Any]:
    return {"mode": f"{MODE:04o}", "owner": os.geteuid(), "group": os.getegid()}


def _content(entry: loader.File) -> t.Any:
    return entry.text if entry.text is not None else {"content": entry.error}


def _competitor(request: Request, entry: loader.File) -> dict[str, t.Any]:
    return {"path": entry.path, "name": entry.network, "reason": loader.rivalry(request.conf_dir, entry)}
