# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Command lines in units of systemd: words, quotes, variables (systemd.service(5)), and flags.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

#: What may stand before a command: ignore failures, another argv[0], privileges, no variables.
PREFIXES = "-@:+!|"

_ESCAPES = {"n": "\n", "t": "\t", "s": " ", "\\": "\\", '"': '"', "'": "'"}

_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_WORD = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


def split(text: str) -> list[str]:
    """Split into words: white space parts them, quotes keep it, a backslash takes the next character as it is."""
    found: list[str] = []
    word: t.Optional[str] = None
    quote = ""
    characters = iter(text)
    for character in characters:
        if character == "\\":
            following = next(characters, "")
            word = (word or "") + _ESCAPES.get(following, "\\" + following)
        elif quote:
            if character == quote:
                quote = ""
            else:
                word = (word or "") + character
        elif character in "\"'":
            quote, word = character, word or ""
        elif character.isspace():
            if word is not None:
                found.append(word)
            word = None
        else:
            word = (word or "") + character
    return found if word is None else [*found, word]


def expand(command: t.Sequence[str], environment: t.Mapping[str, str]) -> list[str]:
    """Replace variables: ``$NAME`` as a word becomes words, ``${NAME}`` a text within its word."""
    found: list[str] = []
    for word in command:
        alone = _WORD.fullmatch(word)
        if alone:
            found += split(environment.get(alone[1], ""))
        else:
            found.append(_VARIABLE.sub(lambda match: environment.get(match[1], "") if match[1] else "$", word))
    if found:
        found[0] = found[0].lstrip(PREFIXES)
    return found


def variables(text: str) -> dict[str, str]:
    """Read the text of an EnvironmentFile."""
    found: dict[str, str] = {}
    for line in text.replace("\\\n", "").splitlines():
        name, equals, value = line.strip().partition("=")
        if not equals or name.startswith(("#", ";")):
            continue
        value = value.strip()
        quoted = len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]
        found[name.strip()] = re.sub(r'\\(["\\$`])', r"\1", value[1:-1]) if quoted else value
    return found


def flag(arguments: t.Sequence[str], name: str) -> t.Optional[str]:
    """Return what a flag that takes a value is set to: the last one counts; None where it is not there."""
    value: t.Optional[str] = None
    for index, word in enumerate(arguments):
        if word == "--":
            break
        if word.startswith(f"{name}="):
            value = word[len(name) + 1 :]
        elif word == name and index + 1 < len(arguments):
            value = arguments[index + 1]
    return value


def flags_of_help(text: str) -> dict[str, str]:
    """Read what ``--help`` of a Go program says: its flags and their defaults."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = re.match(r"\s+(?:-\w, )?(--[a-z0-9-]+)(?:\s|$)", line)
        if match:
            default = re.search(r'\(default "?([^")]*)"?\)', line)
            found[match[1]] = default[1] if default else ""
    return found
