# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Files that keep systemd-networkd, NetworkManager and udev from what is ours.  Pure, but for who is on the node.

Each is written only where that service is installed, and names our bridge and the veths of CNI plugins alone.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._boot.units import HEADER

#: CNI plugins call the node's end of a veth pair veth and eight digits; Docker's have seven.  NetworkManager knows no
#: ranges, and udev takes no pattern that is longer than a name.
_VETHS = "veth????????"

#: The first file that fits a link counts, so that ours have to come early.
LINK = "/etc/systemd/network/00-podnet.link"
NETWORK = "/etc/systemd/network/00-podnet.network"
#: Of these the last one counts.
NETWORKD = "/etc/systemd/networkd.conf.d/99-podnet.conf"
NETWORKMANAGER = "/etc/NetworkManager/conf.d/99-podnet.conf"

PATHS = (LINK, NETWORK, NETWORKD, NETWORKMANAGER)

_TEXTS = {
    LINK: """\
# A link keeps the MAC address that it was made with.
[Match]
OriginalName={bridge} {veths}
Driver=bridge veth

[Link]
MACAddressPolicy=none
""",
    NETWORK: """\
[Match]
Name={bridge} {veths}

[Link]
Unmanaged=yes
""",
    NETWORKD: """\
# Routes that networkd did not make stay when it is started again.
[Network]
ManageForeignRoutes=no
""",
    NETWORKMANAGER: """\
[keyfile]
unmanaged-devices+=interface-name:={bridge};interface-name:{veths}
""",
}
_SERVICES = {
    "systemd-udevd.service": (LINK,),
    "systemd-networkd.service": (NETWORK, NETWORKD),
    "NetworkManager.service": (NETWORKMANAGER,),
}
#: Who reads a file anew when it is told to; udev looks by itself, and networkd reads its own settings only once.
READERS = {NETWORK: "systemd-networkd.service", NETWORKMANAGER: "NetworkManager.service"}

_UNIT_DIRS = ("/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_SYSTEMD = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")


def texts(root: str, bridge: str) -> dict[str, str]:
    """Return the files' texts by path, of those services that are installed below ``root``."""
    paths = [path for service, paths in _SERVICES.items() if _is_there(root, service) for path in paths]
    return {path: HEADER + _TEXTS[path].format(bridge=bridge, veths=_VETHS) for path in paths}


def has_systemd(root: str) -> bool:
    """Whether there is a systemd that could start a unit."""
    return any(os.path.exists(below(root, path)) for path in _SYSTEMD)


def below(root: str, path: str) -> str:
    """Return where a path is, seen from outside of ``root``."""
    return os.path.join(root, path.lstrip("/"))


def _is_there(root: str, service: str) -> t.Any:
    return any(os.path.exists(below(root, f"{directory}/{service}")) for directory in _UNIT_DIRS)
