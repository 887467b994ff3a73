# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes that are asked before those of the main table."""

from __future__ import annotations

import ipaddress

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts import tables
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.overlaps import Way
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.verdicts import Consent
from ansible_collections.mink8s.podnet.tests.unit.plugins.module_utils._conflicts.samples import CLAIMS, card, judged

CARDS = {each.name: each for each in (card("br1"), card("eth0", kind=""), card("wg0", kind="wireguard"))}


def way(dst: str, device: str = "wg0", table: int = 52, throws: bool = False) -> Way:
    return Way(ipaddress.ip_network(dst), None, device, throws, 0, table, throws)


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ([way("10.0.0.0/8")], [("stops", "vpn", "wg0")]),
        ([way("0.0.0.0/0", "eth0")], [("stops", "route", "0.0.0.0/0")]),
        ([way("10.12.2.0/25")], [("stops", "vpn", "wg0")]),
        ([way("10.12.20.0/24"), way("100.64.0.0/10"), way("::/0")], []),
        ([way("10.0.0.0/8", "br1")], []),
        ([way("10.0.0.0/8"), way("10.12.0.0/16", "", throws=True)], []),
        ([way("10.0.0.0/8"), way("10.12.0.0/16", "", 520, throws=True)], [("stops", "vpn", "wg0")]),
        ([way("10.12.1.0/25"), way("10.12.0.0/16", "", throws=True)], [("stops", "vpn", "wg0")]),
    ],
)
def test_routes(there: list[Way], found: list[tuple[str, str, str]]) -> None:
    assert judged(tables.of_ways(CLAIMS, there, CARDS, Consent([]))) == found
    assert tables.of_ways(CLAIMS, there, CARDS, Consent(["vpn", "route"])) == []


def test_many_are_one_conflict() -> None:
    (found,) = tables.of_ways(CLAIMS, [way("10.0.0.0/8"), way("10.0.0.0/9"), way("10.12.1.7/32")], CARDS, Consent([]))
    assert found.what == (
        "route 10.0.0.0/8 dev wg0 table 52 (and 2 more like it): comes before the main table and takes packets to this "
        "node's pod CIDR 10.12.1.0/24 away from pods; let the VPN use other addresses, or choose other CIDRs "
        "(pod_cidr_subnets, pod_cidr_cluster_cidrs)"
    )
