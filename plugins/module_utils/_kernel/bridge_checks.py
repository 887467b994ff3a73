# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is around a bridge, and what must not be done to it.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mink8s.podnet.plugins.module_utils import _reached, _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import links
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.bridge_options import Wanted
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.links import Link
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Interface

#: A new bridge's.
_MTU = 1500


@dataclass(frozen=True)
class Scene:
    """All links of the node, seen from the one that has the bridge's name."""

    name: str
    links: t.Dict[str, Link] = field(default_factory=dict)
    #: The links of the default routes, the preferred one first.
    exits: t.Sequence[str] = ()
    #: The links that must stay as they are, each with the reason.
    precious: t.Dict[str, str] = field(default_factory=dict)
    #: The bridge's addresses.
    addresses: t.Sequence[Interface] = ()

    @property
    def link(self) -> t.Optional[Link]:
        """The link of the bridge's name."""
        return self.links.get(self.name)

    @property
    def bridge(self) -> t.Optional[Link]:
        """The same, if it is a bridge."""
        return self.link if self.link and self.link.kind == "bridge" else None

    @property
    def is_ours(self) -> bool:
        """Whether we made the bridge, or would."""
        return self.bridge is None or self.bridge.ours

    def is_plugged(self, name: str) -> bool:
        """Whether a link is a port of the bridge."""
        port = self.links.get(name)
        return port is not None and self.bridge is not None and port.master == self.bridge.index


def require_names(scene: Scene, wanted: Wanted) -> None:
    """Refuse a bridge in the place of something else, and ports that must not be swallowed."""
    remedy = "choose another name for the bridge"
    if wanted.name in scene.precious:
        raise OptionError("bridge.name", wanted.name, scene.precious[wanted.name], remedy)
    if wanted.name == wanted.uplink:
        raise OptionError("bridge.name", wanted.name, "is bridge.uplink, too", remedy)
    if scene.link and not scene.bridge:
        raise OptionError(
            "bridge.name", wanted.name, f"is there and is not a bridge but {scene.link.described}", remedy
        )
    names = {each.index: each.name for each in scene.links.values()}
    for index, port in enumerate(wanted.ports):
        path, there = f"bridge.ports[{index}].name", scene.links.get(port.name)
        if port.name in scene.precious or port.name == wanted.uplink:
            reason = scene.precious.get(port.name, "is bridge.uplink")
            raise OptionError(path, port.name, reason, "a pod bridge must not swallow it; leave it out")
        if there and there.master and not scene.is_plugged(port.name):
            master = names.get(there.master, "another link")
            remedy = f"release it (ip link set {port.name} nomaster)"
            raise OptionError(path, port.name, f"is a port of {master}", remedy)


def require_way_back(scene: Scene, wanted: Wanted) -> None:
    """Refuse an address in whose network the ssh connection's other end is."""
    new = [(index, each) for index, each in enumerate(wanted.addresses) if each not in scene.addresses]
    _reached.require_way_back((f"bridge.addresses[{index}]", each.network) for index, each in new)


def require_one_prefix(scene: Scene, wanted: Wanted) -> None:
    """Refuse an IPv6 address that the bridge has, and keeps, with another prefix length."""
    kept = [] if wanted.exclusive else scene.addresses
    for index, each in enumerate(wanted.addresses):
        remedy = "use that, or set exclusive_addresses to replace it"
        _values.require_one_prefix(f"bridge.addresses[{index}]", each, kept, remedy)


def require_removable(scene: Scene, wanted: Wanted) -> t.Optional[str]:
    """Refuse to remove what somebody needs; return a warning where the link is not ours, and stays."""
    link = scene.link
    if link is None:
        return None
    if not (scene.bridge and link.ours):
        _require_kept(scene, wanted)
        what = "a bridge that was there before" if scene.bridge else link.described
        return f"{wanted.name} is {what} (it does not carry the alias {links.ALIAS}): it stays"
    if wanted.name in scene.precious:
        raise OptionError("bridge.name", wanted.name, scene.precious[wanted.name], "give the node another link first")
    listed = {port.name for port in wanted.ports}
    others = [each for each in scene.links.values() if each.master == link.index and not each.ours]
    foreign = sorted(each.name for each in others if each.name not in listed)
    if foreign:
        raise PodnetError(
            f"bridge.name: {wanted.name} still has the ports {', '.join(foreign)}; "
            "remove the pods behind them first (kubectl drain), then run this again",
            ports=foreign,
        )
    return None


