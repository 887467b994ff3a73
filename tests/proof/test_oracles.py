# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proofs of the proofs: a module that does nothing, or not all of it, and says that all is well, is found out."""

from __future__ import annotations

import os
import typing as t

import converging
import fuzzing
import ground
import pytest
import test_states_cni_network as cni_network
import test_states_masquerade as masquerade
import test_states_veth as veth
from calls import Answer
from converging import Converging
from test_states_bridge import BATCH, OURS, Bridges
from test_states_cni_network import Files
from test_states_docker_daemon import Keys
from test_states_masquerade import Rules
from test_states_pod_cidr import Inventories
from test_states_routes import Clusters
from test_states_veth import Pairs

Params = t.Dict[str, t.Any]

#: What a module says that finds everything as it should be.
IDLE = {"changed": False, "actions": [], "diff": [], "bridge": None}

BRIDGE: Params = {
    "name": OURS,
    "addresses": ["10.12.1.1/24", "fd12::1/64"],
    "mtu": "1400",
    "stp": False,
    "ports": [{"name": "v1", "hairpin": True}],
    "exclusive_addresses": True,
    "persist": str(BATCH),
}
PAIRS: Params = {
    "pairs": [
        {
            "name": "v1",
            "netns": "pod1",
            "bridge": "br1",
            "addresses": ["10.12.1.5/24"],
            "routes": [{"dst": "0.0.0.0/0", "via": "10.12.1.1"}],
            "mtu": 1450,
        },
        {"name": "v2", "netns": "pod10", "addresses": ["10.12.1.6/24"], "routes": [{"dst": "10.99.0.0/16"}]},
    ]
}
ROUTES: Params = {
    "nodes": {
        "node1": {"pod_cidrs": [], "addresses": ["192.0.2.11"]},
        "node2": {"pod_cidrs": ["10.12.1.0/24", "fd12:0:0:1::/64"], "addresses": ["192.0.2.12", "2001:db8:1::12"]},
    },
    "self": "node1",
}
RULES: Params = {
    "sources": ["10.12.1.0/24", "fd12:0:0:1::/64"],
    "exclude": ["10.12.0.0/16"],
    "persist": str(masquerade.KEPT),
}
NETWORK: Params = {
    "name": cni_network.OURS,
    "config": {
        "cniVersion": "1.0.0",
        "type": "bridge",
        "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.12.1.0/24"}]]},
    },
    "assume_plugins": cni_network.PLUGINS,
    "on_conflict": "rename",
    "priority": 10,
}
FILE = cni_network.CONF_DIR / "10-net.conflist"

