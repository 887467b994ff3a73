# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is masqueraded, said without naming a backend.  Pure.

Traffic of this node's own pods leaves with the node's address, unless it goes to an excluded CIDR (the
cluster), to a multicast or link-local address, to the node itself, or out of the pods' own bridge.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

#: Masquerading these is never meant: multicast and link-local addresses do not leave the link.
NEVER = {4: ("224.0.0.0/4", "169.254.0.0/16"), 6: ("ff00::/8", "fe80::/10")}

#: kube-proxy marks what it masquerades itself (--iptables-masquerade-bit, 14 by default).
KUBE_PROXY_MARK = 0x4000


@dataclass(frozen=True)
class Family:
    """The part of one address family; CIDRs are collapsed, so that both backends get the same ones."""

    version: int
    sources: tuple[_values.Network, ...]
    #: What the user excluded, and the sources themselves.
    cluster: tuple[_values.Network, ...]
    #: Every destination that is not masqueraded: the cluster, and what never leaves a link.
    excluded: tuple[_values.Network, ...]


@dataclass(frozen=True)
class RuleSet:
    """The whole desired rule set; only families that have sources are in it."""

    families: tuple[Family, ...]
    bridge: t.Optional[str]
    random_fully: bool

    @property
    def sources(self) -> tuple[_values.Network, ...]:
        """The sources of all families."""
        return tuple(source for family in self.families for source in family.sources)


def build(sources: list[str], exclude: list[str], bridge: t.Optional[str], random_fully: bool) -> RuleSet:
    """Check the options and return the rule set that they describe."""
    if not sources:
        raise OptionError("sources", sources, "is empty", "give this node's pod CIDRs, like 10.12.1.0/24")
    pods = [_source(f"sources[{index}]", value) for index, value in enumerate(sources)]
    others = [_destination(f"exclude[{index}]", value) for index, value in enumerate(exclude)]
    families = [_family(version, pods, others) for version in (4, 6)]
    return RuleSet(
        families=tuple(family for family in families if family.sources),
        bridge=None if bridge is None else _bridge(bridge),
        random_fully=random_fully,
    )


def _family(version: int, pods: list[_values.Network], others: list[_values.Network]) -> Family:
    sources = [network for network in pods if network.version == version]
    excluded = [network for network in others if network.version == version]
    cluster = _collapsed([*sources, *excluded])
    never = map(ipaddress.ip_network, NEVER[version])
    return Family(version, _collapsed(sources), cluster, _collapsed([*cluster, *never]))


def _collapsed(networks: list[_values.Network]) -> tuple[_values.Network, ...]:
    return tuple(ipaddress.collapse_addresses(t.cast("t.List[ipaddress.IPv4Network]", networks)))


def _source(path: str, value: str) -> _values.Network:
    network = _not_mapped(path, value, _values.network(path, value))
    if network.prefixlen == 0:
        raise OptionError(
            path,
            value,
            "is every address, this node's own included",
            "give only this node's pod CIDR, like 10.12.1.0/24",
        )
    return network


def _destination(path: str, value: str) -> _values.Network:
    """An excluded CIDR, or a single address such as a node's."""
    if "/" in value:
        return _not_mapped(path, value, _values.network(path, value))
    return _not_mapped(path, value, ipaddress.ip_network(_values.address(path, value)))


def _not_mapped(path: str, value: str, network: _values.Network) -> _values.Network:
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= 96:
        raise OptionError(
            path,
            value,
            "is an IPv4-mapped IPv6 address, which no packet carries",
            f"write {mapped}/{network.prefixlen - 96}",
        )
    return network


def _bridge(value: str) -> str:
    name = _values.ifname("bridge", value)
    # Both backends would read these as a wildcard or as the end of the quoted name.
    if not re.fullmatch(r"[!-~]+", name) or re.search(r'["\\*+$]', name):
        raise OptionError(
            "bridge", value, "cannot be written as one exact name in a rule", "use letters, digits, '.', '_' and '-'"
        )
    return name
