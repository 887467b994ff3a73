# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured on the controller: who owns which of tens of thousands of pod CIDRs."""

from __future__ import annotations

import functools
import gc
import typing as t

from measure import Budget, Row, Table, measured

from ansible_collections.mink8s.podnet.plugins.module_utils import _blocks, _lockfile, _subnets


def _allocate(nodes: dict[str, _subnets.Node], books: list[t.Optional[_subnets.Book]]) -> None:
    """Give each node its block by what the last book says, and make a new one."""
    families = _blocks.cut(["10.0.0.0/8"], {4: 24})
    books.append(_subnets.allocate(families, nodes, books[-1], _subnets.Rules("lock file"))[1])


def allocation(repeat: int, count: int = 65536) -> t.List[Row]:
    """A block for each of so many nodes, again with all of them in the lock file, and that file itself."""
    nodes = {f"node{index}": _subnets.Node() for index in range(count)}
    table = Table()
    for _run in range(repeat):
        books: list[t.Optional[_subnets.Book]] = [None]
        for which in ("first run", "nothing to do"):
            gc.collect()  # what the last run left is not this one's
            table.add(which, measured(functools.partial(_allocate, nodes, books)))
        text = _lockfile.render(books[-1] or _subnets.Book([], {}))
        table.add("the lock file is read", measured(functools.partial(_lockfile.parse, "lock file", text)))
    budgets = {which: Budget(1.0) for which in ("first run", "nothing to do")}
    return [table.row(f"{count:,} pod CIDRs, {which}", which, budget=budgets.get(which)) for which in table.samples]
