# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON as Go reads it, and what Python's own decoder would make of the rest."""

from __future__ import annotations

import time

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _json


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "^is not JSON [(]"),
        ('{"a": 1,}', "^is not JSON [(].*comma"),
        ('{"a": NaN}', "^is not JSON [(]NaN is not a number"),
        ("[-Infinity]", "^is not JSON [(]-Infinity"),
        ("[1e999]", "^has the number 1e999, which is too large"),
        ("9" * 5000, "^has a number of 5000 digits"),
        ("[" * 100_000, "^is nested too deeply"),
        ('{"a":' * 101 + "1" + "}" * 101, "^is nested too deeply"),
        (b"\xff", "utf-8"),
    ],
)
def test_what_is_none_is_a_value_error(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        _json.parse(text)


def test_what_is_nested_as_files_are_is_read() -> None:
    assert _json.parse("[" * 100 + "]" * 100)
    assert _json.parse('{"a": "' + "[" * 1000 + '\\"{{"}') == {"a": "[" * 1000 + '"{{'}


def test_half_a_character_becomes_another_one() -> None:
    found = _json.parse('{"\\ud800": ["\\udc00", "\\ud83e\\udd80", "\\\\ud800"]}')
    assert found == {"\ufffd": ["\ufffd", "\U0001f980", "\\ud800"]}
    str(found).encode()


@pytest.mark.parametrize("text", ['"', '\\"', "[", '["', '"\\"', "\\"])
def test_four_megabytes_of_anything_take_no_minute(text: str) -> None:
    started = time.process_time()
    with pytest.raises(ValueError, match=r"^is n"):
        _json.parse(text * (4_000_000 // len(text)))
    assert time.process_time() - started < 20


@pytest.mark.parametrize(
    ("value", "objects"), [([{}, 1, {"a": 1}], [{}, {"a": 1}]), ({"a": 1}, []), (None, []), ("ab", [])]
)
def test_objects_are_those_of_an_array(value: object, objects: list[dict[str, int]]) -> None:
    assert _json.objects(value) == objects


def test_what_is_no_object_is_an_empty_one() -> None:
    assert [_json.mapping(value) for value in ({"a": 1}, [], None, "a")] == [{"a": 1}, {}, {}, {}]
