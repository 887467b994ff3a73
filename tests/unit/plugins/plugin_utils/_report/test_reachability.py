# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ways, pairs of nodes, and failures as a person tells them."""

from __future__ import annotations

import report_samples

from ansible_collections.mink8s.podnet.plugins.plugin_utils._report import findings, reachability


def ways(count: int, broken: set[tuple[str, str]]) -> list[reachability.Way]:
    return findings.all_ways(report_samples.inventory(count, broken=broken)[0])


def test_each_failure_stands_in_the_json_with_its_cause() -> None:
    found = reachability.summary(ways(3, {("node1", "node2")}))
    assert (found["ways"], found["failed"]) == (36, 4)
    assert found["failures"][0] == {
        "from": "node1",
        "to": "node2",
        "address": "192.0.2.12",
        "error": report_samples.NO_ANSWER,
        "cause": report_samples.CAUSE,
    }
    pair = next(pair for pair in found["pairs"] if (pair["from"], pair["to"]) == ("node1", "node2"))
    assert pair == {"from": "node1", "to": "node2", "ways": 4, "failed": 4, "median_ms": None, "slowest_ms": None}
    outside = next(pair for pair in found["pairs"] if pair["to"] == report_samples.OUTSIDE)
    assert (outside["failed"], outside["median_ms"]) == (0, 12.5)


def test_two_nodes_that_do_not_reach_each_other_are_one_line() -> None:
    (line,) = reachability.sentences(ways(4, {("node1", "node2")}))
    error = f"{report_samples.NO_ANSWER}; likely cause: {report_samples.CAUSE}"
    assert line == {"what": "node1 → node2", "ways": 4, "address": "", "error": error}


def test_of_ways_that_are_one_line_the_one_with_a_cause_is_told() -> None:
    nodes = report_samples.inventory(4, broken={("node1", "node2")})[0]
    rows = [row for row in nodes["node1"]["matrix"] if not row["ok"]]
    for row in rows[:-1]:
        row.update(cause=None)
    (line,) = reachability.sentences(findings.all_ways(nodes))
    told = f"{report_samples.NO_ANSWER}; likely cause: {report_samples.CAUSE}"
    assert line["error"] == f"{told} (and 1 other problem)"
    rows[0].update(error="cannot be sent: Network is unreachable")
    (line,) = reachability.sentences(findings.all_ways(nodes))
    assert line["error"] == f"{told} (and 2 other problems)"
    assert reachability.summary(findings.all_ways(nodes))["failures"][0]["cause"] is None


def test_a_single_way_has_its_ends_and_its_address() -> None:
    nodes = report_samples.inventory(3)[0]
    nodes["node10"] = {"matrix": [{**nodes["node1"]["matrix"][-1], "from": {"node": "node10", "pod": None}}]}
    row = next(row for row in nodes["node1"]["matrix"] if row["address"] == "10.12.2.2")
    row.update(ok=False, cause=None, error="saw the source address 192.0.2.11, not 10.12.1.2")
    (line,) = reachability.sentences(findings.all_ways(nodes))
    assert line["what"] == "node1 → node2/probe1"
    assert (line["address"], line["ways"]) == ("10.12.2.2", 1)
    assert line["error"] == "saw the source address 192.0.2.11, not 10.12.1.2"


def test_a_node_that_is_cut_off_is_two_lines_and_not_hundreds() -> None:
    names = [f"node{index}" for index in range(1, 11)]
    broken = {(name, "node1") for name in names[1:]} | {("node1", name) for name in [*names[1:], ""]}
    lines = reachability.sentences(ways(10, broken))
    assert [line["what"] for line in lines] == ["nobody else reaches node1", "node1 reaches nobody else"]
    assert sum(line["ways"] for line in lines) == 9 * 4 * 2 + 2


def test_names_that_contain_others_are_not_mixed_up() -> None:
    """node1 is cut off, node10 is not."""
    names = [f"node{index}" for index in range(1, 12)]
    lines = reachability.sentences(ways(11, {(name, "node1") for name in names[1:]}))
    assert [line["what"] for line in lines] == ["nobody else reaches node1"]
