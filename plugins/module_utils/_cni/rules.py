# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the keys of a network's configuration mean together: what plugins refuse only when a pod starts.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import keys
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.conf import VERSIONS, Network, Part
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.ranges import Range, check_routes, range_sets
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._values import MTU_MIN_IPV6

#: Below these versions of the specification the plugin refuses every call.
MINIMUM = {"firewall": "0.4.0", "bandwidth": "0.3.0", "vrf": "0.3.1"}

#: kube-proxy's own marks, which portmap must not use.
KUBERNETES_MARK_BITS = (14, 15)

#: tc takes a burst of up to 2^32 - 1 bytes; the key counts bits.
BURST_MAX = (2**32 - 1) * 8 - 1


def check(network: Network) -> None:
    """Refuse a configuration with which pods would fail to start, or start without what was asked for."""
    for index, part in enumerate(network.parts):
        _check_position(network.parts, index)
        _check_minimum(network, part)
        RULES.get(part.type, _no_rule)(part)
        _check_addresses(network, part)
    _check_policy(network.parts)


def _no_rule(part: Part) -> None:
    """A plugin whose keys have no rule between them."""


def _check_position(parts: list[Part], index: int) -> None:
    part = parts[index]
    if index == 0 and part.type in keys.CHAINED:
        raise OptionError(
            f"{part.path}.type", part.type, "works on what an earlier plugin made", "put it after the main plugin"
        )


def _check_minimum(network: Network, part: Part) -> None:
    minimum = MINIMUM.get(part.type, VERSIONS[0])
    for version in network.versions:
        if VERSIONS.index(version) < VERSIONS.index(minimum):
            path = "config.cniVersion" if version == network.document["cniVersion"] else "config.cniVersions"
            raise OptionError(path, version, f"is not spoken by the {part.type} plugin", f"use {minimum} or later")


def _check_bridge(part: Part) -> None:
    path, conf = part
    if conf.get("hairpinMode") and conf.get("promiscMode"):
        raise OptionError(f"{path}.promiscMode", True, "excludes hairpinMode", "leave one of them out")
    if conf.get("disableContainerInterface"):
        if "ipam" in conf:
            raise OptionError(f"{path}.ipam", conf["ipam"], "excludes disableContainerInterface", "leave one out")
    elif "ipam" not in conf:
        raise OptionError(path, sorted(conf), "has no ipam, so pods would get no address", "add ipam")
    if conf.get("preserveDefaultVlan") and not (conf.get("vlan") or conf.get("vlanTrunk")):
        raise OptionError(f"{path}.preserveDefaultVlan", True, "does nothing without vlan or vlanTrunk", "leave it out")
    if "ipMasqBackend" in conf and not conf.get("ipMasq"):
        raise OptionError(f"{path}.ipMasqBackend", conf["ipMasqBackend"], "does nothing without ipMasq", "leave it out")
    for index, entry in enumerate(conf.get("vlanTrunk", [])):
        _check_trunk(f"{path}.vlanTrunk[{index}]", entry)


def _check_trunk(path: str, entry: dict[str, int]) -> None:
    if not entry or ("minID" in entry) != ("maxID" in entry):
        raise OptionError(path, entry, "is not a range of VLANs", "write minID and maxID, or id")
    if entry.get("minID", 0) > entry.get("maxID", 0):
        raise OptionError(path, entry, "has a minID above its maxID", "swap the two")


def _check_portmap(part: Part) -> None:
    path, conf = part
    _require_capability(part, "portMappings")
    if conf.get("markMasqBit") in KUBERNETES_MARK_BITS:
        raise OptionError(f"{path}.markMasqBit", conf["markMasqBit"], "is kube-proxy's", "use another bit, as 13")
    if "markMasqBit" in conf and "externalSetMarkChain" in conf:
        raise OptionError(
            f"{path}.externalSetMarkChain",
            conf["externalSetMarkChain"],
            "excludes markMasqBit",
            "leave one of them out",
        )
    if conf.get("backend") != "nftables":
        return
    if "externalSetMarkChain" in conf:
        raise OptionError(
            f"{path}.externalSetMarkChain", conf["externalSetMarkChain"], "needs backend: iptables", "leave it out"
        )
    for key in ("conditionsV4", "conditionsV6"):
        for index, word in enumerate(conf.get(key, [])[:1]):
            if word[0] in "-!":
                raise OptionError(f"{path}.{key}[{index}]", word, "is iptables' language", "write nft's")


