# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Our keys in daemon.json: in the file, in the running dockerd, and as they were before us.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import stat
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _json, _programs
from ansible_collections.mink8s.podnet.plugins.module_utils._docker import (
    api,
    checks,
    options,
    processes,
    record,
    service,
    target,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._docker.document import Document, canonical
from ansible_collections.mink8s.podnet.plugins.module_utils._docker.record import Raw
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

LIVE_RESTORE = "live-restore"
RESTART, RELOAD = "dockerd by a restart", "dockerd by a reload"


@dataclass(frozen=True)
class Place:
    """A file as it is: its text, and whose it is."""

    text: t.Optional[str]
    mode: int = 0o644
    owner: t.Optional[tuple[int, int]] = None


class Daemon(Resource):
    """Our keys of daemon.json on one node."""

    def __init__(self, params: dict[str, t.Any], run: _programs.Runner) -> None:
        super().__init__()
        self._run = run
        self._params = params
        self._path: str = params["path"]
        self._present = params["state"] == "present"
        self._wanted = checks.wanted(params["options"], params["absent"]) if self._present else {}
        self._place = Place(None)
        self._record_text: t.Optional[str] = None
        self._found = target.Found()
        self._process: t.Optional[processes.Process] = None
        #: Whether others had changed the file since dockerd was started, before we did.
        self._was_unread: t.Optional[bool] = None
        self._backup: t.Optional[str] = None
        self._target = target.Target()
        self.installed = _programs.which("dockerd") is not None

    def read(self) -> State:
        self._record_text = _files.read_text(self._params["record"])
        if self._skipped:
            return {}
        self._place = _look(self._path)
        self._process = processes.find_dockerd()
        self._found = target.Found(
            self._place.text,
            checks.document(self._path, self._place.text),
            record.parse(self._record_text, self._params["record"], self._path),
            runs=self._process is not None,
            is_behind=self._process is not None and self._process.is_older_than(self._params["record"]),
            is_unread=self._process is not None and self._process.is_older_than(self._path),
            is_rewritten=processes.is_later(self._path, self._params["record"]),
        )
        if self._was_unread is None:
            self._was_unread = self._found.is_unread
        tells = self._params["restart"] != "never"
        self._target = target.plan(self._found, self._wanted, self._params["options"], tells)
        self.warnings += [warning for warning in self._target.warnings if warning not in self.warnings]
        state: State = {f"file {self._params['record']}": self._record_text, f"file {self._path}": self._place.text}
        state = {name: text for name, text in state.items() if text is not None}
        if self._how:
            state[self._how] = {key: _shown(before) for key, (before, _after) in self._target.moved.items()}
        return state

    def desired(self, current: State) -> State:
        if self._skipped:
            return current
        if self._present and not self.installed and self._params["without_docker"] == "fail":
            raise PodnetError(
                "dockerd: there is no such program on the node; install Docker (Debian: apt install docker.io), "
                "or set without_docker to skip or write"
            )
        aim = self._target
        kept = aim.record.render() if aim.record.keys else None
        if aim.text != self._place.text or kept != self._record_text or self._how:
            self._check(aim)
        state: State = {f"file {self._params['record']}": kept, f"file {self._path}": aim.text}
        state = {name: text for name, text in state.items() if text is not None}
        if self._how:
            state[self._how] = {key: _shown(after) for key, (_before, after) in aim.moved.items()}
        return state

    def apply(self, changes: list[Change]) -> None:
        aim, was, record_path = self._target, self._place, self._params["record"]
        if was.text is not None and aim.text != was.text and self._params["backup"]:
            self._backup = f"{self._path}.{time.strftime('%Y-%m-%d@%H:%M:%S')}~"
            _put(self._backup, was)
        _files.write_atomically(record_path, target.journal(self._found, aim).render(), 0o600)
        if aim.text != was.text:
            _put(self._path, Place(aim.text, was.mode, was.owner))
        if self._how == RESTART:
            self._restart(was)
        elif self._how == RELOAD and self._process:
            service.reload(self._process)
        final = {change.name: change.after for change in changes}.get(f"file {record_path}", self._record_text)
        _put(record_path, Place(final, 0o600))

    def shown(self, name: str, text: str) -> str:
        """Our keys; of the record neither the whole file before us, which only root can read there."""
        if text.strip() and name == f"file {self._params['record']}":
            return Document(text).shown({"about", "path", "keys", "in_force"})
        return Document(text).shown({*self._wanted, *self._found.record.keys}) if text.strip() else text

    def result(self, state: State) -> dict[str, t.Any]:
        text = state.get(f"file {self._path}")
        data = Document.of_file(text).data
        found: dict[str, t.Any] = {
            "installed": self.installed,
            "options": {key: data[key] for key, value in self._wanted.items() if value is not None and key in data},
            "in_force": self._in_force(data),
            "restart_needed": self._params["restart"] == "never" and self._needs_restart(self._target.moved),
        }
        return {**found, "backup_file": self._backup} if self._backup else found

    def _in_force(self, data: dict[str, t.Any]) -> dict[str, t.Any]:
        """What a dockerd that runs has, or will have, of the options of its network."""
        if self._process is None:
            return {}
        if self._params["restart"] == "never":
            untold = {key: before for key, (before, _after) in self._target.moved.items()}
            data = {**data, **{key: None if before is None else _json.parse(before) for key, before in untold.items()}}
        known = options.OF_THE_NETWORK
        if self._was_unread and self._found.is_unread and self._how != RESTART:
            # Of other keys than ours nobody knows when they came into the file.
            known = known & {*self._wanted, *self._process.flags}
        return {key: options.in_force(key, data, self._process.flags) for key in sorted(known)}

    # What should be there

    @property
    def _skipped(self) -> bool:
        if self._present:
            return not self.installed and self._params["without_docker"] == "skip"
        return self._record_text is None

    @property
    def _how(self) -> str:
        """How dockerd takes over what it has yet to; empty if it does not run, or is not to be touched."""
        if not self._target.moved or self._params["restart"] == "never" or self._skipped:
            return ""
        return RESTART if self._needs_restart(self._target.moved) else RELOAD

    def _needs_restart(self, moved: dict[str, tuple[Raw, Raw]]) -> bool:
        return any(options.needs_restart(key, after) for key, (_before, after) in moved.items())

    # Changes

    def _check(self, aim: target.Target) -> None:
        unit = checks.unit()
        flags = checks.flags(unit, self._process)
        checks.require_right_file(self._path, flags)
        checks.require_no_doubles(self._path, Document.of_file(aim.text).data, flags, self._wanted)
        if aim.text and aim.text != self._place.text and self._params["validate"] and self.installed:
            checks.validate(self._run, self._path, aim.text)
        if self._how == RESTART:
            service.require_restartable(unit)
            lives = self._keeps_containers(flags)
            warning = checks.containers(processes.containers(), lives, list(aim.moved), self._params["restart"])
            self.warnings += [warning] if warning and warning not in self.warnings else []

    def _keeps_containers(self, flags: dict[str, options.Flag]) -> bool:
        """Whether containers live through a restart: by what dockerd says, else by what it was told for sure."""
        asked = api.info().get("LiveRestoreEnabled")
        if asked is not None:
            return asked is True
        raw = canonical(self._found.document.raw(LIVE_RESTORE))
        has = self._target.moved.get(LIVE_RESTORE, (raw, raw))[0]
        return options.in_force(LIVE_RESTORE, {LIVE_RESTORE: has == "true"}, flags) is True

    def _restart(self, was: Place) -> None:
        complaint = service.restart(self._run)
        if complaint is None:
            return
        _put(self._path, was)
        _put(self._params["record"], Place(self._record_text, 0o600))
        again = service.restart(self._run)
        end = "dockerd runs with it again" if again is None else f"dockerd does not start with it either ({again})"
        raise PodnetError(
            f"{self._path}: dockerd does not start with the new options ({complaint}); the old file is back and {end}; "
            "correct the options"
        )


def _look(path: str) -> Place:
    if os.path.islink(path):
        raise PodnetError(
            f"path: {path} is a symbolic link to {os.readlink(path)}, which a new file would replace; "
            "name the file itself, or move the link away"
        )
    text = _files.read_text(path)
    if text is None:
        return Place(None)
    found = os.stat(path)
    return Place(text, stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid))


def _put(path: str, place: Place) -> None:
    if place.text is None:
        _files.remove(path)
    else:
        _files.write_atomically(path, place.text, place.mode, place.owner)


def _shown(raw: Raw) -> str:
    return "not set" if raw is None else raw
