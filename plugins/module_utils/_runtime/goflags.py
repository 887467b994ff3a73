# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Flags of programs written in Go: on a command line, and in what ``--help`` says.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

#: What follows is no help any more.
LONGEST = 4096


def value(arguments: t.Sequence[str], name: str) -> t.Optional[str]:
    """Return what a flag that takes a value is set to: the last one counts; None where it is not there."""
    found: t.Optional[str] = None
    for index, word in enumerate(arguments):
        if word == "--":
            break
        if word.startswith(f"{name}="):
            found = word[len(name) + 1 :]
        elif word == name and index + 1 < len(arguments):
            found = arguments[index + 1]
    return found


def of_help(text: str) -> dict[str, str]:
    """Read what ``--help`` of a Go program says: its flags and their defaults."""
    found: dict[str, str] = {}
    for line in (each[:LONGEST] for each in text.splitlines()):
        match = re.match(r"\s+(?:-\w, )?(--[a-z0-9-]+)(?:\s|$)", line)
        if match:
            default = re.search(r'\(default "?([^")]*)"?\)', line)
            found[match[1]] = default[1] if default else ""
    return found
