# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A gRPC server of a few lines, for what a real runtime does not do when a test wants it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import typing as t
from pathlib import Path

from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import grpc

#: Answers a method's request with a message, with the number of a gRPC status, or with None: not served.
Answers = t.Callable[[str, bytes], t.Union[bytes, int, None]]

#: Fields as grpc-go writes them: status 200 with a type, the number of a gRPC status, a message.
OK = bytes.fromhex("20880f108b1d75d0620d263d4c4d6564")
STATUS = b"\0\x88" + bytes.fromhex("9acac8b21234da8f")
MESSAGE = b"\0\x0cgrpc-message\x04oops"


@contextlib.contextmanager
def serving(path: Path, answers: Answers) -> t.Iterator[None]:
    """Serve on a socket until the block ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen()
        thread = threading.Thread(target=_serve, args=(listening, answers), daemon=True)
        thread.start()
        yield
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
    path.unlink()


def _serve(listening: socket.socket, answers: Answers) -> None:
    while True:
        try:
            connection, _address = listening.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            _converse(connection, answers)


def _converse(connection: socket.socket, answers: Answers) -> None:
    file = connection.makefile("rb")
    assert file.read(24) == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    method, message = "", b""
    while True:
        head = file.read(9)
        kind, flags, payload = head[3], head[4], file.read(struct.unpack("!I", b"\0" + head[:3])[0])
        if kind == grpc.HEADERS:
            names = _names(payload)
            assert names["content-type"] == "application/grpc"
            method = names[":path"]
        elif kind == grpc.DATA:
            message += payload
            if flags & grpc.END_STREAM:
                break
    assert message[:1] == b"\0"
    connection.sendall(_frames(answers(method, message[5:])))
    assert _frame(grpc.PING, grpc.ACK, 0, b"12345678") in file.read()


def _frames(answer: bytes | int | None) -> bytes:
    """Settings, a ping, headers, the answer in two pieces (the second padded), trailers."""
    found = _frame(grpc.SETTINGS, 0, 0, b"") + _frame(grpc.PING, 0, 0, b"12345678")
    if not isinstance(answer, bytes):
        number = str(grpc.UNIMPLEMENTED if answer is None else answer).encode()
        trailers = OK + STATUS + bytes((len(number),)) + number + MESSAGE
        return found + _frame(grpc.HEADERS, grpc.END_HEADERS | grpc.END_STREAM, 1, trailers)
    body = b"\0" + struct.pack("!I", len(answer)) + answer
    found += _frame(grpc.HEADERS, grpc.END_HEADERS, 1, b"\x88") + _frame(grpc.DATA, 0, 1, body[:3])
    found += _frame(grpc.DATA, grpc.PADDED, 1, b"\2" + body[3:] + b"\0\0")
    return found + _frame(grpc.HEADERS, grpc.END_HEADERS | grpc.END_STREAM, 1, STATUS + b"\x010")


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack("!I", len(payload))[1:] + bytes((kind, flags)) + struct.pack("!I", stream) + payload


def _names(block: bytes) -> dict[str, str]:
    """Literal fields without indexing, with plain texts: what we send."""
    found, at = {}, 0
    while at < len(block):
        assert block[at] == 0
        length = block[at + 1]
        name, at = block[at + 2 : at + 2 + length].decode(), at + 2 + length
        found[name] = block[at + 1 : at + 1 + block[at]].decode()
        at += 1 + block[at]
    return found
