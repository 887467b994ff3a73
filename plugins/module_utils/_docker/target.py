# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What daemon.json should be: our keys taken over, and those that are no longer wanted given back (pure).

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mink8s.podnet.plugins.module_utils._docker import options
from ansible_collections.mink8s.podnet.plugins.module_utils._docker.document import Document, canonical
from ansible_collections.mink8s.podnet.plugins.module_utils._docker.record import Raw, Record, Taken


@dataclass(frozen=True)
class Found:
    """What is there: the file's text, what is in it, the record; whether a dockerd runs, from before which of them.

    ``is_rewritten`` is whether the file was changed after the record.
    """

    text: t.Optional[str] = None
    document: Document = field(default_factory=lambda: Document.of_file(None))
    record: Record = field(default_factory=lambda: Record(""))
    runs: bool = False
    is_behind: bool = False
    is_unread: bool = False
    is_rewritten: bool = False


@dataclass(frozen=True)
class Target:
    """What should be: the file's text, the record, and what dockerd has yet to take over, with what it has now."""

    text: t.Optional[str] = None
    record: Record = field(default_factory=lambda: Record(""))
    moved: dict[str, tuple[Raw, Raw]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def plan(found: Found, wanted: dict[str, Raw], values: dict[str, t.Any], tells: bool) -> Target:
    """Return what should be, the same after it has been made.

    ``wanted`` has JSON texts, None for a key that should not be there; ``values`` are those texts as they are written.
    ``tells`` is whether dockerd is told of a change.
    """
    warnings: list[str] = []
    document = _given_back(found, wanted, warnings)
    keys: dict[str, Taken] = {}
    for key, value in wanted.items():
        known = found.record.keys.get(key)
        keys[key] = Taken(value, known.before if known else found.document.raw(key))
        if value is None:
            document = document.without(key)
        elif canonical(document.raw(key)) != value:
            document = document.with_value(key, values[key])
    keys = {key: taken for key, taken in keys.items() if (taken.ours, taken.before) != (None, None)}
    text = found.text if document.text == found.document.text else document.text
    original = found.record.original if found.record.keys else found.text
    if found.record.keys and not keys and _is_as_before(document, Document.of_file(original), found.record.keys):
        # What was taken out and given back stands at the end by now.
        text = original
    unread = _unread(found, wanted)
    if unread:
        listed = ", ".join(unread)
        warnings.append(
            f"{found.record.path}: was changed since dockerd was started, so {listed} may not be in force yet"
        )
    moved = _moved(found, [*wanted, *found.record.keys], unread, document)
    untold = _untold(found.record, moved, tells) if keys else {}
    return Target(text, Record(found.record.path, keys, original, untold), moved, warnings)


def journal(found: Found, target: Target) -> Record:
    """Return what the next run must know if we are killed: what the file has of us, and what dockerd lacks."""
    pending = {key: before for key, (before, _after) in target.moved.items()}
    keys = {**found.record.keys, **target.record.keys}
    replaced = {key: found.document.raw(key) for key in keys}
    return Record(found.record.path, keys, target.record.original, pending or target.record.in_force, replaced)


def _given_back(found: Found, wanted: dict[str, Raw], warnings: list[str]) -> Document:
    """Return the file with what it was before us in the place of each of our keys that is no longer wanted."""
    document, replaced = found.document, found.record.replaced
    for key, taken in found.record.keys.items():
        raw = document.raw(key)
        if key in wanted or raw == taken.before:
            continue
        if canonical(raw) != taken.ours and not (key in replaced and raw == replaced[key]):
            warnings.append(f"{found.record.path}: {key} was changed by others since; it stays as it is")
        else:
            document = document.without(key) if taken.before is None else document.with_raw(key, taken.before)
    return document


def _is_as_before(document: Document, before: Document, ours: t.Container[str]) -> bool:
    """Whether nothing but the place of our keys differs from before us; somebody may have indented it anew."""
    others = [key for key in before.data if key not in ours]
    return document.data == before.data and all(document.raw(key) == before.raw(key) for key in others)


def _unread(found: Found, wanted: dict[str, Raw]) -> list[str]:
    """Return the keys that others have put into the file as they are wanted, maybe after dockerd had read it."""
    if not found.is_unread:
        return []
    there = {key: canonical(found.document.raw(key)) for key in wanted if key not in found.record.keys}
    return [key for key, value in there.items() if value is not None and value == wanted[key]]


def _moved(
    found: Found, keys: t.Iterable[str], unread: t.Container[str], document: Document
) -> dict[str, tuple[Raw, Raw]]:
    """Return what a running dockerd has yet to take over, and what it has instead."""
    if not found.runs:
        return {}
    has = {key: None if key in unread else canonical(found.document.raw(key)) for key in keys}
    if found.is_behind:
        has.update(_taken_over(found))
        has.update(found.record.in_force)
    pairs = {key: (value, canonical(document.raw(key))) for key, value in has.items()}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _taken_over(found: Found) -> dict[str, Raw]:
    """Return what of ours a dockerd has for sure, whatever others have made of the file since.

    A record is completed when dockerd was told, with what it was not told in ``in_force``.  A dockerd from before that
    has it for as long as it runs, and what others write after that has not come to it.
    """
    # A record of a killed run says what was to be, and a file from before the record may be what dockerd has read.
    if not found.is_rewritten or found.record.replaced:
        return {}
    # Of the others, somebody's reload may have put another value in force.
    return {key: taken.ours for key, taken in found.record.keys.items() if key not in options.RELOADED}


def _untold(known: Record, moved: dict[str, tuple[Raw, Raw]], tells: bool) -> dict[str, Raw]:
    """Return what the record says of a dockerd that was not told; what is out of date there does no harm."""
    if not moved:
        return known.in_force
    return {} if tells else {key: before for key, (before, _after) in moved.items()}
