# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who reaches whom, as a picture: a table with a cell for each way or pair of nodes, or a map of tiny cells.  Pure.

A map is drawn by rows: cells of the same heat that lie side by side are one rectangle of one path, so that 200 nodes
are some hundred kilobytes and not 40,000 elements.  Failed cells are drawn over it, larger than they are.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.mink8s.podnet.plugins.plugin_utils._report.reachability import Way, pair_line, pairs

#: A table has at most so many columns; more are a map.
WIDEST = 18
#: The round-trip times, in milliseconds, where the next heat begins; they do not depend on the others' times.
BOUNDS = (0.2, 0.5, 1, 2, 5, 20)
#: The edge of the map and of its largest cell, in pixels; more failed cells than this are not marked one by one.
EDGE, LARGEST, MARKED = 1000, 24, 400
#: More lines with failures than this are not all marked: a node that is cut off would mark every line.
LINES = 20
#: The room for names beside the map and above it, and the distance of two names, in pixels.
NAMES, HEAD, PITCH = 130, 18, 15

Data = t.Dict[str, t.Any]
Line = t.Tuple[str, str]


def heat(milliseconds: t.Optional[float]) -> int:
    """Return the heat of a time, from 0 on."""
    return sum(milliseconds > bound for bound in BOUNDS) if milliseconds is not None else 0


def legend() -> list[Data]:
    """Return the heats with their times."""
    words = [f"≤ {BOUNDS[0]:g}", *(f"≤ {bound:g}" for bound in BOUNDS[1:]), f"> {BOUNDS[-1]:g}"]
    return [{"heat": index, "words": words} for index, words in enumerate(words)]


def number(milliseconds: float) -> str:
    """Return a time as it stands in a cell: three digits are enough."""
    digits = 2 if milliseconds < 10 else 1 if milliseconds < 100 else 0
    return f"{milliseconds:.{digits}f}"


def pictures(found: list[Way], silent: t.Mapping[str, str]) -> list[Data]:
    """Return the tables, or the map; ``silent`` are the nodes that pinged nothing, each with the reason."""
    if not found:
        return []
    families = sorted({way.family for way in found})
    by_family = {family: [way for way in found if way.family == family] for family in families}
    if max(len({way.target for way in ways}) for ways in by_family.values()) <= WIDEST:
        return [_ways_table(f"IPv{family}", ways, silent) for family, ways in by_family.items()]
    sources = list(dict.fromkeys(way.of for way in found))
    targets = _targets(found, sources)
    if len(targets) <= WIDEST:
        return [_pairs_table(found, sources, targets, silent)]
    return [_map(found, sources, targets, silent)]


def _targets(found: list[Way], sources: list[str]) -> list[str]:
    """The nodes in the order of the sources, and the outside at the end."""
    outside = dict.fromkeys(way.to for way in found if way.outside)
    nodes = dict.fromkeys(way.to for way in found if not way.outside)
    return [*(name for name in sources if name in nodes), *(name for name in nodes if name not in sources), *outside]


def _ways_table(title: str, found: list[Way], silent: t.Mapping[str, str]) -> Data:
    """A line for each pod and node that pings, a column for each that is pinged."""
    sources = list(dict.fromkeys((way.of, way.source) for way in found))
    nodes = list(dict.fromkeys(node for node, _source in sources))
    seen = dict.fromkeys((way.outside, way.to, way.target) for way in found)
    columns = sorted(seen, key=lambda it: (it[0], nodes.index(it[1]) if it[1] in nodes else len(nodes), it[2]))
    cells = {(way.source, way.target): way for way in found}
    lines = [
        _line(node, source, [_way_cell(cells.get((source, target))) for _outside, _to, target in columns])
        for node, source in sorted(sources, key=lambda it: (nodes.index(it[0]), it[1]))
    ]
    heads = [_head("outside" if outside else to, target) for outside, to, target in columns]
    return {
        "form": "table",
        "title": title,
        "groups": _groups(heads),
        "heads": heads,
        "lines": lines,
        "silent": dict(silent),
    }


def _pairs_table(found: list[Way], sources: list[str], targets: list[str], silent: t.Mapping[str, str]) -> Data:
    """A line and a column for each node: the median, or how many ways fail."""
    cells = pairs(found)
    lines = [_line(of, of, [_pair_cell(of, to, cells.get((of, to))) for to in targets]) for of in sources]
    heads = [{"group": "", "name": to, "whole": to, "first": False} for to in targets]
    return {
        "form": "table",
        "title": "",
        "groups": [],
        "heads": heads,
        "lines": lines,
        "silent": dict(silent),
    }


def _head(group: str, target: str) -> Data:
    node, _slash, pod = target.partition("/")
    return {"group": group, "name": pod or ("node" if group == node else target), "whole": target}


def _groups(heads: list[Data]) -> list[Data]:
    """The nodes above their columns; the first column of each is marked."""
    groups: list[Data] = []
    for head in heads:
        head["first"] = not groups or groups[-1]["name"] != head["group"]
        if head["first"]:
            groups.append({"name": head["group"], "span": 0})
        groups[-1]["span"] += 1
    return groups


