# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The process that holds a probe pod's namespace and answers in it, forked from the module.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import time
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._probe import reflector

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1


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
            _new_netns()
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


def _new_netns() -> None:
    # os.unshare is Python 3.12's.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "unshare")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
