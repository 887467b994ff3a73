# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attachments and leases, from directories as libcni and host-local keep them."""

from __future__ import annotations

import base64
import json
import os
import pathlib

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import attachments
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.store import Lease

CONFIG = {"cniVersion": "1.0.0", "name": "net", "plugins": [{"type": "bridge", "mtu": 1500}]}


def cache(directory: pathlib.Path, network: str, container: str, netns: str = "/proc/self/ns/net") -> None:
    entry = {
        "kind": "cniCacheV1",
        "containerId": container,
        "config": base64.b64encode(json.dumps({**CONFIG, "name": network}).encode()).decode(),
        "ifName": "eth0",
        "networkName": network,
        "netns": netns,
        "cniArgs": [["IgnoreUnknown", "1"], ["K8S_POD_NAMESPACE", "default"], ["K8S_POD_NAME", "web-0"]],
        "result": {
            "ips": [{"address": "10.12.1.2/24"}],
            "interfaces": [
                {"name": "br1", "mac": "0a:58:0a:0c:01:01"},
                {"name": "veth1", "mac": "0a:58:0a:0c:01:0f"},
                {"name": "eth0", "mac": "0A:58:0A:0C:01:02", "sandbox": netns},
            ],
        },
    }
    (directory / f"{network}-{container}-eth0").write_text(json.dumps(entry))


def test_the_network_is_read_from_inside(tmp_path: pathlib.Path) -> None:
    cache(tmp_path, "net", "1-abc")
    cache(tmp_path, "net-1", "abc")
    assert (tmp_path / "net-1-abc-eth0").is_file()
    cache(tmp_path, "net", "def")
    found = attachments.attachments("net", [str(tmp_path), str(tmp_path / "none")])
    assert [entry.container_id for entry in found] == ["def"]
    assert found[0][:6] == ("def", "eth0", "/proc/self/ns/net", True, ["10.12.1.2/24"], CONFIG)
    assert found[0][6:9] == ("default/web-0", str(tmp_path / "net-def-eth0"), "net")
    assert found[0].well_named
    found = attachments.attachments("net-1", [str(tmp_path)])
    assert [entry.container_id for entry in found] == ["abc"]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "[" * 100000, '{"kind": "x"}', '{"cniVersion": "0.4.0", "ips": []}', '{"networkName": "net"}'],
)
def test_files_that_are_no_cache_entries(tmp_path: pathlib.Path, content: str) -> None:
    (tmp_path / "net-abc-eth0").write_text(content)
    os.mkfifo(tmp_path / "net-def-eth0")
    assert attachments.attachments("net", [str(tmp_path)]) == []


def test_entries_whose_inside_is_wrong(tmp_path: pathlib.Path) -> None:
    entry = {"kind": "cniCacheV1", "networkName": "net", "config": "***", "result": {"ips": [3, {}]}, "netns": None}
    (tmp_path / "x").write_text(json.dumps(entry))
    found = attachments.attachments("net", [str(tmp_path)])
    assert found == [("", "", "", False, [], None, "", str(tmp_path / "x"), "net", None, [])]
    assert not found[0].well_named


@pytest.mark.parametrize(
    ("arguments", "pod"),
    [
        (
            [["IgnoreUnknown", "1"], ["K8S_POD_NAMESPACE", "dns"], ["K8S_POD_NAME", "a-1"], ["K8S_POD_NAME_2", "b"]],
            "dns/a-1",
        ),
        ([["K8S_POD_NAMESPACE", "dns"]], ""),
        ([["K8S_POD_NAME"], "K8S_POD_NAME", 3], ""),
        ({"K8S_POD_NAME": "a"}, ""),
        (None, ""),
    ],
)
def test_the_pod_is_what_the_runtime_said(tmp_path: pathlib.Path, arguments: object, pod: str) -> None:
    entry = {"kind": "cniCacheV1", "networkName": "net", "cniArgs": arguments}
    (tmp_path / "x").write_text(json.dumps(entry))
    assert [found.pod for found in attachments.attachments("net", [str(tmp_path)])] == [pod]


