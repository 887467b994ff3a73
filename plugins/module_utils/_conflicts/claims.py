# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which addresses the pod network claims: this node's pod CIDRs, the other nodes', and the cluster's.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Address, Interface, Network


class Claim(t.NamedTuple):
    """A CIDR of ours, and what it is in a sentence."""

    cidr: Network
    whose: str

    def __str__(self) -> str:
        return f"{self.whose} {self.cidr}"


class Claims:
    """All that is ours, or about to be."""

    def __init__(self, params: dict[str, t.Any]) -> None:
        own = [_values.network(f"pod_cidrs[{index}]", value) for index, value in enumerate(params["pod_cidrs"])]
        if not own:
            raise OptionError("pod_cidrs", own, "is empty", "give this node's pod CIDRs, like 10.12.1.0/24")
        self.bridge = _values.ifname("bridge", params["bridge"])
        #: What the bridge carries.
        self.gateways: list[Interface] = _each(_values.interface, params, "addresses")
        self.own = [Claim(cidr, "this node's pod CIDR") for cidr in own]
        self.cluster = [Claim(cidr, "the cluster CIDR") for cidr in _each(_values.network, params, "cluster_cidrs")]
        #: The other nodes' addresses, and this node's.
        self.nodes: dict[Address, str] = {}
        self.here: list[Address] = []
        self.others: list[Claim] = []
        for name, node in params["nodes"].items():
            self._take_node(str(name), node, params["self"])
        self._index = {claim.cidr: claim for claim in (*self.others, *self.own)}
        self._lengths = {(cidr.version, cidr.prefixlen) for cidr in self._index}

    def holding(self, wanted: t.Union[Address, Network]) -> t.Optional[Claim]:
        """Return the pod CIDR that an address or a whole network is in."""
        network = ipaddress.ip_network(wanted)
        for version, length in self._lengths:
            if version == network.version and length <= network.prefixlen:
                claim = self._index.get(network.supernet(new_prefix=length))
                if claim:
                    return claim
        return None

    def held_by(self, network: Network) -> t.Optional[Claim]:
        """Return a pod CIDR that a wider network has in it, this node's before others'."""
        if not any(version == network.version and length > network.prefixlen for version, length in self._lengths):
            return None  # there may be thousands of routes, and of nodes
        wide = (claim for claim in (*self.own, *self.others) if _contains(network, claim.cidr))
        return next(wide, None)

    def in_cluster(self, wanted: t.Union[Address, Network]) -> t.Optional[Claim]:
        """Return the cluster CIDR that an address or network touches."""
        network = ipaddress.ip_network(wanted)
        return next((claim for claim in self.cluster if claim.cidr.overlaps(network)), None)

    def is_gateway(self, address: Address) -> bool:
        """Whether the bridge carries an address, so that it is the node itself."""
        return any(gateway.ip == address for gateway in self.gateways)

    def _take_node(self, name: str, node: t.Any, own: t.Optional[str]) -> None:
        path = f"nodes.{name}"
        if not isinstance(node, dict):
            raise OptionError(path, node, "is not a map", "write pod_cidrs and addresses below it")
        given = {"addresses": node.get("addresses", []), "pod_cidrs": node.get("pod_cidrs", [])}
        addresses = _each(_values.address, given, "addresses", f"{path}.")
        cidrs = _each(_values.network, given, "pod_cidrs", f"{path}.")
        if name == own:
            self.here += addresses
            return
        self.nodes.update(dict.fromkeys(addresses, name))
        self.others += [Claim(cidr, f"{name}'s pod CIDR") for cidr in cidrs]


def _each(
    check: t.Callable[[str, t.Any], t.Any], given: t.Mapping[str, t.Any], key: str, above: str = ""
) -> list[t.Any]:
    values = given[key]
    if not isinstance(values, list):
        raise OptionError(f"{above}{key}", values, "is not a list", "write it in square brackets")
    return [check(f"{above}{key}[{index}]", value) for index, value in enumerate(values)]


def _contains(outer: Network, inner: Network) -> bool:
    return outer.prefixlen <= inner.prefixlen and outer.overlaps(inner)
