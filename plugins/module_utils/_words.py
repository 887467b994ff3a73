# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Command lines in units of systemd: words, quotes and variables (systemd.service(5)).  Pure.

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


class Word(t.NamedTuple):
    """A word of a command or the value of a variable, and the file that it stands in."""

    text: str
    path: str


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


def expand(command: t.Iterable[Word], environment: t.Mapping[str, Word]) -> list[Word]:
    """Replace variables: ``$NAME`` as a word becomes words, ``${NAME}`` a text within its word."""
    found: list[Word] = []
    for word in command:
        alone = _WORD.fullmatch(word.text)
        if not alone:
            found.append(Word(_VARIABLE.sub(lambda match: _value(match[1], environment), word.text), word.path))
        elif alone[1] in environment:
            value = environment[alone[1]]
            found += [Word(text, value.path) for text in split(value.text)]
    if found:
        found[0] = Word(found[0].text.lstrip(PREFIXES), found[0].path)
    return found


def _value(name: t.Optional[str], environment: t.Mapping[str, Word]) -> str:
    """The value of a variable; ``$$``, which names none, is a dollar."""
    if name is None:
        return "$"
    return environment[name].text if name in environment else ""


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
