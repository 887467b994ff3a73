# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Whether an answer has the form that is expected: a node that somebody else owns may answer anything.  Pure.

A form says where mappings, lists and plain values are.  A key with ``?`` at its end need not be there and can be null,
as plain values can, and ``*`` stands for all other keys.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import math
import typing as t

#: A text; a text or null; a text, number, boolean or null; a number that can be counted with, or null; anything.
TEXT, WORD, PLAIN, NUMBER, ANYTHING = "text", "word", "plain", "number", "anything"

OTHERS = "*"

#: A line of the matrix that module cni_probe returns.
ROW: dict[str, t.Any] = {
    "from": {"node": TEXT, "pod": WORD},
    "to": {"node": WORD, "pod": WORD, "kind": TEXT},
    "address": TEXT,
    "ok": PLAIN,
    "rtt_ms": NUMBER,
    "error": PLAIN,
    "source": WORD,
    OTHERS: PLAIN,
}

#: What a role plans on a node, and why that is not known.
PLANS: dict[str, t.Any] = {"plans?": {OTHERS: [PLAIN]}, "problems?": [TEXT], "unreachable?": PLAIN}


def fits(value: t.Any, form: t.Any) -> bool:
    """Whether a value has a form."""
    if form == ANYTHING or (value is None and form in (WORD, PLAIN, NUMBER)):
        return True
    if isinstance(form, dict):
        return isinstance(value, dict) and _fits_mapping(value, form)
    if isinstance(form, list):
        return isinstance(value, list) and all(fits(item, form[0]) for item in value)
    if form == NUMBER:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, str if form in (TEXT, WORD) else (str, int, float, bool))


def _fits_mapping(value: dict[t.Any, t.Any], form: dict[str, t.Any]) -> bool:
    for key, inner in form.items():
        name, optional = key.rstrip("?"), key.endswith("?") or key == OTHERS
        if not (optional and value.get(name) is None) and not (name in value and fits(value[name], inner)):
            return False
    known = {key.rstrip("?") for key in form}
    others = form.get(OTHERS, ANYTHING)
    return all(isinstance(key, str) and (key in known or fits(item, others)) for key, item in value.items())
