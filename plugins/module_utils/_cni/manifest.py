# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The manifest: which binaries in a bin directory are ours, and what they were when we installed them.

It lies in the bin directory itself, as a hidden file that no runtime takes for a plugin.  So it lives and dies with
the binaries: whoever wipes, moves or restores the directory does the same to what we know about it, and every reader
finds it without being told where.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import os
import re
import typing as t
from dataclasses import asdict, dataclass, field

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _json
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

FILE = ".podnet-plugins.json"


@dataclass(frozen=True)
class Entry:
    """A binary of ours: the archive that it came from (``sha256:…``), and its own checksum.

    ``former`` is the checksum of what it replaces, for as long as that may still be there.
    """

    archive: str
    sha256: str
    former: t.Optional[str] = None


@dataclass
class Manifest:
    """What we installed in one bin directory, and the directories that we had to make for it (outermost first)."""

    plugins: dict[str, Entry] = field(default_factory=dict)
    directories: list[str] = field(default_factory=list)


def path_in(bin_dir: str) -> str:
    """Return the manifest's path in a bin directory."""
    return os.path.join(bin_dir, FILE)


def load(bin_dir: str) -> Manifest:
    """Return the manifest of a bin directory; an empty one where there is none."""
    path = path_in(bin_dir)
    text = _files.read_text(path)
    if text is None:
        return Manifest()
    try:
        data = _json.parse(text)
        manifest = Manifest({name: Entry(**entry) for name, entry in data["plugins"].items()}, data["directories"])
    except (ValueError, TypeError, KeyError, AttributeError):
        manifest = None
    if manifest is None or not _is_sound(manifest, bin_dir):
        raise PodnetError(
            f"{path}: is not a manifest that this collection wrote; move it away "
            "(the binaries beside it then count as somebody else's)"
        )
    return manifest


def save(bin_dir: str, manifest: Manifest) -> None:
    """Write the manifest of a bin directory durably."""
    data = {
        "directories": manifest.directories,
        "plugins": {
            name: {key: value for key, value in asdict(entry).items() if value is not None}
            for name, entry in sorted(manifest.plugins.items())
        },
    }
    _files.write_atomically(path_in(bin_dir), json.dumps(data, indent=2) + "\n")


def _is_sound(manifest: Manifest, bin_dir: str) -> bool:
    # What is in it decides what we remove, so nothing in it is taken on trust.
    above = {bin_dir, *_parents(bin_dir)}
    return (
        isinstance(manifest.directories, list)
        and all(isinstance(directory, str) and directory in above for directory in manifest.directories)
        and all(re.fullmatch(r"[^./][^/\0]*", name) for name in manifest.plugins)
        and all(_is_checksum(entry.sha256) for entry in manifest.plugins.values())
        and all(entry.former is None or _is_checksum(entry.former) for entry in manifest.plugins.values())
        and all(_is_checksum(entry.archive, "sha256:") for entry in manifest.plugins.values())
    )


def _is_checksum(value: t.Any, prefix: str = "") -> bool:
    return isinstance(value, str) and re.fullmatch(prefix + "[0-9a-f]{64}", value) is not None


def _parents(path: str) -> t.Iterator[str]:
    while path != os.path.dirname(path):
        path = os.path.dirname(path)
        yield path
