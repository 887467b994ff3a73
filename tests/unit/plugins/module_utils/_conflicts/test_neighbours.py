# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other software and sysctls, each as it is safe and as it is not."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts import neighbours
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.claims import Claims
from ansible_collections.mink8s.podnet.plugins.module_utils._iptables import Listing, Table, Tool, parse

CLAIMS = Claims(
    {"pod_cidrs": ["10.12.1.0/24"], "cluster_cidrs": [], "nodes": {}, "self": None, "bridge": "br1", "addresses": []}
)
LEGACY = Tool(4, "legacy", "iptables-legacy", "", "")
NFT = Tool(4, "nft", "iptables-nft", "", "")
OURS = {"PODNET-POSTROUTING", "PODNET-FORWARD", "podnet"}


def listing(*lines: str) -> Listing:
    return parse("\n".join(["*filter", ":INPUT ACCEPT [0:0]", *lines, "COMMIT"]))


def rule(family: str, table: str) -> dict[str, t.Any]:
    return {"rule": {"family": family, "table": table, "chain": "x", "expr": []}}


@pytest.mark.parametrize(
    ("saved", "ruleset", "said"),
    [
        ({LEGACY: listing("-A INPUT -j DROP")}, [], []),
        ({LEGACY: listing(), NFT: listing("-A INPUT -j DROP")}, [rule("inet", "x")], []),
        (
            {LEGACY: listing("-A INPUT -j DROP"), NFT: listing("-A INPUT -j DROP")},
            [rule("ip", "filter")],
            ["1 rules beside 1"],
        ),
        ({LEGACY: listing("-A INPUT -j DROP")}, [rule("inet", "podnet")], []),
        ({LEGACY: listing("-A INPUT -j DROP")}, [rule("inet", "podnet10")], ["1 rules beside 1"]),
        ({LEGACY: listing("-A INPUT -j DROP"), NFT: listing()}, [rule("ip6", "filter")], ["1 rules beside 1"]),
        # Rules of a table that iptables-nft does not list are seen by nft alone.
        (
            {LEGACY: listing("-A INPUT -j DROP"), NFT: {"filter": Table(hidden=True)}},
            [rule("ip", "filter")],
            ["1 rules beside 1"],
        ),
        (
            {
                LEGACY: listing("-A INPUT -j DROP"),
                NFT: listing("-A FORWARD -j PODNET-FORWARD", "-A PODNET-FORWARD -j ACCEPT"),
            },
            [],
            [],
        ),
        (
            {
                LEGACY: listing("-A FORWARD -j PODNET-FORWARD", "-A PODNET-FORWARD -j ACCEPT"),
                NFT: listing("-A INPUT -j DROP"),
            },
            [],
            [],
        ),
    ],
)
def test_two_worlds_of_rules(saved: dict[Tool, Listing], ruleset: list[dict[str, t.Any]], said: list[str]) -> None:
    found = neighbours.legacy_rules(saved, ruleset, OURS)
    assert [each.grade for each in found] == ["warns"] * len(said)
    assert all(words in each.what for words, each in zip(said, found))


def test_a_flush_that_is_undone_is_only_told() -> None:
    scripts = {"/etc/nftables.conf": 'include "/etc/a"', "/etc/a": "flush ruleset"}
    assert [each.grade for each in neighbours.flush_ruleset(scripts, False)] == ["warns"]
    assert [(each.grade, each.object) for each in neighbours.flush_ruleset(scripts, True)] == [("informs", "/etc/a")]


@pytest.mark.parametrize(
    ("zone", "found"),
    [
        ('<zone target="ACCEPT"><source address="10.12.0.0/16"/></zone>', []),
        ('<zone target="ACCEPT"><source address="10.12.1.0/25"/></zone>', ["firewalld"]),
        ('<zone target="DROP"><source address="10.12.0.0/16"/></zone>', ["firewalld"]),
        ('<zone target="ACCEPT"><interface name="br1"/></zone>', []),
        ('<zone target="ACCEPT"><interface name="br10"/></zone>', ["firewalld"]),
    ],
)
def test_firewalld_has_to_trust_the_pods(zone: str, found: list[str]) -> None:
    assert [each.kind for each in neighbours.firewalld(CLAIMS, [zone])] == found


@pytest.mark.parametrize(
    ("devices", "lacks"),
    [
        ("interface-name:br1;interface-name:veth*", None),
        ("interface-name:br1", "pods' veth*"),
        ("interface-name:br10;type:veth", "br1"),
        ("", "br1 and pods' veth*"),
    ],
)
def test_network_manager_has_to_leave_us_alone(devices: str, lacks: t.Optional[str]) -> None:
    found = neighbours.network_manager("br1", [f"[keyfile]\nunmanaged-devices={devices}\n"])
    assert [each.what.split(" alone;")[0] for each in found] == (
        [] if lacks is None else [f"NetworkManager: runs and is not told to leave {lacks}"]
    )


def settings(**values: str) -> neighbours.Setting:
    return lambda name: values.get(name.replace("/", "_"))


def test_forwarding_counts_only_on_a_node_that_forwards() -> None:
    off = {"eth1_forwarding": "0", "eth10_forwarding": "1", "br1_forwarding": "0"}
    links = ["eth1", "eth10", "br1", "gone"]
    assert neighbours.forwarding(settings(all_forwarding="0", **off), links) == []
    found = neighbours.forwarding(settings(all_forwarding="1", **off), links)
    assert [(each.grade, each.object) for each in found] == [("warns", "eth1"), ("warns", "br1")]


@pytest.mark.parametrize(
    ("everywhere", "here", "links", "found"),
    [
        ("0", "0", ["eth1"], []),
        ("0", "1", ["eth1"], ["informs"]),
        ("1", "0", ["eth1"], ["informs"]),
        ("1", "2", ["eth1"], []),
        ("2", "1", ["eth1"], []),
        ("0", "1", ["eth1", "eth2"], ["warns"]),
    ],
)
def test_the_larger_reverse_path_filter_counts(everywhere: str, here: str, links: list[str], found: list[str]) -> None:
    values = settings(all_rp_filter=everywhere, eth1_rp_filter=here, eth2_rp_filter="2")
    assert [each.grade for each in neighbours.rp_filter(values, links) if each.object == "eth1"] == found
