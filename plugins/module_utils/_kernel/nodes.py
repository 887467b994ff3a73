# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which pod CIDR is reached by way of which node.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Address, Network


class Way(t.NamedTuple):
    """One pod CIDR of another node, and that node's address of the same family."""

    node: str
    dst: Network
    via: Address
    #: Both as text, and the route's name in a State.
    cidr: str
    hop: str
    route: str
    #: Where the address, and where the pod CIDR stands in the options.
    path: str
    pod_cidr: str


class _Claim(t.NamedTuple):
    """One pod CIDR of any node; ``way`` is None where it is our own."""

    #: Family, address and prefix length, to sort by: a larger CIDR is first; ``ipaddress`` compares slowly.
    place: tuple[int, int, int]
    dst: Network
    node: str
    path: str
    way: t.Optional[Way]


def ways(nodes: t.Mapping[str, t.Any], own: str) -> list[Way]:
    """Check the map of nodes and return the ways to all nodes but our own, IPv4 first, in the order of the CIDRs."""
    if own not in nodes:
        raise OptionError("self", own, "is not in nodes", _values.suggestion(own, map(str, nodes)))
    claims: list[_Claim] = []
    for name, node in nodes.items():
        hops = _hops(f"nodes.{name}", node)
        for index, value in enumerate(_list(f"nodes.{name}", node, "pod_cidrs")):
            path = f"nodes.{name}.pod_cidrs[{index}]"
            dst = _values.network(path, value)
            if dst.prefixlen == 0:
                raise OptionError(path, value, "is every address", "give one node's pod CIDR, like 10.12.1.0/24")
            way = None if name == own else _way(str(name), dst, hops, path)
            claims.append(_Claim((dst.version, int(dst.network_address), dst.prefixlen), dst, str(name), path, way))
    claims.sort(key=lambda claim: claim.place)
    _check_overlaps(claims)
    return [claim.way for claim in claims if claim.way]


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
    cidr = str(dst)
    return Way(name, dst, via, cidr, str(via), f"route {cidr}", where, path)


def _list(path: str, node: t.Any, key: str) -> list[t.Any]:
    if not isinstance(node, dict):
        raise OptionError(path, node, "is not a map", "write pod_cidrs and addresses below it")
    value = node.get(key, [])
    if not isinstance(value, list):
        raise OptionError(f"{path}.{key}", value, "is not a list", "write it in square brackets")
    return value


def _check_overlaps(claims: list[_Claim]) -> None:
    """Sorted by address, a CIDR can only overlap the widest-reaching one before it, which is the one before it."""
    last: t.Optional[_Claim] = None
    following = (0, 0)
    for claim in claims:
        version, first, prefix = claim.place
        if last and (version, first) < following:
            how = "is already" if claim.dst == last.dst else f"is inside {last.dst}, which is"
            remedy = f"give {claim.node} another pod CIDR"
            raise OptionError(claim.path, str(claim.dst), f"{how} {last.node}'s", remedy)
        last, following = claim, (version, first + (1 << claim.dst.max_prefixlen - prefix))
