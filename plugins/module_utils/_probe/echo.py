# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Ask many targets from many namespaces at once: a ping, and the UDP question for the address that the far end sees.

A socket stays in the namespace that it was made in, so one process, without threads, holds the sockets of all of them.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import selectors
import socket
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import netns
from ansible_collections.mink8s.podnet.plugins.module_utils._probe import icmp, reflector

#: linux/in.h and linux/in6.h: the MTU that the kernel goes by.
IP_MTU: dict[int, tuple[int, int]] = {
    socket.AF_INET: (socket.IPPROTO_IP, 14),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 24),
}

#: As a size: whatever the sender's kernel takes for the MTU of the way.
FULL = -1
LARGEST = 65535


@dataclass
class Cell:
    """One source and one target: what is asked, and what came of it."""

    source: Source
    address: str
    #: A far end of ours is there, so that its answer is waited for; else it is welcome.
    reflects: bool = True
    #: The length of the whole packet, which nobody may fragment; 0 for a short one, beside which the question is asked.
    size: int = 0
    own: t.Optional[str] = None
    rtt: t.Optional[float] = None
    seen: t.Optional[str] = None
    silent: bool = False
    error: t.Optional[str] = None
    #: Who said that the packet is too big for the next link, and that link's MTU.
    told: t.Optional[t.Tuple[str, int]] = None

    @property
    def family(self) -> int:
        return icmp.family_of(self.address)

    @property
    def open_questions(self) -> bool:
        """Whether anything may still come."""
        return self.rtt is None or self.wants_source

    @property
    def wants_source(self) -> bool:
        """Whether the question for the source address is open."""
        return not self.size and self.seen is None and not self.silent

    @property
    def needs_another_try(self) -> bool:
        return (self.rtt is None and self.told is None) or (self.wants_source and self.reflects)


@dataclass
class Source:
    """A network namespace (None: the node's own) and the sockets in it."""

    netns: t.Optional[str]
    sockets: t.Dict[t.Tuple[int, int], socket.socket] = field(default_factory=dict)
    #: Why there are none of a family, as of IPv6 where the kernel has none.
    refused: t.Dict[int, str] = field(default_factory=dict)

    def open(self, families: t.Iterable[int]) -> None:
        """Open a raw socket for ICMP and a UDP socket for each family."""
        with netns.entered(self.netns):
            for family in families:
                try:
                    self._open(family)
                except OSError as error:
                    self.refused[family] = f"cannot be sent: {error.strerror}"

    def _open(self, family: int) -> None:
        for kind, protocol in ((socket.SOCK_RAW, icmp.PROTOCOL[family]), (socket.SOCK_DGRAM, 0)):
            handle = socket.socket(family, kind, protocol)
            self.sockets[family, kind] = handle
            handle.setblocking(False)
            if kind == socket.SOCK_RAW:
                icmp.never_fragment(handle, family)

    def ways(self, targets: t.Iterable[str], port: int) -> dict[str, tuple[t.Optional[str], int]]:
        """The source address that the kernel chooses for each target, before anything translates it, and the MTU."""
        with netns.entered(self.netns):
            return {target: _way(target, port) for target in targets}

    def close(self) -> None:
        """Forget all of them: the next exchange may ask by one family only."""
        for handle in self.sockets.values():
            handle.close()
        self.sockets.clear()
        self.refused.clear()


