# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Errors that are shown to the user as one sentence.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import typing as t


class PodnetError(Exception):
    """One sentence for the user; ``facts`` are returned beside it."""

    def __init__(self, sentence: str, **facts: t.Any) -> None:
        super().__init__(sentence)
        self.facts = facts


class OptionError(PodnetError):
    """A value that cannot be used: ``bridge.name: "a-very-long-name-0" is too long; use at most 15 characters``.

    ``path`` is the option's path (``pairs[3].peer``), ``remedy`` what to do instead.
    """

    def __init__(self, path: str, value: t.Any, problem: str, remedy: str, **facts: t.Any) -> None:
        super().__init__(f"{path}: {shown(value)} {problem}; {remedy}", **facts)


def shown(value: t.Any, limit: int = 80) -> str:
    """Return a value as it reads in a sentence: plain words as they are, all else as JSON, both cut at ``limit``."""
    plain = isinstance(value, str) and value.isprintable() and value != "" and " " not in value
    text = value if plain else json.dumps(value, default=str)
    return text if len(text) <= limit else text[: limit - 1] + "…"
