# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What brings the pod network back after a reboot, and keeps others from it: units, their enablement, guards.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _persist, _programs
from ansible_collections.mink8s.podnet.plugins.module_utils._boot import guards, units
from ansible_collections.mink8s.podnet.plugins.module_utils._boot.options import Options
from ansible_collections.mink8s.podnet.plugins.module_utils._boot.systemctl import Systemctl
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

_UNIT_DIR = "/etc/systemd/system"
_ACTIVE = {"active": True, "outdated": False}


class Persistence(Resource):
    """Our units and guards on one node."""

    def __init__(self, options: Options, run: _programs.Runner) -> None:
        super().__init__()
        self._options = options
        self._systemctl = Systemctl(run, options.root)

    def read(self) -> State:
        files = [*(self._unit_path(unit) for unit in units.UNITS), *(self._below(path) for path in guards.PATHS)]
        state = _persist.read(None, units.HEADER, files)
        for unit in units.WANTED_BY:
            target = _target(self._link_path(unit))
            if target is not None:
                state[f"link {self._link_path(unit)}"] = {"to": target}
        there = [unit for unit in units.WANTED_BY if _persist.name(self._unit_path(unit)) in state]
        return {**state, **{f"unit {unit}": found for unit, found in self._systemctl.active(there).items()}}

    def desired(self, current: State) -> State:  # noqa: ARG002
        bridge = self._options.bridge
        if bridge is None:
            return {}
        if not guards.has_systemd(self._options.root):
            self._warn("there is no systemd on this node, so nothing brings its pod network back after a reboot")
            return {}
        texts = {self._unit_path(unit): text for unit, text in units.texts(self._options).items()}
        texts.update({self._below(path): text for path, text in guards.texts(self._options.root, bridge).items()})
        wanted = [unit for unit in units.WANTED_BY if self._unit_path(unit) in texts]
        return {
            **{_persist.name(path): text for path, text in texts.items()},
            **{f"link {self._link_path(unit)}": {"to": f"{_UNIT_DIR}/{unit}"} for unit in wanted},
            **({f"unit {unit}": dict(_ACTIVE) for unit in wanted} if self._systemctl.runs else {}),
        }

    def apply(self, changes: list[Change]) -> None:
        files, rest = _persist.split(changes)
        removed = [change.name for change in files if change.after is None]
        gone = [unit for unit in units.UNITS if _persist.name(self._unit_path(unit)) in removed]
        self._systemctl.stop(gone)
        _persist.write(files)
        for change in rest:
            if not _unit(change):
                _put_link(change)
        # Before a unit is started, which may fail: the next run would not know that nobody has read them.
        changed = {change.name for change in files}
        for path, service in guards.READERS.items():
            if _persist.name(self._below(path)) in changed:
                self._systemctl.reread(service)
        self._systemctl.reload(gone)
        self._systemctl.start([_unit(change) for change in rest if _unit(change) and change.after])

    def result(self, state: State) -> dict[str, t.Any]:
        def there(paths: t.Iterable[str]) -> list[str]:
            return [path for path in paths if _persist.name(path) in state]

        return {
            "units": there(self._unit_path(unit) for unit in units.UNITS),
            "guards": there(self._below(path) for path in guards.PATHS),
            "loaded_at_boot": f"link {self._link_path(units.SERVICE)}" in state,
        }

    def _below(self, path: str) -> str:
        return guards.below(self._options.root, path)

    def _unit_path(self, unit: str) -> str:
        return self._below(f"{_UNIT_DIR}/{unit}")

    def _link_path(self, unit: str) -> str:
        """Return the link that `systemctl enable` makes."""
        return self._below(f"{_UNIT_DIR}/{units.WANTED_BY[unit]}.wants/{unit}")

    def _warn(self, warning: str) -> None:
        if warning not in self.warnings:
            self.warnings.append(warning)


def _unit(change: Change) -> str:
    """Return the unit that is started or stopped, or nothing."""
    kind, name = change.name.split(" ", 1)
    return name if kind == "unit" else ""


def _target(path: str) -> t.Optional[str]:
    """Return where a link leads to, or None where there is none."""
    if not os.path.lexists(path):
        return None
    if not os.path.islink(path):
        raise PodnetError(f"{path}: is there and is not a link; move it away")
    return os.readlink(path)


def _put_link(change: Change) -> None:
    path = change.name.partition(" ")[2]
    if change.after is None:
        _files.remove(path)
    else:
        _files.link_atomically(path, change.after["to"])
