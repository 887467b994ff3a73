# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""JSON that others have written: what it holds, or a ValueError that says in half a sentence why it is none.  Pure.

Python's own decoder takes what Go's, which the files are for, does not: NaN, numbers that are too large, halves of
characters.  And it fails in other ways than by a ValueError where lists are nested deeply.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import re
import typing as t

#: Nobody's file is nested so deeply; all that goes through a value by calling itself can do this.
DEEPEST = 100

#: More digits are no number that anybody counts with, and take Python's own reader ever longer.
DIGITS = 400

_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_STRANGE = re.compile(r"\\u(?:0000|d[89a-f])")
_MARK = re.compile(r'\\.|["\[\]{}]')

Pairs = t.Callable[[t.List[t.Tuple[str, t.Any]]], t.Any]


def parse(text: t.Union[str, bytes], pairs: t.Optional[Pairs] = None) -> t.Any:
    """Return the value; ``pairs`` makes something else than a dict of an object."""
    words = text.decode() if isinstance(text, bytes) else text
    _require_shallow(words)
    try:
        found = json.loads(
            words, object_pairs_hook=pairs, parse_int=_integer, parse_float=_fraction, parse_constant=_not_a_number
        )
    except json.JSONDecodeError as error:
        comma = "; is there a comma after the last entry?" if "property name" in error.msg else ""
        raise ValueError(f"is not JSON ({error}{comma})") from None
    # As Go does it, half a character becomes another one; else nobody could write or print the text.
    return _whole(found) if _HALF.search(words) else found


def is_plain(value: t.Any) -> bool:
    """Whether no text in it has a zero byte or half a character, nor a whole one that JSON writes as two halves.

    It is much faster than going through a large value, and says no rather too often.
    """
    return not _STRANGE.search(json.dumps(value, default=str))


def mapping(value: t.Any) -> dict[str, t.Any]:
    """Return an object; an empty one in the place of whatever else stands where one should be."""
    return value if isinstance(value, dict) else {}


def objects(value: t.Any) -> list[dict[str, t.Any]]:
    """Return the objects in an array; none of what is no array."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _require_shallow(text: str) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth, quoted = 0, False
    for found in _MARK.finditer(text):
        if found[0] == '"':
            quoted = not quoted
        elif not quoted:
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > DEEPEST:
            raise ValueError("is nested too deeply")


def _integer(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(f"has a number of {len(digits)} digits")
    return int(digits)


def _fraction(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"has the number {digits[:20]}, which is too large")
    return number


def _not_a_number(word: str) -> t.NoReturn:
    raise ValueError(f"is not JSON ({word} is not a number)")


def _whole(value: t.Any) -> t.Any:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value
