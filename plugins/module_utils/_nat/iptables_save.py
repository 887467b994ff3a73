# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A line of iptables-save, as a rule that packets can be sent through.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import collections
import ipaddress
import re
import typing as t

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
    found = collections.deque(words(line)[2:])
    matches: list[Match] = []
    verdict, target, negated = "none", "", False
    while found:
        word = found.popleft()
        if word == "!":
            negated = True
            continue
        values = _values(word, found)
        if word in ("-j", "-g"):
            target = values[0] if values else ""
            verdict = VERDICTS.get(target, "jump" if word == "-j" else "goto")
        elif word not in ("-m", *ASIDE):
            matches.append(_match(word, values, negated))
        negated = False
    return Rule(verdict, target, tuple(matches), line)


def _values(option: str, found: t.Deque[str]) -> list[str]:
    """Take an option's values off the list: one of free text, else the words up to the next option."""
    if option in FREE_TEXT:
        return [found.popleft()] if found else []
    values = []
    while found and found[0] != "!" and not re.match(r"--?[a-zA-Z]", found[0]):
        values.append(found.popleft())
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
        numbers = [_number(word) for word in (mark, mask or "0xffffffff")]
        return Match("other") if None in numbers else Match(kind, (tuple(numbers),), negated)
    # "br+" is every name that begins with br.
    value = re.sub(r"\+$", "*", value) if kind in ("input", "output") else value.lower()
    return Match(kind, tuple(value.split(",")), negated)


def _number(word: str) -> t.Optional[int]:
    return int(word, 0) if re.fullmatch(r"0x[0-9a-f]{1,16}|0|[1-9][0-9]{0,19}", word) else None
