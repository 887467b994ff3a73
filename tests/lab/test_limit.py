# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs with --limit whose lock file is not what the nodes have: it is lost, or ahead of them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from conftest import Lab
from test_habits import ok, routes

KEPT_BY = "and --limit leaves it out; take what the nodes have with adopt: true (pod_cidr_adopt), or run it for"


def lock(lab: Lab) -> Path:
    return lab.directory / "pod_cidrs.lock.yml"


def leave(lab: Lab, *nodes: str) -> None:
    """Let the inventory have these nodes only."""
    hosts = lab.inventory["kube_node"]["hosts"]
    for node in hosts.keys() - set(nodes):
        del hosts[node]
    lab.write_inventory()


def die(lab: Lab, node: str) -> None:
    """A node that nobody can ask any more."""
    os.kill(lab.variables.pop(node)["ansible_netns_pid"], signal.SIGKILL)


def test_without_a_lock_file_nobody_gets_what_a_node_has_that_is_left_out(lab: Lab) -> None:
    """node1 has left, so that the first free blocks would be those of node2 and node3."""
    lab.create(4)
    hosts = dict(lab.inventory["kube_node"]["hosts"])
    leave(lab, "node1", "node2", "node3")
    ok(lab.play("site"))
    lab.inventory["kube_node"]["hosts"] = hosts
    leave(lab, "node2", "node3", "node4")
    lock(lab).unlink()
    before = lab.snapshot()
    for option in ((), ("--check",), ("--tags", "pod_cidr")):
        refused = lab.play("site", "--limit", "node4", *option)
        assert refused.status != 0, refused.output
        said = f'nodes.node2.pod_cidrs: ["10.12.0.0/24"] is not 10.12.1.0/24, which node2 has, {KEPT_BY} node2, too'
        assert said in refused.words
        assert not lock(lab).exists()
    lab.require(before)

    ok(lab.play("site", "--limit", "node4", pod_cidr_adopt=True))
    assert "node2: [10.12.1.0/24]\n      node3: [10.12.2.0/24]\n      node4: [10.12.0.0/24]" in lock(lab).read_text()
    assert routes(lab, "node4") == {"10.12.1.0/24", "10.12.2.0/24"}

    # Of one that cannot be asked nobody knows it.
    lock(lab).unlink()
    die(lab, "node3")
    before = lab.snapshot()
    refused = lab.play("site", "--limit", "node4")
    assert refused.status != 0
    assert "is not there, and nobody says which blocks are those of node3, which --limit leaves out; " in refused.words
    lab.require(before)
    assert not lock(lab).exists()


def test_the_first_run_may_be_for_some_nodes(lab: Lab) -> None:
    """Nobody has a block yet.  Of a node that is down only the user knows that."""
    lab.create(3)
    before = lab.snapshot()
    ok(lab.play("site", "--limit", "node1"))
    assert "node3: [10.12.2.0/24]" in lock(lab).read_text()
    lab.require({name: before[name] for name in ("node2", "node3")})

    ok(lab.play("reset"))
    lock(lab).unlink()
    die(lab, "node3")
    refused = lab.play("site", "--limit", "!node3")
    assert refused.status != 0
    assert "in a new cluster, let site decide for all nodes first (--tags pod_cidr without --limit)" in refused.words
    ok(lab.play("site", "--tags", "pod_cidr"))
    made = ok(lab.play("site", "--limit", "!node3"))
    assert routes(lab, "node1") == {"10.12.1.0/24", "10.12.2.0/24"}
    assert "did not get its routes" in made.summary["node3"]


def test_a_lock_file_that_is_ahead_of_a_node_leads_nobody_away_from_it(lab: Lab) -> None:
    """node2 was to be renumbered, and that run ended before it was."""
    lab.create(3)
    ok(lab.play("site"))
    node2 = lab.inventory["kube_node"]["hosts"]["node2"]
    node2["pod_cidr_subnets"] = "10.12.40.0/24"
    lab.write_inventory()
    ok(lab.play("site", "--tags", "pod_cidr", pod_network_renumber=True))
    assert "node2: [10.12.40.0/24]" in lock(lab).read_text()
    before, ahead = lab.snapshot(), lock(lab).read_text()
    refused = lab.play("site", "--limit", "node3")
    assert refused.status != 0
    said = f'nodes.node2.pod_cidrs: ["10.12.40.0/24"] is not 10.12.1.0/24, which node2 has, {KEPT_BY} node2, too'
    assert said in refused.words
    lab.require(before)
    assert lock(lab).read_text() == ahead

    ok(lab.play("site", "--limit", "node2", pod_network_renumber=True))
    assert ok(lab.play("site", "--limit", "node3")).summary["node3"] == "nothing to do"
    for node in ("node1", "node3"):
        assert "10.12.40.0/24" in routes(lab, node)
