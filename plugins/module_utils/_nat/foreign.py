# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Rules of others that would still masquerade or drop pod traffic, and what to do about each.

No accept or return of ours can stop a later NAT chain, or a drop in another table; so they are reported.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils._iptables import Listing, Table, Tool, seen_by_nft
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import iptables, iptables_save, nftables
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.nft_json import Ruleset, TableKey
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.packets import Hook, Rule, Traffic, harmful
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.ruleset import RuleSet
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Network

#: The chain that the CNI plugins make for each pod when a network has ipMasq.
CNI_CHAIN = re.compile(r"CNI-[0-9a-f]{24}")
CNI_NFT_TABLE = "cni_plugins_masquerade"
CNI_REMEDY = "set ipMasq to false in the CNI network's configuration and recreate the pods that it attached"

EFFECTS = {"nat": "masquerade", "drop": "drop"}

Report = t.Dict[str, str]
ChainTexts = t.Callable[[str, str, str], t.Dict[int, str]]


@dataclass(frozen=True)
class Seen:
    """What was listed on the node."""

    ruleset: list[dict[str, t.Any]]
    saved: dict[Tool, Listing]


@dataclass(frozen=True)
class Place:
    """A hook of others: who lists it, its table, for which IP version, and what it could do to pods."""

    tool: t.Optional[Tool]
    table: TableKey
    version: int
    harm: str
    hook: Hook


@dataclass
class Trouble:
    """A rule (or a policy, without one) that harms the traffic of some pod CIDRs."""

    place: Place
    chain: str
    rule: t.Optional[Rule]
    pods: list[Network]


def find(rules: RuleSet, seen: Seen, chain_texts: ChainTexts) -> list[Report]:
    """Return every foreign rule that harms, as ``where``, ``rule``, ``effect`` and ``remedy``."""
    places = [*_iptables_places(seen), *_nft_places(seen)]
    reports = [_report(trouble, chain_texts) for trouble in _troubles(rules, places)]
    return _grouped(reports)


def dropping(saved: dict[Tool, Listing], versions: t.Container[int]) -> list[Tool]:
    """Return the tools whose FORWARD policy drops: an accept anywhere else would not help."""
    return [
        tool
        for tool, listing in saved.items()
        if tool.version in versions and "filter" in listing and listing["filter"].policies.get("FORWARD") == "DROP"
    ]


def sentence(report: Report) -> str:
    """Return a report as a warning."""
    return f"{report['where']}: '{report['rule']}' would {report['effect']} pod traffic; {report['remedy']}"


def _iptables_places(seen: Seen) -> t.Iterator[Place]:
    for tool, listing in seen.saved.items():
        for harm, name, chain in (("nat", "nat", "POSTROUTING"), ("drop", "filter", "FORWARD")):
            table = listing.get(name)
            if table is None or table.hidden:
                continue
            hook = Hook(chain, table.policies.get(chain, "ACCEPT").lower(), _reader(table))
            yield Place(tool, (tool.name, name), tool.version, harm, hook)


def _reader(table: Table) -> t.Callable[[str], list[Rule]]:
    def read(chain: str) -> list[Rule]:
        lines = [] if chain == iptables.POSTROUTING else table.rules.get(chain, [])
        return [iptables_save.rule(line) for line in lines]

    return read


def _nft_places(seen: Seen) -> t.Iterator[Place]:
    ruleset, listed = Ruleset(seen.ruleset), seen_by_nft(seen.saved)
    for harm, name in (("nat", "postrouting"), ("drop", "forward")):
        for version in (4, 6):
            for table, hook in ruleset.hooks(name, version, {*listed, nftables.TABLE_KEY}):
                yield Place(None, table, version, harm, hook)


