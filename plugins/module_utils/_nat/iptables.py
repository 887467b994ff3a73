# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The iptables backend: chain PODNET-POSTROUTING, and PODNET-FORWARD where a FORWARD policy drops.

A chain of ours is kept as one text: the chain, the jumps to it, and its rules, in the words of iptables-save.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _iptables
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._iptables import (
    COMMANDS,
    PACKAGES,
    Listing,
    Table,
    Tool,
    default_flavour,
    find_tools,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.host import scratch_namespace
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.ruleset import KUBE_PROXY_MARK, Family, RuleSet
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Host

#: Our chains: table, the chain that jumps to ours, and whether the jump comes first.
POSTROUTING = "PODNET-POSTROUTING"
FORWARD = "PODNET-FORWARD"
TABLES = {POSTROUTING: "nat", FORWARD: "filter"}
JUMPS = {
    # Last: kube-proxy's own chain comes first and returns what it does not masquerade.
    POSTROUTING: '-A POSTROUTING -m comment --comment "mink8s.podnet: masquerade pods" -j PODNET-POSTROUTING',
    # First: whatever else is in the chain would not have accepted pods.
    FORWARD: '-I FORWARD 1 -m comment --comment "mink8s.podnet: forward pods" -j PODNET-FORWARD',
}


def rules(chain: str, family: Family, ruleset: RuleSet) -> list[str]:
    """Return the rules of one of our chains, without their leading ``-A <chain>``."""
    if chain == FORWARD:
        return [f"{end} {source} -j ACCEPT" for source in family.sources for end in ("-s", "-d")]
    how = " --random-fully" if ruleset.random_fully else ""
    mark = f"{KUBE_PROXY_MARK:#x}"
    return [
        f'-m mark --mark {mark}/{mark} -m comment --comment "kube-proxy masquerades these" -j RETURN',
        *([f"-o {ruleset.bridge} -j RETURN"] if ruleset.bridge else []),
        "-m addrtype --dst-type LOCAL -j RETURN",
        *[f"-d {network} -j RETURN" for network in family.excluded],
        *[f"-s {source} -j MASQUERADE{how}" for source in family.sources],
    ]


def script(ruleset: RuleSet, chains: t.Iterable[str], version: int) -> str:
    """Return the input of one family's iptables-restore that makes our chains where none are."""
    families = [family for family in ruleset.families if family.version == version]
    return "".join(
        _section(
            TABLES[chain],
            chain,
            [f"-A {chain} {rule}" for family in families for rule in rules(chain, family, ruleset)],
        )
        for chain in chains
    )


def boot_script(ruleset: RuleSet, chain: str) -> str:
    """The same for both families in one file: each program skips the rules that carry the other's flag."""
    lines = [
        f"-A {chain} -{family.version} {rule}" for family in ruleset.families for rule in rules(chain, family, ruleset)
    ]
    return _section(TABLES[chain], chain, lines)


def one_jump_script(chain: str) -> str:
    """Leaves one jump of two, or fails and leaves all as it is: the script for boot adds one each time."""
    jump = JUMPS[chain]
    removal = "-D" + jump[2:].replace("FORWARD 1 ", "FORWARD ")
    return "\n".join([f"*{TABLES[chain]}", removal, removal, jump, "COMMIT\n"])


def _section(table: str, chain: str, lines: list[str]) -> str:
    return "\n".join([f"*{table}", f":{chain} - [0:0]", *lines, JUMPS[chain], "COMMIT\n"])


class Iptables:
    """Our chains on this node."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.tools = find_tools(host)

    def saved(self) -> dict[Tool, Listing]:
        """Return the nat and filter rules of every tool."""
        return {tool: _iptables.saved(self.host, tool) for tool in self.tools}

    def default_tools(self, ruleset: RuleSet) -> list[Tool]:
        """Return the tools of the plain command's flavour, one for each family of the rule set."""
        flavour = default_flavour(self.host)
        wanted = [family.version for family in ruleset.families]
        tools = [tool for tool in self.tools if tool.flavour == flavour and tool.version in wanted]
        missing = set(wanted) - {tool.version for tool in tools}
        if missing:
            raise PodnetError(f"{COMMANDS[min(missing)]}-restore is not on this node; {PACKAGES}")
        return tools

    def canonical(self, tool: Tool, text: str, chains: t.Iterable[str]) -> dict[str, str]:
        """Return our chains as this node's iptables-save lists them, once loaded."""
        with scratch_namespace():
            self.host.output(tool.loader, text)
            return own_chains(_iptables.saved(self.host, tool, must_work=True), chains)

    @staticmethod
    def require_visible(tool: Tool, table: Table, chain: str) -> None:
        """Refuse to have a chain where we could not look after it."""
        if table.hidden:
            raise PodnetError(
                f"{tool.name} chain {chain}: {tool.why_hidden(TABLES[chain])}, so this chain cannot be looked after; "
                "move those rules to a table of another name, or set backend to nftables"
            )

    def change(self, tool: Tool, chain: str, before: t.Optional[str], after: t.Optional[str]) -> None:
        """Bring a chain from one text to another, in one transaction."""
        self.host.output(tool.loader, _difference(chain, before, after))


def own_chains(listing: Listing, chains: t.Iterable[str] = tuple(TABLES)) -> dict[str, str]:
    """Return the text of each of our chains that is in a listing."""
    found = {}
    for chain in chains:
        table = listing.get(TABLES[chain])
        if table and chain in table.policies:
            lines = [f":{chain} - [0:0]", *table.jumps_to(chain), *table.rules.get(chain, [])]
            found[chain] = "\n".join(lines) + "\n"
    return found


def forward_text(ruleset: RuleSet, version: int) -> str:
    """Return the text of our FORWARD chain, once it is there."""
    jump = JUMPS[FORWARD].replace("-I FORWARD 1", "-A FORWARD")
    own = [rule for family in ruleset.families if family.version == version for rule in rules(FORWARD, family, ruleset)]
    return "\n".join([f":{FORWARD} - [0:0]", jump, *[f"-A {FORWARD} {rule}" for rule in own]]) + "\n"


def with_forward(listing: Listing, text: t.Optional[str]) -> Listing:
    """Return a listing as it is once our FORWARD chain has been brought to a text; None: it is not there."""
    if "filter" not in listing:
        return listing
    table = listing["filter"]
    jumps, ours = _split(FORWARD, text)
    rules, old = {**table.rules, FORWARD: ours}, table.jumps_to(FORWARD)
    if old != jumps:
        rules = {chain: [line for line in lines if line not in old] for chain, lines in rules.items()}
        rules["FORWARD"] = jumps + rules.get("FORWARD", [])
    return {**listing, "filter": Table(table.policies, rules, table.hidden)}


def _difference(chain: str, before: t.Optional[str], after: t.Optional[str]) -> str:
    """Return the input of iptables-restore that turns one text of a chain into another."""
    old_jumps, _old_rules = _split(chain, before)
    new_jumps, new_rules = _split(chain, after)
    # This line empties the chain, or makes it.
    lines = [f"*{TABLES[chain]}", f":{chain} - [0:0]", *new_rules]
    if old_jumps != new_jumps:
        lines += ["-D" + jump[2:] for jump in old_jumps]
        lines += [JUMPS[chain]] if new_jumps else []
    lines += [] if after else [f"-X {chain}"]
    return "\n".join([*lines, "COMMIT\n"])


def _split(chain: str, text: t.Optional[str]) -> tuple[list[str], list[str]]:
    lines = (text or "").rstrip("\n").split("\n")[1:]
    own = [line for line in lines if line.startswith(f"-A {chain} ")]
    return [line for line in lines if line not in own], own
