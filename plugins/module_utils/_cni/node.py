# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A network's configuration against the node it is for: its binaries, its links and its uplink.  Pure.

What is on the node is given as plain values, so every rule can be tried without one.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import keys
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.conf import DEFAULT_BRIDGE, VERSIONS, Network, Part
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.rules import is_gateway, ranges
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Interface

#: Which cniVersions the binary of a plugin type speaks; None where there is no such binary.
Speaks = t.Callable[[str], t.Optional[t.List[str]]]


class Link(t.NamedTuple):
    """A link of the node, as far as the rules ask."""

    name: str
    kind: str
    mtu: int
    addresses: t.List[str] = []
    ports: t.List[str] = []


class Node(t.NamedTuple):
    """A node's links, the name of the one that leads out, and those that must stay as they are, with the reasons."""

    links: t.Dict[str, Link]
    uplink: t.Optional[str]
    precious: t.Mapping[str, str] = {}


def check_binaries(network: Network, speaks: Speaks, bin_dirs: t.Sequence[str], assumed: t.Sequence[str]) -> None:
    """Every plugin is installed (or about to be), and speaks the configuration's version."""
    for part in network.parts:
        wanted = [(f"{part.path}.type", part.type)]
        if "ipam" in part.keys:
            wanted.append((f"{part.path}.ipam.type", part.keys["ipam"]["type"]))
        for path, kind in wanted:
            if kind not in assumed:
                _check_binary(network, path, kind, speaks(kind), bin_dirs)
        if part.type not in assumed:
            _check_release(part, speaks(part.type) or [])


def _check_binary(
    network: Network, path: str, kind: str, spoken: t.Optional[list[str]], bin_dirs: t.Sequence[str]
) -> None:
    if spoken is None:
        raise OptionError(
            path,
            kind,
            f"is no executable in {', '.join(bin_dirs)}",
            "install the plugin (module cni_plugins, or the distribution's package) or correct bin_dirs",
        )
    for version in network.versions:
        if version not in spoken:
            both = [known for known in VERSIONS if known in spoken]
            raise OptionError(
                "config.cniVersion" if version == network.document["cniVersion"] else "config.cniVersions",
                version,
                f"is not spoken by the installed {kind} plugin",
                f"use one of {', '.join(both)}, or install a newer release",
            )


def _check_release(part: Part, spoken: list[str]) -> None:
    for key, version in keys.SINCE.get(part.type, {}).items():
        if key in part.keys and version not in spoken:
            release = "1.6.0" if version == "1.1.0" else "1.0.0"
            raise OptionError(
                f"{part.path}.{key}",
                part.keys[key],
                f"is ignored by the installed {part.type} plugin, which is older than {release}",
                "leave it out, or install a newer release",
            )


def check_node(network: Network, node: Node, consents: bool) -> list[str]:
    """The bridge and its MTU fit the node; return what has to change before pods can start, as warnings."""
    warnings: list[str] = []
    for part in network.parts:
        _check_mtu(part, node)
        if part.type == "bridge":
            _check_bridge_link(part, node)
            warnings += _check_bridge_address(part, node, consents)
    return warnings


def _check_mtu(part: Part, node: Node) -> None:
    mtu, path = part.keys.get("mtu", 0), f"{part.path}.mtu"
    if not isinstance(mtu, int) or not mtu or part.type not in keys.PLUGINS:
        return
    if node.uplink and mtu > node.links[node.uplink].mtu:
        limit = node.links[node.uplink].mtu
        raise OptionError(path, mtu, f"is above the MTU of uplink {node.uplink}", f"use at most {limit}")


def _check_bridge_link(part: Part, node: Node) -> None:
    name = part.keys.get("bridge", DEFAULT_BRIDGE)
    path, link = f"{part.path}.bridge", node.links.get(name)
    if name == node.uplink or name in node.precious:
        reason = "is the node's uplink" if name == node.uplink else node.precious[name]
        raise OptionError(path, name, reason, "use the name of a bridge that is only for pods")
    if link is not None and link.kind != "bridge":
        raise OptionError(path, name, f"is an existing {link.kind} link, not a bridge", "use another name")


def _check_bridge_address(part: Part, node: Node, consents: bool) -> list[str]:
    """The gateway is the address that the bridge has; one without pods can still be changed, by module bridge."""
    link = node.links.get(part.keys.get("bridge", DEFAULT_BRIDGE))
    if link is None or part.keys.get("forceAddress"):
        return []
    carried = [ipaddress.ip_interface(address) for address in link.addresses]
    warnings = []
    for entry in ranges(part):
        other = contradiction(entry.gateway_interface, carried, is_gateway(part))
        if other is None:
            continue
        problem = f"is not the address of {link.name}, which is {other}"
        if link.ports and not consents:
            raise OptionError(
                f"{entry.path}.gateway",
                str(entry.gateway_interface),
                f"{problem}, and {len(link.ports)} ports are on it",
                "set gateway to that address, or remove the pods and change the bridge first",
            )
        warnings.append(
            f"{entry.path}.gateway: {entry.gateway_interface} {problem}; change the bridge before pods start"
        )
    return warnings


def contradiction(gateway: Interface, carried: list[Interface], gives_address: bool) -> t.Optional[Interface]:
    """The address for which the plugin would refuse to add the gateway, or to which pods would not find it."""
    same_family = [address for address in carried if address.version == gateway.version]
    if not gives_address and gateway in same_family:
        return None
    for address in same_family:
        if address == gateway:
            return None
        # IPv4: the plugin takes no second address; without isGateway only an address of the pods' subnet matters.
        if address.network.overlaps(gateway.network) or (gives_address and gateway.version == 4):
            return address
    return None
