# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured on one node: its packet filter, bridge and routes, and what a call of a module costs at least."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

from measure import Budget, Row, Sample, Table, ip, run
from payload import Module

#: An environment that has ifstate; `make bench` makes it.
IFSTATE = Path(os.environ.get("PODNET_BENCH_IFSTATE", "/nonexistent"), "bin", "ifstatecli")

#: A link that a whole /16 is on.
UPLINK = ("link add up0 type bridge", "address add 192.0.2.1/16 dev up0", "link add up1 type veth peer name up2")
UPLINK_UP = ("link set up1 master up0 up", "link set up2 up", "link set up0 up")
#: The same for ifstate, which takes away what it is not told of.
UPLINK_OF_IFSTATE = {
    "up0": {"link": {"kind": "bridge", "state": "up"}, "addresses": ["192.0.2.1/16"]},
    "up1": {"link": {"kind": "veth", "peer": "up2", "master": "up0", "state": "up"}},
    "up2": {"link": {"kind": "veth", "peer": "up1", "state": "up"}},
}

FIRST, AGAIN = "first run", "nothing to do"
RUNS = ((FIRST, True), (AGAIN, False))


def ifstate(table: Table, name: str, interfaces: t.Mapping[str, t.Any], routes: t.Sequence[t.Any] = ()) -> None:
    """Measure ifstate, where there is one; JSON is YAML, too."""
    if not IFSTATE.exists():
        return
    config = Path("/run/ifstate.yml")
    config.write_text(json.dumps({"interfaces": interfaces, "routing": {"routes": list(routes)}}))
    table.add(name, run([str(IFSTATE), "-q", "-c", str(config), "apply"]).sample)


def masquerade(repeat: int, count: int = 50) -> t.List[Row]:
    """50 networks that are not masqueraded: one call, or builtin.iptables in a loop."""
    table, excluded = Table(), [f"10.{index}.0.0/16" for index in range(100, 100 + count)]
    rule = {"table": "nat", "chain": "POSTROUTING", "source": "10.12.1.0/24", "jump": "RETURN"}
    loop = [Module("ansible.builtin.iptables", destination=cidr, **rule) for cidr in excluded]
    for which, changed in RUNS:
        for call in loop:
            table.add(f"one rule, {which}", call(changed).sample)
    floors = {"nftables": (["nft", "-f", "-"], _nft(excluded)), "iptables": _iptables(excluded)}
    params = {"sources": ["10.12.1.0/24"], "exclude": excluded, "bridge": "podnet0"}
    calls = {backend: Module("mink8s.podnet.masquerade", backend=backend, **params) for backend in floors}
    gone = Module("mink8s.podnet.masquerade", state="absent")
    for _run in range(repeat):
        for backend, (words, text) in floors.items():
            table.add(f"{' '.join(words[:2])}, all in one", run(words, text).sample)
            run(["nft", "flush", "ruleset"])
            for which, changed in RUNS:
                table.add(f"{backend}, {which}", calls[backend](changed).sample)
            gone(True)
    rows = []
    for backend, (words, _text) in floors.items():
        for which, _changed in RUNS:
            # The loop's rules one after the other, as a task would run them.
            samples = table.samples[f"one rule, {which}"]
            table.samples["builtin.iptables in a loop"] = [Sample(*map(sum, zip(*samples)))]
            names = ("builtin.iptables in a loop", f"{' '.join(words[:2])}, all in one")
            what = f"{count} exclusions from NAT, {backend}, {which}"
            rows.append(table.row(what, f"{backend}, {which}", *names, budget=Budget(1.0, relative=True)))
    return rows


def _nft(excluded: t.Sequence[str]) -> str:
    rule = f"ip saddr 10.12.1.0/24 ip daddr != {{ {', '.join(excluded)} }} masquerade"
    return f"table ip floor {{\n chain c {{\n type nat hook postrouting priority srcnat;\n {rule}\n }}\n}}\n"


def _iptables(excluded: t.Sequence[str]) -> tuple[list[str], str]:
    rules = "".join(f"-A POSTROUTING -s 10.12.1.0/24 -d {cidr} -j RETURN\n" for cidr in excluded)
    masquerades = "-A POSTROUTING -s 10.12.1.0/24 -j MASQUERADE\n"
    return ["iptables-restore", "--noflush"], f"*nat\n{rules}{masquerades}COMMIT\n"


