# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pods cost: attaching one beside so many others, and new connections out of it.

Our one rule set for a node, with each backend, or the bridge plugin's own ipMasq, which makes rules for each pod.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from measure import Budget, Row, Sample, Table, ip, run
from payload import Module

CNI_BIN = Path(os.environ.get("PODNET_BENCH_CNI_BIN", "/usr/lib/cni"))
CONNECTIONS = Path(__file__).with_name("connections.py")
#: Outside, where no pod's address is known: what comes from there was masqueraded.
OUTSIDE = "203.0.113.1"

Masquerading = t.Callable[[], dict[str, t.Any]]


def pods(repeat: int, counts: t.Sequence[int] = (1, 40, 100, 250), seconds: float = 1.0) -> t.List[Row]:
    """ADD, and connections a second, beside so many pods."""
    _outside()
    adds, rates = [], []
    for count in counts:
        attached, connected = Table(), Table()
        for name, masquerading in _ways().items():
            samples, found = _measure(count, repeat, seconds, masquerading)
            attached.samples[name], connected.samples[name] = samples, found
        noun = "pod" if count == 1 else "pods"
        for backend, most in (("iptables", 0.5), ("nftables", 0.35)):
            peer, budget = f"ipMasq: true ({backend})", Budget(most, relative=True) if count in (40, 250) else None
            if peer not in attached.samples:  # the plugins are too old to masquerade with nftables
                peer, budget = "ipMasq: true (iptables)", None
            adds.append(attached.row(f"CNI ADD beside {count} {noun}, {backend}", backend, peer, budget=budget))
            row = connected.row(f"new connections beside {count} {noun}, {backend}", backend, peer)
            rates.append(row._replace(unit="/s"))
    return [*adds, *rates]


def _ways() -> dict[str, Masquerading]:
    """What is compared; an nftables backend of ipMasq came with release 1.6 of the plugins."""
    ways = {backend: _ours(backend) for backend in ("iptables", "nftables")}
    theirs = ["iptables"] + ["nftables"] * (b"ipMasqBackend" in (CNI_BIN / "bridge").read_bytes())
    for backend in theirs:
        chosen = {"ipMasqBackend": backend} if len(theirs) > 1 else {}
        ways[f"ipMasq: true ({backend})"] = lambda chosen=chosen: {"ipMasq": True, **chosen}  # type: ignore[misc]
    return ways


def _ours(backend: str) -> Masquerading:
    params = {"sources": ["10.12.0.0/22"], "exclude": ["10.12.0.0/16", "192.0.2.11"], "bridge": "bench0"}
    call = Module("mink8s.podnet.masquerade", backend=backend, **params)

    def masquerade() -> dict[str, t.Any]:
        call(True)
        return {"ipMasq": False}

    return masquerade


def _measure(count: int, repeat: int, seconds: float, masquerading: Masquerading) -> tuple[list[Sample], list[Sample]]:
    """Attach pods, then measure some more of them, and connections from the last one."""
    names = [f"bench{index}" for index in range(count + 5 * repeat)]
    ip(*(f"netns add {each}" for each in names))
    with tempfile.TemporaryDirectory() as store:
        config = _config(store, masquerading())
        samples = [_add(each, config) for each in names]
    rates = [_rate(names[-1], seconds) for _run in range(repeat)]
    ip("link delete bench0", *(f"netns delete {each}" for each in names))
    run(["nft", "flush", "ruleset"])  # in this network namespace, which is ours alone
    return samples[count:], rates


def _config(store: str, masquerading: t.Mapping[str, t.Any]) -> str:
    ranges = [[{"subnet": "10.12.0.0/22"}]]
    ipam = {"type": "host-local", "dataDir": store, "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}]}
    network = {"cniVersion": "1.0.0", "name": "bench", "type": "bridge", "bridge": "bench0", "isGateway": True}
    return json.dumps({**network, **masquerading, "ipam": ipam})


def _add(name: str, config: str) -> Sample:
    environment = {
        "CNI_COMMAND": "ADD",
        "CNI_CONTAINERID": name,
        "CNI_NETNS": f"/run/netns/{name}",
        "CNI_IFNAME": "eth0",
        "CNI_PATH": str(CNI_BIN),
        "PATH": os.environ["PATH"],
    }
    return run([str(CNI_BIN / "bridge")], config, environment).sample


def _outside() -> None:
    """Join a namespace to ours that routes to nobody but us."""
    ip("netns add outside", "link add up0 type veth peer name up0 netns outside", "address add 192.0.2.11/24 dev up0")
    ip("link set up0 up", "link set lo up")
    words = ["ip", "-n", "outside", "-batch", "-"]
    run(words, f"address add 192.0.2.254/24 dev up0\nlink set up0 up\nlink set lo up\naddress add {OUTSIDE} dev lo\n")
    ip(f"route add {OUTSIDE} via 192.0.2.254")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def _rate(name: str, seconds: float) -> Sample:
    """Return the new connections a second out of a pod."""
    enter, program = ["ip", "netns", "exec"], [sys.executable, str(CONNECTIONS)]
    serve = [*enter, "outside", *program, "serve", OUTSIDE, "9000"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:
        try:
            if not server.stdout or server.stdout.readline() != "ready\n":
                raise SystemExit("bench: the server outside does not start")
            done = run([*enter, name, *program, "connect", OUTSIDE, "9000", str(seconds)])
        finally:
            server.kill()
    count, peer = done.output.split()
    if peer != "192.0.2.11":
        raise SystemExit(f"bench: connections come from {peer} and not from the node's address: nothing is masqueraded")
    return Sample(int(count) / seconds, done.sample.cpu)
