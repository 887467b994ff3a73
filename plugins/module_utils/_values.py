# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Values that every room checks in the same way: interface names, addresses, CIDRs.  Pure.

Each function takes the option's path and the value, and returns it normalised or raises an OptionError.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import difflib
import ipaddress
import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
Interface = t.Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]

#: IFNAMSIZ is 16 with the terminating zero (linux/if.h).
IFNAME_MAX = 15

#: The least MTU that IPv4 and IPv6 (RFC 8200) work with, and the most that a link takes.
MTU_MIN, MTU_MIN_IPV6, MTU_MAX = 68, 1280, 65535


def ifname(path: str, value: t.Any) -> str:
    """An interface name as the kernel takes it (net/core/dev.c) and keeps it: it would make br0 of br%d."""
    remedy = f"use 1 to {IFNAME_MAX} characters without '/', ':', '%' and white space"
    if not isinstance(value, str) or not value:
        raise OptionError(path, value, "is not an interface name", remedy)
    if len(value.encode()) > IFNAME_MAX:
        raise OptionError(path, value, f"is longer than {IFNAME_MAX} characters", remedy)
    if value in (".", "..") or re.search(r"[/:%\s]", value):
        raise OptionError(path, value, "is not an interface name", remedy)
    return value


def is_address(text: str) -> bool:
    """Whether a text is an address without a prefix length."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def address(path: str, value: t.Any) -> Address:
    """An IPv4 or IPv6 address without a prefix length."""
    try:
        return ipaddress.ip_address(str(value))
    except ValueError:
        raise OptionError(path, value, "is not an IP address", "write it like 192.0.2.11 or 2001:db8::11") from None


def network(path: str, value: t.Any) -> Network:
    """A CIDR whose host bits are all zero."""
    text = str(value)
    with contextlib.suppress(ValueError):
        if "/" in text:
            return ipaddress.ip_network(text)
    try:
        meant = ipaddress.ip_network(text, strict=False)
    except ValueError:
        meant = None
    if meant is None or "/" not in text:
        raise OptionError(path, value, "is not a CIDR", "write it like 10.12.1.0/24 or 2001:db8:1::/64")
    raise OptionError(path, value, "has host bits set", f"write {meant}")


def interface(path: str, value: t.Any) -> Interface:
    """An address with its prefix length, as an interface carries it."""
    try:
        found = ipaddress.ip_interface(str(value))
    except ValueError:
        found = None
    if found is None or "/" not in str(value):
        raise OptionError(
            path, value, "is not an address with a prefix length", "write it like 10.12.1.1/24 or 2001:db8:1::1/64"
        )
    return found


def assigned(path: str, value: t.Any) -> Interface:
    """The same, as a link is given it; the kernel minds link-local IPv6 addresses itself."""
    found = interface(path, value)
    if found.version == 6 and found.is_link_local:
        raise OptionError(path, value, "is a link-local address", "leave it out, the kernel gives each link its own")
    return found


def require_one_prefix(path: str, new: Interface, others: t.Iterable[Interface], remedy: str) -> None:
    """Refuse what the kernel would: a link has an IPv6 address with one prefix length, an IPv4 address with many."""
    for other in others:
        if new.version == 6 and new.ip == other.ip and new != other:
            raise OptionError(path, str(new), f"is there as {other}, too, and a link has it once only", remedy)


def suggestion(word: str, known: t.Iterable[str]) -> str:
    """Return the known word that was probably meant, as ``did you mean ipMasq?``, or the list of all."""
    names = sorted(known)
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f"did you mean {folded[close[0]]}?" if close else f"use one of {', '.join(names)}"
