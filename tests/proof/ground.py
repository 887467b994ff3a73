# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ground of the proofs: this process becomes a node like those of the lab, and a new one for each example."""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
import typing as t
from pathlib import Path

import listings
import node
import odd_files

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_CHILD_SUBREAPER = 36

#: Where the files of a proof are, whose place is an option; the others are where nodes of the lab have them.
PLACE = Path("/run/podnet-proof")
OWN = (PLACE, *(Path(top, name) for top, names in node.VIEWS.items() for name in names))

SYSCTLS = {
    **node.SYSCTLS,
    # Addresses are there at once, and the kernel makes none by itself.
    "net/ipv6/conf/all/accept_dad": 0,
    "net/ipv6/conf/default/accept_dad": 0,
    "net/ipv6/conf/default/addr_gen_mode": 1,
    # An IPv4 network's first address takes the others along, as the kernel has it by default.
    "net/ipv4/conf/all/promote_secondaries": 0,
    "net/ipv4/conf/default/promote_secondaries": 0,
}

_libc = ctypes.CDLL(None, use_errno=True)


def require_lab() -> None:
    """Refuse to work on this machine itself."""
    if Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]:
        raise SystemExit("the proofs run inside of `lab.py run --nodes 0` only: make proof")


def become_a_node() -> None:
    """Take an own view of the file system; links and files that a proof makes must not be this machine's own."""
    _require(_libc.unshare(CLONE_NEWNS))
    # What a module that was killed leaves running becomes a child of this process, which waits for it.
    _require(_libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
    _require(_libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
    node.mount_tmpfs("/run")
    node.mount_tmpfs(node.ASIDE)
    for directory, own in node.VIEWS.items():
        node.own_view(Path(directory), own)


def new_node() -> None:
    """Be a node on which there is nothing but `lo`; the network namespace of before is gone with its last process."""
    for name in listings.run("ip", "netns", "list").split("\n"):
        if name:
            listings.run("ip", "netns", "delete", name.split()[0])
    _require(_libc.unshare(CLONE_NEWNET))
    for key, value in SYSCTLS.items():
        Path("/proc/sys", key).write_text(str(value))
    batch("link set lo up")
    no_files()


def no_files() -> None:
    """Let there be none in the node's own directories."""
    for directory in OWN:
        odd_files.clear(directory)
        directory.mkdir()


def batch(*lines: str, netns: t.Optional[str] = None) -> None:
    """Run lines of ip(8)."""
    enter = ["-n", netns] if netns else []
    listings.run("ip", *enter, "-batch", "-", text="\n".join(lines) + "\n")


def attempt(line: str) -> None:
    """Run one line of ip(8), which may have nothing to change."""
    subprocess.run(["ip", *line.split()], capture_output=True, check=False)


def settle(*names: str) -> None:
    """Wait until links have their carriers, of which the kernel tells later: its own routes come with them."""
    deadline = time.monotonic() + 10
    while any("state UP" not in listings.run("ip", "link", "show", "dev", name) for name in names):
        assert time.monotonic() < deadline, f"no carrier: {names}"
        time.sleep(0.01)


def _require(status: int) -> None:
    if status != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
