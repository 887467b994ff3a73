# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which pod CIDR is reached by way of which node.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from functools import cached_property

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Address, Network


@dataclass(frozen=True)
class Way:
    """One pod CIDR of another node, and that node's address of the same family."""

    node: str
    dst: Network
    via: Address
    #: Where the address, and where the pod CIDR stands in the options.
    path: str
    pod_cidr: str

    @cached_property
    def route(self) -> str:
        """The route's name in a State."""
        return f"route {self.dst}"

    @cached_property
    def hop(self) -> str:
        """The address as text."""
        return str(self.via)


def ways(nodes: t.Mapping[str, t.Any], own: str) -> list[Way]:
    """Check the map of nodes and return the ways to all nodes but our own, IPv4 first, in the order of the CIDRs."""
    if own not in nodes:
        raise OptionError("self", own, "is not in nodes", _values.suggestion(own, map(str, nodes)))
    claims: list[tuple[Network, str, str]] = []
    found: list[Way] = []
    for name, node in nodes.items():
        hops = _hops(f"nodes.{name}", node)
        for index, value in enumerate(_list(f"nodes.{name}", node, "pod_cidrs")):
            path = f"nodes.{name}.pod_cidrs[{index}]"
            dst = _values.network(path, value)
            if dst.prefixlen == 0:
                raise OptionError(path, value, "is every address", "give one node's pod CIDR, like 10.12.1.0/24")
            claims.append((dst, str(name), path))
            if name != own:
                found.append(_way(str(name), dst, hops, path))
    _check_overlaps(claims)
    return sorted(found, key=lambda way: _place(way.dst))


def _hops(path: str, node: t.Any) -> dict[int, tuple[Address, str]]:
    """Return a node's address per family, each with its option's path."""
    found: dict[int, tuple[Address, str]] = {}
    for index, value in enumerate(_list(path, node, "addresses")):
        here = f"{path}.addresses[{index}]"
        address = _values.address(here, value)
        if "%" in str(value):
            raise OptionError(here, value, "names a link", "write the address alone, and the link as device")
        if address.version in found:
            problem = f"is a second IPv{address.version} address"
            raise OptionError(here, value, problem, "keep the one that the other nodes can reach directly")
        found[address.version] = (address, here)
    return found


def _way(name: str, dst: Network, hops: dict[int, tuple[Address, str]], path: str) -> Way:
    if dst.version not in hops:
        problem = f"cannot be routed, {name} has no IPv{dst.version} address"
        raise OptionError(path, str(dst), problem, f"add one to nodes.{name}.addresses")
    via, where = hops[dst.version]
    return Way(name, dst, via, where, path)


def _list(path: str, node: t.Any, key: str) -> list[t.Any]:
    if not isinstance(node, dict):
        raise OptionError(path, node, "is not a map", "write pod_cidrs and addresses below it")
    value = node.get(key, [])
    if not isinstance(value, list):
        raise OptionError(f"{path}.{key}", value, "is not a list", "write it in square brackets")
    return value


def _place(dst: Network) -> tuple[int, int, int]:
    """Sort by family and address, the larger one first; by numbers, as ``ipaddress`` compares slowly."""
    return dst.version, int(dst.network_address), dst.prefixlen


def _check_overlaps(claims: list[tuple[Network, str, str]]) -> None:
    """Sorted by address, a CIDR can only overlap the widest-reaching one before it, which is the one before it."""
    last: t.Optional[tuple[Network, str, str]] = None
    following = (0, 0)
    for claim in sorted(claims, key=lambda claim: _place(claim[0])):
        dst, name, path = claim
        version, first, prefix = _place(dst)
        if last and (version, first) < following:
            problem = f"is already {last[1]}'s" if dst == last[0] else f"is inside {last[0]}, which is {last[1]}'s"
            raise OptionError(path, str(dst), problem, f"give {name} another pod CIDR")
        last, following = claim, (version, first + (1 << dst.max_prefixlen - prefix))
