# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Routes of tables that are asked before the main one, as VPNs have them.  Pure.

In such a table no route need be more specific than ours: whatever covers a pod CIDR takes the packets to it.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.claims import Claim, Claims
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.overlaps import (
    Card,
    Way,
    is_ours,
    kind_of,
    object_of,
    remedy,
    together,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.verdicts import STOPS, Conflict, Consent


def of_ways(claims: Claims, ways: t.Sequence[Way], cards: t.Mapping[str, Card], consent: Consent) -> list[Conflict]:
    """Judge every route of these tables; of several through the same link the first is named."""
    groups: dict[t.Any, list[Conflict]] = {}
    thrown = [way for way in ways if way.throws]
    for way in ways:
        card = cards.get(way.device, Card("", "", False))
        claim = claims.holding(way.dst) or claims.held_by(way.dst)
        if claim is None or way.throws or is_ours(claims, card) or _is_thrown(claim, way, thrown):
            continue
        kind = kind_of(card, "route")
        what = (
            f"{way}: comes before the main table and takes packets to {claim} away from pods; {remedy(kind, card.name)}"
        )
        conflict = Conflict(STOPS, kind, object_of(kind, way, card), what)
        if consent.lacks(conflict):
            groups.setdefault((kind, card.name, way.table), []).append(conflict)
    return [together(group) for group in groups.values()]


def _is_thrown(claim: Claim, way: Way, thrown: t.Iterable[Way]) -> bool:
    """Whether a more specific route of the same table sends the packets to a pod CIDR on to the main one."""
    return any(
        each.table == way.table
        and way.dst.prefixlen < each.dst.prefixlen <= claim.cidr.prefixlen
        and each.dst.overlaps(claim.cidr)
        for each in thrown
    )
