# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""All conflicts of one node: what is read, and who judges it.

What the user consented to is not even looked for, as far as that saves work.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _programs, _values
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import conf, loader
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts import (
    displaced,
    neighbours,
    overlaps,
    readers,
    tables,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.claims import Claims
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.overlaps import Card, Way
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.texts import docker_pools
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.verdicts import WARNS, Conflict, Consent
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import ifaddrs, links, netns, policy, sysctls
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import foreign, iptables, nftables, ruleset
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Interface


class Survey:
    """One node, looked at once."""

    def __init__(self, params: dict[str, t.Any], host: _programs.Host) -> None:
        self._params = params
        self._host = host
        self._claims = Claims(params)
        self._consent = Consent(params["ignore"])
        self._uplink = None if params["uplink"] is None else _values.ifname("uplink", params["uplink"])
        self._path = f"{params['conf_dir'].rstrip('/')}/{_file_name(params)}"
        self._cards: dict[str, Card] = {}
        self._ways: list[Way] = []
        #: Those of tables that are asked before the main one.
        self._earlier: list[Way] = []
        self._carried: list[Interface] = []
        self._ports: list[str] = []

    def conflicts(self) -> list[Conflict]:
        """Return what was found, the worst first."""
        self._look_at_links()
        found = [*self._overlaps(), *self._settings(), *self._displaced(), *self._rules(), *self._managers()]
        return self._consent.left(found)

    def _look_at_links(self) -> None:
        with netns.netlink() as ipr:
            every = links.links(ipr)
            addresses = ifaddrs.every(ipr)
            exits = [self._uplink] if self._uplink else links.exits(ipr, every)
            families = (links.AF_INET, links.AF_INET6)
            routes = [route for family in families for route in links.routes(ipr, family)]
            first = [table for family in families for table in policy.routes(ipr, family).items()]
        for link in every.values():
            held = addresses.get(link.index, [])
            out = link.name in exits or any(interface.ip in self._claims.here for interface in held)
            self._cards[link.name] = Card(link.name, link.kind, link.ours, out, held)
        bridge = every.get(self._claims.bridge)
        if bridge:
            self._carried = addresses.get(bridge.index, [])
            self._ports = [link.name for link in every.values() if link.master == bridge.index and not link.ours]
        names = {link.index: link.name for link in every.values()}
        self._ways = [_way(each, names) for each in routes if each.protocol != self._params["protocol"]]
        self._earlier = [_way(each, names, table) for table, found in first for each in found]

    def _overlaps(self) -> list[Conflict]:
        claims = self._claims
        found = [
            *overlaps.of_cards(claims, self._cards.values()),
            *overlaps.of_ways(claims, self._ways, self._cards, self._consent),
            *tables.of_ways(claims, self._earlier, self._cards, self._consent),
            *overlaps.of_name_servers(claims, readers.name_servers()),
            *overlaps.of_nodes(claims),
        ]
        text = readers.text(readers.DAEMON_JSON)
        if text or self._host.which("dockerd"):
            found += overlaps.of_docker(claims, readers.DAEMON_JSON, docker_pools(text))
        return found

    def _settings(self) -> list[Conflict]:
        out = [card.name for card in self._cards.values() if card.out]
        inward = [name for name in (self._claims.bridge,) if name in self._cards]
        return [*neighbours.forwarding(_setting, [*out, *inward]), *neighbours.rp_filter(_setting, out)]

    def _displaced(self) -> list[Conflict]:
        found = displaced.bridge_address(self._claims, self._carried, self._ports)
        if self._consent.asks("replaced_plugin"):
            found += displaced.replaced(readers.changed_plugins(self._params["bin_dirs"]))
        name = self._params["name"]
        if name is not None and self._consent.asks("competing_file", "injected_file"):
            directory = os.path.dirname(self._path)
            files = loader.read_directory(directory)
            found += displaced.competing(self._path, name, files)
            found += displaced.injected(self._path, files, loader.injected(directory, name))
        return found

    def _rules(self) -> list[Conflict]:
        found = neighbours.flush_ruleset(readers.nft_scripts(), self._params["persistent"])
        if not self._consent.asks("foreign_rule", "legacy_rules"):
            return found
        nft = nftables.Nftables(self._host)
        seen = foreign.Seen(nft.ruleset(), iptables.Iptables(self._host).saved())
        ours = {*iptables.TABLES, nftables.TABLE_KEY[1]}
        found += neighbours.legacy_rules(seen.saved, seen.ruleset, ours)
        if self._consent.asks("foreign_rule"):
            found += self._foreign(seen, nft)
        return found

    def _foreign(self, seen: foreign.Seen, nft: nftables.Nftables) -> list[Conflict]:
        """Follow the pods' traffic through others' rules, as module masquerade does."""
        params = self._params
        nodes = [str(address) for address in (*self._claims.nodes, *self._claims.here)]
        rules = ruleset.build(params["pod_cidrs"], [*params["cluster_cidrs"], *nodes], params["bridge"], False)
        versions = [family.version for family in rules.families] if params["forward"] else []
        ours = {tool: iptables.forward_text(rules, tool.version) for tool in foreign.dropping(seen.saved, versions)}
        planned = {tool: iptables.with_forward(seen.saved[tool], text) for tool, text in ours.items()}
        seen = foreign.Seen(seen.ruleset, {**seen.saved, **planned})
        reports = foreign.find(rules, seen, nft.chain_texts)
        return [Conflict(WARNS, "foreign_rule", report["where"], foreign.sentence(report)) for report in reports]

    def _managers(self) -> list[Conflict]:
        wanted = {"firewalld": "firewalld", "NetworkManager": "network_manager"}
        there = readers.running([name for name, kind in wanted.items() if self._consent.asks(kind)])
        found = neighbours.firewalld(self._claims, readers.firewalld_zones()) if "firewalld" in there else []
        if "NetworkManager" in there and not self._params["persistent"]:
            found += neighbours.network_manager(self._claims.bridge, readers.network_manager())
        return found


def _file_name(params: dict[str, t.Any]) -> str:
    name = "" if params["name"] is None else conf.network_name("name", params["name"])
    priority = params["priority"]
    if priority is not None and not 0 <= priority <= 99:
        raise OptionError("priority", priority, "is out of range", "use a number from 0 to 99")
    return conf.file_name(name, params["format"], priority)


def _way(route: links.Route, names: t.Mapping[int, str], table: t.Optional[int] = None) -> Way:
    discards = route.kind not in (links.UNICAST, links.LOCAL)
    device = "" if discards else names.get(route.device, "")
    throws = route.kind == policy.THROW
    return Way(ipaddress.ip_network(route.dst), route.via, device, discards, route.metric, table, throws)


def _setting(name: str) -> t.Optional[str]:
    return sysctls.value_of(f"net/ipv4/conf/{name}")
