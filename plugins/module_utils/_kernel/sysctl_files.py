# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Files of sysctl.d(5): ours, and those that are loaded after it.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mink8s.podnet.plugins.module_utils import _files
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.sysctl_moves import one

HEADER = "# Kernel settings for the pod network, kept by Ansible (mink8s.podnet.sysctls)\n"

#: Where systemd-sysctl and `sysctl --system` look; a file hides those of the same name further down.
DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
#: `sysctl --system` loads it last.
LAST = "/etc/sysctl.conf"

#: What was empty has nothing behind it: an editor may take away a space at the end of a line.
_WAS = re.compile(r"# (\S+) was(| .*)")
_ABSENT = "not there"


@dataclass
class Record:
    """What our file says: the settings, and what they and others were before us (None: not there)."""

    settings: dict[str, str] = field(default_factory=dict)
    before: dict[str, t.Optional[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Other:
    """A setting in somebody else's file."""

    path: str
    key: str
    value: str


def parse_key(name: str) -> t.Optional[str]:
    """Return a setting's path below /proc/sys, or None if that is not one name.

    As sysctl.d(5) says: if the first separator is a slash, then slashes separate and dots are dots;
    if it is a dot, the two change places.
    """
    first = re.search(r"[./]", name)
    if first is None or re.search(r"[\s*?\[\]=#]", name):
        return None
    key = name if first.group() == "/" else name.translate(str.maketrans("./", "/."))
    return None if any(part in ("", ".", "..") for part in key.split("/")) else key


def spelled(key: str) -> str:
    """Return a path below /proc/sys as it is usually written, net.ipv4.ip_forward, unless a dot is in a name."""
    return key if "." in key else key.replace("/", ".")


def parse(text: str) -> Record:
    """Read our own file."""
    record = Record()
    for line in text.splitlines():
        was = _WAS.fullmatch(line)
        key = parse_key(was.group(1)) if was else None
        if was and key:
            value = " ".join(was.group(2).split())
            record.before[key] = None if value == _ABSENT else value
    record.settings.update({other.key: other.value for other in _entries("", text)})
    return record


def render(record: Record) -> str:
    """Write our own file."""
    lines = [f"{spelled(key)} = {value}\n" for key, value in record.settings.items()]
    remarks = [_remark(key, _ABSENT if was is None else was) for key, was in record.before.items()]
    return HEADER + "".join(remarks) + "".join(lines)


def _remark(key: str, was: str) -> str:
    return f"# {spelled(key)} was {was}".rstrip() + "\n"


def named_as(record: Record, given: t.Iterable[str]) -> Record:
    """Return a record with the names that are given now; of both names of one setting the first one counts."""
    names: dict[str, str] = {}
    for key in (*given, *record.before, *record.settings):
        names.setdefault(one(key), key)
    named = Record()
    for key, value in record.settings.items():
        named.settings.setdefault(names[one(key)], value)
    for key, was in record.before.items():
        named.before.setdefault(names[one(key)], was)
    return named


def later(path: str, settings: t.Mapping[str, str]) -> list[Other]:
    """Return what files that are loaded after ours set to another value, the last word on each key only."""
    files = [file for file in _files_of_d() if os.path.basename(file) > os.path.basename(path)]
    found, ours = _last_words([*files, LAST]), {one(key): value for key, value in settings.items()}
    return [entry for key, entry in found.items() if key in ours and entry.value != ours[key]]


def words_of_others(path: str) -> dict[str, str]:
    """Return what each setting is after a boot without our file, by its first name, as far as a file names it.

    What a pattern like net.ipv4.conf.*.rp_filter brings is left out: it is what the setting was before us, too.
    """
    # systemd reads LAST only where it is linked into a directory, and then in the order of the link's name.
    return {key: entry.value for key, entry in _last_words([LAST, *_files_of_d(without=path)]).items()}


def _last_words(files: t.Iterable[str]) -> dict[str, Other]:
    return {one(entry.key): entry for file in files for entry in _entries(file, _read(file))}


def _files_of_d(without: t.Optional[str] = None) -> list[str]:
    """Return the files in the order in which they are loaded; one that is left out hides no other."""
    left_out = os.path.realpath(without) if without else None
    files: dict[str, str] = {}
    for directory in DIRECTORIES:
        try:
            names = [entry.name for entry in os.scandir(directory)]
        except OSError:
            continue
        for name in names:
            file = f"{directory}/{name}"
            if name.endswith(".conf") and (left_out is None or os.path.realpath(file) != left_out):
                files.setdefault(name, file)
    return [files[name] for name in sorted(files)]


def _read(path: str) -> str:
    try:
        content = _files.read_bytes(path)
    except PodnetError:  # masked: a link to /dev/null
        content = None
    return content.decode(errors="replace") if content else ""


def _entries(path: str, text: str) -> t.Iterator[Other]:
    for line in text.split("\n"):
        name, equals, value = line.strip().partition("=")
        key = parse_key(name.strip().lstrip("-")) if equals and not name.startswith(("#", ";")) else None
        if key:
            yield Other(path, key, " ".join(value.split()))
