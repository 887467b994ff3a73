# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The iptables backend: chain PODNET-POSTROUTING, and PODNET-FORWARD where a FORWARD policy drops.

A node may have two worlds of iptables, nft and legacy, each with its own rules for IPv4 and IPv6; a Tool is
one of these four.  A chain of ours is kept as one text: the chain, the jumps to it, and its rules, in the
words of iptables-save.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import iptables_save
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.host import Host, refusal, scratch_namespace
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.ruleset import KUBE_PROXY_MARK, Family, RuleSet

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

COMMANDS = {4: "iptables", 6: "ip6tables"}

PACKAGES = "install iptables >= 1.8 (Debian, Ubuntu: apt install iptables; Fedora, RHEL: dnf install iptables-nft)"


@dataclass(frozen=True)
class Tool:
    """The programs of one flavour for one family, e.g. ip6tables-legacy."""

    version: int
    flavour: str
    name: str
    save: str
    restore: str

    def state_name(self, chain: str) -> str:
        """How a chain of ours is called in a State."""
        return f"{self.name} chain {chain}"

    @property
    def loader(self) -> list[str]:
        """The command that adds to the rules, and waits for other users of the lock."""
        return [self.restore, "--noflush", "-w", "5"]


def find_tools(host: Host) -> list[Tool]:
    """Return the tools that are on this node: both flavours by their full names, else what ``iptables`` is."""
    found = [_tool(host, version, flavour, f"-{flavour}") for flavour in ("nft", "legacy") for version in (4, 6)]
    tools = [tool for tool in found if tool]
    if tools or not host.which("iptables"):
        return tools
    plain = [_tool(host, version, default_flavour(host), "") for version in (4, 6)]
    return [tool for tool in plain if tool]


def default_flavour(host: Host) -> str:
    """Return which flavour the plain command is; the node's other software uses that one."""
    command = host.which("iptables")
    if command is None:
        raise PodnetError(f"iptables is not on this node; {PACKAGES}, or set backend to nftables")
    return "nft" if "nf_tables" in host.output([command, "-V"]) else "legacy"


def _tool(host: Host, version: int, flavour: str, suffix: str) -> t.Optional[Tool]:
    name = COMMANDS[version] + suffix
    save, restore = host.which(f"{name}-save"), host.which(f"{name}-restore")
    return Tool(version, flavour, name, save, restore) if save and restore else None


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


def _section(table: str, chain: str, lines: list[str]) -> str:
    return "\n".join([f"*{table}", f":{chain} - [0:0]", *lines, JUMPS[chain], "COMMIT\n"])


class Iptables:
    """Our chains on this node."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.tools = find_tools(host)

    def saved(self) -> dict[Tool, iptables_save.Listing]:
        """Return the nat and filter rules of every tool."""
        return {tool: self._save(tool) for tool in self.tools}

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
            return own_chains(self._save(tool, must_work=True), chains)

    def change(self, tool: Tool, chain: str, before: t.Optional[str], after: t.Optional[str]) -> None:
        """Bring a chain from one text to another, in one transaction."""
        self.host.output(tool.loader, _difference(chain, before, after))

    def _save(self, tool: Tool, must_work: bool = False) -> iptables_save.Listing:
        rc, out, err = self.host.run([tool.save], None)
        if rc != 0 and (must_work or "ermitted" in err or "Permission denied" in err):
            raise refusal([tool.save], err)
        # Any other failure: the kernel does not know this flavour, so there are no rules of it either.
        return iptables_save.parse(out if rc == 0 else "")


def own_chains(listing: iptables_save.Listing, chains: t.Iterable[str] = tuple(TABLES)) -> dict[str, str]:
    """Return the text of each of our chains that is in a listing."""
    found = {}
    for chain in chains:
        table = listing.get(TABLES[chain])
        if table and chain in table.policies:
            lines = [f":{chain} - [0:0]", *table.jumps_to(chain), *table.rules.get(chain, [])]
            found[chain] = "\n".join(lines) + "\n"
    return found


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
    lines = (text or "").splitlines()[1:]
    own = [line for line in lines if line.startswith(f"-A {chain} ")]
    return [line for line in lines if line not in own], own
