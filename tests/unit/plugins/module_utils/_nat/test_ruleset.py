# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From options to the rules that both backends share."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import iptables, nftables, ruleset


def build(*sources: str, exclude: tuple[str, ...] = (), bridge: str | None = "br1") -> ruleset.RuleSet:
    return ruleset.build(list(sources), list(exclude), bridge, True)


def test_only_families_with_sources() -> None:
    rules = build("10.12.1.0/24", exclude=("10.12.0.0/16", "fd00::/8"))
    assert [family.version for family in rules.families] == [4]
    assert [str(network) for network in rules.families[0].excluded] == ["10.12.0.0/16", "169.254.0.0/16", "224.0.0.0/4"]


def test_pods_of_the_node_and_links_are_always_excluded() -> None:
    rules = build("fd00:12:0:1::/64", exclude=("2001:db8::12",))
    assert [str(network) for network in rules.families[0].excluded] == [
        "2001:db8::12/128",
        "fd00:12:0:1::/64",
        "fe80::/10",
        "ff00::/8",
    ]


def test_adjacent_and_overlapping_cidrs_collapse_for_both_backends() -> None:
    apart = build("10.12.1.0/24", exclude=("10.1.0.0/17", "10.1.128.0/17", "10.1.2.0/24"))
    assert apart == build("10.12.1.0/24", exclude=("10.1.0.0/16",))


@pytest.mark.parametrize(
    ("sources", "exclude", "bridge", "sentence"),
    [
        ([], [], None, "sources: [] is empty; give this node's pod CIDRs, like 10.12.1.0/24"),
        (["10.12.1.5/24"], [], None, "sources[0]: 10.12.1.5/24 has host bits set; write 10.12.1.0/24"),
        (["10.12.1.0"], [], None, "sources[0]: 10.12.1.0 is not a CIDR; "),
        (["10.12.1.0/24", "pods"], [], None, "sources[1]: pods is not a CIDR; "),
        (["::ffff:10.12.1.0/120"], [], None, "which no packet carries; write 10.12.1.0/24"),
        (["0.0.0.0/0"], [], None, "sources[0]: 0.0.0.0/0 is every address"),
        (["10.12.1.0/24"], ["192.0.2.11", "node2"], None, "exclude[1]: node2 is not an IP address; "),
        (["10.12.1.0/24"], ["192.0.2.11/24"], None, "exclude[0]: 192.0.2.11/24 has host bits set; write 192.0.2.0/24"),
        (["10.12.1.0/24"], ["::ffff:192.0.2.11"], None, "write 192.0.2.11/32"),
        (["10.12.1.0/24"], [], "a-very-long-name", "bridge: a-very-long-name is longer than 15 characters; "),
        (["10.12.1.0/24"], [], "br/1", "bridge: br/1 is not an interface name; "),
        (["10.12.1.0/24"], [], "br+", "bridge: br+ cannot be written as one exact name in a rule; "),
        (["10.12.1.0/24"], [], 'b"r', "cannot be written as one exact name in a rule; "),
        (["10.12.1.0/24"], [], "br\u00e9", "cannot be written as one exact name in a rule; "),
    ],
)
def test_bad_input_is_one_sentence(sources: list[str], exclude: list[str], bridge: str | None, sentence: str) -> None:
    with pytest.raises(OptionError) as error:
        ruleset.build(sources, exclude, bridge, True)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@given(st.lists(st.tuples(st.integers(0, 2**16 - 1), st.integers(8, 32)), max_size=30))
def test_both_backends_spare_the_same_addresses(numbers: list[tuple[int, int]]) -> None:
    networks = [ipaddress.ip_network((0x0A0C0000 + number, length), strict=False) for number, length in numbers]
    rules = build("10.12.1.0/24", exclude=tuple(map(str, networks)))
    family = rules.families[0]
    table = nftables.script(rules)
    chain = iptables.rules(iptables.POSTROUTING, family, rules)
    in_table = table.split("set not_masqueraded_ipv4")[1].split("elements = { ")[1].split(" }")[0].split(", ")
    assert in_table == [rule.split()[1] for rule in chain if rule.startswith("-d ")]
    spared = [ipaddress.ip_network(text) for text in in_table]
    assert all(any(network.subnet_of(other) for other in spared) for network in networks)
    # nft refuses a set whose intervals overlap.
    assert not any(one.overlaps(two) for index, one in enumerate(spared) for two in spared[index + 1 :])
