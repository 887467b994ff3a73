# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The options of what happens at boot, checked.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

Command = t.Tuple[str, ...]

#: More seldom than that, a timer helps nobody.
INTERVAL_MAX = 3600

_PROGRAM = re.compile(r"-?(/[A-Za-z0-9_.+-]+)+")


@dataclass(frozen=True)
class Options:
    """The options, checked; ``bridge`` is None where all is to go."""

    bridge: t.Optional[str]
    loaders: tuple[Command, ...]
    repeated: tuple[Command, ...]
    interval: int
    root: str


def check(params: dict[str, t.Any]) -> Options:
    """Check the module's options."""
    present = params["state"] == "present"
    root: str = params["root"]
    if not os.path.isabs(root):
        raise OptionError("root", root, "is not an absolute path", "write it like /")
    if not 1 <= params["interval"] <= INTERVAL_MAX:
        raise OptionError("interval", params["interval"], "is not a time between two looks", f"use 1 to {INTERVAL_MAX}")
    return Options(
        bridge=_bridge(params["bridge"]) if present else None,
        loaders=_commands("loaders", params["loaders"]) if present else (),
        repeated=_commands("repeated_loaders", params["repeated_loaders"]) if present else (),
        interval=params["interval"],
        root=root,
    )


def _bridge(given: str) -> str:
    name = _values.ifname("bridge", given)
    if re.search(r"[*?\[\]!;,\"'\\]", name):
        raise OptionError(
            "bridge", name, "could mean other links in a file of networkd", "choose a name of letters and digits"
        )
    return name


def _commands(option: str, given: t.Sequence[t.Any]) -> tuple[Command, ...]:
    return tuple(_command(f"{option}[{index}]", words) for index, words in enumerate(given))


def _command(path: str, given: t.Any) -> Command:
    words = [str(word) for word in given] if isinstance(given, (list, tuple)) else []
    if not words or not _PROGRAM.fullmatch(words[0]):
        raise OptionError(
            path, given, "does not begin with the path of a program", "write it like [/usr/sbin/ip, -batch, FILE]"
        )
    for index, word in enumerate(words):
        if not word or not word.isprintable():
            raise OptionError(f"{path}[{index}]", word, "is not a word", "use characters that can be printed")
    return tuple(words)
