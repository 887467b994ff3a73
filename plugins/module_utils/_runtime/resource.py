# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The readers of a node's CNI configuration as a Resource: the files that tell them where it is, what they run with.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import functools
import os
import stat
import time
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _programs
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import consent, loader
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.changes import LIVE_SAFE
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import containerd, flagged, loaded, toml
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime.reader import Places, Reader, places
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime.services import Services
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime.survey import CRIO, survey

FILE, PROCESS = "file ", "process "

#: How long a runtime may take to notice a file, and to answer after its restart.
PATIENCE, PAUSE = 15.0, 0.5

#: How many pods a warning names.
LISTED = 10


class CniRuntime(Resource):
    """Every reader of one node."""

    def __init__(self, params: dict[str, t.Any], run: _programs.Runner) -> None:
        super().__init__()
        self._run = run
        self._present = params["state"] == "present"
        self._places: Places = places(params["conf_dir"], params["bin_dirs"])
        self._network: str = params["network"]
        self._allow_orphans: bool = params["allow_orphans"]
        self._require_loaded: bool = params["require_loaded"]
        self._services = Services(run)
        self._readers: list[Reader] = []
        self._restarted: list[str] = []
        #: What systemd was told to restart, and how each was before: a start with new files may have failed.
        self._were: dict[str, str] = {}
        #: Whether there is something to change; in check mode that remains so.
        self._is_pending = False

    def read(self) -> State:
        self._readers = survey(self._run, self._places, self._present)
        state: State = {}
        for each in self._readers:
            text = _files.read_text(each.path) if each.path else None
            if text is not None:
                state[f"{FILE}{each.path}"] = text
        for each in self._readers:
            runs_with = self._running(each)
            if runs_with is not None:
                state[PROCESS + each.name] = runs_with
        return state

    def desired(self, current: State) -> State:
        if not self._present:
            self._require_unused()
        state: State = {}
        changed = set()
        for each in self._readers:
            text = each.text if self._present and each.reads else each.original
            if each.path and text is not None:
                state[f"{FILE}{each.path}"] = text
            if each.path and current.get(f"{FILE}{each.path}") != text:
                _require_no_link(each.path)
                changed.add(each.name)
        for each in self._readers:
            name = PROCESS + each.name
            if name in current:
                given_back = each.now if each.name in changed else current[name]
                state[name] = each.wanted if self._present else given_back
        self._warn_of_others()
        self._is_pending = state != current
        return state

    def apply(self, changes: list[Change]) -> None:
        files = {change.name[len(FILE) :]: change for change in changes if change.name.startswith(FILE)}
        names = {change.name for change in changes}
        affected = [each for each in self._readers if names & {f"{FILE}{each.path}", PROCESS + each.name}]
        try:
            _write({path: change.after for path, change in files.items()})
            self._restart(affected)
        except PodnetError as error:
            # A node whose kubelet is down is worse than one with the old directories.
            _write({path: change.before for path, change in files.items()})
            told = ["the files are as they were", *self._give_back()]
            raise PodnetError(f"{error}; {', and '.join(told)}") from error

    def shown(self, name: str, text: str) -> str:
        """Of containerd's file not the passwords of registries."""
        return toml.shown(text) if name.endswith(".toml") else text

    def result(self, state: State) -> dict[str, t.Any]:  # noqa: ARG002
        file = loaded.ours(self._places.conf_dir, self._network)
        found = self._loaded(file)
        stale = loaded.stale(self._network, file)
        self._warn_of_stale(stale)
        return {
            "readers": [_shown(each) for each in self._readers],
            "loaded": found,
            "stale": stale,
            "restarted": self._restarted,
        }

    # What is there

    def _running(self, each: Reader) -> t.Optional[dict[str, t.Any]]:
        """What a reader's process was started with: only where systemd could start it anew."""
        if not each.reads or each.unit is None or each.wanted is None:
            return None
        service = self._services.show(each.unit)
        if service.active != "active":
            return None
        if each.name == containerd.NAME:
            return containerd.running(each.socket or "")
        return flagged.running(each.name, self._run, each.unit, service.pid)

    def _require_unused(self) -> None:
        """A runtime that no longer finds the network cannot detach its pods."""
        files = [entry for entry in loader.read_directory(self._places.conf_dir) if entry.network == self._network]
        consent.require_unused(self._network, files, self._allow_orphans)

    def _warn_of_others(self) -> None:
        for each in self._readers:
            wanted = {"conf_dir": self._places.conf_dir, "bin_dirs": self._places.bin_dirs}
            if self._present and each.name == CRIO and each.now != wanted:
                self._warn(
                    f"{each.unit}: reads {each.now}, and the network is in {wanted['conf_dir']} with plugins in "
                    f"{', '.join(self._places.bin_dirs)}; set network_dir and plugin_dirs in /etc/crio/crio.conf.d"
                )

    def _warn_of_stale(self, stale: list[dict[str, t.Any]]) -> None:
        listed = [
            f"{entry['pod'] or entry['container_id'][:12]} "
            f"({', '.join(entry['changed_keys'])}: {entry['change_class']})"
            for entry in stale
            if entry["change_class"] != LIVE_SAFE
        ]
        if listed and self._present:
            more = ", …" if len(listed) > LISTED else ""
            self._warn(
                f"{len(listed)} pods keep what they were attached with: {', '.join(listed[:LISTED])}{more}; "
                "make them anew (kubelet_recycle_pods: true, or module stale_pods)"
            )

    def _warn(self, warning: str) -> None:
        if warning not in self.warnings:
            self.warnings.append(warning)

    # Changes

    def _restart(self, affected: list[Reader]) -> None:
        if not self._services.available:
            listed = ", ".join(each.unit or each.name for each in affected)
            self._warn(f"systemd does not run here: {listed} will use the new settings when started")
            return
        # Also where no file changes: a run that was killed, or somebody else, may have changed a unit unheard.
        self._services.reload()
        for each in affected:
            if each.unit is None:
                continue
            active = self._services.show(each.unit).active
            if active not in ("active", "activating", "reloading"):
                self._warn(f"{each.unit} does not run ({active}): it will use the new settings when started")
                continue
            self._were[each.unit] = active
            self._services.restart(each.unit, active)
            self._restarted.append(each.unit)
            if each.name == containerd.NAME and active == "active":
                self._wait(functools.partial(_answers, each.socket or ""))

    def _give_back(self) -> list[str]:
        """Start again what was restarted, with the former files, and say what became of it."""
        told = []
        try:
            self._services.reload()
        except PodnetError as error:
            told.append(f"systemd has not read them ({error})")
        for unit, was in self._were.items():
            try:
                self._services.start_again(unit, was)
                told.append(f"{unit} {'runs' if was == 'active' else 'is started'} again")
            except PodnetError as error:
                told.append(f"{unit} does not run with them either ({error}), see its journal and start it yourself")
        return told

    def _loaded(self, document: t.Optional[loader.File]) -> list[dict[str, str]]:
        def look() -> list[dict[str, str]]:
            return [loaded.look(each, self._network, document) for each in self._readers if each.reads]

        found = look()
        if self._require_loaded and self._present and not self._is_pending:
            self._wait(lambda: all(entry["loaded"] != loaded.NO for entry in look()))
            found = look()
            wrong = [entry for entry in found if entry["loaded"] == loaded.NO]
            if wrong:
                raise PodnetError(
                    f"network: {self._network} is not what {wrong[0]['reader']} has loaded: {wrong[0]['reason']}; "
                    f"see its journal, and what else is in {self._places.conf_dir}, and restart it if that directory "
                    "was removed while it ran",
                    loaded=found,
                )
        return found

    def _wait(self, is_so: t.Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_so() and time.monotonic() < deadline:
            time.sleep(PAUSE)


def _answers(socket: str) -> bool:
    return containerd.running(socket) is not None


def _require_no_link(path: str) -> None:
    if os.path.islink(path):
        raise PodnetError(
            f"{path}: is a symbolic link to {os.readlink(path)}, which a new file would replace; "
            "put the file itself in its place"
        )


def _write(texts: t.Mapping[str, t.Optional[str]]) -> None:
    for path, text in texts.items():
        if text is None:
            _files.remove(path)
        else:
            was = os.stat(path) if os.path.exists(path) else None
            mode = stat.S_IMODE(was.st_mode) if was else 0o644
            _files.write_atomically(path, text, mode, (was.st_uid, was.st_gid) if was else None)


def _shown(each: Reader) -> dict[str, t.Any]:
    return {
        "name": each.name,
        "unit": each.unit,
        "reads": each.reads,
        "reason": each.reason,
        "path": each.path if each.reads else None,
        **(each.now or {}),
    }
