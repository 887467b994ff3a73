# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Who should reach whom from this node, and whether they do.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._engine import State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.echo import Cell, Exchange, Source, family_of
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.pods import ProbePods, Wanted
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Runner
from ansible_collections.mink8s.podnet.plugins.module_utils._values import address


class Options(t.NamedTuple):
    """What the module was asked for, checked; ``outside`` is the source address that the outside sees, by family."""

    node: str
    addresses: t.List[str]
    targets: t.List[t.Dict[str, t.Any]]
    masquerade: bool
    port: int
    timeout: float
    tries: int


class ProbedPods(ProbePods):
    """The probe pods, and what they reach."""

    def __init__(self, run: Runner, wanted: t.Optional[Wanted], options: Options) -> None:
        super().__init__(run, wanted)
        self.options = options

    def result(self, state: State) -> dict[str, t.Any]:
        found = super().result(state)
        matrix = ask(self.options, found["pods"]) if self.options.targets and self.wanted else []
        return {**found, "addresses": self.options.addresses, "matrix": matrix}


def check(params: dict[str, t.Any]) -> Options:
    """Check the module's parameters; addresses become the kernel's spelling, as they are compared with answers."""
    for key, low, high in (("count", 0, 250), ("lifetime", 5, 86400), ("port", 1, 65535), ("tries", 1, 10)):
        if not low <= params[key] <= high:
            raise OptionError(key, params[key], "is out of range", f"use {low} to {high}")
    if not 0 < params["timeout"] <= 60:
        raise OptionError("timeout", params["timeout"], "is out of range", "use more than 0 and at most 60 seconds")
    own = [str(address(f"addresses[{index}]", value)) for index, value in enumerate(params["addresses"])]
    targets = [
        {**target, "address": str(address(f"targets[{index}].address", target["address"]))}
        for index, target in enumerate(params["targets"])
    ]
    return Options(
        params["node"], own, targets, params["masquerade"], params["port"], params["timeout"], params["tries"]
    )


def ask(options: Options, pods: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Ask every target from every pod and from the node."""
    asked = []
    for pod in [None, *pods]:
        source = Source(pod["netns"] if pod else None)
        for target in options.targets:
            if _is_asked(options.node, pod, target):
                asked.append((pod, target, Cell(source, target["address"], target["kind"] != "outside")))
    Exchange([cell for _pod, _target, cell in asked], options.port).run(options.timeout, options.tries)
    return [row(options, pod, target, cell) for pod, target, cell in asked]


def row(options: Options, pod: t.Optional[dict[str, t.Any]], target: dict[str, t.Any], cell: Cell) -> dict[str, t.Any]:
    """Return one entry of the matrix, with its judgement."""
    expected = expected_source(options, pod, target, cell.own)
    error = _error(cell, target["kind"], expected)
    return {
        "from": {"node": options.node, "pod": pod["name"] if pod else None},
        "to": {"node": target["node"], "pod": target["pod"], "kind": target["kind"]},
        "address": cell.address,
        "ok": error is None,
        "rtt_ms": None if cell.rtt is None else round(cell.rtt * 1000, 3),
        "source": cell.seen,
        "expected_source": expected,
        "error": error,
    }


def expected_source(
    options: Options, pod: t.Optional[dict[str, t.Any]], target: dict[str, t.Any], own: t.Optional[str]
) -> t.Optional[str]:
    """The source address that the far end should see: the sender's own, but the node's for a pod that goes outside."""
    if pod is None or target["kind"] != "outside":
        return own
    same_family = [entry for entry in options.addresses if family_of(entry) == family_of(target["address"])]
    return same_family[0] if same_family and options.masquerade else None


def _error(cell: Cell, kind: str, expected: t.Optional[str]) -> t.Optional[str]:
    if cell.error or cell.rtt is None:
        return cell.error
    if cell.seen is None:
        return "answers pings, but not the question (UDP) for the source address" if kind == "pod" else None
    return f"saw the source address {cell.seen}, not {expected}" if expected not in (None, cell.seen) else None


def _is_asked(node: str, pod: t.Optional[dict[str, t.Any]], target: dict[str, t.Any]) -> bool:
    name = pod["name"] if pod else None
    if target["kind"] != "outside" and (target["node"], target["pod"]) == (node, name):
        return False
    # A pod without an address of the family has nothing to ask with.
    return pod is None or family_of(target["address"]) in {family_of(entry) for entry in pod["addresses"]}
