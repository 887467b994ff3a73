# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The options of a bridge, checked.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils import _persist, _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import netns
from ansible_collections.mink8s.podnet.plugins.module_utils._values import MTU_MAX, MTU_MIN, MTU_MIN_IPV6, Interface


@dataclass(frozen=True)
class Port:
    """A link that is plugged into the bridge; None leaves a flag as it is."""

    name: str
    hairpin: t.Optional[bool]
    isolated: t.Optional[bool]


@dataclass(frozen=True)
class Wanted:
    """The options, checked."""

    name: str
    present: bool
    addresses: tuple[Interface, ...]
    mac: t.Optional[str]
    mtu: t.Union[int, str]
    uplink: t.Optional[str]
    ports: tuple[Port, ...]
    stp: t.Optional[bool]
    netns: t.Optional[str]
    exclusive: bool
    persist: t.Optional[str]


def check(params: dict[str, t.Any]) -> Wanted:
    """Check the module's options; pure."""
    addresses = _addresses(params["addresses"])
    return Wanted(
        name=_values.ifname("bridge.name", params["name"]),
        present=params["state"] == "present",
        addresses=addresses,
        mac=_mac(params["mac"]),
        mtu=_mtu(params["mtu"], addresses),
        uplink=_values.ifname("bridge.uplink", params["uplink"]) if params["uplink"] is not None else None,
        ports=_ports(params["ports"], params["name"]),
        stp=params["stp"],
        netns=netns.path_of("bridge.netns", params["netns"]) if params["netns"] is not None else None,
        exclusive=params["exclusive_addresses"],
        persist=_persisted(params),
    )


def _persisted(params: dict[str, t.Any]) -> t.Optional[str]:
    if params["persist"] is None:
        return None
    path = _persist.absolute("bridge.persist", params["persist"], "/etc/podnet/bridge")
    if params["netns"] is not None:
        raise OptionError("bridge.persist", path, "has no meaning with bridge.netns", "no namespace survives a reboot")
    _persist.batch_word("bridge.name", params["name"])
    for index, port in enumerate(params["ports"]):
        _persist.batch_word(f"bridge.ports[{index}].name", port["name"])
    return path


def stable_mac(name: str, addresses: t.Sequence[Interface]) -> str:
    """Return the MAC address that this bridge has on every run and after every reboot.

    A bridge without one of its own takes its ports' smallest, so pods that come and go would change it,
    and everybody's neighbour entries for the gateway with it.
    """
    for interface in addresses:
        if interface.version == 4:
            tail = interface.ip.packed
            break
    else:
        tail = hashlib.sha256(str(addresses[0].ip if addresses else name).encode()).digest()[:4]
    return ":".join(f"{byte:02x}" for byte in b"\x0a\x58" + tail)


def _addresses(given: t.Sequence[t.Any]) -> tuple[Interface, ...]:
    found: list[Interface] = []
    for index, value in enumerate(given):
        path = f"bridge.addresses[{index}]"
        interface = _values.assigned(path, value)
        if interface.version == 4 and any(each.version == 4 for each in found):
            raise OptionError(path, value, "is a second IPv4 address", "the CNI plugin bridge allows one; leave it out")
        prefix = interface.network.prefixlen
        if interface.ip == interface.network.network_address and prefix < interface.max_prefixlen - 1:
            example = ipaddress.ip_interface(f"{interface.ip + 1}/{prefix}")
            raise OptionError(path, value, "is the network's own address", f"write a host's, like {example}")
        _values.require_one_prefix(path, interface, found, "leave one of them out")
        found += [interface] if interface not in found else []
    return tuple(found)


def _mac(given: t.Optional[str]) -> t.Optional[str]:
    if given is None:
        return None
    mac = given.lower()
    if not re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", mac):
        raise OptionError("bridge.mac", given, "is not a MAC address", "write it like 0a:58:0a:0c:01:01")
    if int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00":
        raise OptionError(
            "bridge.mac", given, "is not the address of one link", "the first byte must be even, as in 0a"
        )
    return mac


def _mtu(given: str, addresses: t.Sequence[Interface]) -> t.Union[int, str]:
    if given in ("auto", "kernel"):
        return given
    least = MTU_MIN_IPV6 if any(each.version == 6 for each in addresses) else MTU_MIN
    if not given.isascii() or not given.isdigit() or not least <= int(given) <= MTU_MAX:
        raise OptionError("bridge.mtu", given, "is not an MTU", f"use auto, kernel or {least} to {MTU_MAX}")
    return int(given)


def _ports(given: t.Sequence[dict[str, t.Any]], bridge: str) -> tuple[Port, ...]:
    found: dict[str, Port] = {}
    for index, port in enumerate(given):
        path = f"bridge.ports[{index}].name"
        name = _values.ifname(path, port["name"])
        if name == bridge:
            raise OptionError(path, name, "is the bridge itself", "leave it out")
        if name in found:
            raise OptionError(path, name, "is listed twice", "leave one of them out")
        found[name] = Port(name, port["hairpin"], port["isolated"])
    return tuple(found.values())
