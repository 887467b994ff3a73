# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables and maps of who reaches whom."""

from __future__ import annotations

import re
import typing as t

import pytest
import report_samples

from ansible_collections.mink8s.podnet.plugins.plugin_utils._report import findings, heatmap


def picture(count: int, pods: int = 1, **values: t.Any) -> dict[str, t.Any]:
    (found,) = heatmap.pictures(findings.all_ways(report_samples.inventory(count, pods, **values)[0]), {})
    return found


@pytest.mark.parametrize(
    ("milliseconds", "heat"), [(None, 0), (0.01, 0), (0.2, 0), (0.21, 1), (1, 2), (5, 4), (20, 5), (1000, 6)]
)
def test_heat(milliseconds: float | None, heat: int) -> None:
    assert heatmap.heat(milliseconds) == heat
    assert heat < len(heatmap.legend())


@pytest.mark.parametrize(("milliseconds", "words"), [(0.054, "0.05"), (9.99, "9.99"), (12.34, "12.3"), (412.7, "413")])
def test_number(milliseconds: float, words: str) -> None:
    assert heatmap.number(milliseconds) == words


def test_few_nodes_have_a_cell_for_each_way() -> None:
    found = picture(3, pods=2, broken={("node1", "node3")})
    assert found["groups"][:2] == [{"name": "node1", "span": 3}, {"name": "node2", "span": 3}]
    assert [head["name"] for head in found["heads"]][:3] == ["node", "probe1", "probe2"]
    assert found["heads"][-1]["name"] == report_samples.OUTSIDE
    assert [line["name"] for line in found["lines"]][:4] == ["node1", "node1/probe1", "node1/probe2", "node2"]
    cells = found["lines"][0]["cells"]
    assert [cell["state"] for cell in cells] == ["unasked", *["ok"] * 5, *["failed"] * 3, "ok"]
    problem = f"{report_samples.NO_ANSWER}; likely cause: {report_samples.CAUSE}"
    assert cells[-2]["title"] == f"node1 → node3/probe2 (10.12.3.3): {problem}"


def test_both_families_have_a_table() -> None:
    nodes = report_samples.inventory(2)[0]
    rows = nodes["node1"]["matrix"]
    rows += [{**row, "address": "2001:db8::1"} for row in rows]
    assert [found["title"] for found in heatmap.pictures(findings.all_ways(nodes), {})] == ["IPv4", "IPv6"]


def test_more_nodes_have_a_cell_for_each_pair() -> None:
    found = picture(12, broken={("node1", "node12")})
    cell = found["lines"][0]["cells"][11]
    assert (cell["state"], cell["words"], cell["title"]) == ("failed", "4/4", "node1 → node12: 4 of 4 ways fail")
    assert found["lines"][1]["cells"][1]["title"] == "node2 → node2: 0.05 ms in the median of 2 ways"


def area(path: str) -> int:
    return sum(int(length) for length in re.findall(r"h(\d+)v1", path))


def test_a_map_has_every_cell_once() -> None:
    found = picture(40, broken={("node1", "node2"), ("node7", "node40")})
    assert (found["form"], found["columns"], found["rows"]) == ("map", 41, 40)
    assert area(found["bad_path"]) == 2
    assert sum(area(heat["path"]) for heat in found["heats"]) + 2 == 40 * 41
    assert [(mark["x"], mark["y"]) for mark in found["bad"]] == [(1, 0), (39, 6)]
    assert found["bad"][0]["title"] == "node1 → node2: 4 of 4 ways fail"
    named = {label["name"] for label in found["labels"] if label["grade"] == "badname"}
    assert named == {"node1", "node7"}
    assert found["lines"][0]["words"].startswith("from node1: 156 of 160 ways work, ")


def test_a_node_that_is_cut_off_does_not_mark_all_the_others() -> None:
    names = [f"node{index}" for index in range(1, 41)]
    found = picture(40, broken={(name, "node3") for name in names} | {("node3", name) for name in names})
    assert (found["bad_rows"], found["bad_columns"]) == ([2], [2])


def test_nodes_that_pinged_nothing_have_a_line() -> None:
    ways = findings.all_ways(report_samples.inventory(40)[0])
    (found,) = heatmap.pictures(ways, {"away": "not asked"})
    assert found["silent"] == [{"y": 40, "name": "away", "why": "not asked"}]
    assert {"y": 40, "name": "away", "grade": "silentname"} in found["labels"]


def test_nothing_to_show() -> None:
    assert heatmap.pictures([], {"node1": "not asked"}) == []
