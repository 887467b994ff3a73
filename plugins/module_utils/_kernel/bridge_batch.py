# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The files for ``ip -batch`` that bring a bridge back after a reboot.

There are two.  ip(8) has no command for a link that may be there or not, so what makes the bridge stands in a
file of its own: it stops at its first line where the bridge is there.  The other file may be loaded at any time.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _ip, _persist
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import State
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import links
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.bridge_options import Wanted

CREATE_SUFFIX = ".create"
_HEADER = "# Made by Ansible (mink8s.podnet.bridge), changes will be lost; for ip -batch\n"


def read(path: t.Optional[str]) -> State:
    """Return our files that are there."""
    return _persist.read("bridge.persist", _HEADER, [path + CREATE_SUFFIX, path]) if path else {}


def desired(wanted: Wanted, attributes: dict[str, t.Any], ours: bool) -> State:
    """Return the files; a bridge that somebody else makes is not made by us."""
    path = wanted.persist
    if path is None:
        return {}
    texts = {path + CREATE_SUFFIX: _creation(wanted.name, attributes)} if ours else {}
    texts[path] = _settings(wanted, attributes, ours)
    return {_persist.name(each): _HEADER + "".join(f"{line}\n" for line in lines) for each, lines in texts.items()}


def loaders(state: State, path: t.Optional[str]) -> list[list[str]]:
    """Return the commands that load those files that are in a state."""
    if path is None or _persist.name(path) not in state:
        return []
    ip = _ip.find()
    create, settle = [ip, "-batch", path + CREATE_SUFFIX], [ip, "-force", "-batch", path]
    if _persist.name(path + CREATE_SUFFIX) in state:
        return [_persist.may_fail(create), settle]
    # Whoever makes it may do so later, as the plugin bridge does for the first pod: it gives it what its own file says.
    return [_persist.may_fail(settle)]


def pinning(mtu: int) -> int:
    """Return another MTU to set first: only one that was really changed is not lowered again by the next port."""
    return mtu - 1 if mtu > 1500 else mtu + 1


def _creation(name: str, attributes: dict[str, t.Any]) -> list[str]:
    # With its MAC address from the first moment on: udev leaves it alone only then.
    lines = [
        f"link add name {name} address {attributes['mac']} type bridge",
        f"link set dev {name} alias {links.ALIAS}",
    ]
    return lines + ([f"link set dev {name} mtu {pinning(attributes['mtu'])}"] if "mtu" in attributes else [])


def _settings(wanted: Wanted, attributes: dict[str, t.Any], ours: bool) -> list[str]:
    """Return lines that change nothing on a bridge that is right; setting a MAC address anew would flush neighbours."""
    name = wanted.name
    lines = [f"link set dev {name} address {attributes['mac']}"] if "mac" in attributes and not ours else []
    lines += [f"link set dev {name} mtu {attributes['mtu']}"] if "mtu" in attributes else []
    lines += [f"link set dev {name} type bridge stp_state {int(wanted.stp)}"] if wanted.stp is not None else []
    lines += [f"link set dev {name} up"]
    for each in wanted.addresses:
        lines.append(f"address replace {each} dev {name}{' nodad' if each.version == 6 else ''}")
    for port in wanted.ports:
        flags = {"hairpin": port.hairpin, "isolated": port.isolated}
        words = [f"{key} {'on' if value else 'off'}" for key, value in flags.items() if value is not None]
        lines.append(f"link set dev {port.name} master {name}")
        lines += [f"link set dev {port.name} type bridge_slave {' '.join(words)}"] if words else []
    return lines
