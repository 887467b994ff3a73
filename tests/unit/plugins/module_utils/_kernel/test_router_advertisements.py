# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which interfaces keep their advertised default route, from listings of /proc/net/ipv6_route."""

from __future__ import annotations

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import router_advertisements as ra
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.sysctl_files import Record

ETH10 = "net/ipv6/conf/eth10/accept_ra"
ZERO = "0" * 32
LINK_LOCAL = "fe800000000000000000000000000000"
ROUTER = "fe800000000000000000000000000001"


def route(device: str, flags: int, destination: str = ZERO, length: str = "00", gateway: str = ROUTER) -> str:
    """A line as the kernel writes it."""
    return f"{destination} {length} {ZERO} 00 {gateway} 00000400 00000001 00000000 {flags:08x} {device:>8}\n"


ADVERTISED = 0x00450003
STATIC = 0x00000003
PREFIX = 0x00440001

LISTING = (
    route("eth10", ADVERTISED)
    + route("eth1", STATIC)
    + route("eth2", PREFIX, LINK_LOCAL, "40", ZERO)
    + route("eth0.100", ADVERTISED)
    + route("eth0.100", ADVERTISED)
)


def test_advertised_default_routes_only_and_exact_names() -> None:
    assert ra.advertised_on(LISTING) == ["eth0.100", "eth10"]


@pytest.mark.parametrize(
    ("given", "recorded", "was", "expected"),
    [
        ({ra.FORWARDING: "0"}, {ETH10: "2"}, "1", {}),
        ({}, {}, "1", {}),
        ({ra.FORWARDING: "1"}, {ETH10: "2"}, "1", {ETH10: "2"}),
        ({ra.FORWARDING: "1"}, {"net/ipv6/conf/gone/accept_ra": "2"}, "1", {}),
        ({ra.FORWARDING: "1", ETH10: "0"}, {ETH10: "2"}, "1", {}),
        # What the user had asked for is given back.
        ({ra.FORWARDING: "1"}, {ETH10: "0"}, "1", {}),
        ({ra.FORWARDING: "1"}, {ETH10: "2"}, "0", {}),
        ({ra.FORWARDING: "1"}, {"net/ipv6/conf/default/accept_ra": "2", "net/ipv6/conf/all/accept_ra": "2"}, "1", {}),
    ],
)
def test_what_is_ours_stays_and_what_the_user_says_wins(
    given: dict[str, str], recorded: dict[str, str], was: str, expected: dict[str, str]
) -> None:
    there = dict.fromkeys([ETH10, "net/ipv6/conf/default/accept_ra", "net/ipv6/conf/all/accept_ra"], "2")
    assert ra.settings(given, Record(recorded, dict.fromkeys(recorded, was)), there.get) == expected


def test_lines_that_the_kernel_would_not_write() -> None:
    assert ra.advertised_on("\nx\n" + " ".join(["0"] * 8 + ["xyz", "eth0"]) + "\n") == []


@pytest.mark.parametrize(
    ("forwards", "did", "has", "expected"),
    [("1", "0", "2", [ETH10]), ("0", "0", "2", []), ("1", "1", "2", []), ("1", "0", "1", [])],
)
def test_what_stays_where_a_node_goes_on_forwarding(forwards: str, did: str, has: str, expected: list[str]) -> None:
    record = Record({ra.FORWARDING: "1", ETH10: "2"}, {ra.FORWARDING: did, ETH10: "1"})
    assert ra.stay({ra.FORWARDING: forwards, ETH10: "1"}, record, {ETH10: has}.get) == expected
