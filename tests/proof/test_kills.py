# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SIGKILL at every point of every module, and at any time: nothing is half, and the next run makes it whole."""

from __future__ import annotations

import os
import random
import re
import signal
import time
import typing as t
import zlib

import listings
import pytest
import scenarios
from converging import require_same
from faults import AFTER, BEFORE, COUNTS, HALF, Fault, Points
from scenarios import SOAK, Scenario, every_scenario
from whole import require_no_lock, require_whole

#: Of each scenario: how many kills at points the quick profile makes, and how many there are at random times.
FEW = 2
TIMES = 12 if SOAK else 1
#: How something comes to be where nothing was, or something else: a file, a link, a directory.
KINDS_OF_FILES = {"-": {"write", "fsync", "rename"}, "l": {"symlink", "rename"}, "d": {"mkdir"}}
#: Something that goes, which there are several ways for.
REMOVED, REMOVALS = "removal", {"unlink", "remove", "rmdir", "rename"}
#: How each module changes the kernel.
KINDS = {
    "bridge": {"netlink"},
    "veth": {"netlink"},
    "docker_leftovers": {"start"},
    "routes": {"start"},
    "masquerade": {"start"},
    "cni_gc": {"start"},
    "sysctls": {"write"},
}
#: Programs that change nothing.
LOOKS = re.compile(r"-save$| list | -V$|=VERSION | show| config dump$| --help$")


class Reference(t.NamedTuple):
    """A scenario without a kill: what was there, what is there, the points on the way, and how long it took."""

    before: listings.Listing
    after: listings.Listing
    points: list[str]
    seconds: float


_references: dict[str, Reference] = {}


def reference(scenario: Scenario) -> Reference:
    """Run a scenario undisturbed, once."""
    if scenario.name not in _references:
        _references[scenario.name] = _undisturbed(scenario)
    return _references[scenario.name]


def _undisturbed(scenario: Scenario) -> Reference:
    before = scenarios.lasting(scenario.start())
    points = Points()
    began = time.monotonic()
    answer = scenario.call(arm=points.arm)
    seconds = time.monotonic() - began
    assert answer.changed, answer.result
    names = points.names()
    points.close()
    after = scenarios.lasting(scenarios.listing())
    seen = {name.split()[0] for name in names if not LOOKS.search(name)}
    missing = kinds(scenario, before, after) - seen - ({REMOVED} if seen & REMOVALS else set())
    assert not missing, f"no point is of the kind {missing}: {names}"
    return Reference(before, after, names, seconds)


def kinds(scenario: Scenario, before: listings.Listing, after: listings.Listing) -> set[str]:
    """Return the kinds of points that must be on the way from one listing to the other."""
    found: set[str] = set()
    for name, (old, new) in listings.differences(before, after).items():
        if name.startswith("file ") and new is None:
            found.add(REMOVED)
        elif name.startswith("file "):
            # One that got another name is not written, and a lock is made and stays empty.
            renamed = old is None and new[0][0] == "-" and new in before.values()
            found |= set() if new[3] == b"" else {"rename"} if renamed else KINDS_OF_FILES[new[0][0]]
        else:
            assert isinstance(scenario.module, str)
            found |= KINDS[scenario.module]
    return found


def every_fault(points: list[str]) -> list[Fault]:
    """Return all the ways to die at these points."""
    return [fault for number, name in enumerate(points, 1) for fault in _faults(number, name)]


def _faults(number: int, name: str) -> list[Fault]:
    before, after = Fault(number, BEFORE), Fault(number, AFTER)
    if name.startswith("start "):
        # A program lives on when we are dead, or dies with us; one that only looks around does not matter.
        return [before] if LOOKS.search(name) else [before, after, Fault(number, AFTER, with_children=True)]
    return [before, Fault(number, HALF), after] if name.endswith("(can be half)") else [before, after]


def chosen(scenario: Scenario, faults: list[Fault]) -> list[Fault]:
    """Return all of them, or a few that are spread over all, others for each scenario."""
    if SOAK:
        return faults
    first = zlib.crc32(scenario.name.encode())
    return [faults[(first + number * len(faults) // FEW) % len(faults)] for number in range(FEW)]


@every_scenario
def test_at_every_point(scenario: Scenario) -> None:
    faults = every_fault(reference(scenario).points)
    for fault in chosen(scenario, faults):
        before = scenario.start()
        what = killed_at(scenario, fault, reference(scenario).points)
        require_whole_again(scenario, before, what)


@every_scenario
def test_at_any_time(scenario: Scenario, pytestconfig: pytest.Config) -> None:
    seconds = reference(scenario).seconds
    for delay in random_times(scenario, pytestconfig, seconds):
        before = scenario.start()
        if killed_after(scenario, delay):
            require_whole_again(scenario, before, f"killed after {delay:.3f} of {seconds:.3f} s")


def killed_at(scenario: Scenario, fault: Fault, expected: list[str]) -> str:
    """Let a module die at one of the points that are expected on its way, and say what it was about."""
    points = Points(fault)
    answer = scenario.call(arm=points.arm)
    names = points.names()
    points.close()
    assert answer.signal == signal.SIGKILL, f"{fault}: {names} instead of {expected}"
    return f"killed {fault.when} {names[-1]}"


def random_times(scenario: Scenario, config: pytest.Config, seconds: float) -> list[float]:
    """The same again with the same seed, which a soak says at its end, and pytest with a failure."""
    seed = config.getoption("hypothesis_seed") if SOAK else 0
    seed = random.randrange(2**32) if seed is None else seed  # noqa: S311  # not for a secret
    print(f"the times are of seed {seed}")
    chance = random.Random(f"{seed} {scenario.name}")  # noqa: S311
    return [chance.uniform(0, seconds) for _number in range(TIMES)]


def killed_after(scenario: Scenario, delay: float) -> bool:
    """Start a module and kill it, and what it has started, after some seconds; return whether it was not done yet."""
    running = scenario.begin()
    time.sleep(delay)
    os.killpg(running.pid, signal.SIGKILL)
    return running.end().signal == signal.SIGKILL


def require_whole_again(scenario: Scenario, before: listings.Listing, what: str) -> None:
    """After a kill: nothing is half or locked, nothing of others is touched, and one more run finishes it."""
    COUNTS["kills"] += 1
    known = reference(scenario)
    require_no_lock()
    require_whole(known.before, known.after, before, scenarios.listing(), what)
    finished = scenario.call()
    assert not finished.failed, f"{what}: the next run failed: {finished.sentence}"
    now = scenarios.lasting(scenarios.listing())
    require_same(scenarios.forgiven(known.after), scenarios.forgiven(now), f"{what}: the next run leaves")
    again = scenario.call()
    assert not again.failed, f"{what}: the run after the next failed: {again.sentence}"
    assert not again.changed, f"{what}: the run after the next plans {again.result['actions']}"