def test_the_namespace_where_older_releases_keep_it(tmp_path: pathlib.Path) -> None:
    interfaces = [
        {"name": "br1"},
        {"name": "eth10", "sandbox": "/run/netns/ten"},
        {"name": "eth1", "sandbox": "/proc/self/ns/net"},
        3,
    ]
    entry = {"kind": "cniCacheV1", "networkName": "net", "containerId": "abc", "ifName": "eth1"}
    (tmp_path / "x").write_text(json.dumps({**entry, "result": {"interfaces": interfaces}}))
    (found,) = attachments.attachments("net", [str(tmp_path)])
    assert (found.netns, found.alive) == ("/proc/self/ns/net", True)
    # Of the oldest nobody knows; whoever has a lease may be there.
    (tmp_path / "x").write_text(json.dumps({**entry, "result": {"interfaces": {}}}))
    old = attachments.attachments("net", [str(tmp_path)])
    assert (old[0].netns, old[0].alive) == ("", False)
    assert attachments.in_use(old, [Lease("10.12.1.2", "abc", "eth1")]) == ["abc"]
    assert attachments.in_use(old, []) == []


def test_who_would_be_orphaned(tmp_path: pathlib.Path) -> None:
    cache(tmp_path, "net", "alive")
    cache(tmp_path, "net", "dead", netns="/run/netns/gone")
    found = attachments.attachments("net", [str(tmp_path)])
    lent = [Lease("10.12.1.2", owner, "eth0") for owner in ("alive", "dead", "unknown")]
    assert attachments.in_use(found, lent) == ["alive", "unknown"]
    assert attachments.in_use([], []) == []


def test_stale_attachments_name_the_keys(tmp_path: pathlib.Path) -> None:
    cache(tmp_path, "net", "abc")
    found = attachments.attachments("net", [str(tmp_path)])
    assert attachments.stale(found, CONFIG) == []
    gone = [entry._replace(netns="/run/netns/gone", alive=False) for entry in found]
    assert attachments.stale(gone, {}) == []
    now = {**CONFIG, "plugins": [{"type": "bridge", "mtu": 1450}]}
    assert attachments.stale(found, now) == [
        {
            "container_id": "abc",
            "pod": "default/web-0",
            "ifname": "eth0",
            "addresses": ["10.12.1.2/24"],
            "change_class": "new_pods_only",
            "changed_keys": ["bridge.mtu"],
        }
    ]


def test_what_the_runtime_and_the_plugins_told(tmp_path: pathlib.Path) -> None:
    cache(tmp_path, "net", "abc")
    entry = attachments.attachments("net", [str(tmp_path)])[0]
    assert entry.pod == "default/web-0"
    assert (entry.mac, entry.host_links) == ("0a:58:0a:0c:01:02", ["br1", "veth1"])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cniArgs", "K8S_POD_NAME"),
        ("cniArgs", [["K8S_POD_NAME"], 3, {}]),
        ("result", []),
        ("result", {"interfaces": [3, {"name": ""}], "ips": {}}),
        ("netns", "/run/netns/\0"),
        ("netns", ["/run"]),
        ("config", None),
        ("config", "W10="),
    ],
)
def test_entries_with_something_unexpected_inside(tmp_path: pathlib.Path, key: str, value: object) -> None:
    cache(tmp_path, "net", "abc")
    path = tmp_path / "net-abc-eth0"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    found = attachments.cache([str(tmp_path)])
    assert found.unreadable == []
    assert [entry.container_id for entry in found.entries] == ["abc"]


def test_files_that_cannot_be_read_are_named(tmp_path: pathlib.Path) -> None:
    cache(tmp_path, "net", "abc")
    os.mkfifo(tmp_path / "net-fifo-eth0")
    (tmp_path / "net-link-eth0").symlink_to("net-abc-eth0")
    (tmp_path / "net-directory-eth0").mkdir()
    (tmp_path / "net-broken-eth0").write_text("{")
    with open(tmp_path / "net-huge-eth0", "wb") as file:
        file.truncate(100 * 1024 * 1024)
    # One directory by two ways is read once.
    (tmp_path.parent / f"{tmp_path.name}-link").symlink_to(tmp_path)
    found = attachments.cache([str(tmp_path), f"{tmp_path}-link"])
    names = ["net-broken-eth0", "net-directory-eth0", "net-fifo-eth0", "net-huge-eth0", "net-link-eth0"]
    assert [os.path.basename(path) for path in found.unreadable] == names
    assert [entry.container_id for entry in found.entries] == ["abc"]


def test_a_file_of_another_name_is_not_what_libcni_writes(tmp_path: pathlib.Path) -> None:
    cache(tmp_path, "net", "abc")
    path = tmp_path / "net-abc-eth0"
    entry = json.loads(path.read_text())
    path.write_text(json.dumps({**entry, "containerId": "../../abc"}))
    assert not attachments.attachments("net", [str(tmp_path)])[0].well_named
