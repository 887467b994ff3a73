# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One line of the table, and how it is measured."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import typing as t
from statistics import median


class Sample(t.NamedTuple):
    """One measurement; beside the clock's seconds stand the processor's, of all processes together."""

    value: float
    cpu: float


class Budget(t.NamedTuple):
    """What is promised: the most, in the row's unit or (relative) of what the first peer takes."""

    most: float
    relative: bool = False


class Row(t.NamedTuple):
    """What we take, and what others take for the same."""

    what: str
    ours: t.List[Sample]
    peers: t.Dict[str, t.List[Sample]] = {}
    budget: t.Optional[Budget] = None
    #: Of rates more is better, of all others less.
    unit: t.Literal["s", "/s", "tasks", "MB"] = "s"

    def middle(self, samples: t.Sequence[Sample], busy: bool = False) -> float:
        """The median, on a busy machine the one of the processor's seconds."""
        return median(sample.cpu if busy and self.unit == "s" else sample.value for sample in samples)

    def ratio(self, peer: str, busy: bool = False) -> float:
        """How much of the peer's we take."""
        return self.middle(self.ours, busy) / self.middle(self.peers[peer], busy)

    def holds(self, busy: bool) -> t.Optional[bool]:
        """Whether the promise is kept; None where nothing is promised, or there is nothing to compare with."""
        if self.budget is None or (self.budget.relative and not self.peers):
            return None
        taken = self.ratio(next(iter(self.peers)), busy) if self.budget.relative else self.middle(self.ours, busy)
        return taken <= self.budget.most

    @classmethod
    def load(cls, values: t.Mapping[str, t.Any]) -> Row:
        """Make a row of what `json` has made of one."""
        budget = values["budget"] and Budget(*values["budget"])
        peers = {name: [Sample(*each) for each in samples] for name, samples in values["peers"].items()}
        return cls(values["what"], [Sample(*each) for each in values["ours"]], peers, budget, values["unit"])


class Done(t.NamedTuple):
    """How long a program took, and what it said."""

    sample: Sample
    output: str
    #: The largest of its processes, in MB.
    memory: float


def run(words: t.Sequence[str], text: str = "", environment: t.Optional[t.Mapping[str, str]] = None) -> Done:
    """Run a program that must succeed, and measure it."""
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as said:
        given.write(text)
        given.seek(0)
        began = time.perf_counter()
        process = subprocess.Popen(words, stdin=given, stdout=said, stderr=subprocess.STDOUT, env=environment)
        _pid, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        output = said.read()
    if process.returncode != 0:
        raise SystemExit(f"bench: {' '.join(words)}: status {process.returncode}\n{output[-4000:]}")
    return Done(Sample(seconds, usage.ru_utime + usage.ru_stime), output, usage.ru_maxrss / 1024)


def ip(*lines: str) -> Sample:
    """Run lines of ip(8)."""
    return run(["ip", "-batch", "-"], "".join(f"{line}\n" for line in lines)).sample


def measured(action: t.Callable[[], t.Any]) -> Sample:
    """Measure something of this process."""
    began, worked = time.perf_counter(), time.process_time()
    action()
    return Sample(time.perf_counter() - began, time.process_time() - worked)


class Table:
    """Samples by the names of what was measured, in the order of their first ones."""

    def __init__(self) -> None:
        self.samples: dict[str, list[Sample]] = {}

    def add(self, name: str, sample: Sample) -> None:
        self.samples.setdefault(name, []).append(sample)

    def row(self, what: str, name: str, *peers: str, budget: t.Optional[Budget] = None) -> Row:
        """Make a row of one of them and those beside it, as far as those were measured."""
        return Row(
            what, self.samples[name], {peer: self.samples[peer] for peer in peers if peer in self.samples}, budget
        )
