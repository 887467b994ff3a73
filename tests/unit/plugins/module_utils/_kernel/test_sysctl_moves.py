# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import sysctl_moves as moves

FORWARD, ALL = "net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding"
FORWARD6 = "net/ipv6/conf/all/forwarding"
REDIRECTS = "net/ipv4/conf/all/accept_redirects"
FORCE = "net/ipv6/conf/{}/force_forwarding"


@pytest.mark.parametrize(
    ("key", "value", "others"),
    [
        (
            FORWARD,
            "0",
            {ALL: "0", **{f"net/ipv4/conf/{each}/forwarding": "0" for each in ("br1", "default")}, REDIRECTS: "1"},
        ),
        (ALL, "1", {**{f"net/ipv4/conf/{each}/forwarding": "1" for each in ("br1", "default")}, REDIRECTS: "0"}),
        (FORWARD6, "1", {"net/ipv6/conf/br1/forwarding": "1", "net/ipv6/conf/default/forwarding": "1"}),
        (
            FORWARD6,
            "0",
            {
                "net/ipv6/conf/br1/forwarding": "0",
                "net/ipv6/conf/default/forwarding": "0",
                FORCE.format("br1"): "0",
            },
        ),
        (FORCE.format("all"), "1", {FORCE.format("br1"): "1"}),
        *(
            (f"net/ipv6/conf/all/{name}", "1", {f"net/ipv6/conf/{each}/{name}": "1" for each in ("br1", "default")})
            for name in ("addr_gen_mode", "disable_ipv6", "ignore_routes_with_linkdown")
        ),
        ("net/ipv4/conf/br1/forwarding", "1", {}),
    ],
)
def test_consequences(key: str, value: str, others: dict[str, str]) -> None:
    assert moves.consequences(key, value, ["all", "br1", "default"]) == others
    assert all(moves.is_moved_by(moved, key) for moved in others)


@pytest.mark.parametrize(
    ("key", "other"),
    [
        (FORWARD6, FORWARD6),
        (FORWARD, FORWARD),
        (REDIRECTS, FORWARD6),
        ("net/ipv4/conf/br1/forwarding", FORWARD6),
        ("net/ipv4/conf/br1/rp_filter", FORWARD),
        ("net/ipv4/conf/br1/accept_redirects", FORWARD),
        (FORCE.format("all"), FORWARD6),
        (FORCE.format("default"), FORCE.format("all")),
        ("net/ipv6/conf/default/disable_ipv6", "net/ipv6/conf/br1/disable_ipv6"),
        ("net/ipv6/conf/br1/disable_policy", "net/ipv6/conf/all/disable_policy"),
    ],
)
def test_what_is_not_moved(key: str, other: str) -> None:
    assert not moves.is_moved_by(key, other)


def test_what_moves_others_comes_first() -> None:
    keys = [REDIRECTS, "net/ipv4/conf/br1/forwarding", FORWARD, "net/ipv6/conf/br1/accept_ra", FORWARD]
    assert moves.ordered(keys) == [keys[3], FORWARD, REDIRECTS, keys[1]]


def test_what_is_moved_comes_later() -> None:
    keys = ["net/ipv6/conf/default/disable_ipv6", FORCE.format("all"), "net/ipv6/conf/all/disable_ipv6", FORWARD6]
    assert moves.ordered(keys) == [keys[2], FORWARD6, FORCE.format("all"), keys[0]]


def test_a_setting_that_stays_with_one_value_may_go_with_another() -> None:
    assert moves.moved_to(FORCE.format("br1"), FORWARD6, "1") is None
    assert moves.moved_to(FORCE.format("br1"), FORWARD6, "0") == "0"


def test_two_names_of_one_setting() -> None:
    assert moves.one(ALL) == moves.one(FORWARD)
    assert moves.one("net/nf_conntrack_max") == moves.one("net/netfilter/nf_conntrack_max")
    assert moves.one(FORWARD6) == FORWARD6
