# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses, routes, name servers, nodes and pools that overlap with pods', each with its grade."""

from __future__ import annotations

import ipaddress
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts import overlaps
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.overlaps import Card, Way
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.texts import Pool
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.verdicts import Consent
from ansible_collections.mink8s.podnet.tests.unit.plugins.module_utils._conflicts.samples import CLAIMS, card, judged


def way(dst: str, device: str = "eth0", **given: t.Any) -> Way:
    return Way(
        ipaddress.ip_network(dst), given.get("via"), device, given.get("discards", False), given.get("metric", 0)
    )


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (card("br1", "10.12.1.1/24"), []),
        (card("br10", "10.12.1.1/24"), [("stops", "address", "br10")]),
        (card("br10", "10.120.1.1/24"), []),
        (card("podnet-x", "10.12.1.9/24", kind="veth", ours=True), []),
        (card("br1", "10.12.1.1/24", ours=True), []),
        (card("br10", "10.12.1.1/24", ours=True), [("stops", "address", "br10")]),
        (card("br10", "10.12.2.1/24", ours=True), [("stops", "address", "br10")]),
        (card("br10", "10.12.77.1/24", "fe80::1/64", ours=True), []),
        (card("eth0", "10.12.2.9/16", kind="", out=True), [("stops", "address", "eth0")]),
        (card("eth0", "10.12.77.9/16", kind="", out=True), [("warns", "address", "eth0")]),
        (card("eth0", "10.12.77.9/24", kind="", out=True), [("warns", "address", "eth0")]),
        (card("virbr0", "10.12.77.9/24"), [("informs", "address", "virbr0")]),
        (card("docker0", "10.12.1.1/32"), [("stops", "docker_network", "docker0")]),
        (card("docker01", "10.12.1.1/32"), [("stops", "address", "docker01")]),
        (card("br-0123456789ab", "10.12.77.1/24"), [("informs", "docker_network", "br-0123456789ab")]),
        (card("wg0", "10.12.77.9/24", kind="wireguard"), [("warns", "vpn", "wg0")]),
        (card("tun0", "10.12.1.9/32", kind="tun"), [("stops", "vpn", "tun0")]),
        (card("flannel.1", "10.12.1.0/32", kind="vxlan"), [("stops", "other_cni", "flannel.1")]),
        (card("kube-bridge", "10.12.1.1/24"), [("stops", "other_cni", "kube-bridge")]),
        (card("kube-bridge2", "10.12.1.1/24"), [("stops", "address", "kube-bridge2")]),
        (card("vethab12", "10.12.1.1/32", kind="veth"), []),
        (card("eth1", "10.12.1.7/32", kind="veth"), [("stops", "address", "eth1")]),
        (card("eth0", "fe80::1/64", "192.0.2.11/24", kind="", out=True), []),
    ],
)
def test_addresses_of_links(there: Card, found: list[tuple[str, str, str]]) -> None:
    assert judged(overlaps.of_cards(CLAIMS, [there])) == found


