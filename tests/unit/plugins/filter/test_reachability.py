# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who reaches whom, as a person reads it."""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.filter.reachability import FilterModule, reachability


def row(sender: str, target: str, address: str, rtt: float | None = 0.1, **values: t.Any) -> dict[str, t.Any]:
    """An entry of a matrix; ``node1/probe1`` is a pod, ``node1`` a node and "" the outside."""
    ends = [end.partition("/") for end in (sender, target)]
    kind = "pod" if "/" in target else "node" if target else "outside"
    return {
        "from": {"node": ends[0][0], "pod": ends[0][2] or None},
        "to": {"node": ends[1][0] or None, "pod": ends[1][2] or None, "kind": kind},
        "address": address,
        "ok": rtt is not None,
        "rtt_ms": rtt,
        "source": "10.12.1.2" if rtt else None,
        "expected_source": "10.12.1.2",
        "error": None if rtt else "no answer to 3 pings within 2 s each",
        **values,
    }


ROWS = [
    row("node1", "node10", "192.0.2.20", 0.25, source="192.0.2.11"),
    row("node1", "node1/probe1", "10.12.1.2", 123.4, source="10.12.1.1"),
    row("node1/probe1", "node1", "192.0.2.11", 0.5),
    row("node1/probe1", "node10", "192.0.2.20", None),
    row("node1/probe1", "", "203.0.113.1", 0.75, source="192.0.2.11"),
    row("node10", "node1", "192.0.2.11", 1.0, source="192.0.2.20"),
    row("node10", "node1/probe1", "10.12.1.2", 0.1, ok=False, error="saw the source address 10.99.0.1, not 192.0.2.20"),
]


def test_a_line_for_each_source_and_a_column_for_each_target() -> None:
    found = reachability(ROWS)
    assert found["table"] == [
        "IPv4: round-trip times in milliseconds, and the source addresses that the far ends saw",
        "                 node1    probe1    node10  203.0.113.1  seen as",
        "node1                .       123      0.25            .  10.12.1.1, 192.0.2.11",
        "node1/probe1      0.50         .    FAILED         0.75  10.12.1.2, outside 192.0.2.11",
        "node10            1.00    FAILED         .            .  192.0.2.20, 10.12.1.2",
        "5 of 7 ways work",
        "FAILED from node1/probe1 to node10 (192.0.2.20): no answer to 3 pings within 2 s each",
        "FAILED from node10 to node1/probe1 (10.12.1.2): saw the source address 10.99.0.1, not 192.0.2.20",
    ]
    assert found["failures"] == found["table"][-2:]
    assert found["entries"] == 7


def test_a_failure_has_its_likely_cause() -> None:
    found = reachability(
        [row("node1", "node2", "192.0.2.12", None, error="no answer", cause="no route: node1 has none to 192.0.2.12")]
    )
    assert found["failures"] == [
        "FAILED from node1 to node2 (192.0.2.12): no answer; likely cause: no route: node1 has none to 192.0.2.12"
    ]


def test_each_family_has_its_table() -> None:
    found = reachability([row("node1", "node2", "192.0.2.12"), row("node1", "node2", "2001:db8:1::12")])
    assert [line[:5] for line in found["table"] if line.startswith("IPv")] == ["IPv4:", "IPv6:"]


def test_many_nodes_get_a_line_each_and_every_failure_is_named() -> None:
    found = reachability(ROWS, wide=1)
    assert found["table"][1:] == [
        "            ways      work    median   slowest  seen as",
        "node1          5         4      0.75       123  192.0.2.11, 10.12.1.1, 10.12.1.2, outside 192.0.2.11",
        "node10         2         1      1.00      1.00  192.0.2.20, 10.12.1.2",
        "5 of 7 ways work",
        *found["failures"],
    ]


def test_a_node_that_reaches_nobody_has_no_times() -> None:
    found = reachability([row("node1", "node2", "192.0.2.12", None)], wide=0)
    assert found["table"][2].split() == ["node1", "1", "0", "-", "-"]


def test_nothing_was_tried() -> None:
    assert reachability([]) == {"table": ["0 of 0 ways work"], "failures": [], "entries": 0}


def test_the_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"reachability": reachability}
