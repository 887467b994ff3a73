# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What an inventory says about its nodes: the blocks that they shall have and their own addresses.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

#: Host variables that say a node's address by the way, if they hold an address at all; the first one decides.
BY_THE_WAY = ("node_ip", "ansible_host", "inventory_hostname")

NUMBER = re.compile(r"[0-9]+")
NUMBER_WIDTH = 20


def given_blocks(host: str, variables: t.Mapping[str, t.Any]) -> list[t.Any]:
    """Return the blocks that a host's variables want for it."""
    return items(f"nodes.{host}.pod_cidrs", variables.get("pod_cidr_subnets"))


def given_addresses(host: str, variables: t.Mapping[str, t.Any]) -> list[t.Any]:
    """Return the addresses that a host's variables say, unchecked."""
    explicit = items(f"nodes.{host}.addresses", variables.get("pod_cidr_addresses"))
    return explicit or by_the_way(variables)


def items(path: str, value: t.Any) -> list[t.Any]:
    """Return the items of a list, or of a string that separates them by commas."""
    if value is None:
        return []
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    if isinstance(value, (list, tuple)):
        return list(value)
    raise OptionError(path, value, "is neither text nor a list", "write one item, or a list of them")


def by_the_way(variables: t.Mapping[str, t.Any]) -> list[str]:
    """Return the addresses in the first variable that holds any; loopback is how a forwarded port is reached."""
    for name in BY_THE_WAY:
        texts = str(variables.get(name) or "").split(",")
        found = [text.strip() for text in texts if _is_address(text.strip())]
        if found:
            return found
    return []


def _is_address(text: str) -> bool:
    return _values.is_address(text) and not ipaddress.ip_address(text).is_loopback


def addresses(
    given: t.Mapping[str, t.Sequence[t.Any]], versions: t.Collection[int]
) -> dict[str, list[_values.Address]]:
    """Check the nodes' own addresses: one per family, on no two nodes, and none missing where there are routes."""
    owners: dict[_values.Address, str] = {}
    result = {host: _addresses_of(host, values, owners) for host, values in given.items()}
    for host, found in result.items() if len(result) > 1 else ():
        missing = [version for version in versions if version not in {address.version for address in found}]
        if missing:
            raise OptionError(
                f"nodes.{host}.addresses",
                [str(address) for address in found],
                f"has no IPv{missing[0]} address, which the other nodes' routes need",
                f"set pod_cidr_addresses in the host variables of {host}",
            )
    return result


def _addresses_of(host: str, values: t.Sequence[t.Any], owners: dict[_values.Address, str]) -> list[_values.Address]:
    result: dict[int, _values.Address] = {}
    remedy = f"correct pod_cidr_addresses in the host variables of {host}"
    for index, value in enumerate(values):
        path = f"nodes.{host}.addresses[{index}]"
        found = _values.address(path, value)
        if result.setdefault(found.version, found) is not found:
            raise OptionError(path, str(found), f"is a second IPv{found.version} address", remedy)
        other = owners.setdefault(found, host)
        if other != host:
            raise OptionError(path, str(found), f"is already {other}'s", remedy)
    return list(result.values())


def natural(name: str) -> tuple[str, str]:
    """Sort node2 before node10, whatever their places in the inventory."""
    return NUMBER.sub(lambda found: found[0].zfill(NUMBER_WIDTH), name), name
