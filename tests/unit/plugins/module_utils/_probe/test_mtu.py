# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes are tried until one byte more is lost."""

from __future__ import annotations

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._probe import mtu


@pytest.mark.parametrize("truth", [108, 109, 1280, 1399, 1400, 1450, 1498, 1499])
@pytest.mark.parametrize("lost", [1500, 9000, 65535])
def test_a_few_rounds_find_the_largest(truth: int, lost: int) -> None:
    through = 108
    for _round in range(mtu.ROUNDS):
        tried = mtu.sizes(through, lost)
        assert len(tried) <= mtu.AT_ONCE
        through = max([through, *(size for size in tried if size <= truth)])
        lost = min([lost, *(size for size in tried if size > truth)])
    assert through == truth


def test_what_a_router_told_is_tried_with_one_byte_more() -> None:
    assert {1450, 1451} <= set(mtu.sizes(108, 1500, ("192.0.2.1", 1450)))
    assert mtu.sizes(108, 1500, ("192.0.2.1", 0)) == mtu.sizes(108, 1500)  # A router of before RFC 1191.
    assert mtu.sizes(1450, 1451, ("192.0.2.1", 1450)) == []
