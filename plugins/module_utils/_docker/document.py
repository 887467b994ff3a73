# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A JSON file with one object, changed key by key: all that is not changed stays as it is, to the byte.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils import _json

SPACE = re.compile(r"[ \t\r\n]*")

#: What stands for a value that is nobody's business.
HIDDEN = '"…"'

#: What is written where there is no file yet.
NEW = "{}\n"


@dataclass(frozen=True)
class Member:
    """A key of the object, and where it, its value and the end of that are in the text."""

    key: str
    start: int
    value: int
    end: int


class Document:
    """The text of such a file; a ValueError says in half a sentence why it is none."""

    def __init__(self, text: str) -> None:
        self.text = text
        data = _json.parse(text, _without_duplicates)
        if not isinstance(data, dict):
            raise ValueError(f"is a JSON {_kind(data)}, not an object")
        self.data: dict[str, t.Any] = data
        self._members = {member.key: member for member in _members(text)}

    @classmethod
    def of_file(cls, text: t.Optional[str]) -> Document:
        """Return what a file holds that may be empty, or not there."""
        return cls(text if text and text.strip() else NEW)

    def raw(self, key: str) -> t.Optional[str]:
        """Return a key's value as it is written, or None where the key is missing."""
        member = self._members.get(key)
        return self.text[member.value : member.end] if member else None

    def with_raw(self, key: str, raw: str) -> Document:
        """Return the document with a key's value, in the key's place or at the end."""
        member = self._members.get(key)
        if member:
            return Document(self.text[: member.value] + raw + self.text[member.end :])
        if not self._members:
            start, end = self.text.index("{") + 1, self.text.rindex("}")
            return Document(f"{self.text[:start]}\n  {json.dumps(key)}: {raw}\n{self.text[end:]}")
        last = self._last
        added = f",{self._gap}{json.dumps(key)}{self._colon}{raw}"
        return Document(self.text[: last.end] + added + self.text[last.end :])

    def with_value(self, key: str, value: t.Any) -> Document:
        """Return the document with a key's value, indented like the rest."""
        gap = self._gap if self._members else "\n  "
        indent = gap.rpartition("\n")[2]
        if "\n" not in gap or not indent:
            return self.with_raw(key, json.dumps(value))
        return self.with_raw(key, json.dumps(value, indent=indent).replace("\n", f"\n{indent}"))

    def without(self, key: str) -> Document:
        """Return the document without a key; what was added at the end is taken back exactly."""
        members = list(self._members.values())
        member = self._members.get(key)
        if member is None:
            return self
        index = members.index(member)
        if len(members) == 1:
            start, end = self.text.index("{") + 1, self.text.rindex("}")
        elif index == 0:
            start, end = member.start, members[1].start
        else:
            start, end = members[index - 1].end, member.end
        return Document(self.text[:start] + self.text[end:])

    def shown(self, keys: t.Container[str]) -> str:
        """Return the text with the values of these keys; what others are, such as a proxy's password, is not told."""
        pieces, at = [], 0
        for member in self._members.values():
            if member.key not in keys:
                pieces += [self.text[at : member.value], HIDDEN]
                at = member.end
        return "".join([*pieces, self.text[at:]])

    @property
    def _last(self) -> Member:
        return list(self._members.values())[-1]

    @property
    def _colon(self) -> str:
        key_end = self.text.index(":", _string_end(self.text, self._last.start))
        return ":" + self.text[key_end + 1 : self._last.value]

    @property
    def _gap(self) -> str:
        """The space between a comma and the next key."""
        before = self.text[: self._last.start]
        gap = before[len(before.rstrip(" \t\r\n")) :]
        if len(self._members) == 1 and "\n" not in gap:
            return " " if " " in self._colon else ""
        return gap


def canonical(raw: t.Optional[str]) -> t.Optional[str]:
    """Return a value in one form, so that two can be compared; 1 is not true."""
    return None if raw is None else json.dumps(_json.parse(raw, _without_duplicates), sort_keys=True)


def _members(text: str) -> t.Iterator[Member]:
    """Find the members of an object that is known to be right."""
    decoder = json.JSONDecoder()
    at = _space(text, text.index("{") + 1)
    while text[at] != "}":
        key, key_end = decoder.raw_decode(text, at)
        value = _space(text, _space(text, key_end) + 1)
        end = decoder.raw_decode(text, value)[1]
        yield Member(key, at, value, end)
        at = _space(text, end)
        if text[at] == ",":
            at = _space(text, at + 1)


def _string_end(text: str, at: int) -> int:
    return int(json.JSONDecoder().raw_decode(text, at)[1])


def _space(text: str, at: int) -> int:
    found = SPACE.match(text, at)
    return found.end() if found else at


def _without_duplicates(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    found: dict[str, t.Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"has the key {json.dumps(key)} twice")
        found[key] = value
    return found


def _kind(data: t.Any) -> str:
    return {list: "array", str: "string", bool: "boolean", type(None): "null"}.get(type(data), "number")
