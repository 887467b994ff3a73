# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The nodes that a run with --limit leaves out: their blocks are known, and stay theirs.  Pure.

Their own plans, which would refuse another block, are not made; and yet all others get routes to them.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

#: So many names stand in a sentence.
SHOWN = 3


def require_known(hosts: t.Sequence[str], lock_file: str) -> None:
    """Refuse to go on without a lock file where nobody says what these hosts have: it could be given to another."""
    if not hosts:
        return
    names = ", ".join(hosts[:SHOWN]) + (", …" if len(hosts) > SHOWN else "")
    problem = f"is not there, and nobody says which blocks are those of {names}, which --limit leaves out"
    remedy = (
        "name this cluster's own (pod_cidr_lock_file), ask all nodes with adopt: true (pod_cidr_adopt), or, in a new "
        "cluster, let site decide for all nodes first (--tags pod_cidr without --limit)"
    )
    raise OptionError("lock_file", lock_file, problem, remedy)


def require_kept(host: str, has: t.Iterable[t.Any], cidrs: list[str]) -> None:
    """Refuse to replace a block of a host: nobody is there to be drained."""
    for cidr in has:
        if str(_values.network(f"nodes.{host}.pod_cidrs", cidr)) in cidrs:
            continue
        problem = f"would replace {cidr} of {host}, which --limit leaves out"
        remedy = "run it for all nodes, or let the variables change the blocks of those in the run only"
        raise OptionError(f"nodes.{host}.pod_cidrs", cidrs, problem, remedy)


def require_true(host: str, answer: t.Iterable[t.Any], cidrs: list[str]) -> None:
    """Refuse blocks that are not what the host has, by its own answer: the lock file is lost, or ahead of it.

    It may have more than they are, or a part of them, by a CNI configuration of the user's own.
    """
    has = [_values.network(f"found.{host}", cidr) for cidr in answer]
    for block in map(ipaddress.ip_network, cidrs):
        same = [each for each in has if each.version == block.version]
        if same and not any(block.overlaps(each) for each in same):
            problem = f"is not {', '.join(map(str, same))}, which {host} has, and --limit leaves it out"
            remedy = f"take what the nodes have with adopt: true (pod_cidr_adopt), or run it for {host}, too"
            raise OptionError(f"nodes.{host}.pod_cidrs", cidrs, problem, remedy)
