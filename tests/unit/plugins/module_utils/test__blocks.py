# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blocks are numbers: every block, every border, and every value that is none."""

from __future__ import annotations

import ipaddress
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mink8s.podnet.plugins.module_utils._blocks import Blocks, cut, merge, span
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

PREFIXES = {4: 24, 6: 64}


def blocks(cidr: str, prefix: int | None = None) -> Blocks:
    return Blocks("cluster_cidrs[0]", cidr, PREFIXES if prefix is None else {4: prefix, 6: prefix})


@pytest.mark.parametrize("cidr", ["10.12.0.0/22", "10.12.1.0/24", "fd00:12::/62", "fd00:12::/64"])
def test_every_block_is_the_one_that_ipaddress_counts(cidr: str) -> None:
    cut_up = blocks(cidr)
    expected = [str(subnet) for subnet in ipaddress.ip_network(cidr).subnets(new_prefix=cut_up.prefix)]
    assert [cut_up.cidr(block) for block in range(cut_up.count)] == expected
    assert [cut_up.block("path", text, "") for text in expected] == list(range(cut_up.count))
    assert list(cut_up.free([])) == list(range(cut_up.count))


def test_a_cluster_cidr_of_2_to_the_56_blocks_costs_nothing() -> None:
    assert next(blocks("fd00::/8").free(range(1000))) == 1000


def test_an_unusual_spelling_is_the_same_block() -> None:
    assert blocks("fd00:12::/48").block("path", "FD00:0012:0:1::0/64", "") == 1
    assert blocks("10.12.0.0/16").block("path", "10.12.1.0/255.255.255.0", "") == 1


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("10.13.0.0/24", "p: 10.13.0.0/24 is outside the cluster CIDR 10.12.0.0/16; r"),
        ("10.1.2.0/24", "p: 10.1.2.0/24 is outside the cluster CIDR 10.12.0.0/16; r"),
        ("10.120.0.0/24", "p: 10.120.0.0/24 is outside the cluster CIDR 10.12.0.0/16; r"),
        ("10.12.1.0/25", "p: 10.12.1.0/25 is not as large as the other nodes' (node_prefix 24); r"),
        ("10.12.0.0/23", "p: 10.12.0.0/23 is not as large as the other nodes' (node_prefix 24); r"),
        ("10.0.0.0/8", "p: 10.0.0.0/8 is outside the cluster CIDR 10.12.0.0/16; r"),
        ("10.12.1.1/24", "p: 10.12.1.1/24 has host bits set; write 10.12.1.0/24"),
        ("10.12.1.0", "p: 10.12.1.0 is not a CIDR; write it like 10.12.1.0/24 or 2001:db8:1::/64"),
        (None, "p: null is not a CIDR; write it like 10.12.1.0/24 or 2001:db8:1::/64"),
        ("fd00::/64", "p: fd00::/64 is outside the cluster CIDR 10.12.0.0/16; r"),
        ("10.12.1.0/24\0", 'p: "10.12.1.0/24\\u0000" is not a CIDR; write it like 10.12.1.0/24 or 2001:db8:1::/64'),
    ],
)
def test_what_is_no_block_is_said_in_one_sentence(value: t.Any, sentence: str) -> None:
    with pytest.raises(OptionError) as error:
        blocks("10.12.0.0/16").block("p", value, "r")
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("cidr", "prefix", "sentence"),
    [
        ("10.12.0.0/16", 15, "node_prefix: 15 cuts no blocks out of 10.12.0.0/16; use a number from 16 to 30"),
        ("10.12.0.0/16", 31, "node_prefix: 31 cuts no blocks out of 10.12.0.0/16; use a number from 16 to 30"),
        ("fd00::/64", 48, "node_prefix_ipv6: 48 cuts no blocks out of fd00::/64; use a number from 64 to 126"),
        ("10.12.0.1/16", 24, "cluster_cidrs[0]: 10.12.0.1/16 has host bits set; write 10.12.0.0/16"),
        ("0.0.0.0/0", 24, "cluster_cidrs[0]: 0.0.0.0/0 has addresses that no pod can have; use a private CIDR"),
        ("224.0.0.0/8", 24, "cluster_cidrs[0]: 224.0.0.0/8 has addresses that no pod can have; use a private CIDR"),
        ("fe80::/16", 64, "cluster_cidrs[0]: fe80::/16 has host bits set; write fe80::/16"),
    ],
)
def test_a_cluster_cidr_that_cannot_be_cut(cidr: str, prefix: int, sentence: str) -> None:
    if cidr == "fe80::/16":
        sentence = "cluster_cidrs[0]: fe80::/16 has addresses that no pod can have; use a private CIDR"
    with pytest.raises(OptionError) as error:
        blocks(cidr, prefix)
    assert str(error.value) == sentence


def test_one_cluster_cidr_for_each_family() -> None:
    assert list(cut(["fd00::/48", "10.12.0.0/16"], PREFIXES)) == [6, 4]
    with pytest.raises(
        OptionError, match=r"^cluster_cidrs\[1\]: 10.13.0.0/16 is a second one of IPv4 beside 10.12.0.0/16"
    ):
        cut(["10.12.0.0/16", "10.13.0.0/16"], PREFIXES)
    with pytest.raises(OptionError, match=r"^cluster_cidrs: \[\] names no CIDR; "):
        cut([], PREFIXES)


def test_reserved_ranges_are_cut_to_whole_blocks_of_their_family() -> None:
    cut_up = blocks("10.12.0.0/21")
    ranges = ["10.0.0.0/8", "fd00::/8", "192.0.2.0/24"]
    cut_up.reserve(span("reserved", ipaddress.ip_network(cidr)) for cidr in ranges[1:])
    assert list(cut_up.free([])) == list(range(8))
    cut_up.reserve([span("reserved[0]", ipaddress.ip_network("10.12.1.128/25"))])
    cut_up.reserve([span("node1's own address", ipaddress.ip_address("10.12.3.7"))])
    cut_up.reserve([span("reserved[1]", ipaddress.ip_network("10.12.6.0/23"))])
    assert list(cut_up.free([0])) == [2, 4, 5]
    assert [cut_up.reserved_by(block) for block in range(8)] == [
        "", "reserved[0] 10.12.1.128/25", "", "node1's own address 10.12.3.7", "", "",
        "reserved[1] 10.12.6.0/23", "reserved[1] 10.12.6.0/23",
    ]  # fmt: skip
    cut_up.reserve([span("all", ipaddress.ip_network(ranges[0]))])
    assert list(cut_up.free([])) == []


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 6)).map(lambda pair: (pair[0], pair[0] + pair[1]))))
def test_merged_intervals_hold_the_same_numbers_and_never_touch(intervals: list[tuple[int, int]]) -> None:
    merged = merge(intervals)
    assert {n for first, last in merged for n in range(first, last + 1)} == {
        n for first, last in intervals for n in range(first, last + 1)
    }
    assert all(one[1] + 1 < other[0] for one, other in zip(merged, merged[1:]))
