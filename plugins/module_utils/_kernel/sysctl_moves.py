# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Settings that move others when they are set.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

#: Setting one of these sets the same of every interface (inet_forward_change in net/ipv4/devinet.c; in
#: net/ipv6/addrconf.c addrconf_sysctl_addr_gen_mode, addrconf_disable_ipv6, addrconf_sysctl_force_forwarding,
#: addrconf_fixup_forwarding and addrconf_fixup_linkdown).
GLOBAL = {
    "net/ipv4/ip_forward": "net/ipv4/conf/{}/forwarding",
    "net/ipv4/conf/all/forwarding": "net/ipv4/conf/{}/forwarding",
    "net/ipv6/conf/all/addr_gen_mode": "net/ipv6/conf/{}/addr_gen_mode",
    "net/ipv6/conf/all/disable_ipv6": "net/ipv6/conf/{}/disable_ipv6",
    "net/ipv6/conf/all/force_forwarding": "net/ipv6/conf/{}/force_forwarding",
    "net/ipv6/conf/all/forwarding": "net/ipv6/conf/{}/forwarding",
    "net/ipv6/conf/all/ignore_routes_with_linkdown": "net/ipv6/conf/{}/ignore_routes_with_linkdown",
}

#: What leaves traces on every interface, even for a moment, unless it is this value: an interface without IPv6 loses
#: its addresses (addrconf_ifdown), one with another way to make an address gets one more (addrconf_init_auto_addrs).
TRACES = {"net/ipv6/conf/all/disable_ipv6": "0", "net/ipv6/conf/all/addr_gen_mode": "1"}

#: Second names of settings (ipv4_net_table in net/ipv4/sysctl_net_ipv4.c and devinet_sysctl_init; nf_ct_netfilter_table
#: in net/netfilter/nf_conntrack_standalone.c).
_SECOND = {
    "net/ipv4/conf/all/forwarding": "net/ipv4/ip_forward",
    "net/nf_conntrack_max": "net/netfilter/nf_conntrack_max",
}

#: A node that forwards does not accept redirects, one that does not does (inet_forward_change in net/ipv4/devinet.c).
_REDIRECTS = "net/ipv4/conf/all/accept_redirects"

#: It is lost when the node stops forwarding (addrconf_forward_change in net/ipv6/addrconf.c) ...
_FORWARDING, _FORCED = "net/ipv6/conf/all/forwarding", "net/ipv6/conf/{}/force_forwarding"
#: ... on the interfaces only.
_STAYS = (_FORCED.format("all"), _FORCED.format("default"))


def one(key: str) -> str:
    """Return the first name of a setting, which may have two."""
    return _SECOND.get(key, key)


def moved_to(key: str, other: str, value: str) -> t.Optional[str]:
    """Return what ``key`` becomes when ``other`` is set to ``value``, None where it stays what it is."""
    if other not in GLOBAL or key == other or key in _STAYS:
        return None
    if _is_one_of(key, GLOBAL[other]):
        return value
    if key == _REDIRECTS and other.startswith("net/ipv4/"):
        return "1" if value == "0" else "0"
    return "0" if other == _FORWARDING and value == "0" and _is_one_of(key, _FORCED) else None


def is_moved_by(key: str, other: str) -> bool:
    """Whether setting ``other`` to something moves ``key``."""
    return any(moved_to(key, other, value) is not None for value in ("0", "1"))


def consequences(key: str, value: str, interfaces: t.Iterable[str]) -> dict[str, str]:
    """Return which other settings the kernel sets, and to what, when ``key`` is set to ``value``."""
    if key not in GLOBAL:
        return {}
    others = [pattern.format(name) for name in interfaces for pattern in (GLOBAL[key], _FORCED)]
    found = {each: moved_to(each, key, value) for each in (*others, _REDIRECTS)}
    return {each: to for each, to in found.items() if to is not None}


def ordered(keys: t.Iterable[str]) -> list[str]:
    """Return the keys once each, those first that move others."""
    # accept_ra even before: what the kernel forgets when forwarding begins does not come back.
    return sorted(
        dict.fromkeys(keys),
        key=lambda key: (
            not key.endswith("/accept_ra"),
            key not in GLOBAL,
            _is_one_of(key, _FORCED),
            "/default/" not in key,
            key,
        ),
    )


def _is_one_of(key: str, pattern: str) -> bool:
    head, _name, tail = pattern.partition("{}")
    return key.startswith(head) and key.endswith(tail)
