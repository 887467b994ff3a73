# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the nodes' matrices to one line for each pair of nodes, and to the ways that fail.  Pure."""

from __future__ import annotations

import typing as t

Row = t.Dict[str, t.Any]


class Way(t.NamedTuple):
    """One line of a matrix; ``of`` and ``to`` are the nodes, or the outside address, of ``source`` and ``target``."""

    of: str
    source: str
    to: str
    target: str
    address: str
    outside: bool
    ok: bool
    time: t.Optional[float]
    error: str
    cause: str

    @property
    def family(self) -> int:
        return 6 if ":" in self.address else 4

    @property
    def problem(self) -> str:
        """What was seen, and what the node takes for the cause, if it knows one."""
        return f"{self.error}; likely cause: {self.cause}" if self.cause else self.error


def ways(rows: t.Iterable[Row]) -> list[Way]:
    """Return the lines of all matrices; those of pods as ``node/pod``."""
    return [_way(row) for row in rows]


def _way(row: Row) -> Way:
    here, there = row["from"], row["to"]
    outside = there["kind"] == "outside"
    return Way(
        of=str(here["node"]),
        source=_end(here),
        to=str(row["address"]) if outside else str(there["node"]),
        target=str(row["address"]) if outside else _end(there),
        address=str(row["address"]),
        outside=outside,
        ok=bool(row["ok"]),
        time=row["rtt_ms"],
        error=str(row["error"] or ""),
        cause=str(row.get("cause") or ""),
    )


def _end(end: dict[str, t.Optional[str]]) -> str:
    return "/".join(str(word) for word in (end["node"], end["pod"]) if word)


def summary(found: list[Way]) -> dict[str, t.Any]:
    """Return what the JSON says: the number of ways, each way that fails, and one line for each pair of nodes."""
    failed = [way for way in found if not way.ok]
    return {
        "ways": len(found),
        "failed": len(failed),
        "failures": [
            {
                "from": way.source,
                "to": way.target,
                "address": way.address,
                "error": way.error,
                "cause": way.cause or None,
            }
            for way in failed
        ],
        "pairs": [pair_line(of, to, mine) for (of, to), mine in pairs(found).items()],
    }


def pairs(found: t.Iterable[Way]) -> dict[tuple[str, str], list[Way]]:
    """Return the ways from each node to each node or outside address."""
    result: dict[tuple[str, str], list[Way]] = {}
    for way in found:
        result.setdefault((way.of, way.to), []).append(way)
    return result


def pair_line(of: str, to: str, mine: list[Way]) -> dict[str, t.Any]:
    """Return how many ways there are between two nodes, how many fail, and how long a ping takes."""
    times = sorted(way.time for way in mine if way.time is not None)
    return {
        "from": of,
        "to": to,
        "ways": len(mine),
        "failed": sum(not way.ok for way in mine),
        "median_ms": times[len(times) // 2] if times else None,
        "slowest_ms": times[-1] if times else None,
    }


def sentences(found: list[Way]) -> list[dict[str, t.Any]]:
    """Return the failures as a person tells them: a node that is cut off is one line, not hundreds."""
    failed = [way for way in found if not way.ok]
    deaf = _cut_off(found, lambda way: way.of)
    unheard = _cut_off(found, lambda way: way.to)
    lines = [_together(f"nobody else reaches {node}", [way for way in failed if way.to == node]) for node in unheard]
    rest = [way for way in failed if way.to not in unheard]
    lines += [
        _together(f"{node} reaches nobody else", [way for way in rest if way.of == node])
        for node in deaf
        if any(way.of == node for way in rest)
    ]
    by_pair = pairs(found)
    for (of, to), mine in pairs(way for way in rest if way.of not in deaf).items():
        if len(mine) > 1 and len(mine) == len(by_pair[of, to]):
            lines.append(_together(f"{of} → {to}", mine))
        else:
            lines += [_together(f"{way.source} → {way.target}", [way]) for way in mine]
    return lines


def _cut_off(found: list[Way], end: t.Callable[[Way], str]) -> list[str]:
    """Return the ends to or from which no way between two of them works, where there are at least three."""
    between = [way for way in found if way.of != way.to]
    works = {end(way) for way in between if way.ok}
    others: dict[str, set[str]] = {}
    for way in between:
        others.setdefault(end(way), set()).add(way.to if end(way) == way.of else way.of)
    return [name for name, ends in others.items() if name not in works and len(ends) > 1]


def _together(what: str, mine: list[Way]) -> dict[str, t.Any]:
    # What has a cause tells more.
    errors = list(dict.fromkeys(way.problem for way in sorted(mine, key=lambda way: not way.cause)))
    others = len(errors) - 1
    more = f" (and {others} other {'problem' if others == 1 else 'problems'})" if others else ""
    address = mine[0].address if len(mine) == 1 else ""
    return {"what": what, "address": address, "ways": len(mine), "error": f"{errors[0]}{more}"}
