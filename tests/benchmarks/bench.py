# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Benchmarks, side by side in one run: medians, and ratios to what people use for the same.

    bench.py [--repeat N] [--tiny] [--output DIRECTORY] [NAME…]    inside of `lab.py run --nodes 0`

Prints the table; with --output the documentation's page is written there, benchmarks.rst, and pictures/benchmarks.svg.
--tiny measures next to nothing, to see that it can be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import page
from measure import Row

HERE = Path(__file__).resolve().parent
#: Where what the rows import is found: they themselves, and the collection as `make link` lays it out.
IMPORTS = f"{HERE}:{HERE.parents[1] / '.cache/collections'}"

CNI_BIN = Path(os.environ.get("PODNET_BENCH_CNI_BIN", "/usr/lib/cni"))

#: What can be measured, by the file that does it; and how, when it is only to be seen that it can.
ROWS: dict[str, tuple[str, dict[str, t.Any]]] = {
    "routes": ("node_rows", {"counts": [1, 20]}),
    "bridge": ("node_rows", {}),
    "masquerade": ("node_rows", {"count": 2}),
    "calls": ("node_rows", {}),
    "allocation": ("controller_rows", {"count": 100}),
    "pods": ("pod_rows", {"counts": [1, 3], "seconds": 0.1}),
    "site": ("play_rows", {"nodes": 1}),
    "scale": ("play_rows", {"counts": [2]}),
}

#: Read by a row's own process: which function of which file, and with what.
INSIDE = "import importlib, json, sys; m, f, a = json.loads(sys.argv[1]); "
INSIDE += "print(json.dumps([row._asdict() for row in getattr(importlib.import_module(m), f)(**a)]))"


def measured(names: t.Sequence[str], repeat: int, tiny: bool) -> list[Row]:
    """Measure each in a network namespace, and with a /run, of its own."""
    found: list[Row] = []
    for name in names:
        print(f"-- {name}", file=sys.stderr, flush=True)
        file, small = ROWS[name]
        arguments = json.dumps([file, name, {"repeat": repeat, **(small if tiny else {})}])
        # The first process is in that network namespace, too, or ifstate would refuse to work.
        alone = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        alone += ["sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$@"', "sh"]
        words = [*alone, sys.executable, "-c", INSIDE, arguments]
        environment = {**os.environ, "PYTHONPATH": IMPORTS}
        began = time.monotonic()
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False, env=environment)
        if done.returncode != 0:
            sys.exit(f"bench: {name} failed; what it said stands above")
        found += [Row.load(row) for row in json.loads(done.stdout.splitlines()[-1])]
        print(f"   {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return found


def ground(load: float) -> str:
    """Say what it was measured on, and when."""
    cpu = next(
        (line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "an unknown processor",
    )
    versions = {
        "The nodes' Python": _first(["/usr/bin/python3", "-c", "import platform; print(platform.python_version())"]),
        "the controller's": platform.python_version(),
        "ansible-core": _first([sys.executable, "-c", "import ansible.release as r; print(r.__version__)"]),
        "nftables": _first(["nft", "--version"]).split()[1],
        "iptables": _first(["iptables", "--version"]).split()[1],
        "CNI plugins": _plugins(),
    }
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    when = time.strftime("%Y-%m-%d", time.gmtime())
    machine = f"{os.cpu_count()} x {cpu}, Linux {platform.release()}"
    return f"Measured on {when}, on {machine}, with a load of {load:.1f} at the beginning. {said}."


def _plugins() -> str:
    """Return the plugins' release; Debian's do not know theirs."""
    plugin = str(CNI_BIN / "bridge")
    release = _first([plugin]).rpartition(" ")[2]
    return release if release != "unknown" else f"of {_first(['dpkg-query', '-S', plugin]).partition(':')[0]}"


def _first(words: list[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return next(iter((done.stdout or done.stderr).splitlines()), "? ?")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ROWS))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    unknown = set(args.names) - set(ROWS)
    if unknown:
        parser.error(f"there is no row {min(unknown)}, only {', '.join(ROWS)}")
    load = os.getloadavg()[0]
    busy = load > 0.7 * (os.cpu_count() or 1)
    rows = measured(args.names or list(ROWS), args.repeat, args.tiny)
    for row in rows:
        print("  ".join(filter(None, (f"{row.what}:", *page.cells(row, busy)))))
    if args.output:
        pictures = args.output / "pictures"
        pictures.mkdir(parents=True, exist_ok=True)
        (args.output / "benchmarks.rst").write_text(page.page(rows, busy, ground(load), args.repeat))
        (pictures / "benchmarks.svg").write_text(page.plot(rows))


if __name__ == "__main__":
    main()
