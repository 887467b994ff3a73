# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pings and questions: the parts that need no privilege."""

from __future__ import annotations

import errno
import os
import socket
import struct
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._probe import echo, reflector
from ansible_collections.mink8s.podnet.plugins.module_utils._probe import icmp as packets
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.echo import (
    FULL,
    Cell,
    Exchange,
    Source,
)

NONCE = "0123456789abcdef"
V4, V6 = socket.AF_INET, socket.AF_INET6
IP_HEADER = b"\x45" + bytes(19)


def waiting(address: str) -> tuple[Exchange, Cell]:
    """An exchange in which a cell's question was asked at 1.0 s."""
    cell = Cell(Source(None), address)
    exchange = Exchange([cell], reflector.PORT)
    exchange.asked[NONCE] = (cell, 1.0)
    return exchange, cell


def icmp(family: int, kind: int, code: int = 0, nonce: str = NONCE) -> bytes:
    message = struct.pack("!BBHHH", kind, code, 0, 1, 1) + reflector.question(nonce)
    return IP_HEADER + message if family == V4 else message


def test_the_checksum_is_that_of_rfc_1071() -> None:
    assert packets.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D
    assert packets.checksum(packets.echo_request(V4, reflector.question(NONCE))) == 0


@pytest.mark.parametrize(("family", "address", "kind"), [(V4, "10.12.1.2", 0), (V6, "fd12::2", 129)])
def test_a_reply_gives_the_time(family: int, address: str, kind: int) -> None:
    exchange, cell = waiting(address)
    exchange._take_icmp(family, icmp(family, kind), address, 1.25)
    assert cell.rtt == 0.25
    assert cell.needs_another_try  # The question for the source address is still open.
    exchange._take_answer(f"podnet-probe {NONCE} 10.12.1.3".encode())
    assert (cell.seen, cell.needs_another_try) == ("10.12.1.3", False)


@pytest.mark.parametrize(
    ("packet", "sender"),
    [
        (icmp(V4, 0), "10.12.1.20"),  # Somebody whose address begins with the right one.
        (icmp(V4, 0, nonce="fedcba9876543210"), "10.12.1.2"),
        (icmp(V4, 8), "10.12.1.2"),  # An echo request: somebody pings us.
        (IP_HEADER, "10.12.1.2"),
    ],
)
def test_what_is_not_our_reply(packet: bytes, sender: str) -> None:
    exchange, cell = waiting("10.12.1.2")
    exchange._take_icmp(V4, packet, sender, 1.25)
    assert (cell.rtt, cell.error) == (None, None)


def test_a_router_says_why() -> None:
    exchange, cell = waiting("10.12.1.2")
    exchange._take_icmp(V4, icmp(V4, 3, 0), "192.0.2.254", 1.25)
    assert cell.error == "192.0.2.254 says: unreachable (ICMP type 3 code 0)"
    exchange._take_icmp(V4, icmp(V4, 0), "10.12.1.2", 1.5)
    assert (cell.rtt, cell.error) == (0.5, None)  # A later try came through.


def test_a_far_end_without_reflector_is_not_asked_again() -> None:
    exchange, cell = waiting("10.12.1.2")
    exchange._take_icmp(V4, icmp(V4, 0), "10.12.1.2", 1.25)
    exchange._take_icmp(V4, icmp(V4, 3, 3), "10.12.1.2", 1.25)
    assert (cell.silent, cell.needs_another_try, cell.error) == (True, False, None)


@pytest.mark.parametrize(
    ("family", "address", "packet"),
    [
        (V4, "10.12.1.2", IP_HEADER + struct.pack("!BBHHH", 3, 4, 0, 0, 1400) + reflector.question(NONCE)),
        (V6, "fd12::2", struct.pack("!BBHI", 2, 0, 0, 1400) + reflector.question(NONCE)),
    ],
)
def test_a_router_tells_what_the_next_link_takes(family: int, address: str, packet: bytes) -> None:
    exchange, cell = waiting(address)
    cell.size = 1500
    exchange._take_icmp(family, packet, "192.0.2.254", 1.25)
    assert (cell.told, cell.rtt, cell.needs_another_try) == (("192.0.2.254", 1400), None, False)


def test_a_full_ping_asks_no_question() -> None:
    assert not Cell(Source(None), "10.12.1.2", size=1500).wants_source
    assert not Cell(Source(None), "10.12.1.2", size=1500, rtt=0.1).needs_another_try


def test_the_checksum_of_an_odd_number_of_bytes() -> None:
    assert packets.checksum(b"\x01\x02\x03") == packets.checksum(b"\x01\x02\x03\x00")


class Deaf:
    """A socket to which everything can be sent, and nothing comes; there is none of IPv6."""

    def __init__(self, family: int, *_kind: int) -> None:
        if family == V6:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        self.ends = os.pipe()

    def __enter__(self) -> Deaf:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __getattr__(self, _name: str) -> t.Callable[..., t.Any]:
        return lambda *_arguments: None

    def getsockname(self) -> tuple[str, int]:
        return "10.12.1.1", 1

    def getsockopt(self, *_option: int) -> int:
        return 1500

    def fileno(self) -> int:
        return self.ends[0]

    def close(self) -> None:
        for end in self.ends:
            os.close(end)


def test_a_kernel_without_ipv6_still_asks_by_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(None)
    cells = [Cell(source, address, size=size) for address in ("10.12.1.2", "fd12::2") for size in (0, FULL)]
    with monkeypatch.context() as patched:
        patched.setattr(echo.socket, "socket", Deaf)
        Exchange(cells, reflector.PORT).run(0.01, 1)
    refused = "cannot be sent: Address family not supported by protocol"
    assert [cell.error for cell in cells] == [*["no answer to 1 pings within 0.01 s each"] * 2, *[refused] * 2]
    assert [cell.own for cell in cells] == [*["10.12.1.1"] * 2, *[None] * 2]


def test_a_filter_for_the_question_alone_is_no_failure_of_the_ping(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stayed, with a round-trip time beside it, where the question was asked once more after the answer."""

    class Filtered(Deaf):
        def __init__(self, family: int, kind: int, *_protocol: int) -> None:
            super().__init__(family)
            self.kind = kind

        def sendto(self, *_arguments: t.Any) -> None:
            if self.kind == echo.socket.SOCK_DGRAM:
                raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    source = Source(None)
    cell = Cell(source, "10.12.1.2")
    with monkeypatch.context() as patched:
        patched.setattr(echo.socket, "socket", Filtered)
        Exchange([cell], reflector.PORT).run(0.01, 1)
    assert cell.error == "no answer to 1 pings within 0.01 s each"


def test_a_later_exchange_may_ask_by_one_family_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class DeafInBoth(Deaf):
        def __init__(self, _family: int, *_kind: int) -> None:
            super().__init__(V4)

    source = Source(None)
    with monkeypatch.context() as patched:
        patched.setattr(echo.socket, "socket", DeafInBoth)
        Exchange([Cell(source, address) for address in ("10.12.1.2", "fd12::2")], reflector.PORT).run(0.01, 1)
        later = Cell(source, "fd12::2")
        Exchange([later], reflector.PORT).run(0.01, 1)
    assert later.error == "no answer to 1 pings within 0.01 s each"
