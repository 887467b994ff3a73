# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions about other namespaces: the messages, with replies of a kernel and of those that do not know better."""

from __future__ import annotations

import socket
import struct
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import far_ends

NETNSID = struct.pack("=HHi", 8, 10, 3)
FINISHED = struct.pack("=IHHII", 20, 3, 2, 1, 0) + struct.pack("=i", 0)


class Kernel:
    """A socket whose other end answers what it was told to."""

    def __init__(self, *replies: bytes) -> None:
        self.replies = list(replies)
        self.asked: list[bytes] = []

    def send(self, message: bytes) -> None:
        self.asked.append(message)

    def recv(self, _size: int) -> bytes:
        return self.replies.pop(0)


def ends(*replies: bytes, strict: bool = True) -> far_ends.FarEnds:
    return far_ends.FarEnds(t.cast("socket.socket", Kernel(*replies)), strict)


def address(text: str, *more: bytes, flags: int = 2) -> bytes:
    packed = socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    body = struct.pack("=BBBBI", 2, 24, 0, 0, 2) + struct.pack("=HH", 4 + len(packed), 1) + packed + b"".join(more)
    return struct.pack("=IHHII", 16 + len(body), 20, flags, 1, 0) + body


def test_addresses_without_those_that_all_have() -> None:
    texts = ["10.12.1.2", "127.0.0.1", "fe80::1", "fd00::2", "::1"]
    found = ends(
        b"".join(address(text, NETNSID) for text in texts[:2]),
        address(texts[2], NETNSID),
        b"".join([address(text, NETNSID) for text in texts[3:]]),
        FINISHED,
    )
    assert found.addresses(3) == ["10.12.1.2", "fd00::2"]
    assert ends(FINISHED).addresses(3) == []


def test_a_kernel_that_does_not_understand_tells_nothing() -> None:
    # It would answer with our own addresses, without the number that was asked for.
    assert ends(address("10.12.1.2"), FINISHED).addresses(3) is None
    assert ends(address("10.12.1.2", NETNSID), FINISHED, strict=False).addresses(3) is None


@pytest.mark.parametrize("kind", [2, 3])
def test_a_refusal_tells_nothing(kind: int) -> None:
    refusal = struct.pack("=IHHII", 20, kind, 0, 1, 0) + struct.pack("=i", -22)
    assert ends(refusal).addresses(3) is None
    assert ends(refusal).nsid("/proc/self/ns/net") is None


def test_what_changed_meanwhile_is_asked_again() -> None:
    half = address("10.12.1.2", NETNSID, flags=0x12)
    kernel = Kernel(half, FINISHED, address("10.12.1.3", NETNSID), FINISHED)
    assert far_ends.FarEnds(t.cast("socket.socket", kernel), True).addresses(3) == ["10.12.1.3"]
    assert len(kernel.asked) == 2
    assert ends(*[half, FINISHED] * 20).addresses(3) is None


@pytest.mark.parametrize(("number", "nsid"), [(7, 7), (0, 0), (-1, None)])
def test_numbers_of_namespaces(number: int, nsid: t.Optional[int]) -> None:
    body = b"\0\0\0\0" + struct.pack("=HHi", 8, 1, number)
    reply = struct.pack("=IHHII", 16 + len(body), 88, 0, 1, 0) + body
    assert ends(reply).nsid("/proc/self/ns/net") == nsid


@pytest.mark.parametrize("path", ["/run/netns/gone", "", "/run/\0", "/dev/null/x"])
def test_paths_that_lead_nowhere(path: str) -> None:
    assert ends().nsid(path) is None


def test_the_real_kernel_knows_no_link_to_our_own_namespace() -> None:
    with far_ends.opened() as found:
        assert found.nsid("/proc/self/ns/net") is None
        assert found.nsid("/dev/null") is None
        assert found.addresses(2**31 - 1) in (None, [])
