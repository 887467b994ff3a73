# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Network namespaces: find one by its name, open a netlink socket in it, and ask the kernel there.

A netlink socket stays in the namespace that it was made in, so a namespace is entered for that moment only.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import sys
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError

#: Where `ip netns` keeps them.
DIRECTORY = "/run/netns"

_CLONE_NEWNET = 0x40000000


def path_of(option: str, name: t.Any) -> str:
    """Return the file of a namespace that is given as a name (`ip netns`) or as a path (/proc/PID/ns/net)."""
    remedy = "write a name as `ip netns` shows it, or a path like /proc/4711/ns/net"
    if not isinstance(name, str) or not name or "\0" in name or name in (".", ".."):
        raise OptionError(option, name, "is not a network namespace", remedy)
    if name.startswith("/"):
        return name
    if "/" in name:
        raise OptionError(option, name, "is not a network namespace", remedy)
    return f"{DIRECTORY}/{name}"


@contextlib.contextmanager
def entered(path: t.Optional[str]) -> t.Iterator[None]:
    """Be in the namespace at ``path`` (None: stay where we are) until the end of the block."""
    if path is None:
        yield
        return
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(path)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)


@contextlib.contextmanager
def netlink(path: t.Optional[str] = None) -> t.Iterator[t.Any]:
    """Open pyroute2's IPRoute in the namespace at ``path``, and close it at the end of the block."""
    factory = _iproute()
    with entered(path):
        try:
            # The kernel, not Python, then picks the routes that are asked for.
            handle = factory(strict_check=True)
        except OSError:  # a kernel before 4.20
            handle = factory()
    with asking("netlink"), handle:
        yield handle


def dump(ask: t.Callable[[], t.Iterable[t.Any]]) -> list[t.Any]:
    """Ask again where something came or went while the kernel told it, as where pods are being attached."""
    for _attempt in range(20):
        try:
            return list(ask())
        except Exception as error:
            # Its class is pyroute2's, which is not imported for that.
            if type(error).__name__ != "NetlinkDumpInterrupted":
                raise
    raise PodnetError("netlink: the node's network changes faster than it can be listed; run this again")


#: What the kernel says when somebody else was faster.
_OVERTAKEN = (errno.EEXIST, errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ESRCH, errno.EADDRNOTAVAIL, errno.EBUSY)


@contextlib.contextmanager
def asking(what: str) -> t.Iterator[None]:
    """Turn the kernel's refusal into a sentence: ``with asking("address 10.12.1.1/24 on br1"): ...``."""
    try:
        yield
    except Exception as error:
        code = _code(error)
        if not code:
            raise
        remedy = "run as root (become: true)" if code == errno.EPERM else "dmesg may tell more"
        if code in _OVERTAKEN:
            remedy = "something else may have changed it meanwhile, so run this again; or dmesg may tell more"
        raise PodnetError(f"{what}: the kernel refuses it ({os.strerror(code)}); {remedy}") from error


def refused(error: Exception) -> t.Optional[str]:
    """Return what the kernel said, or None if it was not the kernel."""
    code = _code(error)
    return os.strerror(code) if code else None


def _code(error: Exception) -> int:
    # NetlinkError is not imported, see _iproute.
    code = getattr(error, "code", None)
    return code if isinstance(code, int) and code > 0 else 0


def _iproute() -> t.Any:
    # Imported here: it takes a quarter of a second, and a sentence is better than a traceback.
    try:
        from pyroute2 import IPRoute  # noqa: PLC0415
    except ImportError as error:
        raise PodnetError(
            f"pyroute2: {sys.executable} cannot import it ({error}); install the distribution's package "
            "python3-pyroute2 (apt-get or dnf install python3-pyroute2), or a wheel >= 0.7.2 for this interpreter"
        ) from error
    return IPRoute


def _enter(path: str) -> None:
    try:
        target = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise PodnetError(f"{path}: is not a network namespace ({error.strerror}); see `ip netns`") from error
    try:
        _setns(target)
    except OSError as error:
        raise PodnetError(f"{path}: cannot be entered ({error.strerror}); it needs root, see `ip netns`") from error
    finally:
        os.close(target)


def _setns(handle: int) -> None:
    # os.setns is Python 3.12's.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(handle, _CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
