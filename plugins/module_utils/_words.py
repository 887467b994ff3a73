# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Command lines in units of systemd: words, quotes and variables (systemd.service(5)).  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

#: What may stand before a command: ignore failures, another argv[0], privileges, no variables.
PREFIXES = "-@:+!|"

#: Linux takes commands of up to a quarter of the stack, which is 2 MiB unless somebody changed it.
LONGEST = 2 * 1024 * 1024

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
    word: t.Optional[list[str]] = None
    quote = ""
    characters = iter(text)
    for character in characters:
        if not quote and character.isspace():
            found += [] if word is None else ["".join(word)]
            word = None
            continue
        word = [] if word is None else word
        if character == "\\":
            following = next(characters, "")
            word.append(_ESCAPES.get(following, "\\" + following))
        elif character == quote:
            quote = ""
        elif not quote and character in "\"'":
            quote = character
        else:
            word.append(character)
    return found if word is None else [*found, "".join(word)]


def expand(command: t.Iterable[Word], environment: t.Mapping[str, Word]) -> list[Word]:
    """Replace variables: ``$NAME`` as a word becomes words, ``${NAME}`` a text within its word."""
    found: list[Word] = []
    budget = _Budget()
    for word in command:
        alone = _WORD.fullmatch(word.text)
        if not alone:
            text = _VARIABLE.sub(lambda match: budget.pay(_value(match[1], environment)), budget.pay(word.text))
            found.append(Word(text, word.path))
        elif alone[1] in environment:
            value = environment[alone[1]]
            found += [Word(text, value.path) for text in split(budget.pay(value.text))]
    if found:
        found[0] = Word(found[0].text.lstrip(PREFIXES), found[0].path)
    return found


class _Budget:
    """What the kernel takes of a command; a few variables of variables could fill any memory."""

    def __init__(self) -> None:
        self.left = LONGEST

    def pay(self, text: str) -> str:
        self.left -= len(text)
        if self.left < 0 or "\0" in text:
            raise PodnetError("ExecStart, with its variables, is no command that the kernel takes; correct the unit")
        return text


def _value(name: t.Optional[str], environment: t.Mapping[str, Word]) -> str:
    """The value of a variable; ``$$``, which names none, is a dollar."""
    if name is None:
        return "$"
    return environment[name].text if name in environment else ""


def variables(text: str) -> dict[str, str]:
    """Read the text of an EnvironmentFile."""
    found: dict[str, str] = {}
    for line in text.replace("\\\n", "").split("\n"):
        name, equals, value = line.strip().partition("=")
        if not equals or name.startswith(("#", ";")):
            continue
        value = value.strip()
        quoted = len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]
        found[name.strip()] = re.sub(r'\\(["\\$`])', r"\1", value[1:-1]) if quoted else value
    return found
