# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flags of dockerd and the keys that say the same."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._docker import options
from ansible_collections.mink8s.podnet.plugins.module_utils._units import Word


def flags(command: str) -> dict[str, options.Flag]:
    return options.flags([Word(word, "unit") for word in command.split()])


@pytest.mark.parametrize(
    ("command", "key", "value", "shown"),
    [
        ("dockerd -H fd:// --containerd=/run/c.sock", "hosts", "fd://", "-H fd://"),
        ("dockerd --host=fd://", "hosts", "fd://", "--host=fd://"),
        ("dockerd -Hfd://", "hosts", "fd://", "-Hfd://"),
        ("dockerd -b none", "bridge", "none", "-b none"),
        ("dockerd -b=none", "bridge", "none", "-b=none"),
        ("dockerd -D --iptables=false", "iptables", "false", "--iptables=false"),
        ("dockerd --live-restore --bridge br1", "bridge", "br1", "--bridge br1"),
        ("dockerd --live-restore --bridge br1", "live-restore", "true", "--live-restore"),
        ("dockerd --insecure-registry a", "insecure-registries", "a", "--insecure-registry a"),
        ("dockerd --add-runtime a=b", "runtimes", "a=b", "--add-runtime a=b"),
        ("dockerd --dns 192.0.2.1", "dns", "192.0.2.1", "--dns 192.0.2.1"),
        ("dockerd --log-opt max-size=1m", "log-opts", "max-size=1m", "--log-opt max-size=1m"),
    ],
)
def test_a_flag_has_its_key(command: str, key: str, value: str, shown: str) -> None:
    assert flags(command)[key] == options.Flag(shown, value, "unit")


def test_a_value_may_be_missing_at_the_end() -> None:
    assert flags("dockerd -D --bridge") == {
        "debug": options.Flag("-D", "true", "unit"),
        "bridge": options.Flag("--bridge", "true", "unit"),
    }


def test_a_million_words_take_seconds() -> None:
    started = time.monotonic()
    assert list(flags("dockerd" + " a" * 1_000_000 + " -b none")) == ["bridge"]
    assert time.monotonic() - started < 20


def test_a_key_is_not_a_flag_whose_name_contains_it() -> None:
    given = flags("dockerd --ip-masq --bridge-accept-fwmark 1 --containerd-namespace x")
    assert options.doubled({"ip": "192.0.2.1", "bridge": "none", "containerd": "/run/x"}, given) == []
    assert options.doubled({"ip-masq": False, "ip": "x"}, given) == ["ip-masq"]


def test_runtimes_may_be_in_both_places() -> None:
    assert options.doubled({"runtimes": {}, "hosts": []}, flags("dockerd --add-runtime a=b -H x")) == ["hosts"]


@pytest.mark.parametrize(
    ("key", "after", "expected"),
    [
        ("bridge", '"none"', True),
        ("iptables", None, True),
        ("labels", "[]", False),
        ("labels", None, True),
        ("features", None, False),
        ("live-restore", "true", False),
        ("log-opts", "{}", True),
    ],
)
def test_what_needs_a_restart(key: str, after: t.Optional[str], expected: bool) -> None:
    assert options.needs_restart(key, after) is expected


def test_what_is_in_force() -> None:
    given = flags("dockerd --iptables=false --bridge none --ipv6")
    data = {"bip": "192.0.2.1/24"}
    assert [options.in_force(key, data, given) for key in ("iptables", "bridge", "ipv6", "bip", "icc")] == [
        False,
        "none",
        True,
        "192.0.2.1/24",
        None,
    ]
    assert options.config_file(given) == "/etc/docker/daemon.json"
    assert options.config_file(flags("dockerd --config-file /srv/d.json")) == "/srv/d.json"
