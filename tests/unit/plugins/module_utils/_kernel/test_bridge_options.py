# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a bridge."""

from __future__ import annotations

import ipaddress
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.bridge_options import Port, check, stable_mac

DEFAULTS: dict[str, t.Any] = {
    "name": "br1",
    "addresses": [],
    "exclusive_addresses": False,
    "mac": None,
    "mtu": "auto",
    "uplink": None,
    "ports": [],
    "stp": None,
    "netns": None,
    "persist": None,
    "state": "present",
}


def port(name: str) -> dict[str, t.Any]:
    return {"name": name, "hairpin": True, "isolated": None}


@pytest.mark.parametrize(
    ("addresses", "mac"),
    [
        (["10.12.1.1/24"], "0a:58:0a:0c:01:01"),
        (["2001:db8::1/64", "10.12.1.1/24"], "0a:58:0a:0c:01:01"),
        (["2001:db8::1/64"], "0a:58:5a:fd:19:e8"),
        ([], "0a:58:26:57:8a:32"),
    ],
)
def test_the_mac_address_is_the_same_for_ever(addresses: list[str], mac: str) -> None:
    assert stable_mac("br1", [ipaddress.ip_interface(each) for each in addresses]) == mac


def test_bridges_without_addresses_differ() -> None:
    assert stable_mac("br1", []) != stable_mac("br10", [])


def test_values_are_normalised() -> None:
    given = {"mac": "0A:58:00:00:00:01", "mtu": "1450", "addresses": ["2001:DB8::1/64"], "ports": [port("br10")]}
    wanted = check({**DEFAULTS, **given, "netns": "lab"})
    assert (wanted.mac, wanted.mtu, wanted.netns) == ("0a:58:00:00:00:01", 1450, "/run/netns/lab")
    assert [str(each) for each in wanted.addresses] == ["2001:db8::1/64"]
    assert wanted.ports == (Port("br10", True, None),)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": "a-very-long-name"}, "bridge.name: a-very-long-name is longer than 15 characters"),
        ({"name": "br/1"}, "bridge.name: br/1 is not an interface name"),
        ({"addresses": ["10.12.1.1"]}, r"bridge.addresses\[0\]: 10.12.1.1 is not an address with a prefix length"),
        (
            {"addresses": ["fd12::1/64", "fd12::10/64", "fd12::1/80"]},
            r"bridge.addresses\[2\]: fd12::1/80 is there as fd12::1/64, too, and a link has it once only",
        ),
        (
            {"addresses": ["10.12.1.1/24", "10.12.2.1/24"]},
            r"bridge.addresses\[1\]: 10.12.2.1/24 is a second IPv4 address",
        ),
        ({"addresses": ["10.12.1.0/24"]}, r"is the network's own address; write a host's, like 10.12.1.1/24"),
        (
            {"addresses": ["10.12.1.1/24", "fe80::1/64"]},
            r"bridge.addresses\[1\]: fe80::1/64 is a link-local address; leave it out",
        ),
        ({"mac": "0a:58"}, "bridge.mac: 0a:58 is not a MAC address"),
        ({"mac": "01:00:5e:00:00:01"}, "bridge.mac: 01:00:5e:00:00:01 is not the address of one link"),
        ({"mtu": "big"}, "bridge.mtu: big is not an MTU; use auto, kernel or 68 to 65535"),
        ({"mtu": "70000"}, "bridge.mtu: 70000 is not an MTU"),
        ({"mtu": "1279", "addresses": ["2001:db8::1/64"]}, "use auto, kernel or 1280 to 65535"),
        ({"ports": [port("br1")]}, r"bridge.ports\[0\].name: br1 is the bridge itself"),
        ({"ports": [port("p"), port("p")]}, r"bridge.ports\[1\].name: p is listed twice"),
        ({"netns": "a/b"}, "bridge.netns: a/b is not a network namespace"),
        (
            {"persist": "br1"},
            "bridge.persist: br1 is not the absolute path of a file; write it like /etc/podnet/bridge",
        ),
        (
            {"persist": "/etc/podnet/br1", "netns": "lab"},
            "bridge.persist: /etc/podnet/br1 has no meaning with bridge.netns",
        ),
        ({"persist": "/etc/podnet/br1", "name": "br#1"}, "bridge.name: br#1 cannot stand in a file for ip -batch"),
        ({"persist": "/br1", "ports": [port('p"')]}, r"bridge.ports\[0\].name: .* cannot stand in a file"),
        ({"netns": ""}, 'bridge.netns: "" is not a network namespace'),
    ],
)
def test_refusals(given: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        check({**DEFAULTS, **given})


def test_link_local_ipv4_addresses_are_like_others() -> None:
    assert len(check({**DEFAULTS, "addresses": ["169.254.1.1/24"]}).addresses) == 1


def test_network_addresses_of_point_to_point_links_are_hosts() -> None:
    assert len(check({**DEFAULTS, "addresses": ["10.12.1.0/31", "2001:db8::/127"]}).addresses) == 2