def test_the_bridge_that_pods_had_before_is_named_with_the_way_to_be_rid_of_it() -> None:
    there = [card("br1", "10.12.1.1/24", ours=True), card("br10", "10.12.1.1/24", ours=True)]
    (found,) = overlaps.of_cards(CLAIMS, there)
    assert found.what == (
        "br10: address 10.12.1.1/24 of the bridge before br1 is in this node's pod CIDR 10.12.1.0/24, so packets to "
        "pods end there; run playbook reset with pod_network_bridge: br10 first, then site"
    )


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (way("10.12.1.0/24", "br1"), []),
        (way("10.12.1.0/24", "br10"), [("stops", "route", "10.12.1.0/24")]),
        (way("10.12.2.5/32", via="192.0.2.1"), [("stops", "route", "10.12.2.5/32")]),
        (way("10.12.20.0/24", via="192.0.2.1"), [("informs", "route", "10.12.20.0/24")]),
        (way("10.120.1.0/24", via="192.0.2.1"), []),
        (way("10.0.0.0/8", via="192.0.2.1"), [("informs", "route", "10.0.0.0/8")]),
        (way("10.0.0.0/8", "wg0"), [("warns", "vpn", "wg0")]),
        (way("0.0.0.0/0", "wg0"), []),
        (way("0.0.0.0/1", "wg0"), []),
        (way("128.0.0.0/1", "wg0"), []),
        (way("10.12.1.9/32", "cali0123456789a"), [("stops", "other_cni", "cali0123456789a")]),
        (way("10.12.1.9/32", "vethab12"), []),
        (way("10.12.1.9/32", "vethab12", via="10.12.1.2"), [("stops", "route", "10.12.1.9/32")]),
        (way("10.12.1.0/24", "", discards=True, metric=4096), []),
        (way("10.12.1.0/24", "", discards=True), [("stops", "route", "10.12.1.0/24")]),
        (way("10.12.1.0/25", "", discards=True, metric=4096), [("stops", "route", "10.12.1.0/25")]),
        (way("192.0.2.0/24"), []),
        (way("::/0"), []),
    ],
)
def test_routes(there: Way, found: list[tuple[str, str, str]]) -> None:
    cards = [
        card("br1"),
        card("br10"),
        card("eth0", "192.0.2.11/24", kind="", out=True),
        card("wg0", kind="wireguard"),
        card("vethab12", kind="veth"),
        card("cali0123456789a", kind="veth"),
    ]
    assert judged(overlaps.of_ways(CLAIMS, [there], {each.name: each for each in cards}, Consent([]))) == found


def test_a_route_that_an_address_brought_is_told_once() -> None:
    there = card("br10", "10.12.1.1/24")
    assert overlaps.of_ways(CLAIMS, [way("10.12.1.0/24", "br10")], {"br10": there}, Consent([])) == []


def test_many_routes_of_one_kind_are_one_conflict() -> None:
    ways = [way(f"10.12.2.{last}/32", via="192.0.2.1") for last in range(9)]
    (found,) = overlaps.of_ways(CLAIMS, ways, {}, Consent([]))
    assert found.what.startswith(
        "route 10.12.2.0/32 via 192.0.2.1 dev eth0 (and 8 more like it): takes packets to node2's"
    )


def test_consent_to_one_of_many_routes_is_none_to_the_others() -> None:
    ways = [way(f"10.12.2.{last}/32", via="192.0.2.1") for last in (1, 10, 11)]
    (found,) = overlaps.of_ways(CLAIMS, ways, {}, Consent(["route:10.12.2.1/32"]))
    assert found.object == "10.12.2.10/32"
    assert "(and 1 more like it)" in found.what
    cards = {name: card(name, kind="veth") for name in ("cali00000000001", "cali00000000002")}
    ways = [way(f"10.12.2.{last}/32", name) for last, name in enumerate(cards)]
    consent = Consent(["other_cni:cali00000000001"])
    assert judged(overlaps.of_ways(CLAIMS, ways, cards, consent)) == [("stops", "other_cni", "cali00000000002")]


def test_name_servers() -> None:
    servers = ["10.12.1.1", "10.12.2.53", "10.12.77.53", "192.0.2.53", "10.120.1.53"]
    found = overlaps.of_name_servers(CLAIMS, {ipaddress.ip_address(each): "/etc/resolv.conf" for each in servers})
    assert judged(found) == [("stops", "name_server", "10.12.2.53"), ("warns", "name_server", "10.12.77.53")]


def test_docker_pools() -> None:
    given = {
        "10.12.1.0/24": True,
        "10.0.0.0/8": True,
        "10.12.77.0/24": True,
        "10.12.0.0/17": False,
        "10.120.0.0/16": True,
    }
    pools = [Pool("default-address-pools", ipaddress.ip_network(base), chosen) for base, chosen in given.items()]
    assert judged(overlaps.of_docker(CLAIMS, "/etc/docker/daemon.json", pools)) == [
        ("warns", "docker_pool", "10.12.1.0/24"),
        ("warns", "docker_pool", "10.0.0.0/8"),
        ("informs", "docker_pool", "10.12.77.0/24"),
        ("informs", "docker_pool", "10.12.0.0/17"),
    ]
