# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of a module at a time, and none that waits for ever."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _locks
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

HOLD = """
import fcntl, os, sys, time
handle = os.open(sys.argv[1], os.O_RDONLY | os.O_CREAT)
fcntl.flock(handle, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(_locks, "DIRECTORY", str(tmp_path))
    return tmp_path


@pytest.fixture
def holder(directory: Path) -> t.Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(directory / "podnet.bridge.lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_no_file_is_left(directory: Path) -> None:
    with _locks.alone("bridge"):
        assert [path.name for path in directory.iterdir()] == ["podnet.bridge.lock"]
        assert os.stat(directory / "podnet.bridge.lock").st_mode & 0o777 == 0o600
    assert list(directory.iterdir()) == []


@pytest.mark.usefixtures("holder")
def test_another_run_is_waited_for_but_not_for_ever(directory: Path) -> None:
    began = time.monotonic()
    with pytest.raises(PodnetError, match=r"bridge: another run is at work .* within 0.3 seconds; wait"):  # noqa: SIM117
        with _locks.alone("bridge", 0.3):
            pytest.fail("the lock of another process was had")
    assert time.monotonic() - began >= 0.3
    assert (directory / "podnet.bridge.lock").exists()
    # Of a module whose name contains it, or is contained in it, it says nothing.
    with _locks.alone("bridge1", 0), _locks.alone("bridg", 0):
        pass


def test_a_run_that_was_killed_has_no_lock(holder: subprocess.Popen[str], directory: Path) -> None:
    holder.kill()
    holder.wait()
    with _locks.alone("bridge", 0):
        pass
    assert list(directory.iterdir()) == []


def test_where_no_file_can_be_made_there_is_no_lock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_locks, "DIRECTORY", str(tmp_path / "nowhere"))
    with _locks.alone("bridge", 0), _locks.alone("bridge", 0):
        pass


def test_many_come_one_after_the_other(directory: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _number in range(50):
            with _locks.alone("bridge", 30):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), set(most)) == (200, {1})
    assert list(directory.iterdir()) == []
