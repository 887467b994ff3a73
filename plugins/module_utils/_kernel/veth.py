# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Pairs of virtual cards: one end on the node, the other one in a pod's network namespace.

The node's end carries our alias; the other end, with all its addresses and routes, goes with it.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import links, netns, veth_peer
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.veth_options import Pair


class Veths(Resource):
    """The pairs of one node that we are told about."""

    def __init__(self, pairs: t.Sequence[Pair], present: bool) -> None:
        super().__init__()
        self._pairs = {f"veth {pair.name}": pair for pair in pairs}
        self._present = present
        self._links: dict[str, links.Link] = {}
        self._precious: dict[str, str] = {}

    def read(self) -> State:
        with netns.netlink() as ipr:
            self._links = links.links(ipr)
            self._precious = links.precious(ipr, self._links, links.exits(ipr, self._links))
        state: State = {}
        for key, pair in self._pairs.items():
            host = self._links.get(pair.name)
            if host and host.ours and host.kind == "veth":
                state[key] = self._read_pair(pair, host)
        return state

    def desired(self, current: State) -> State:
        wanted = {key: _wanted(pair) for key, pair in self._pairs.items()} if self._present else {}
        for key, pair in self._pairs.items():
            self._check_name(pair)
            if self._present and current.get(key) == wanted[key]:
                continue
            self._check_precious(pair)
            if self._present and os.path.exists(pair.path):
                self._check_inside(pair)
        return wanted

    def apply(self, changes: list[Change]) -> None:
        for change in changes:
            if change.after is not None:
                self._check_surroundings(self._pairs[change.name])
        # One step of all pairs after the other, as a name or a route may move from one of them to another.
        with netns.netlink() as ipr:
            for step in (self._take_away, self._make, self._add_routes):
                for change in changes:
                    with netns.asking(change.name):
                        step(ipr, change)

    def result(self, state: State) -> dict[str, t.Any]:
        return {"pairs": [{"name": pair.name, **state[key]} for key, pair in self._pairs.items() if key in state]}

    # What is there

    def _read_pair(self, pair: Pair, host: links.Link) -> dict[str, t.Any]:
        values: dict[str, t.Any] = {"peer": None, "netns": None, "bridge": self._master(host), "mtu": host.mtu}
        values.update({"up": host.up, "addresses": [], "routes": []})
        if pair.path and os.path.exists(pair.path):
            with netns.netlink(pair.path) as ipr:
                peer = links.links(ipr).get(pair.peer)
                if peer and peer.kind == "veth" and _are_ends(host, peer):
                    # Where the ends differ, the one that is not as it should be.
                    mtu = peer.mtu if host.mtu == pair.mtu else host.mtu
                    values.update({"peer": peer.name, "netns": pair.netns, "mtu": mtu, "up": host.up and peer.up})
                    values.update(veth_peer.found(ipr, peer, pair))
        # Only what was asked for is compared, and nothing was when the pair is to go.
        keys = _wanted(pair) if self._present else ("bridge", "mtu", "up")
        return {key: values[key] for key in keys}

    def _master(self, host: links.Link) -> t.Optional[str]:
        return next((link.name for link in self._links.values() if host.master and link.index == host.master), None)

    # What must not happen

    def _check_name(self, pair: Pair) -> None:
        link = self._links.get(pair.name)
        if link is None or (link.ours and link.kind == "veth"):
            return
        what = f"it does not carry the alias {links.ALIAS}" if link.kind == "veth" else "it is not a veth"
        if self._present:
            problem = f"is there and is not ours, {what}"
            raise OptionError(f"{pair.option}.name", pair.name, problem, "choose another name")
        warning = f"{pair.name} is not ours, {what}: it stays"
        self.warnings += [warning] if warning not in self.warnings else []

    def _check_precious(self, pair: Pair) -> None:
        """Refuse to change how the node is reached; a bridge may take its MAC address and its MTU from its ports."""
        if pair.name in self._precious:
            remedy = "give the node another link for that first, or choose another name"
            raise OptionError(f"{pair.option}.name", pair.name, self._precious[pair.name], remedy)
        if self._present and pair.bridge in self._precious:
            problem = f"{self._precious[pair.bridge]}, and a port could change it"
            raise OptionError(f"{pair.option}.bridge", pair.bridge, problem, "choose another bridge")

    def _check_inside(self, pair: Pair) -> None:
        """Refuse what the kernel would refuse half-way, because of what others have in the namespace."""
        with netns.netlink(pair.path) as inside:
            there = links.links(inside)
            others = {link.index: link.name for link in there.values() if not self._is_other_end(link)}
            taken = {way.dst: others[way.device] for way in veth_peer.rivals(inside) if way.device in others}
        peer, host = there.get(pair.peer), self._links.get(pair.name)
        if peer and host and _are_ends(host, peer):
            veth_peer.require_mtu_for_ipv6(pair, peer.mtu)
        if pair.peer in others.values():
            problem = f"is already in {pair.netns}"
            raise OptionError(f"{pair.option}.peer", pair.peer, problem, "choose another peer")
        for index, way in enumerate(pair.routes):
            if way.dst in taken:
                problem = f"has a route in {pair.netns} already, by {taken[way.dst]}"
                raise OptionError(f"{pair.option}.routes[{index}].dst", way.dst, problem, "remove one of the two")

    def _is_other_end(self, link: links.Link) -> bool:
        """Whether a link in a namespace is the other end of one of the pairs, which may go elsewhere now."""
        hosts = [self._links.get(pair.name) for pair in self._pairs.values()]
        return link.kind == "veth" and any(host and host.ours and _are_ends(host, link) for host in hosts)

    def _check_surroundings(self, pair: Pair) -> None:
        """Bridges and namespaces may be made by an earlier task, which check mode skips; now they have to be there."""
        if not os.path.exists(pair.path):
            remedy = "start its process first" if "/" in pair.netns else f"create it first (ip netns add {pair.netns})"
            raise OptionError(f"{pair.option}.netns", pair.netns, "is not there", remedy)
        self._check_inside(pair)
        with netns.entered(pair.path):
            veth_peer.require_ipv6(pair)
        bridge = self._links.get(pair.bridge) if pair.bridge else None
        if pair.bridge and (bridge is None or bridge.kind != "bridge"):
            problem = "is not a bridge" if bridge else "is not there"
            known = [link.name for link in self._links.values() if link.kind == "bridge"]
            remedy = _values.suggestion(pair.bridge, known) if known else "create it first"
            raise OptionError(f"{pair.option}.bridge", pair.bridge, problem, remedy)

    # Changes

    def _take_away(self, ipr: t.Any, change: Change) -> None:
        if change.before is not None and (change.after is None or _is_born(change)):
            ipr.link("del", index=self._links[self._pairs[change.name].name].index)

    def _make(self, ipr: t.Any, change: Change) -> None:
        if change.after is None:
            return
        pair = self._pairs[change.name]
        if _is_born(change):
            # The other end is born where it belongs, so its name cannot clash with one of the node's.
            peer = {"ifname": pair.peer, "net_ns_fd": pair.path}
            ipr.link("add", ifname=pair.name, kind="veth", peer=peer, group=links.UNNAMED)
        self._settle_host(ipr, pair)
        with netns.entered(pair.path), netns.netlink() as inside:
            veth_peer.settle(inside, pair)

    def _add_routes(self, ipr: t.Any, change: Change) -> None:  # noqa: ARG002
        if change.after is not None:
            pair = self._pairs[change.name]
            with netns.netlink(pair.path) as inside:
                veth_peer.add_routes(inside, pair)

    def _settle_host(self, ipr: t.Any, pair: Pair) -> None:
        index = links.index_of(ipr, pair.name)
        links.give_alias(ipr, index)
        if pair.mtu is not None:
            ipr.link("set", index=index, mtu=pair.mtu)
        if pair.bridge is not None:
            ipr.link("set", index=index, master=self._links[pair.bridge].index)
        ipr.link("set", index=index, state="up")


def _are_ends(host: links.Link, peer: links.Link) -> bool:
    """Whether two links, in two namespaces, are the ends of one pair."""
    return (peer.peer, peer.index) == (host.index, host.peer)


def _is_born(change: Change) -> bool:
    """Whether the pair is made, or made anew because its other end is elsewhere."""
    before, after = change.before, change.after
    if before is None or after is None:
        return after is not None
    return bool((before["peer"], before["netns"]) != (after["peer"], after["netns"]))


def _wanted(pair: Pair) -> dict[str, t.Any]:
    """Return the state of a pair; what was not asked for is not in it."""
    values = {
        "peer": pair.peer,
        "netns": pair.netns,
        "bridge": pair.bridge,
        "mtu": pair.mtu,
        "up": True,
        **veth_peer.wanted(pair),
    }
    return {key: value for key, value in values.items() if value is not None}
