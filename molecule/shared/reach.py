# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the tests of virtual machines ask who reaches whom: from a machine, or from inside a pod on it."""

from __future__ import annotations

from testinfra.host import Host

#: Of the pods' image (payload.py): what does the other end see?
WHOAMI = "ask {}"


def pings(host: Host, prefix: str, address: str) -> bool:
    """Whether an address answers one of three pings; no answer is told from a ping that does not even start."""
    ping = f"ping -c 1 -W 2 {address}"
    done = host.run(f"{prefix}sh -c '{ping} || {ping} || {ping}'")
    if " packets transmitted" not in done.stdout and "unreachable" not in done.stderr:
        raise RuntimeError(done)
    return bool(done.rc == 0)
