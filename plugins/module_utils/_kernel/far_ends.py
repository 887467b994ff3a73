# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Two questions to the kernel about other namespaces, from where we are: their numbers, and their addresses.

Neither of the two can be asked through every release of pyroute2 that we run with (0.7.2 does not know
IFA_TARGET_NETNSID, 0.9 has no RTM_GETNSID), so the messages are made here; their form is the kernel's and does not
change.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
import struct
import typing as t

#: linux/netlink.h, linux/rtnetlink.h, linux/if_addr.h, linux/net_namespace.h; Linux 4.20 and newer.
_ERROR, _DONE = 2, 3
_GETADDR, _GETNSID = 22, 90
_REQUEST, _DUMP, _INTERRUPTED = 0x01, 0x300, 0x10
_SOL_NETLINK, _STRICT_CHECK = 270, 12
_IFA_ADDRESS, _IFA_LOCAL, _IFA_TARGET_NETNSID = 1, 2, 10
_NETNSA_NSID, _NETNSA_FD = 1, 3

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_ADDRESS = struct.Struct("=BBBBI")
_NUMBER = struct.Struct("=i")


class FarEnds:
    """A netlink socket in our namespace."""

    def __init__(self, sock: socket.socket, strict: bool) -> None:
        self._socket, self._strict = sock, strict

    def nsid(self, path: str) -> t.Optional[int]:
        """Return the number that our links have for a namespace; None where no link leads there."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError):
            return None
        try:
            replies = self._ask(_GETNSID, _REQUEST, b"\0\0\0\0" + _attribute(_NETNSA_FD, handle))
        except OSError:
            return None
        finally:
            os.close(handle)
        numbers = [_NUMBER.unpack(_attributes(body[4:])[_NETNSA_NSID])[0] for body in replies]
        return next((number for number in numbers if number >= 0), None)

    def addresses(self, nsid: int) -> t.Optional[list[str]]:
        """Return the addresses in a namespace; None where this kernel cannot tell, or does not let us know."""
        if not self._strict:
            return None
        request = _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0) + _attribute(_IFA_TARGET_NETNSID, nsid)
        try:
            bodies = self._ask_until_whole(_GETADDR, _REQUEST | _DUMP, request)
            replies = [_attributes(body[_ADDRESS.size :]) for body in bodies]
        except OSError:
            return None
        # A kernel that did not understand the question would tell our own addresses, without that number.
        if any(_IFA_TARGET_NETNSID not in reply for reply in replies):
            return None
        found = [ipaddress.ip_address(reply.get(_IFA_LOCAL) or reply[_IFA_ADDRESS]) for reply in replies]
        return [str(address) for address in found if not (address.is_loopback or address.is_link_local)]

    def _ask_until_whole(self, kind: int, flags: int, body: bytes) -> list[bytes]:
        """Ask again where something changed while the kernel told it."""
        for _attempt in range(20):
            try:
                return self._ask(kind, flags, body)
            except InterruptedError:
                continue
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def _ask(self, kind: int, flags: int, body: bytes) -> list[bytes]:
        """Send one request, and return what all replies hold; the kernel's refusal is an OSError."""
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, 1, 0) + body)
        replies: list[bytes] = []
        whole = True
        while True:
            for answer, how, content in _messages(self._socket.recv(1 << 20)):
                whole = whole and not (flags & _DUMP and how & _INTERRUPTED)
                if answer in (_ERROR, _DONE):
                    code = _NUMBER.unpack_from(content)[0] if len(content) >= _NUMBER.size else 0
                    if code or not whole:
                        raise OSError(-code or errno.EINTR, os.strerror(-code or errno.EINTR))
                    return replies
                replies.append(content)
            if not flags & _DUMP:
                return replies


@contextlib.contextmanager
def opened() -> t.Iterator[FarEnds]:
    """Open the socket, and close it at the end of the block."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(10)
        try:
            # Without it an old kernel would not look at what we ask for.
            sock.setsockopt(_SOL_NETLINK, _STRICT_CHECK, 1)
            strict = True
        except OSError:
            strict = False
        sock.bind((0, 0))
        yield FarEnds(sock, strict)


def _messages(data: bytes) -> t.Iterator[tuple[int, int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind, flags = _HEADER.unpack_from(data)[:3]
        if length < _HEADER.size:
            return
        yield kind, flags, data[_HEADER.size : length]
        data = data[_aligned(length) :]


def _attribute(kind: int, number: int) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + _NUMBER.size, kind) + _NUMBER.pack(number)


def _attributes(data: bytes) -> dict[int, bytes]:
    found = {}
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if length < _ATTRIBUTE.size:
            break
        found[kind] = data[_ATTRIBUTE.size : length]
        data = data[_aligned(length) :]
    return found


def _aligned(length: int) -> int:
    return (length + 3) & ~3
