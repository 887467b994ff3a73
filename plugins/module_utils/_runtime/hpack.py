# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How a gRPC call ended, read from a block of headers (HPACK, RFC 7541).

Of all fields only ``grpc-status`` is looked for.  We allow no dynamic table, so that its name always stands there: as
plain text, or in the Huffman code, of which these few characters are enough.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

#: The names of gRPC's statuses, each at its number.
STATUSES = (
    "ok",
    "cancelled",
    "unknown",
    "invalid argument",
    "deadline exceeded",
    "not found",
    "already exists",
    "permission denied",
    "resource exhausted",
    "failed precondition",
    "aborted",
    "out of range",
    "unimplemented",
    "internal",
    "unavailable",
    "data loss",
    "unauthenticated",
)

#: A text as it stands in a block: whether it is in the Huffman code, and its bytes.
Text = t.Tuple[bool, bytes]


def _huffman(digits: str) -> bytes:
    """Digits in the Huffman code of RFC 7541: 0 to 2 take five bits, the others six; ones fill the last byte."""
    bits = "".join(f"{int(each):05b}" if each in "012" else f"{int(each) + 22:06b}" for each in digits)
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


_NAMES: tuple[Text, ...] = ((False, b"grpc-status"), (True, bytes.fromhex("9acac8b21234da8f")))
_VALUES: dict[Text, int] = {
    form: number
    for number in range(len(STATUSES))
    for form in ((False, str(number).encode()), (True, _huffman(str(number))))
}


def grpc_status(block: bytes) -> t.Optional[int]:
    """Return the status that a block names; None where there is none, or none that gRPC has."""
    at = 0
    try:
        while at < len(block):
            first = block[at]
            if first & 0x80 or first & 0xE0 == 0x20:  # a field of the table alone; the size of the dynamic table
                _index, at = _number(block, at, 7 if first & 0x80 else 5)
                continue
            index, at = _number(block, at, 6 if first & 0x40 else 4)
            name, at = ((False, b""), at) if index else _text(block, at)
            value, at = _text(block, at)
            if name in _NAMES:
                return _VALUES.get(value)
    except IndexError:
        pass  # it goes on in another frame, or is nonsense
    return None


def _text(block: bytes, at: int) -> tuple[Text, int]:
    huffman = bool(block[at] & 0x80)
    length, at = _number(block, at, 7)
    return (huffman, block[at : at + length]), at + length


def _number(block: bytes, at: int, bits: int) -> tuple[int, int]:
    """A number that begins in the last bits of a byte and goes on, where they are all ones, seven bits a byte."""
    most = (1 << bits) - 1
    number, at = block[at] & most, at + 1
    if number < most:
        return number, at
    # What is longer than this points behind every block.
    for shift in range(0, 35, 7):
        byte = block[at]
        number, at = number + ((byte & 0x7F) << shift), at + 1
        if not byte & 0x80:
            break
    return number, at
