# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Locks that end with the process that has them, whatever ends it: flock(2).

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

DIRECTORY = "/run"

#: How long another run of the same module is waited for.
PATIENCE = 60.0


def taken(handle: int, seconds: float = 0.0) -> bool:
    """Take the lock of an open file; False where somebody else had it for so long."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)


@contextlib.contextmanager
def alone(name: str, seconds: float = PATIENCE) -> t.Iterator[None]:
    """Let no other run of a module be at work on this node until the end of the block; no file is left."""
    path = f"{DIRECTORY}/podnet.{name}.lock"
    handle = _have(path, time.monotonic() + seconds)
    if handle is None:
        raise PodnetError(
            f"{name}: another run is at work on this node, and has not ended within {seconds:g} seconds; "
            f"wait for its end and run this again (lslocks shows who has {path})"
        )
    try:
        yield
    finally:
        if handle >= 0:
            with contextlib.suppress(OSError):
                os.unlink(path)
            os.close(handle)


def _have(path: str, deadline: float) -> t.Optional[int]:
    """Return the locked file; -1 where there can be none, and None where somebody else has it."""
    while True:
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError:  # not root, or no such directory: then there is nothing that two runs could do to one another
            return -1
        if not taken(handle, deadline - time.monotonic()):
            os.close(handle)
            return None
        if is_at(handle, path):
            return handle
        os.close(handle)  # it was the file of a run that has ended


def is_at(handle: int, path: str) -> bool:
    """Whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except OSError:
        return False
