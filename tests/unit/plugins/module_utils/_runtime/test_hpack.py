# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status in blocks of headers, as servers write them, and in what is none."""

from __future__ import annotations

import random

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import hpack

PLAIN = b"\x0bgrpc-status"
CODED = b"\x88" + bytes.fromhex("9acac8b21234da8f")
#: What containerd 1.6 begins with, without a dynamic table: the table's size, 200, application/grpc.
BEFORE = bytes.fromhex("20880f108b1d75d0620d263d4c4d6564")


@pytest.mark.parametrize(
    ("block", "status"),
    [
        (BEFORE + b"\0" + CODED + b"\x0212\0\x0cgrpc-message\0", 12),
        (b"\x40" + CODED + b"\x0214", 14),
        (b"\x3f\xe1\x1f\x10" + PLAIN + b"\x010", 0),
        # 14 is 00001 and 011010 in the Huffman code, 7 is 011101.
        (b"\0" + PLAIN + b"\x82\x0b\x5f", 14),
        (b"\0" + PLAIN + b"\x81\x77", 7),
        # A number of more than one byte, and a value as long as it says.
        (b"\x0f\x10\x7f\x01" + b"a" * 128 + b"\0" + PLAIN + b"\x019", 9),
        (BEFORE, None),
        (b"\0\x0cgrpc-statuss\x0212", None),
        (b"\0" + PLAIN + b"\x0217", None),
        (b"\0" + PLAIN + b"\x0014", None),
        (b"\0" + PLAIN, None),
        (b"\0" + PLAIN[:5], None),
        (b"\x7f" + b"\xff" * 4_000_000, None),
        (b"", None),
    ],
)
def test_status(block: bytes, status: int | None) -> None:
    assert hpack.grpc_status(block) == status


def test_nonsense_is_no_status() -> None:
    chance = random.Random(1)  # noqa: S311
    for _each in range(2000):
        block = chance.randbytes(chance.randrange(40))
        assert hpack.grpc_status(block) in (None, *range(len(hpack.STATUSES)))
