# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A configuration against a node's binaries and links, all given as plain values."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import conf, node
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

SPOKEN = ["0.3.1", "0.4.0", "1.0.0"]
BIN_DIRS = ["/opt/cni/bin", "/usr/lib/cni"]


def network(*plugins: dict[str, t.Any], version: str = "1.0.0", **envelope: t.Any) -> conf.Network:
    config = {"cniVersion": version, **envelope, "plugins": list(plugins)}
    return conf.normalise("net", config, "conflist")


def bridge(**keys: t.Any) -> dict[str, t.Any]:
    ipam = {"type": "host-local", "ranges": [[{"subnet": "10.12.1.0/24"}]]}
    return {"type": "bridge", "bridge": "br1", "ipam": ipam, **keys}


def speaks(kind: str) -> t.Optional[list[str]]:
    return {"bridge": SPOKEN, "host-local": SPOKEN, "portmap": SPOKEN, "firewall": ["0.4.0"]}.get(kind)


def binaries(given: conf.Network, *assumed: str) -> str:
    with pytest.raises(OptionError) as caught:
        node.check_binaries(given, speaks, BIN_DIRS, assumed)
    return str(caught.value)


def test_installed_plugins_are_fine() -> None:
    node.check_binaries(network(bridge()), speaks, BIN_DIRS, [])


def test_a_missing_plugin() -> None:
    assert binaries(network(bridge(), {"type": "tuning"})) == (
        "config.plugins[1].type: tuning is no executable in /opt/cni/bin, /usr/lib/cni; "
        "install the plugin (module cni_plugins, or the distribution's package) or correct bin_dirs"
    )
    assert binaries(network(bridge(ipam={"type": "dhcp"}))).startswith("config.plugins[0].ipam.type: dhcp is no exec")


def test_plugins_about_to_be_installed_are_not_looked_for() -> None:
    given = network(bridge(), {"type": "tuning"}, version="1.1.0")
    with pytest.raises(OptionError):
        node.check_binaries(given, speaks, BIN_DIRS, ["tuning"])
    node.check_binaries(given, speaks, BIN_DIRS, ["tuning", "bridge", "host-local"])


def test_versions_that_a_binary_does_not_speak() -> None:
    assert binaries(network(bridge(), version="1.1.0")) == (
        "config.cniVersion: 1.1.0 is not spoken by the installed bridge plugin; "
        "use one of 0.3.1, 0.4.0, 1.0.0, or install a newer release"
    )
    assert binaries(network(bridge(), cniVersions=["1.1.0"])).startswith("config.cniVersions: 1.1.0 is not spoken by ")
    assert binaries(network(bridge(), {"type": "firewall"})).startswith("config.cniVersion: 1.0.0 is not spoken by ")


def test_keys_that_a_binary_would_ignore() -> None:
    given = network(bridge(ipMasq=True, ipMasqBackend="nftables"))
    assert binaries(given) == (
        "config.plugins[0].ipMasqBackend: nftables is ignored by the installed bridge plugin, "
        "which is older than 1.6.0; leave it out, or install a newer release"
    )
    node.check_binaries(given, speaks, BIN_DIRS, ["bridge"])


def link(name: str, kind: str = "bridge", mtu: int = 1500, addresses: t.Any = (), ports: t.Any = ()) -> node.Link:
    return node.Link(name, kind, mtu, list(addresses), list(ports))


def machine(*links: node.Link, uplink: t.Optional[str] = "eth0") -> node.Node:
    return node.Node({found.name: found for found in [link("eth0", "physical", 1450), *links]}, uplink)


def refusal(plugin: dict[str, t.Any], *links: node.Link, uplink: str = "eth0") -> str:
    with pytest.raises(OptionError) as caught:
        node.check_node(network(plugin), machine(*links, uplink=uplink), False)
    return str(caught.value)


def test_a_fresh_node_is_fine() -> None:
    assert node.check_node(network(bridge(mtu=1450, isGateway=True)), machine(), False) == []
    assert node.check_node(network(bridge(mtu=9000)), machine(uplink=None), False) == []


