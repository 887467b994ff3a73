# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which keys each CNI plugin reads, and what type each has: the plugins' own structures, as tables.  Pure.

From the sources of containernetworking/plugins up to v1.9.1.  A plugin that is not here may be used; its keys
cannot be checked.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._cni.schema import (
    Check,
    absolute_path,
    boolean,
    choice,
    integer,
    list_of,
    mac,
    map_of,
    mapping,
    not_reserved,
    record,
    string,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._values import MTU_MAX, MTU_MIN, address, ifname, network

#: Plugins that work on what an earlier plugin of the list made.
CHAINED = ("portmap", "firewall", "tuning", "bandwidth")

#: iptables takes chain names of up to 28 characters.
CHAIN_MAX = 28

INT32_MAX = 2**31 - 1
UINT64_MAX = 2**64 - 1


def mtu(path: str, value: t.Any) -> int:
    """0, which leaves it to the kernel, or an MTU that the kernel takes."""
    number = integer(0, MTU_MAX)(path, value)
    if 0 < number < MTU_MIN:
        raise OptionError(path, value, "is out of range", f"use a number from {MTU_MIN} to {MTU_MAX}, or 0")
    return int(number)


def cidr(path: str, value: t.Any) -> str:
    """A CIDR without host bits; stays as it was written."""
    network(path, string(path, value))
    if not re.search(r"/[0-9]{1,3}$", value):
        raise OptionError(path, value, "has a netmask", "write the prefix length, as in 10.12.1.0/24")
    return str(value)


def ip(path: str, value: t.Any) -> str:
    """An address without a prefix length; stays as it was written."""
    if "%" in str(address(path, string(path, value))):
        raise OptionError(path, value, "names an interface", "leave out % and what follows")
    return str(value)


def plugin_type(path: str, value: t.Any) -> str:
    """The name of a binary in the plugins' directories."""
    if not isinstance(value, str) or value in ("", ".", "..") or "/" in value or not value.isprintable():
        raise OptionError(path, value, "is not the name of a CNI plugin", "use its file name, without a directory")
    return value


def ranges(path: str, value: t.Any) -> list[t.Any]:
    """host-local's list of lists of ranges; a flat list is a frequent mistake."""
    for index, entry in enumerate(value if isinstance(value, list) else []):
        if isinstance(entry, dict):
            raise OptionError(
                f"{path}[{index}]", entry, "is a range where a list of ranges belongs", "write [ ] around it"
            )
    sets: list[t.Any] = list_of(list_of(record("a host-local range", RANGE)))(path, value)
    return sets


def sysctls(path: str, value: t.Any) -> dict[str, str]:
    """The tuning plugin's sysctls: always text, as the kernel has them, and only below ``net``."""
    seen: dict[str, str] = {}
    for key in mapping(path, value):
        dotted = key.replace("/", ".")
        if not re.fullmatch(r"net(\.[^.]+)+", dotted):
            raise OptionError(path, key, "is not a sysctl of a pod's network", "use one that begins with net.")
        if dotted in seen:
            raise OptionError(path, key, f"is the same sysctl as {seen[dotted]}", "leave one of them out")
        seen[dotted] = key
    return {key: _sysctl_value(f"{path}.{key}", item) for key, item in value.items()}


def _sysctl_value(path: str, value: t.Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if not isinstance(value, (str, int)) or value == "":
        raise OptionError(path, value, "is not a sysctl's value", "use a text or a number")
    return str(value)


def _chain(path: str, value: t.Any) -> str:
    if not re.fullmatch(rf"[A-Za-z0-9_.\-]{{1,{CHAIN_MAX}}}", string(path, value)):
        raise OptionError(path, value, "is not an iptables chain's name", f"use up to {CHAIN_MAX} letters and digits")
    return str(value)


RANGE: dict[str, Check] = {"subnet": cidr, "rangeStart": ip, "rangeEnd": ip, "gateway": ip}

ROUTE: dict[str, Check] = {
    "dst": cidr,
    "gw": ip,
    "mtu": mtu,
    "advmss": integer(0, MTU_MAX),
    "priority": integer(0, INT32_MAX),
    "table": integer(0, INT32_MAX),
    "scope": integer(0, 255),
}

DNS: dict[str, Check] = {
    "nameservers": list_of(ip),
    "domain": string,
    "search": list_of(string),
    "options": list_of(string),
}

VLAN_TRUNK: dict[str, Check] = {"minID": integer(1, 4094), "maxID": integer(1, 4094), "id": integer(1, 4094)}

#: IPAM plugins.  The keys of RANGE beside ``type`` are the old form of one range, which host-local still reads.
IPAM: dict[str, dict[str, Check]] = {
    "host-local": {
        "type": plugin_type,
        **RANGE,
        "ranges": ranges,
        "routes": list_of(record("a route", ROUTE)),
        "dataDir": absolute_path,
        "resolvConf": absolute_path,
    },
}


def ipam(path: str, value: t.Any) -> dict[str, t.Any]:
    """The address management of a plugin; without ``type`` pods would silently get no address."""
    found = mapping(path, value)
    if "type" not in found:
        raise OptionError(path, value, "has no type, so pods would get no address", "add type: host-local")
    name = plugin_type(f"{path}.type", found["type"])
    if name not in IPAM:
        for key in found:
            not_reserved(path, key)
        return found
    checked: dict[str, t.Any] = record(f"the {name} plugin", IPAM[name])(path, found)
    return checked


#: What every plugin's configuration may have.
COMMON: dict[str, Check] = {"type": plugin_type, "capabilities": map_of(boolean)}
INTERFACE: dict[str, Check] = {**COMMON, "ipam": ipam, "dns": record("dns", DNS)}

PLUGINS: dict[str, dict[str, Check]] = {
    "bridge": {
        **INTERFACE,
        "bridge": ifname,
        "isGateway": boolean,
        "isDefaultGateway": boolean,
        "forceAddress": boolean,
        "ipMasq": boolean,
        "ipMasqBackend": choice("iptables", "nftables"),
        "mtu": mtu,
        "hairpinMode": boolean,
        "promiscMode": boolean,
        "vlan": integer(0, 4094),
        "vlanTrunk": list_of(record("a vlanTrunk entry", VLAN_TRUNK)),
        "preserveDefaultVlan": boolean,
        "macspoofchk": boolean,
        "enabledad": boolean,
        "disableContainerInterface": boolean,
        "portIsolation": boolean,
    },
    "loopback": COMMON,
    "portmap": {
        **COMMON,
        "backend": choice("iptables", "nftables"),
        "snat": boolean,
        "masqAll": boolean,
        "markMasqBit": integer(0, 31),
        "externalSetMarkChain": _chain,
        "conditionsV4": list_of(string),
        "conditionsV6": list_of(string),
    },
    "firewall": {
        **COMMON,
        "backend": choice("iptables", "firewalld"),
        "iptablesAdminChainName": _chain,
        "firewalldZone": string,
        "ingressPolicy": choice("open", "same-bridge", "isolated"),
    },
    "tuning": {
        **COMMON,
        "sysctl": sysctls,
        "mac": mac,
        "mtu": mtu,
        "promisc": boolean,
        "allmulti": boolean,
        "txQLen": integer(0, INT32_MAX),
        "dataDir": absolute_path,
    },
    "bandwidth": {
        **COMMON,
        "ingressRate": integer(0, UINT64_MAX),
        "ingressBurst": integer(0, UINT64_MAX),
        "egressRate": integer(0, UINT64_MAX),
        "egressBurst": integer(0, UINT64_MAX),
    },
}

#: Keys that the CNI protocol version of the release that brought them tells apart; an older plugin ignores the key.
#: Plugins speak 1.0.0 from release 1.0.0 on, and 1.1.0 from release 1.6.0 on.
SINCE: dict[str, dict[str, str]] = {
    "bridge": {
        "ipMasqBackend": "1.1.0",
        "portIsolation": "1.1.0",
        "vlanTrunk": "1.0.0",
        "preserveDefaultVlan": "1.0.0",
        "macspoofchk": "1.0.0",
        "enabledad": "1.0.0",
        "disableContainerInterface": "1.0.0",
    },
    "portmap": {"backend": "1.1.0", "masqAll": "1.0.0"},
    "firewall": {"ingressPolicy": "1.0.0"},
}
