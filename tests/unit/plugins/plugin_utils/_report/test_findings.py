# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report that machines read."""

from __future__ import annotations

import json
import typing as t

import pytest
import report_samples

from ansible_collections.mink8s.podnet.plugins.plugin_utils._report import findings

Data = t.Dict[str, t.Any]


def report(nodes: Data, controller: Data) -> Data:
    ways = findings.all_ways(nodes)
    return findings.report(nodes, controller, ways, title="Pods", generated="2026-11-25T10:00:00Z")


def test_all_is_well() -> None:
    found = report(*report_samples.inventory(3))
    assert found["summary"]["well"] is True
    assert (found["summary"]["nodes"], found["summary"]["ways"], found["summary"]["pods"]) == (3, 36, 9)
    assert found["nodes"]["node2"]["pod_cidrs"] == ["10.12.2.0/24"]
    assert json.loads(json.dumps(found)) == found


def test_each_kind_of_trouble_is_told() -> None:
    found = report(*report_samples.troubled(3))
    summary = found["summary"]
    assert summary["well"] is False
    assert (summary["unreachable"], summary["drifted"], summary["ways_failed"]) == (["node3"], ["node2"], 4)
    assert (summary["stale"], summary["leaks"], summary["conflicts"]) == (1, 1, {"stops": 1, "warns": 1, "informs": 0})
    node = found["nodes"]["node2"]
    assert node["drift"] == [{"role": "pod_network", "action": report_samples.ACTION}]
    assert node["leaks"] == [report_samples.LEASE]
    assert node["stale"][0]["changed_keys"] == ["bridge.bridge"]
    assert node["conflicts"] == [report_samples.VPN]
    (conflict,) = found["nodes"]["node1"]["conflicts"]
    assert (conflict["grade"], conflict["kind"]) == ("warns", "foreign_rule")
    assert report_samples.RULE["rule"] in conflict["what"]


@pytest.mark.parametrize(
    ("verdict", "change", "stale"),
    [
        ("alive", "none", False),
        ("alive", "live_safe", False),
        ("alive", "new_pods_only", True),
        ("unknown", "refuse", True),
        ("dead", "recycle_all", False),  # its leases are leaks, and there is nothing to create again
    ],
)
def test_stale(verdict: str, change: str, stale: bool) -> None:
    assert findings.pod(report_samples.pod(0, 1, verdict=verdict, change_class=change))["stale"] is stale


@pytest.mark.parametrize(
    ("collected", "status"),
    [
        ({}, "left_out"),
        ({"unreachable": True}, "unreachable"),
        ({"problems": ["x"]}, "failed"),
        ({"plans": {}}, "asked"),
    ],
)
def test_status(collected: Data, status: str) -> None:
    assert findings.node(collected, {})["status"] == status


def test_a_node_that_was_left_out_is_known_by_its_pod_cidr() -> None:
    nodes, controller = report_samples.inventory(2)
    del nodes["node2"]
    found = report(nodes, controller)
    assert found["nodes"]["node2"]["status"] == "left_out"
    assert found["nodes"]["node2"]["pod_cidrs"] == ["10.12.2.0/24"]
    assert found["summary"]["left_out"] == 1


@pytest.mark.parametrize("collected", [{}, None])
def test_a_node_that_the_run_lost_is_not_well(collected: t.Optional[Data]) -> None:
    nodes, controller = report_samples.inventory(3)
    nodes["node2"] = collected  # type: ignore[assignment]
    found = report(nodes, controller)
    assert found["nodes"]["node2"]["problems"] == ["it did not answer to the end; see what the run printed of it"]
    summary = found["summary"]
    assert (summary["failed"], summary["left_out"], summary["well"]) == (["node2"], 0, False)


def test_a_lock_file_that_is_to_change_is_drift() -> None:
    nodes, controller = report_samples.inventory(1)
    found = report(nodes, {**controller, "actions": ["create lock file /x/lock.yml"]})
    assert (found["summary"]["controller_drifted"], found["summary"]["well"]) == (True, False)


def test_an_empty_inventory_is_not_well() -> None:
    assert report({}, {})["summary"]["well"] is False


def test_competing_files_are_conflicts_and_the_worst_stand_first() -> None:
    competing = [{"path": "/etc/cni/net.d/05-podman.conflist", "name": "podman", "reason": "network podman"}]
    informs = {"grade": "informs", "kind": "rp_filter", "object": "eth0", "what": "strict"}
    odd = {"grade": "dreadful", "kind": "odd", "object": "x", "what": "of another version"}
    found = findings.conflicts({"competing": competing, "conflicts": [informs, odd, report_samples.VPN]})
    assert [(one["grade"], one["kind"]) for one in found] == [
        ("stops", "vpn"),
        ("stops", "competing_file"),
        ("warns", "odd"),
        ("informs", "rp_filter"),
    ]
    (consented,) = findings.conflicts({"competing": competing, "on_conflict": "ignore"})
    assert consented["grade"] == "warns"
