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

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._probe import namespaces, reflector


def start(name: str, port: int, lifetime: int, own_netns: bool, end_of_life: t.Callable[[str], None]) -> int:
    """Start the process that holds a namespace and reflects, wait until it does, and return its number."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            os.close(read_end)
            _reflect(write_end, port, lifetime, own_netns)
            end_of_life(name)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        problem = pipe.read()
    if problem != "ready":
        raise PodnetError(f"probe pod {name}: cannot be started: {problem or 'its process ended'}; try another port")
    return pid


def _reflect(report: int, port: int, lifetime: int, own_netns: bool) -> None:
    try:
        _leave_the_module()
        if own_netns:
            namespaces.unshare(namespaces.CLONE_NEWNET)
            namespaces.loopback_up()
        server = reflector.listen(port)
    except OSError as error:
        os.write(report, str(error).encode())
        raise
    os.write(report, b"ready")
    os.close(report)
    reflector.serve(server, time.monotonic() + lifetime)


def _leave_the_module() -> None:
    """Become a process of one's own: whoever waits for the module must not wait for us."""
    os.setsid()
    os.chdir("/")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for handle in range(3):
        os.dup2(null, handle)
