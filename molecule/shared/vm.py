# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes that are virtual machines, on the lab's network: inside of `lab.py run --nodes 0`, so nothing outlives it.

    vm.py create NAME=IMAGE… [--file PATH=FILE] [--kernel WORDS] [--members NAME]
                             start machines, wait for them, write the inventory
    vm.py members [NAME…]    write it again, with these in the group kube_node
    vm.py destroy            end them

        switch (a bridge, in the namespace where this runs)
        ┌──────────────┬──────────────┐
      machine 1      machine 2      outside: router 192.0.2.254, and far end 203.0.113.1, which has no route to any pod
      192.0.2.11     192.0.2.12

Ansible reaches them by ssh, as a user with sudo, over another card each, which leads nowhere else.  On the far end's
port 80, as on that of every pod (payload.py), /cgi-bin/whoami says which address asks, and `ask ADDRESS` asks it.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import images
import lab
import machine
import payload

STATE = lab.LAB / "machines.json"
KEY = lab.LAB / "key"
MEMORY = 1536


def ssh_options(known_hosts: str) -> list[str]:
    options = {
        "UserKnownHostsFile": known_hosts,
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "ConnectTimeout": "60",
    }
    return [word for name, value in options.items() for word in ("-o", f"{name}={value}")]


def create(wanted: dict[str, str], nodes: list[str], kernel: str, files: dict[str, Path]) -> None:
    """Start the machines and what is around them, and wait until all of them answer."""
    if Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]:
        sys.exit("vm: create works inside of `lab.py run --nodes 0 -- …` only, where it cannot touch this machine")
    destroy()
    lab.LAB.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    public = machine.make_key(KEY)
    machines = [specify(index, name, image, kernel, files) for index, (name, image) in enumerate(wanted.items(), 1)]
    pids = make_network(machines)
    started = {}
    hosts: dict[str, dict[str, t.Any]] = {}
    remember(pids, hosts, machines[0].image)
    for each in machines:
        process, port = machine.start(each, public)
        pids.append(process.pid)
        started[each.name] = process
        hosts[each.name] = connection(each, port)
        remember(pids, hosts, machines[0].image)
    for each in machines:
        words = [
            "ssh",
            "-p",
            str(hosts[each.name]["ansible_port"]),
            "-i",
            str(KEY),
            *ssh_options(str(each.known_hosts)),
        ]
        machine.wait(each, started[each.name], [*words, f"{images.USER}@127.0.0.1"])
        print(f"{each.name} answers after {time.monotonic() - began:.0f} s", flush=True)
    members(nodes or list(wanted))


def remember(pids: list[int], hosts: dict[str, dict[str, t.Any]], image: Path) -> None:
    """Write down what `destroy` has to end, and what the inventory says."""
    STATE.write_text(json.dumps({"pids": pids, "hosts": hosts, "image": str(image)}))


def specify(index: int, name: str, image: str, kernel: str, files: dict[str, Path]) -> machine.Machine:
    directory = images.RECIPES[image].directory
    if not directory.exists():
        sys.exit(f"vm: the image {image} is not built yet: run {sys.executable} {images.__file__} {image}")
    own = {
        "/usr/share/pods/image.tar": lab.LAB / "image.tar",
        "/usr/share/pods/image.oci.tar": lab.LAB / "image.oci.tar",
    }
    payload.write_docker(directory / "busybox", own["/usr/share/pods/image.tar"])
    payload.write_oci(directory / "busybox", own["/usr/share/pods/image.oci.tar"])
    return machine.Machine(
        name=name,
        image=directory,
        index=index,
        address=f"{lab.addresses(index)[0]}/24",
        router=lab.ROUTER[0],
        mtu=lab.MTU,
        memory=MEMORY,
        kernel=kernel,
        files={**own, **files},
        directory=lab.LAB,
    )


