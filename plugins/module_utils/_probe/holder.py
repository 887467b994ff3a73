# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The process that holds a probe pod's namespace and answers in it, forked from the module.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
import typing as t
from pathlib import Path

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._probe import namespaces, reflector


@contextlib.contextmanager
def started(
    name: str, port: int, lifetime: int, own_netns: bool, end_of_life: t.Callable[[str], None]
) -> t.Iterator[int]:
    """Start the process that holds a namespace and reflects, and return its number once it does.

    It waits for the end of the block, which writes it down: one that nobody can find again ends at once.
    """
    ready, report = os.pipe()
    leave, stay = os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            _leave_the_module(report, leave)
            if _reflect(report, leave, port, lifetime, own_netns):
                end_of_life(name)
        os._exit(0)
    os.close(report)
    os.close(leave)
    try:
        with os.fdopen(ready) as pipe:
            problem = pipe.read()
        if problem != "ready":
            raise PodnetError(
                f"probe pod {name}: cannot be started: {problem or 'its process ended'}; try another port"
            )
        yield pid
        os.write(stay, b"1")
    finally:
        os.close(stay)


def _reflect(report: int, leave: int, port: int, lifetime: int, own_netns: bool) -> bool:
    """Answer for a lifetime; return whether we were to stay."""
    try:
        if own_netns:
            namespaces.unshare(namespaces.CLONE_NEWNET)
            namespaces.loopback_up()
        server = reflector.listen(port)
    except OSError as error:
        os.write(report, str(error).encode())
        raise
    os.write(report, b"ready")
    os.close(report)
    if not os.read(leave, 1):
        return False
    reflector.serve(server, time.monotonic() + lifetime)
    return True


def _leave_the_module(*kept: int) -> None:
    """Become a process of one's own: whoever waits for the module, or for a lock that it has, must not wait for us."""
    os.setsid()
    os.chdir("/")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for handle in range(3):
        os.dup2(null, handle)
    for handle in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if handle > 2 and handle not in kept:
            with contextlib.suppress(OSError):  # the one by which that directory was read
                os.close(handle)
