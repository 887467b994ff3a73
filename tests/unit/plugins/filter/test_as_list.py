# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists that may be text."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.filter.as_list import as_list


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("bridge", ["bridge"]),
        ("bridge, host-local", ["bridge", "host-local"]),
        ([["10.12.0.0/16,fd00:12::/48"], "192.0.2.0/24"], ["10.12.0.0/16", "fd00:12::/48", "192.0.2.0/24"]),
        (("br1", "br10"), ["br1", "br10"]),
        (["", None, ","], []),
        (None, []),
        ("", []),
        ([1, True], ["1", "True"]),
    ],
)
def test_its_items(value: t.Any, items: list[str]) -> None:
    assert as_list(value) == items
