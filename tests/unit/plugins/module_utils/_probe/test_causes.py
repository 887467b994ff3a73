# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what is known of a way to a sentence; that it is known is tried in cni_probe's integration target."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.paths import Hop, Path
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.causes import Way, cause

BY_GATEWAY = Path(Hop("eth0", "10.12.1.1"), True)
BY_NODE = Path(Hop("eth0", "192.0.2.12"), True)
NOWHERE = Path(None, False)
#: A pod of node1 that gets no answer from one of node2, though all that node1 knows is as it should be.
WAY = Way(
    node="node1",
    pod="probe1",
    own="10.12.1.2",
    address="10.12.2.2",
    kind="pod",
    target_node="node2",
    target_addresses=["192.0.2.12", "2001:db8:1::12"],
    answers=False,
    seen=None,
    expected="10.12.1.2",
    size=1500,
    mtu=None,
    told=None,
    sender=BY_GATEWAY,
    onward=BY_NODE,
    forwards=True,
    drops=[],
    masquerades=[],
    node_reaches=None,
    reaches_node=None,
)
OUTSIDE: dict[str, t.Any] = {"kind": "outside", "address": "203.0.113.1", "target_node": None, "target_addresses": []}
FROM_NODE: dict[str, t.Any] = {"pod": None, "own": None, "onward": None, "sender": BY_NODE}


@pytest.mark.parametrize(
    ("known", "says"),
    [
        (
            {"sender": NOWHERE, **OUTSIDE},
            "no default route: probe pod probe1 has no route to 203.0.113.1; add 0.0.0.0/0 to routes of ipam",
        ),
        ({"sender": NOWHERE, "address": "fd12::2"}, "add ::/0 to routes of ipam"),
        ({"sender": Path(None, True)}, "no route: a route of probe pod probe1 says that 10.12.2.2 cannot be reached"),
        ({"onward": NOWHERE}, "no route: node1 has none to 10.12.2.2"),
        ({**FROM_NODE, "sender": NOWHERE}, "no route: node1 has none to 10.12.2.2"),
        (
            {"sender": Path(Hop("eth0", "10.12.1.1", silent=True), True)},
            "the neighbour 10.12.1.1 does not answer probe pod probe1 on eth0;",
        ),
        (
            {"onward": Path(Hop("eth0", "192.0.2.12", silent=True), True)},
            "the neighbour 192.0.2.12 does not answer node1 on eth0;",
        ),
        (
            {"sender": Path(Hop("eth0", None, silent=True), True)},
            "the neighbour 10.12.2.2 does not answer probe pod probe1 on eth0;",
        ),
        (
            {"onward": Path(Hop("eth0", "192.0.2.1"), True)},  # Not 192.0.2.12, whose name begins with it.
            "no route to the pods of node2: node1 sends what is for 10.12.2.2 to 192.0.2.1, not to 192.0.2.12;",
        ),
        ({"forwards": False}, "node1 forwards nothing that comes from its pods; set the sysctl of forwarding for IPv4"),
        (
            {"drops": ["'policy DROP' of iptables-nft filter FORWARD; set forward to true"]},
            "FORWARD drops it on node1: 'policy DROP' of iptables-nft filter FORWARD; set forward to true",
        ),
        (
            {"onward": Path(Hop("lo", None, local=True), True)},
            "10.12.2.2 is node1's own and does not answer its pods;",
        ),
        ({"node_reaches": True}, "no route back: node2 does not answer 10.12.1.2, though node1 can reach it;"),
        ({"node_reaches": True, **OUTSIDE}, "though node1 can reach it, and nothing masquerades; 203.0.113.1, or"),
        ({"node_reaches": False, "reaches_node": True}, "node2 answers and its pod does not: see why node2 itself"),
        ({"target_node": "node1"}, "nothing on node1 explains it;"),
        ({"node_reaches": False, **OUTSIDE}, "203.0.113.1 answers nobody on node1: it is down,"),
        (FROM_NODE, "10.12.2.2 answers nobody on node1: it is down,"),
    ],
)
def test_nobody_answers(known: dict[str, t.Any], says: str) -> None:
    assert says in str(cause(dataclasses.replace(WAY, **known)))


@pytest.mark.parametrize(
    ("known", "says"),
    [
        (
            {"mtu": 1450, "told": ("10.12.1.1", 1450)},
            "by 50: unfragmented packets arrive up to 1450 bytes, and 10.12.1.1 says that the next link takes 1450;",
        ),
        ({"mtu": 1400, **FROM_NODE}, "the MTU of node1, 1500, is too large by 100: "),
        ({"mtu": 1400}, "and nobody on the way says so ("),
        (
            {"seen": "192.0.2.11", "masquerades": ["'-j MASQUERADE' of iptables-nft nat POSTROUTING; remove it"]},
            "masqueraded inside the cluster: '-j MASQUERADE' of iptables-nft nat POSTROUTING; remove it",
        ),
        ({"seen": "192.0.2.11"}, "masqueraded inside the cluster: by no rule of node1, so look at node2"),
        ({"seen": "10.12.1.2", "expected": "192.0.2.11", **OUTSIDE}, "nothing masquerades what probe pod probe1 sends"),
        ({"seen": "198.51.100.1", "expected": "192.0.2.11", **OUTSIDE}, "masqueraded by somebody else on the way"),
        ({"seen": None}, "a packet filter drops UDP on the way"),
    ],
)
def test_somebody_answers_and_not_well(known: dict[str, t.Any], says: str) -> None:
    assert says in str(cause(dataclasses.replace(WAY, answers=True, **known)))


def test_what_is_well_has_no_cause() -> None:
    assert cause(dataclasses.replace(WAY, answers=True, seen="10.12.1.2", mtu=1500)) is None
