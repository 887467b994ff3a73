# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Two keys of a TOML file, changed where they stand, and given back as they were.  Pure.

A node's Python may be too old for a TOML parser, and none keeps comments.  So this understands headers of sections and
``key = value`` on one line, refuses what it does not understand, and leaves it to containerd to read the outcome.
What a line was before us stands in a comment above it: the file itself is the record.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import re
import typing as t

#: Above a line of ours: what was there, or that nothing was, and of which key; the first release did not name it.
WAS = "# podnet: was "
NOTHING = "# podnet: was not there"
SECTION = "# podnet: section was not there"

#: The keys that are ours to change.
KEYS = ("bin_dir", "bin_dirs", "conf_dir")

_HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?")
_KEY = re.compile(r"(\s*)([A-Za-z0-9_-]+)(\s*=\s*)(.*)")


class TomlError(Exception):
    """Why a file is not understood, to be used within a sentence."""


def sections(text: str) -> dict[str, dict[str, t.Any]]:
    """Return keys with plain values by their sections' names; what has another value is there as None."""
    found: dict[str, dict[str, t.Any]] = {"": {}}
    here = found[""]
    for line in map(_bare, _lines(text)):
        name = _section(line)
        key = _KEY.fullmatch(line)
        if name is not None:
            here = found.setdefault(name, {})
        elif line.lstrip().startswith("[["):
            here = {}
        elif key:
            here[key[2]] = value(key[4])
    return found


def value(text: str) -> t.Any:
    """Return a string, number, boolean or list of strings that stands on one line; None for all else."""
    plain = re.fullmatch(r"""(?:"[^"\\]*"|'[^']*'|-?[0-9]+|true|false|\[[^\[\]{}]*\])""", _without_comment(text))
    if not plain:
        return None
    if plain[0][0] == "[":
        # Whatever is between strings, besides commas and white space, is not understood.
        inner = plain[0][1:-1]
        if re.sub(r"""\"[^"\\]*"|'[^']*'|[\s,]""", "", inner):
            return None
        return [double or single for double, single in re.findall(r""""([^"\\]*)"|'([^']*)'""", inner)]
    if plain[0][0] in "\"'":
        return plain[0][1:-1]
    if plain[0] in ("true", "false"):
        return plain[0] == "true"
    # TOML has no larger numbers than of 64 bits.
    return int(plain[0]) if len(plain[0]) < 20 else None


def edit(text: str, section: str, keys: t.Mapping[str, t.Any]) -> str:
    """Set keys of one section."""
    if re.search(r"\"\"\"|'''", text):
        raise TomlError("has texts of several lines")
    lines = _lines(text)
    start = next((index for index, line in enumerate(lines) if _section(line) == normal(section)), None)
    if start is None:
        body = "".join(f"{key} = {json.dumps(given)}\n" for key, given in keys.items())
        return f"{text}\n{SECTION}\n[{section}]\n{body}"
    later = (index for index in range(start + 1, len(lines)) if lines[index].lstrip().startswith("["))
    end = next((index for index in later if _KEY.fullmatch(_bare(lines[index])) is None), len(lines))
    own = lines[start + 1 : end]
    for key, given in keys.items():
        own = _set(own, key, given, _indent(lines[start]))
    if not lines[start].endswith("\n"):
        lines[start] += "\n"
    edited = "".join([*lines[: start + 1], *own, *lines[end:]])
    # A line end that is missing at the end of the file stays so, that it can be given back.
    return edited if text.endswith("\n") else edited.removesuffix("\n")


def restore(text: str) -> str:
    """Return the file as it was before us; what others have changed since stays."""
    lines = _lines(text)
    found: list[str] = []
    index = 0
    while index < len(lines):
        if lines[index].strip() == SECTION:
            index = _skip_section(lines, index, found)
            continue
        former, keys = _marked(lines[index])
        found += former
        index += 1
        # Somebody may have deleted our line and left its mark.
        below = _key(lines[index]) if index < len(lines) else None
        if below is not None and below in keys:
            index += 1
    restored = "".join(found)
    return restored if text.endswith("\n") else restored.removesuffix("\n")


