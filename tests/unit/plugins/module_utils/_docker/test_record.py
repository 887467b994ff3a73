# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of what daemon.json was before us, also one that somebody edited by hand."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._docker import record
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

PATH = "/etc/docker/daemon.json"
GOOD = {"path": PATH, "original": None, "keys": {"bridge": {"ours": '"none"', "before": None}}}


def test_what_is_written_can_be_read() -> None:
    keys = {"bridge": record.Taken('"none"', None), "labels": record.Taken(None, '[ "a" ]')}
    for original in (None, "", '{"labels": [ "a" ]}'):
        written = record.Record(PATH, keys, original, {"bridge": None, "mtu": "1450"})
        assert record.parse(written.render(), "/record", PATH) == written


@pytest.mark.parametrize(
    "wrong",
    [
        {"original": 5},
        {"original": "{"},
        {"keys": []},
        {"keys": {"bridge": {"ours": '"none"', "before": 5}}},
        {"keys": {"bridge": {"ours": '"none"', "before": "{"}}},
        {"keys": {"bridge": {"ours": '"none"', "before": '1, "mtu": 2'}}},
        {"keys": {"bridge": {"ours": '"none"', "before": "NaN"}}},
        {"keys": {"bridge": {"ours": '"none"', "before": '{"a": 1, "a": 2}'}}},
        {"in_force": ["bridge"]},
        {"original": 0},
        {"original": []},
    ],
    ids=str,
)
def test_what_cannot_be_given_back_is_no_record(wrong: dict[str, t.Any]) -> None:
    record.parse(json.dumps(GOOD), "/record", PATH)
    with pytest.raises(PodnetError, match=r"^record: /record is not a record of this module; move it away, "):
        record.parse(json.dumps({**GOOD, **wrong}), "/record", PATH)


def test_a_record_that_has_a_key_twice() -> None:
    text = json.dumps({**GOOD, "in_force": {}})
    twice = text.replace('"in_force": {}', '"in_force": {}, "in_force": {"bridge": null}')
    record.parse(text, "/record", PATH)
    with pytest.raises(PodnetError, match=r"^record: /record is not a record of this module; "):
        record.parse(twice, "/record", PATH)


def test_a_record_that_is_nested_too_deeply() -> None:
    with pytest.raises(PodnetError, match=r"^record: /record is not a record of this module; "):
        record.parse("[" * 100_000, "/record", PATH)
