# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The settings as a user writes them.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.sysctl_files import parse_key, spelled
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.sysctl_moves import one, ordered

_REMEDY = "leave one of them out"


def settings(given: dict[str, t.Any]) -> dict[str, str]:
    """Check the settings and return them by their paths below /proc/sys, those first that move others."""
    found: dict[str, str] = {}
    for name, value in given.items():
        key = parse_key(str(name))
        path = f"settings.{name}"
        if key is None:
            raise OptionError(path, name, "is not one setting", "write it like net.ipv4.ip_forward")
        if key in found:
            raise OptionError(path, name, "is there twice", _REMEDY)
        text = str(int(value)) if isinstance(value, bool) else " ".join(str(value).split())
        if value is None or isinstance(value, (dict, list)) or not text or not text.isprintable():
            raise OptionError(path, value, "is not a value", "write a number or a short text")
        same = next((other for other in found if one(other) == one(key)), key)
        if found.setdefault(same, text) != text:
            raise OptionError(path, text, f"is not what settings.{spelled(same)} says of the same setting", _REMEDY)
    return in_order(found)


def in_order(found: dict[str, str]) -> dict[str, str]:
    """Return settings in the order in which they are set."""
    return {key: found[key] for key in ordered(found)}
