# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The listing of iptables-save, as chains and rules.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mink8s.podnet.plugins.module_utils._nat.packets import Match, Rule

#: A word of a rule: quoted, with backslashes before inner quotes, or plain.
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')

VERDICTS = {
    "ACCEPT": "accept",
    "DROP": "drop",
    "REJECT": "drop",
    "RETURN": "return",
    "MASQUERADE": "nat",
    "SNAT": "nat",
    "NETMAP": "nat",
}

#: Options whose one value may look like an option, as it is free text.
FREE_TEXT = ("--comment", "--log-prefix", "--nflog-prefix")

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


@dataclass
class Table:
    """One table: its chains with their policies (``-`` for a user's chain), and the lines of each chain."""

    policies: dict[str, str] = field(default_factory=dict)
    rules: dict[str, list[str]] = field(default_factory=dict)

    def jumps_to(self, chain: str) -> list[str]:
        """Return the lines that jump or go to a chain; the name is exact."""
        # The quick look first: there may be thousands of rules, and reading one takes a while.
        lines = [
            line for lines in self.rules.values() for line in lines if f"-j {chain}" in line or f"-g {chain}" in line
        ]
        return [line for line in lines if rule(line).target == chain]


Listing = t.Dict[str, Table]


def parse(text: str) -> Listing:
    """Return the nat and filter tables of a listing."""
    listing: Listing = {}
    table = Table()
    for line in text.splitlines():
        if line.startswith("*"):
            table = listing.setdefault(line[1:], Table())
        elif line.startswith(":"):
            chain, policy = line[1:].split()[:2]
            table.policies[chain] = policy
        elif line.startswith("-A "):
            table.rules.setdefault(line.split(None, 2)[1], []).append(line)
    return {name: found for name, found in listing.items() if name in ("nat", "filter")}


def words(line: str) -> list[str]:
    """Split a rule into its words; a quoted one is returned without its quotes."""
    return [plain or re.sub(r"\\(.)", r"\1", quoted) for quoted, plain in WORD.findall(line)]


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
