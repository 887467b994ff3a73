# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Files that bring something back after a reboot: whose they are, and the commands that load them.

A command is a list of words.  One that may fail, because what it makes can be there already, begins with ``-``,
as it does in a systemd unit.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _files
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError

_FILE = "file "

#: What ``ip -batch`` takes for a comment, quotes or an escape, wherever it stands.
_SPECIAL = re.compile(r"[#'\"\\]")


def absolute(option: str, path: str, example: str) -> str:
    """Check the path of a file that a unit will load, or that must not depend on where we are started."""
    if not os.path.isabs(path) or path.endswith("/") or os.path.isdir(path) or not path.isprintable():
        raise OptionError(option, path, "is not the absolute path of a file", f"write it like {example}")
    return path


def batch_word(option: str, word: str) -> str:
    """Check a name that is to stand in a file for ``ip -batch``."""
    if _SPECIAL.search(word):
        raise OptionError(option, word, "cannot stand in a file for ip -batch", "choose a name without # \\ and quotes")
    return word


def may_fail(command: t.Sequence[str]) -> list[str]:
    """Return a command whose failure means nothing."""
    return ["-" + command[0], *command[1:]]


def own_text(option: t.Optional[str], path: str, header: str) -> t.Optional[str]:
    """Return the text of a file of ours, or None where there is none; somebody else's is refused."""
    text = _files.read_text(path)
    if text is not None and not text.startswith(header):
        if option is None:
            raise PodnetError(f"{path}: is there and is not ours; move it away")
        raise OptionError(option, path, "is there and is not ours", "choose another path, or move it away")
    return text


def read(option: t.Optional[str], header: str, paths: t.Iterable[str]) -> State:
    """Return those files that are there."""
    found = {path: own_text(option, path, header) for path in paths}
    return {name(path): text for path, text in found.items() if text is not None}


def name(path: str) -> str:
    """How a file is called in a State."""
    return _FILE + path


def split(changes: t.Iterable[Change]) -> tuple[list[Change], list[Change]]:
    """Return the changes of files, and the other ones."""
    files = [change for change in changes if change.name.startswith(_FILE)]
    return files, [change for change in changes if change not in files]


def write(changes: t.Iterable[Change]) -> None:
    """Make changes of files."""
    for change in changes:
        put(change.name[len(_FILE) :], change.after)


def restore(changes: t.Iterable[Change]) -> None:
    """Take changes of files back."""
    for change in changes:
        put(change.name[len(_FILE) :], change.before)


def put(path: str, text: t.Optional[str]) -> None:
    """Write a file, or remove it."""
    if text is None:
        _files.remove(path)
    else:
        _files.write_atomically(path, text)
