# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import sysctl_moves as moves

FORWARD, ALL = "net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding"
FORWARD6 = "net/ipv6/conf/all/forwarding"
REDIRECTS = "net/ipv4/conf/all/accept_redirects"


@pytest.mark.parametrize(
    ("key", "value", "others"),
    [
        (FORWARD, "0", {ALL: "0", "net/ipv4/conf/br1/forwarding": "0", REDIRECTS: "1"}),
        (ALL, "1", {"net/ipv4/conf/br1/forwarding": "1", REDIRECTS: "0"}),
        (FORWARD6, "1", {"net/ipv6/conf/br1/forwarding": "1"}),
        ("net/ipv4/conf/br1/forwarding", "1", {}),
    ],
)
def test_consequences(key: str, value: str, others: dict[str, str]) -> None:
    assert moves.consequences(key, value, ["all", "br1"]) == others
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
    ],
)
def test_what_is_not_moved(key: str, other: str) -> None:
    assert not moves.is_moved_by(key, other)


def test_what_moves_others_comes_first() -> None:
    keys = [REDIRECTS, "net/ipv4/conf/br1/forwarding", FORWARD, "net/ipv6/conf/br1/accept_ra", FORWARD]
    assert moves.ordered(keys) == [keys[3], FORWARD, REDIRECTS, keys[1]]
