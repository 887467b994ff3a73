# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The far end that tells who asks: one UDP question, answered with the source address that it came from.

Nothing but the standard library, as the lab runs this file too.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import time
import typing as t

#: Unassigned at IANA, and below the range of ports that a kernel gives out by itself.
PORT = 9471
WORD = b"podnet-probe"
#: A question is as long as the longest answer, so that nobody can use us to amplify.
SIZE = 80
#: linux/in.h; Python 3.9 has no name for it.
IP_PKTINFO = 8


def question(nonce: str) -> bytes:
    """Return the datagram that asks for our source address."""
    return (WORD + b" " + nonce.encode()).ljust(SIZE, b"\0")


def answer(datagram: bytes) -> t.Optional[tuple[str, str]]:
    """Return the nonce of the question, and the address that the far end saw."""
    word, _space, rest = datagram.partition(b" ")
    nonce, _space, address = rest.partition(b" ")
    return (nonce.decode(), address.decode()) if word == WORD and address and datagram.isascii() else None


def listen(port: int) -> socket.socket:
    """Open a socket for both families, or for IPv4 where the kernel has no IPv6."""
    try:
        server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    except OSError as error:
        if error.errno != errno.EAFNOSUPPORT:
            raise
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        server.bind(("", port))
        return server
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    server.bind(("::", port))
    return server


def serve(server: socket.socket, until: float = float("inf")) -> None:
    """Answer questions until a point of the monotonic clock."""
    while (left := until - time.monotonic()) > 0:
        server.settimeout(min(left, 3600))
        # Whoever asked may be gone before the answer: no reason to stop.
        with contextlib.suppress(OSError):
            _answer_one(server)


def _answer_one(server: socket.socket) -> None:
    datagram, controls, _flags, sender = server.recvmsg(SIZE, 256)
    word, _space, nonce = datagram.rstrip(b"\0").partition(b" ")
    if word != WORD or len(datagram) != SIZE or len(nonce) > 16:
        return
    address = sender[0]
    if address.startswith("::ffff:"):
        address = address[len("::ffff:") :]
    reply = b" ".join((WORD, nonce, address.encode()))
    server.sendmsg([reply], [_same_address(*control) for control in controls], 0, sender)


def _same_address(level: int, kind: int, data: bytes) -> tuple[int, int, bytes]:
    # Answer from the address that was asked, not from the one nearest to the asker (of which a node has several);
    # which interface that leaves by is the routes' business, so its index is cleared.
    return level, kind, bytes(4) + data[4:] if level == socket.IPPROTO_IP else data[:16] + bytes(4)


if __name__ == "__main__":
    serve(listen(PORT))
