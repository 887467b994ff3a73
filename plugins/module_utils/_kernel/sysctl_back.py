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


def _is_like(word: str, has: str) -> bool:
    """Whether the kernel will take a word out of somebody's file, and tell it as it stands there."""
    if not _NUMBERS.fullmatch(has):
        return bool(word)
    return bool(_NUMBERS.fullmatch(word)) and len(word.split()) == len(has.split())
