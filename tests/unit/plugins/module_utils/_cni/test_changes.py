# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change means for pods that already run."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import changes, keys

BRIDGE: dict[str, t.Any] = {
    "type": "bridge",
    "bridge": "br1",
    "isGateway": True,
    "mtu": 1450,
    "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.12.1.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]},
}
LIST: dict[str, t.Any] = {"cniVersion": "1.0.0", "name": "net", "plugins": [BRIDGE]}
PORTMAP = {"type": "portmap", "capabilities": {"portMappings": True}}


def changed(ipam: t.Optional[dict[str, t.Any]] = None, **change: t.Any) -> dict[str, t.Any]:
    plugin = {**copy.deepcopy(BRIDGE), **change}
    plugin["ipam"].update(ipam or {})
    return {**LIST, "plugins": [{key: value for key, value in plugin.items() if value is not None}]}


@pytest.mark.parametrize(
    "after",
    [
        copy.deepcopy(LIST),
        dict(reversed(list(LIST.items()))),
        {"cniVersion": "1.0.0", "name": "net", **BRIDGE},
        changed(ipMasq=False),
        changed(vlan=0, capabilities={}),
        changed({"dataDir": "/var/lib/cni/networks"}),
    ],
)
def test_the_same_in_other_words(after: dict[str, t.Any]) -> None:
    assert changes.classify(LIST, after) == ("none", [])
    assert changes.classify(after, LIST) == ("none", [])


@pytest.mark.parametrize(
    ("after", "kind", "differing"),
    [
        ({**LIST, "disableCheck": True}, "live_safe", ["disableCheck"]),
        ({**LIST, "cniVersion": "0.4.0"}, "live_safe", ["cniVersion"]),
        (changed(dns={"domain": "x"}), "live_safe", ["bridge.dns"]),
        (changed({"resolvConf": "/x"}), "live_safe", ["bridge.ipam.resolvConf"]),
        ({**LIST, "plugins": [BRIDGE, {"type": "tuning"}]}, "live_safe", ["tuning"]),
        (changed(mtu=1400), "new_pods_only", ["bridge.mtu"]),
        (changed(mtu=None), "new_pods_only", ["bridge.mtu"]),
        (changed(hairpinMode=True), "new_pods_only", ["bridge.hairpinMode"]),
        (changed(ipMasq=True), "new_pods_only", ["bridge.ipMasq"]),
        (changed(portIsolation=True), "new_pods_only", ["bridge.portIsolation"]),
        (changed({"routes": []}), "new_pods_only", ["bridge.ipam.routes"]),
        ({**LIST, "plugins": [BRIDGE, PORTMAP]}, "new_pods_only", ["portmap"]),
        (changed({"ranges": [[{"subnet": "10.12.10.0/24"}]]}), "recycle_all", ["bridge.ipam.ranges"]),
        (changed(bridge="br10"), "recycle_all", ["bridge.bridge"]),
        (changed(bridge=None), "recycle_all", ["bridge.bridge"]),
        (changed(isGateway=False), "recycle_all", ["bridge.isGateway"]),
        (changed(vlan=7), "recycle_all", ["bridge.vlan"]),
        ({**LIST, "plugins": [{**BRIDGE, "type": "mine"}]}, "recycle_all", ["mine", "bridge"]),
        ({**LIST, "name": "net-1"}, "refuse", ["name"]),
        (changed({"type": "static"}), "refuse", ["bridge.ipam.type"]),
        (changed({"dataDir": "/run/cni"}, mtu=1400), "refuse", ["bridge.mtu", "bridge.ipam.dataDir"]),
    ],
)
def test_the_worst_key_makes_the_class(after: dict[str, t.Any], kind: str, differing: list[str]) -> None:
    assert changes.classify(LIST, after) == (kind, differing)


@pytest.mark.parametrize(
    ("before", "after", "kind", "differing"),
    [
        ([BRIDGE, PORTMAP], [BRIDGE], "recycle_all", ["portmap"]),
        ([BRIDGE, {"type": "tuning"}], [BRIDGE], "new_pods_only", ["tuning"]),
        ([BRIDGE, {"type": "tuning"}, PORTMAP], [BRIDGE, PORTMAP, {"type": "tuning"}], "new_pods_only", ["plugins"]),
        ([BRIDGE, PORTMAP], [BRIDGE, {**PORTMAP, "snat": True}], "none", []),
        ([BRIDGE, PORTMAP], [BRIDGE, {**PORTMAP, "snat": False}], "new_pods_only", ["portmap.snat"]),
        # What a key is that is not there depends on the release.
        ([BRIDGE], [{**BRIDGE, "preserveDefaultVlan": False}], "new_pods_only", ["bridge.preserveDefaultVlan"]),
        ([BRIDGE, PORTMAP], [BRIDGE, {**PORTMAP, "backend": "nftables"}], "recycle_all", ["portmap.backend"]),
        ([{"type": "mine"}], [{"type": "mine", "mtu": 1}], "recycle_all", ["mine.mtu"]),
        ([BRIDGE, {"type": "mine"}], [BRIDGE], "recycle_all", ["mine"]),
    ],
)
def test_chains(before: list[t.Any], after: list[t.Any], kind: str, differing: list[str]) -> None:
    found = changes.classify({**LIST, "plugins": before}, {**LIST, "plugins": after})
    assert found == (kind, differing)


@pytest.mark.parametrize("before", [None, [], "x", {}, {"plugins": {}}, {"plugins": [{"ipam": 3}]}])
def test_whatever_was_there_before(before: t.Any) -> None:
    assert changes.classify(before, LIST).kind == "refuse"


def test_every_class_is_of_a_key_that_exists() -> None:
    known = {key for table in keys.PLUGINS.values() for key in table}
    assert set(changes.PLUGIN) <= known
    assert set(changes.IPAM) <= set(keys.IPAM["host-local"])


@pytest.mark.parametrize("ipam", [7, [], "x", None])
def test_an_ipam_that_is_none_is_another_one(ipam: t.Any) -> None:
    plugin = {"type": "bridge", "ipam": {"type": "host-local"}}
    assert changes.classify({"plugins": [{**plugin, "ipam": ipam}]}, {"plugins": [plugin]}).kind == changes.REFUSE
    assert changes.classify({"plugins": [plugin]}, {"plugins": [{**plugin, "ipam": ipam}]}).kind == changes.REFUSE
    assert changes.classify({"plugins": [{}]}, {"plugins": [{"mtu": 7}]}).kind == changes.RECYCLE_ALL
