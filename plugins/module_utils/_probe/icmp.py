# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The packets of pings: how they are made, and the numbers that tell what came back.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import socket
import struct

PROTOCOL: dict[int, int] = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}

#: The types of ICMP and ICMPv6 messages that we send and look for (RFC 792, RFC 4443).
ECHO: dict[int, int] = {socket.AF_INET: 8, socket.AF_INET6: 128}
ECHO_REPLY: dict[int, int] = {socket.AF_INET: 0, socket.AF_INET6: 129}
PROBLEMS: dict[int, dict[int, str]] = {
    socket.AF_INET: {3: "unreachable", 11: "too many hops", 12: "bad header"},
    socket.AF_INET6: {1: "unreachable", 2: "packet too big", 3: "too many hops", 4: "bad header"},
}
PORT_UNREACHABLE: dict[int, tuple[int, int]] = {socket.AF_INET: (3, 3), socket.AF_INET6: (1, 4)}
TOO_BIG: dict[int, tuple[int, int]] = {socket.AF_INET: (3, 4), socket.AF_INET6: (2, 0)}
#: The headers of IP and ICMP before the data of a ping.
HEADERS: dict[int, int] = {socket.AF_INET: 28, socket.AF_INET6: 48}

#: linux/in.h and linux/in6.h: go by the link's MTU alone, and learn nothing from routers, or a second run would find
#: nothing wrong; and never fragment.
MTU_DISCOVER: dict[int, tuple[int, int]] = {
    socket.AF_INET: (socket.IPPROTO_IP, 10),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 23),
}
PMTUDISC_INTERFACE = 4
DONT_FRAGMENT = 0x4000
IPV6_DONTFRAG = 62


def family_of(address: str) -> int:
    """Return AF_INET or AF_INET6."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def never_fragment(handle: socket.socket, family: int) -> None:
    """Let a raw socket send packets that nobody may fragment, each with its own IPv4 header."""
    handle.setsockopt(*MTU_DISCOVER[family], PMTUDISC_INTERFACE)
    if family == socket.AF_INET6:
        handle.setsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG, 1)
    else:
        handle.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)


def packet(address: str, payload: bytes) -> bytes:
    """An echo request; for IPv4 with its header, of which the kernel fills in length, checksum and source."""
    message = echo_request(family_of(address), payload)
    if family_of(address) == socket.AF_INET6:
        return message
    ends = (bytes(4), socket.inet_aton(address))
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 0, DONT_FRAGMENT, 64, socket.IPPROTO_ICMP, 0, *ends) + message


def echo_request(family: int, payload: bytes) -> bytes:
    """The ICMP message that asks for an echo."""

    def message(total: int) -> bytes:
        return struct.pack("!BBHHH", ECHO[family], 0, total, os.getpid() & 0xFFFF, 1) + payload

    # The kernel fills in the checksum of ICMPv6, not that of ICMP.
    return message(checksum(message(0)) if family == socket.AF_INET else 0)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
