# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad listings of iptables-save and nft: pod traffic is followed through them, and rules of others are found in it."""

from __future__ import annotations

import typing as t

import fuzzing
import samples
from fuzzing import Random, feed, fuzzed

from ansible_collections.mink8s.podnet.plugins.module_utils import _iptables, _programs
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts import neighbours
from ansible_collections.mink8s.podnet.plugins.module_utils._docker import rules as docker_rules
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import (
    cni_rules,
    foreign,
    iptables,
    iptables_save,
    nftables,
    ruleset,
)

RULES = ruleset.build(
    ["10.12.1.0/24", "fd00:12:0:1::/64"], ["10.12.0.0/16", "fd00:12::/48", "192.0.2.0/24"], "br1", True
)
TOOLS = {
    version: _iptables.Tool(version, "nft", name, f"{name}-save", f"{name}-restore")
    for version, name in ((4, "iptables-nft"), (6, "ip6tables-nft"))
}


def no_texts(family: str, table: str, chain: str) -> dict[int, str]:
    return {}


def a_listing(rng: Random) -> str:
    sample = rng.choice((*samples.IPTABLES, samples.POD_RULES, samples.POD_RULES))
    return fuzzing.printed(fuzzing.damaged_text(rng, sample))


def all_of_a_listing(text: str) -> t.Any:
    listing = _iptables.parse(text, ("nat", "filter", "raw"))
    dockers = docker_rules.find(listing)
    of_pods = cni_rules.chains("iptables-nft", listing)
    seen = foreign.Seen([], dict.fromkeys(TOOLS.values(), listing))
    reports = foreign.find(RULES, seen, no_texts)
    lines = [line for table in listing.values() for chain in table.rules.values() for line in chain]
    return [
        dockers,
        docker_rules.script(dockers, accept=True),
        of_pods,
        cni_rules.removal(of_pods),
        [foreign.sentence(report) for report in reports],
        [iptables.forward_text(RULES, tool.version) for tool in foreign.dropping(seen.saved, (4, 6))],
        iptables.own_chains(listing),
        [iptables_save.rule(line) for line in lines],
        [_iptables.target(line) for line in lines],
    ]


@fuzzed(a_listing)
def test_listings_of_iptables(text: str) -> None:
    feed(all_of_a_listing, text)


def what_nft_lists(rng: Random) -> tuple[str, str]:
    document = rng.choice(samples.NFT_JSON)
    few = {"nftables": rng.sample(document["nftables"], min(len(document["nftables"]), 12))}
    return tuple(map(fuzzing.printed, (fuzzing.damaged_json(rng, few), fuzzing.damaged_text(rng, samples.NFT_CHAIN))))


def all_of_nft(given: tuple[str, str]) -> t.Any:
    def run(args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
        return 0, given[0] if "-j" in args else given[1], ""

    nft = nftables.Nftables(_programs.Host(run, lambda name: f"/sbin/{name}"))
    items = nft.ruleset()
    reports = foreign.find(RULES, foreign.Seen(items, {}), nft.chain_texts)
    texts = nft.chain_texts("inet", "t", "c")
    of_pods = [rule for place in (cni_rules.MASQUERADE, *cni_rules.PORT_MAPS) for rule in cni_rules.rules(place, texts)]
    found = [foreign.sentence(report) for report in reports]
    legacy = {_iptables.Tool(4, "legacy", "iptables-legacy", "", ""): _iptables.parse(samples.IPTABLES[0])}
    conflicts = neighbours.legacy_rules(legacy, items, ())
    ours = nftables.version(items), nftables.has_table(items), nftables.has_chain(items, "ip", "nat", "POSTROUTING")
    return found, ours, conflicts, of_pods, cni_rules.removal(of_pods), nft.live()


@fuzzed(what_nft_lists)
def test_listings_of_nft(given: tuple[str, str]) -> None:
    feed(all_of_nft, given)
