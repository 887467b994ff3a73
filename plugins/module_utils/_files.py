# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Files that are either the old one or the new one, whenever the power goes.

containerd does not notice a file that was renamed into a directory from elsewhere, which is what Ansible's
own atomic_move does, but it does notice one that was written beside its target and renamed.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import glob
import os
import stat
import tempfile
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _locks
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

#: Temporary names end like this: no CNI runtime, sysctl or nft loads such a file.
TEMPORARY = ".podnet-tmp"

DIRECTORY_MODE = 0o755

#: What we read is small; anything larger is not a file of ours (and must not fill the memory).
READ_LIMIT = 4 * 1024 * 1024


def read_bytes(path: str, limit: int = READ_LIMIT) -> t.Optional[bytes]:
    """Return a regular file's content, or None where there is no such file."""
    try:
        # O_NONBLOCK: opening a FIFO must not hang.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise PodnetError(f"{path}: cannot be read ({error.strerror}); check its mode and type") from error
    except ValueError as error:  # a name out of somebody's file
        raise PodnetError(f"{path}: is no name that a file can have; correct it where it is written") from error
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise PodnetError(f"{path}: is not a regular file; move it away")
    with os.fdopen(handle, "rb") as file:
        if status.st_size > limit:
            raise PodnetError(f"{path}: has {status.st_size} bytes, at most {limit} are read; move it away")
        content = file.read(limit + 1)
        # A file that grows, and one of a file system that tells no sizes, is larger than it seemed.
        if len(content) > limit:
            raise PodnetError(f"{path}: has more than {limit} bytes, which are not read; move it away")
        return content


def read_text(path: str, limit: int = READ_LIMIT) -> t.Optional[str]:
    """Return a regular UTF-8 file's text, or None where there is no such file."""
    content = read_bytes(path, limit)
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError as error:
        raise PodnetError(f"{path}: is not UTF-8 text (byte {error.start}); move it away") from error


def matching(pattern: str) -> list[str]:
    """Return the paths that a pattern of glob(3) means, in the order of their names; ``**`` is no more than ``*``."""
    try:
        return sorted(glob.glob(pattern))  # noqa: PTH207  # it also finds links to nothing, and takes any text
    except ValueError:  # a zero byte
        return []


def make_directory(path: str) -> None:
    """Make a directory and those above it as far as they are missing, all 0755 whatever the umask is."""
    missing = []
    while path and not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    # Each is born with its mode: nobody else may write there for a moment, and a run that is killed leaves it right.
    umask = os.umask(0o777 & ~DIRECTORY_MODE)
    try:
        for each in reversed(missing):
            os.mkdir(each, DIRECTORY_MODE)
    finally:
        os.umask(umask)


def write_atomically(
    path: str, content: t.Union[str, bytes], mode: int = 0o644, owner: t.Optional[tuple[int, int]] = None
) -> None:
    """Write beside the target, fsync, rename, fsync the directory; makes missing parent directories (0755).

    ``owner`` is the user and the group that get the file.
    """
    data = content.encode() if isinstance(content, str) else content
    directory = os.path.dirname(path)
    try:
        make_directory(directory)
        for leftover in leftovers(directory):
            remove_leftover(leftover)
        handle, temporary = _temporary(directory)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                # What is written later, or given to another user, may take setuid and setgid from the mode.
                file.flush()
                if owner is not None:
                    os.fchown(handle, *owner)
                os.fchmod(handle, mode)
                os.fsync(handle)
                # Before the file is closed, and its lock with it.
                os.rename(temporary, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        sync_directory(directory)
    except OSError as error:
        raise PodnetError(f"{path}: cannot be written ({error.strerror}); the file is as it was") from error


def _temporary(directory: str) -> tuple[int, str]:
    """Make a file with a name that nobody can know, and hold its lock: it ends with us, a leftover is free."""
    while True:
        handle, path = tempfile.mkstemp(suffix=TEMPORARY, prefix=".", dir=directory)
        with contextlib.suppress(OSError):  # a file system without locks
            _locks.taken(handle, 1)
        if _locks.is_at(handle, path):
            return handle, path
        os.close(handle)  # another run took it for a leftover before we had the lock


def leftovers(directory: str) -> list[str]:
    """Return the temporary files of runs that were killed; those of a run that is at work are none."""
    try:
        with os.scandir(directory) as entries:
            paths = [each.path for each in entries if each.name.startswith(".") and each.name.endswith(TEMPORARY)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = []
    for path in sorted(paths):
        with _abandoned(path) as alone:
            found += [path] if alone else []
    return found


def remove_leftover(path: str) -> None:
    """Remove a temporary file, unless a run is at work on it."""
    # While we have its lock: a run that has just made it then finds that it is gone, and makes another one.
    with _abandoned(path) as alone:
        if alone:
            remove(path)


@contextlib.contextmanager
def _abandoned(path: str) -> t.Iterator[bool]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        yield False
        return
    try:
        yield stat.S_ISREG(os.fstat(handle).st_mode) and _has(handle)
    finally:
        os.close(handle)


def _has(handle: int) -> bool:
    try:
        return _locks.taken(handle)
    except OSError:  # a file system without locks
        return False


def require_writable(path: str) -> None:
    """Refuse a path where nothing can be written or removed; missing parent directories are made when it is written."""
    directory = os.path.dirname(path)
    while not os.path.lexists(directory) and directory != "/":
        directory = os.path.dirname(directory)
    if not os.path.isdir(directory):
        raise PodnetError(f"{path}: cannot be written, as {directory} is no directory; move it away")
    if os.access(directory, os.W_OK | os.X_OK):
        return
    read_only = os.statvfs(directory).f_flag & os.ST_RDONLY
    reason, remedy = ("is read-only", "mount it for writing") if read_only else ("is not yours", "become root")
    raise PodnetError(f"{path}: cannot be written, as {directory} {reason}; {remedy}")


def link_atomically(path: str, target: str) -> None:
    """Make a symbolic link, or let one lead elsewhere; makes missing parent directories (0755)."""
    temporary = path + TEMPORARY
    try:
        make_directory(os.path.dirname(path))
        if os.path.lexists(temporary):
            os.unlink(temporary)
        os.symlink(target, temporary)  # noqa: PTH211
        os.rename(temporary, path)
        sync_directory(os.path.dirname(path))
    except OSError as error:
        raise PodnetError(f"{path}: cannot be made ({error.strerror}); check its directory's mode") from error


def remove(path: str) -> None:
    """Remove a file that may already be gone."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise PodnetError(f"{path}: cannot be removed ({error.strerror}); check its directory's mode") from error
    sync_directory(os.path.dirname(path))


def rename(source: str, target: str) -> None:
    """Rename within one directory, durably."""
    try:
        os.rename(source, target)
    except OSError as error:
        raise PodnetError(f"{source}: cannot be renamed to {target} ({error.strerror}); check the directory") from error
    sync_directory(os.path.dirname(target))


def sync_directory(directory: str) -> None:
    """Make renames and removals in a directory durable."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
