# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Make a running dockerd take its options over: by a reload, or by a restart that may fail.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import signal
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _programs, _units
from ansible_collections.mink8s.podnet.plugins.module_utils._docker.processes import Process
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

UNIT = "docker.service"


def reload(process: Process) -> None:
    """Tell dockerd to read daemon.json again."""
    try:
        os.kill(process.pid, signal.SIGHUP)
    except OSError as error:
        raise PodnetError(f"dockerd, process {process.pid}, cannot be told to reload ({error.strerror})") from error


def require_restartable(installed: t.Optional[_units.Unit]) -> None:
    """Refuse a restart that nobody could make."""
    if not _units.is_running() or not installed:
        reason = "systemd does not run here" if not _units.is_running() else f"there is no unit {UNIT}"
        raise PodnetError(
            f"restart: dockerd has to be restarted, and {reason}; set restart to never and restart it yourself"
        )


def restart(run: _programs.Runner) -> t.Optional[str]:
    """Restart dockerd; return None, or what it complained about."""
    systemctl = _programs.find("systemctl", "systemd")
    # Earlier failures would count against this one.
    run([systemctl, "reset-failed", UNIT], None)
    status, _out, err = run([systemctl, "restart", UNIT], None)
    if status == 0:
        return None
    return _last_words(run) or (err.strip().splitlines() or [f"systemctl: status {status}"])[0]


def _last_words(run: _programs.Runner) -> str:
    """Return the last line that dockerd, or else systemd about it, has in the journal."""
    journalctl = _programs.which("journalctl")
    for identifier in ([f"--identifier={name}"] for name in ("dockerd", "systemd")):
        args = ["--unit", UNIT, *identifier, "--output=cat", "--lines=1", "--no-pager", "--quiet"]
        status, out, _err = run([journalctl, *args], None) if journalctl else (1, "", "")
        if status == 0 and out.strip():
            return out.strip().splitlines()[-1]
    return ""
