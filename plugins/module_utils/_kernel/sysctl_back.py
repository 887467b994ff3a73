# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a setting is given back as.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.sysctl_files import Record
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.sysctl_moves import (
    GLOBAL,
    TRACES,
    consequences,
    is_moved_by,
)

ValueOf = t.Callable[[str], t.Optional[str]]
#: The interfaces, all and default among them, that a setting for all of them is about.
InterfacesOf = t.Callable[[str], t.List[str]]

_NUMBERS = re.compile(r"(0|-?[1-9][0-9]*)( (0|-?[1-9][0-9]*))*")


def value(key: str, has: str, record: Record, word: t.Optional[str]) -> t.Optional[str]:
    """Return what a setting of the record is given back as, None if there is nothing to give back.

    ``has`` is what it is now, ``word`` what the files of others say of it.
    """
    before = record.before[key]
    if before is None or word is None or not _is_like(word, has):
        return before
    # Where it was as we want it, nothing was changed, so nothing is to change now.
    return before if before == record.settings.get(key) else word


def lost(key: str, value: str, value_of: ValueOf, interfaces: InterfacesOf) -> dict[str, t.Optional[str]]:
    """Return what is not as it is any more when ``key`` is set to ``value`` and set back, with the values of now."""
    now = value_of(key)
    if key not in GLOBAL or now is None or now == value:
        return {}
    after = {**consequences(key, value, interfaces(key)), **consequences(key, now, interfaces(key))}
    found = {each: value_of(each) for each in after}
    return {each: was for each, was in found.items() if was not in (None, after[each])}


def without_traces(
    found: dict[str, str], settings: t.Mapping[str, str], value_of: ValueOf, interfaces: InterfacesOf
) -> dict[str, str]:
    """Give each interface its own value, and nothing to all of them, where one that differs would not be as it was.

    An interface that loses its IPv6 for a moment only has lost its addresses.
    """
    for key in [key for key in TRACES if found.get(key) not in (None, TRACES[key], value_of(key))]:
        value, others = found[key], {**found, **settings}
        own = [each for each in others if is_moved_by(each, key) and "/default/" not in each]
        if any(others[each] != value for each in own):
            moved = [GLOBAL[key].format(name) for name in interfaces(key)]
            there = {each: value for each in moved if each not in others and value_of(each) is not None}
            found = {each: to for each, to in {**there, **found}.items() if each != key}
    return found


def _is_like(word: str, has: str) -> bool:
    """Whether the kernel will take a word out of somebody's file, and tell it as it stands there."""
    if not _NUMBERS.fullmatch(has):
        return bool(word)
    return bool(_NUMBERS.fullmatch(word)) and len(word.split()) == len(has.split())