def bridge(repeat: int) -> t.List[Row]:
    """One bridge with an address: the module, and ifstate."""
    ip(*UPLINK, *UPLINK_UP)
    table = Table()
    call = Module("mink8s.podnet.bridge", name="br1", addresses=["10.12.1.1/24"], mtu="kernel")
    theirs = {**UPLINK_OF_IFSTATE, "br1": {"link": {"kind": "bridge", "state": "up"}, "addresses": ["10.12.1.1/24"]}}
    for _run in range(repeat):
        for which, changed in RUNS:
            table.add(which, call(changed).sample)
        ip("link delete br1")
        for which, _changed in RUNS:
            ifstate(table, f"ifstate, {which}", theirs)
        if IFSTATE.exists():
            ip("link delete br1")
        commands = ("link add br1 type bridge", "address add 10.12.1.1/24 dev br1", "link set br1 up")
        table.add("ip -batch, which only makes it", ip(*commands))
        ip("link delete br1")
    floor = "ip -batch, which only makes it"
    return [
        table.row("a bridge, first run", FIRST, f"ifstate, {FIRST}", floor),
        table.row("a bridge, nothing to do", AGAIN, f"ifstate, {AGAIN}"),
    ]


def routes(repeat: int, counts: t.Sequence[int] = (1, 100, 1000, 5000)) -> t.List[Row]:
    """Routes to other nodes' pods: the module, ifstate, and ip(8) as the floor."""
    ip(*UPLINK, *UPLINK_UP)
    return [row for count in counts for row in _routes(repeat, count)]


def _routes(repeat: int, count: int) -> t.List[Row]:
    table, floor = Table(), "ip -batch, which only adds"
    nodes = {
        f"node{index}": {
            "pod_cidrs": [f"10.{index // 256}.{index % 256}.0/24"],
            "addresses": [f"192.0.{index // 250 + 2}.{index % 250 + 1}"],
        }
        for index in range(count + 1)
    }
    ways = [(node["pod_cidrs"][0], node["addresses"][0]) for node in [*nodes.values()][1:]]
    call = Module("mink8s.podnet.routes", nodes=nodes, self="node0")
    gone = Module("mink8s.podnet.routes", state="absent")
    theirs = [{"to": dst, "via": via, "proto": 212} for dst, via in ways]
    for number in range(repeat):
        for which, changed in RUNS:
            table.add(which, call(changed).sample)
        gone(True)
        table.add(floor, ip(*(f"route add {dst} via {via}" for dst, via in ways)))
        ip("route flush root 10.0.0.0/8")
        # It takes minutes for thousands; once will do.
        if number == 0 or count <= 100:
            for which, _changed in RUNS:
                ifstate(table, f"ifstate, {which}", UPLINK_OF_IFSTATE, theirs)
            ip("route flush root 10.0.0.0/8")
    budgets = {FIRST: Budget(3.0), AGAIN: Budget(1.0)} if count == 5000 else {}
    peers = {FIRST: (floor, f"ifstate, {FIRST}"), AGAIN: (f"ifstate, {AGAIN}",)}
    noun = "route" if count == 1 else "routes"
    return [
        table.row(f"{count:,} {noun}, {which}", which, *peers[which], budget=budgets.get(which))
        for which in (FIRST, AGAIN)
    ]


def calls(repeat: int) -> t.List[Row]:
    """A call that finds nothing to do, beside the least that Ansible itself has to offer."""
    table = Table()
    modules = {
        "bridge": Module("mink8s.podnet.bridge", name="br1", state="absent"),
        "cni_network": Module("mink8s.podnet.cni_network", name="podnet", conf_dir="/run/net.d", state="absent"),
        "masquerade": Module("mink8s.podnet.masquerade", state="absent"),
        "routes": Module("mink8s.podnet.routes", state="absent"),
        "sysctls": Module("mink8s.podnet.sysctls", state="absent"),
        "builtin.command true": Module("ansible.builtin.command", _raw_params="true"),
    }
    for _run in range(3 * repeat):
        for name, call in modules.items():
            table.add(name, call().sample)
    last = [*modules][-1]
    return [table.row(f"module {name} with nothing there", name, last) for name in [*modules][:-1]]