def _require_kept(scene: Scene, wanted: Wanted) -> None:
    """Refuse to take an address from a bridge of others that somebody needs."""
    reason = scene.precious.get(wanted.name)
    for index, each in enumerate(wanted.addresses):
        if reason and each in scene.addresses:
            problem = f"is an address of {wanted.name}, which {reason}"
            raise OptionError(f"bridge.addresses[{index}]", str(each), problem, "leave it out")


def require_ports(scene: Scene, wanted: Wanted, plugged: t.Container[str]) -> None:
    """Refuse to plug in a link that is not there."""
    for index, port in enumerate(wanted.ports):
        if port.name in plugged and port.name not in scene.links:
            known = set(scene.links) - {"lo", wanted.name}
            raise OptionError(
                f"bridge.ports[{index}].name", port.name, "is not there", _values.suggestion(port.name, known)
            )


def require_ipv6(wanted: Wanted, added: t.Container[Interface], is_off: t.Callable[[], bool]) -> None:
    """Refuse an IPv6 address where the kernel would."""
    for index, each in enumerate(wanted.addresses):
        if each.version == 6 and each in added and is_off():
            remedy = "set the sysctl net.ipv6.conf.default.disable_ipv6 and that of the bridge to 0"
            raise OptionError(f"bridge.addresses[{index}]", str(each), "needs IPv6, which is off here", remedy)


def require_mtu_for_ipv6(scene: Scene, wanted: Wanted) -> None:
    """Refuse an IPv6 address on a bridge whose MTU will be too small for it: the kernel would, or would drop it."""
    size, remedy = mtu(scene, wanted), "raise that of the uplink, or set bridge.mtu"
    if size is None:
        there = [scene.links[port.name] for port in wanted.ports if port.name in scene.links]
        new = [port.mtu for port in there if not scene.is_plugged(port.name)]
        size, remedy = min([scene.bridge.mtu if scene.bridge else _MTU, *new]), "set bridge.mtu"
    for index, each in enumerate(wanted.addresses):
        if each.version == 6 and size < _values.MTU_MIN_IPV6:
            problem = f"needs an MTU of {_values.MTU_MIN_IPV6}, and {wanted.name} would have {size}"
            raise OptionError(f"bridge.addresses[{index}]", str(each), problem, remedy)


def mtu(scene: Scene, wanted: Wanted) -> t.Optional[int]:
    """Return the MTU that is asked for, None where that is the kernel's business."""
    if isinstance(wanted.mtu, int):
        return wanted.mtu
    if wanted.mtu == "kernel":
        return None
    name = wanted.uplink or next(iter(scene.exits), None)
    if name is None:
        problem = "needs an uplink, and there is no default route"
        raise OptionError("bridge.mtu", "auto", problem, "set bridge.uplink or a number")
    if name not in scene.links:
        known = set(scene.links) - {"lo", wanted.name}
        raise OptionError("bridge.uplink", name, "is not there", _values.suggestion(name, known))
    return scene.links[name].mtu


def warning_of_other_addresses(scene: Scene, wanted: Wanted) -> t.Optional[str]:
    """Say what the CNI plugin bridge would refuse."""
    if wanted.exclusive or not any(each.version == 4 for each in wanted.addresses):
        return None
    others = [str(each) for each in scene.addresses if each.version == 4 and each not in wanted.addresses]
    if not others:
        return None
    return (
        f"{wanted.name} also has {', '.join(others)}: the CNI plugin bridge refuses a bridge "
        "with another IPv4 address; set exclusive_addresses to remove it"
    )
