# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab: nodes that are network and mount namespaces, joined by a switch: no root needed, nothing left behind.

    lab.py run [--nodes N] [--dual-stack] -- COMMAND…    unshare, create, run COMMAND, and all of it is gone
    lab.py demo [--nodes N] [--dual-stack]               the same with demo.py as COMMAND
    lab.py create [--nodes N] [--dual-stack]             inside of `lab.py run --nodes 0`: build the nodes
    lab.py destroy                                       inside of `lab.py run`: end them

                     switch (a bridge in a namespace of its own)
        ┌──────────────┬──────────────┬──────────────┐
      node1          node2          nodeN         outside: router 192.0.2.254, 2001:db8:1::fe
      192.0.2.11     192.0.2.12     …             and far end 203.0.113.1, 2001:db8:ffff::1,
      2001:db8:1::11 2001:db8:1::12               which have no route to any pod

`{inventory}` in COMMAND, and $PODNET_LAB_INVENTORY, are the inventory: groups kube_node and lab_outside.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

#: Inside `run` this is on a tmpfs that ends with the namespace.
LAB = Path("/run/podnet-lab")
PR_SET_PDEATHSIG = 1  # linux/prctl.h
INVENTORY = LAB / "inventory.yml"
HOLDERS = LAB / "holders.json"

CNI_BIN = Path("/usr/lib/cni")
UNSHARE = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child"]
UNSHARE += ["--mount-proc"]
#: The underlay's MTU is not 1500, as in many clouds: a bridge that does not look gets it wrong.
MTU = 1450
ROUTER = ("192.0.2.254", "2001:db8:1::fe")
FAR_END = ("203.0.113.1", "2001:db8:ffff::1")


def addresses(index: int) -> tuple[str, str]:
    """The IPv4 and IPv6 address of node number ``index``."""
    return f"192.0.2.{10 + index}", f"2001:db8:1::{10 + index}"


def command(*args: str, text: str | None = None) -> None:
    """Run a program; when it fails, say what it said."""
    done = subprocess.run(args, input=text, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"lab: {' '.join(args)}: {done.stderr.strip() or done.stdout.strip()}")


def ip(pid: int, lines: t.Iterable[str]) -> None:
    """Run lines of ip(8) in the network namespace of a process."""
    command("nsenter", f"--target={pid}", "--net", "ip", "-batch", "-", text="\n".join(lines) + "\n")


# ---- all nodes, seen from the middle ---------------------------------------------------------------------------------


def create(nodes: int, dual_stack: bool) -> None:
    """Start the namespaces, join them, and write the inventory."""
    if Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]:
        sys.exit("lab: create works inside of `lab.py run --nodes 0 -- …` only, where it cannot touch this machine")
    destroy()
    LAB.mkdir(parents=True, exist_ok=True)
    names = [f"node{index}" for index in range(1, nodes + 1)]
    processes = {name: start_holder(name) for name in ["switch", "outside", *names]}
    pids = {name: process.pid for name, process in processes.items()}
    HOLDERS.write_text(json.dumps(pids))
    for name, process in processes.items():
        if not process.stdout or process.stdout.readline() != "ready\n":
            sys.exit(f"lab: {name} did not start")
    ip(pids["switch"], switch_lines(pids))
    for index, name in enumerate(names, 1):
        ip(pids[name], uplink_lines(addresses(index)) + [f"route add default via {gateway}" for gateway in ROUTER])
    ip(pids["outside"], uplink_lines(ROUTER) + [f"address add {address} dev lo" for address in FAR_END])
    INVENTORY.write_text(json.dumps(inventory(pids, names, dual_stack), indent=2) + "\n")


def start_holder(name: str) -> subprocess.Popen[str]:
    args = ["unshare", "--net", "--mount", "--uts", sys.executable, str(Path(__file__).with_name("node.py")), name]
    return subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True)


def switch_lines(pids: dict[str, int]) -> list[str]:
    lines = ["link add switch type bridge mcast_snooping 0", "link set switch up"]
    for name, pid in pids.items():
        if name != "switch":
            lines += [
                f"link add {name} mtu {MTU} type veth peer name eth0 mtu {MTU} netns {pid}",
                f"link set {name} master switch up",
            ]
    return lines


def uplink_lines(own: tuple[str, str]) -> list[str]:
    ipv4, ipv6 = own
    return [f"address add {ipv4}/24 dev eth0", f"address add {ipv6}/64 dev eth0 nodad", "link set eth0 up"]


