# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an answer has its form; `br1` is another key than `br10`."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _shapes as shapes

FORM: dict[str, t.Any] = {
    "br1": shapes.TEXT,
    "ports?": [shapes.WORD],
    "mtu?": shapes.NUMBER,
    shapes.OTHERS: shapes.PLAIN,
}


@pytest.mark.parametrize(
    "value",
    [
        {"br1": "a"},
        {"br1": "", "ports": None, "mtu": None, "x": None},
        {"br1": "a", "ports": ["v1", None], "mtu": 1.5, "x": True, "br10": 7},
    ],
)
def test_what_fits(value: t.Any) -> None:
    assert shapes.fits(value, FORM)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"br10": "a"},
        {"br1": None},
        {"br1": 1},
        {"br1": "a", "ports": "v1"},
        {"br1": "a", "ports": [1]},
        {"br1": "a", "mtu": float("nan")},
        {"br1": "a", "mtu": True},
        {"br1": "a", "x": []},
        {"br1": "a", 1: 2},
    ],
)
def test_what_does_not(value: t.Any) -> None:
    assert not shapes.fits(value, FORM)