class Exchange:
    """All the cells' questions and answers."""

    def __init__(self, cells: t.Sequence[Cell], port: int) -> None:
        self.cells = cells
        self.port = port
        #: Each datagram carries its own nonce, so a late answer is never taken for that of a later question.
        self.asked: dict[str, tuple[Cell, float]] = {}
        self.selector = selectors.DefaultSelector()
        self.sources = {id(cell.source): cell.source for cell in cells}

    def run(self, timeout: float, tries: int) -> None:
        """Ask until everybody has answered, at most ``tries`` times ``timeout`` seconds."""
        try:
            self._open()
            for _try in range(tries):
                self._round(timeout)
                if not any(cell.needs_another_try for cell in self.cells):
                    break
        finally:
            self.selector.close()
            for source in self.sources.values():
                source.close()
        for cell in self.cells:
            if cell.rtt is None and cell.error is None:
                cell.error = f"no answer to {tries} pings within {timeout:g} s each"

    def _open(self) -> None:
        for source in self.sources.values():
            mine = [cell for cell in self.cells if cell.source is source]
            source.open({cell.family for cell in mine})
            ways = source.ways({cell.address for cell in mine}, self.port)
            for cell in mine:
                cell.own, mtu = ways[cell.address]
                cell.size = mtu if cell.size == FULL else cell.size
            for (family, kind), handle in source.sockets.items():
                self.selector.register(handle, selectors.EVENT_READ, (family, kind))

    def _round(self, timeout: float) -> None:
        for cell in self.cells:
            if cell.rtt is None:
                self._send(cell, socket.SOCK_RAW)
            if cell.wants_source:
                self._send(cell, socket.SOCK_DGRAM)
            self._receive(0)  # So that no socket's buffer overflows, however many answer at once.
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0 and any(cell.open_questions for cell in self.cells):
            self._receive(left)

    def _send(self, cell: Cell, kind: int) -> None:
        if cell.family in cell.source.refused:
            cell.error = cell.source.refused[cell.family]
            return
        nonce = secrets.token_hex(8)
        data, port = reflector.question(nonce), self.port
        if kind == socket.SOCK_RAW:
            data, port = icmp.packet(cell.address, data.ljust(cell.size - icmp.HEADERS[cell.family], b"\0")), 0
        self.asked[nonce] = (cell, time.monotonic())
        handle = cell.source.sockets[cell.family, kind]
        try:
            # The first call may only tell what a router said of an earlier packet.
            with contextlib.suppress(OSError):
                handle.sendto(data, (cell.address, port))
                return
            handle.sendto(data, (cell.address, port))
        except OSError as error:
            # A ping tells of itself whether it comes through; without the other question its source is not known.
            if kind == socket.SOCK_RAW:
                cell.error = f"cannot be sent: {error.strerror}"

    def _receive(self, wait: float) -> None:
        for key, _events in self.selector.select(wait):
            family, kind = key.data
            handle = t.cast(socket.socket, key.fileobj)
            try:
                data, sender = handle.recvfrom(LARGEST)
            except OSError:
                continue
            now = time.monotonic()
            if kind == socket.SOCK_RAW:
                self._take_icmp(family, data, sender[0], now)
            else:
                self._take_answer(data)

    def _take_icmp(self, family: int, packet: bytes, sender: str, now: float) -> None:
        # A raw IPv4 socket delivers the IP header, too; its length is in the first byte.
        message = packet[(packet[0] & 15) * 4 :] if family == socket.AF_INET else packet
        found = re.search(reflector.WORD + rb" ([0-9a-f]{16})", message)
        if not found or found.group(1).decode() not in self.asked:
            return
        cell, sent = self.asked[found.group(1).decode()]
        kind, code = message[0], message[1]
        if kind == icmp.ECHO_REPLY[family] and sender == cell.address and cell.rtt is None:
            cell.rtt, cell.error = now - sent, None
        elif (kind, code) == icmp.PORT_UNREACHABLE[family]:
            cell.silent = True
        elif (kind, code) == icmp.TOO_BIG[family]:
            cell.told = sender, int.from_bytes(message[6:8] if family == socket.AF_INET else message[4:8], "big")
        elif kind in icmp.PROBLEMS[family] and cell.rtt is None:
            cell.error = f"{sender} says: {icmp.PROBLEMS[family][kind]} (ICMP type {kind} code {code})"

    def _take_answer(self, data: bytes) -> None:
        found = reflector.answer(data)
        if found and found[0] in self.asked:
            self.asked[found[0]][0].seen = found[1]


def _way(target: str, port: int) -> tuple[t.Optional[str], int]:
    family = icmp.family_of(target)
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as handle:
            handle.connect((target, port))
            return str(handle.getsockname()[0]), min(handle.getsockopt(*IP_MTU[family]), LARGEST)
    except OSError:
        return None, 0