def inventory(pids: dict[str, int], names: list[str], dual_stack: bool) -> dict[str, t.Any]:
    families = 2 if dual_stack else 1
    nodes = {
        name: {**connection(pids[name]), "pod_cidr_addresses": list(addresses(index)[:families])}
        for index, name in enumerate(names, 1)
    }
    variables = {
        "pod_cidr_cluster_cidrs": ["10.12.0.0/16", "fd12::/48"][:families],
        "cni_plugins_source": "package",
        "cni_plugins_bin_dir": str(CNI_BIN),
        "verify_outside": list(FAR_END[:families]),
    }
    return {
        "kube_node": {"hosts": nodes, "vars": variables},
        "lab_outside": {"hosts": {"outside": connection(pids["outside"])}},
    }


def connection(pid: int) -> dict[str, t.Any]:
    return {
        "ansible_connection": "mink8s.podnet.netns",
        "ansible_netns_pid": pid,
        "ansible_become": False,
        # Modules come by standard input: one command for each instead of five.
        "ansible_pipelining": True,
        "ansible_python_interpreter": "/usr/bin/python3",
    }


def destroy() -> None:
    """End the holders; their namespaces and all links in them end with them."""
    if HOLDERS.exists():
        for pid in json.loads(HOLDERS.read_text()).values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    shutil.rmtree(LAB, ignore_errors=True)


# ---- the whole, seen from outside ------------------------------------------------------------------------------------


def require_tools() -> None:
    """Say in one sentence what is missing on this machine."""
    programs = {"unshare": "util-linux", "nsenter": "util-linux", "ip": "iproute2", "nft": "nftables"}
    missing = {package for program, package in programs.items() if not shutil.which(program)}
    if not (CNI_BIN / "bridge").exists():
        missing.add("containernetworking-plugins")
    python = ["/usr/bin/python3", "-c", "import pyroute2"]
    if not Path(python[0]).exists() or subprocess.run(python, capture_output=True, check=False).returncode != 0:
        missing.add("python3-pyroute2")
    if missing:
        sys.exit(f"lab: packages are missing; install them with: apt-get install {' '.join(sorted(missing))}")
    allowed = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, check=False)
    if allowed.returncode != 0:
        sys.exit(
            f"lab: this user may not make namespaces here ({allowed.stderr.strip()}); run it as root, or let root set "
            "kernel.unprivileged_userns_clone=1 (Debian) or kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)"
        )


def outside(words: list[str]) -> int:
    """Run unshare, which ends with us whatever ends us, and all the namespaces end with it."""
    die_with_parent = functools.partial(ctypes.CDLL(None).prctl, PR_SET_PDEATHSIG, signal.SIGKILL)
    with subprocess.Popen(words, preexec_fn=die_with_parent) as process:  # noqa: PLW1509
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                pass  # Those inside got it too; they say when they are done.
            except SystemExit:
                process.kill()
                raise


def inside(args: argparse.Namespace) -> int:
    """As first process of the namespaces: build the lab, run the command, and end all the rest."""
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    command("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    # What roles leave there for a moment has a node's name, which another lab has, too.
    command("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/var/tmp")  # noqa: S108
    command("ip", "link", "set", "lo", "up")
    if args.nodes:
        create(args.nodes, args.dual_stack)
    environment = {**os.environ, "PODNET_LAB_INVENTORY": str(INVENTORY)}
    words = [word.replace("{inventory}", str(INVENTORY)) for word in args.command]
    try:
        child = subprocess.Popen(words, env=environment)
    except OSError as error:
        sys.exit(f"lab: {words[0]} cannot be run ({error.strerror}); `make` sets up what is needed")
    while True:  # The first process reaps the processes that others left behind.
        pid, status = os.wait()
        if pid == child.pid:
            return os.waitstatus_to_exitcode(status)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    actions = parser.add_subparsers(dest="action", required=True)
    for action in ("run", "demo", "inside", "create"):
        sub = actions.add_parser(action)
        sub.add_argument("--nodes", type=int, default=3)
        sub.add_argument("--dual-stack", action="store_true")
        if action in ("run", "inside"):
            sub.add_argument("command", nargs="+")
    actions.add_parser("destroy")
    args = parser.parse_args()
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if args.action in ("run", "demo"):
        require_tools()
        demo = [sys.executable, str(Path(__file__).with_name("demo.py"))]
        again = [
            "--nodes",
            str(args.nodes),
            *["--dual-stack"][: args.dual_stack],
            "--",
            *getattr(args, "command", demo),
        ]
        sys.exit(outside([*UNSHARE, sys.executable, __file__, "inside", *again]))
    elif args.action == "inside":
        sys.exit(inside(args))
    elif args.action == "create":
        create(args.nodes, args.dual_stack)
    else:
        destroy()


if __name__ == "__main__":
    main()
