# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node of the lab, seen from inside: what `lab.py` starts in network and mount namespaces of its own.

node.py NAME       say "ready" when the file system is the node's own, and then keep the namespaces alive
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import typing as t
from pathlib import Path

#: It tells who asks (UDP) which source address it sees.
REFLECTOR = Path(__file__).resolve().parents[2] / "plugins/module_utils/_probe/reflector.py"
#: Directories of which a node has its own view: the host's entries, read only, but the named ones, which start empty.
VIEWS = {
    "/etc": (
        "NetworkManager",
        "cni",
        "containerd",
        "crio",
        "docker",
        "modules-load.d",
        "podnet",
        "sysctl.d",
        "systemd",
    ),
    "/var/lib": ("cni", "podnet"),
}
#: Where they are, for the links.  Not below /run, which a configuration on trial does not see.
ASIDE = "/media"
#: The machine's own runtimes have no part in a node: systemd would not start them there.
MASKED = ("containerd", "cri-docker", "cri-dockerd", "cri-o", "crio", "kubelet")
SYSCTLS = {
    "net/ipv4/ip_forward": 0,
    "net/ipv4/conf/all/rp_filter": 2,
    "net/ipv4/conf/default/rp_filter": 2,
    "net/ipv6/conf/all/disable_ipv6": 0,
    "net/ipv6/conf/default/disable_ipv6": 0,
    "net/ipv6/conf/all/forwarding": 0,
}


def run(*args: str) -> None:
    """Run a program; when it fails, say what it said."""
    done = subprocess.run(args, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"lab: {' '.join(args)}: {done.stderr.strip() or done.stdout.strip()}")


def hold(name: str) -> t.NoReturn:
    """Be a node: take an own view of the file system, say that it is ready, and keep the namespaces alive."""
    socket.sethostname(name)
    for path in (str(Path.home()), "/tmp", "/var/tmp"):  # noqa: S108
        if path != "/" and Path(path).is_dir():
            bind(path, path)
    mount_tmpfs("/run")
    Path("/run/netns").mkdir()
    mount_tmpfs(ASIDE)
    for directory, own in VIEWS.items():
        own_view(Path(directory), own)
    for name_of_unit in MASKED:
        unit = Path("/etc/systemd/system", f"{name_of_unit}.service")
        unit.parent.mkdir(exist_ok=True)
        unit.symlink_to("/dev/null")
    mount_tmpfs("/opt")
    run("mount", "-t", "sysfs", "sysfs", "/sys")
    # Where the user is root on this machine too, a mistake must not reach the machine's own files.
    run("mount", "-o", "remount,bind,ro", "/")
    for key, value in SYSCTLS.items():
        Path("/proc/sys", key).write_text(str(value))
    run("ip", "link", "set", "lo", "up")
    print("ready", flush=True)
    for handle in (1, 2):  # Whoever reads the output of `lab.py create` must not wait for us.
        os.dup2(os.open(os.devnull, os.O_RDWR), handle)
    if name == "outside":
        os.execv(sys.executable, [sys.executable, str(REFLECTOR)])  # noqa: S606
    os.execvp("sleep", ["sleep", "infinity"])  # noqa: S606


def mount_tmpfs(directory: str) -> None:
    """Mount an empty directory over one."""
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", directory)


def bind(source: str, target: str) -> None:
    """Mount a directory a second time with all that is mounted below it; user namespaces allow nothing less."""
    run("mount", "--rbind", source, target)


def own_view(directory: Path, own: tuple[str, ...]) -> None:
    """A tmpfs over a directory, with links to what was in it; so it works for users who may not write there, too."""
    aside = Path(ASIDE, directory.name)
    aside.mkdir(parents=True)
    bind(str(directory), str(aside))
    run("mount", "-o", "remount,bind,ro", str(aside))
    mount_tmpfs(str(directory))
    for entry in aside.iterdir():
        # A relative link is copied, as it leads elsewhere from a new place.
        target = entry.readlink() if entry.is_symlink() else entry
        if entry.name not in own:
            (directory / entry.name).symlink_to(target)
    for name in own:
        (directory / name).mkdir()


if __name__ == "__main__":
    hold(sys.argv[1])