def make_network(machines: t.Sequence[machine.Machine]) -> list[int]:
    """Join the machines to be and the outside by a switch; return the processes that this takes."""
    outside = lab.start_holder("outside")
    if not outside.stdout or outside.stdout.readline() != "ready\n":
        sys.exit("vm: outside did not start")
    lines = ["link add switch type bridge mcast_snooping 0", f"link set switch mtu {lab.MTU} up"]
    peer = f"peer name eth0 mtu {lab.MTU} netns {outside.pid}"
    lines += [f"link add outside mtu {lab.MTU} type veth {peer}", "link set outside master switch up"]
    for each in machines:
        lines += [f"tuntap add dev {each.tap} mode tap", f"link set {each.tap} mtu {lab.MTU} master switch up"]
    lab.command("ip", "-batch", "-", text="\n".join(lines) + "\n")
    far_end = [f"address add {address} dev lo" for address in lab.FAR_END]
    lab.ip(outside.pid, lab.uplink_lines(lab.ROUTER) + far_end)
    busybox = payload.unpack(machines[0].image / "busybox", lab.LAB / "far-end")
    server = [str(busybox), "httpd", "-f", "-p", "0.0.0.0:80", "-h", str(lab.LAB / "far-end/www")]
    process = subprocess.Popen(
        ["nsenter", f"--target={outside.pid}", "--net", *server],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return [outside.pid, process.pid]


def connection(each: machine.Machine, port: int) -> dict[str, t.Any]:
    """What the inventory says of a machine."""
    return {
        "ansible_host": "127.0.0.1",
        "ansible_port": port,
        "ansible_user": images.USER,
        "ansible_ssh_private_key_file": str(KEY),
        "ansible_ssh_common_args": " ".join(ssh_options(str(each.known_hosts))),
        "ansible_become": True,
        # Modules come by standard input: one command for each instead of five.
        "ansible_pipelining": True,
        "ansible_python_interpreter": "/usr/bin/python3",
        "pod_cidr_addresses": [each.address.partition("/")[0]],
    }


def members(names: list[str]) -> None:
    """Write the inventory: all machines, and which of them are nodes."""
    state = json.loads(STATE.read_text())
    archive = Path(state["image"], "cni-plugins.tgz")
    variables = {
        "lab_directory": str(lab.LAB),
        "lab_cni_archive": str(archive),
        "lab_cni_archive_checksum": f"sha256:{hashlib.sha256(archive.read_bytes()).hexdigest()}",
    }
    inventory = {
        "machines": {"hosts": state["hosts"], "vars": variables},
        "kube_node": {"hosts": dict.fromkeys(names)},
    }
    lab.INVENTORY.write_text(json.dumps(inventory, indent=2) + "\n")


def destroy() -> None:
    """End the machines and what is around them; what they wrote goes with them."""
    if STATE.exists():
        for pid in json.loads(STATE.read_text())["pids"]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for link in json.loads(subprocess.run(["ip", "-j", "link"], check=True, capture_output=True).stdout):
            if link["ifname"] == "switch" or link["ifname"].startswith("tap-"):
                lab.command("ip", "link", "delete", link["ifname"])
    shutil.rmtree(lab.LAB, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    actions = parser.add_subparsers(dest="action", required=True)
    create_parser = actions.add_parser("create")
    create_parser.add_argument("machines", nargs="+", metavar="NAME=IMAGE")
    create_parser.add_argument("--members", action="append", default=[], metavar="NAME")
    create_parser.add_argument("--kernel", default="", metavar="WORDS")
    create_parser.add_argument("--file", action="append", default=[], metavar="PATH=FILE")
    actions.add_parser("members").add_argument("names", nargs="*")
    actions.add_parser("destroy")
    args = parser.parse_args()
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if args.action == "create":
        files = {path: Path(file) for path, file in (pair.split("=", 1) for pair in args.file)}
        create(dict(pair.split("=", 1) for pair in args.machines), args.members, args.kernel, files)
    elif args.action == "members":
        members(args.names)
    else:
        destroy()


if __name__ == "__main__":
    main()
