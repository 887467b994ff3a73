# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is not taken from a bridge of others, and which MTU is too small."""

from __future__ import annotations

import contextlib
import ipaddress

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import bridge_checks
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.bridge_options import Port, Wanted
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.links import Link

REASON = "carries 192.0.2.11, which Ansible is connected to"


def scene(**precious: str) -> bridge_checks.Scene:
    """The scene of somebody else's bridge br1."""
    link = Link(7, "br1", "bridge", "", 1500, True, "", 0, 0, False, False, False)
    addresses = [ipaddress.ip_interface("192.0.2.11/24"), ipaddress.ip_interface("10.12.1.1/24")]
    return bridge_checks.Scene("br1", {"br1": link}, (), precious, addresses)


def absent(*addresses: str) -> Wanted:
    own = tuple(ipaddress.ip_interface(each) for each in addresses)
    return Wanted("br1", False, own, None, "kernel", None, (), None, None, False, None)


def test_the_bridge_that_the_node_is_reached_by_keeps_its_addresses() -> None:
    sentence = rf"bridge.addresses\[1\]: 192.0.2.11/24 is an address of br1, which {REASON}; leave it out"
    with pytest.raises(OptionError, match=sentence):
        bridge_checks.require_removable(scene(br1=REASON), absent("192.0.2.1/24", "192.0.2.11/24"))


@pytest.mark.parametrize(
    ("precious", "addresses"), [("br1", ["192.0.2.1/24"]), ("br1", []), ("br10", ["10.12.1.1/24"])]
)
def test_other_bridges_of_others_stay_with_a_warning(precious: str, addresses: list[str]) -> None:
    warning = bridge_checks.require_removable(scene(**{precious: REASON}), absent(*addresses))
    assert warning is not None
    assert warning.endswith("it stays")


@pytest.mark.parametrize(
    ("mtu", "mtus", "size"),
    [
        ("auto", {"eth0": 1000, "br1": 1500, "port1": 1500}, 1000),
        ("auto", {"eth0": 1280, "br1": 1000, "port1": 1000}, None),
        ("kernel", {"eth0": 1000, "br1": 1279, "port1": 1500}, 1279),
        ("kernel", {"eth0": 1500, "br1": 1500, "port1": 1279}, 1279),
        ("kernel", {"eth0": 1500, "port1": 1000}, 1000),
        ("kernel", {"eth0": 1500, "br1": 1500, "port10": 1000}, None),
        ("kernel", {"eth0": 1000}, None),
        (1280, {"eth0": 1500, "br1": 1000, "port1": 1000}, None),
    ],
)
def test_ipv6_needs_an_mtu_that_the_bridge_will_have(mtu: int | str, mtus: dict[str, int], size: int | None) -> None:
    """The kernel refused the address half-way, or dropped it when a port of a smaller MTU was plugged in."""
    links = {
        name: Link(index, name, "bridge" if name == "br1" else "", "", each, True, "", 0, 0, False, False, False)
        for index, (name, each) in enumerate(mtus.items(), 1)
    }
    addresses = tuple(map(ipaddress.ip_interface, ("10.12.1.1/24", "2001:db8::1/64")))
    wanted = Wanted("br1", True, addresses, None, mtu, None, (Port("port1", None, None),), None, None, False, None)
    there = bridge_checks.Scene("br1", links, ["eth0"])
    if size is None:
        bridge_checks.require_mtu_for_ipv6(there, wanted)
        return
    with pytest.raises(
        OptionError, match=rf"addresses\[1\]: 2001:db8::1/64 needs an MTU of 1280, and br1 would have {size};"
    ):
        bridge_checks.require_mtu_for_ipv6(there, wanted)


@pytest.mark.parametrize(
    ("wanted", "exclusive", "is_refused"),
    [
        ("fd12::1/80", False, True),
        ("fd12::1/80", True, False),
        ("fd12::1/64", False, False),
        ("fd12::10/80", False, False),
        ("10.12.1.1/16", False, False),
    ],
)
def test_an_ipv6_address_has_one_prefix_length(wanted: str, exclusive: bool, is_refused: bool) -> None:
    """The kernel refused a second one, in each run anew."""
    there = bridge_checks.Scene(
        "br1", addresses=[ipaddress.ip_interface(each) for each in ("fd12::1/64", "10.12.1.1/24")]
    )
    asked = (ipaddress.ip_interface(wanted),)
    options = Wanted("br1", True, asked, None, "kernel", None, (), None, None, exclusive, None)
    refused = pytest.raises(
        OptionError, match=r"bridge.addresses\[0\]: fd12::1/80 is there as fd12::1/64, too, .*replace it"
    )
    with refused if is_refused else contextlib.nullcontext():
        bridge_checks.require_one_prefix(there, options)
