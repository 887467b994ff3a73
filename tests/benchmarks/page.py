# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows as a page of the documentation: a table, and a plot that takes the colours of the text around it."""

from __future__ import annotations

import typing as t
from html import escape
from pathlib import Path

from measure import Row

LICENCE = (
    "Copyright (c) 2026, the mink8s.podnet developers",
    "GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)",
    "SPDX-License-Identifier: GPL-3.0-or-later",
)

HEADINGS = ("what", "ours", "beside it", "ratio", "budget")

#: Of the plot, in its own units.
WIDTH, BAR, GAP, LEFT, ROOM = 900, 17, 14, 400, 240


def shown(row: Row, value: float) -> str:
    """Write a value in its unit."""
    if row.unit == "tasks":
        return f"{value:.0f}"
    if row.unit != "s":
        return f"{value:,.0f} {'a second' if row.unit == '/s' else row.unit}"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def cells(row: Row, busy: bool) -> tuple[str, str, str, str]:
    """What a row says in the table's columns, but for its name."""
    ours = shown(row, row.middle(row.ours))
    if row.unit == "s":
        ours += f" ({shown(row, row.middle(row.ours, busy=True))})"
    peers = [f"{shown(row, row.middle(samples))}: {name}" for name, samples in row.peers.items()]
    ratios = [f"{row.ratio(name):.2f}" for name in row.peers]
    promise = ""
    if row.budget:
        most = f"≤ {row.budget.most:g}{'' if row.budget.relative else f' {row.unit}'}"
        promise = f"{most}: {({True: 'yes', False: '**no**', None: 'not measured'})[row.holds(busy)]}"
    return ours, "; ".join(peers), "; ".join(ratios), promise


def table(rows: t.Sequence[Row], busy: bool) -> str:
    """The rows as a table of reStructuredText."""
    lines = [".. list-table::", "  :header-rows: 1", "  :widths: 30 16 30 10 14", ""]
    for first, *others in (HEADINGS, *((row.what, *cells(row, busy)) for row in rows)):
        lines += [f"  * - {first}", *(f"    - {cell}" for cell in others)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def page(rows: t.Sequence[Row], busy: bool, ground: str, repeat: int) -> str:
    """The page of the documentation."""
    judged = "the clock's seconds"
    if busy:
        judged = "the processor's seconds, as the machine had other work meanwhile"
    text = Path(__file__).with_name("page.rst.in").read_text()
    return text.format(ground=ground, repeat=repeat, judged=judged, table=table(rows, busy))


def plot(rows: t.Sequence[Row]) -> str:
    """A group of bars for each row that has something beside it, as long as its longest."""
    parts: list[str] = []
    top = 34
    for row in rows:
        if not row.peers:
            continue
        bars = [("ours", row.middle(row.ours)), *((name, row.middle(each)) for name, each in row.peers.items())]
        longest = max(value for _name, value in bars)
        height = len(bars) * BAR
        what = row.what + (" (more is better)" if row.unit == "/s" else "")
        parts.append(_text(LEFT - 12, top + height / 2 + 4, what, "end"))
        for index, (name, value) in enumerate(bars):
            y, width = top + index * BAR, max(2.0, ROOM * value / longest)
            kind = "accent" if index == 0 else "soft"
            opacity = "" if index == 0 else ' fill-opacity="0.45"'
            parts.append(
                f'<g class="{kind}"><rect x="{LEFT}" y="{y}" width="{width:.0f}" height="{BAR - 3}"{opacity}/></g>'
            )
            label = shown(row, value) + ("" if index == 0 else f"  {name}")
            parts.append(_text(LEFT + width + 7, y + BAR - 5, label, "start"))
        top += height + GAP
    licence = "".join(f"<!-- {line} -->\n" for line in LICENCE)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" font-family="sans-serif" font-size="12"'
        ' fill="currentColor">'
    )
    legend = (
        f'<g class="accent"><rect x="{LEFT}" y="8" width="14" height="14"/></g>{_text(LEFT + 20, 20, "ours", "start")}'
        f'<g class="soft"><rect x="{LEFT + 70}" y="8" width="14" height="14" fill-opacity="0.45"/></g>'
        f"{_text(LEFT + 90, 20, 'beside it; each group has its own scale', 'start')}"
    )
    return "\n".join([licence + head, legend, *parts, "</svg>"]) + "\n"


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(words, quote=False)}</text>'
