# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the module masquerade is about: the rules of one backend, the FORWARD chains, the files.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils import _persist
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._iptables import (
    PACKAGES,
    Listing,
    Table,
    Tool,
    default_flavour,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import boot_rules, foreign
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import iptables as ipt
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import nftables as nft
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.ruleset import RuleSet
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Host

FORWARD_SUFFIX = ".forward"
#: Loaded after a file of iptables: iptables-restore has no word for a jump that may be there or not.
ONE_JUMP_SUFFIX = ".one-jump"
HEADER = "# Made by Ansible (mink8s.podnet.masquerade), changes will be lost.  After a reboot:\n"


@dataclass(frozen=True)
class Options:
    """The module's options, checked; ``rules`` is None for state absent."""

    rules: t.Optional[RuleSet]
    backend: str
    masquerade: bool
    forward: bool
    persist: t.Optional[str]


class Masquerade(Resource):
    """Our NAT and FORWARD rules on one node."""

    def __init__(self, host: Host, options: Options) -> None:
        super().__init__()
        self.options = options
        self.nftables = nft.Nftables(host)
        self.iptables = ipt.Iptables(host)
        self.seen = foreign.Seen([], {})
        self.backend: t.Optional[str] = None
        self.loaders: list[list[str]] = []
        #: Scripts, and their listings in the scratch namespace: the same before and after a change.
        self._tried: dict[str, t.Any] = {}

    def read(self) -> State:
        """Return our table, our chains (in any flavour) and our files."""
        self.seen = foreign.Seen(self.nftables.ruleset(), self.iptables.saved())
        state: State = {}
        table = self.nftables.live() if nft.has_table(self.seen.ruleset) or not self.seen.ruleset else None
        if table is not None:
            state[nft.STATE_NAME] = table
        for tool, listing in self.seen.saved.items():
            self._require_visible(tool, listing)
            state.update({tool.state_name(chain): text for chain, text in ipt.own_chains(listing).items()})
        return {**state, **_persist.read("persist", HEADER, self._every_path())}

    def desired(self, current: State) -> State:  # noqa: ARG002
        """Return the rules as this node will list them, learnt in a scratch namespace."""
        rules = self.options.rules
        if rules is None:
            return {}
        if self.options.masquerade and self.backend is None:
            self.backend = self._choose(rules)
        places = {
            ipt.POSTROUTING: self.iptables.default_tools(rules) if self.backend == "iptables" else [],
            ipt.FORWARD: self._forwarding_tools(rules),
        }
        state: State = {nft.STATE_NAME: self._table()} if self.backend == "nftables" else {}
        for tool in self.iptables.tools:
            chains = [chain for chain, tools in places.items() if tool in tools]
            state.update({tool.state_name(chain): text for chain, text in self._chains(rules, tool, chains).items()})
        at_boot = {**places, ipt.FORWARD: self._forwarding_tools_at_boot(rules, places[ipt.FORWARD])}
        return {**state, **self._files(rules, at_boot)}

    def apply(self, changes: list[Change]) -> None:
        """Make what is new before what is old goes, so that pods are masqueraded at all times."""
        files, rest = _persist.split(changes)
        for change in sorted(rest, key=lambda change: change.after is None):
            if change.name == nft.STATE_NAME:
                self.nftables.load(nft.REMOVAL if change.after is None else self._script())
            else:
                self._change_chain(change)
        _persist.write(files)

    def result(self, state: State) -> dict[str, t.Any]:
        """Return the backend, the foreign rules and how to load the files."""
        rules = self.options.rules
        if rules is None:
            return {"backend": None, "foreign": [], "loaders": []}
        effects = ("masquerade", "drop") if self.options.masquerade else ("drop",)
        saved = self.seen.saved.items()
        planned = {tool: ipt.with_forward(listing, state.get(tool.state_name(ipt.FORWARD))) for tool, listing in saved}
        reports = foreign.find(rules, foreign.Seen(self.seen.ruleset, planned), self.nftables.chain_texts)
        reports = [report for report in reports if report["effect"] in effects]
        self.warnings += [foreign.sentence(report) for report in reports]
        if not self.nftables.speaks_json:
            self.warnings.append(
                "this node's nft does not list rules as JSON, so other nftables tables were not looked at"
            )
        return {"backend": self.backend, "foreign": reports, "loaders": self.loaders}

    def _script(self) -> str:
        rules = self.options.rules
        return t.cast(str, self._once("script", lambda: nft.script(rules))) if rules else nft.REMOVAL

    def _choose(self, rules: RuleSet) -> str:
        """Return the backend: the one asked for, or the first that this node's own programs and kernel take."""
        if self.options.backend != "auto":
            return self.options.backend
        problems = []
        if nft.version(self.seen.ruleset) >= (1, 0):
            try:
                self._table()
                return "nftables"
            except PodnetError as error:
                problems.append(str(error))
        else:
            problems.append("nft >= 1.0 is not there or does not work")
        try:
            for tool in self.iptables.default_tools(rules):
                self._chains(rules, tool, [ipt.POSTROUTING])
            return "iptables"
        except PodnetError as error:
            problems.append(str(error))
        raise PodnetError(f"neither backend works on this node: {'; '.join(problems)}; {nft.PACKAGES} or {PACKAGES}")

    def _table(self) -> str:
        return t.cast(str, self._once("table", lambda: self.nftables.canonical(self._script())))

    def _require_visible(self, tool: Tool, listing: Listing) -> None:
        """Refuse to go on where a chain of ours is, but cannot be seen."""
        for chain, name in ipt.TABLES.items() if tool.flavour == "nft" else ():
            if name in listing and nft.has_chain(self.seen.ruleset, tool.family, name, chain):
                self.iptables.require_visible(tool, listing[name], chain)

    def _chains(self, rules: RuleSet, tool: Tool, chains: list[str]) -> dict[str, str]:
        if not chains:
            return {}
        for chain in chains:
            self.iptables.require_visible(tool, self.seen.saved[tool].get(ipt.TABLES[chain], Table()), chain)
        text = ipt.script(rules, chains, tool.version)
        return t.cast(
            "dict[str, str]", self._once(text + tool.name, lambda: self.iptables.canonical(tool, text, chains))
        )

    def _once(self, key: str, make: t.Callable[[], t.Any]) -> t.Any:
        if key not in self._tried:
            self._tried[key] = make()
        return self._tried[key]

    def _forwarding_tools(self, rules: RuleSet) -> list[Tool]:
        versions = [family.version for family in rules.families] if self.options.forward else []
        return foreign.dropping(self.seen.saved, versions)

    def _forwarding_tools_at_boot(self, rules: RuleSet, now: list[Tool]) -> list[Tool]:
        """Return these, and those whose policy drops again after a boot, as when Docker had set it and it was saved."""
        if not self.options.forward or not self.iptables.tools:
            return now
        flavour = default_flavour(self.iptables.host)
        tools = [tool for tool in self.iptables.tools if tool.flavour == flavour and tool not in now]
        versions = [family.version for family in rules.families]
        return [*now, *[tool for tool in tools if tool.version in versions and boot_rules.drops(tool.version)]]

    def _files(self, rules: RuleSet, places: dict[str, list[Tool]]) -> State:
        """Return the files that bring all of this back, and remember the commands that load them."""
        self.loaders = []
        paths = self._paths()
        if not paths:
            return {}
        state: State = {}
        if self.backend == "nftables":
            loader = [str(self.nftables.nft), "-f", paths[0]]
            state[_persist.name(paths[0])] = self._file(self._script(), [loader])
        for path, (chain, tools) in zip(paths, places.items()):
            if tools:
                once = path + ONE_JUMP_SUFFIX
                add = [[*tool.loader, path] for tool in tools]
                prune = [_persist.may_fail([*tool.loader, once]) for tool in tools]
                state[_persist.name(path)] = self._file(ipt.boot_script(rules, chain), add)
                state[_persist.name(once)] = self._file(ipt.one_jump_script(chain), prune)
        return state

    def _file(self, text: str, loaders: list[list[str]]) -> str:
        self.loaders += loaders
        return "".join(
            [
                HEADER,
                *[f"#     {' '.join(loader).lstrip('-')}\n" for loader in loaders],
                text,
            ]
        )

    def _paths(self) -> list[str]:
        """Return where the rules and the FORWARD chain are kept."""
        path = self.options.persist
        return [path, path + FORWARD_SUFFIX] if path else []

    def _every_path(self) -> list[str]:
        return [each for path in self._paths() for each in (path, path + ONE_JUMP_SUFFIX)]

    def _change_chain(self, change: Change) -> None:
        for tool in self.iptables.tools:
            for chain in ipt.TABLES:
                if change.name == tool.state_name(chain):
                    self.iptables.change(tool, chain, change.before, change.after)