def _line(node: str, source: str, cells: list[Data]) -> Data:
    pod = source.partition("/")[2]
    return {"node": node, "pod": pod, "name": source, "first": not pod, "cells": cells}


def _way_cell(way: t.Optional[Way]) -> Data:
    if way is None:
        return {"state": "unasked", "words": "·", "title": "not pinged"}
    ends = f"{way.source} → {way.target} ({way.address})"
    if not way.ok:
        return {"state": "failed", "words": "fails", "title": f"{ends}: {way.problem}"}
    words = "ok" if way.time is None else number(way.time)
    return {"state": "ok", "heat": heat(way.time), "words": words, "title": f"{ends}: {words} ms"}


def _pair_cell(of: str, to: str, mine: t.Optional[list[Way]]) -> Data:
    if not mine:
        return {"state": "unasked", "words": "·", "title": "not pinged"}
    line = pair_line(of, to, mine)
    if line["failed"]:
        words = f"{line['failed']}/{line['ways']}"
        return {"state": "failed", "words": words, "title": _failing(line)}
    words = "ok" if line["median_ms"] is None else number(line["median_ms"])
    title = f"{of} → {to}: {words} ms in the median of {line['ways']} ways"
    return {"state": "ok", "heat": heat(line["median_ms"]), "words": words, "title": title}


def _map(found: list[Way], sources: list[str], targets: list[str], silent: t.Mapping[str, str]) -> Data:
    """Tiny cells, a line for each node that pings and for each that did not."""
    cells = {ends: pair_line(*ends, mine) for ends, mine in pairs(found).items()}
    rows = [*sources, *(name for name in silent if name not in sources)]
    size = max(4, min(LARGEST, EDGE // max(len(targets), len(rows))))
    bad = [(x, y) for y, of in enumerate(rows) for x, to in enumerate(targets) if cells.get((of, to), {}).get("failed")]
    bad_rows = _worst([y for _x, y in bad])
    step = -(-PITCH // size)
    return {
        "form": "map",
        "title": "",
        "size": size,
        "columns": len(targets),
        "rows": len(rows),
        "left": NAMES,
        "top": HEAD,
        "heats": _paths(cells, rows, targets),
        "bad": [_mark(x, y, cells[rows[y], targets[x]]) for x, y in bad[:MARKED]],
        "bad_path": _path(bad),
        "bad_rows": bad_rows,
        "bad_columns": _worst([x for x, _y in bad]),
        "silent": [{"y": y, "name": name, "why": silent[name]} for y, name in enumerate(rows) if name not in sources],
        "labels": _labels(rows, step, bad_rows, [y for y, name in enumerate(rows) if name not in sources]),
        "lines": [{"y": y, "words": _row_words(name, cells, targets)} for y, name in enumerate(sources)],
    }


def _worst(lines: list[int]) -> list[int]:
    """The lines that are marked: all of few, of many those with the most failures."""
    counts = Counter(lines)
    least = max(counts.values(), default=0) / 2 if len(counts) > LINES else 0
    return sorted(line for line, count in counts.items() if count > least)


def _labels(rows: list[str], step: int, bad: list[int], silent: list[int]) -> list[Data]:
    """The names beside the map, as many as have room: first those of nodes that something is wrong with."""
    chosen: dict[int, str] = {}
    for grade, wanted in (("badname", bad), ("silentname", silent), ("", range(0, len(rows), step))):
        for y in wanted:
            if all(abs(y - other) >= step for other in chosen):
                chosen[y] = grade
    return [{"y": y, "name": rows[y], "grade": grade} for y, grade in sorted(chosen.items())]


def _mark(x: int, y: int, line: Data) -> Data:
    return {"x": x, "y": y, "title": _failing(line)}


def _failing(line: Data) -> str:
    return f"{line['from']} → {line['to']}: {line['failed']} of {line['ways']} ways fail"


def _paths(cells: t.Mapping[Line, Data], rows: list[str], targets: list[str]) -> list[Data]:
    """One path for each heat, of all its cells."""
    by_heat: dict[int, list[tuple[int, int]]] = {}
    for y, of in enumerate(rows):
        for x, to in enumerate(targets):
            line = cells.get((of, to))
            if line and not line["failed"]:
                by_heat.setdefault(heat(line["median_ms"]), []).append((x, y))
    return [{"heat": index, "path": _path(by_heat[index])} for index in sorted(by_heat)]


def _path(points: list[tuple[int, int]]) -> str:
    """Return rectangles of one cell's height, as long as cells lie side by side; the points go row by row."""
    runs: list[list[int]] = []
    for x, y in points:
        if runs and runs[-1][1] == y and runs[-1][0] + runs[-1][2] == x:
            runs[-1][2] += 1
        else:
            runs.append([x, y, 1])
    return "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in runs)


def _row_words(name: str, cells: t.Mapping[Line, Data], targets: list[str]) -> str:
    mine = [line for to in targets if (line := cells.get((name, to)))]
    ways, failed = (sum(line[key] for line in mine) for key in ("ways", "failed"))
    times = sorted(line["median_ms"] for line in mine if line["median_ms"] is not None)
    speed = f", {number(times[len(times) // 2])} ms in the median, {number(times[-1])} at most" if times else ""
    return f"from {name}: {ways - failed} of {ways} ways work{speed}"