#: A machine, how it begins, what is asked for and what for its removal, and what somebody does to it meanwhile: each
#: of these is one thing less than was asked for.
CASES: dict[str, tuple[type[Converging], Params, Params, Params, tuple[str, ...]]] = {
    "bridge": (
        Bridges,
        {"default_route": True},
        BRIDGE,
        {"name": OURS, "state": "absent", "ports": BRIDGE["ports"], "persist": str(BATCH)},
        (
            f"ip link set {OURS} mtu 1300",
            f"ip link set {OURS} down",
            f"ip link set {OURS} address 0a:00:00:00:00:77",
            f"ip link set {OURS} type bridge stp_state 1",
            f"ip link set {OURS} alias other",
            f"ip address add 10.77.0.1/24 dev {OURS}",
            f"ip address del 10.12.1.1/24 dev {OURS}",
            f"ip address del fd12::1/64 dev {OURS}",
            "ip link set v1 nomaster",
            "ip link set v1 type bridge_slave hairpin off",
            "ip link set v1 type bridge_slave isolated on",
            f"rm {BATCH}",
            f"rm {BATCH}.create",
        ),
    ),
    "veth": (
        Pairs,
        {},
        PAIRS,
        {**PAIRS, "state": "absent"},
        (
            *(f"ip {line}" for line in veth.DISTURBANCES if not {"v10", "lo", "pod10"} & {*line.split()}),
            # Into the node's own namespace.
            "ip -netns pod10 link set eth0 netns $$",
            "ip -netns pod10 address del 10.12.1.6/24 dev eth0",
            "ip -netns pod10 route add 10.77.0.0/16 dev eth0",
        ),
    ),
    "routes": (
        Clusters,
        {},
        ROUTES,
        {"state": "absent"},
        (
            "ip route replace 10.12.1.0/24 via 192.0.2.99 proto 212",
            "ip route del 10.12.1.0/24",
            "ip -6 route del fd12:0:0:1::/64",
            "ip route add 10.12.77.0/24 via 192.0.2.77 proto 212",
        ),
    ),
    "masquerade by nftables": (
        Rules,
        {"lines": ["iptables-legacy -P FORWARD DROP"]},
        {**RULES, "backend": "nftables", "bridge": "podnet0"},
        {"state": "absent", "persist": str(masquerade.KEPT)},
        (
            "nft flush chain inet podnet postrouting",
            "nft delete table inet podnet",
            "nft add element inet podnet not_masqueraded_ipv4 '{ 198.51.100.0/24 }'",
            "nft delete element inet podnet not_masqueraded_ipv4 '{ 10.12.0.0/16 }'",
            "nft delete element inet podnet pods_ipv6 '{ fd12:0:0:1::/64 }'",
            "nft insert rule inet podnet postrouting return",
            "nft add chain inet podnet others",
            "iptables-legacy -F PODNET-FORWARD",
            "iptables-legacy -D PODNET-FORWARD 1",
            "iptables-legacy -F FORWARD",
            "iptables-nft -t nat -N PODNET-POSTROUTING",
            f"rm {masquerade.KEPT}",
            f"rm {masquerade.KEPT}.forward",
        ),
    ),
    "masquerade by iptables": (
        Rules,
        {"lines": []},
        {**RULES, "backend": "iptables"},
        {"state": "absent", "persist": str(masquerade.KEPT)},
        (
            *(f"iptables-nft -t nat -D PODNET-POSTROUTING {number}" for number in range(1, 7)),
            "iptables-nft -t nat -F POSTROUTING",
            "iptables-nft -t nat -A POSTROUTING -j PODNET-POSTROUTING",
            "ip6tables-nft -t nat -F PODNET-POSTROUTING",
            "iptables-legacy -t nat -N PODNET-POSTROUTING",
            "iptables-nft -P FORWARD DROP",
            f"rm {masquerade.KEPT}.one-jump",
        ),
    ),
    "cni_network": (
        Files,
        {"there": False},
        NETWORK,
        {"name": cni_network.OURS, "state": "absent", "allow_orphans": True},
        (
            f"rm {FILE}",
            f"sed -i s/10.12.1.0/10.12.2.0/ {FILE}",
            f"chmod 600 {FILE}",
            f"cp {FILE} {FILE.parent}/99-net.conflist",
            f"cp {FILE} {FILE.parent}/.net.conflist.podnet-tmp",
        ),
    ),
    "docker_daemon": (
        Keys,
        {"file": None},
        {"options": {"bridge": "none"}, "absent": ["labels"], "without_docker": "write"},
        {"state": "absent"},
        ("rm /etc/docker/daemon.json", """echo '{"bridge": "none", "labels": []}' >/etc/docker/daemon.json"""),
    ),
    "pod_cidr": (
        Inventories,
        {"cluster": ["10.12.0.0/21", "fd12::/61"], "hosts": ["h1", "h10"]},
        {"cluster_cidrs": ["10.12.0.0/21", "fd12::/61"], "hosts": ["kube_node"]},
        {},
        ("rm /run/podnet-proof/inventory/pod_cidrs.lock.yml",),
    ),
}


def begun(name: str) -> Converging:
    machine, start = CASES[name][:2]
    found = machine()
    found.begin(**start)  # type: ignore[attr-defined]
    return found


@pytest.fixture(autouse=True)
def _no_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no example of Hypothesis to tell of."""
    monkeypatch.setattr(converging, "event", lambda _what: None)


@pytest.mark.parametrize("name", CASES)
def test_a_module_that_does_nothing(name: str) -> None:
    machine, (_machine, _start, made, gone, _less) = begun(name), CASES[name]
    idle: dict[str, t.Any] = {"call": lambda _params, check=False: Answer(IDLE)}  # noqa: ARG005
    vars(machine).update(idle)
    with pytest.raises(AssertionError):
        machine.ask(**made)
    del machine.call
    answer = machine.call(made)
    assert not answer.failed, answer.sentence
    vars(machine).update(idle)
    if gone:
        with pytest.raises(AssertionError):
            machine.ask(**gone)


@pytest.mark.parametrize("name", CASES)
def test_a_module_that_does_not_do_all(name: str) -> None:
    _machine, _start, made, _gone, less = CASES[name]
    for line in less:
        machine = begun(name)
        before = machine.listing()
        answer = machine.call(made)
        assert not answer.failed, answer.sentence
        machine.require_made(made, before, machine.listing())
        after = machine.listing()
        ground.listings.run("sh", "-c", line)
        assert machine.listing() != after, f"{line} changes nothing"
        noticed = False
        try:
            machine.require_made(made, before, machine.listing())
        except AssertionError:
            noticed = True
        assert noticed, f"nobody noticed: {line}"


def test_a_reader_that_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes no time of a processor."""
    monkeypatch.setattr(fuzzing, "PATIENCE", 0.2)
    source, sink = os.pipe()
    with pytest.raises(AssertionError, match=r"no answer within 0\.2 s by the clock at .* to 'a pipe'"):
        fuzzing.feed(lambda _what: os.read(source, 1), "a pipe")
    os.close(source)
    os.close(sink)
