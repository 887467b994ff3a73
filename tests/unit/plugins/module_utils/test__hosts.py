# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses and blocks as inventories really have them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _hosts
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"pod_cidr_addresses": "192.0.2.1, fd01::1", "ansible_host": "192.0.2.9"}, ["192.0.2.1", "fd01::1"]),
        ({"pod_cidr_addresses": ["192.0.2.1"]}, ["192.0.2.1"]),
        ({"node_ip": "192.0.2.1,fd01::1", "ansible_host": "192.0.2.9"}, ["192.0.2.1", "fd01::1"]),
        ({"node_ip": "node1.example.org", "ansible_host": "192.0.2.9"}, ["192.0.2.9"]),
        ({"ansible_host": "127.0.0.1", "inventory_hostname": "192.0.2.7"}, ["192.0.2.7"]),
        ({"ansible_host": "127.0.0.1", "inventory_hostname": "node1"}, []),
        ({"ansible_host": "::1"}, []),
        ({}, []),
    ],
)
def test_a_nodes_address(variables: dict[str, t.Any], expected: list[str]) -> None:
    assert _hosts.given_addresses("node1", variables) == expected


def test_a_nodes_blocks() -> None:
    assert _hosts.given_blocks("node1", {"pod_cidr_subnets": "10.12.1.0/24"}) == ["10.12.1.0/24"]
    assert _hosts.given_blocks("node1", {"pod_cidr_subnets": ["10.12.1.0/24", "fd00::/64"]}) == [
        "10.12.1.0/24",
        "fd00::/64",
    ]
    assert _hosts.given_blocks("node1", {}) == []
    with pytest.raises(OptionError, match=r"^nodes.node1.pod_cidrs: 5 is neither text nor a list; "):
        _hosts.given_blocks("node1", {"pod_cidr_subnets": 5})


@pytest.mark.parametrize(
    ("given", "versions", "sentence"),
    [
        (
            {"node1": ["192.0.2.1"], "node2": ["192.0.2.1"]},
            [4],
            "nodes.node2.addresses[0]: 192.0.2.1 is already node1's; ",
        ),
        (
            {"node1": ["192.0.2.1", "192.0.2.2"]},
            [4],
            "nodes.node1.addresses[1]: 192.0.2.2 is a second IPv4 address; ",
        ),
        (
            {"node1": ["192.0.2.1"], "node2": []},
            [4],
            "nodes.node2.addresses: [] has no IPv4 address, which the other nodes' routes need; ",
        ),
        (
            {"node1": ["192.0.2.1"], "node2": ["192.0.2.2"]},
            [4, 6],
            'nodes.node1.addresses: ["192.0.2.1"] has no IPv6 address, which the other nodes\' routes need; ',
        ),
        (
            {"node1": ["node1.example.org"]},
            [4],
            "nodes.node1.addresses[0]: node1.example.org is not an IP address; ",
        ),
    ],
)
def test_addresses_that_cannot_be(given: dict[str, list[str]], versions: list[int], sentence: str) -> None:
    with pytest.raises(OptionError) as error:
        _hosts.addresses(given, versions)
    assert str(error.value).startswith(sentence)


def test_a_single_node_needs_no_address() -> None:
    assert _hosts.addresses({"node1": []}, [4, 6]) == {"node1": []}


def test_names_sort_as_people_count() -> None:
    names = ["node10", "node2", "node1", "node02", "b1", "node1-3", "node1-20", "10.0.0.9", "10.0.0.10"]
    assert sorted(names, key=_hosts.natural) == [
        "10.0.0.9", "10.0.0.10", "b1", "node1", "node1-3", "node1-20", "node02", "node2", "node10",
    ]  # fmt: skip
