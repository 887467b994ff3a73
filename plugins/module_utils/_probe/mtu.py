# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The largest packet that comes through unfragmented where a full one does not.

A bridge drops what is too big for a port and says nothing, so sizes are tried, many at once and ever closer.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._probe import icmp, reflector
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.echo import Cell, Exchange

#: Sizes tried at once: three rounds of them tell 65535 sizes apart.
AT_ONCE = 40
ROUNDS = 3
#: A ping that came back at all took a fraction of this; what has not come by then was too big.
SECONDS = 0.3


class Way(t.NamedTuple):
    """A full-sized ping that was lost, and the short one that was not."""

    big: Cell
    small: Cell


def search(ways: t.Mapping[t.Hashable, Way], port: int, timeout: float) -> dict[t.Hashable, int]:
    """Return the largest size that comes through, for each way."""
    through = {key: icmp.HEADERS[way.big.family] + reflector.SIZE for key, way in ways.items()}
    lost = {key: way.big.size for key, way in ways.items()}
    for _round in range(ROUNDS):
        tried = {key: _cells(way, through[key], lost[key]) for key, way in ways.items()}
        cells = [cell for found in tried.values() for cell in found]
        if not cells:
            break
        slowest = max(way.small.rtt or 0 for way in ways.values())
        Exchange(cells, port).run(min(timeout, SECONDS + 2 * slowest), 2)
        for key, found in tried.items():
            through[key] = max([through[key], *(cell.size for cell in found if cell.rtt is not None)])
            missing = [cell.size for cell in found if cell.rtt is None and cell.size > through[key]]
            lost[key] = min([lost[key], *missing])
    return through


def _cells(way: Way, through: int, lost: int) -> list[Cell]:
    return [Cell(way.big.source, way.big.address, False, size) for size in sizes(through, lost, way.big.told)]


def sizes(through: int, lost: int, told: t.Optional[tuple[str, int]] = None) -> list[int]:
    """What to try between a size that comes through and one that is lost; and the one that a router told."""
    step = max(1, -(-(lost - through) // (AT_ONCE + 1)))
    found = set(range(through + step, lost, step))
    if told and through < told[1] < lost:
        found |= {size for size in (told[1], told[1] + 1) if size < lost}
    return sorted(found)
