# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run has done, in one line for each node."""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.filter.summary import FilterModule, summary

STAGES = {"plugins": ["plan"], "network": ["bridge", "routes"]}


def node(name: str, **found: t.Any) -> dict[str, t.Any]:
    return {"inventory_hostname": name, **found}


NODES = [
    node("node1", plan=[], bridge={"actions": []}, routes={"skipped": True}),
    node("node10", plan=["a"], bridge={"actions": ["b", "c"]}),
    node("node2", plan=["a", "b"], bridge={"actions": ["c"]}, routes={"actions": ["d"]}),
    node("node3", bridge={"actions": ["b"]}),
]


def test_one_line_for_each_node() -> None:
    assert summary(NODES, STAGES, ["node1", "node10", "node2"]) == [
        "node1   nothing to do",
        "node10  done: a; b; c",
        "node2   done: 4 changes (plugins 2, network 2)",
        "node3   FAILED; what was done before that stays until it is run again",
    ]


def test_what_is_only_planned_is_not_called_done() -> None:
    assert summary(NODES[1:2], STAGES, ["node10"], planned=True) == ["node10  would be done: a; b; c"]


def test_nodes_that_the_run_was_not_for() -> None:
    others = [
        {"item": "node4", "actions": ["create route"]},
        {"item": "node5", "actions": []},
        {"item": "node6", "unreachable": True, "msg": "no way in"},
        {"item": "node7", "failed": True, "msg": "no pyroute2"},
    ]
    assert summary([], STAGES, [], others) == [
        "node4  is not of this run; done: create route",
        "node5  is not of this run; nothing to do",
        "node6  is not of this run, and did not get its routes: no way in",
        "node7  is not of this run, and did not get its routes: no pyroute2",
    ]


def test_nobody() -> None:
    assert summary([], STAGES, []) == []


def test_the_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"summary": summary}
