# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No room, no room for a whole file, no inodes, and file systems that are read-only: one sentence, and nothing half."""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t
from pathlib import Path

import listings
import pytest
import scenarios
from converging import SENTENCE, require_same
from scenarios import SOAK, Scenario, every_scenario
from test_kills import reference
from whole import require_whole

PAGE = 4096
BALLAST = "ballast"


def require_files(scenario: Scenario) -> None:
    if scenario.module in ("veth", "docker_leftovers"):
        pytest.skip("it writes no file")


def places(scenario: Scenario) -> list[Path]:
    """Return the outermost directories that are there before and hold all that a scenario changes in files."""
    known = reference(scenario)
    changed = [name for name in listings.differences(known.before, known.after) if name.startswith("file ")]
    found = {_existing(Path(name[len("file ") :]).parent) for name in changed}
    return sorted(path for path in found if not found.intersection(path.parents))


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


@contextlib.contextmanager
def other_file_systems(scenario: Scenario, *options: str) -> t.Iterator[list[Path]]:
    """Have a file system of its own at each place, with what is there already."""
    mounted = []
    with contextlib.ExitStack() as stack:
        for path in places(scenario):
            aside = Path("/run/aside")
            shutil.copytree(path, aside, symlinks=True)
            listings.run("mount", "-t", "tmpfs", "-o", ",".join(["mode=755", *options]), "tmpfs", str(path))
            stack.callback(listings.run, "umount", str(path))
            shutil.copytree(aside, path, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(aside)
            mounted.append(path)
        yield mounted


def fill(path: Path, free: int) -> None:
    """Leave so much room, in whole pages."""
    size = 0
    with (path / BALLAST).open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            size += file.write(bytes(PAGE))
    os.truncate(path / BALLAST, size - free)


def take_inodes(path: Path) -> None:
    """Leave no inode."""
    with contextlib.suppress(OSError):
        for number in range(1000):
            (path / f"{BALLAST}{number}").touch()


def make_room(path: Path) -> None:
    for ballast in path.glob(f"{BALLAST}*"):
        ballast.unlink()


def without_ballast(found: listings.Listing) -> listings.Listing:
    return {name: value for name, value in found.items() if f"/{BALLAST}" not in name}


@pytest.mark.parametrize("free", [0, PAGE, "inodes"] if SOAK else [0])
@every_scenario
def test_a_full_disk(scenario: Scenario, free: t.Union[int, str]) -> None:
    require_files(scenario)
    known = reference(scenario)
    scenario.start()
    options = ("size=4m", "nr_inodes=400") if free == "inodes" else ("size=4m",)
    with other_file_systems(scenario, *options) as paths:
        for path in paths:
            take_inodes(path) if isinstance(free, str) else fill(path, free)
        before = without_ballast(scenarios.listing())
        answer = scenario.call()
        now = without_ballast(scenarios.listing())
        if answer.failed:
            assert SENTENCE.fullmatch(answer.sentence), answer.sentence
            assert "(No space left on device)" in answer.sentence
            require_whole(known.before, known.after, before, now, answer.sentence)
            assert not [name for name in now if "podnet-tmp" in name], "a temporary file is left"
        else:
            # A removal needs no room, and a page may be enough.
            assert free or "create" not in scenario.what, "there was no room to write to"
        for path in paths:
            make_room(path)
        finished = scenario.call()
        assert not finished.failed, finished.sentence
        after = scenarios.forgiven(scenarios.lasting(scenarios.listing()))
        require_same(scenarios.forgiven(known.after), after, "with room again, a run leaves")
        again = scenario.call()
        assert not again.failed, again.sentence
        assert not again.changed, again.result["actions"]


@every_scenario
def test_a_read_only_file_system(scenario: Scenario) -> None:
    require_files(scenario)
    reference(scenario)
    scenario.start()
    with other_file_systems(scenario) as paths:
        for path in paths:
            listings.run("mount", "-o", "remount,ro", str(path))
        before = scenarios.listing()
        answer = scenario.call()
        assert answer.failed, answer.result
        assert SENTENCE.fullmatch(answer.sentence), answer.sentence
        assert "read-only" in answer.sentence or "Read-only" in answer.sentence
        require_same(before, scenarios.listing(), f"what was refused ({answer.sentence}) changed")
        foretold = scenario.call(check=True)
        assert (foretold.failed, foretold.sentence) == (True, answer.sentence)
