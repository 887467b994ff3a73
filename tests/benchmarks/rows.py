# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured: `rows.py NAME` prints rows of the table as JSON; it runs in a network namespace of its own.

A module is called as Ansible calls it on a node: a new Python process with the arguments in a file.  What Ansible needs
besides (connecting, sending) is the same for each call, and left out on both sides.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.mink8s.podnet.plugins.module_utils import _blocks, _subnets

COLLECTION = "ansible_collections.mink8s.podnet.plugins.modules"
CNI_BIN = Path("/usr/lib/cni")
UPLINK = ("link add up0 type bridge", "address add 192.0.2.1/16 dev up0", "link add up1 type veth peer name up2")
UPLINK_UP = ("link set up1 master up0 up", "link set up2 up", "link set up0 up")


class Row(t.NamedTuple):
    """One line of the table: seconds that it took us, and others for the same."""

    what: str
    ours: t.List[float]
    peers: t.Dict[str, t.List[float]]
    #: The most that it may be of the (first) peer's, or the most seconds; None where nothing is promised.
    ratio: t.Optional[float] = None
    seconds: t.Optional[float] = None

    @property
    def median(self) -> float:
        return statistics.median(self.ours)


def timed(action: t.Callable[..., t.Any], *args: t.Any, **kwargs: t.Any) -> float:
    """Return how many seconds a call takes."""
    began = time.perf_counter()
    action(*args, **kwargs)
    return time.perf_counter() - began


def run(*args: str, text: str = "") -> str:
    """Run a program that must succeed."""
    return subprocess.run(args, input=text, text=True, check=True, capture_output=True).stdout


def ip(*lines: str) -> None:
    """Run lines of ip(8)."""
    run("ip", "-batch", "-", text="\n".join(lines) + "\n")


def module(name: str, **params: t.Any) -> dict[str, t.Any]:
    """Run a module, one of ours or one of ansible.builtin's, and return its result."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"ANSIBLE_MODULE_ARGS": params}, file)
        file.flush()
        package = "ansible.modules" if name.startswith("builtin.") else COLLECTION
        out = run(sys.executable, "-m", f"{package}.{name.rpartition('.')[2]}", file.name)
    return dict(json.loads(out))


# ---- packet filter ---------------------------------------------------------------------------------------------------


def masquerade(repeat: int) -> t.List[Row]:
    """50 networks that are not masqueraded: one call, or builtin.iptables in a loop."""
    excluded = [f"10.{index}.0.0/16" for index in range(100, 150)]
    ours: dict[str, dict[str, list[float]]] = {}
    for _run in range(repeat):
        for backend in ("nftables", "iptables"):
            params = {"sources": ["10.12.1.0/24"], "exclude": excluded, "bridge": "podnet0", "backend": backend}
            for which in ("first run", "nothing to do"):
                ours.setdefault(backend, {}).setdefault(which, []).append(timed(module, "masquerade", **params))
            module("masquerade", state="absent")
    peer: dict[str, list[float]] = {}
    for which in ("first run", "nothing to do"):
        peer[which] = [timed(builtin_rules, excluded)]
    return [
        Row(
            f"50 exclusions from NAT, {backend}, {which}",
            found[which],
            {"builtin.iptables in a loop": peer[which]},
            1.0,
        )
        for backend, found in ours.items()
        for which in ("first run", "nothing to do")
    ]


def builtin_rules(cidrs: t.Sequence[str]) -> None:
    for cidr in cidrs:
        rule = {"table": "nat", "chain": "POSTROUTING", "source": "10.12.1.0/24", "destination": cidr}
        module("builtin.iptables", jump="RETURN", **rule)


# ---- routes ----------------------------------------------------------------------------------------------------------


def routes(repeat: int) -> t.List[Row]:
    """Routes to other nodes' pods: the module, and ip(8) as the floor."""
    ip(*UPLINK, *UPLINK_UP)
    found = []
    for count in (1, 100, 1000, 5000):
        nodes = {
            f"node{index}": {
                "pod_cidrs": [f"10.{index // 256}.{index % 256}.0/24"],
                "addresses": [f"192.0.{index // 250 + 2}.{index % 250 + 1}"],
            }
            for index in range(count + 1)
        }
        batch = [f"route replace {node['pod_cidrs'][0]} via {node['addresses'][0]}" for node in [*nodes.values()][1:]]
        times: dict[str, list[float]] = {"first run": [], "nothing to do": [], "floor": []}
        for _run in range(repeat):
            times["first run"].append(timed(module, "routes", nodes=nodes, self="node0"))
            times["nothing to do"].append(timed(module, "routes", nodes=nodes, self="node0"))
            module("routes", nodes={}, self="node0", state="absent")
            times["floor"].append(timed(ip, *batch))
            ip("route flush root 10.0.0.0/8")
        for which, limit in (("first run", 3.0), ("nothing to do", 1.0)):
            peers = {"ip -batch, which only adds": times["floor"]}
            found.append(Row(f"{count} routes, {which}", times[which], peers, None, limit if count == 5000 else None))
    return found


