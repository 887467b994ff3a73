# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The units' texts: what is run, in which order, and how words are quoted."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._boot import units
from ansible_collections.mink8s.podnet.plugins.module_utils._boot.options import Options, check
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

CREATE, BRIDGE = ["-/sbin/ip", "-batch", "/b.create"], ["/sbin/ip", "-force", "-batch", "/b"]
NAT, ROUTES = ["/sbin/nft", "-f", "/nat"], ["/sbin/ip", "-force", "-batch", "/r"]
DEFAULTS: dict[str, t.Any] = {
    "bridge": "br1",
    "loaders": [],
    "repeated_loaders": [],
    "interval": 30,
    "root": "/",
    "state": "present",
}


def options(**given: t.Any) -> Options:
    return check({**DEFAULTS, **given})


def commands(text: str, key: str = "ExecStart") -> list[str]:
    return re.findall(f"^{key}=(.*)$", text, re.MULTILINE)


def test_all_are_loaded_before_a_failure_counts_and_routes_count_elsewhere() -> None:
    texts = units.texts(options(loaders=[CREATE, BRIDGE, NAT], repeated_loaders=[ROUTES]))
    wanted = [
        "-/sbin/ip -batch /b.create",
        "-/sbin/ip -force -batch /b",
        "-/sbin/nft -f /nat",
        "-/sbin/ip -force -batch /r",
        "-/sbin/ip -batch /b.create",
        "/sbin/ip -force -batch /b",
        "/sbin/nft -f /nat",
    ]
    assert commands(texts["podnet.service"]) == wanted
    assert commands(texts["podnet.service"], "ExecReload") == wanted
    assert commands(texts["podnet-routes.service"]) == ["/sbin/ip -force -batch /r"]


def test_without_routes_there_is_no_timer_and_without_files_there_is_a_unit() -> None:
    texts = units.texts(options())
    assert list(texts) == ["podnet.service"]
    assert commands(texts["podnet.service"]) == ["/bin/true"]


def test_the_timer_has_the_interval_that_was_asked_for() -> None:
    timer = units.texts(options(repeated_loaders=[ROUTES], interval=7))["podnet-routes.timer"]
    assert "OnUnitInactiveSec=7\n" in timer


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("/etc/podnet/bridge", "/etc/podnet/bridge"),
        ("/100%", "/100%%"),
        ("/$HOME", "/$$HOME"),
        ("/a b", '"/a b"'),
        ('/a"b\\', '"/a\\"b\\\\"'),
        (";", '";"'),
    ],
)
def test_a_word_means_itself(word: str, quoted: str) -> None:
    text = units.texts(options(loaders=[["/sbin/nft", "-f", word]]))["podnet.service"]
    assert commands(text)[-1] == f"/sbin/nft -f {quoted}"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"bridge": "br/1"}, "bridge: br/1 is not an interface name"),
        ({"bridge": "br?"}, r"bridge: br\? could mean other links"),
        ({"interval": 3601}, "interval: 3601 is not a time between two looks; use 1 to 3600"),
        ({"root": "image"}, "root: image is not an absolute path; write it like /"),
        ({"loaders": [BRIDGE, ["ip", "-batch"]]}, r"loaders\[1\]: .* does not begin with the path of a program"),
        ({"loaders": [["/sbin/ip; rm"]]}, r"loaders\[0\]: .* does not begin with the path of a program"),
        ({"loaders": ["/sbin/ip"]}, r"loaders\[0\]: /sbin/ip does not begin with the path"),
        ({"repeated_loaders": [["/sbin/ip", ""]]}, r'repeated_loaders\[0\]\[1\]: "" is not a word'),
        ({"repeated_loaders": [["/sbin/ip", "a\nExecStart=/b"]]}, r"repeated_loaders\[0\]\[1\]: .* is not a word"),
    ],
)
def test_refusals(given: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        options(**given)


def test_what_is_to_go_is_not_checked() -> None:
    assert options(state="absent", bridge=None).bridge is None
