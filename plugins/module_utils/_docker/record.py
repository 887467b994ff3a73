# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What daemon.json was before us: the record that gives it back.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mink8s.podnet.plugins.module_utils._docker.document import Document, canonical
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError, shown

ABOUT = "kept by Ansible (mink8s.podnet.docker_daemon): what these keys were before"

Raw = t.Optional[str]


@dataclass(frozen=True)
class Taken:
    """A key that we keep: what we made of it and what it was before, as JSON texts; None: not there."""

    ours: Raw
    before: Raw


@dataclass
class Record:
    """All keys that we keep in one file.

    ``original`` is the whole file before us, None for no file.  ``in_force`` is what a running dockerd has of keys that
    were changed since it read them.  ``replaced`` is what a run that may have been killed found in the file.
    """

    path: str
    keys: dict[str, Taken] = field(default_factory=dict)
    original: Raw = None
    in_force: dict[str, Raw] = field(default_factory=dict)
    replaced: dict[str, Raw] = field(default_factory=dict)

    def render(self) -> str:
        """Return the record's text."""
        data: dict[str, t.Any] = {"about": ABOUT, "path": self.path, "original": self.original}
        data["keys"] = {key: {"ours": taken.ours, "before": taken.before} for key, taken in self.keys.items()}
        if self.in_force:
            data["in_force"] = self.in_force
        if self.replaced:
            data["replaced"] = self.replaced
        return json.dumps(data, indent=2) + "\n"


def parse(text: t.Optional[str], place: str, path: str) -> Record:
    """Read a record; ``path`` is the file that it must be about."""
    if text is None:
        return Record(path)
    try:
        data = Document(text).data
        keys = {key: Taken(_value(taken["ours"]), _value(taken["before"])) for key, taken in data["keys"].items()}
        untold, replaced = (
            {key: _value(raw) for key, raw in data.get(name, {}).items()} for name in ("in_force", "replaced")
        )
        record = Record(data["path"], keys, _file(data["original"]), untold, replaced)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PodnetError(f"record: {place} is not a record of this module; move it away, or name another") from error
    if record.path != path:
        raise PodnetError(f"record: {place} is about {shown(record.path)}, not {path}; name another for each path")
    return record


def _value(raw: t.Any) -> Raw:
    """A value that can be written into a file as it is."""
    canonical(raw)
    return t.cast(Raw, raw)


def _file(text: t.Any) -> Raw:
    """A whole file that can be put back as it is."""
    if text is not None and not isinstance(text, str):
        raise TypeError
    Document.of_file(text)
    return text