def _troubles(rules: RuleSet, places: t.Iterable[Place]) -> t.Iterable[Trouble]:
    """Send the traffic of every pod CIDR through every hook; one trouble for each rule, whatever its victims."""
    troubles: dict[t.Any, Trouble] = {}
    for place in places:
        for traffic in _traffic(rules, place):
            for chain, rule in harmful(place.hook, traffic):
                key = (place.table, place.harm, place.hook.chain, chain, rule)
                trouble = troubles.setdefault(key, Trouble(place, chain, rule, []))
                if traffic.pods not in trouble.pods:
                    trouble.pods.append(traffic.pods)
    return troubles.values()


def _traffic(rules: RuleSet, place: Place) -> list[Traffic]:
    # Only packets from pods are masqueraded, but packets to pods are dropped too.
    directions = (True, False) if place.harm == "drop" else (True,)
    return [
        Traffic(source, family.cluster, rules.bridge, place.harm, outgoing)
        for family in rules.families
        if family.version == place.version
        for source in family.sources
        for outgoing in directions
    ]


def _report(trouble: Trouble, chain_texts: ChainTexts) -> Report:
    place, rule = trouble.place, trouble.rule
    if place.tool:
        where = f"{' '.join(place.table)} {place.hook.chain}"
        text = rule.text if rule else "policy DROP"
        remedy = _iptables_remedy(place.tool, trouble)
    else:
        where = f"nft {' '.join(place.table)} {trouble.chain}"
        texts = chain_texts(*place.table, trouble.chain) if rule else {}
        text = texts.get(rule.handle, f"handle {rule.handle}") if rule else "policy drop"
        remedy = _nft_remedy(trouble)
    return {"where": where, "rule": text, "effect": EFFECTS[place.harm], "remedy": remedy}


def _iptables_remedy(tool: Tool, trouble: Trouble) -> str:
    if CNI_CHAIN.fullmatch(trouble.chain):
        return CNI_REMEDY
    if trouble.rule is None:
        return "set forward to true"
    if trouble.place.harm == "nat":
        return f"remove it: {tool.name} -t nat -D{trouble.rule.text[2:]}"
    inserts = [f"{tool.name} -I FORWARD {end} {pods} -j ACCEPT" for pods in trouble.pods for end in ("-s", "-d")]
    return f"accept pods before it: {' && '.join(inserts)}"


def _nft_remedy(trouble: Trouble) -> str:
    family, table = trouble.place.table
    if table == CNI_NFT_TABLE:
        return CNI_REMEDY
    if table == "firewalld":
        return f"firewalld makes its table anew, so tell it: firewall-cmd --permanent {_firewalld_words(trouble)}"
    if trouble.rule and trouble.place.harm == "nat":
        return f"remove it: nft delete rule {family} {table} {trouble.chain} handle {trouble.rule.handle}"
    place = f"{family} {table} {trouble.place.hook.chain}"
    inserts = [
        f"nft insert rule {place} {nftables.WORDS[pods.version][1]} {end} {pods} accept"
        for pods in trouble.pods
        for end in ("saddr", "daddr")
    ]
    return f"accept pods before it: {' && '.join(inserts)}"


def _firewalld_words(trouble: Trouble) -> str:
    if trouble.rule and trouble.place.harm == "nat":
        return "--zone=ZONE --remove-masquerade, and reload; firewall-cmd --list-all-zones shows which zone it is"
    sources = " ".join(f"--add-source={pods}" for pods in trouble.pods)
    return f"--zone=trusted {sources}, and reload"


def _grouped(reports: list[Report]) -> list[Report]:
    """Report the rules that ipMasq made for each pod once, with their number."""
    groups: dict[str, list[Report]] = {}
    for index, report in enumerate(reports):
        groups.setdefault(report["where"] if report["remedy"] == CNI_REMEDY else str(index), []).append(report)
    return [_first(group) for group in groups.values()]


def _first(group: list[Report]) -> Report:
    more = len(group) - 1
    return {**group[0], "rule": group[0]["rule"] + (f" (and {more} more like it)" if more else "")}
