# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which configurations can be tried on a scratch host, and what pods must reach there."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._probe import expectations

DEFAULTS = [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]
RESULT = {"ips": [{"address": "10.12.1.2/24", "gateway": "10.12.1.1"}]}
BOTH = {"ips": [*RESULT["ips"], {"address": "fd12::2/64", "gateway": "fd12::1"}]}


def conf(routes: t.Any = None, ipam: str = "host-local", **keys: t.Any) -> dict[str, t.Any]:
    return {
        "cniVersion": "1.0.0",
        "name": "br1",
        "type": "bridge",
        **keys,
        "ipam": {"type": ipam, "routes": routes or []},
    }


def conflist(*plugins: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"cniVersion": "1.0.0", "name": "br1", "plugins": list(plugins)}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (conf(), None),
        (conf(type="ptp"), None),
        (conflist(conf(), {"type": "portmap"}), None),
        (conf(type="macvlan"), "not tried: a scratch namespace has nothing that plugin macvlan could work with"),
        (conf(type="bridge1"), "not tried: a scratch namespace has nothing that plugin bridge1 could work with"),
        (conf(ipam="dhcp"), "not tried: a scratch namespace has nothing that ipam plugin dhcp could work with"),
        ({"name": "br1"}, "not tried: a scratch namespace has nothing that plugin none could work with"),
    ],
)
def test_what_needs_more_than_a_kernel_is_not_tried(document: dict[str, t.Any], reason: str | None) -> None:
    assert expectations.untried(document) == reason


@pytest.mark.parametrize(
    ("document", "addresses"),
    [
        (conf(), ["10.12.1.2", "fd12::2"]),  # The walk-through's step 3.
        (conf(isGateway=True), ["10.12.1.2", "fd12::2", "10.12.1.1", "fd12::1"]),  # Step 4.
        (
            conf(DEFAULTS, isGateway=True),
            ["10.12.1.2", "fd12::2", "10.12.1.1", "fd12::1", "192.0.0.8", "100::8"],
        ),
        (conf(DEFAULTS[1:], type="ptp"), ["10.12.1.2", "fd12::2", "10.12.1.1", "fd12::1", "100::8"]),
        (conf(isDefaultGateway=True, portIsolation=True), ["10.12.1.1", "fd12::1", "192.0.0.8", "100::8"]),
        (conf(DEFAULTS), ["10.12.1.2", "fd12::2"]),
    ],
)
def test_pods_reach_what_the_configuration_promises(document: dict[str, t.Any], addresses: list[str]) -> None:
    found = expectations.targets(document, "node1", [("probe1", BOTH)])
    assert [entry["address"] for entry in found] == addresses


def test_a_family_without_pods_is_not_asked() -> None:
    found = expectations.targets(conf(DEFAULTS, isGateway=True), "node1", [("probe1", RESULT)])
    assert [entry["address"] for entry in found] == ["10.12.1.2", "10.12.1.1", "192.0.0.8"]


def test_nothing_is_kept_where_the_node_keeps_it() -> None:
    document = conflist(conf(), {"type": "tuning", "dataDir": "/run/cni/tuning"}, {"type": "portmap"})
    moved = expectations.moved(document, "/run/x")
    assert moved["plugins"][0]["ipam"]["dataDir"] == "/run/x"
    assert [plugin.get("dataDir") for plugin in moved["plugins"]] == [None, "/run/x", None]
    assert expectations.moved(conf(), "/run/x")["ipam"]["dataDir"] == "/run/x"
    assert "dataDir" not in document["plugins"][0]["ipam"]


def test_host_ports_are_asked_of_who_knows_them() -> None:
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    assert expectations.maps_ports(conflist(conf(), portmap))
    assert not expectations.maps_ports(conflist(conf(), {"type": "portmap", "capabilities": {"portMappings": False}}))
    assert not expectations.maps_ports(conf())


def test_firewalld_is_left_alone() -> None:
    document = conflist(conf(), {"type": "firewall", "backend": "firewalld"}, {"type": "firewall"})
    assert expectations.heard(document)["plugins"] == [document["plugins"][0], document["plugins"][2]]
    assert expectations.unheard(document) == [
        "plugin firewall was not tried: it would change the firewalld of this node"
    ]


def test_a_release_is_a_number() -> None:
    assert expectations.release_number("v1.10.0") > expectations.release_number("v1.3.0")


@pytest.mark.parametrize("routes", [7, "x", [7, None, {}], {"dst": "0.0.0.0/0"}])
def test_routes_that_are_none_lead_nowhere(routes: t.Any) -> None:
    document = conf(routes, isGateway=True, capabilities=[1])
    assert [target["address"] for target in expectations.targets(document, "n1", [("p1", RESULT)])] == [
        "10.12.1.2",
        "10.12.1.1",
    ]
    assert not expectations.maps_ports(document)
