# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""From what was seen of a way that does not work to its likely cause, in a sentence.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.paths import Path


@dataclass(frozen=True)
class Way:
    """A way that does not work: who asks whom, what came of it, and what the node knows about it."""

    node: str
    #: The name of the probe pod that asks, and its address; None for the node itself.
    pod: t.Optional[str]
    own: t.Optional[str]
    address: str
    kind: str
    #: The node of the target, and its own addresses.
    target_node: t.Optional[str]
    target_addresses: t.Sequence[str]
    answers: bool
    seen: t.Optional[str]
    expected: t.Optional[str]
    #: The full size, the largest that came through, and who said so.
    size: int
    mtu: t.Optional[int]
    told: t.Optional[t.Tuple[str, int]]
    #: The way that the sender's kernel takes, and the node's for what comes from its pods.
    sender: Path
    onward: t.Optional[Path]
    forwards: bool
    #: Rules of others that would drop it, or masquerade it.
    drops: t.Sequence[str]
    masquerades: t.Sequence[str]
    #: Whether the node itself reached the address, and whether the sender reached the target's node.
    node_reaches: t.Optional[bool]
    reaches_node: t.Optional[bool]

    @property
    def who(self) -> str:
        """The sender as a person says it."""
        return f"probe pod {self.pod}" if self.pod else self.node

    @property
    def version(self) -> int:
        """The IP version."""
        return 6 if ":" in self.address else 4


def cause(way: Way) -> t.Optional[str]:
    """Return the first explanation that fits, those that are certain before those that are left."""
    if way.answers:
        return _too_big(way) or _wrong_source(way) or _no_question(way)
    explanations = (_no_route, _neighbour, _wrong_router, _not_forwarded, _dropped, _input, _no_way_back, _far_node)
    found = (explain(way) for explain in explanations)
    return next((sentence for sentence in found if sentence), None)


def _too_big(way: Way) -> t.Optional[str]:
    if way.mtu is None or way.mtu >= way.size:
        return None
    # A veth leaves room for a VLAN tag, which we do not use.
    silent = "nobody on the way says so (bridges do not; a veth lets 4 bytes more than its MTU through)"
    told = f"{way.told[0]} says that the next link takes {way.told[1]}" if way.told else silent
    return (
        f"the MTU of {way.who}, {way.size}, is too large by {way.size - way.mtu}: unfragmented packets arrive up to "
        f"{way.mtu} bytes, and {told}; lower the MTU of the network, or raise that of the links on the way"
    )


def _wrong_source(way: Way) -> t.Optional[str]:
    if way.seen is None or way.expected in (None, way.seen):
        return None
    if way.kind != "outside":
        here = "; ".join(way.masquerades) or f"by no rule of {way.node}, so look at {way.target_node or 'the routers'}"
        return f"masqueraded inside the cluster: {here}"
    if way.seen == way.own:
        return f"nothing masquerades what {way.who} sends outside; set pod_network_masquerade to node"
    return f"masqueraded by somebody else on the way: {'; '.join(way.masquerades) or 'no rule of ' + way.node}"


def _no_question(way: Way) -> t.Optional[str]:
    if way.seen is None and way.kind == "pod":
        return "a packet filter drops UDP on the way; let the probe's port pass"
    return None


def _no_route(way: Way) -> t.Optional[str]:
    if way.sender.hop is None and way.pod:
        everywhere = "0.0.0.0/0" if way.version == 4 else "::/0"
        if not way.sender.default_route:
            return f"no default route: {way.who} has no route to {way.address}; add {everywhere} to routes of ipam"
        return f"no route: a route of {way.who} says that {way.address} cannot be reached"
    if way.sender.hop is None or (way.onward and way.onward.hop is None):
        return f"no route: {way.node} has none to {way.address}"
    return None


def _neighbour(way: Way) -> t.Optional[str]:
    for who, path in ((way.who, way.sender), (way.node, way.onward)):
        hop = path.hop if path else None
        if hop and hop.silent:
            return (
                f"the neighbour {hop.via or way.address} does not answer {who} on {hop.device}; "
                "it is down, has another address, or is not on that link"
            )
    return None


def _wrong_router(way: Way) -> t.Optional[str]:
    hop = (way.onward or way.sender).hop
    if way.kind != "pod" or way.target_node in (None, way.node) or hop is None or hop.via is None:
        return None
    right = [entry for entry in way.target_addresses if (":" in entry) == (":" in way.address)]
    if not right or hop.via in right:
        return None
    return (
        f"no route to the pods of {way.target_node}: {way.node} sends what is for {way.address} to {hop.via}, "
        f"not to {right[0]}; see ip route, and run site.yml"
    )


def _not_forwarded(way: Way) -> t.Optional[str]:
    if way.forwards:
        return None
    return f"{way.node} forwards nothing that comes from its pods; set the sysctl of forwarding for IPv{way.version}"


def _dropped(way: Way) -> t.Optional[str]:
    return f"FORWARD drops it on {way.node}: {'; '.join(way.drops)}" if way.drops else None


def _input(way: Way) -> t.Optional[str]:
    if way.onward and way.onward.hop and way.onward.hop.local:
        return f"{way.address} is {way.node}'s own and does not answer its pods; a packet filter of INPUT may drop it"
    return None


def _no_way_back(way: Way) -> t.Optional[str]:
    if not (way.pod and way.own and way.onward):
        return None
    far = way.target_node or way.address
    if way.node_reaches:
        masquerade = ", and nothing masquerades" if way.kind == "outside" else ""
        return (
            f"no route back: {far} does not answer {way.own}, though {way.node} can reach it{masquerade}; "
            f"{far}, or a router before it, lacks a route to {way.own} by way of {way.node}"
        )
    return None


def _far_node(way: Way) -> t.Optional[str]:
    if way.kind == "pod" and way.target_node != way.node and way.reaches_node:
        return f"{way.target_node} answers and its pod does not: see why {way.target_node} itself says it fails"
    if way.kind == "pod" and way.target_node == way.node:
        return f"nothing on {way.node} explains it; a packet filter inside the pod, or of the bridge, may"
    return f"{way.address} answers nobody on {way.node}: it is down, drops pings, or a router on the way does"
