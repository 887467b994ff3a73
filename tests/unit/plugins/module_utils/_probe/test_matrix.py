# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is asked, what is expected, and how an answer is judged."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.echo import Cell, Source
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.matrix import (
    Options,
    Question,
    check,
    expected_source,
    is_asked,
    row,
)

POD = {"name": "probe1", "addresses": ["10.12.1.2"]}
OPTIONS = Options("node1", ["192.0.2.11", "2001:db8:1::11"], [], True, 9471, 2.0, 3)
PARAMS: dict[str, t.Any] = {
    "node": "node1",
    "addresses": [],
    "targets": [],
    "masquerade": True,
    "port": 9471,
    "timeout": 2.0,
    "tries": 3,
    "count": 2,
    "lifetime": 600,
}


def target(kind: str, address: str, node: str | None = None, pod: str | None = None) -> dict[str, t.Any]:
    return {"kind": kind, "address": address, "node": node, "pod": pod}


@pytest.mark.parametrize(
    ("pod", "asked", "expected"),
    [
        (POD, target("pod", "10.12.1.2", "node1", "probe1"), False),
        (POD, target("pod", "10.12.1.9", "node1", "probe10"), True),
        (POD, target("pod", "10.12.9.2", "node10", "probe1"), True),
        (POD, target("node", "192.0.2.11", "node1"), True),
        (POD, target("node", "2001:db8:1::11", "node1"), False),  # The pod has no IPv6 address.
        (None, target("node", "192.0.2.11", "node1"), False),
        (None, target("node", "192.0.2.20", "node10"), True),
        (None, target("outside", "203.0.113.1"), True),
    ],
)
def test_nobody_asks_itself(pod: dict[str, t.Any] | None, asked: dict[str, t.Any], expected: bool) -> None:
    assert is_asked("node1", pod, asked) is expected


@pytest.mark.parametrize(
    ("pod", "asked", "masquerade", "expected"),
    [
        (POD, target("pod", "10.12.2.2", "node2", "probe1"), True, "own"),
        (POD, target("node", "192.0.2.12", "node2"), True, "own"),
        (POD, target("outside", "203.0.113.1"), True, "192.0.2.11"),
        (POD, target("outside", "2001:db8:ffff::1"), True, "2001:db8:1::11"),
        (POD, target("outside", "203.0.113.1"), False, None),
        (None, target("outside", "203.0.113.1"), True, "own"),
    ],
)
def test_pods_are_seen_as_themselves_but_outside(
    pod: dict[str, t.Any] | None, asked: dict[str, t.Any], masquerade: bool, expected: str | None
) -> None:
    assert expected_source(OPTIONS._replace(masquerade=masquerade), pod, asked, "own") == expected


@pytest.mark.parametrize(
    ("kind", "answers", "error"),
    [
        ("pod", {"rtt": 0.0001, "seen": "10.12.1.2"}, None),
        ("pod", {"rtt": 0.0001}, "answers pings, but not the question (UDP) for the source address"),
        ("node", {"rtt": 0.0001}, None),
        ("node", {"rtt": 0.0001, "seen": "192.0.2.11"}, "saw the source address 192.0.2.11, not 10.12.1.2"),
        (
            "pod",
            {"seen": "10.12.1.2", "error": "no answer to 3 pings within 2 s each"},
            "no answer to 3 pings within 2 s each",
        ),
    ],
)
def test_an_answer_is_judged(kind: str, answers: dict[str, t.Any], error: str | None) -> None:
    cell = Cell(Source(None), "10.12.2.2", own="10.12.1.2", **answers)
    big = Cell(Source(None), "10.12.2.2", size=1500, rtt=0.0002)
    question = Question(POD, target(kind, "10.12.2.2", "node2", "probe1"), cell, big)
    found = row(OPTIONS, question, 1500)
    assert (found["ok"], found["error"]) == (error is None, error)
    assert found["rtt_ms"] == (0.1 if "rtt" in answers else None)


@pytest.mark.parametrize(
    ("rtt", "through", "error"),
    [
        (0.0002, 1500, None),
        (
            None,
            1450,
            "answers short pings, but not one of 1500 bytes, the full MTU, that nobody may fragment",
        ),
        (None, None, None),  # Nobody looked for it: a router outside takes less, which is its own affair.
    ],
)
def test_a_full_packet_must_come_through(rtt: float | None, through: int | None, error: str | None) -> None:
    small = Cell(Source(None), "10.12.2.2", own="10.12.1.2", rtt=0.0001, seen="10.12.1.2")
    big = Cell(Source(None), "10.12.2.2", size=1500, rtt=rtt)
    found = row(OPTIONS, Question(POD, target("pod", "10.12.2.2", "node2", "probe1"), small, big), through)
    assert (found["ok"], found["error"], found["mtu"]) == (error is None, error, through)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"tries": 0}, "tries: 0 is out of range; use 1 to 10"),
        ({"port": 65536}, "port: 65536 is out of range; use 1 to 65535"),
        ({"timeout": 0.0}, "timeout: 0.0 is out of range; use more than 0 and at most 60 seconds"),
        (
            {"addresses": ["node1"]},
            "addresses[0]: node1 is not an IP address; write it like 192.0.2.11 or 2001:db8::11",
        ),
        (
            {"targets": [target("node", "192.0.2.12/24")]},
            "targets[0].address: 192.0.2.12/24 is not an IP address; write it like 192.0.2.11 or 2001:db8::11",
        ),
    ],
)
def test_what_cannot_be_used(changed: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(OptionError) as caught:
        check({**PARAMS, **changed})
    assert str(caught.value) == sentence


def test_addresses_become_the_kernels_spelling() -> None:
    options = check({**PARAMS, "addresses": ["2001:DB8:1:0::11"], "targets": [target("node", "FD12:0::1")]})
    assert (options.addresses, options.targets[0]["address"]) == (["2001:db8:1::11"], "fd12::1")
