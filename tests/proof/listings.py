# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that is on a node, as texts that can be compared: links, addresses, routes, rules and files.

A Listing has a line for each object, ``link br10`` or ``route 10.12.2.0/24 …``, so that what is ours can be told
from what is not.  What the kernel changes by itself (timers, carriers, states of links) is not in it.
"""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import typing as t
from pathlib import Path

Listing = t.Dict[str, t.Any]

#: Of a link and of a bridge or port: what is asked for, not what happens.
_LINK = ("ifindex", "address", "mtu", "ifalias", "group", "master", "link", "link_index", "link_netnsid")
_BRIDGE = ("stp_state", "forward_delay", "priority", "vlan_filtering", "ageing_time", "mcast_snooping")
_PORT = ("hairpin", "isolated", "learning", "flood", "priority", "cost", "guard", "fastleave")
#: How a route is doing, by its link.
_ROUTE_STATE = {"linkdown", "dead"}


def run(*args: str, text: str | None = None) -> str:
    """Run a program that must succeed."""
    done = subprocess.run(args, input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, f"{' '.join(args)}: {done.stderr}"
    return done.stdout


def network(netns: str | None = None) -> Listing:
    """Links, addresses and routes, but those of the kernel's own table; of a namespace that `ip netns` knows."""
    ip = ["ip", "-json", "-details", *(["-netns", netns] if netns else [])]
    listing: Listing = {}
    for link in _json(*ip, "address"):
        name = link["ifname"]
        listing[f"link {name}"] = _link(link)
        for address in link.get("addr_info", ()):
            listing[f"address {address['local']}/{address['prefixlen']} on {name}"] = {
                key: address[key] for key in ("scope", "label", "nodad") if key in address
            }
    for family in ("-4", "-6"):
        for route in _json(*ip, family, "route", "show", "table", "all"):
            if route["table"] == "local":  # which follows the addresses, with the carrier
                continue
            route["flags"] = sorted(set(route.get("flags", ())) - _ROUTE_STATE)
            for hop in route.get("nexthops", ()):
                hop["flags"] = sorted(set(hop["flags"]) - _ROUTE_STATE)
            words = [f"{key} {route[key]}" for key in ("table", "metric", "tos") if key in route]
            name = " ".join(["route", family, route.get("type", "unicast"), route["dst"], *words])
            listing[f"{name} dev {route.get('dev')} proto {route.get('protocol')} via {route.get('gateway')}"] = route
    return {f"{netns}: {name}": value for name, value in listing.items()} if netns else listing


def _json(*words: str) -> list[dict[str, t.Any]]:
    found: list[dict[str, t.Any]] = json.loads(run(*words) or "[]")
    return [entry for entry in found if entry]


def _link(link: dict[str, t.Any]) -> dict[str, t.Any]:
    info = link.get("linkinfo", {})
    found = {key: link[key] for key in _LINK if key in link}
    found["up"] = "UP" in link["flags"]
    found["kind"] = info.get("info_kind")
    if found["kind"] == "bridge":
        found.update({key: info["info_data"].get(key) for key in _BRIDGE})
    if info.get("info_slave_kind") == "bridge":
        found["port"] = {key: info["info_slave_data"].get(key) for key in _PORT}
    return found


def packet_filter() -> Listing:
    """Every table of nftables, and every chain of iptables; counters, and base chains that do nothing, are left out."""
    listing: Listing = {}
    for text in re.split(r"^(?=table )", run("nft", "-s", "list", "ruleset"), flags=re.MULTILINE):
        name = text.partition(" {")[0]
        if name in _IPTABLES:
            listing.update({f"{name} {chain}": rules for chain, rules in _chains(text) if not _is_idle(rules)})
        elif name:
            listing[name] = text
    for program in ("iptables-legacy-save", "ip6tables-legacy-save"):
        table = ""
        for line in run(program).splitlines():
            words = line.split()
            if line.startswith("*"):
                table = line
            elif line.startswith(":") and words[1] != "ACCEPT":
                listing[f"{program} {table} chain {words[0][1:]}"] = [words[1]]
            elif line.startswith("-A"):
                listing.setdefault(f"{program} {table} chain {words[1]}", ["ACCEPT"]).append(line)
    return listing


#: Tables of nftables that iptables-nft manages; there, ours is one chain among others.
_IPTABLES = {f"table {family} {name}" for family in ("ip", "ip6") for name in ("nat", "filter", "mangle", "raw")}


def _chains(text: str) -> list[tuple[str, list[str]]]:
    """Return the chains, sets and so on of a table, each with its lines."""
    found = re.findall(r"^\t(\w+ \S+) \{\n(.*?)^\t\}", text, re.MULTILINE | re.DOTALL)
    return [(name, [line.strip() for line in body.splitlines()]) for name, body in found]


def _is_idle(rules: list[str]) -> bool:
    return len(rules) == 1 and rules[0].startswith("type ") and rules[0].endswith("policy accept;")


def files(*directories: Path) -> Listing:
    """Every file and directory below some directories: kind, mode, owner and content."""
    listing: Listing = {}
    for top in directories:
        for path in sorted([top, *top.rglob("*")]) if top.exists() else ():
            status = path.lstat()
            content: t.Any = None
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = path.read_bytes()
            listing[f"file {path}"] = (stat.filemode(status.st_mode), status.st_uid, status.st_gid, content)
    return listing


def differences(before: Listing, after: Listing) -> dict[str, tuple[t.Any, t.Any]]:
    """Return what differs: before and after, None where it was not there."""
    names = [*before, *(name for name in after if name not in before)]
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}
