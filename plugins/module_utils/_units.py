# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Units of systemd as they lie in files: which files make one up, and what it starts.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import re
import shlex
import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _programs
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

#: There when systemd is the first process, as sd_booted(3) says.
BOOTED = "/run/systemd/system"

#: Where units are, as systemd.unit(5) says; a file hides those of the same name further down.
DIRECTORIES = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)


@dataclass(frozen=True)
class UnitFile:
    """A unit's own file, or a drop-in for it."""

    path: str
    text: str


@dataclass(frozen=True)
class Word:
    """A word of a command, and the file that it stands in."""

    text: str
    path: str


def is_running() -> bool:
    """Whether systemd manages this node."""
    return os.path.isdir(BOOTED)


def read(run: _programs.Runner, name: str) -> list[UnitFile]:
    """Return the files that make up a unit, in their order; none where there is no such unit."""
    systemctl = _programs.which("systemctl") if is_running() else None
    if systemctl:
        status, out, _err = run([systemctl, "cat", "--no-pager", name], None)
        if status == 0:
            return _split(out)
    return _from_directories(name)


def _split(text: str) -> list[UnitFile]:
    """Take `systemctl cat` apart: before each file stands its name as a comment."""
    parts = re.split(r"^# (/\S+)\n", text, flags=re.MULTILINE)
    return [UnitFile(path, content) for path, content in zip(parts[1::2], parts[2::2])]


def _from_directories(name: str) -> list[UnitFile]:
    main = next((f"{place}/{name}" for place in DIRECTORIES if os.path.exists(f"{place}/{name}")), None)
    if main is None:
        return []
    drop_ins: dict[str, str] = {}
    for directory in (f"{name}.d", f"{name.rpartition('.')[2]}.d"):
        for place in DIRECTORIES:
            for file in _conf_files(f"{place}/{directory}"):
                drop_ins.setdefault(file, f"{place}/{directory}/{file}")
    return [UnitFile(path, _text(path)) for path in (main, *(drop_ins[file] for file in sorted(drop_ins)))]


def _conf_files(directory: str) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(directory) if entry.name.endswith(".conf")]
    except OSError:
        return []


def _text(path: str) -> str:
    try:
        return _files.read_text(path) or ""
    except PodnetError:  # masked: a link to /dev/null
        return ""


def exec_start(files: t.Iterable[UnitFile]) -> t.Optional[list[Word]]:
    """Return the command of a service with its variables replaced, or None where no file says any."""
    command: t.Optional[UnitFile] = None
    variables: dict[str, UnitFile] = {}
    for file in files:
        for key, value in _settings(file.text):
            if key == "ExecStart":
                # An empty one takes back all before it.
                command = UnitFile(file.path, value) if value else None
            elif key == "Environment":
                variables.update(_assignments(value, file.path))
            elif key == "EnvironmentFile":
                path = value.lstrip("-")
                for line in _text(path).splitlines():
                    variables.update(_assignments(line, path))
    if command is None:
        return None
    words = _shell_words(command.text.lstrip("@-:+!"))
    return [each for word in words for each in _expanded(Word(word, command.path), variables)]


def _settings(text: str) -> t.Iterator[tuple[str, str]]:
    """Return the settings of the section [Service]."""
    section = ""
    for line in re.sub(r"\\\n[ \t]*", " ", text).splitlines():
        stripped = line.strip()
        if stripped.startswith("["):
            section = stripped
        elif section == "[Service]" and not stripped.startswith(("#", ";")) and "=" in stripped:
            key, _equals, value = stripped.partition("=")
            yield key.strip(), value.strip()


def _assignments(text: str, path: str) -> dict[str, UnitFile]:
    pairs = [word.partition("=") for word in _shell_words(text) if not text.lstrip().startswith(("#", ";"))]
    return {name: UnitFile(path, value) for name, equals, value in pairs if equals}


def _shell_words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote without its end
        return text.split()


def _expanded(word: Word, variables: dict[str, UnitFile]) -> list[Word]:
    """As systemd.service(5) says: $NAME alone becomes any number of words, ${NAME} a part of one."""
    nothing = UnitFile(word.path, "")
    alone = re.fullmatch(r"\$(\w+)", word.text)
    if alone:
        found = variables.get(alone.group(1), nothing)
        return [Word(text, found.path) for text in _shell_words(found.text)]
    return [Word(re.sub(r"\$\{(\w+)\}", lambda name: variables.get(name.group(1), nothing).text, word.text), word.path)]
