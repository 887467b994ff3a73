# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The blocks of equal size that a cluster CIDR is cut into.  Pure.

A block is a number, 0 is the first one: a cluster of 65,536 nodes is allocated with integers in sorted intervals, and
an ``ipaddress`` object is made only of what a person wrote and for what goes wrong.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import bisect
import ipaddress
import socket
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

#: Version, first and last address of a range, and what it is as an error says it.
Range = t.Tuple[int, int, int, str]

FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
PREFIX_OPTIONS = {4: "node_prefix", 6: "node_prefix_ipv6"}

#: host-local finds no address in anything smaller (Network ... too small to allocate from).
HOST_BITS_MIN = 2

#: No pod can be reached at such an address.
UNUSABLE = [
    ipaddress.ip_network(text)
    for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "::/127", "fe80::/10", "ff00::/8")
]


class Blocks:
    """The blocks of one family; ``path`` is the option that gave the cluster CIDR."""

    def __init__(self, path: str, cidr: t.Any, prefixes: t.Mapping[int, int]) -> None:
        self.path, self.network = path, _values.network(path, cidr)
        self.version = self.network.version
        self.prefix = prefixes[self.version]
        self._check(PREFIX_OPTIONS[self.version])
        self.count = 1 << (self.prefix - self.network.prefixlen)
        # Said once, for tens of thousands of blocks.
        self._family, self._length = FAMILIES[self.version], str(self.prefix)
        self._base, self._bytes = int(self.network.network_address), self.network.max_prefixlen // 8
        self._shift = self.network.max_prefixlen - self.prefix
        self._reserved: list[tuple[int, int, str]] = []
        self._merged: list[tuple[int, int]] = []

    def _check(self, option: str) -> None:
        if any(same_family(self.network, bad) and self.network.overlaps(bad) for bad in UNUSABLE):
            raise OptionError(self.path, str(self.network), "has addresses that no pod can have", "use a private CIDR")
        first, last = self.network.prefixlen, self.network.max_prefixlen - HOST_BITS_MIN
        if not first <= self.prefix <= last:
            raise OptionError(
                option, self.prefix, f"cuts no blocks out of {self.network}", f"use a number from {first} to {last}"
            )

    def cidr(self, block: int) -> str:
        """Return a block as text, spelled as everybody spells it."""
        packed = (self._base + (block << self._shift)).to_bytes(self._bytes, "big")
        return f"{socket.inet_ntop(self._family, packed)}/{self._length}"

    def block(self, path: str, value: t.Any, remedy: str) -> int:
        """Return the number of the block that ``value`` spells."""
        address, _slash, prefix = str(value).partition("/")
        try:
            distance = int.from_bytes(socket.inet_pton(self._family, address), "big") - self._base
        except (OSError, ValueError):
            distance = -1
        block = distance >> self._shift
        # All that is not spelled plainly and right takes the long way, which knows the sentences.
        if prefix == self._length and 0 <= block < self.count and block << self._shift == distance:
            return block
        return self._block_of(path, _values.network(path, value), remedy)

    def _block_of(self, path: str, network: _values.Network, remedy: str) -> int:
        if not (same_family(network, self.network) and network.subnet_of(self.network)):  # type: ignore[arg-type]
            raise OptionError(path, str(network), f"is outside the cluster CIDR {self.network}", remedy)
        if network.prefixlen != self.prefix:
            option = f"{PREFIX_OPTIONS[self.version]} {self.prefix}"
            raise OptionError(path, str(network), f"is not as large as the other nodes' ({option})", remedy)
        return (int(network.network_address) - self._base) >> self._shift

    def reserve(self, ranges: t.Iterable[Range]) -> None:
        """Give no block to a node that overlaps one of these ranges."""
        for version, first, last, name in ranges:
            block = max((first - self._base) >> self._shift, 0)
            last_block = min((last - self._base) >> self._shift, self.count - 1)
            if version == self.version and block <= last_block:
                self._reserved.append((block, last_block, name))
        self._merged = merge((first, last) for first, last, _name in self._reserved)

    def reserved_by(self, block: int) -> str:
        """Return the name of a reserved range that the block overlaps, or nothing."""
        at = bisect.bisect_right(self._merged, (block, self.count)) - 1
        if at < 0 or self._merged[at][1] < block:
            return ""
        return next(name for first, last, name in self._reserved if first <= block <= last)

    def free(self, taken: t.Iterable[int]) -> t.Iterator[int]:
        """Yield the blocks that are neither reserved nor taken, the first one first."""
        following = 0
        for first, last in merge([*self._merged, *((block, block) for block in taken)]):
            yield from range(following, first)
            following = last + 1
        yield from range(following, self.count)


def cut(cluster_cidrs: t.Sequence[t.Any], prefixes: t.Mapping[int, int]) -> dict[int, Blocks]:
    """Cut the cluster CIDRs into blocks, by family, in the order in which they are given."""
    families: dict[int, Blocks] = {}
    for index, cidr in enumerate(cluster_cidrs):
        blocks = Blocks(f"cluster_cidrs[{index}]", cidr, prefixes)
        other = families.setdefault(blocks.version, blocks)
        if other is not blocks:
            raise OptionError(
                blocks.path, cidr, f"is a second one of IPv{blocks.version} beside {other.network}", "give one of each"
            )
    if not families:
        raise OptionError("cluster_cidrs", cluster_cidrs, "names no CIDR", "give one like 10.12.0.0/16")
    return families


def merge(intervals: t.Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the same numbers in sorted intervals that neither overlap nor touch."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def same_family(one: _values.Network, other: _values.Network) -> bool:
    """Whether both are of one family; ``ipaddress`` refuses to compare them otherwise."""
    return one.version == other.version


def span(name: str, found: t.Union[_values.Address, _values.Network]) -> Range:
    """Return an address or a CIDR as a range."""
    if isinstance(found, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
        return found.version, int(found), int(found), f"{name} {found}"
    return found.version, int(found.network_address), int(found.broadcast_address), f"{name} {found}"
