# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A line of iptables-save, as a rule that packets can be sent through.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import re

from ansible_collections.mink8s.podnet.plugins.module_utils._iptables import FREE_TEXT, words
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.packets import Match, Rule

VERDICTS = {
    "ACCEPT": "accept",
    "DROP": "drop",
    "REJECT": "drop",
    "RETURN": "return",
    "MASQUERADE": "nat",
    "SNAT": "nat",
    "NETMAP": "nat",
}

#: Options that say what a rule does, or how, and not which packets it is for; all their words are skipped.
ASIDE = (
    "--comment",
    "--random-fully",
    "--random",
    "--to-source",
    "--to-ports",
    "--reject-with",
    "--to",
    "--persistent",
)


def rule(line: str) -> Rule:
    """Return a line as a rule that can be followed; what is not understood is a match that matches nothing."""
    found = words(line)[2:]
    matches: list[Match] = []
    verdict, target, negated = "none", "", False
    while found:
        word = found.pop(0)
        if word == "!":
            negated = True
            continue
        values = _values(word, found)
        if word in ("-j", "-g"):
            target = values[0]
            verdict = VERDICTS.get(target, "jump" if word == "-j" else "goto")
        elif word not in ("-m", *ASIDE):
            matches.append(_match(word, values, negated))
        negated = False
    return Rule(verdict, target, tuple(matches), line)


def _values(option: str, found: list[str]) -> list[str]:
    """Take an option's values off the list: one of free text, else the words up to the next option."""
    if option in FREE_TEXT:
        return [found.pop(0)]
    values = []
    while found and found[0] != "!" and not re.match(r"--?[a-zA-Z]", found[0]):
        values.append(found.pop(0))
    return values


def _match(option: str, values: list[str], negated: bool) -> Match:
    kinds = {
        "-s": "source",
        "-d": "destination",
        "-i": "input",
        "-o": "output",
        "-p": "protocol",
        "--dst-type": "type",
        "--ctstate": "state",
        "--state": "state",
        "--mark": "mark",
    }
    kind = kinds.get(option)
    if kind is None or len(values) != 1:
        return Match("other")
    value = values[0]
    if kind in ("source", "destination"):
        try:
            return Match(kind, (ipaddress.ip_network(value),), negated)
        except ValueError:
            # A mask with holes.
            return Match("other")
    if kind == "mark":
        mark, _slash, mask = value.partition("/")
        return Match(kind, ((int(mark, 0), int(mask or "0xffffffff", 0)),), negated)
    # "br+" is every name that begins with br.
    value = re.sub(r"\+$", "*", value) if kind in ("input", "output") else value.lower()
    return Match(kind, tuple(value.split(",")), negated)
