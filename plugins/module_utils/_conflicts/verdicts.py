# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a conflict is: its grade, its kind, its object, and one sentence with the value and the remedy.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._values import suggestion

#: Pods or the node would lose packets for certain; something is lost in some cases; nothing is, but it is good to know.
STOPS, WARNS, INFORMS = "stops", "warns", "informs"
GRADES = (STOPS, WARNS, INFORMS)

#: What is looked for, in the order of the result.
KINDS = (
    "address",
    "docker_network",
    "vpn",
    "other_cni",
    "route",
    "name_server",
    "node_address",
    "docker_pool",
    "competing_file",
    "injected_file",
    "bridge_address",
    "replaced_plugin",
    "foreign_rule",
    "legacy_rules",
    "flush_ruleset",
    "firewalld",
    "network_manager",
    "rp_filter",
    "forwarding",
)


class Conflict(t.NamedTuple):
    """Something on the node that is in the way of its pods."""

    grade: str
    kind: str
    object: str
    what: str


class Consent:
    """What the user does not want to hear of: kinds (``address``), or one object of a kind (``address:eth0``)."""

    def __init__(self, given: t.Sequence[str]) -> None:
        self._given = frozenset(given)
        for index, entry in enumerate(given):
            kind = entry.partition(":")[0]
            if kind not in KINDS:
                raise OptionError(f"ignore[{index}]", entry, "is no kind of conflict", suggestion(kind, KINDS))

    def asks(self, *kinds: str) -> bool:
        """Whether one of some kinds has to be looked for at all."""
        return not self._given.issuperset(kinds)

    def lacks(self, conflict: Conflict) -> bool:
        """Whether nobody consented to a conflict."""
        return not {conflict.kind, f"{conflict.kind}:{conflict.object}"} & self._given

    def left(self, conflicts: t.Iterable[Conflict]) -> list[Conflict]:
        """Return what was not consented to, the worst first, each once."""
        found = [each for each in dict.fromkeys(conflicts) if self.lacks(each)]
        return sorted(found, key=lambda each: (GRADES.index(each.grade), KINDS.index(each.kind)))


def stopping(conflicts: t.Iterable[Conflict]) -> str:
    """Return the sentences of all conflicts that stop, as one text; empty where none does."""
    return ". ".join(each.what for each in conflicts if each.grade == STOPS)
