# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that bring a bridge back."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _ip
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import bridge_batch
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.bridge_options import check

OPTIONS: dict[str, t.Any] = {
    "name": "br1",
    "addresses": ["10.12.1.1/24", "2001:db8::1/64"],
    "exclusive_addresses": False,
    "mac": None,
    "mtu": "auto",
    "uplink": None,
    "ports": [{"name": "br10", "hairpin": True, "isolated": False}, {"name": "p", "hairpin": None, "isolated": None}],
    "stp": False,
    "netns": None,
    "persist": "/b",
    "state": "present",
}


def lines(attributes: dict[str, t.Any], ours: bool, **given: t.Any) -> dict[str, list[str]]:
    files = bridge_batch.desired(check({**OPTIONS, **given}), attributes, ours)
    return {name: text.splitlines()[1:] for name, text in files.items()}


def test_a_bridge_of_ours() -> None:
    assert lines({"mac": "0a:58:0a:0c:01:01", "mtu": 1450, "stp": False, "up": True}, ours=True) == {
        "file /b.create": [
            "link add name br1 address 0a:58:0a:0c:01:01 type bridge",
            "link set dev br1 alias podnet",
            "link set dev br1 mtu 1451",
        ],
        "file /b": [
            "link set dev br1 mtu 1450",
            "link set dev br1 type bridge stp_state 0",
            "link set dev br1 up",
            "address replace 10.12.1.1/24 dev br1",
            "address replace 2001:db8::1/64 dev br1 nodad",
            "link set dev br10 master br1",
            "link set dev br10 type bridge_slave hairpin on isolated off",
            "link set dev p master br1",
        ],
    }


def test_a_bridge_of_others_is_not_made_and_keeps_what_was_not_asked_for() -> None:
    assert lines({"up": True}, ours=False, stp=None, ports=[], addresses=[]) == {"file /b": ["link set dev br1 up"]}


def test_a_unit_does_not_fail_where_others_make_the_bridge_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ip, "find", lambda: "/sbin/ip")
    own = bridge_batch.desired(check(OPTIONS), {"mac": "0a:58:0a:0c:01:01"}, True)
    settings = ["/sbin/ip", "-force", "-batch", "/b"]
    assert bridge_batch.loaders(own, "/b") == [["-/sbin/ip", "-batch", "/b.create"], settings]
    theirs = bridge_batch.desired(check(OPTIONS), {}, False)
    assert bridge_batch.loaders(theirs, "/b") == [["-/sbin/ip", *settings[1:]]]


def test_without_a_file_there_is_nothing_to_load() -> None:
    assert lines({"mac": "0a:58:0a:0c:01:01"}, ours=True, persist=None) == {}
    assert bridge_batch.loaders({}, None) == []
    assert bridge_batch.loaders({}, "/b") == []
