# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keys mean together: ranges, routes, gateways, chains, versions."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import conf, ranges, rules
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

V4 = {"subnet": "10.12.1.0/24"}
V6 = {"subnet": "2001:db8:1::/64"}
PORTMAP = {"type": "portmap", "capabilities": {"portMappings": True}}


def bridge(*sets: list[dict[str, t.Any]], routes: t.Any = (), **keys: t.Any) -> dict[str, t.Any]:
    ipam: dict[str, t.Any] = {"type": "host-local", "ranges": list(sets) or [[V4]]}
    if routes:
        ipam["routes"] = [{"dst": route} if isinstance(route, str) else route for route in routes]
    return {"type": "bridge", "bridge": "br1", "ipam": ipam, **keys}


def checked(*plugins: dict[str, t.Any], version: str = "1.0.0", **envelope: t.Any) -> conf.Network:
    network = conf.normalise("net", {"cniVersion": version, **envelope, "plugins": list(plugins)}, "conflist")
    rules.check(network)
    return network


def refusal(*plugins: dict[str, t.Any], **options: t.Any) -> str:
    with pytest.raises(OptionError) as caught:
        checked(*plugins, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    "plugin",
    [
        bridge(),
        bridge(isGateway=True, ipMasq=True, routes=["0.0.0.0/0"]),
        bridge(isDefaultGateway=True),
        bridge(isDefaultGateway=True, routes=["192.168.0.0/16"]),
        bridge([V4], [V6], isGateway=True, routes=["0.0.0.0/0", "::/0"]),
        bridge(routes=[{"dst": "0.0.0.0/0", "gw": "10.12.1.9"}, {"dst": "0.0.0.0/0", "priority": 5}]),
        bridge([V6], routes=[{"dst": "::/0", "gw": "fe80::1"}], mtu=1280),
        bridge([{**V4, "rangeStart": "10.12.1.1", "rangeEnd": "10.12.1.254", "gateway": "10.12.1.254"}]),
        bridge([{**V4, "rangeEnd": "10.12.1.99"}, {**V4, "rangeStart": "10.12.1.100"}], isGateway=True),
        bridge([{**V6, "rangeEnd": "2001:db8:1::ffff:ffff:ffff:ffff"}]),
        bridge([{"subnet": "10.12.1.0/30"}]),
        bridge(mtu=0),
        bridge(hairpinMode=True, promiscMode=False),
        {"type": "bridge", "ipam": {"type": "host-local", **V4}},
        {"type": "bridge", "ipam": {"type": "dhcp"}},
        {"type": "bridge", "disableContainerInterface": True},
        {"type": "loopback"},
        {"type": "mine", "anything": 1},
    ],
)
def test_good_main_plugins(plugin: dict[str, t.Any]) -> None:
    checked(plugin)


@pytest.mark.parametrize(
    "plugin",
    [
        PORTMAP,
        {**PORTMAP, "snat": True, "markMasqBit": 13, "conditionsV4": ["!", "-d", "192.0.2.0/24"]},
        {**PORTMAP, "backend": "nftables", "conditionsV4": ["ip", "daddr", "192.0.2.1"]},
        {"type": "firewall"},
        {"type": "firewall", "ingressPolicy": "same-bridge", "backend": "iptables"},
        {"type": "tuning", "sysctl": {"net.core.somaxconn": 500}},
        {"type": "bandwidth", "capabilities": {"bandwidth": True}},
        {"type": "bandwidth", "ingressRate": 1000, "ingressBurst": 1000},
    ],
)
def test_good_chained_plugins(plugin: dict[str, t.Any]) -> None:
    checked(bridge(), plugin)


P = "config.plugins[0]"


