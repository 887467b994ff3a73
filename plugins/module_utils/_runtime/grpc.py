# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One unary gRPC call over a socket of the node: as much of HTTP/2 (RFC 9113), HPACK (RFC 7541) and Protocol Buffers
as that takes.

A node need not have crictl or a gRPC library, and the Container Runtime Interface is there in any case.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import socket
import struct
import time
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import hpack

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, PADDED, PRIORITY, ACK = 1, 4, 8, 32, 1

#: The only status that says that a call is not known; a runtime that is in trouble has others.
UNIMPLEMENTED = 12

#: Answers are small; the list of a thousand pods is less than this.
LIMIT = 64 * 1024 * 1024
_WINDOW = 2**31 - 1

#: We do not allow longer frames than HTTP/2 does by itself.
FRAME = 2**14

#: A number has 64 bits, of which each byte has seven.
VARINT = 10

#: A field of a message: its number, and a number or bytes.
Field = t.Tuple[int, t.Union[int, bytes]]


class GrpcError(Exception):
    """Why there is no answer, to be used within a sentence."""


class UnservedError(GrpcError):
    """Whoever is there does not know such calls, or nobody is."""


def call(path: str, method: str, message: bytes, timeout: float = 10.0) -> bytes:
    """Call ``/package.Service/Method`` on a socket and return the message that is answered."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(path)
            connection.sendall(_request(method, message))
            body = _answer(connection, time.monotonic() + timeout)
    except socket.timeout as error:  # Python 3.9
        raise GrpcError(f"no answer within {timeout:.0f} seconds") from error
    except ConnectionRefusedError as error:
        raise UnservedError(str(error.strerror)) from error
    except OSError as error:
        raise GrpcError(str(error.strerror or error)) from error
    if len(body) < 5 or body[0] != 0:
        raise GrpcError("the answer is no message")
    return body[5 : 5 + struct.unpack("!I", body[1:5])[0]]


def fields(message: bytes) -> list[Field]:
    """Take a message apart."""
    found: list[Field] = []
    at = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        kind = tag & 7
        if kind == 0:
            number, at = _read_varint(message, at)
            found.append((tag >> 3, number))
            continue
        if kind == 2:
            length, at = _read_varint(message, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise GrpcError("the answer is no message")
        if at + length > len(message):
            raise GrpcError("the answer is no message")
        found.append((tag >> 3, message[at : at + length]))
        at += length
    return found


def texts(message: bytes) -> dict[int, str]:
    """The text fields of a message by their numbers; the last of each."""
    return {number: value.decode(errors="replace") for number, value in fields(message) if isinstance(value, bytes)}


def text_field(number: int, value: str) -> bytes:
    """A message with one text."""
    data = value.encode()
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def number_field(number: int, value: int) -> bytes:
    """A message with one number."""
    return _varint(number << 3) + _varint(value)


def _request(method: str, message: bytes) -> bytes:
    """Everything that we say, in one piece: preface, settings, windows that never fill, headers, the message."""
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": method,
        ":authority": "localhost",
        "content-type": "application/grpc",
        "te": "trailers",
    }
    block = b"".join(b"\0" + _literal(name) + _literal(value) for name, value in headers.items())
    # 1: no dynamic table; 4: how much may come on a stream.
    settings = struct.pack("!HIHI", 1, 0, 4, _WINDOW)
    return b"".join(
        (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            _frame(SETTINGS, 0, 0, settings),
            _frame(WINDOW_UPDATE, 0, 0, struct.pack("!I", _WINDOW - 65535)),
            _frame(HEADERS, END_HEADERS, 1, block),
            _frame(DATA, END_STREAM, 1, b"\0" + struct.pack("!I", len(message)) + message),
        )
    )


def _answer(connection: socket.socket, deadline: float) -> bytes:
    """Collect the data of our stream until it ends, and see how the call went."""
    body, status = bytearray(), None
    while True:
        head = _receive(connection, 9, deadline)
        length, kind, flags = struct.unpack("!I", b"\0" + head[:3])[0], head[3], head[4]
        stream = struct.unpack("!I", head[5:])[0] & _WINDOW
        if length > FRAME:
            raise GrpcError("the answer is not HTTP/2")
        payload = _receive(connection, length, deadline)
        if kind in (SETTINGS, PING) and not flags & ACK:
            connection.sendall(_frame(kind, ACK, 0, b"" if kind == SETTINGS else payload))
        elif kind in (GOAWAY, RST_STREAM):
            raise GrpcError("the connection was closed")
        elif stream == 1 and kind == DATA:
            body += _unpadded(payload, flags)
        elif stream == 1 and kind == HEADERS:
            # First there may be headers without a status, and at the end those with it.
            block = _unpadded(payload, flags)[5 if flags & PRIORITY else 0 :]
            status = hpack.grpc_status(block) or status
        if len(body) > LIMIT:
            raise GrpcError("the answer is too long")
        if stream == 1 and kind in (DATA, HEADERS) and flags & END_STREAM:
            _require_ok(status)
            return bytes(body)


def _require_ok(status: t.Optional[int]) -> None:
    if status == UNIMPLEMENTED:
        raise UnservedError("the call was refused")
    if status:
        raise GrpcError(f"its answer is gRPC status {status}, {hpack.STATUSES[status]}")


def _unpadded(payload: bytes, flags: int) -> bytes:
    return payload[1 : len(payload) - payload[0]] if flags & PADDED and payload else payload


def _receive(connection: socket.socket, length: int, deadline: float) -> bytes:
    found = bytearray()
    while len(found) < length:
        # The timeout of the socket begins anew with each piece.
        if time.monotonic() > deadline:
            raise socket.timeout
        piece = connection.recv(length - len(found))
        if not piece:
            raise GrpcError("the connection was closed")
        found += piece
    return bytes(found)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack("!I", len(payload))[1:] + bytes((kind, flags)) + struct.pack("!I", stream) + payload


def _literal(text: str) -> bytes:
    """A text of a header; ours are shorter than 127 bytes, so that their lengths take one byte."""
    data = text.encode()
    return bytes((len(data),)) + data


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*found, number))


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    end = min(len(message), at + VARINT)
    while at < end:
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return number, at
        shift += 7
    raise GrpcError("the answer is no message")
