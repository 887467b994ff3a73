# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of veth pairs."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.veth_options import Way, check


def pair(name: str = "v1", **given: t.Any) -> dict[str, t.Any]:
    defaults = {"peer": "eth0", "netns": "pod1", "bridge": None, "addresses": [], "routes": [], "mtu": None}
    return {"name": name, **defaults, **given}


def test_values_are_normalised() -> None:
    routes = [{"dst": "::/0", "via": "2001:DB8::1"}, {"dst": "2001:db8:5::/64", "via": None}]
    addresses = ["2001:db8::5/64", "2001:DB8::5/64"]
    (found,) = check([pair(netns="/proc/7/ns/net", addresses=addresses, routes=routes)], present=True)
    assert found.path == "/proc/7/ns/net"
    assert [str(each) for each in found.addresses] == ["2001:db8::5/64"]
    assert found.routes == (Way("::/0", "2001:db8::1"), Way("2001:db8:5::/64", None))


def test_names_are_exact() -> None:
    pairs = [pair("v1"), pair("v10", netns="pod10"), pair("v100", peer="eth00")]
    assert [each.path for each in check(pairs, present=True)] == [
        "/run/netns/pod1",
        "/run/netns/pod10",
        "/run/netns/pod1",
    ]


def test_only_names_matter_when_pairs_are_to_go() -> None:
    assert [each.name for each in check([pair("v1", netns=None), pair("v2", netns=None)], present=False)] == [
        "v1",
        "v2",
    ]


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([pair("v:1")], r"pairs\[0\].name: v:1 is not an interface name"),
        ([pair(peer="a-very-long-name")], r"pairs\[0\].peer: a-very-long-name is longer"),
        ([pair(netns=None)], r"pairs\[0\].netns: null is not a network namespace"),
        ([pair(), pair(netns="pod2")], r"pairs\[1\].name: v1 is listed twice"),
        ([pair(), pair("v2", netns="/run/netns/pod1")], r"pairs\[1\].peer: eth0 is there twice in /run/netns/pod1"),
        ([pair(addresses=["10.1.1.1"])], r"pairs\[0\].addresses\[0\]: 10.1.1.1 is not an address with a prefix length"),
        (
            [pair(addresses=["fd12::1/64", "fd12::1/80"])],
            r"pairs\[0\].addresses\[1\]: fd12::1/80 is there as fd12::1/64, too, .*; leave one of them out",
        ),
        (
            [pair(addresses=["fe80::5/64"])],
            r"pairs\[0\].addresses\[0\]: fe80::5/64 is a link-local address; leave it out",
        ),
        (
            [pair(routes=[{"dst": "10.0.0.1/8", "via": None}])],
            r"pairs\[0\].routes\[0\].dst: 10.0.0.1/8 has host bits set",
        ),
        (
            [pair(routes=[{"dst": "::/0", "via": "10.0.0.1"}])],
            r"pairs\[0\].routes\[0\].via: 10.0.0.1 is not an IPv6 address",
        ),
        ([pair(mtu=67)], r"pairs\[0\].mtu: 67 is not an MTU; use 68 to 65535"),
        ([pair(mtu=1279, addresses=["2001:db8::1/64"])], r"use 1280 to 65535"),
    ],
)
def test_refusals(pairs: list[dict[str, t.Any]], sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        check(pairs, present=True)
