# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Settings that move others when they are set.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

#: Setting one of these sets the same of every interface (net/ipv4/devinet.c, net/ipv6/addrconf.c).
GLOBAL = {
    "net/ipv4/ip_forward": "net/ipv4/conf/{}/forwarding",
    "net/ipv4/conf/all/forwarding": "net/ipv4/conf/{}/forwarding",
    "net/ipv6/conf/all/forwarding": "net/ipv6/conf/{}/forwarding",
}

#: Two names of one setting (ipv4_net_table in net/ipv4/sysctl_net_ipv4.c, devinet_sysctl_init).
SAME = {
    "net/ipv4/ip_forward": "net/ipv4/conf/all/forwarding",
    "net/ipv4/conf/all/forwarding": "net/ipv4/ip_forward",
}

#: A node that forwards does not accept redirects, one that does not does (inet_forward_change in net/ipv4/devinet.c).
_REDIRECTS = "net/ipv4/conf/all/accept_redirects"


def consequences(key: str, value: str, interfaces: t.Iterable[str]) -> dict[str, str]:
    """Return which other settings the kernel sets, and to what, when ``key`` is set to ``value``."""
    if key not in GLOBAL:
        return {}
    found = {GLOBAL[key].format(name): value for name in interfaces if GLOBAL[key].format(name) != key}
    if key.startswith("net/ipv4/"):
        found[_REDIRECTS] = "1" if value == "0" else "0"
    return found


def is_moved_by(key: str, other: str) -> bool:
    """Whether setting ``other`` moves ``key``."""
    head, _name, tail = GLOBAL.get(other, "").partition("{}")
    if not head or key == other:
        return False
    return (key.startswith(head) and key.endswith(tail)) or (key == _REDIRECTS and other.startswith("net/ipv4/"))


def ordered(keys: t.Iterable[str]) -> list[str]:
    """Return the keys once each, those first that move others."""
    # accept_ra even before: what the kernel forgets when forwarding begins does not come back.
    return sorted(
        dict.fromkeys(keys),
        key=lambda key: (not key.endswith("/accept_ra"), key not in GLOBAL, "/default/" not in key, key),
    )
