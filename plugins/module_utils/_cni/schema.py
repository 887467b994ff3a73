# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The types that a CNI configuration's keys can have, and how a value is brought to its type.  Pure.

Go's JSON decoder refuses a string where a number belongs, and ignores a key that it does not know; Jinja makes
strings of numbers, and people misspell keys.  So a Check takes a value's path and the value, and returns it in
its right type or raises an OptionError.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._values import suggestion

Check = t.Callable[[str, t.Any], t.Any]

#: Keys that a runtime puts in when it calls a plugin (the CNI specification, "Derived configuration").
RESERVED = ("runtimeConfig", "args", "prevResult")
RESERVED_PREFIX = "cni.dev/"

BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}


def boolean(path: str, value: t.Any) -> bool:
    """``true`` and ``false``, also as the text that a template made of them."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.casefold() in BOOLEANS:
        return BOOLEANS[value.casefold()]
    raise OptionError(path, value, "is not a boolean", "use true or false")


def integer(low: int, high: int) -> Check:
    """A whole number from ``low`` to ``high``, also as the text that a template made of it."""

    def check(path: str, value: t.Any) -> int:
        remedy = f"use a number from {low} to {high}"
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise OptionError(path, value, "is not a whole number", remedy)
        if not low <= value <= high:
            raise OptionError(path, value, "is out of range", remedy)
        return value

    return check


def string(path: str, value: t.Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise OptionError(path, value, "is not a text", "write it as a quoted text that is not empty")
    return value


def choice(*words: str) -> Check:
    """One of some words, to the letter."""

    def check(path: str, value: t.Any) -> str:
        if value not in words or not isinstance(value, str):
            raise OptionError(path, value, "is not known", suggestion(str(value), words))
        return value

    return check


def absolute_path(path: str, value: t.Any) -> str:
    """The absolute path of a file or directory."""
    if not string(path, value).startswith("/") or "\0" in value:
        raise OptionError(path, value, "is not an absolute path", "write it from the root, as in /run/cni")
    return str(value)


def mac(path: str, value: t.Any) -> str:
    """A unicast MAC address."""
    text = string(path, value)
    if not re.fullmatch(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}", text) or int(text[:2], 16) & 1:
        raise OptionError(path, value, "is not a MAC address of one interface", "write it like 0a:58:0a:0c:01:02")
    return text


def list_of(check: Check) -> Check:
    """A list whose items are each checked."""

    def check_all(path: str, value: t.Any) -> list[t.Any]:
        if not isinstance(value, list):
            raise OptionError(path, value, "is not a list", "write [ ] around it")
        return [check(f"{path}[{index}]", item) for index, item in enumerate(value)]

    return check_all


def map_of(check: Check) -> Check:
    """An object with free keys whose values are each checked."""

    def check_all(path: str, value: t.Any) -> dict[str, t.Any]:
        return {key: check(f"{path}.{key}", item) for key, item in mapping(path, value).items()}

    return check_all


def record(what: str, keys: t.Mapping[str, Check]) -> Check:
    """An object that ``what`` reads, with these keys and no other; keeps the order in which they were written."""

    def check_all(path: str, value: t.Any) -> dict[str, t.Any]:
        found = mapping(path, value)
        for key in found:
            known_key(path, key, what, keys)
        return {key: keys[key](f"{path}.{key}", item) for key, item in found.items()}

    return check_all


def mapping(path: str, value: t.Any) -> dict[str, t.Any]:
    """An object, whatever is in it."""
    if not isinstance(value, dict):
        raise OptionError(path, value, "is not a mapping", "write keys and values")
    for key in value:
        if not isinstance(key, str):
            raise OptionError(path, key, "is a key that is not a text", "quote it")
    return value


def known_key(path: str, key: str, what: str, keys: t.Iterable[str]) -> None:
    """Refuse a key that would be ignored, that is written in another case, or that only a runtime may set."""
    not_reserved(path, key)
    if key not in keys:
        raise OptionError(path, key, f"is not a key of {what}", suggestion(key, keys))


def not_reserved(path: str, key: str) -> None:
    """Refuse a key that only a runtime may set."""
    if key in RESERVED or key.startswith(RESERVED_PREFIX):
        raise OptionError(path, key, "is set by the runtime and must not be in a file", "leave the key out")
