# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One key of a JSON object is changed, and not a byte of the rest; what is added is taken back exactly."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _json
from ansible_collections.mink8s.podnet.plugins.module_utils._docker.document import Document, canonical

#: Ways in which people and programs write such a file; what stands in them must not be touched.
TEXTS = [
    "{}",
    "{}\n",
    '{"hosts":["fd://"],"debug":true}',
    '{"hosts": ["fd://"], "debug": true}\n',
    '{"debug": true}',
    '{\n  "debug": true\n}\n',
    '{\n\t"log-opts": {"max-size": "100m",\n"max-file":"3"},\n\t"mtu": 1.450e3\n}',
    '{ "a" : "}, \\"b\\": {" ,\r\n  "caf\\u00e9" : "\\ud800" }\r\n',
    '\n\n{\n    "default-ulimits": {"nofile": {"Soft": 1, "Hard": 2}},\n    "n": 123456789012345678901234567890\n}\n\n',
    '{"x:y": 1}',
]
VALUES = ["none", False, 0, None, [], {}, ["a", {"b": [1]}], {"max-size": "100m", "ü": "\n"}]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("value", VALUES)
def test_an_added_key_is_there_the_rest_as_it_was_and_it_can_be_taken_back(text: str, value: t.Any) -> None:
    before = Document(text)
    after = before.with_value("bridge", value)
    assert _json.parse(after.text) == {**before.data, "bridge": value}
    assert list(after.data) == [*before.data, "bridge"]
    assert all(after.raw(key) == before.raw(key) for key in before.data)
    assert after.without("bridge").text == text


@pytest.mark.parametrize("text", TEXTS)
def test_two_keys_are_taken_back_in_either_order(text: str) -> None:
    both = Document(text).with_value("bridge", "none").with_value("bridge10", {"a": 1})
    assert both.without("bridge").without("bridge10").text == text
    assert both.without("bridge10").without("bridge").text == text


@pytest.mark.parametrize("text", TEXTS)
def test_a_replaced_value_is_given_back(text: str) -> None:
    for key in (before := Document(text)).data:
        after = before.with_value(key, {"new": [1, 2]})
        assert list(after.data) == list(before.data)
        assert after.data[key] == {"new": [1, 2]}
        assert after.with_raw(key, before.raw(key) or "").text == text


@pytest.mark.parametrize("text", TEXTS)
def test_a_removed_key_takes_one_comma_with_it(text: str) -> None:
    for key in (before := Document(text)).data:
        assert Document(before.without(key).text).data == {
            name: data for name, data in before.data.items() if name != key
        }
    assert before.without("brid").text == text


def test_the_indentation_is_that_of_the_last_key() -> None:
    assert Document('{\n\t"a": 1\n}\n').with_value("b", {"c": [1]}).text == (
        '{\n\t"a": 1,\n\t"b": {\n\t\t"c": [\n\t\t\t1\n\t\t]\n\t}\n}\n'
    )
    assert Document('{"a":1,"b":2}').with_value("c", 3).text == '{"a":1,"b":2,"c":3}'
    assert Document('{"a": 1}').with_value("c", 3).text == '{"a": 1, "c": 3}'
    assert Document("{}\n").with_value("c", 3).text == '{\n  "c": 3\n}\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 1,}', r"^is not JSON [(].*comma"),
        ("{'a': 1}", "^is not JSON [(]"),
        ("[]", "^is a JSON array, not an object$"),
        ('"a"', "^is a JSON string, "),
        ("null", "^is a JSON null, "),
        ("7", "^is a JSON number, "),
        ('{"a": 1, "b": 2, "a": 3}', '^has the key "a" twice$'),
        ('{"a": {"b": 1, "b": 1}}', '^has the key "b" twice$'),
        ('{"a": NaN}', "^is not JSON [(]NaN "),
        ('{"a": 1} x', "^is not JSON [(]Extra data"),
        ('\ufeff{"a": 1}', "^is not JSON [(]"),
        ('{"a": ' + "[" * 200000, "^is nested too deeply$"),
        ('// dockerd\n{"a": 1}', "^is not JSON [(]"),
    ],
)
def test_what_is_no_object_is_told_in_half_a_sentence(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Document(text)


def test_one_is_not_true_and_the_order_of_keys_does_not_matter() -> None:
    assert canonical("1") != canonical("true")
    assert canonical('{"a": 1, "b": 2}') == canonical('{"b":2,"a":1}')
    assert canonical(None) is None


def test_what_is_shown_are_the_values_of_some_keys() -> None:
    text = '{\n  "bridge": "none",\n  "bridge10": {"a": "secret"} ,\n  "proxies": "secret"\n}\n'
    assert Document(text).shown({"bridge"}) == text.replace('{"a": "secret"}', '"…"').replace('"secret"', '"…"')
    assert Document("{}\n").shown({"bridge"}) == "{}\n"


def test_a_file_of_many_keys_takes_no_time_that_grows_with_its_square() -> None:
    text = "{" + ",".join(f'"{number}": 1' for number in range(100_000)) + "}"
    started = time.process_time()
    assert Document(text).with_value("bridge", "none").shown({"bridge"}).count("…") == 100_000
    assert time.process_time() - started < 20
