# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sudden death: the process of a module ends with SIGKILL at the nth thing that it asks the kernel to change.

Nothing of this is in the modules.  What leads from Python to the kernel is wrapped in the fork that runs the module,
and the wrapping ends with it: files, directories, links, locks, netlink, the start of programs, what they are told, and
what a runtime is told.
"""

from __future__ import annotations

import builtins
import fcntl
import io
import os
import re
import signal
import socket
import stat
import struct
import subprocess
import typing as t

#: How many kills there were in this process, and how many pairs of runs at once.
COUNTS = {"kills": 0, "pairs": 0}

BEFORE, HALF, AFTER = "before", "half of", "after"

#: Functions of `os` that change something, as they are called by their first argument.
_CHANGES = (
    *("chmod", "chown", "fchmod", "fchown", "fdatasync", "fsync", "ftruncate", "kill", "lchown", "link", "mkdir"),
    *("remove", "rename", "replace", "rmdir", "symlink", "truncate", "unlink", "utime"),
)
#: What a runtime is asked to do by its CRI; a question changes nothing.
_REQUEST = re.compile(rb"RuntimeService/((?!List|Status|Version)\w+)")
#: More than that is not written to a pipe as a whole.
_PIPE_BUF = 4096


class Fault(t.NamedTuple):
    """When a process ends: at which point, counted from one, and whether its children end with it."""

    point: int
    when: str
    with_children: bool = False


class Points:
    """The points that a module comes to; the armed process tells of each by a file that both have open."""

    def __init__(self, fault: t.Optional[Fault] = None) -> None:
        self._fault = fault
        self._told = os.memfd_create("points")
        self._count = 0
        self._pid = 0
        self._write, self._kill, self._killpg = os.write, os.kill, os.killpg

    def names(self) -> list[str]:
        """Return all points so far; one that can be half done says so."""
        size = os.fstat(self._told).st_size
        return os.pread(self._told, size, 0).decode(errors="replace").splitlines()

    def close(self) -> None:
        os.close(self._told)

    def arm(self) -> None:
        """Wrap all that changes something, in this process; what it forks lives on, and comes to no points."""
        self._pid = os.getpid()
        for name in _CHANGES:
            setattr(os, name, self._wrapped(name, getattr(os, name)))
        os.open = self._wrapped_open(os.open)  # type: ignore[assignment]
        os.write = self._wrapped_write  # type: ignore[assignment]
        fcntl.flock = self._wrapped("flock", fcntl.flock)  # type: ignore[assignment]
        builtins.open = io.open = self._wrapped_file(io.open)  # type: ignore[assignment]
        socket.socket.sendall = self._wrapped_request(socket.socket.sendall)  # type: ignore[method-assign]
        for name in ("send", "sendto", "sendmsg"):
            setattr(socket.socket, name, self._wrapped_send(getattr(socket.socket, name)))
        subprocess.Popen.__init__ = self._wrapped_start(subprocess.Popen.__init__)  # type: ignore[method-assign]

    def reach(self, name: str, act: t.Callable[[], t.Any], half: t.Optional[t.Callable[[], t.Any]] = None) -> t.Any:
        """Do something, unless this is the point at which all ends."""
        if os.getpid() != self._pid:
            return act()
        self._count += 1
        self._write(self._told, f"{name}{' (can be half)' if half else ''}\n".encode(errors="replace"))
        when = self._fault.when if self._fault and self._fault.point == self._count else None
        if when == BEFORE:
            self._die()
        if when == HALF and half:
            half()
            self._die()
        try:
            return act()
        finally:
            if when:
                self._die()

    def _die(self) -> None:
        if self._fault and self._fault.with_children:
            self._killpg(os.getpgrp(), signal.SIGKILL)
        self._kill(os.getpid(), signal.SIGKILL)

    def _wrapped(self, name: str, function: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def wrapped(*args: t.Any, **kwargs: t.Any) -> t.Any:
            return self.reach(f"{name} {_place(args[0])}", lambda: function(*args, **kwargs))

        return wrapped

    def _wrapped_open(self, function: t.Callable[..., int]) -> t.Callable[..., int]:
        def wrapped(path: t.Any, flags: int, *args: t.Any, **kwargs: t.Any) -> int:
            if not flags & (os.O_CREAT | os.O_TRUNC):
                return function(path, flags, *args, **kwargs)
            return t.cast(int, self.reach(f"create {path}", lambda: function(path, flags, *args, **kwargs)))

        return wrapped

    def _wrapped_write(self, handle: int, data: bytes) -> int:
        def write(part: bytes) -> int:
            return self._write(handle, part)

        return t.cast(int, self.reach(f"write {_place(handle)}", lambda: write(data), _half(handle, data, write)))

    def _wrapped_file(self, function: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def wrapped(file: t.Any, mode: str = "r", *args: t.Any, **kwargs: t.Any) -> t.Any:
            if not set(mode) & set("wax+"):
                return function(file, mode, *args, **kwargs)
            if isinstance(file, int):
                return Written(function(file, mode, *args, **kwargs), self)
            return Written(self.reach(f"open {file}", lambda: function(file, mode, *args, **kwargs)), self)

        return wrapped

    def _wrapped_send(self, function: t.Callable[..., int]) -> t.Callable[..., int]:
        def wrapped(sock: socket.socket, data: t.Any, *args: t.Any, **kwargs: t.Any) -> int:
            whole = data if isinstance(data, (bytes, bytearray, memoryview)) else b"".join(data)
            # Of four kinds of messages of rtnetlink one is a question (NEW, DEL, GET, SET), which changes nothing.
            if sock.family != socket.AF_NETLINK or struct.unpack_from("=H", whole, 4)[0] % 4 == 2:
                return function(sock, data, *args, **kwargs)
            return t.cast(int, self.reach("netlink", lambda: function(sock, data, *args, **kwargs)))

        return wrapped

    def _wrapped_request(self, function: t.Callable[..., None]) -> t.Callable[..., None]:
        def wrapped(sock: socket.socket, data: t.Any, *args: t.Any) -> None:
            request = _REQUEST.search(data)
            if request:
                name, half = f"call {request[1].decode()}", data[: len(data) // 2]
                self.reach(name, lambda: function(sock, data, *args), lambda: function(sock, half))
            else:
                function(sock, data, *args)

        return wrapped

    def _wrapped_start(self, function: t.Callable[..., None]) -> t.Callable[..., None]:
        def wrapped(process: t.Any, args: t.Any, *more: t.Any, **kwargs: t.Any) -> None:
            self.reach(f"start {_command(args)}", lambda: function(process, args, *more, **kwargs))

        return wrapped


class Written:
    """A file that is written to; each write is a point, and reaches the kernel at once."""

    def __init__(self, file: t.Any, points: Points) -> None:
        self._file, self._points = file, points

    def write(self, data: t.Any) -> int:
        def write(part: t.Any) -> None:
            self._file.write(part)
            self._file.flush()

        handle = self._file.fileno()
        self._points.reach(f"write {_place(handle)}", lambda: write(data), _half(handle, data, write))
        return len(data)

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._file, name)

    def __enter__(self) -> Written:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._file.close()


def _half(handle: int, data: t.Any, write: t.Callable[[t.Any], t.Any]) -> t.Optional[t.Callable[[], t.Any]]:
    """Return what writes only a part, if the kernel may do so: it takes settings, and what is short, as a whole."""
    kind, size = os.fstat(handle).st_mode, len(data) // 2
    if stat.S_ISFIFO(kind):
        size -= size % _PIPE_BUF
    if size == 0 or not (stat.S_ISFIFO(kind) or stat.S_ISREG(kind)) or _place(handle).startswith("/proc/"):
        return None
    return lambda: write(data[:size])


def _place(what: t.Any) -> str:
    """What is changed, as its path where it has one."""
    if not isinstance(what, int):
        return str(what)
    try:
        return os.readlink(f"/proc/self/fd/{what}")
    except OSError:
        return str(what)


def _command(args: t.Any) -> str:
    words = [args] if isinstance(args, (str, bytes)) else args
    return " ".join(word.decode(errors="replace") if isinstance(word, bytes) else str(word) for word in words)
