# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The end of a veth pair that is in a pod's network namespace, with its addresses and routes; run in that namespace.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import ifaddrs, links
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.veth_options import Pair
from ansible_collections.mink8s.podnet.plugins.module_utils._values import MTU_MIN_IPV6, Interface

#: Routes that the kernel makes by itself: for an address, and from router advertisements.
_KERNELS = (2, 9)

_FAMILIES = {4: links.AF_INET, 6: links.AF_INET6}


def wanted(pair: Pair) -> dict[str, list[str]]:
    """Return the addresses and routes of a pair as texts."""
    return {
        "addresses": sorted(map(str, pair.addresses)),
        "routes": sorted(_shown(way.dst, way.via) for way in pair.routes),
    }


def found(ipr: t.Any, link: links.Link, pair: Pair) -> dict[str, list[str]]:
    """Return the addresses and routes that a link has, likewise; an address that gateways need is there as a whole."""
    there = ifaddrs.lasting_of(ipr, link.index)
    cut_off = _cut_off(ipr, link.index, pair, there) if link.up else []
    return {
        "addresses": sorted(str(interface) for interface in there if interface not in cut_off),
        "routes": sorted(_shown(way.dst, way.via) for way in _ways(ipr, link.index)),
    }


def rivals(ipr: t.Any) -> list[links.Route]:
    """Return the routes beside which the kernel makes no other to the same destination."""
    every = [(version, way) for version, family in _FAMILIES.items() for way in links.routes(ipr, family)]
    return [way for version, way in every if way.metric == links.DEFAULT_METRIC[version]]


def require_ipv6(pair: Pair) -> None:
    """Refuse what the kernel would refuse half-way where IPv6 is off."""
    asked = {f"addresses[{index}]": str(each) for index, each in enumerate(pair.addresses)}
    asked.update({f"routes[{index}].dst": way.dst for index, way in enumerate(pair.routes)})
    for option, value in asked.items():
        if ":" in value and ifaddrs.ipv6_is_off(pair.peer):
            remedy = f"set the sysctl net.ipv6.conf.default.disable_ipv6 and that of {pair.peer} to 0 there"
            raise OptionError(f"{pair.option}.{option}", value, f"needs IPv6, which is off in {pair.netns}", remedy)


def require_mtu_for_ipv6(pair: Pair, mtu: int) -> None:
    """Refuse an IPv6 address on a link that keeps an MTU which is too small for it, as the kernel would half-way."""
    for index, each in enumerate(pair.addresses):
        if each.version == 6 and pair.mtu is None and mtu < MTU_MIN_IPV6:
            problem = f"needs an MTU of {MTU_MIN_IPV6}, and {pair.peer} has {mtu}"
            raise OptionError(f"{pair.option}.addresses[{index}]", str(each), problem, f"set {pair.option}.mtu")


def settle(ipr: t.Any, pair: Pair) -> None:
    """Give it what was asked for but routes, and take from it what was not."""
    index = links.index_of(ipr, pair.peer)
    if pair.mtu is not None:
        ipr.link("set", index=index, mtu=pair.mtu)
    ipr.link("set", index=index, state="up")
    there = ifaddrs.lasting_of(ipr, index)
    cut_off = _cut_off(ipr, index, pair, there)
    for interface in (each for each in reversed(there) if each not in pair.addresses or each in cut_off):
        ifaddrs.remove(ipr, index, interface)
    for interface in (each for each in pair.addresses if each not in there or each in cut_off):
        ifaddrs.add(ipr, index, interface)
    asked = wanted(pair)["routes"]
    for way in _ways(ipr, index):
        if _shown(way.dst, way.via) not in asked:
            via = {"gateway": way.via} if way.via else {}
            ipr.route("del", dst=way.dst, oif=index, priority=way.metric, **via)


def add_routes(ipr: t.Any, pair: Pair) -> None:
    """Make the routes that are missing."""
    index = links.index_of(ipr, pair.peer)
    there = [_shown(way.dst, way.via) for way in _ways(ipr, index)]
    # A route to a gateway can only be made when the gateway itself is reached: those without one first.
    for each in sorted(pair.routes, key=lambda each: each.via is not None):
        if _shown(each.dst, each.via) not in there:
            via = {"gateway": each.via} if each.via else {"scope": "link"}
            ipr.route("add", dst=each.dst, oif=index, **via)


def _ways(ipr: t.Any, index: int) -> list[links.Route]:
    return [way for way in _every_way(ipr, index) if way.protocol not in _KERNELS and way.kind == links.UNICAST]


def _every_way(ipr: t.Any, index: int) -> list[links.Route]:
    return [way for family in _FAMILIES.values() for way in links.routes(ipr, family, oif=index)]


def _cut_off(ipr: t.Any, index: int, pair: Pair, there: t.Sequence[Interface]) -> list[Interface]:
    """Return the addresses without the route that the kernel made with them, which somebody removed (ip route flush).

    No gateway in such a network is reached, and the route comes back with the address only.
    """
    gateways = [ipaddress.ip_address(way.via) for way in pair.routes if way.via]
    needed = [each for each in there if any(gateway in each.network for gateway in gateways)]
    kernels = {way.dst for way in _every_way(ipr, index) if way.protocol in _KERNELS} if needed else set()
    return [each for each in needed if str(each.network) not in kernels]


def _shown(dst: str, via: t.Optional[str]) -> str:
    return f"{dst} via {via}" if via else dst
