# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The options of veth pairs, checked.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import netns
from ansible_collections.mink8s.podnet.plugins.module_utils._values import MTU_MAX, MTU_MIN, MTU_MIN_IPV6, Interface


@dataclass(frozen=True)
class Way:
    """A route inside; without ``via`` what it leads to is on the link."""

    dst: str
    via: t.Optional[str]


@dataclass(frozen=True)
class Pair:
    """One pair; ``option`` is where it stands in the options."""

    option: str
    name: str
    peer: str
    netns: str
    path: str
    bridge: t.Optional[str]
    mtu: t.Optional[int]
    addresses: tuple[Interface, ...]
    routes: tuple[Way, ...]


def check(given: t.Sequence[dict[str, t.Any]], present: bool) -> list[Pair]:
    """Check the module's pairs; only their names matter when they are to go."""
    pairs = [_pair(f"pairs[{index}]", options, present) for index, options in enumerate(given)]
    names: set[str] = set()
    ends: set[tuple[str, str]] = set()
    for pair in pairs:
        if pair.name in names:
            raise OptionError(f"{pair.option}.name", pair.name, "is listed twice", "choose another name")
        if present and (pair.path, pair.peer) in ends:
            problem = f"is there twice in {pair.netns}"
            raise OptionError(f"{pair.option}.peer", pair.peer, problem, "choose another peer or netns")
        names.add(pair.name)
        ends.add((pair.path, pair.peer))
    if present:
        _check_routes(pairs)
    return pairs


def _check_routes(pairs: t.Sequence[Pair]) -> None:
    """Refuse what the kernel would refuse half-way: a second route to the same, a gateway that is nowhere near."""
    taken: dict[tuple[str, str], str] = {}
    for pair in pairs:
        for interface in (each for each in pair.addresses if each.version == 4):
            taken.setdefault((pair.path, str(interface.network)), f"its address {interface}")
    for pair in pairs:
        for index, way in enumerate(pair.routes):
            option = f"{pair.option}.routes[{index}]"
            _check_gateway(f"{option}.via", pair, way)
            other = taken.setdefault((pair.path, way.dst), option)
            if other != option:
                problem = f"has a route in {pair.netns} already, {other}"
                raise OptionError(f"{option}.dst", way.dst, problem, "leave one of them out")


def _check_gateway(option: str, pair: Pair, way: Way) -> None:
    via = ipaddress.ip_address(way.via) if way.via else None
    if via is None or (via.version == 6 and via.is_link_local):
        return
    if any(via == interface.ip for interface in pair.addresses):
        raise OptionError(option, way.via, "is the pair's own address", "give the gateway's")
    on_link = [interface.network for interface in pair.addresses]
    on_link += [ipaddress.ip_network(each.dst) for each in pair.routes if each.via is None]
    if not any(via in network for network in on_link):
        remedy = f"give {pair.option} an address beside it, or a route to it without via"
        raise OptionError(option, way.via, "is not on the link", remedy)


def _pair(option: str, given: dict[str, t.Any], present: bool) -> Pair:
    name = _values.ifname(f"{option}.name", given["name"])
    if not present:
        return Pair(option, name, given["peer"], given["netns"] or "", "", None, None, (), ())
    addresses: list[Interface] = []
    for index, value in enumerate(given["addresses"]):
        path = f"{option}.addresses[{index}]"
        addresses.append(_values.assigned(path, value))
        _values.require_one_prefix(path, addresses[-1], addresses, "leave one of them out")
    return Pair(
        option=option,
        name=name,
        peer=_values.ifname(f"{option}.peer", given["peer"]),
        netns=given["netns"],
        path=netns.path_of(f"{option}.netns", given["netns"]),
        bridge=_values.ifname(f"{option}.bridge", given["bridge"]) if given["bridge"] is not None else None,
        mtu=_mtu(f"{option}.mtu", given["mtu"], addresses),
        addresses=tuple(dict.fromkeys(addresses)),
        routes=tuple(_way(f"{option}.routes[{index}]", way) for index, way in enumerate(given["routes"])),
    )


def _way(option: str, given: dict[str, t.Any]) -> Way:
    dst = _values.network(f"{option}.dst", given["dst"])
    if given["via"] is None:
        return Way(str(dst), None)
    via = _values.address(f"{option}.via", given["via"])
    if via.version != dst.version:
        problem = f"is not an IPv{dst.version} address like {dst}"
        raise OptionError(f"{option}.via", given["via"], problem, "use a gateway of the same family")
    return Way(str(dst), str(via))


def _mtu(option: str, mtu: t.Optional[int], addresses: t.Sequence[Interface]) -> t.Optional[int]:
    least = MTU_MIN_IPV6 if any(each.version == 6 for each in addresses) else MTU_MIN
    if mtu is not None and not least <= mtu <= MTU_MAX:
        raise OptionError(option, mtu, "is not an MTU", f"use {least} to {MTU_MAX}")
    return mtu
