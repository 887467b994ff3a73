# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every node should reach."""

from __future__ import annotations

from ansible_collections.mink8s.podnet.plugins.filter.probe_targets import FilterModule, probe_targets


def test_nodes_pods_and_the_outside() -> None:
    attached = {
        "node1": {"addresses": ["192.0.2.11"], "pods": [{"name": "probe1", "addresses": ["10.12.1.2", "fd12::2"]}]},
        "node10": {},  # It failed or could not be reached: nothing is known of it.
    }
    assert [
        (target["kind"], target["node"], target["pod"], target["address"])
        for target in probe_targets(attached, outside=["203.0.113.1"])
    ] == [
        ("node", "node1", None, "192.0.2.11"),
        ("pod", "node1", "probe1", "10.12.1.2"),
        ("pod", "node1", "probe1", "fd12::2"),
        ("outside", None, None, "203.0.113.1"),
    ]


def test_the_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"probe_targets": probe_targets}