@pytest.mark.parametrize(
    ("plugin", "sentence"),
    [
        (
            bridge(hairpinMode=True, promiscMode=True),
            f"{P}.promiscMode: true excludes hairpinMode; leave one of them out",
        ),
        ({"type": "bridge"}, f'{P}: ["type"] has no ipam, so pods would get no address; add ipam'),
        (bridge(disableContainerInterface=True), f"{P}.ipam: {{"),
        (bridge(preserveDefaultVlan=True), f"{P}.preserveDefaultVlan: true does nothing without vlan or vlanTrunk; "),
        (bridge(ipMasqBackend="nftables"), f"{P}.ipMasqBackend: nftables does nothing without ipMasq; "),
        (bridge(vlanTrunk=[{"minID": 5}]), f'{P}.vlanTrunk[0]: {{"minID": 5}} is not a range of VLANs; '),
        (bridge(vlanTrunk=[{}]), f"{P}.vlanTrunk[0]: {{}} is not a range of VLANs; "),
        (bridge(vlanTrunk=[{"minID": 5, "maxID": 4}]), f"{P}.vlanTrunk[0]: "),
        (bridge([V6], mtu=1279), f"{P}.mtu: 1279 is too small for IPv6; use at least 1280"),
        (
            bridge(isDefaultGateway=True, routes=["0.0.0.0/0"]),
            (
                f"{P}.isDefaultGateway: true gives pods two default routes (see {P}.ipam.routes[0].dst); "
                "leave one of them out"
            ),
        ),
        (
            bridge(routes=["0.0.0.0/0", {"dst": "0.0.0.0/0", "gw": "10.12.1.1"}]),
            (
                f"{P}.ipam.routes[1].dst: 0.0.0.0/0 gives pods two default routes (see {P}.ipam.routes[0].dst); "
                "leave one out"
            ),
        ),
        (bridge(routes=["10.0.0.0/8", "10.0.0.0/8"]), f"{P}.ipam.routes[1].dst: 10.0.0.0/8 gives pods the same route "),
        (
            bridge(routes=["::/0"]),
            f"{P}.ipam.routes[0].dst: ::/0 is IPv6, which pods have no range of; add a range or leave it out",
        ),
        (bridge(routes=[{"dst": "10.0.0.0/8", "gw": "fe80::1"}]), f"{P}.ipam.routes[0].gw: fe80::1 is not of the "),
        (bridge(routes=[{"dst": "10.0.0.0/8", "gw": "10.12.10.1"}]), f"{P}.ipam.routes[0].gw: 10.12.10.1 is in no "),
        (bridge(routes=[{"gw": "10.12.1.1"}]), f"{P}.ipam.routes[0]: "),
        (
            bridge([V4], [{"subnet": "10.12.10.0/24"}], isGateway=True),
            (
                f"{P}.ipam.ranges[1][0].gateway: 10.12.10.1/24 is a second IPv4 address of the bridge "
                "beside 10.12.1.1/24; use one subnet for each family, or leave out isGateway"
            ),
        ),
    ],
)
def test_bad_bridges(plugin: dict[str, t.Any], sentence: str) -> None:
    assert refusal(plugin).startswith(sentence)


R = f"{P}.ipam.ranges[0][0]"


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({}, f"{R}: {{}} has no subnet; add the CIDR that pods get addresses of"),
        (
            {"subnet": "10.12.1.0/31"},
            f"{R}.subnet: 10.12.1.0/31 is too small to hand out addresses; use a prefix length of at most 30",
        ),
        ({"subnet": "10.12.1.1/32"}, f"{R}.subnet: 10.12.1.1/32 is too small "),
        ({"subnet": "2001:db8::/127"}, f"{R}.subnet: 2001:db8::/127 is too small "),
        (
            {**V4, "gateway": "10.12.10.1"},
            f"{R}.gateway: 10.12.10.1 is outside 10.12.1.0/24; use an address of the subnet",
        ),
        ({**V4, "gateway": "2001:db8::1"}, f"{R}.gateway: 2001:db8::1 is outside 10.12.1.0/24; "),
        (
            {**V4, "gateway": "10.12.1.0"},
            f"{R}.gateway: 10.12.1.0 is the network address of 10.12.1.0/24; use 10.12.1.1 or a later one",
        ),
        ({**V4, "gateway": "10.12.1.255"}, f"{R}.gateway: 10.12.1.255 is the broadcast address of 10.12.1.0/24; "),
        ({**V4, "rangeStart": "10.12.1.0"}, f"{R}.rangeStart: 10.12.1.0 is the network address of 10.12.1.0/24; "),
        ({**V6, "rangeStart": "2001:db8:1::"}, f"{R}.rangeStart: 2001:db8:1:: is the network address of "),
        (
            {**V4, "rangeEnd": "10.12.1.255"},
            f"{R}.rangeEnd: 10.12.1.255 is the broadcast address of 10.12.1.0/24; use 10.12.1.254 or an earlier one",
        ),
        ({**V4, "rangeEnd": "10.12.2.1"}, f"{R}.rangeEnd: 10.12.2.1 is outside 10.12.1.0/24; "),
        (
            {**V4, "rangeStart": "10.12.1.9", "rangeEnd": "10.12.1.5"},
            f"{R}.rangeEnd: 10.12.1.5 makes the range 10.12.1.9-10.12.1.5; swap the two ends",
        ),
        ({**V4, "rangeEnd": "10.12.1.1"}, f"{R}: "),
    ],
)
def test_bad_ranges(entry: dict[str, t.Any], sentence: str) -> None:
    assert refusal(bridge([entry])).startswith(sentence)


