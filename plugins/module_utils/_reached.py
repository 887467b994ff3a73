# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How this node is reached: who Ansible is connected from, and the links that must stay as they are for that.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _ip, _json, _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Runner
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Network


def address() -> t.Optional[str]:
    """Return the node's address that the ssh connection came in by; of a link-local one with its link, fe80::1%eth0."""
    connection = _connection()
    return connection[2] if connection else None


def precious(
    exits: t.Iterable[str], held: t.Mapping[str, t.Container[str]], below: t.Mapping[str, str]
) -> dict[str, str]:
    """Return the links that must stay, each with the reason: those of default routes, those that hold ssh's end.

    And what these stand on (``below``), as a VLAN does on its link, or the end of a veth pair on the other end.
    """
    reasons = dict.fromkeys(exits, "carries the default route")
    end, _mark, zone = (address() or "").partition("%")
    # Links that have their MAC from one another, as VLANs do, have the same link-local address.
    for name in [name for name, addresses in held.items() if end and end in addresses and zone in ("", name)]:
        reasons.setdefault(name, f"carries {end}, which Ansible is connected to")
    for name in [*reasons]:
        while name in below and below[name] not in reasons:
            reasons[below[name]] = f"carries {name}, which {reasons[name]}"
            name = below[name]  # noqa: PLW2901
    return reasons


def precious_by_ip(run: Runner) -> dict[str, str]:
    """Return the same by ip(8), for modules that need nothing else of the kernel: pyroute2 is long to import."""
    ways = [way for family in ("-4", "-6") for way in _ip.objects(run, family, "route", "show", "default")]
    hops = [hop for way in ways for hop in (way, *_json.objects(way.get("nexthops")))]
    links = {str(link.get("ifname")): link for link in _ip.objects(run, "address", "show")}
    held = {
        name: [str(each.get("local")) for each in _json.objects(link.get("addr_info"))] for name, link in links.items()
    }
    # Where that is in another namespace, ip(8) tells a number and no name.
    below = {name: str(link["link"]) for name, link in links.items() if "link" in link}
    return precious([str(hop["dev"]) for hop in hops if "dev" in hop], held, below)


def require_way_back(networks: t.Iterable[tuple[str, Network]]) -> None:
    """Refuse to lead packets elsewhere that go to whom the ssh connection comes from; each with its option's path."""
    connection = _connection()
    client = connection[0].split("%")[0] if connection else ""
    if not _values.is_address(client):
        return
    for path, network in networks:
        if ipaddress.ip_address(client) in network:
            problem = f"has {client}, which Ansible is connected from"
            raise OptionError(path, str(network), problem, "use addresses that nobody else has")


def _connection() -> list[str]:
    """The addresses and ports of both ends, or nothing; become's sudo hides them, so ask our ancestors."""
    process = os.getpid()
    while process > 1:
        connection = _environment(process).get("SSH_CONNECTION", "").split()
        if len(connection) == 4:
            return connection
        process = _parent(process)
    return []


def _environment(process: int) -> dict[str, str]:
    try:
        with open(f"/proc/{process}/environ", "rb") as file:
            pairs = file.read().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def _parent(process: int) -> int:
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
