# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One line for each node, and the same for a monitor."""

from __future__ import annotations

from ansible_collections.mink8s.podnet.plugins.filter.drift import FilterModule, drift

FOUND = {
    "node1": {"plans": {"cni_plugins": [], "pod_network": []}, "problems": [], "unreachable": False},
    "node10": {"plans": {"cni_plugins": ["a"], "pod_network": ["b", "c", "d"]}},
    "node2": {"plans": {"pod_network": ["e"]}, "problems": ["the file is broken"]},
    "node3": {"unreachable": True},
    "node4": {},
}


def test_one_line_for_each_node() -> None:
    assert drift(FOUND)["lines"] == [
        "node1   as declared",
        "node10  DRIFTED: a; b; c; and 1 more",
        "node2   NOT KNOWN: the file is broken",
        "node3   UNREACHABLE",
        "node4   UNREACHABLE",
    ]
    assert drift(FOUND)["troubles"] == ["node10", "node2", "node3", "node4"]


def test_what_a_monitor_reads() -> None:
    report = drift(FOUND)["report"]
    assert report["drifted"] is True
    assert report["status"]["node1"] == "same"
    assert report["status"]["node2"] == "failed"
    assert report["actions"]["node10"][0] == {"role": "cni_plugins", "action": "a"}
    assert report["problems"] == {"node2": ["the file is broken"]}


def test_nothing_has_drifted() -> None:
    found = drift({"node1": FOUND["node1"]}, {"actions": [], "nodes": {}})
    assert found["lines"] == ["node1  as declared"]
    assert found["troubles"] == []
    assert found["report"]["drifted"] is False


def test_a_lock_file_that_is_to_change_is_drift() -> None:
    found = drift({"node1": FOUND["node1"]}, {"actions": ["create lock file /x"]})
    assert found["lines"] == ["the controller  DRIFTED: create lock file /x", "node1           as declared"]
    assert found["report"]["drifted"] is True


def test_pod_cidrs_that_nobody_knows_are_trouble() -> None:
    assert drift({}, {"problem": "no room"})["lines"] == ["the controller  NOT KNOWN: no room"]


def test_the_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"drift": drift}
