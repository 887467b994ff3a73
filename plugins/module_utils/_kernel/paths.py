# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which way the kernel of a network namespace would send a packet, and whether the next hop is there.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import links, netns

#: linux/neighbour.h: asked for and not answered (yet), known of old and asked again, and given up.
_INCOMPLETE, _PROBE, _FAILED = 0x01, 0x10, 0x20


class Hop(t.NamedTuple):
    """The next hop to an address: the device, and the router (None: the address itself is on the link)."""

    device: str
    via: t.Optional[str]
    #: The address is the namespace's own.
    local: bool = False
    #: The neighbour did not say its MAC address.
    silent: bool = False


class Path(t.NamedTuple):
    """What a namespace knows of the way to an address; ``hop`` is None where it has no route."""

    hop: t.Optional[Hop]
    default_route: bool


def path(where: t.Optional[str], address: str) -> Path:
    """Ask the kernel of a namespace (None: our own) for its way to an address."""
    with netns.netlink(where) as ipr:
        family = links.AF_INET6 if ":" in address else links.AF_INET
        everywhere = ("0.0.0.0/0", "::/0")
        return Path(_hop(ipr, family, address), any(way.dst in everywhere for way in links.routes(ipr, family)))


def forwards(device: str, version: int) -> bool:
    """Whether our own namespace forwards what comes in by a device; IPv6 asks one switch for all of them."""
    switch = f"/proc/sys/net/ipv{version}/conf/{device if version == 4 else 'all'}/forwarding"
    try:
        with open(switch, encoding="ascii") as file:
            return file.read().strip() != "0"
    except OSError:  # the device went away
        return True


def _hop(ipr: t.Any, family: int, address: str) -> t.Optional[Hop]:
    try:
        answer = next(iter(ipr.route("get", dst=address, family=family)))
    except Exception as error:
        if netns.refused(error) is None:
            raise
        return None
    if answer["type"] not in (links.UNICAST, links.LOCAL):
        return None
    index = answer.get_attr("RTA_OIF")
    name = next((link.name for link in links.links(ipr).values() if link.index == index), "")
    via = answer.get_attr("RTA_GATEWAY")
    local = answer["type"] == links.LOCAL
    return Hop(name, via, local, not local and _is_silent(ipr, family, index, via or address))


def _is_silent(ipr: t.Any, family: int, index: int, address: str) -> bool:
    wanted = ipaddress.ip_address(address)
    for entry in list(ipr.get_neighbours(family=family, ifindex=index)):
        found = entry.get_attr("NDA_DST")
        if found and entry["ifindex"] == index and ipaddress.ip_address(found) == wanted:
            return bool(entry["state"] & (_INCOMPLETE | _PROBE | _FAILED))
    return False
