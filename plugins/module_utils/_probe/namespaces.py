# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Namespaces of our own: a network, and mounts that hide the node's state from what runs in them.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import struct
import traceback
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import ROOT_REMEDY

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1


def unshare(flags: int) -> None:
    """Leave the namespaces that we share with others; os.unshare is Python 3.12's."""
    _call("unshare", flags)


def loopback_up() -> None:
    """Set the loopback link of our network namespace up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def hide(directory: str) -> None:
    """Put an empty directory over one, for us alone."""
    _call("mount", b"tmpfs", os.fsencode(directory), b"tmpfs", 0, b"mode=755")


def new_pod() -> str:
    """Make a network namespace and return its path, which is good for as long as this process lives."""
    with open("/proc/thread-self/ns/net", "rb") as home:
        unshare(CLONE_NEWNET)
        loopback_up()
        # Kept open on purpose: the kernel drops the namespace with its last handle.
        handle = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _call("setns", home.fileno(), CLONE_NEWNET)
    return f"/proc/{os.getpid()}/fd/{handle}"


def apart(work: t.Callable[[], t.Any]) -> t.Any:
    """Do some work in a child with a network and mounts of its own, and return what it returns.

    All that it makes ends with it, whatever ends it.
    """
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            with os.fdopen(write_end, "w") as pipe:
                json.dump(_child(work), pipe)
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    answer: dict[str, t.Any] = json.loads(text) if text else {"bug": "the scratch namespace's process was killed"}
    if "sentence" in answer:
        raise PodnetError(answer["sentence"], **answer["facts"])
    if "bug" in answer:
        raise RuntimeError(answer["bug"])
    return answer["result"]


def _child(work: t.Callable[[], t.Any]) -> dict[str, t.Any]:
    try:
        unshare(CLONE_NEWNS | CLONE_NEWNET)
        # Or what we mount would be seen outside.
        _call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)
        loopback_up()
        return {"result": work()}
    except PodnetError as error:
        return {"sentence": str(error), "facts": error.facts}
    except OSError as error:
        return {"sentence": f"a scratch namespace cannot be made ({error}); {ROOT_REMEDY}", "facts": {}}
    except Exception:
        return {"bug": traceback.format_exc()}


def _call(name: str, *args: t.Any) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*args) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)
