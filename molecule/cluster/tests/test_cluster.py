# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods of containerd on two machines: who reaches whom, also after a reboot, and what is left when a node has gone."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import testinfra
import yaml
from reach import WHOAMI, pings
from testinfra.host import Host

INVENTORY = Path(os.environ["PODNET_LAB_INVENTORY"])
#: What the playbook before has said: together, rebooted or removed.
STAGE = (INVENTORY.parent / "stage").read_text(encoding="utf-8").strip()
NODES = {"node1": ("192.0.2.11", "10.12.0.0/24"), "node2": ("192.0.2.12", "10.12.1.0/24")}
FAR_END = "203.0.113.1"
PODS = ("alpha", "beta")

both_run = pytest.mark.skipif(STAGE == "removed", reason="only one node is left")


def inside(pod: str) -> str:
    """What a command begins with that runs inside of a pod's container."""
    return f"ctr tasks exec --exec-id {os.urandom(4).hex()} {pod} "


@pytest.fixture(scope="module")
def nodes() -> dict[str, Host]:
    """The machines that are nodes now."""
    names = json.loads(INVENTORY.read_text(encoding="utf-8"))["kube_node"]["hosts"]
    return {name: testinfra.get_host(f"ansible://{name}", ansible_inventory=str(INVENTORY)) for name in names}


@pytest.fixture(scope="module")
def addresses(nodes: dict[str, Host]) -> dict[str, dict[str, str]]:
    """Every pod's address, by node and name, as the pod itself has it."""
    found: dict[str, dict[str, str]] = {}
    for name, host in nodes.items():
        for pod in PODS:
            shown = host.check_output(inside(pod) + "ip -4 address show eth0")
            found.setdefault(name, {})[pod] = re.findall(r"inet (\S+)/24 ", shown)[0]
    return found


def test_nobody_was_renumbered(nodes: dict[str, Host]) -> None:
    """Neither by the node that came nor by the one that left; the lock file knows that one's block still."""
    lock = yaml.safe_load((INVENTORY.parent / "pod_cidrs.lock.yml").read_text(encoding="utf-8"))
    assert lock["pod_cidrs"]["vars"]["nodes"] == {name: [cidr] for name, (_address, cidr) in NODES.items()}
    for name, host in nodes.items():
        conf = json.loads(host.check_output("cat /etc/cni/net.d/10-podnet.conflist"))
        assert conf["plugins"][0]["ipam"]["ranges"] == [[{"subnet": NODES[name][1]}]]


def test_every_node_has_its_gateway_and_routes_to_the_others(nodes: dict[str, Host]) -> None:
    for name, host in nodes.items():
        (bridge,) = json.loads(host.check_output("ip -json address show dev podnet0"))
        own = [f"{each['local']}/{each['prefixlen']}" for each in bridge["addr_info"] if each["family"] == "inet"]
        assert own == [NODES[name][1].replace(".0/", ".1/")]
        routes = json.loads(host.check_output("ip -json route show proto 212"))
        others = {NODES[other][::-1] for other in nodes if other != name}
        assert {(route["dst"], route["gateway"]) for route in routes} == others


def test_containerd_has_loaded_the_file(nodes: dict[str, Host]) -> None:
    """By its own words, of each version; Debian's keeps its plugins where its package has them."""
    for host in nodes.values():
        told = host.ansible("mink8s.podnet.cni_runtime", "bin_dirs=/usr/lib/cni", check=True, become=True)
        assert not told["changed"]
        assert [(each["reader"], each["loaded"]) for each in told["loaded"]] == [("containerd", "yes")]


def test_pods_reach_each_other_without_nat(nodes: dict[str, Host], addresses: dict[str, dict[str, str]]) -> None:
    """Also between the nodes; the far end sees the pod's own address."""
    for name, host in nodes.items():
        for other in addresses.values():
            assert pings(host, inside("alpha"), other["beta"])
            seen = host.check_output(inside("alpha") + WHOAMI.format(other["beta"])).strip()
            assert seen == addresses[name]["alpha"]


def test_nodes_and_pods_reach_each_other(nodes: dict[str, Host], addresses: dict[str, dict[str, str]]) -> None:
    for host in nodes.values():
        for name in nodes:
            assert pings(host, "", addresses[name]["alpha"])
            assert pings(host, inside("alpha"), NODES[name][0])


def test_the_outside_sees_the_node(nodes: dict[str, Host]) -> None:
    for name, host in nodes.items():
        assert pings(host, inside("beta"), FAR_END)
        assert host.check_output(inside("beta") + WHOAMI.format(FAR_END)).strip() == NODES[name][0]


def test_pods_have_the_uplinks_mtu(nodes: dict[str, Host]) -> None:
    """And packets of that size get through, which no node would have to cut."""
    for name, host in nodes.items():
        assert " mtu 1450 " in host.check_output(inside("alpha") + "ip link show eth0")
        others = [own for other, (own, _cidr) in NODES.items() if other != name and other in nodes]
        assert all(host.run(inside("alpha") + f"ping -c 3 -W 2 -s 1422 {own}").rc == 0 for own in others)


@pytest.mark.skipif(STAGE != "together", reason="once is enough")
def test_an_uplink_that_was_down_gets_its_routes_back(nodes: dict[str, Host]) -> None:
    """The kernel has dropped them, and no Ansible is there: the node's own timer loads them."""
    show = "ip route show proto 212"
    for host in nodes.values():
        before = host.check_output(show)
        uplink = json.loads(host.check_output(f"ip -json route get {FAR_END}"))[0]["dev"]
        assert host.check_output(f"ip link set {uplink} down && {show} && ip link set {uplink} up") == ""
        assert host.check_output(f"timeout 120 sh -c 'until {show} | grep .; do sleep 1; done'") == before


@both_run
def test_pods_of_the_node_that_did_not_boot_run_on(nodes: dict[str, Host]) -> None:
    """They are the ones from before the other node's reboot."""
    seen = INVENTORY.parent / "processes"
    now = nodes["node2"].check_output("ctr tasks list --quiet; pidof httpd")
    if STAGE == "together":
        seen.write_text(now, encoding="utf-8")
    assert now == seen.read_text(encoding="utf-8")


@pytest.mark.skipif(STAGE != "removed", reason="no node has left yet")
def test_nothing_is_left_on_the_node_that_left() -> None:
    host = testinfra.get_host("ansible://node1", ansible_inventory=str(INVENTORY))
    assert "podnet0" not in host.check_output("ip -o link")
    assert host.check_output("ip route show proto 212") == ""
    assert "podnet" not in host.check_output("nft list tables")
    assert "PODNET" not in host.check_output("iptables-save")
    # What is in /var/lib/cni is of the pods, which ctr has deleted and not detached.
    files = r"find /etc /run /var/lib -xdev \( -type f -o -type l \) -ipath '*podnet*' ! -path '/var/lib/cni/*'"
    assert host.check_output(files) == ""
    assert host.check_output("sysctl -n net.ipv4.ip_forward") == "0"
