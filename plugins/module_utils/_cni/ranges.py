# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""host-local's ranges and routes: what its allocator refuses, and what it accepts and pods then suffer from.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._cni.conf import Part
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Address, Interface, Network


class Range(t.NamedTuple):
    """A range with all that host-local fills in."""

    path: str
    subnet: Network
    first: Address
    last: Address
    gateway: Address

    @property
    def gateway_interface(self) -> Interface:
        """The gateway as the bridge carries it."""
        return ipaddress.ip_interface(f"{self.gateway}/{self.subnet.prefixlen}")

    def overlaps(self, other: Range) -> bool:
        if self.subnet.version != other.subnet.version:
            return False
        return int(self.first) <= int(other.last) and int(other.first) <= int(self.last)


def range_sets(part: Part) -> list[list[Range]]:
    """Check host-local's ranges and return them, a list for each address that a pod gets."""
    path, ipam = f"{part.path}.ipam", part.keys["ipam"]
    sets = [[_range(path, ipam)]] if "subnet" in ipam else []
    _no_half_range(path, ipam)
    for index, entries in enumerate(ipam.get("ranges", [])):
        here = f"{path}.ranges[{index}]"
        if not entries:
            raise OptionError(here, entries, "has no range", "write at least one, with its subnet")
        sets.append([_range(f"{here}[{number}]", entry) for number, entry in enumerate(entries)])
    if not sets:
        raise OptionError(path, ipam, "has no ranges", "add ranges: [[{subnet: 10.12.1.0/24}]]")
    for entries in sets:
        _one_family(entries)
    _no_overlap([entry for entries in sets for entry in entries])
    return sets


def check_routes(part: Part, ranges: t.Sequence[Range]) -> list[str]:
    """Check the routes that pods get; return the paths of the default routes among them."""
    path, defaults = f"{part.path}.ipam.routes", []
    seen: dict[t.Any, str] = {}
    subnets = [entry.subnet for entry in ranges]
    for index, route in enumerate(part.keys["ipam"].get("routes", [])):
        here = f"{path}[{index}]"
        if "dst" not in route:
            raise OptionError(here, route, "has no dst", "add the destination's CIDR")
        _check_route(here, route, subnets)
        target = ipaddress.ip_network(route["dst"])
        key = (target, route.get("table"), route.get("priority"))
        if key in seen:
            what = "two default routes" if target.prefixlen == 0 else "the same route twice"
            raise OptionError(f"{here}.dst", route["dst"], f"gives pods {what} (see {seen[key]})", "leave one out")
        seen[key] = f"{here}.dst"
        if target.prefixlen == 0:
            defaults.append(f"{here}.dst")
    return defaults


def _check_route(path: str, route: dict[str, t.Any], subnets: list[Network]) -> None:
    version = ipaddress.ip_network(route["dst"]).version
    if version not in [subnet.version for subnet in subnets]:
        raise OptionError(
            f"{path}.dst", route["dst"], f"is IPv{version}, which pods have no range of", "add a range or leave it out"
        )
    if "gw" not in route:
        return
    gateway = ipaddress.ip_address(route["gw"])
    if gateway.version != version:
        raise OptionError(f"{path}.gw", route["gw"], f"is not of the family of {route['dst']}", "use one family")
    if not gateway.is_link_local and not any(gateway in subnet for subnet in subnets):
        raise OptionError(
            f"{path}.gw",
            route["gw"],
            "is in no subnet of the pods, so they cannot reach it",
            "use an address of theirs",
        )


def _range(path: str, entry: dict[str, t.Any]) -> Range:
    if "subnet" not in entry:
        raise OptionError(path, entry, "has no subnet", "add the CIDR that pods get addresses of")
    subnet = ipaddress.ip_network(entry["subnet"])
    if subnet.prefixlen > subnet.max_prefixlen - 2:
        raise OptionError(
            f"{path}.subnet",
            entry["subnet"],
            "is too small to hand out addresses",
            f"use a prefix length of at most {subnet.max_prefixlen - 2}",
        )
    gateway = _inside(path, "gateway", entry, subnet) or subnet[1]
    first = _inside(path, "rangeStart", entry, subnet) or subnet[1]
    last = _inside(path, "rangeEnd", entry, subnet) or subnet[-2 if subnet.version == 4 else -1]
    found = Range(path, subnet, first, last, gateway)
    _check_bounds(found, entry)
    return found


def _check_bounds(found: Range, entry: dict[str, t.Any]) -> None:
    if int(found.last) < int(found.first):
        key = "rangeEnd" if "rangeEnd" in entry else "rangeStart"
        raise OptionError(
            f"{found.path}.{key}", entry[key], f"makes the range {found.first}-{found.last}", "swap the two ends"
        )
    if found.first == found.last == found.gateway:
        raise OptionError(found.path, entry, "has no address but the gateway's", "widen it, or move the gateway")


def _inside(path: str, key: str, entry: dict[str, t.Any], subnet: Network) -> t.Optional[Address]:
    """An address of a subnet that a host can have: not the network's, and not IPv4's broadcast address."""
    if key not in entry:
        return None
    found = ipaddress.ip_address(entry[key])
    where = f"{path}.{key}"
    if found not in subnet:
        raise OptionError(where, entry[key], f"is outside {subnet}", "use an address of the subnet")
    if found == subnet[0]:
        raise OptionError(where, entry[key], f"is the network address of {subnet}", f"use {subnet[1]} or a later one")
    if subnet.version == 4 and found == subnet[-1]:
        raise OptionError(
            where, entry[key], f"is the broadcast address of {subnet}", f"use {subnet[-2]} or an earlier one"
        )
    return found


def _no_half_range(path: str, ipam: dict[str, t.Any]) -> None:
    for key in ("rangeStart", "rangeEnd", "gateway"):
        if key in ipam and "subnet" not in ipam:
            raise OptionError(f"{path}.{key}", ipam[key], "stands beside no subnet", "write it into the range")


def _one_family(entries: list[Range]) -> None:
    for entry in entries:
        if entry.subnet.version != entries[0].subnet.version:
            raise OptionError(
                f"{entry.path}.subnet",
                str(entry.subnet),
                f"is of another family than {entries[0].subnet} in the same list",
                "write one list for each family: [[IPv4], [IPv6]]",
            )


def _no_overlap(entries: list[Range]) -> None:
    for index, entry in enumerate(entries):
        for earlier in entries[:index]:
            if entry.overlaps(earlier):
                raise OptionError(
                    f"{entry.path}.subnet",
                    str(entry.subnet),
                    f"overlaps {earlier.subnet} of {earlier.path}",
                    "make the two ranges disjoint",
                )