def test_the_mtu_is_not_above_the_uplinks() -> None:
    sentence = "config.plugins[0].mtu: 1451 is above the MTU of uplink eth0; use at most 1450"
    assert refusal(bridge(mtu=1451)) == sentence
    assert refusal(bridge(mtu=1450), link("eth1", "vlan", 1400), uplink="eth1").endswith("use at most 1400")
    with pytest.raises(OptionError, match=r"^config\.plugins\[1\]\.mtu: 1500 is above "):
        node.check_node(network(bridge(), {"type": "tuning", "mtu": 1500}), machine(), False)


def test_the_bridge_is_no_other_link() -> None:
    assert refusal(bridge(bridge="eth0")) == (
        "config.plugins[0].bridge: eth0 is the node's uplink; use the name of a bridge that is only for pods"
    )
    assert refusal(bridge(), link("br1", "veth")) == (
        "config.plugins[0].bridge: br1 is an existing veth link, not a bridge; use another name"
    )
    assert node.check_node(network(bridge()), machine(link("br10", "veth"), link("br1")), False) == []
    without_name = {key: value for key, value in bridge().items() if key != "bridge"}
    assert refusal(without_name, link("cni0", "dummy")).startswith("config.plugins[0].bridge: cni0 is an existing ")


GATEWAY = bridge(isGateway=True)


@pytest.mark.parametrize(
    ("plugin", "addresses"),
    [
        (GATEWAY, []),
        (GATEWAY, ["10.12.1.1/24"]),
        (GATEWAY, ["10.12.1.1/24", "192.0.2.1/24"]),
        (GATEWAY, ["2001:db8::1/64", "10.12.1.1/24"]),
        (bridge(), ["192.0.2.1/24"]),
        (bridge(), ["192.0.2.1/24", "10.12.1.1/24"]),
        (bridge(isGateway=True, forceAddress=True), ["192.0.2.1/24"]),
        (bridge(isGateway=True, ipam={"type": "dhcp"}), ["192.0.2.1/24"]),
    ],
)
def test_bridges_whose_address_fits(plugin: dict[str, t.Any], addresses: list[str]) -> None:
    there = machine(link("br1", addresses=addresses, ports=["veth1"]), link("br10", addresses=["192.0.2.9/24"]))
    assert node.check_node(network(plugin), there, False) == []


@pytest.mark.parametrize(
    ("plugin", "addresses"),
    [
        (GATEWAY, ["10.12.2.1/24"]),
        (GATEWAY, ["10.12.1.1/16"]),
        (GATEWAY, ["192.0.2.1/24", "10.12.1.1/24"]),
        (bridge(), ["10.12.1.254/24"]),
    ],
)
def test_bridges_whose_address_does_not(plugin: dict[str, t.Any], addresses: list[str]) -> None:
    sentence = f"10.12.1.1/24 is not the address of br1, which is {addresses[0]}"
    with_pods = link("br1", addresses=addresses, ports=["veth1", "veth2"])
    assert refusal(plugin, with_pods) == (
        f"config.plugins[0].ipam.ranges[0][0].gateway: {sentence}, and 2 ports are on it; "
        "set gateway to that address, or remove the pods and change the bridge first"
    )
    warning = f"config.plugins[0].ipam.ranges[0][0].gateway: {sentence}; change the bridge before pods start"
    assert node.check_node(network(plugin), machine(with_pods), True) == [warning]
    assert node.check_node(network(plugin), machine(link("br1", addresses=addresses)), False) == [warning]


def test_ipv6_addresses_of_other_subnets_may_stay() -> None:
    ipam = {"type": "host-local", "ranges": [[{"subnet": "2001:db8:1::/64"}]]}
    other, same = link("br1", addresses=["2001:db8:10::1/64"]), link("br1", addresses=["2001:db8:1::9/64"])
    assert node.check_node(network(bridge(isGateway=True, ipam=ipam)), machine(other), False) == []
    assert len(node.check_node(network(bridge(isGateway=True, ipam=ipam)), machine(same), False)) == 1
