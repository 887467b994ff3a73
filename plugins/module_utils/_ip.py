# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""ip(8): where it is, and what it lists, whole.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _json, _programs
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError


def find() -> str:
    """Return its path."""
    return _programs.find("ip", "iproute2 (dnf: iproute)")


def objects(run: _programs.Runner, *words: str) -> list[dict[str, t.Any]]:
    """Return what is listed."""
    try:
        return _json.objects(_json.parse(listing(run, *words)))
    except ValueError as error:
        raise PodnetError(f"ip {' '.join(words)}: what it says {error}; see it, and install iproute2 again") from error


def listing(run: _programs.Runner, *words: str) -> str:
    """Return it as JSON; ask again where something came or went meanwhile, as where pods are being attached."""
    command = [find(), "-N", "-j", *words]
    for _attempt in range(20):
        status, out, err = run(command)
        if "interrupted" in err:
            continue
        if status != 0:
            raise _programs.refusal(command, err)
        return out or "[]"
    raise PodnetError("ip: the node's network changes faster than it can be listed; run this again")
