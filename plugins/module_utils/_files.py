# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Files that are either the old one or the new one, whenever the power goes.

containerd does not notice a file that was renamed into a directory from elsewhere, which is what Ansible's
own atomic_move does, but it does notice one that was written beside its target and renamed.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import glob
import os
import stat
import tempfile
import typing as t

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
    for each in reversed(missing):
        # Nobody else may write there for a moment either.
        os.mkdir(each, 0o700)
        os.chmod(each, DIRECTORY_MODE)


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
        handle, temporary = tempfile.mkstemp(suffix=TEMPORARY, prefix=".", dir=directory)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                # What is written later, or given to another user, may take setuid and setgid from the mode.
                file.flush()
                if owner is not None:
                    os.fchown(handle, *owner)
                os.fchmod(handle, mode)
                os.fsync(handle)
            os.rename(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        sync_directory(directory)
    except OSError as error:
        raise PodnetError(f"{path}: cannot be written ({error.strerror}); the file is as it was") from error


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
