# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Links and routes as plain values, whose links they are, and which one leads out of the node.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils import _reached
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import ifaddrs, netns

#: The alias (`ip link show` prints it) of every link that we made; only such a link is ever removed.
ALIAS = "podnet"
#: A link gets its alias after its birth, but its group with it: ours have this one until they have the alias, so that
#: what a killed run leaves is not taken for somebody else's.
UNNAMED = 0x706F646E

AF_INET, AF_INET6 = 2, 10
MAIN_TABLE = 254
UNICAST, LOCAL = 1, 2
#: The metric that the kernel gives a route for which none is asked, by the IP version.
DEFAULT_METRIC = {4: 0, 6: 1024}
_IFF_UP = 1


@dataclass(frozen=True)
class Link:
    """One network interface."""

    index: int
    name: str
    kind: str
    mac: str
    mtu: int
    up: bool
    alias: str
    master: int
    #: The number of what it stands on, or of its other end (IFLA_LINK).
    peer: int
    stp: bool
    hairpin: bool
    isolated: bool
    #: The number of the namespace that the other end of a pair is in; None where it is in this one.
    nsid: t.Optional[int] = None
    group: int = 0

    @property
    def ours(self) -> bool:
        """Whether we made it."""
        return self.alias == ALIAS or self.is_unnamed

    @property
    def is_unnamed(self) -> bool:
        """Whether we were killed before it had its alias."""
        return self.group == UNNAMED and self.alias == ""

    @property
    def described(self) -> str:
        """What it is, within a sentence."""
        return f"a link of kind {self.kind}" if self.kind else "a network card"


@dataclass(frozen=True)
class Route:
    """One route of a table; ``via`` is None where there is no next hop, or several of them."""

    dst: str
    via: t.Optional[str]
    #: The links' numbers: several where there are several next hops, none where packets are discarded.
    devices: tuple[int, ...]
    protocol: int
    metric: int
    kind: int

    @property
    def device(self) -> int:
        """The first link's number, or 0."""
        return next(iter(self.devices), 0)


def links(ipr: t.Any) -> dict[str, Link]:
    """Return all links by name."""
    found = (_link(message) for message in netns.dump(ipr.get_links))
    return {link.name: link for link in found}


def routes(ipr: t.Any, family: int, table: int = MAIN_TABLE, **filters: t.Any) -> list[Route]:
    """Return a table's routes of a family; pyroute2 passes the filters (``oif``) on."""
    found = netns.dump(lambda: ipr.get_routes(family=family, table=table, **filters))
    # A kernel without IPv6 answers with IPv4's when it is asked for that.
    return [_route(message) for message in found if message["family"] == family]


def exits(ipr: t.Any, found: t.Mapping[str, Link]) -> list[str]:
    """Return which of the links have the default routes, the preferred one first and IPv4's before IPv6's."""
    names = {link.index: link.name for link in found.values()}
    out = []
    for family, everywhere in ((AF_INET, "0.0.0.0/0"), (AF_INET6, "::/0")):
        ways = [way for way in routes(ipr, family) if way.dst == everywhere and way.kind == UNICAST]
        devices = [device for way in sorted(ways, key=lambda way: way.metric) for device in way.devices]
        out += [names[device] for device in devices if device in names]
    return list(dict.fromkeys(out))


def precious(ipr: t.Any, found: t.Mapping[str, Link], out: t.Sequence[str]) -> dict[str, str]:
    """Return which of the links must stay as they are, each with the reason: those of ``exits`` and ssh's."""
    held = ifaddrs.every(ipr) if _reached.address() else {}
    names = {link.index: link.name for link in found.values()}
    return _reached.precious(
        out,
        {link.name: [str(each.ip) for each in held.get(link.index, ())] for link in found.values()},
        {link.name: names[link.peer] for link in found.values() if link.nsid is None and link.peer in names},
    )


def index_of(ipr: t.Any, name: str) -> int:
    """Return a link's number; what is changed was there when the change was planned."""
    found = list(ipr.link_lookup(ifname=name))
    if not found:
        raise PodnetError(f"{name}: the link went away while it was being changed; run this again")
    return int(found[0])


def give_alias(ipr: t.Any, index: int) -> None:
    """Show whose a link is that was made in the group UNNAMED."""
    ipr.link("set", index=index, ifalias=ALIAS, group=0)


def _link(message: t.Any) -> Link:
    info = message.get_attr("IFLA_LINKINFO")
    data = info.get_attr("IFLA_INFO_DATA") if info else None
    port = info.get_attr("IFLA_INFO_SLAVE_DATA") if info else None
    kind = (info.get_attr("IFLA_INFO_KIND") if info else None) or ""
    port = port if hasattr(port, "get_attr") else None
    return Link(
        index=message["index"],
        name=message.get_attr("IFLA_IFNAME"),
        kind=kind,
        mac=(message.get_attr("IFLA_ADDRESS") or "").lower(),
        mtu=message.get_attr("IFLA_MTU") or 0,
        up=bool(message["flags"] & _IFF_UP),
        alias=message.get_attr("IFLA_IFALIAS") or "",
        master=message.get_attr("IFLA_MASTER") or 0,
        peer=message.get_attr("IFLA_LINK") or 0,
        stp=bool(data.get_attr("IFLA_BR_STP_STATE")) if kind == "bridge" and data else False,
        hairpin=bool(port.get_attr("IFLA_BRPORT_MODE")) if port else False,
        isolated=bool(port.get_attr("IFLA_BRPORT_ISOLATED")) if port else False,
        nsid=message.get_attr("IFLA_LINK_NETNSID"),
        group=message.get_attr("IFLA_GROUP") or 0,
    )


def _route(message: t.Any) -> Route:
    # get_attr looks through the whole list each time, which tells with thousands of routes.
    attributes = {slot[0]: slot[1] for slot in message["attrs"]}
    dst = attributes.get("RTA_DST") or ("0.0.0.0" if message["family"] == AF_INET else "::")  # noqa: S104
    several, oif = attributes.get("RTA_MULTIPATH"), attributes.get("RTA_OIF")
    return Route(
        dst=f"{dst}/{message['dst_len']}",
        via=attributes.get("RTA_GATEWAY"),
        devices=tuple(hop["oif"] for hop in several) if several else (oif,) if oif else (),
        protocol=message["proto"],
        metric=attributes.get("RTA_PRIORITY") or 0,
        kind=message["type"],
    )
