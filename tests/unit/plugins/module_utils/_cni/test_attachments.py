# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attachments and leases, from directories as libcni and host-local keep them."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import pathlib

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import attachments
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

CONFIG = {"cniVersion": "1.0.0", "name": "net", "plugins": [{"type": "bridge", "mtu": 1500}]}


def cache(directory: pathlib.Path, network: str, container: str, netns: str = "/proc/self/ns/net") -> None:
    entry = {
        "kind": "cniCacheV1",
        "containerId": container,
        "config": base64.b64encode(json.dumps({**CONFIG, "name": network}).encode()).decode(),
        "ifName": "eth0",
        "networkName": network,
        "netns": netns,
        "result": {"ips": [{"address": "10.12.1.2/24"}]},
    }
    (directory / f"{network}-{container}-eth0").write_text(json.dumps(entry))


def lend(data_dir: pathlib.Path, network: str, address: str, owner: str) -> None:
    (data_dir / network).mkdir(exist_ok=True)
    (data_dir / network / address).write_bytes(owner.encode())


def test_the_network_is_read_from_inside(tmp_path: pathlib.Path) -> None:
    cache(tmp_path, "net", "1-abc")
    cache(tmp_path, "net-1", "abc")
    assert (tmp_path / "net-1-abc-eth0").is_file()
    cache(tmp_path, "net", "def")
    found = attachments.attachments("net", [str(tmp_path), str(tmp_path / "none")])
    assert [entry.container_id for entry in found] == ["def"]
    assert found[0][:6] == ("def", "eth0", "/proc/self/ns/net", True, ["10.12.1.2/24"], CONFIG)
    assert found[0][6:] == ("", str(tmp_path / "net-def-eth0"))
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
    assert attachments.attachments("net", [str(tmp_path)]) == [("", "", "", False, [], None, "", str(tmp_path / "x"))]


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
    assert attachments.in_use(old, [attachments.Lease("10.12.1.2", "abc", "eth1")]) == ["abc"]
    assert attachments.in_use(old, []) == []


def test_leases_in_the_addresses_order(tmp_path: pathlib.Path) -> None:
    for address, owner in [("10.12.1.10", "b\r\neth0"), ("10.12.1.9", "a\r\neth0"), ("2001:db8::2", "a\r\neth0")]:
        lend(tmp_path, "net", address, owner)
    lend(tmp_path, "net", "10.12.1.11", "old")
    lend(tmp_path, "net", "last_reserved_ip.0", "10.12.1.11")
    lend(tmp_path, "net", "lock", "")
    lend(tmp_path, "net-1", "10.12.2.2", "c\r\neth0")
    assert attachments.leases("net", str(tmp_path)) == [
        ("10.12.1.9", "a", "eth0"),
        ("10.12.1.10", "b", "eth0"),
        ("10.12.1.11", "old", ""),
        ("2001:db8::2", "a", "eth0"),
    ]
    assert attachments.leases("ne", str(tmp_path)) == []


def test_who_would_be_orphaned(tmp_path: pathlib.Path) -> None:
    cache(tmp_path, "net", "alive")
    cache(tmp_path, "net", "dead", netns="/run/netns/gone")
    found = attachments.attachments("net", [str(tmp_path)])
    lent = [attachments.Lease("10.12.1.2", owner, "eth0") for owner in ("alive", "dead", "unknown")]
    assert attachments.in_use(found, lent) == ["alive", "unknown"]
    assert attachments.in_use([], []) == []


def test_stale_attachments_name_the_keys(tmp_path: pathlib.Path) -> None:
    cache(tmp_path, "net", "abc")
    found = attachments.attachments("net", [str(tmp_path)])
    assert attachments.stale(found, CONFIG) == []
    now = {**CONFIG, "plugins": [{"type": "bridge", "mtu": 1450}]}
    assert attachments.stale(found, now) == [
        {
            "container_id": "abc",
            "pod": "",
            "ifname": "eth0",
            "addresses": ["10.12.1.2/24"],
            "change_class": "new_pods_only",
            "keys": ["bridge.mtu"],
        }
    ]


def test_an_empty_store_goes(tmp_path: pathlib.Path) -> None:
    lend(tmp_path, "net", "lock", "")
    lend(tmp_path, "net", "last_reserved_ip.0", "10.12.1.11")
    lend(tmp_path, "net-1", "lock", "")
    assert attachments.housekeeping("net", str(tmp_path)) == ["last_reserved_ip.0", "lock"]
    attachments.remove_store("net", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["net-1"]
    assert attachments.housekeeping("net", str(tmp_path)) is None


@pytest.mark.parametrize("name", ["10.12.1.2", "2001:db8::2", "notes.txt"])
def test_a_store_with_more_in_it_stays(tmp_path: pathlib.Path, name: str) -> None:
    lend(tmp_path, "net", "lock", "")
    lend(tmp_path, "net", name, "a\r\neth0")
    assert attachments.housekeeping("net", str(tmp_path)) is None
    with pytest.raises(PodnetError, match="a pod got an address in this moment"):
        attachments.remove_store("net", str(tmp_path))
    assert {path.name for path in (tmp_path / "net").iterdir()} == {"lock", name}


def test_a_store_that_is_a_link_stays(tmp_path: pathlib.Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "net").symlink_to("elsewhere")
    assert attachments.housekeeping("net", str(tmp_path)) is None


def test_a_store_that_is_locked_stays(tmp_path: pathlib.Path) -> None:
    lend(tmp_path, "net", "lock", "")
    with open(tmp_path / "net" / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(PodnetError, match="run again when no pod starts"):
            attachments.remove_store("net", str(tmp_path))