def _check_bandwidth(part: Part) -> None:
    path, conf = part
    for way in ("ingress", "egress"):
        rate, burst = conf.get(f"{way}Rate", 0), conf.get(f"{way}Burst", 0)
        if bool(rate) != bool(burst):
            here, there = ("Rate", "Burst") if rate else ("Burst", "Rate")
            raise OptionError(
                f"{path}.{way}{here}", rate or burst, f"needs {way}{there}", "set both of them or neither"
            )
        if burst > BURST_MAX:
            raise OptionError(f"{path}.{way}Burst", burst, "is more than 4 GiB", f"use at most {BURST_MAX} (bits)")
    if not any(key.endswith("Rate") and conf[key] for key in conf):
        _require_capability(part, "bandwidth")


def _require_capability(part: Part, name: str) -> None:
    given = part.keys.get("capabilities", {})
    if not given.get(name):
        raise OptionError(
            f"{part.path}.capabilities",
            given,
            f"lacks {name}, so the {part.type} plugin would do nothing",
            f"add {name}: true",
        )


RULES: dict[str, t.Callable[[Part], None]] = {
    "bridge": _check_bridge,
    "portmap": _check_portmap,
    "bandwidth": _check_bandwidth,
}


def ranges(part: Part) -> list[Range]:
    """All ranges of a plugin whose addresses host-local manages."""
    if part.keys.get("ipam", {}).get("type") != "host-local":
        return []
    return [entry for entries in range_sets(part) for entry in entries]


def _check_addresses(network: Network, part: Part) -> None:
    found = ranges(part)
    if not found:
        return
    defaults = check_routes(part, found)
    _check_mtu(part, found)
    sets = range_sets(part)
    for version in (4, 6):
        several = [entries[0] for entries in sets if entries[0].subnet.version == version][1:]
        if several and VERSIONS.index(network.versions[0]) < VERSIONS.index("0.3.0"):
            raise OptionError(
                several[0].path, str(several[0].subnet), f"is a second IPv{version} address", "use cniVersion 0.3.0"
            )
    if part.type == "bridge":
        _check_gateways(part, found, defaults)


def _check_mtu(part: Part, found: list[Range]) -> None:
    mtu = part.keys.get("mtu", 0)
    if isinstance(mtu, int) and 0 < mtu < MTU_MIN_IPV6 and any(entry.subnet.version == 6 for entry in found):
        raise OptionError(f"{part.path}.mtu", mtu, "is too small for IPv6", f"use at least {MTU_MIN_IPV6}")


def _check_gateways(part: Part, found: list[Range], defaults: list[str]) -> None:
    if defaults and part.keys.get("isDefaultGateway"):
        raise OptionError(
            f"{part.path}.isDefaultGateway",
            True,
            f"gives pods two default routes (see {defaults[0]})",
            "leave one of them out",
        )
    if not is_gateway(part) or part.keys.get("forceAddress"):
        return
    first: dict[int, Range] = {}
    for entry in found:
        other = first.setdefault(entry.subnet.version, entry)
        if entry.subnet.version == 4 and entry.gateway_interface != other.gateway_interface:
            raise OptionError(
                f"{entry.path}.gateway",
                str(entry.gateway_interface),
                f"is a second IPv4 address of the bridge beside {other.gateway_interface}",
                "use one subnet for each family, or leave out isGateway",
            )


def is_gateway(part: Part) -> bool:
    """Whether the bridge plugin gives the pods' gateway address to its bridge."""
    return bool(part.keys.get("isGateway") or part.keys.get("isDefaultGateway"))


def _check_policy(parts: list[Part]) -> None:
    for part in parts:
        policy = part.keys.get("ingressPolicy", "open")
        if part.type == "firewall" and policy != "open" and parts[0].type != "bridge":
            raise OptionError(
                f"{part.path}.ingressPolicy", policy, f"needs a bridge, not {parts[0].type}", "use ingressPolicy: open"
            )
