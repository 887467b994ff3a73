# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Follow pod traffic through a firewall's chains, whichever tool listed them.  Pure.

The traffic is the new connections of one pod CIDR.  A match takes none, some or all of it: a rule that
takes some is worth reporting when it harms, but only one that takes all protects from what follows.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils._values import Network

NONE, SOME, ALL = 0, 1, 2


@dataclass(frozen=True)
class Match:
    """One condition of a rule.

    ``kind`` is source, destination, input, output, protocol, type (of the destination address), state (of the
    connection), mark, family, or other: a condition that is not understood, which is taken to match nothing.
    """

    kind: str
    values: tuple[t.Any, ...] = ()
    negated: bool = False


@dataclass(frozen=True)
class Rule:
    """What a rule does (accept, drop, nat, return, jump, goto, none), to which packets, and its own text."""

    verdict: str
    target: str = ""
    matches: tuple[Match, ...] = ()
    text: str = ""
    handle: int = 0


@dataclass(frozen=True)
class Hook:
    """A base chain and the chains that it may jump to."""

    chain: str
    policy: str
    rules: t.Callable[[str], list[Rule]]


@dataclass(frozen=True)
class Traffic:
    """The new connections of one pod CIDR, from the pods (outgoing) or to them, and what would harm them."""

    pods: Network
    cluster: tuple[Network, ...]
    bridge: t.Optional[str]
    harm: str
    outgoing: bool = True

    def share(self, rule: Rule) -> int:
        """How much of this traffic a rule takes."""
        return min((self._share(match) for match in rule.matches), default=ALL)

    def _share(self, match: Match) -> int:
        if match.kind == "other":
            return NONE
        if match.kind in ("source", "destination"):
            values = tuple(value for value in match.values if value.version == self.pods.version)
            if match.values and not values:
                # In a table of both families an IPv4 match is never for IPv6 packets, not even negated.
                return NONE
            found = self._address(match.kind, values)
        else:
            found = self._word(match)
        return ALL - found if match.negated else found

    def _address(self, kind: str, values: tuple[Network, ...]) -> int:
        if (kind == "source") == self.outgoing:
            everything = any(_inside(self.pods, value) for value in values)
            return ALL if everything else SOME * any(self.pods.overlaps(value) for value in values)
        if any(value.prefixlen == 0 for value in values):
            return ALL
        return SOME * any(value.overlaps(other) for value in values for other in self.cluster)

    def _word(self, match: Match) -> int:
        if match.kind in ("input", "output"):
            return self._interface(match)
        if match.kind == "mark":
            return ALL * any(0 & mask == mark for mark, mask in match.values)
        if match.kind == "protocol":
            return SOME * any(value in ("tcp", "udp", "6", "17") for value in match.values)
        wanted = {"type": "unicast", "state": "new", "family": f"ipv{self.pods.version}"}[match.kind]
        return ALL * (wanted in match.values)

    def _interface(self, match: Match) -> int:
        if (match.kind == "input") == self.outgoing:
            return ALL * any(_same_interface(self.bridge, name) for name in match.values)
        # The other side may be any interface: the one that a masquerade names is most probably the uplink,
        # but a drop that names one is about that interface (docker0, virbr0) and not about pods.
        return SOME if self.harm == "nat" else NONE


#: The chain and the rule that harms, or None for the policy of the hook.
Finding = t.Tuple[str, t.Optional[Rule]]


def harmful(hook: Hook, traffic: Traffic) -> list[Finding]:
    """Follow the traffic through a base chain, and return what harms it on its way."""
    found: list[Finding] = []
    if not _walk(hook, hook.chain, traffic, found, frozenset()) and hook.policy == traffic.harm:
        found.append((hook.chain, None))
    return found


def _walk(hook: Hook, chain: str, traffic: Traffic, found: list[Finding], above: frozenset[str]) -> bool:
    """Walk one chain; return whether no packet comes back from it."""
    for rule in hook.rules(chain):
        share = traffic.share(rule)
        if share == NONE or rule.verdict == "none":
            continue
        ended = rule.verdict in ("accept", "drop", "nat")
        if rule.verdict == traffic.harm:
            found.append((chain, rule))
        elif rule.verdict in ("jump", "goto") and rule.target not in above:
            ended = _walk(hook, rule.target, traffic, found, above | {chain})
        if share == ALL and (ended or rule.verdict in ("return", "goto")):
            return ended
    return False


def _inside(inner: Network, outer: Network) -> bool:
    return inner.overlaps(outer) and inner.prefixlen >= outer.prefixlen


def _same_interface(bridge: t.Optional[str], name: str) -> bool:
    """Whether a rule's interface, maybe with a wildcard at its end, is the bridge; ``br1`` is not ``br10``."""
    if bridge is None:
        return False
    return bridge.startswith(name[:-1]) if name.endswith("*") else bridge == name
