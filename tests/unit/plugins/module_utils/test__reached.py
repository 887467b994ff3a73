# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom the ssh connection comes from, and by which address."""

from __future__ import annotations

import ipaddress
import json
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _ip, _reached
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Runner

ASK = "from ansible_collections.mink8s.podnet.plugins.module_utils import _reached\nprint(_reached.address())"


@pytest.mark.parametrize("connection", ["198.51.100.7 50000 192.0.2.11 22", "fe80::7%eth0 50000 192.0.2.11 22"])
def test_the_ssh_connection_is_found_through_sudo(connection: str) -> None:
    # As sudo does, the process in the middle drops the variable; only an ancestor still has it.
    command = [sys.executable, "-c", ASK]
    middle = f"import subprocess, os; e = dict(os.environ); del e['SSH_CONNECTION']; subprocess.run({command!r}, env=e)"
    environment = {"SSH_CONNECTION": connection, "PYTHONPATH": ":".join(sys.path)}
    output = subprocess.run([sys.executable, "-c", middle], env=environment, capture_output=True, text=True, check=True)
    assert output.stdout == "192.0.2.11\n"


@pytest.mark.parametrize("client", ["198.51.100.7", "fe80::7%eth0", "2001:db8::7"])
def test_the_way_to_the_controller_is_not_taken(client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_reached, "_environment", lambda _process: {"SSH_CONNECTION": f"{client} 50000 192.0.2.11 22"})
    bare = client.partition("%")[0]
    around = ipaddress.ip_network(f"{bare}/{64 if ':' in bare else 24}", strict=False)
    with pytest.raises(OptionError, match=f"^a: {around} has {bare}, which Ansible is connected from; "):
        _reached.require_way_back([("a", around)])
    _reached.require_way_back([("a", ipaddress.ip_network("198.51.101.0/24"))])


def test_without_ssh_every_way_may_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_reached, "_environment", lambda _process: {})
    _reached.require_way_back([("a", ipaddress.ip_network("0.0.0.0/0"))])


#: What ip(8) lists: a default route by two links, one by another, and what holds which address.
LISTINGS: dict[str, t.Any] = {
    "-4 route show default": [{"dst": "default", "nexthops": [{"dev": "br10"}, {"dev": "up0"}]}],
    "-6 route show default": [{"dst": "default", "gateway": "fe80::1", "dev": "up6"}, {"type": "unreachable"}],
    "address show": [
        {"ifname": "br1", "addr_info": [{"local": "192.0.2.111"}, {"local": "192.0.2.1"}]},
        {"ifname": "ssh1", "addr_info": [{"local": "192.0.2.11"}], "link": "ssh10"},
        {"ifname": "ssh10", "link": "card0"},
        {"ifname": "card0", "link_index": 7, "link_netnsid": 0},
        {"ifname": "br1.5", "link": "br1"},
        {"ifname": "bare"},
    ],
}


def an_ip(listings: dict[str, t.Any]) -> Runner:
    def run(args: list[str], _data: t.Optional[str] = None) -> tuple[int, str, str]:
        assert args[1:3] == ["-N", "-j"]
        found = listings[" ".join(args[3:])]
        return 0, found if isinstance(found, str) else json.dumps(found), ""

    return run


def test_the_links_of_default_routes_and_of_ssh_must_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_reached, "_connection", lambda: ["198.51.100.7", "50000", "192.0.2.11", "22"])
    monkeypatch.setattr(_ip, "find", lambda: "/sbin/ip")
    assert _reached.precious_by_ip(an_ip(LISTINGS)) == {
        "br10": "carries the default route",
        "up0": "carries the default route",
        "up6": "carries the default route",
        "ssh1": "carries 192.0.2.11, which Ansible is connected to",
        "ssh10": "carries ssh1, which carries 192.0.2.11, which Ansible is connected to",
        "card0": "carries ssh10, which carries ssh1, which carries 192.0.2.11, which Ansible is connected to",
    }


def test_a_link_has_one_reason_and_without_ssh_only_routes_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"br10": ["192.0.2.11"], "br1": ["192.0.2.12"]}
    monkeypatch.setattr(_reached, "_connection", lambda: ["198.51.100.7", "50000", "192.0.2.11", "22"])
    assert _reached.precious(["br10"], held, {"br1": "br10"}) == {"br10": "carries the default route"}
    monkeypatch.setattr(_reached, "_connection", list)
    assert _reached.precious([], {**held, "br2": ["None"]}, {}) == {}
    assert list(_reached.precious(["up0"], {}, {"up0": "up1", "up1": "up0"})) == ["up0", "up1"]


def test_an_ip_that_says_no_json_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ip, "find", lambda: "/sbin/ip")
    with pytest.raises(PodnetError, match=r"^ip address show: what it says is not JSON .*; see it, and "):
        _ip.objects(an_ip({"address show": "1: lo"}), "address", "show")


def test_of_a_link_local_address_the_link_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"eth0": ["fe80::1"], "eth0.10": ["fe80::1"], "eth1": ["fe80::2"]}
    monkeypatch.setattr(_reached, "_connection", lambda: ["fe80::7%eth0", "50000", "fe80::1%eth0", "22"])
    assert _reached.precious([], held, {}) == {"eth0": "carries fe80::1, which Ansible is connected to"}
    monkeypatch.setattr(_reached, "_connection", lambda: ["fe80::7", "50000", "fe80::1", "22"])
    assert list(_reached.precious([], held, {})) == ["eth0", "eth0.10"]
