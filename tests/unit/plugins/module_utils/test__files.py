# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are the old one or the new one, and what killed runs leave beside them."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _files
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError


def test_what_a_killed_run_left_goes_with_the_next_write(tmp_path: Path) -> None:
    for name in (".abc.podnet-tmp", "abc.podnet-tmp", ".abc.podnet-tmp1", ".abc"):
        (tmp_path / name).write_text("half")
    _files.write_atomically(str(tmp_path / "file"), "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".abc", ".abc.podnet-tmp1", "abc.podnet-tmp", "file"]
    assert (tmp_path / "file").read_text() == "whole"


def test_what_a_run_is_writing_is_no_leftover(tmp_path: Path) -> None:
    (tmp_path / ".one.podnet-tmp").write_text("half")
    with (tmp_path / ".two.podnet-tmp").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert _files.leftovers(str(tmp_path)) == [str(tmp_path / ".one.podnet-tmp")]
    assert len(_files.leftovers(str(tmp_path))) == 2


def test_links_fifos_and_directories_are_no_leftovers(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".fifo.podnet-tmp")
    (tmp_path / ".link.podnet-tmp").symlink_to("/etc/passwd")
    (tmp_path / ".directory.podnet-tmp").mkdir()
    assert _files.leftovers(str(tmp_path)) == []
    assert _files.leftovers(str(tmp_path / "nowhere")) == []


def test_many_write_at_the_same_time(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def work(text: str) -> None:
        try:
            for _number in range(100):
                _files.write_atomically(str(tmp_path / "file"), text * 1000)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(text,)) for text in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(set((tmp_path / "file").read_text())) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _files.write_atomically(str(tmp_path / "file"), "old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        PodnetError, match=r"file: cannot be written \(No space left on device\); the file is as it was"
    ):
        _files.write_atomically(str(tmp_path / "file"), "new")
    assert (tmp_path / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_can_be_written_need_not_be_there(tmp_path: Path) -> None:
    _files.require_writable(str(tmp_path / "a/b/file"))
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(PodnetError, match=r"/a/b/file: cannot be written, as .*/a is no directory; move it away$"):
        _files.require_writable(str(tmp_path / "a/b/file"))
    # Root may write everywhere; a read-only file system is among the proofs.
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    with pytest.raises(PodnetError, match=r"/file: cannot be written, as .* is not yours; become root$"):
        _files.require_writable(str(tmp_path / "file"))
