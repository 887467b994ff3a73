# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are read with care and written as whole ones, their modes, and what killed runs leave beside them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import stat
import threading
import typing as t
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


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777])
def _any_umask(request: pytest.FixtureRequest) -> t.Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.usefixtures("_any_umask")
def test_directories_and_files_have_their_modes_whatever_the_umask_is(tmp_path: Path) -> None:
    path = tmp_path / "a/b/c"
    _files.write_atomically(str(path), "text", 0o640)
    assert [mode(each) for each in (path, path.parent, path.parent.parent)] == [0o640, 0o755, 0o755]
    _files.link_atomically(str(tmp_path / "d/e"), "/f")
    assert mode(tmp_path / "d") == 0o755


@pytest.mark.usefixtures("_any_umask")
def test_a_directory_is_born_with_its_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is killed after it has made one leaves it as it should be; the next run would not mend it."""
    seen = []
    real = os.mkdir

    def mkdir(path: str, mode: int) -> None:
        real(path, mode)
        seen.append(stat.S_IMODE(os.lstat(path).st_mode))

    monkeypatch.setattr(os, "mkdir", mkdir)
    _files.make_directory(str(tmp_path / "a/b"))
    assert seen == [0o755, 0o755]


def test_a_directory_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    _files.make_directory(str(tmp_path / "a"))
    assert (mode(tmp_path), mode(tmp_path / "a")) == (0o700, 0o755)


def test_nobody_reads_a_file_before_it_has_its_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = os.fchmod

    def look(handle: int, wanted: int) -> None:
        seen.extend((each.name, mode(each), each.read_bytes()) for each in tmp_path.iterdir())
        real(handle, wanted)

    monkeypatch.setattr(os, "fchmod", look)
    for _file in range(2):
        _files.write_atomically(str(tmp_path / "a"), b"secret", 0o600)
    assert {found for name, found, _content in seen if name != "a"} == {0o600}


def test_nobody_can_guess_the_name_of_what_is_not_yet_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each place of a name is any character, which a counter, a time or a process id is not, whatever the seed is."""
    names = []
    real = os.rename

    def look(source: str, target: str) -> None:
        names.append(os.path.basename(source)[1 : -len(_files.TEMPORARY)])
        real(source, target)

    monkeypatch.setattr(os, "rename", look)
    for _file in range(100):
        random.seed(1)
        _files.write_atomically(str(tmp_path / "a"), b"")
    assert len(set(names)) == 100
    assert {len(name) for name in names} == {8}, "37 characters eight times are 41 bits"
    # Of 100 names, some 35 of the 37 characters are at each place.
    assert all(len(set(place)) > 20 for place in zip(*names)), names
    steps = [int(after, 36) - int(before, 36) for before, after in zip(map(plain, names), map(plain, names[1:]))]
    assert len(set(steps)) == len(steps), "one name follows from another one"


def plain(name: str) -> str:
    """A name as the digits of a number, one of which two characters share."""
    return name.replace("_", "0")


@pytest.mark.parametrize("told", [(1, 2), None])
def test_a_file_has_its_owner_before_its_name(
    tmp_path: Path, told: t.Optional[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where we may not give files away, the kernel's part is only asked for."""
    asked, seen = [], []
    real = os.fchown, os.rename

    def give(handle: int, user: int, group: int) -> None:
        asked.append((user, group))
        with contextlib.suppress(OSError):
            real[0](handle, user, group)

    def look(source: str, target: str) -> None:
        seen.append((os.stat(source).st_uid, os.stat(source).st_gid, stat.S_IMODE(os.stat(source).st_mode)))
        real[1](source, target)

    monkeypatch.setattr(os, "fchown", give)
    monkeypatch.setattr(os, "rename", look)
    _files.write_atomically(str(tmp_path / "a"), b"secret", 0o640, told)
    assert asked == ([told] if told else [])
    try:
        os.chown(tmp_path, 1, 2)
    except OSError as error:
        print(f"what the kernel makes of it was not looked at: nobody else can be given a file here ({error.strerror})")
        return
    assert seen == [(*(told or (os.geteuid(), os.getegid())), 0o640)]


@pytest.mark.parametrize("kind", ["symlink", "hardlink"])
def test_what_is_written_goes_through_no_link(tmp_path: Path, kind: str) -> None:
    other, path = tmp_path / "other", tmp_path / "a"
    other.write_text("theirs")
    other.chmod(0o604)
    (os.symlink if kind == "symlink" else os.link)(other, path)  # Python 3.9 has no Path.hardlink_to
    _files.write_atomically(str(path), "ours", 0o600)
    assert (other.read_text(), mode(other)) == ("theirs", 0o604)
    assert path.read_text() == "ours"
    assert not path.is_symlink()


def test_a_file_is_not_cut_off_where_its_size_is_told_too_small() -> None:
    # The kernel tells 0 bytes for it.
    with pytest.raises(PodnetError, match="has more than 10 bytes"):
        _files.read_bytes("/proc/self/status", 10)


def test_a_name_that_no_file_can_have_is_a_sentence() -> None:
    with pytest.raises(PodnetError, match="is no name that a file can have"):
        _files.read_bytes("/etc/\0")
    with pytest.raises(PodnetError, match="is no name that a file can have"):
        _files.read_bytes("/etc/\ud800")


def test_two_stars_are_not_every_directory(tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    assert _files.matching(f"{tmp_path}/**/c") == []
    assert _files.matching(f"{tmp_path}/*/b") == [str(tmp_path / "a/b")]
    assert _files.matching("/\0") == []


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
