# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The listing of ``nft -j list ruleset``, as hooks and rules.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _json
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.packets import Hook, Match, Rule
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Network

VERDICTS = {
    "accept": "accept",
    "drop": "drop",
    "reject": "drop",
    "return": "return",
    "masquerade": "nat",
    "snat": "nat",
    "jump": "jump",
    "goto": "goto",
}

#: Statements that neither choose packets nor end a rule.
ASIDE = ("counter", "log", "mangle", "notrack", "ct helper", "comment", "last")

META = {
    "iifname": "input",
    "iif": "input",
    "oifname": "output",
    "oif": "output",
    "l4proto": "protocol",
    "nfproto": "family",
    "mark": "mark",
}

#: What taking something apart that another nft forms in another way may end with.
_OTHERWISE = (AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError)

#: What the values of a match are, where they are not words or numbers alike.
_TYPES: dict[str, type] = {"mark": int, "input": str, "output": str}

#: What an object of each kind says of itself; a table is named by its own name, all that is in it by "table".
_SAID: dict[str, tuple[str, ...]] = {
    "metainfo": (),
    "table": ("family", "name"),
    "chain": ("family", "table", "name"),
    "set": ("family", "table", "name"),
    "rule": ("family", "table", "chain"),
}

#: Which packets a table of each family sees.
FAMILIES = {"ip": (4,), "ip6": (6,), "inet": (4, 6)}

#: A table's family and name.
TableKey = t.Tuple[str, str]


def parse(text: str) -> list[dict[str, t.Any]]:
    """Return the items of a listing; one that does not say where it belongs is left out, and what is none has none."""
    try:
        found = _json.objects(_json.parse(text)["nftables"])
    except (ValueError, KeyError, TypeError):
        return []
    return [item for item in found if all(_says(item[kind], keys) for kind, keys in _SAID.items() if kind in item)]


def _says(body: t.Any, keys: t.Sequence[str]) -> bool:
    return isinstance(body, dict) and all(isinstance(body.get(key), str) for key in keys)


def each(items: t.Iterable[t.Mapping[str, t.Any]], kind: str) -> list[dict[str, t.Any]]:
    """Return the objects of a kind."""
    return [item[kind] for item in items if kind in item]


class Ruleset:
    """All tables that nft lists."""

    def __init__(self, items: list[dict[str, t.Any]]) -> None:
        self._chains = each(items, "chain")
        self._sets = {(*_key(found), found["name"]): found for found in each(items, "set")}
        self._rules: dict[tuple[str, str, str], list[dict[str, t.Any]]] = {}
        for rule in each(items, "rule"):
            self._rules.setdefault((*_key(rule), rule["chain"]), []).append(rule)

    def hooks(self, name: str, version: int, ignore: t.Container[TableKey]) -> list[tuple[TableKey, Hook]]:
        """Return the base chains of a hook that see packets of an IP version, but those of some tables."""
        found = []
        for chain in self._chains:
            table = _key(chain)
            if chain.get("hook") == name and version in FAMILIES.get(table[0], ()) and table not in ignore:
                found.append((table, Hook(chain["name"], chain.get("policy", "accept"), self._reader(table))))
        return found

    def _reader(self, table: TableKey) -> t.Callable[[str], list[Rule]]:
        return lambda chain: [self._understood(table, rule) for rule in self._rules.get((*table, chain), [])]

    def _understood(self, table: TableKey, rule: dict[str, t.Any]) -> Rule:
        """Return a rule that can be followed; what is not understood matches nothing."""
        try:
            return self._rule(table, rule)
        except _OTHERWISE:
            return Rule("none", matches=(Match("other"),))

    def _rule(self, table: TableKey, rule: dict[str, t.Any]) -> Rule:
        verdict, target = "none", ""
        matches: list[Match] = []
        for statement in rule["expr"]:
            kind, body = next(iter(statement.items()))
            if kind in VERDICTS:
                verdict = VERDICTS[kind]
                target = str(body["target"]) if kind in ("jump", "goto") else ""
            elif kind == "match":
                matches.append(self._match(table, body))
            elif kind not in ASIDE:
                # A limit, a verdict map, …: not followed.
                matches.append(Match("other"))
        return Rule(verdict, target, tuple(matches), handle=int(rule["handle"]))

    def _match(self, table: TableKey, body: dict[str, t.Any]) -> Match:
        kind, mask = _kind(body["left"])
        if kind == "other" or body["op"] not in ("==", "!=", "in"):
            return Match("other")
        values = self._values(table, body["right"])
        if kind in ("source", "destination"):
            values = [network for value in values for network in _networks(value)]
        elif not all(isinstance(value, _TYPES.get(kind, (int, str))) for value in values):
            return Match("other")
        if kind == "mark":
            values = [(value, mask) for value in values]
        return Match(kind, tuple(values), body["op"] == "!=")

    def _values(self, table: TableKey, right: t.Any) -> list[t.Any]:
        """Return the right side of a match as a list: a set's elements, named or not."""
        if isinstance(right, str) and right.startswith("@"):
            named = self._sets.get((*table, right[1:]), {})
            return [_plain(value) for value in named.get("elem", [])]
        if isinstance(right, dict) and "set" in right:
            right = right["set"]
        return [_plain(value) for value in right] if isinstance(right, list) else [_plain(right)]


def _key(item: dict[str, t.Any]) -> TableKey:
    return item["family"], item["table"]


def _kind(left: t.Any) -> tuple[str, int]:
    """Return what the left side of a match looks at, and its mask."""
    if not isinstance(left, dict):
        return "other", 0
    if "&" in left and isinstance(left["&"][1], int):
        kind, _mask = _kind(left["&"][0])
        return (kind, left["&"][1]) if kind == "mark" else ("other", 0)
    what, body = next(iter(left.items()))
    kind = "other"
    if what == "meta":
        kind = META.get(body["key"], "other")
    elif what == "ct" and body["key"] == "state":
        kind = "state"
    elif what == "fib" and body["result"] == "type" and "daddr" in body["flags"]:
        kind = "type"
    elif what == "payload" and body.get("protocol") in ("ip", "ip6"):
        fields = {"saddr": "source", "daddr": "destination", "protocol": "protocol", "nexthdr": "protocol"}
        kind = fields.get(body["field"], "other")
    return kind, 0xFFFFFFFF


def _plain(value: t.Any) -> t.Any:
    """Return an element without its timeout and comment."""
    return value["elem"]["val"] if isinstance(value, dict) and "elem" in value else value


def _networks(value: t.Any) -> t.Iterable[Network]:
    """Return an address, prefix or range as networks; nothing for a symbol that is none of them."""
    try:
        if isinstance(value, dict) and "prefix" in value:
            return [ipaddress.ip_network(f"{value['prefix']['addr']}/{value['prefix']['len']}")]
        if isinstance(value, dict) and "range" in value:
            first, last = map(ipaddress.ip_address, value["range"])
            return list(ipaddress.summarize_address_range(t.cast("t.Any", first), t.cast("t.Any", last)))
        return [ipaddress.ip_network(str(value))]
    except (ValueError, TypeError):
        return []
