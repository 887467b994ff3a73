# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node has after site.yml, piece by piece, and that what others had there is still the same."""

from __future__ import annotations

import ipaddress
import json
import os
import re
from pathlib import Path

import pytest
import yaml
from testinfra.host import Host

INVENTORY = Path(os.environ["PODNET_LAB_INVENTORY"])
#: The lab's uplink, and so the bridge and the pods.
MTU = 1450
CONFIGURATION = "/etc/cni/net.d/10-podnet.conflist"


@pytest.fixture(scope="session")
def owners() -> dict[str, str]:
    """Every node's pod CIDR, as the lock file says it."""
    lock = yaml.safe_load((INVENTORY.parent / "pod_cidrs.lock.yml").read_text(encoding="utf-8"))
    return {name: cidrs[0] for name, cidrs in lock["pod_cidrs"]["vars"]["nodes"].items()}


@pytest.fixture(scope="session")
def uplinks() -> dict[str, str]:
    """Every node's own address, as the inventory says it."""
    nodes = json.loads(INVENTORY.read_text(encoding="utf-8"))["kube_node"]["hosts"]
    return {name: node["pod_cidr_addresses"][0] for name, node in nodes.items()}


@pytest.fixture
def name(host: Host) -> str:
    """The node's inventory name."""
    return str(host.backend.host)


@pytest.fixture
def pods(name: str, owners: dict[str, str]) -> ipaddress.IPv4Network:
    """The node's pod CIDR."""
    return ipaddress.IPv4Network(owners[name])


def read(host: Host, *commands: str) -> list[str]:
    """What some commands print; one call of the node for all of them, as each takes a second."""
    return host.check_output("; echo @@@@; ".join(commands)).split("\n@@@@\n")


def test_every_node_has_a_pod_cidr_of_its_own(owners: dict[str, str], uplinks: dict[str, str]) -> None:
    assert owners.keys() == uplinks.keys()
    assert len(set(owners.values())) == len(owners)
    assert all(ipaddress.ip_network(own).subnet_of(ipaddress.ip_network("10.12.0.0/16")) for own in owners.values())


def test_the_cni_file_is_what_a_runtime_needs(host: Host, pods: ipaddress.IPv4Network) -> None:
    listed, mode, text = read(host, "ls -A /etc/cni/net.d", f"stat -c '%a %U' {CONFIGURATION}", f"cat {CONFIGURATION}")
    assert listed.split() == ["10-podnet.conflist", "20-podnet2.conflist"]
    assert mode == "644 root"
    assert json.loads(text) == {
        "cniVersion": "1.0.0",
        "name": "podnet",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "podnet0",
                "isGateway": True,
                "hairpinMode": True,
                "mtu": MTU,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": str(pods)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def test_the_bridge_is_the_gateway(host: Host, pods: ipaddress.IPv4Network) -> None:
    (text,) = read(host, "ip -d -j address show dev podnet0")
    (link,) = json.loads(text)
    assert link["linkinfo"]["info_kind"] == "bridge"
    assert link["ifalias"] == "podnet"
    assert link["mtu"] == MTU
    assert "UP" in link["flags"]
    gateway = pods[1]
    assert link["address"] == "0a:58:" + ":".join(f"{byte:02x}" for byte in gateway.packed)
    ipv4 = [(own["local"], own["prefixlen"]) for own in link["addr_info"] if own["family"] == "inet"]
    assert ipv4 == [(str(gateway), pods.prefixlen)]


def test_only_what_leaves_the_cluster_is_masqueraded(
    host: Host, pods: ipaddress.IPv4Network, uplinks: dict[str, str]
) -> None:
    tables, table = read(host, "nft list tables", "nft list table inet podnet")
    assert sorted(tables.splitlines()) == ["table inet podnet", "table inet podnet2"]
    assert len([line for line in table.splitlines() if "masquerade" in line.split()]) == 1
    named = [ipaddress.IPv4Network(text) for text in re.findall(r"[0-9]+(?:\.[0-9]+){3}(?:/[0-9]+)?", table)]
    assert pods in named
    for spared in ("10.12.0.0/16", *uplinks.values()):
        assert any(ipaddress.IPv4Network(spared).subnet_of(network) for network in named), spared


def test_every_other_nodes_pods_have_a_route(
    host: Host, name: str, owners: dict[str, str], uplinks: dict[str, str]
) -> None:
    (text,) = read(host, "ip -j route show proto 212")
    assert {(route["dst"], route["gateway"], route["dev"]) for route in json.loads(text)} == {
        (own, uplinks[other], "eth0") for other, own in owners.items() if other != name
    }


def test_packets_are_forwarded_also_after_a_reboot(host: Host) -> None:
    now, file, modules = read(
        host, "sysctl net.ipv4.ip_forward", "cat /etc/sysctl.d/99-zz-podnet.conf", "cat /etc/modules-load.d/podnet.conf"
    )
    assert now == "net.ipv4.ip_forward = 1"
    assert now in file.splitlines()
    assert "br_netfilter" in modules.split()


def test_what_others_have_is_as_it_was(host: Host) -> None:
    now, before = read(host, "/run/foreign.sh", "cat /run/foreign.before")
    assert now == before
