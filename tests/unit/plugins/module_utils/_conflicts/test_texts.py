# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of other software: name servers, Docker's pools, nft's scripts, NetworkManager, firewalld's zones."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts import texts


def test_name_servers_but_the_nodes_own() -> None:
    text = (
        "# nameserver 10.0.0.1\nnameserver 127.0.0.53\n  nameserver\t10.0.0.2\nnameserver fe80::1%eth0\nnameserver x\n"
        "nameserver ::1\nnameserver 2001:db8::53\noptions edns0\n"
    )
    assert list(map(str, texts.name_servers(text))) == ["10.0.0.2", "fe80::1", "2001:db8::53"]


def pools(text: str) -> list[tuple[str, str, bool]]:
    return [(pool.key, str(pool.network), pool.chosen) for pool in texts.docker_pools(text)]


def test_docker_takes_what_is_written_or_its_defaults() -> None:
    chosen = '{"bip": "10.12.1.5/24", "default-address-pools": [{"base": "10.13.0.0/16", "size": 24}, 1, {"size": 24}]}'
    assert pools(chosen) == [("bip", "10.12.1.0/24", True), ("default-address-pools", "10.13.0.0/16", True)]
    assert pools("")[0] == ("default-address-pools", "172.17.0.0/16", False)
    assert [each[1] for each in pools("")][-2:] == ["172.31.0.0/16", "192.168.0.0/16"]
    assert pools('{"bip": "10.12.1.5/24"}')[:2] == [
        ("bip", "10.12.1.0/24", True),
        ("default-address-pools", "172.17.0.0/16", False),
    ]


def test_docker_without_a_bridge_takes_only_what_is_written() -> None:
    assert pools('{"bridge": "none"}') == []
    assert pools('{"bridge": "none", "bip": "10.12.1.5/24", "default-address-pools": [{"base": "10.13.0.0/16"}]}') == [
        ("default-address-pools", "10.13.0.0/16", True)
    ]


@pytest.mark.parametrize("text", ["{", "[]", '{"bip": 5}', '{"bip": "docker"}', "[" * 100000])
def test_a_broken_daemon_json_says_nothing(text: str) -> None:
    assert not [pool for pool in texts.docker_pools(text) if pool.chosen]


@pytest.mark.parametrize(
    ("script", "flushes"),
    [
        ("#!/usr/sbin/nft -f\n\nflush ruleset\n\ntable inet filter {\n}\n", True),
        ("add table ip x; flush  ruleset;", True),
        ("flush ruleset inet", True),
        ("flush ruleset ip6 # all", True),
        ("flush ruleset bridge", False),
        ("# flush ruleset", False),
        ("table x { # a\n}\n  flush ruleset", True),
        ('add rule ip x y comment "; # " ; flush ruleset', True),
        ('add rule ip x y comment "flush ruleset"', False),
        ("flush table inet x\n", False),
        ("flush rulesets", False),
    ],
)
def test_scripts_that_flush_all_rules(script: str, flushes: bool) -> None:
    assert texts.flushes(script) is flushes


def test_includes() -> None:
    script = "include \"/etc/nftables.d/*.nft\"\n# include '/no'\ninclude 'rules.nft'; include \"a b\"\n"
    assert texts.includes(script) == ["/etc/nftables.d/*.nft", "/etc/rules.nft", "/etc/a b"]


def test_network_manager_adds_up_its_files() -> None:
    files = [
        "[main]\nunmanaged-devices=type:bridge\n[keyfile]\nunmanaged-devices=interface-name:a\n",
        "[keyfile]\n# unmanaged-devices=*\nunmanaged-devices += interface-name:br1;interface-name:veth*,\n",
        "[keyfile]\nunmanaged-devices-=interface-name:a\n",
    ]
    assert texts.unmanaged_devices(files) == ["interface-name:br1", "interface-name:veth*"]
    assert texts.unmanaged_devices([*files, "[keyfile]\nunmanaged-devices=\n"]) == []


@pytest.mark.parametrize(
    ("specs", "unmanaged"),
    [
        ([], False),
        (["interface-name:br1"], True),
        (["interface-name:br10"], False),
        (["interface-name:br*"], True),
        (["interface-name:=br*"], False),
        (["interface-name:=br1"], True),
        (["type:bridge"], True),
        (["type:veth"], False),
        (["*"], True),
        (["*", "except:interface-name:br1"], False),
        (["*", "except:interface-name:br10"], True),
        (["mac:52:54:00:00:00:01"], False),
    ],
)
def test_which_links_network_manager_leaves_alone(specs: list[str], unmanaged: bool) -> None:
    assert texts.is_unmanaged(specs, "br1", "bridge") is unmanaged


def test_only_zones_that_accept_everything_are_trusted() -> None:
    trusting = '<zone target="ACCEPT">\n<!-- <source address="10.13.0.0/16"/> -->\n<source address="10.12.1.0/24"/>\n'
    other = '<zone><interface name="br1"/><source address="10.14.0.0/16"/></zone>'
    sources, interfaces = texts.trusted([trusting + '<source ipset="x"/><interface name="br10"/></zone>', other])
    assert list(map(str, sources)) == ["10.12.1.0/24"]
    assert interfaces == ["br10"]


@pytest.mark.parametrize(
    "read",
    [
        lambda text: texts.trusted([text]),
        texts.flushes,
        texts.includes,
        texts.name_servers,
        texts.docker_pools,
        lambda text: texts.unmanaged_devices([text]),
    ],
)
@pytest.mark.parametrize(
    "piece", ["\n", " ", "<!--", "<zone ", "<source ", '"', "#", "{", ";", "\n[", "nameserver ", "flush "]
)
def test_whatever_repeats_itself_takes_no_time_that_grows_with_its_square(
    read: t.Callable[[str], t.Any], piece: str
) -> None:
    started = time.process_time()
    read(piece * (1_000_000 // len(piece)))
    assert time.process_time() - started < 10
