# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A node that begins to forward IPv6 must not lose the default route that a router advertises to it.

The kernel takes a forwarding node for a router: it forgets advertised default routes and learns no more of
them, unless the interface's accept_ra is 2 (net/ipv6/route.c, rt6_purge_dflt_routers).

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.sysctl_files import Record

FORWARDING = "net/ipv6/conf/all/forwarding"
ROUTES = "/proc/net/ipv6_route"

#: linux/ipv6_route.h: a default route, and one that was learnt from an advertisement.
_ADVERTISED = 0x00010000 | 0x00040000
_FLAGS = re.compile(r"[0-9a-fA-F]{8}")
_KEY = re.compile(r"net/ipv6/conf/(?!(?:all|default)/)[^/]+/accept_ra")


def settings(
    given: t.Mapping[str, str], record: Record, value_of: t.Callable[[str], t.Optional[str]]
) -> dict[str, str]:
    """Return the settings that keep advertised default routes, where ``given`` makes the node forward IPv6."""
    if given.get(FORWARDING) != "1":
        return {}
    # Where it is our doing that the value is 2, it stays so: the route may be away for a moment.
    ours = [key for key in _ours(record) if value_of(key) is not None]
    new = [key for key in map("net/ipv6/conf/{}/accept_ra".format, _advertised_on()) if value_of(key) == "1"]
    return {key: "2" for key in [*ours, *new] if key not in given}


def stay(given_back: t.Mapping[str, str], record: Record, value_of: t.Callable[[str], t.Optional[str]]) -> list[str]:
    """Return what stays 2 because the node goes on forwarding IPv6 when all is given back, as it did not before us."""
    if given_back.get(FORWARDING) != "1" or record.before.get(FORWARDING) == "1":
        return []
    return [key for key in _ours(record) if value_of(key) == "2" and given_back.get(key) == "1"]


def _ours(record: Record) -> list[str]:
    # We make it 2 only on an interface where it was 1; all else was the user's wish, and is given back.
    twos = [key for key, value in record.settings.items() if value == "2" and record.before.get(key) == "1"]
    return [key for key in twos if _KEY.fullmatch(key)]


def _advertised_on() -> list[str]:
    try:
        with open(ROUTES, encoding="ascii") as file:
            return advertised_on(file.read())
    except FileNotFoundError:  # no IPv6
        return []


def advertised_on(text: str) -> list[str]:
    """Return the interfaces that have an advertised default route, from the text of /proc/net/ipv6_route."""
    routes = [line.split() for line in text.splitlines()]
    known = [route for route in routes if len(route) > 9 and _FLAGS.fullmatch(route[8])]
    return sorted({route[9] for route in known if int(route[8], 16) & _ADVERTISED == _ADVERTISED})
