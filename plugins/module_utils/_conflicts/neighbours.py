# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Other software of the node, and settings of its kernel, that would drop or flush what pods need.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts import texts
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.claims import Claims
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.verdicts import INFORMS, WARNS, Conflict
from ansible_collections.mink8s.podnet.plugins.module_utils._iptables import Listing, Tool, seen_by_nft, target
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import nft_json
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Network

#: What the bridge plugin calls the node's ends of pods' links.
_A_VETH = "veth1a2b3c4d"

#: The reader of a setting below /proc/sys/net/ipv4/conf; None where it is not there.
Setting = t.Callable[[str], t.Optional[str]]


def legacy_rules(
    saved: t.Mapping[Tool, Listing], ruleset: t.Iterable[t.Mapping[str, t.Any]], ours: t.Container[str]
) -> list[Conflict]:
    """Judge rules of iptables-legacy beside those of nftables; ``ours`` are our chains and tables."""
    counts = {flavour: _count(saved, flavour, ours) for flavour in ("legacy", "nft")}
    listed = seen_by_nft(saved)
    others = [
        rule
        for rule in nft_json.each(ruleset, "rule")
        if rule["table"] not in ours and (rule["family"], rule["table"]) not in listed
    ]
    modern = counts["nft"] + len(others)
    if not (counts["legacy"] and modern):
        return []
    what = (
        f"iptables-legacy: has {counts['legacy']} rules beside {modern} of nftables, so a packet has to pass both, and "
        "no program shows both; move them (iptables-legacy-save | iptables-nft-restore) and flush the legacy ones"
    )
    return [Conflict(WARNS, "legacy_rules", "iptables-legacy", what)]


def _count(saved: t.Mapping[Tool, Listing], flavour: str, ours: t.Container[str]) -> int:
    return sum(
        chain not in ours and target(line) not in ours
        for tool, listing in saved.items()
        if tool.flavour == flavour
        for table in listing.values()
        for chain, lines in table.rules.items()
        for line in lines
    )


def flush_ruleset(scripts: t.Mapping[str, str], persistent: bool) -> list[Conflict]:
    """Judge the scripts that nftables.service loads."""
    found = []
    for path, script in scripts.items():
        if texts.flushes(script):
            remedy = "replace that line by one that flushes its own tables"
            what = f"{path}: has flush ruleset, and nftables.service is enabled, so a restart of it removes our rules"
            what += ", which podnet.service then brings back" if persistent else f"; {remedy}"
            found.append(Conflict(INFORMS if persistent else WARNS, "flush_ruleset", path, what))
    return found


def firewalld(claims: Claims, zones: t.Iterable[str]) -> list[Conflict]:
    """Judge a firewalld that runs by the zones that it keeps."""
    sources, interfaces = texts.trusted(zones)
    lacking = [claim.cidr for claim in claims.own if not any(_inside(claim.cidr, source) for source in sources)]
    if not lacking or claims.bridge in interfaces:
        return []
    added = " ".join(f"--add-source={cidr}" for cidr in lacking)
    what = (
        f"firewalld: runs, and no zone that accepts everything has {', '.join(map(str, lacking))}, so it may reject "
        f"what pods send; run firewall-cmd --permanent --zone=trusted {added} and firewall-cmd --reload"
    )
    return [Conflict(WARNS, "firewalld", "firewalld", what)]


def _inside(inner: Network, outer: Network) -> bool:
    return inner.prefixlen >= outer.prefixlen and inner.overlaps(outer)


def network_manager(bridge: str, configuration: t.Iterable[str]) -> list[Conflict]:
    """Judge a NetworkManager that runs by its files."""
    specs = texts.unmanaged_devices(configuration)
    links = {bridge: ("bridge", bridge), "pods' veth*": ("veth", _A_VETH)}
    lacking = [shown for shown, (kind, name) in links.items() if not texts.is_unmanaged(specs, name, kind)]
    if not lacking:
        return []
    what = (
        f"NetworkManager: runs and is not told to leave {' and '.join(lacking)} alone; write [keyfile] and "
        f"unmanaged-devices+=interface-name:{bridge};interface-name:veth* to a file in /etc/NetworkManager/conf.d, and "
        "reload it"
    )
    return [Conflict(WARNS, "network_manager", "NetworkManager", what)]


def forwarding(setting: Setting, links: t.Iterable[str]) -> list[Conflict]:
    """Judge links that do not forward though the node does; a node that does not yet will, on all its links."""
    if setting("all/forwarding") != "1":
        return []
    return [
        Conflict(
            WARNS,
            "forwarding",
            name,
            f"net.ipv4.conf.{name}.forwarding: is 0 while the node forwards, so what comes in by {name} reaches no "
            "pod; set it to 1 (pod_network_sysctls), and correct the file in /etc/sysctl.d that sets it",
        )
        for name in links
        if setting(f"{name}/forwarding") == "0"
    ]


def rp_filter(setting: Setting, links: t.Sequence[str]) -> list[Conflict]:
    """Judge strict reverse path filters: harmless, unless answers may leave by another link than questions came by."""
    found = []
    for name in links:
        values = [setting(f"{each}/rp_filter") for each in ("all", name)]
        # The larger of the two counts: 2 is loose, 1 is strict.
        if max((value for value in values if value), default="0") != "1":
            continue
        what = (
            f"net.ipv4.conf.{name}.rp_filter: is strict, which drops packets whose answer would leave by another link"
        )
        several = len(links) > 1
        what += (
            f", and this node has {', '.join(links)}; set it to 2 (pod_network_sysctls)"
            if several
            else "; nothing to do"
        )
        found.append(Conflict(WARNS if several else INFORMS, "rp_filter", name, what))
    return found
