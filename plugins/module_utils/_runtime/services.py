# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Services of systemd: restarted, and looked at until they stay up.

Where systemd is not the node's init there is nothing to restart, and systemctl is not called.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _units
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Runner

#: A service that has not changed its process for so long has taken its flags; what it may take to come up.
STEADY, PATIENCE, PAUSE = 3.0, 60.0, 0.5


class Service(t.NamedTuple):
    """What systemd says of a service."""

    active: str
    pid: int


class Services:
    """The node's systemd, if it has one."""

    def __init__(self, run: Runner) -> None:
        self._run = run
        self.available = _units.is_running()

    def show(self, unit: str) -> Service:
        """Return a service's state and its process, 0 where it has none."""
        if not self.available:
            return Service("unknown", 0)
        _status, out, _err = self._run(["systemctl", "show", "--property=ActiveState,MainPID", unit], None)
        found = dict(line.partition("=")[::2] for line in out.splitlines())
        pid = found.get("MainPID", "0")
        return Service(found.get("ActiveState", "unknown"), int(pid) if pid.isdigit() else 0)

    def reload(self) -> None:
        """Have systemd read its units again."""
        if self.available:
            self._systemctl("daemon-reload")

    def restart(self, unit: str, was: str) -> None:
        """Restart a service, which was active or not, and see that it stays up."""
        self._systemctl("restart", unit)
        # One that was in trouble before need not be better now: a kubelet waits so for kubeadm.
        if was == "active":
            self._require_steady(unit)

    def start_again(self, unit: str, was: str) -> None:
        """Start a service that was so before its restart failed; what it is now says nothing of that."""
        # Earlier failures would count against this start; a unit that has none is none to complain about.
        self._run(["systemctl", "reset-failed", unit], None)
        self.restart(unit, was)

    def last_words(self, unit: str) -> str:
        """The last line that a service has written to the journal."""
        _status, out, _err = self._run(
            ["journalctl", "--quiet", "--no-pager", "--output=cat", f"--unit={unit}", "-n1"], None
        )
        lines = out.strip().splitlines()
        return lines[-1] if lines else "its journal is empty"

    def _systemctl(self, *words: str) -> None:
        status, _out, err = self._run(["systemctl", *words], None)
        if status != 0:
            unit = words[-1] if len(words) > 1 else ""
            reason = self.last_words(unit) if unit else err.strip()
            raise PodnetError(f"systemctl {' '.join(words)} failed: {reason}")

    def _require_steady(self, unit: str) -> None:
        deadline, since, pid = time.monotonic() + PATIENCE, time.monotonic(), -1
        while time.monotonic() < deadline:
            now = self.show(unit)
            if now.active == "failed":
                break
            if now.active != "active" or now.pid != pid:
                since, pid = time.monotonic(), now.pid
            elif time.monotonic() - since >= STEADY:
                return
            time.sleep(PAUSE)
        raise PodnetError(f"{unit} does not stay up after its restart: {self.last_words(unit)}")