# ---- controller ------------------------------------------------------------------------------------------------------


def allocation(repeat: int) -> t.List[Row]:
    """A block for each of 65,536 nodes, and again with all of them in the lock file."""
    nodes = {f"node{index}": _subnets.Node() for index in range(65536)}
    times: dict[str, list[float]] = {"first run": [], "nothing to do": []}
    for _run in range(repeat):
        book: t.Optional[_subnets.Book] = None
        for seconds in times.values():
            began = time.perf_counter()
            families = _blocks.cut(["10.0.0.0/8"], {4: 24})
            _result, book = _subnets.allocate(families, nodes, book, _subnets.Rules("lock file"))
            seconds.append(time.perf_counter() - began)
    return [Row(f"65,536 pod CIDRs, {which}", found, {}, None, 1.0) for which, found in times.items()]


def imports(repeat: int) -> t.List[Row]:
    """Starting a module that then does nothing, beside one that Ansible itself has."""
    times: dict[str, list[float]] = {"ansible.modules.command": []}
    names = ("bridge", "cni_network", "masquerade", "routes")
    for _run in range(repeat * 3):
        for name in (*(f"{COLLECTION}.{name}" for name in names), "ansible.modules.command"):
            words = [sys.executable, "-c", f"import {name}"]
            times.setdefault(name.rpartition(".")[2] if name.startswith(COLLECTION) else name, []).append(
                timed(run, *words)
            )
    return [
        Row(f"import of module {name}", times[name], {"import of command": times["ansible.modules.command"]})
        for name in names
    ]


# ---- attaching pods --------------------------------------------------------------------------------------------------


def attach(repeat: int) -> t.List[Row]:
    """ADD of the plugin bridge beside so many pods: our one rule for a node, or the plugin's ipMasq for each pod."""
    found = []
    for pods in (1, 40, 100, 250):
        times = {}
        for masquerades in (False, True):
            with tempfile.TemporaryDirectory() as store:
                times[masquerades] = _adds(pods, masquerades, store, 5 * repeat)
        peers = {"ipMasq: true (iptables)": times[True]}
        found.append(Row(f"CNI ADD beside {pods} pods", times[False], peers, 0.5 if pods in (40, 250) else None))
    return found


def _adds(pods: int, masquerades: bool, store: str, count: int) -> list[float]:
    """Attach pods, and measure some more of them."""
    names = [f"bench{index}" for index in range(pods + count)]
    ip(*(f"netns add {name}" for name in names))
    config = {
        "cniVersion": "0.4.0",
        "name": "bench",
        "type": "bridge",
        "bridge": "bench0",
        "isGateway": True,
        "ipMasq": masquerades,
        "ipam": {
            "type": "host-local",
            "dataDir": store,
            "ranges": [[{"subnet": "10.12.0.0/22"}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    if not masquerades:
        module("masquerade", sources=["10.12.0.0/22"], exclude=["10.12.0.0/16"], bridge="bench0")
    times = [timed(_plugin, "ADD", name, config) for name in names]
    for name in names:
        _plugin("DEL", name, config)
    ip("link delete bench0", *(f"netns delete {name}" for name in names))
    if not masquerades:
        module("masquerade", state="absent")
    return times[pods:]


def _plugin(command: str, name: str, config: dict[str, t.Any]) -> None:
    environment = {
        "CNI_COMMAND": command,
        "CNI_CONTAINERID": name,
        "CNI_NETNS": f"/run/netns/{name}",
        "CNI_IFNAME": "eth0",
        "CNI_PATH": str(CNI_BIN),
        "PATH": os.environ["PATH"],
    }
    subprocess.run(
        [CNI_BIN / "bridge"], input=json.dumps(config).encode(), env=environment, check=True, capture_output=True
    )


ROWS: dict[str, t.Callable[[int], t.List[Row]]] = {
    "attach": attach,
    "masquerade": masquerade,
    "routes": routes,
    "allocation": allocation,
    "imports": imports,
}

if __name__ == "__main__":
    print(json.dumps([row._asdict() for row in ROWS[sys.argv[1]](int(sys.argv[2]))]))
