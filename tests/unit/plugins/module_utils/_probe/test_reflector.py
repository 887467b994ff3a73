# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The far end that tells who asks, on the loopback interface."""

from __future__ import annotations

import socket
import threading
import time
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._probe import reflector


@pytest.fixture
def port() -> t.Iterator[int]:
    """A reflector that ends with the test."""
    server = reflector.listen(0)
    thread = threading.Thread(target=reflector.serve, args=(server, time.monotonic() + 1))
    thread.start()
    yield server.getsockname()[1]
    thread.join()
    server.close()


def ask(address: str, port: int, datagram: bytes) -> tuple[bytes, str]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(0.3)
        client.sendto(datagram, (address, port))
        data, sender = client.recvfrom(512)
        return data, sender[0]


# 127.0.0.2 is not the address that the kernel would answer from by itself.
@pytest.mark.parametrize(("asked", "seen"), [("127.0.0.2", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("::1", "::1")])
def test_it_answers_from_the_address_that_was_asked(port: int, asked: str, seen: str) -> None:
    data, sender = ask(asked, port, reflector.question("0123456789abcdef"))
    assert reflector.answer(data) == ("0123456789abcdef", seen)
    assert sender == asked


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"podnet-probe",
        b"podnet-probe 0123456789abcdef",  # As short as the answer is long: it would amplify.
        b"podnet-probe10 0123456789abcdef".ljust(reflector.SIZE, b"\0"),
        b"podnet-probe 0123456789abcdef0".ljust(reflector.SIZE, b"\0"),
    ],
)
def test_it_answers_nothing_else(port: int, datagram: bytes) -> None:
    with pytest.raises(socket.timeout):  # TimeoutError itself from Python 3.10 on
        ask("127.0.0.1", port, datagram)


@pytest.mark.parametrize("datagram", [b"", b"podnet-probe 01", b"podnet-probe10 01 192.0.2.1", b"podnet-probe 01 \xff"])
def test_what_is_no_answer(datagram: bytes) -> None:
    assert reflector.answer(datagram) is None


def test_no_answer_is_longer_than_the_question() -> None:
    longest = b" ".join((reflector.WORD, b"0" * 16, b"2001:0db8:0000:0000:0000:0000:255.255.255.255"))
    assert len(longest) <= len(reflector.question("0" * 16)) == reflector.SIZE
