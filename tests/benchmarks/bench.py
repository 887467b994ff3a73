# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Benchmarks, side by side in one run: medians, and ratios to what people use for the same.

    bench.py [--repeat N] [--output DIRECTORY] [NAME…]    inside of `lab.py run --nodes 0`

Prints the table; with --output it is written there as benchmarks.md, with a plot beside it, benchmarks.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import typing as t
from pathlib import Path

from rows import ROWS, Row

HERE = Path(__file__).resolve().parent
#: Of the plot, in its own units.
WIDTH, LINE, LEFT = 900, 22, 330
OURS, PEER = "#2563eb", "#94a3b8"


def measured(names: t.Sequence[str], repeat: int) -> list[Row]:
    """Run each in a network namespace of its own."""
    found = []
    for name in names:
        print(f"-- {name}", file=sys.stderr, flush=True)
        words = ["unshare", "--net", sys.executable, str(HERE / "rows.py"), name, str(repeat)]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"bench: {name} failed; what it said stands above")
        found += [Row(**row) for row in json.loads(done.stdout)]
    return found


def verdict(row: Row) -> str:
    """Whether a promise holds."""
    if row.seconds is not None:
        return f"≤ {row.seconds:g} s: {'yes' if row.median <= row.seconds else '**no**'}"
    if row.ratio is not None:
        ratio = row.median / statistics.median(next(iter(row.peers.values())))
        return f"≤ {row.ratio:g} x: {'yes' if ratio <= row.ratio else '**no**'}"
    return ""


def table(found: t.Sequence[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| what | ours | beside it | ratio | budget |", "|---|---|---|---|---|"]
    for row in found:
        name, times = next(iter(row.peers.items()), ("", []))
        peer = f"{shown(statistics.median(times))}: {name}" if times else ""
        ratio = f"{row.median / statistics.median(times):.2f} x" if times else ""
        lines.append(f"| {row.what} | {shown(row.median)} | {peer} | {ratio} | {verdict(row)} |")
    return "\n".join(lines) + "\n"


def shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def plot(found: t.Sequence[Row]) -> str:
    """Two bars for each row that has a peer, each pair as long as its slower one."""
    rows = [row for row in found if row.peers]
    parts = []
    for index, row in enumerate(rows):
        name, times = next(iter(row.peers.items()))
        pair = ((row.median, OURS, "ours"), (statistics.median(times), PEER, name))
        longest = max(seconds for seconds, _color, _name in pair)
        top = 10 + index * (2 * LINE + 12)
        parts.append(text(LEFT - 10, top + LINE + 4, row.what, "end"))
        for line, (seconds, color, label) in enumerate(pair):
            width = max(2.0, 300 * seconds / longest)
            y = top + line * LINE
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{width:.0f}" height="{LINE - 4}" fill="{color}"/>')
            parts.append(text(LEFT + width + 6, y + LINE - 8, f"{shown(seconds)} {label}", "start"))
    height = 20 + len(rows) * (2 * LINE + 12)
    style = "text{font:13px sans-serif;fill:#1e293b}@media(prefers-color-scheme:dark){text{fill:#e2e8f0}}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}">'
    return "\n".join([head, f"<style>{style}</style>", *parts, "</svg>"]) + "\n"


def text(x: float, y: float, words: str, anchor: str) -> str:
    escaped = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escaped}</text>'


def ground() -> str:
    """What it was measured on."""
    cpu = next(
        (line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "?",
    )
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} x {cpu}, Linux {platform.release()}, Python {platform.python_version()}, "
        f"load {load:.1f} at the end"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ROWS))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    found = measured(args.names or list(ROWS), args.repeat)
    shown_table = f"{table(found)}\nMedians of {args.repeat} runs. {ground()}.\n"
    print(shown_table)
    if args.output:
        args.output.mkdir(parents=True, exist_ok=True)
        title = "# Benchmarks\n\nMade by `make bench`; on your machine it is different, so run it there.\n\n"
        (args.output / "benchmarks.md").write_text(f"{title}{shown_table}\n![the same as bars](benchmarks.svg)\n")
        (args.output / "benchmarks.svg").write_text(plot(found))


if __name__ == "__main__":
    main()