@pytest.mark.parametrize(
    ("ipam", "sentence"),
    [
        ({}, f'{P}.ipam: {{"type": "host-local"}} has no ranges; add ranges: [[{{subnet: 10.12.1.0/24}}]]'),
        ({"ranges": []}, f"{P}.ipam: "),
        ({"ranges": [[]]}, f"{P}.ipam.ranges[0]: [] has no range; write at least one, with its subnet"),
        (
            {"ranges": [[V4, V6]]},
            (
                f"{P}.ipam.ranges[0][1].subnet: 2001:db8:1::/64 is of another family "
                "than 10.12.1.0/24 in the same list; write one list for each family: [[IPv4], [IPv6]]"
            ),
        ),
        (
            {"ranges": [[V4, {"subnet": "10.12.0.0/16"}]]},
            (
                f"{P}.ipam.ranges[0][1].subnet: 10.12.0.0/16 overlaps 10.12.1.0/24 of {P}.ipam.ranges[0][0]; "
                "make the two ranges disjoint"
            ),
        ),
        ({"ranges": [[V4], [V4]]}, f"{P}.ipam.ranges[1][0].subnet: 10.12.1.0/24 overlaps 10.12.1.0/24 of "),
        ({**V4, "ranges": [[V4]]}, f"{P}.ipam.ranges[0][0].subnet: 10.12.1.0/24 overlaps 10.12.1.0/24 of {P}.ipam; "),
        ({"gateway": "10.12.1.1", "ranges": [[V4]]}, f"{P}.ipam.gateway: 10.12.1.1 stands beside no subnet; "),
    ],
)
def test_bad_range_sets(ipam: dict[str, t.Any], sentence: str) -> None:
    assert refusal({"type": "bridge", "ipam": {"type": "host-local", **ipam}}).startswith(sentence)


C = "config.plugins[1]"


@pytest.mark.parametrize(
    ("plugin", "sentence"),
    [
        (
            {"type": "portmap"},
            (
                f"{C}.capabilities: {{}} lacks portMappings, so the portmap plugin would do nothing; "
                "add portMappings: true"
            ),
        ),
        ({"type": "portmap", "capabilities": {"portMappings": "false"}}, f"{C}.capabilities: "),
        ({**PORTMAP, "markMasqBit": 14}, f"{C}.markMasqBit: 14 is kube-proxy's; use another bit, as 13"),
        ({**PORTMAP, "markMasqBit": 13, "externalSetMarkChain": "X"}, f"{C}.externalSetMarkChain: X excludes markMas"),
        ({**PORTMAP, "backend": "nftables", "externalSetMarkChain": "X"}, f"{C}.externalSetMarkChain: X needs back"),
        ({**PORTMAP, "backend": "nftables", "conditionsV6": ["-d", "x"]}, f"{C}.conditionsV6[0]: -d is iptables' "),
        ({"type": "bandwidth"}, f"{C}.capabilities: {{}} lacks bandwidth, so the bandwidth plugin would do nothing; "),
        (
            {"type": "bandwidth", "ingressRate": 5},
            f"{C}.ingressRate: 5 needs ingressBurst; set both of them or neither",
        ),
        ({"type": "bandwidth", "egressBurst": 5}, f"{C}.egressBurst: 5 needs egressRate; "),
        (
            {"type": "bandwidth", "egressRate": 1, "egressBurst": 2**35},
            f"{C}.egressBurst: 34359738368 is more than 4 GiB; ",
        ),
    ],
)
def test_bad_chained_plugins(plugin: dict[str, t.Any], sentence: str) -> None:
    assert refusal(bridge(), plugin).startswith(sentence)


@pytest.mark.parametrize("kind", ["portmap", "firewall", "tuning", "bandwidth"])
def test_chained_plugins_come_after_the_main_one(kind: str) -> None:
    sentence = f"{P}.type: {kind} works on what an earlier plugin made; put it after the main plugin"
    assert refusal({"type": kind, "capabilities": {"portMappings": True, "bandwidth": True}}) == sentence


def test_policies_need_a_bridge() -> None:
    plugin = {"type": "firewall", "ingressPolicy": "isolated"}
    assert refusal({"type": "mine"}, plugin).startswith(f"{C}.ingressPolicy: isolated needs a bridge, not mine; ")


def test_firewall_speaks_no_old_version() -> None:
    sentence = "config.cniVersion: 0.3.1 is not spoken by the firewall plugin; use 0.4.0 or later"
    assert refusal(bridge(), {"type": "firewall"}, version="0.3.1") == sentence
    several = refusal(bridge(), {"type": "firewall"}, cniVersions=["0.3.1"])
    assert several == "config.cniVersions: 0.3.1 is not spoken by the firewall plugin; use 0.4.0 or later"


def test_old_versions_give_one_address_for_each_family() -> None:
    two = bridge([V4], [{"subnet": "10.12.10.0/24"}])
    checked(two, version="0.3.0")
    assert refusal(two, version="0.2.0").startswith(f"{P}.ipam.ranges[1][0]: 10.12.10.0/24 is a second IPv4 address; ")


def test_the_gateway_is_the_first_address_unless_it_is_given() -> None:
    network = checked(bridge([V4], [{**V6, "gateway": "2001:db8:1::5"}]))
    found = rules.ranges(network.parts[0])
    assert [str(entry.gateway_interface) for entry in found] == ["10.12.1.1/24", "2001:db8:1::5/64"]
    assert [str(entry.last) for entry in found] == ["10.12.1.254", "2001:db8:1:0:ffff:ffff:ffff:ffff"]


def test_a_single_plugins_paths_are_short() -> None:
    part = conf.normalise("net", {"cniVersion": "1.0.0", **bridge([{"subnet": "10.12.1.0/32"}])}, "conf").parts[0]
    with pytest.raises(OptionError, match=r"^config\.ipam\.ranges\[0\]\[0\]\.subnet: "):
        ranges.range_sets(part)
