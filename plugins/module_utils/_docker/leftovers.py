# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a Docker that no longer has a network leaves behind until the next boot: docker0, its rules, its policy.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _ip, _iptables, _json, _reached
from ansible_collections.mink8s.podnet.plugins.module_utils._docker import processes, rules
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._iptables import Tool
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Host

BRIDGE = "docker0"
LINK = f"link {BRIDGE}"
POLICY = " policy of FORWARD"

#: The tables of Docker 29 and newer with its nftables backend.
NFT_TABLE = "docker-bridges"


class Leftovers(Resource):
    """What Docker left on one node."""

    def __init__(self, params: dict[str, t.Any], host: Host) -> None:
        super().__init__()
        self._host = host
        self._policy: str = params["forward_policy"]
        self._expected: dict[str, t.Any] = params["expected"]
        self._tools = _iptables.find_tools(host)
        self._running: t.Optional[processes.Running] = None
        self._links: dict[str, dict[str, t.Any]] = {}
        self._seen: dict[Tool, rules.Found] = {}
        self._live: list[str] = []
        self._nft: list[str] = []
        #: As at the first look, before the change.
        self._found: t.Optional[list[dict[str, t.Any]]] = None

    def read(self) -> State:
        self._running = processes.running()
        self._links = self._list_links()
        looked = {tool: self._look(tool) for tool in self._tools}
        self._live = [tool.name for tool, found in looked.items() if found and self._is_live(tool)]
        self._seen = {tool: found for tool, found in looked.items() if tool.name not in self._live}
        self._nft = self._list_nft_tables()
        state: State = {}
        if BRIDGE in self._links and self._has_no_bridge():
            state[LINK] = {"kind": self._kind(BRIDGE)}
        for tool, found in self._seen.items():
            if (found.drops and self._policy != "keep") or (found.drops_for_others and self._policy == "accept"):
                state[f"{tool.name}{POLICY}"] = {"policy": "DROP"}
            for (table, chain), lines in found.rules.items():
                state[f"Docker's rules in {tool.name} {table} {chain}"] = _text(lines)
            for (table, chain), lines in found.chains.items():
                state[f"{tool.name} {table} chain {chain}"] = _text([f":{chain} - [0:0]", *lines])
        if self._found is None:
            self._found = self._report(state)
        return state

    def desired(self, current: State) -> State:
        self._warn_of_tables()
        if current:
            self._refuse(current)
            self._warn_of_what_stays()
        return {name: {"policy": "ACCEPT"} for name in current if name.endswith(POLICY)}

    def apply(self, changes: list[Change]) -> None:
        accepted = [change.name for change in changes if change.name.endswith(POLICY)]
        for tool, found in self._seen.items():
            text = rules.script(found, f"{tool.name}{POLICY}" in accepted)
            if text:
                self._host.output(tool.loader, text)
        if any(change.name == LINK for change in changes):
            self._host.output([_ip.find(), "link", "delete", "dev", BRIDGE])

    def result(self, state: State) -> dict[str, t.Any]:  # noqa: ARG002
        return {"found": self._found or []}

    # What is there

    def _list_links(self) -> dict[str, dict[str, t.Any]]:
        links = _ip.objects(self._host.run, "-details", "link", "show")
        return {link["ifname"]: link for link in links if isinstance(link.get("ifname"), str)}

    def _kind(self, name: str) -> str:
        return str(_json.mapping(self._links[name].get("linkinfo")).get("info_kind", "device"))

    def _look(self, tool: Tool) -> rules.Found:
        listing = _iptables.saved(self._host, tool, tables=rules.TABLES)
        for name in (name for name, table in listing.items() if table.hidden):
            self._warn_once(f"{tool.why_hidden(name)}, so what Docker has left there is not seen and stays")
        return rules.find(listing)

    def _list_nft_tables(self) -> list[str]:
        nft = self._host.which("nft")
        status, out, _err = self._host.run([nft, "list", "tables"], None) if nft else (1, "", "")
        lines = out.splitlines() if status == 0 else []
        return [line[6:].strip() for line in lines if line.split()[-1:] == [NFT_TABLE]]

    # What the running dockerd holds on to

    def _option(self, name: str) -> t.Any:
        if name in self._expected:
            return self._expected[name]
        return self._running.value(name) if self._running else None

    def _has_no_bridge(self) -> bool:
        return self._running is None or self._option("bridge") not in (None, "", BRIDGE)

    def _is_live(self, tool: Tool) -> bool:
        """Whether the running dockerd has its IPv6 rules for itself; IPv4 is refused where something is found."""
        return tool.version == 6 and self._running is not None and self._option("ip6tables") is not False

    def _warn_of_tables(self) -> None:
        for table in self._nft:
            if self._running is None or self._option("firewall-backend") != "nftables":
                self._warn_once(
                    f"nft table {table} is of Docker's nftables backend and stays; if no Docker uses it any more, "
                    f"remove it: nft delete table {table}"
                )

    def _warn_of_what_stays(self) -> None:
        for tool, found in self._seen.items():
            for line in found.kept:
                self._warn_once(
                    f"{tool.name} filter: '{line}' is not Docker's, so {rules.USER_CHAIN} and the jump to it stay"
                )
            if found.drops_for_others and self._policy == "auto":
                self._warn_once(
                    f"{tool.name}: the policy of FORWARD is DROP, maybe by another firewall's doing, and stays; set "
                    "forward_policy to accept to change it"
                )

    def _warn_once(self, sentence: str) -> None:
        self.warnings += [] if sentence in self.warnings else [sentence]

    def _refuse(self, current: State) -> None:
        if LINK in current:
            self._refuse_if_unsure("bridge")
            if self._kind(BRIDGE) != "bridge":
                raise PodnetError(f"{BRIDGE} is a {self._kind(BRIDGE)}, not a bridge of Docker's; rename or remove it")
            self._refuse_if_precious()
        self._refuse_if_used()
        for tool, found in self._seen.items():
            if found and tool.version == 4:
                self._refuse_if_made_again(tool)
            for table, line in found.in_the_way:
                raise PodnetError(
                    f"{tool.name} {table}: '{line}' is not Docker's and jumps to a chain of Docker's; remove that rule"
                )

    def _refuse_if_precious(self) -> None:
        """Somebody may have given that name to the bridge by which the node is reached."""
        reason = _reached.precious_by_ip(self._host.run).get(BRIDGE)
        if reason:
            raise PodnetError(f"{BRIDGE} {reason}, so it stays; give the node another link for that")

    def _refuse_if_used(self) -> None:
        names = {BRIDGE, *(name for found in self._seen.values() if found for name in found.bridges)}
        for name, link in self._links.items():
            if str(link.get("master")) in names:
                raise PodnetError(
                    f"{link['master']} is used by {name}, most probably for a container; stop the containers, or take "
                    "the link out of the bridge"
                )

    def _refuse_if_made_again(self, tool: Tool) -> None:
        if self._running and self._option("iptables") is not False:
            raise PodnetError(
                f"dockerd, process {self._running.process.pid}, makes its rules in {tool.name} again whenever they are "
                "removed; set its option iptables to false, and restart it"
            )
        self._refuse_if_unsure("iptables")

    def _refuse_if_unsure(self, option: str) -> None:
        if self._running and option not in self._expected and not self._running.is_sure:
            raise PodnetError(
                f"dockerd, process {self._running.process.pid}, was started before its daemon.json was changed, so its "
                f"option {option} is not known; restart it"
            )

    def _report(self, state: State) -> list[dict[str, t.Any]]:
        users = [f"{tool.name} filter chain {rules.USER_CHAIN}" for tool, found in self._seen.items() if found.kept]
        live = [f"Docker's rules in {name}" for name in self._live]
        stays = [*users, *live, *(f"nft table {name}" for name in self._nft)]
        return [{"what": name, "removed": name in state} for name in (*state, *stays)]


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
