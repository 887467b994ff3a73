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
from ansible_collections.mink8s.podnet.plugins.module_utils._probe import mtu
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.causes import cause
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.echo import FULL, Cell, Exchange, Source
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.evidence import Witness
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.icmp import family_of
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
        asked = self.options.targets and self.wanted
        matrix = ask(self.options, [None, *found["pods"]], Witness(self.run, self.options.node)) if asked else []
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


class Question(t.NamedTuple):
    """One sender and one target: a short ping, and one as large as the way should take."""

    pod: t.Optional[t.Dict[str, t.Any]]
    target: t.Dict[str, t.Any]
    small: Cell
    big: Cell


def ask(
    options: Options, senders: t.Sequence[t.Optional[dict[str, t.Any]]], witness: Witness, reflects: bool = True
) -> list[dict[str, t.Any]]:
    """Ask every target from some pods, or the node (None), and look for the causes of what fails."""
    questions = []
    for pod in senders:
        source = Source(pod["netns"] if pod else None)
        for target in options.targets:
            if is_asked(options.node, pod, target):
                small = Cell(source, target["address"], reflects and target["kind"] != "outside")
                big = Cell(source, target["address"], False, FULL)
                questions.append(Question(pod, target, small, big))
    cells = [*(question.small for question in questions), *(question.big for question in questions)]
    Exchange(cells, options.port).run(options.timeout, options.tries)
    through = _largest(options, questions, witness)
    rows = [row(options, question, found) for question, found in zip(questions, through)]
    for question, found in zip(questions, rows):
        if not found["ok"]:
            way = witness.way(question, found, rows, options.targets)
            found["cause"] = cause(way) if way else None
    return rows


def _largest(options: Options, questions: list[Question], witness: Witness) -> list[t.Optional[int]]:
    """The largest packet that came through on each way, where it matters; looked for once between any two nodes."""
    lost = {
        _way(question): mtu.Way(question.big, question.small)
        for question in questions
        if question.small.rtt is not None and question.big.rtt is None and _matters(question, witness)
    }
    found = mtu.search(lost, options.port, options.timeout)
    return [
        question.big.size if question.big.rtt is not None else found.get(_way(question)) if question.small.rtt else None
        for question in questions
    ]


def _way(question: Question) -> t.Hashable:
    where = question.target["node"] or question.target["address"]
    return question.pod is None, where, question.big.family, question.big.size


def _matters(question: Question, witness: Witness) -> bool:
    """Outside, routers may take less than we send, and say so; only what our own gateway says is our fault."""
    if question.target["kind"] != "outside":
        return True
    hop = witness.path(question.pod, question.small.address).hop
    return bool(hop and question.big.told and question.big.told[0] == hop.via)


def row(options: Options, question: Question, through: t.Optional[int]) -> dict[str, t.Any]:
    """Return one entry of the matrix, with its judgement."""
    pod, target, small, big = question
    expected = expected_source(options, pod, target, small.own)
    error = _error(small, target["kind"], expected) or _too_big(big, through)
    return {
        "from": {"node": options.node, "pod": pod["name"] if pod else None},
        "to": {"node": target["node"], "pod": target["pod"], "kind": target["kind"]},
        "address": small.address,
        "ok": error is None,
        "rtt_ms": None if small.rtt is None else round(small.rtt * 1000, 3),
        "mtu": through,
        "source": small.seen,
        "expected_source": expected,
        "error": error,
        "cause": None,
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
        must = kind == "pod" and cell.reflects
        return "answers pings, but not the question (UDP) for the source address" if must else None
    return f"saw the source address {cell.seen}, not {expected}" if expected not in (None, cell.seen) else None


def _too_big(big: Cell, through: t.Optional[int]) -> t.Optional[str]:
    if big.rtt is not None or through is None:
        return None
    return f"answers short pings, but not one of {big.size} bytes, the full MTU, that nobody may fragment"


def is_asked(node: str, pod: t.Optional[dict[str, t.Any]], target: dict[str, t.Any]) -> bool:
    name = pod["name"] if pod else None
    if target["kind"] != "outside" and (target["node"], target["pod"]) == (node, name):
        return False
    # A pod without an address of the family has nothing to ask with.
    return pod is None or family_of(target["address"]) in {family_of(entry) for entry in pod["addresses"]}
