# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Units of systemd as they stand in files: a unit and its drop-ins, read as systemd reads them (systemd.unit(5)).

Files, because a node may not be running systemd at all (an image, a chroot), and because what is asked for may be what
the unit would be with another drop-in, or without one.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import re
import typing as t
from pathlib import Path

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _words
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._words import Word

#: There when systemd is the first process, as sd_booted(3) says.
BOOTED = "/run/systemd/system"

#: Where units are, the first wins; generators mask there what the kernel's command line says.
UNIT_DIRS = (
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)


T = t.TypeVar("T")


class Unit(t.NamedTuple):
    """A service as it would be started: its commands, and where its environment comes from."""

    name: str
    path: str
    commands: t.List[Word]
    environment: t.Dict[str, Word]
    environment_files: t.List[str]

    @property
    def from_files(self) -> dict[str, Word]:
        """The variables that environment files set; they win over the unit's own."""
        found: dict[str, Word] = {}
        # systemd passes over what is no absolute path.
        for entry in filter(os.path.isabs, (each.lstrip("-") for each in self.environment_files)):
            for path in _files.matching(entry):
                values = _words.variables(_files.read_text(path) or "")
                found.update({name: Word(value, path) for name, value in values.items()})
        return found

    @property
    def command(self) -> Word:
        """The one command of the service, whole."""
        if not self.commands:
            raise PodnetError(
                f"{self.name}: neither {self.path} nor a drop-in has an ExecStart, so it cannot start; correct the unit"
            )
        if len(self.commands) > 1:
            raise PodnetError(
                f"{self.name}: {self.path} and its drop-ins have {len(self.commands)} lines ExecStart, "
                "where a service that runs has one; correct the unit"
            )
        return self.commands[0]

    @property
    def words(self) -> list[Word]:
        """The command's words, its variables replaced."""
        text, path = self.command
        given = [Word(each, path) for each in _words.split(text)]
        try:
            found = _words.expand(given, {**self.environment, **self.from_files})
        except PodnetError as error:
            raise PodnetError(f"{self.name}: {error}") from error
        if not found:
            raise PodnetError(f"{self.name}: ExecStart {text} is no command; correct the unit")
        return found

    @property
    def arguments(self) -> list[str]:
        """The texts of the command's words."""
        return [word.text for word in self.words]


def is_running() -> bool:
    """Whether systemd manages this node."""
    return os.path.isdir(BOOTED)


def find(names: t.Sequence[str]) -> t.Optional[str]:
    """Return the first of these names of which there is a unit that is not masked."""
    return next((name for name in names if _unit_path(name)), None)


def load(name: str, changed: t.Optional[dict[str, t.Optional[str]]] = None) -> Unit:
    """Return a unit; ``changed`` has files as they would be, by their paths (None: gone)."""
    changed = changed or {}
    path = _unit_path(name)
    if path is None:
        raise PodnetError(f"{name}: there is no such unit in {', '.join(UNIT_DIRS)}; install it")
    unit = Unit(name, path, [], {}, [])
    for entry in [path, *_drop_ins(name, changed)]:
        text = changed.get(entry, "") if entry in changed else _unmasked(entry)
        _take(unit, entry, text or "")
    return unit


def settings(text: str) -> t.Iterator[tuple[str, str, str]]:
    """Read a file: every setting as its section, key and value; a backslash at a line's end continues it."""
    section, waiting = "", ""
    for line in text.split("\n"):
        stripped = line.strip()
        # Comments stand between the lines of one value, too.
        if stripped.startswith(("#", ";")) or (not stripped and not waiting):
            continue
        if stripped.endswith("\\"):
            waiting += stripped[:-1] + " "
            continue
        whole, waiting = (waiting + stripped).strip(), ""
        heading = re.fullmatch(r"\[(.*)\]", whole)
        key, equals, value = whole.partition("=")
        if heading:
            section = heading[1]
        elif equals:
            yield section, key.strip(), value.strip()


def _take(unit: Unit, path: str, text: str) -> None:
    """Add what a file says; an empty value forgets what was said before."""
    for section, key, value in settings(text):
        if section != "Service":
            continue
        if key == "ExecStart":
            _add(unit.commands, Word(value, path) if value else None)
        elif key == "EnvironmentFile":
            _add(unit.environment_files, value or None)
        elif key == "Environment":
            if not value:
                unit.environment.clear()
            pairs = [word.partition("=") for word in _words.split(value)]
            unit.environment.update({name: Word(text, path) for name, _equals, text in pairs})


def _add(values: list[T], value: t.Optional[T]) -> None:
    if value is None:
        values.clear()
    else:
        values.append(value)


def _unit_path(name: str) -> t.Optional[str]:
    """Where a unit is; one that is a link to /dev/null, or empty, is masked."""
    path = next((path for path in (os.path.join(each, name) for each in UNIT_DIRS) if os.path.lexists(path)), None)
    if path is None or not os.path.isfile(path) or os.stat(path).st_size == 0:
        return None
    return path


def _unmasked(path: str) -> t.Optional[str]:
    """The text of a drop-in; one that is a link to /dev/null says nothing."""
    return None if os.path.realpath(path) == os.devnull else _files.read_text(path)


def _drop_ins(name: str, changed: t.Mapping[str, t.Optional[str]]) -> list[str]:
    """The drop-ins in the order of their names; of one name only the first directory's."""
    found: dict[str, str] = {}
    for directory in (os.path.join(each, place) for each in UNIT_DIRS for place in (f"{name}.d", "service.d")):
        there = {str(path) for path in Path(directory).glob("*.conf")}
        for path in there | {path for path in changed if os.path.dirname(path) == directory}:
            if path not in changed or changed[path] is not None:
                found.setdefault(os.path.basename(path), path)
    return [found[base] for base in sorted(found)]
