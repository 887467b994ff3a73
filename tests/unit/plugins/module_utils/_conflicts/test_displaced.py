# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files beside ours, the bridge's other address, and plugins that somebody changed."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._cni.loader import File
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts import displaced
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.claims import Claims

PATH = "/etc/cni/net.d/10-net.conflist"
CLAIMS = Claims(
    {
        "pod_cidrs": ["10.12.1.0/24"],
        "cluster_cidrs": [],
        "nodes": {},
        "self": None,
        "bridge": "br1",
        "addresses": ["10.12.1.1/24", "fd00:1::1/64"],
    }
)


def file(name: str, network: str = "net1", error: t.Optional[str] = None, **document: t.Any) -> File:
    return File(f"/etc/cni/net.d/{name}", "{}", {"name": network, **document}, error)


def test_only_other_networks_that_come_first_compete() -> None:
    files = [file("05-a.conf"), file("09-net.conf", "net"), file("10-net.conf", "net1"), file("10-net.conflist", "net")]
    found = displaced.competing(PATH, "net", [*files, file("11-z.conf", error="is not JSON")])
    assert [(each.grade, each.object) for each in found] == [
        ("stops", "/etc/cni/net.d/05-a.conf"),
        ("stops", "/etc/cni/net.d/10-net.conf"),
    ]
    broken = displaced.competing(PATH, "net", [file("05-a.conf", error="is not JSON")])
    assert "is not JSON, so that containerd loads nothing" in broken[0].what


def test_files_are_not_injected_where_ours_forbids_it() -> None:
    added = [file("net/1.conf")]
    assert [each.grade for each in displaced.injected(PATH, [], added)] == ["stops"]
    assert [each.grade for each in displaced.injected(PATH, [file("10-net.conflist")], added)] == ["stops"]
    assert displaced.injected(PATH, [file("10-net.conflist", loadOnlyInlinedPlugins=True)], added) == []


def test_a_bridge_with_pods_keeps_its_address() -> None:
    def judged(ports: list[str], *addresses: str) -> list[str]:
        return [
            each.grade for each in displaced.bridge_address(CLAIMS, [*map(ipaddress.ip_interface, addresses)], ports)
        ]

    assert judged(["veth1"]) == []
    assert judged(["veth1"], "10.12.1.1/24", "fd00:1::1/64", "fe80::1/64") == []
    assert judged(["veth1"], "10.12.10.1/24") == ["stops"]
    assert judged([], "10.12.10.1/24") == ["warns"]
    assert judged(["veth1"], "10.12.1.1/16") == ["stops"]
    assert judged(["veth1"], "10.12.1.1/24", "fd00:1::2/64") == ["stops"]


def test_replaced_and_lost_plugins() -> None:
    found = displaced.replaced({"/opt/cni/bin/bridge": True, "/opt/cni/bin/portmap": False})
    assert [each.what.partition(";")[0] for each in found] == [
        "/opt/cni/bin/bridge: is not the binary that module cni_plugins installed",
        "/opt/cni/bin/portmap: is gone, though module cni_plugins installed it",
    ]