def shown(text: str) -> str:
    """Return the text as others may read it: of sections that are not about CNI only the names of the keys."""
    lines, ours = [], True
    for line in _lines(text):
        name = _section(line)
        ours = name.endswith(".cni") if name is not None else ours and not line.lstrip().startswith("[")
        key = _KEY.fullmatch(_bare(line))
        whole = ours or name is not None or not line.strip() or line.strip() in (SECTION, NOTHING)
        lines.append(line if whole else f"{key[1]}{key[2]}{key[3]}…\n" if key else "…\n")
    return "".join(lines)


def is_edited(text: str) -> bool:
    """Whether there is anything of ours in a file."""
    return any(line.strip() in (SECTION, NOTHING) or line.strip().startswith(WAS) for line in _lines(text))


def normal(section: str) -> str:
    """A section's name in one spelling: quotes only where they are needed, and these double."""
    parts = re.findall(r'"([^"]*)"|' + r"'([^']*)'|([A-Za-z0-9_-]+)", section)
    names = [next(part for part in parts_of if part) if any(parts_of) else "" for parts_of in parts]
    return ".".join(name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"' for name in names)


def _lines(text: str) -> list[str]:
    """Return the lines with their ends, which for TOML are these alone; splitlines knows more."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _bare(line: str) -> str:
    return line.rstrip("\n")


def _section(line: str) -> t.Optional[str]:
    header = _HEADER.fullmatch(_bare(line))
    return normal(header[1]) if header else None


def _key(line: str) -> t.Optional[str]:
    match = _KEY.fullmatch(_bare(line))
    return match[2] if match else None


def _marked(line: str) -> tuple[list[str], t.Sequence[t.Optional[str]]]:
    """Return what was in the place of a mark and of the line below it, and the keys that line may have to be ours."""
    mark = line.strip()
    if mark == NOTHING:
        return [], KEYS
    if mark.startswith(f"{NOTHING}: "):
        return [], [mark[len(f"{NOTHING}: ") :]]
    if mark.startswith(WAS):
        indent, _mark, was = line.partition(WAS)
        return [f"{indent}{was}"], [_key(was)]
    return [line], []


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _set(lines: list[str], key: str, given: t.Any, indent: str) -> list[str]:
    new = f"{key} = {json.dumps(given)}\n"
    for index, line in enumerate(lines):
        match = _KEY.fullmatch(_bare(line))
        if match and match[2] == key:
            if value(match[4]) is None:
                raise TomlError(f"has a {key} that is not on one line")
            was = line[len(match[1]) :].rstrip("\n")
            ours = [f"{match[1]}{WAS}{was}\n", f"{match[1]}{new}"]
            return [*lines[:index], *ours, *lines[index + 1 :]]
    return [f"{indent}{NOTHING}: {key}\n", f"{indent}{new}", *lines]


def _skip_section(lines: list[str], index: int, found: list[str]) -> int:
    """Leave out the section that we added, unless somebody has put more into it."""
    header = [line for line in lines[index + 1 : index + 2] if (_section(line) or "").endswith(".cni")]
    index += 1 + len(header)
    while header and index < len(lines) and _key(lines[index]):
        if _key(lines[index]) not in KEYS:
            found += header
            return index
        index += 1
    if found and found[-1] == "\n":
        found.pop()
    elif found and found[-1].endswith("\n") and index == len(lines):
        # The line end that was missing before us.
        found[-1] = found[-1][:-1]
    return index


def _without_comment(text: str) -> str:
    """Cut a comment off that follows a value; a # within quotes is none."""
    match = re.match(r"""((?:"[^"\\]*"|'[^']*'|[^#"'])*)""", text)
    return (match[1] if match else text).strip()
