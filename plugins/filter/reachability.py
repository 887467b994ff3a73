# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the nodes' matrices to a table that a person reads.  Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _shapes

DOCUMENTATION = r"""
name: reachability
short_description: Who reaches whom, as a table
version_added: 1.0.0
author: The mink8s.podnet developers (@mink8s)
description:
  - Puts the matrices that M(mink8s.podnet.cni_probe) returns on each node together.
positional: _input
options:
  _input:
    description: The entries of all matrices.
    type: list
    elements: dict
    required: true
  wide:
    description: With more nodes than this there is a line for each node, instead of a line and a column for each pod.
    type: int
    default: 6
"""

EXAMPLES = r"""
- name: Ping from probe pods
  mink8s.podnet.cni_probe:
    name: podnet
  register: probed

- name: Show who reaches whom
  ansible.builtin.debug:
    msg: "{{ (probed.matrix | mink8s.podnet.reachability).table }}"
"""

RETURN = r"""
_value:
  description: The table and what failed.
  type: dict
  contains:
    table:
      description: The lines of the table, with one more for each entry that failed.
      type: list
      elements: str
      sample: ["4 of 4 ways work"]
    failures:
      description: A sentence for each entry that failed.
      type: list
      elements: str
      sample: []
    entries:
      description: How many entries there are.
      type: int
      sample: 4
"""

Row = t.Dict[str, t.Any]
TITLE = "round-trip times in milliseconds, and the source addresses that the far ends saw"
#: The width of a column unless its title is wider.
COLUMN = 8


def reachability(rows: list[Row], wide: int = 6) -> dict[str, t.Any]:
    """Return the table's lines, a sentence for each failure, and the number of entries."""
    strange = [row for row in rows if not _shapes.fits(row, _shapes.ROW)]
    rows = [row for row in rows if row not in strange]
    failures = [_failure(row) for row in rows if not row["ok"]]
    nodes = _unique(row["from"]["node"] for row in rows)
    rows = sorted(rows, key=lambda row: nodes.index(row["from"]["node"]))
    lines = _summary(rows, nodes) if len(nodes) > wide else [*_grid(4, rows), *_grid(6, rows)]
    total = f"{len(rows) - len(failures)} of {len(rows)} ways work"
    failures += [f"FAILED: {len(strange)} entries are not understood"] if strange else []
    return {"table": [*lines, total, *failures], "failures": failures, "entries": len(rows) + len(strange)}


def _grid(family: int, rows: list[Row]) -> list[str]:
    """A line for each source, a column for each target, and the source addresses that far ends saw."""
    rows = [row for row in rows if _family(row["address"]) == family]
    if not rows:
        return []
    # The targets of one source lack that source itself; those of two sources make the list whole.
    columns = sorted(_unique(_to(row) for row in rows), key=_order(rows))
    cells = {(_from(row), _to(row)): row for row in rows}
    sources = _unique(_from(row) for row in rows)
    first = max(len(name) for name in sources)
    widths = [max(len(_short(column)), COLUMN) for column in columns]
    head = "  ".join([" " * first, *(_short(column).rjust(width) for column, width in zip(columns, widths))])
    lines = [f"IPv{family}: {TITLE}", head + "  seen as"]
    for source in sources:
        mine = [cells.get((source, column)) for column in columns]
        times = [_time(cell).rjust(width) for cell, width in zip(mine, widths)]
        lines.append("  ".join([source.ljust(first), *times, _seen([cell for cell in mine if cell])]))
    return lines


def _order(rows: list[Row]) -> t.Callable[[str], tuple[bool, int, str]]:
    """Nodes in the order of the sources, each before its pods; the outside at the end."""
    nodes = _unique(row["from"]["node"] for row in rows)
    of_column = {_to(row): row["to"] for row in rows}

    def order(column: str) -> tuple[bool, int, str]:
        to = of_column[column]
        position = nodes.index(to["node"]) if to["node"] in nodes else len(nodes)
        return to["kind"] == "outside", position, column

    return order


def _summary(rows: list[Row], nodes: list[str]) -> list[str]:
    first = max(len(node) for node in nodes)
    lines = [TITLE]
    lines.append(
        f"{'':{first}}  {'ways':>{COLUMN}}  {'work':>{COLUMN}}  {'median':>{COLUMN}}  {'slowest':>{COLUMN}}  seen as"
    )
    for node in nodes:
        mine = [row for row in rows if row["from"]["node"] == node]
        times = sorted(row["rtt_ms"] for row in mine if row["rtt_ms"] is not None)
        numbers = [str(len(mine)), str(sum(row["ok"] for row in mine))]
        numbers += [_number(times[len(times) // 2]), _number(times[-1])] if times else ["-", "-"]
        lines.append("  ".join([node.ljust(first), *(number.rjust(COLUMN) for number in numbers), _seen(mine)]))
    return lines


def _seen(rows: list[Row]) -> str:
    """``10.12.1.2, outside 192.0.2.11``: what far ends in the cluster saw, and what those outside saw."""
    inside = _unique(row["source"] for row in rows if row["source"] and row["to"]["kind"] != "outside")
    outside = _unique(row["source"] for row in rows if row["source"] and row["to"]["kind"] == "outside")
    return ", ".join([*inside, *(f"outside {address}" for address in outside)])


def _time(row: t.Optional[Row]) -> str:
    if row is None:
        return "."
    if not row["ok"]:
        return "FAILED"
    return "ok" if row["rtt_ms"] is None else _number(row["rtt_ms"])


def _number(milliseconds: float) -> str:
    return f"{milliseconds:.2f}" if milliseconds < 100 else f"{milliseconds:.0f}"


def _failure(row: Row) -> str:
    to = _to(row) if row["to"]["kind"] == "outside" else f"{_to(row)} ({row['address']})"
    cause = f"; likely cause: {row['cause']}" if row.get("cause") else ""
    return f"FAILED from {_from(row)} to {to}: {row['error']}{cause}"


def _from(row: Row) -> str:
    return "/".join(word for word in (row["from"]["node"], row["from"]["pod"]) if word)


def _to(row: Row) -> str:
    if row["to"]["kind"] == "outside":
        return str(row["address"])
    return "/".join(word for word in (row["to"]["node"], row["to"]["pod"]) if word)


def _short(column: str) -> str:
    return column.rpartition("/")[2]


def _family(address: str) -> int:
    return 6 if ":" in address else 4


def _unique(words: t.Iterable[t.Any]) -> list[t.Any]:
    return list(dict.fromkeys(words))


class FilterModule:
    """The filter by its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"reachability": reachability}
