# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page, as text; tests/browser looks at it."""

from __future__ import annotations

import html.parser
import re
import typing as t

import pytest
import report_samples

from ansible_collections.mink8s.podnet.plugins.plugin_utils._report import findings, page

Data = t.Dict[str, t.Any]


class Tags(html.parser.HTMLParser):
    """The tags of a page and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))


def render(nodes: Data, controller: Data, title: str = "Pods") -> str:
    ways = findings.all_ways(nodes)
    report = findings.report(nodes, controller, ways, title=title, generated="2026-11-25T10:00:00Z")
    return page.render(report, ways, "podnet-report.json")


def evil(value: t.Any) -> t.Any:
    """The same with every text replaced by an evil one, but for those that are read as what they are."""
    if isinstance(value, dict):
        keep = ("verdict", "change_class", "grade", "generated", "effect")
        return {key: item if key in keep else evil(item) for key, item in value.items()}
    if isinstance(value, list):
        return [evil(item) for item in value]
    return f"{value}{report_samples.EVIL}" if isinstance(value, str) else value


@pytest.mark.parametrize("count", [3, 10, 30])
def test_no_value_becomes_a_tag_or_an_attribute(count: int) -> None:
    nodes, controller = report_samples.troubled(count)
    nodes["node1"]["problems"] = ["a plan failed"]
    for node in nodes.values():
        for row in node.get("matrix", []):
            row.update(error=evil(row["error"]), cause=evil(row["cause"]), address=evil(row["address"]))
            row["from"], row["to"] = evil(row["from"]), {**evil(row["to"]), "kind": row["to"]["kind"]}
    named = {
        f"{name}{report_samples.EVIL}": {**evil(node), "matrix": node.get("matrix")} for name, node in nodes.items()
    }
    owned = {f"{name}{report_samples.EVIL}": node for name, node in controller["nodes"].items()}
    text = render(named, {**controller, "nodes": owned, "problem": report_samples.EVIL}, report_samples.EVIL)
    tags = Tags(text).tags
    assert {"script", "img", "iframe", "link", "object"}.isdisjoint(tag for tag, _attributes in tags)
    names = {name for _tag, attributes in tags for name, _value in attributes}
    assert not [name for name in names if name.startswith("on") or name in ("src", "style", "xlink:href")]
    assert {
        value for _tag, attributes in tags for name, value in attributes if name == "href" and value[:1] != "#"
    } == set()
    assert text.count("</style>") == 1
    assert "49" not in re.findall(r"'(\d+)", text)  # nobody worked out 7 * 7


def test_the_policy_allows_the_one_style_sheet_only() -> None:
    text = render(*report_samples.inventory(2))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert policy[1].startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert "url(" not in text
    assert "@import" not in text


def verdict(nodes: Data, controller: Data) -> tuple[str, str]:
    ways = findings.all_ways(nodes)
    return page.verdict(findings.report(nodes, controller, ways, title="", generated=""))


def test_verdict() -> None:
    assert verdict(*report_samples.inventory(3)) == ("good", "All is well: 3 of 3 nodes asked, 36 ways work")
    grade, words = verdict(*report_samples.troubled(3))
    assert grade == "bad"
    assert words.split("; ") == [
        "1 node cannot be reached",
        "4 of 24 ways fail",
        "1 conflict stops pods",
        "1 node has drifted",
        "1 pod is stale",
        "1 thing has leaked",
        "1 warning",
    ]
    assert verdict({}, {}) == ("warn", "The inventory has no nodes")
    assert verdict({}, {"problem": "x"}) == ("bad", "the pod CIDRs are not known")


def test_a_warning_of_many_nodes_is_one() -> None:
    nodes, controller = report_samples.inventory(10)
    for node in nodes.values():
        node["foreign"] = [report_samples.RULE]
    assert verdict(nodes, controller) == ("warn", "1 warning")
    text = render(nodes, controller)
    assert text.count('<li class="conflict">') == 1
    assert "node1, node2, node3 and 7 more" in text


@pytest.mark.parametrize("count", [3, 30])
def test_the_likely_cause_stands_above_the_map(count: int) -> None:
    text = render(*report_samples.inventory(count, broken={("node1", "node2")}))
    start, end = (text.index(mark) for mark in ('id="failures"', '<svg class="map"' if count > 18 else "<table"))
    assert f"likely cause: {report_samples.CAUSE}" in text[start:end]


def test_nobody_was_asked() -> None:
    """No section says that nothing is wrong where nobody was asked."""
    text = render({"node1": {"unreachable": True}}, {})
    assert text.count("No node was asked.") == 3
    assert "Nobody was asked to ping." in text
    assert "cannot be reached" in text


def test_ways_that_work_are_known_also_where_something_else_could_not_be_asked() -> None:
    nodes, controller = report_samples.inventory(3)
    text = render({name: {**node, "problems": ["not compared"]} for name, node in nodes.items()}, controller)
    ways = text[text.index('id="reachability"') : text.index('id="drift"')]
    assert "No node was asked." not in ways
    assert "ways work." in ways


def test_an_empty_inventory_has_a_page() -> None:
    assert "The inventory has no nodes" in render({}, {})


def test_200_nodes_are_less_than_2_megabytes() -> None:
    nodes, controller = report_samples.troubled(200)
    for node in nodes.values():
        node["plans"] = {"pod_network": [report_samples.ACTION] * 5}
    assert len(render(nodes, controller).encode()) < 2_000_000


def test_200_nodes_that_all_fail_are_less_than_2_megabytes() -> None:
    names = [f"node{index}" for index in range(1, 201)]
    # Every other pair, so that no two cells side by side are one rectangle.
    broken = {(a, b) for x, a in enumerate(names) for y, b in enumerate(names) if (x + y) % 2}
    assert len(render(*report_samples.inventory(200, broken=broken)).encode()) < 2_000_000


def test_cidrs_that_are_none_are_left_out() -> None:
    """What is wrong with them is the controller's problem, which stands in the page."""
    nodes, controller = report_samples.inventory(1)
    controller["nodes"]["node1"]["pod_cidrs"] = ["10.12.1.0/33"]
    text = render(nodes, {**controller, "cluster_cidrs": ["10.12.0.0/33", "10.12.0.0/16"], "problem": "not a CIDR"})
    assert text.count('class="cidr"') == 1
    assert "not a CIDR" in text


def test_several() -> None:
    assert page.several(["a", "b", "c", "d"]) == "a, b, c, d"
    assert page.several(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_pod_name() -> None:
    assert page.pod_name({"pod": "web", "pod_namespace": "default", "container_id": "x"}) == "default/web"
    assert page.pod_name({"pod": None, "pod_namespace": None, "container_id": "0123456789abcdef"}) == "0123456789ab"
    assert page.pod_name({"pod": "web", "pod_namespace": 1.5, "container_id": "x"}) == "1.5/web"
