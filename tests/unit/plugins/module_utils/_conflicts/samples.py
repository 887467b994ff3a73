# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What node1 of two claims for its pods, links of a node, and what was judged of them."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.claims import Claims
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.overlaps import Card

CLAIMS = Claims(
    {
        "pod_cidrs": ["10.12.1.0/24"],
        "cluster_cidrs": ["10.12.0.0/16"],
        "nodes": {
            "node1": {"pod_cidrs": ["10.12.1.0/24"], "addresses": ["192.0.2.11"]},
            "node2": {"pod_cidrs": ["10.12.2.0/24"], "addresses": ["192.0.2.12"]},
        },
        "self": "node1",
        "bridge": "br1",
        "addresses": ["10.12.1.1/24"],
    }
)


def card(name: str, *addresses: str, kind: str = "bridge", **given: t.Any) -> Card:
    return Card(
        name, kind, given.get("ours", False), given.get("out", False), [*map(ipaddress.ip_interface, addresses)]
    )


def judged(conflicts: list[t.Any]) -> list[tuple[str, str, str]]:
    return [(each.grade, each.kind, each.object) for each in conflicts]
