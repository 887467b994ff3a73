# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The running systemd, where there is one and it is the node's own.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _programs, _units
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError


class Systemctl:
    """What systemd is told and asked; nothing where it does not run, as in a chroot or a container."""

    def __init__(self, run: _programs.Runner, root: str) -> None:
        self._run = run
        self.runs = os.path.realpath(root) == "/" and _units.is_running()

    def active(self, units: t.Sequence[str]) -> dict[str, dict[str, bool]]:
        """Return those units that are active, and whether systemd knows an older text of them."""
        if not self.runs or not units:
            return {}
        text = self._must("show", "--property=Id,ActiveState,NeedDaemonReload", *units)
        found = [dict(re.findall(r"^(\w+)=(.*)$", block, re.MULTILINE)) for block in text.split("\n\n")]
        return {
            each["Id"]: {"active": True, "outdated": each["NeedDaemonReload"] == "yes"}
            for each in found
            if each["ActiveState"] == "active"
        }

    def stop(self, units: t.Sequence[str]) -> None:
        """Stop units; what they have loaded stays."""
        if self.runs and units:
            self._must("stop", *units)

    def reload(self, gone: t.Sequence[str]) -> None:
        """Let systemd read the units again, and forget that one that is gone failed."""
        if self.runs:
            self._must("daemon-reload")
            for unit in gone:
                self._call("reset-failed", unit)

    def start(self, units: t.Sequence[str]) -> None:
        """Start units now, without waiting for a network that is there: we came by it."""
        for unit in units:
            status, _out, err = self._call("start", "--job-mode=ignore-requirements", unit)
            if status != 0:
                said = " ".join(err.split()) or f"status {status}"
                raise PodnetError(
                    f"{unit}: systemd could not start it ({said}); `systemctl status {unit}` tells which file "
                    "cannot be loaded"
                )

    def reread(self, service: str) -> None:
        """Let a service read its files again; where it does not run, it will read them when it does."""
        if self.runs:
            self._call("reload", service)

    def _call(self, *words: str) -> tuple[int, str, str]:
        return self._run([_programs.find("systemctl", "systemd"), *words], None)

    def _must(self, *words: str) -> str:
        status, out, err = self._call(*words)
        if status != 0:
            said = " ".join(err.split()) or f"status {status}"
            raise PodnetError(
                f"systemctl {' '.join(words)}: systemd refuses it ({said}); correct that, and run this again"
            )
        return out
