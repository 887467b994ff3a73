# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the node knows of a way that does not work: its routes, neighbours, forwarding and foreign rules.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import paths
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import foreign, ruleset
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.iptables import Iptables
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.nftables import Nftables
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.causes import Way
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.echo import Cell
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.icmp import family_of
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Host, Runner, which

#: Ways that are looked into: with more, one cause has many victims.
WAYS = 50

Row = t.Dict[str, t.Any]
Pod = t.Optional[t.Dict[str, t.Any]]


class Question(t.Protocol):
    """One sender and one target, as the matrix has them."""

    @property
    def pod(self) -> Pod:
        """The sender, None for the node itself."""

    @property
    def target(self) -> dict[str, t.Any]:
        """Who is pinged."""

    @property
    def small(self) -> Cell:
        """How short pings went."""

    @property
    def big(self) -> Cell:
        """How pings of the full MTU went."""


class Witness:
    """What one node can tell; everything is looked up once, and only when something fails."""

    def __init__(self, run: Runner, node: str) -> None:
        self.host = Host(run, which)
        self.node = node
        self.seen: t.Optional[foreign.Seen] = None
        self.asked = 0
        self._paths: dict[tuple[t.Optional[str], str], paths.Path] = {}

    def path(self, pod: Pod, address: str) -> paths.Path:
        """The way to an address, from a pod or (None) from the node."""
        key = (pod["netns"] if pod else None, address)
        if key not in self._paths:
            self._paths[key] = paths.path(*key)
        return self._paths[key]

    def way(self, question: Question, row: Row, rows: list[Row], targets: list[Row]) -> t.Optional[Way]:
        """All that is known of a row that failed; None after many of them."""
        self.asked += 1
        if self.asked > WAYS:
            return None
        pod, target, small, big = question.pod, question.target, question.small, question.big
        own = _own(pod, small.address)
        bridge = self._bridge(own) if own else None
        drops, masquerades = self._rules(own, small.address, bridge) if own else ([], [])
        return Way(
            node=self.node,
            pod=pod["name"] if pod else None,
            own=own,
            address=small.address,
            kind=target["kind"],
            target_node=target["node"],
            target_addresses=_addresses(targets, target["node"]),
            answers=small.rtt is not None,
            seen=small.seen,
            expected=row["expected_source"],
            size=big.size,
            mtu=row["mtu"],
            told=big.told,
            sender=self.path(pod, small.address),
            onward=self.path(None, small.address) if pod else None,
            forwards=self._forwards(pod, small.address, bridge),
            drops=drops,
            masquerades=masquerades,
            node_reaches=_works(rows, None, lambda other: other["address"] == small.address),
            reaches_node=_works(rows, row["from"]["pod"], lambda other: _is_node(other, target["node"], small.family)),
        )

    def _bridge(self, own: str) -> t.Optional[str]:
        hop = self.path(None, own).hop
        return hop.device if hop else None

    def _forwards(self, pod: Pod, address: str, bridge: t.Optional[str]) -> bool:
        """Whether the node forwards; what is on the pod's own link, or the node's own, needs no forwarding."""
        hop, onward = self.path(pod, address).hop, self.path(None, address).hop
        if not (pod and bridge and hop and hop.via) or (onward and onward.local):
            return True
        return paths.forwards(bridge, 6 if ":" in address else 4)

    def _rules(self, own: str, address: str, bridge: t.Optional[str]) -> tuple[list[str], list[str]]:
        """Rules of others that would drop, and those that would masquerade, what this pod sends to this address."""
        nftables, iptables = Nftables(self.host), Iptables(self.host)
        try:
            if self.seen is None:
                self.seen = foreign.Seen(nftables.ruleset(), iptables.saved())
            rules = ruleset.build([f"{own}/{128 if ':' in own else 32}"], [address], bridge, random_fully=False)
            found = foreign.find(rules, self.seen, nftables.chain_texts)
        except PodnetError:  # A cause that cannot be looked for is no reason to fail.
            return [], []
        told = {effect: [_sentence(report) for report in found if report["effect"] == effect] for effect in _EFFECTS}
        return told["drop"], told["masquerade"]


_EFFECTS = ("drop", "masquerade")


def _sentence(report: foreign.Report) -> str:
    return f"'{report['rule']}' of {report['where']}; {report['remedy']}"


def _own(pod: Pod, address: str) -> t.Optional[str]:
    same_family = [entry for entry in (pod or {}).get("addresses", []) if family_of(entry) == family_of(address)]
    return same_family[0] if same_family else None


def _addresses(targets: list[Row], node: t.Optional[str]) -> list[str]:
    return [entry["address"] for entry in targets if entry["kind"] == "node" and entry["node"] == node]


def _is_node(row: Row, node: t.Optional[str], family: int) -> bool:
    return row["to"]["kind"] == "node" and row["to"]["node"] == node and family_of(row["address"]) == family


def _works(rows: list[Row], pod: t.Optional[str], wanted: t.Callable[[Row], bool]) -> t.Optional[bool]:
    """Whether a ping of a sender was answered; None if there was none."""
    found = [row["rtt_ms"] is not None for row in rows if row["from"]["pod"] == pod and wanted(row)]
    return all(found) if found else None
