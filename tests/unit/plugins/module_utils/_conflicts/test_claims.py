# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which addresses are the pod network's, with names and CIDRs that begin like others."""

from __future__ import annotations

import ipaddress
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.claims import Claims
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError


def claims(**given: t.Any) -> Claims:
    params = {
        "pod_cidrs": ["10.12.1.0/24"],
        "cluster_cidrs": ["10.12.0.0/16"],
        "nodes": {
            "node1": {"pod_cidrs": ["10.12.1.0/24"], "addresses": ["192.0.2.11"]},
            "node10": {"pod_cidrs": ["10.12.10.0/24"], "addresses": ["192.0.2.110"]},
        },
        "self": "node1",
        "bridge": "br1",
        "addresses": ["10.12.1.1/24"],
    }
    return Claims({**params, **given})


@pytest.mark.parametrize(
    ("what", "whose"),
    [
        ("10.12.1.5", "this node's pod CIDR 10.12.1.0/24"),
        ("10.12.1.0/24", "this node's pod CIDR 10.12.1.0/24"),
        ("10.12.1.128/25", "this node's pod CIDR 10.12.1.0/24"),
        ("10.12.10.5", "node10's pod CIDR 10.12.10.0/24"),
        ("10.12.0.0/23", "None"),
        ("10.12.2.1", "None"),
        ("fd00::1", "None"),
        ("0.0.0.0/0", "None"),
    ],
)
def test_who_holds_an_address_or_network(what: str, whose: str) -> None:
    assert str(claims().holding(ipaddress.ip_network(what))) == whose


def test_a_wider_network_holds_this_nodes_pods_before_others() -> None:
    assert str(claims().held_by(ipaddress.ip_network("10.12.0.0/16"))) == "this node's pod CIDR 10.12.1.0/24"
    assert str(claims().held_by(ipaddress.ip_network("10.12.8.0/21"))) == "node10's pod CIDR 10.12.10.0/24"
    assert claims().held_by(ipaddress.ip_network("10.12.2.0/24")) is None
    assert claims().held_by(ipaddress.ip_network("::/0")) is None


def test_the_cluster_and_the_gateway() -> None:
    assert str(claims().in_cluster(ipaddress.ip_address("10.12.99.1"))) == "the cluster CIDR 10.12.0.0/16"
    assert claims().in_cluster(ipaddress.ip_network("10.120.0.0/16")) is None
    assert claims().is_gateway(ipaddress.ip_address("10.12.1.1"))
    assert not claims().is_gateway(ipaddress.ip_address("10.12.1.10"))


def test_this_nodes_own_entry_is_not_another_nodes() -> None:
    found = claims()
    assert list(found.nodes.values()) == ["node10"]
    assert found.here == [ipaddress.ip_address("192.0.2.11")]
    assert [claim.whose for claim in found.others] == ["node10's pod CIDR"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"pod_cidrs": []}, "pod_cidrs: [] is empty"),
        ({"pod_cidrs": ["10.12.1.0"]}, "pod_cidrs[0]: 10.12.1.0 is not a CIDR"),
        ({"cluster_cidrs": ["10.12.1.0/16"]}, "cluster_cidrs[0]: 10.12.1.0/16 has host bits set"),
        ({"nodes": {"node2": None}}, "nodes.node2: null is not a map"),
        ({"nodes": {"node2": {"addresses": ["x"]}}}, "nodes.node2.addresses[0]: x is not an IP address"),
        ({"nodes": {"node2": {"addresses": "192.0.2.1"}}}, "nodes.node2.addresses: 192.0.2.1 is not a list"),
        ({"bridge": "br/1"}, "bridge: br/1 is not an interface name"),
    ],
)
def test_bad_options_are_one_sentence(given: dict[str, t.Any], says: str) -> None:
    with pytest.raises(OptionError) as caught:
        claims(**given)
    assert str(caught.value).startswith(says)


def test_a_thousand_nodes_and_routes_take_no_time() -> None:
    nodes = {f"n{index}": {"pod_cidrs": [f"10.{index // 250}.{index % 250}.0/24"]} for index in range(1000)}
    found = claims(nodes=nodes, self=None, pod_cidrs=["10.99.1.0/24"])
    # Looked up, not searched: as many prefix lengths as there are, whatever the number of nodes.
    assert found._lengths == {(4, 24)}
    assert str(found.holding(ipaddress.ip_address("10.3.249.9"))) == "n999's pod CIDR 10.3.249.0/24"
