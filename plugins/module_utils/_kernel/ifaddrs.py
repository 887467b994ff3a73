# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The addresses of links: which there are, and how one is given and taken.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import netns
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Interface

_IFA_F_NODAD = 0x02
_IFA_F_PERMANENT = 0x80


def every(ipr: t.Any) -> dict[int, list[Interface]]:
    """Return the addresses of all links by the links' numbers, also those that a DHCP server or a router has lent."""
    return _listed(ipr, lambda _message, _interface: True)


def lasting(ipr: t.Any) -> dict[int, list[Interface]]:
    """Return those that are not lent, without the link-local ones of IPv6, which the kernel minds itself."""
    return _listed(ipr, _is_lasting)


def lasting_of(ipr: t.Any, index: int) -> list[Interface]:
    """Return these of one link; to ask for several, link by link, takes as many dumps of all."""
    return lasting(ipr).get(index, [])


def add(ipr: t.Any, index: int, interface: Interface) -> None:
    """Give a link an address that can be used at once, also where nothing is plugged in yet."""
    options = {"flags": _IFA_F_NODAD} if interface.version == 6 else {}
    ipr.addr("add", index=index, address=str(interface.ip), prefixlen=interface.network.prefixlen, **options)


def remove(ipr: t.Any, index: int, interface: Interface) -> None:
    """Take an address from a link of the namespace that we are in, and no other address with it."""
    with _promoting(index) if _takes_others_along(ipr, index, interface) else contextlib.nullcontext():
        ipr.addr("del", index=index, address=str(interface.ip), prefixlen=interface.network.prefixlen)


def ipv6_is_off(name: str) -> bool:
    """Whether the kernel would refuse an IPv6 address on a link, which need not be there yet."""
    for each in (name, "default"):
        path = f"/proc/sys/net/ipv6/conf/{each}/disable_ipv6"
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return file.read().strip() != "0"
    return True


def _listed(ipr: t.Any, counts: t.Callable[[t.Any, Interface], bool]) -> dict[int, list[Interface]]:
    found: dict[int, list[Interface]] = {}
    for message in netns.dump(ipr.get_addr):
        interface = _interface(message)
        if counts(message, interface):
            found.setdefault(message["index"], []).append(interface)
    return found


def _interface(message: t.Any) -> Interface:
    # On a point-to-point link IFA_ADDRESS is the other end's.
    text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
    return ipaddress.ip_interface(f"{text}/{message['prefixlen']}")


def _is_lasting(message: t.Any, interface: Interface) -> bool:
    flags = message.get_attr("IFA_FLAGS") or message["flags"]
    return bool(flags & _IFA_F_PERMANENT) and not (interface.version == 6 and interface.is_link_local)


def _takes_others_along(ipr: t.Any, index: int, interface: Interface) -> bool:
    """Whether it is the first of several IPv4 addresses of one network."""
    if interface.version == 6:
        return False
    beside = [each for each in every(ipr).get(index, ()) if each.network == interface.network]
    return len(beside) > 1 and beside[0] == interface


@contextlib.contextmanager
def _promoting(index: int) -> t.Iterator[None]:
    """Let the second IPv4 address of a network follow the first one; by default the kernel takes all of them away."""
    path = f"/proc/sys/net/ipv4/conf/{socket.if_indextoname(index)}/promote_secondaries"
    with open(path, encoding="utf-8") as file:
        before = file.read()
    _write(path, "1")
    try:
        yield
    finally:
        _write(path, before)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
