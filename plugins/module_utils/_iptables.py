# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""iptables on this node: which tools there are, and what iptables-save lists.

A node may have two worlds of iptables, nft and legacy, each with its own rules for IPv4 and IPv6; a Tool is
one of these four.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Host, refusal

#: A word of a rule: quoted, with backslashes before inner quotes, or plain.
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')

#: Options whose one value may look like an option, as it is free text.
FREE_TEXT = ("--comment", "--log-prefix", "--nflog-prefix")

#: What iptables-nft says of a table that it does not list; its status is 0 all the same.
HIDDEN = re.compile(r"# Table `(\S+)' is incompatible")

COMMANDS = {4: "iptables", 6: "ip6tables"}

PACKAGES = "install iptables >= 1.8 (Debian, Ubuntu: apt install iptables; Fedora, RHEL: dnf install iptables-nft)"


@dataclass
class Table:
    """One table: its chains with their policies (``-`` for a user's chain), and the lines of each chain."""

    policies: dict[str, str] = field(default_factory=dict)
    rules: dict[str, list[str]] = field(default_factory=dict)
    #: Whether it has rules that only nft can make, and so iptables lists nothing of it, not even its own.
    hidden: bool = False

    def jumps_to(self, chain: str) -> list[str]:
        """Return the lines that jump or go to a chain; the name is exact."""
        # The quick look first: there may be thousands of rules, and reading one takes a while.
        lines = [
            line for lines in self.rules.values() for line in lines if f"-j {chain}" in line or f"-g {chain}" in line
        ]
        return [line for line in lines if target(line) == chain]


Listing = t.Dict[str, Table]


def parse(text: str, tables: t.Container[str] = ("nat", "filter")) -> Listing:
    """Return some tables of a listing."""
    listing: Listing = {}
    table = Table()
    # Not splitlines: a comment may hold what Python takes for the end of a line, and iptables does not.
    for line in text.split("\n"):
        hidden = HIDDEN.match(line)
        if hidden:
            listing[hidden[1]] = Table(hidden=True)
        elif line.startswith("*"):
            table = listing.setdefault(line[1:], Table())
            continue
        parts = line[1:].split(None, 2) if line.startswith(":") else line.split(None, 2)
        if line.startswith(":") and len(parts) > 1:
            table.policies[parts[0]] = parts[1]
        elif line.startswith("-A ") and len(parts) > 2:
            table.rules.setdefault(parts[1], []).append(line)
    return {name: found for name, found in listing.items() if name in tables}


def words(line: str) -> list[str]:
    """Split a rule into its words; a quoted one is returned without its quotes."""
    return [plain or re.sub(r"\\(.)", r"\1", quoted) for quoted, plain in WORD.findall(line)]


def target(line: str) -> str:
    """Return the chain or target that a rule jumps or goes to; words of free text are not looked at."""
    found = iter(words(line))
    for word in found:
        if word in ("-j", "-g"):
            return next(found, "")
        if word in FREE_TEXT:
            next(found, "")
    return ""


@dataclass(frozen=True)
class Tool:
    """The programs of one flavour for one family, e.g. ip6tables-legacy."""

    version: int
    flavour: str
    name: str
    save: str
    restore: str

    @property
    def family(self) -> str:
        """The family that nft says of its tables."""
        return {4: "ip", 6: "ip6"}[self.version]

    def state_name(self, chain: str) -> str:
        """How a chain of ours is called in a State."""
        return f"{self.name} chain {chain}"

    def why_hidden(self, table: str) -> str:
        """What keeps us from a table that is hidden, and what shows it."""
        return (
            f"rules that were made with nft keep {self.name} from listing its table {table} "
            f"(nft list table {self.family} {table})"
        )

    @property
    def loader(self) -> list[str]:
        """The command that adds to the rules, and waits for other users of the lock."""
        return [self.restore, "--noflush", "-w", "5"]


def seen_by_nft(saved: t.Mapping[Tool, Listing]) -> set[tuple[str, str]]:
    """Return the tables that iptables-nft has listed, as nft calls them, which lists them once more."""
    return {
        (tool.family, name)
        for tool, listing in saved.items()
        if tool.flavour == "nft"
        for name, table in listing.items()
        if not table.hidden
    }


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


def saved(host: Host, tool: Tool, must_work: bool = False, tables: t.Container[str] = ("nat", "filter")) -> Listing:
    """Return what is in some tables of a tool."""
    rc, out, err = host.run([tool.save], None)
    if rc != 0 and (must_work or "ermitted" in err or "Permission denied" in err):
        raise refusal([tool.save], err)
    # Any other failure: the kernel does not know this flavour, so there are no rules of it either.
    return parse(out if rc == 0 else "", tables)
