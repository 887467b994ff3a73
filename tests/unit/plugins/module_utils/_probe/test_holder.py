# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process that holds a probe pod, here without a namespace of its own."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _locks
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._probe import holder

#: The kernel chooses one.
ANY_PORT = 0


def has_ended(pid: int) -> bool:
    """Whether a child has ended within two seconds."""
    for _attempt in range(100):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return True
        time.sleep(0.02)
    return False


def test_it_outlives_the_module_and_keeps_none_of_its_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_locks, "DIRECTORY", str(tmp_path))
    with _locks.alone("cni_probe"):
        waiting = os.open(tmp_path / "podnet.cni_probe.lock", os.O_RDONLY)
        with holder.started("probe1", ANY_PORT, 60, False, lambda _name: None) as pid:
            pass
        assert not _locks.taken(waiting)
    try:
        assert _locks.taken(waiting)
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
        assert len(list(Path(f"/proc/{pid}/fd").iterdir())) == 5, "the three, the socket, and what it waited at"
    finally:
        os.close(waiting)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_one_that_is_not_written_down_ends_at_once() -> None:
    with pytest.raises(OSError, match="No space"), holder.started("probe1", ANY_PORT, 60, False, os.abort) as pid:
        raise OSError(28, "No space left on device")
    assert has_ended(pid)


def test_the_end_of_its_life_is_told(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with holder.started("probe1", ANY_PORT, 0, False, lambda name: void(told.write_text(name))) as pid:
        pass
    assert has_ended(pid)
    assert told.read_text() == "probe1"


def test_a_port_that_is_taken_is_a_sentence() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("", 0))
        with (
            pytest.raises(PodnetError, match=r"probe1: cannot be started: .*in use; try another port"),
            holder.started("probe1", other.getsockname()[1], 60, False, os.abort),
        ):
            raise AssertionError("it is said to have started")


def void(_value: object) -> None:
    """Return nothing."""
