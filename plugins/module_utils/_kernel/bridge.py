# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One bridge, its addresses and those of its ports that we are told about.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _persist, _values
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import bridge_batch, links, netns
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.bridge_options import Port, Wanted, stable_mac
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Interface


class Bridge(Resource):
    """The bridge of one node."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__()
        self._wanted = wanted
        self._links: dict[str, links.Link] = {}
        self._exits: list[str] = []
        self._precious: dict[str, str] = {}
        self._found: list[Interface] = []

    def read(self) -> State:
        return {**self._read_kernel(), **bridge_batch.read(self._wanted.persist)}

    def _read_kernel(self) -> State:
        wanted = self._wanted
        with netns.netlink(wanted.netns) as ipr:
            self._links = links.links(ipr)
            self._exits = links.exits(ipr)
            self._precious = links.precious(ipr, self._exits)
            link = self._bridge
            self._found = links.addresses(ipr, link.index) if link else []
        if link is None or (not wanted.present and not link.ours):
            return self._address_state() if link else {}
        ports = [port for port in wanted.ports if self._is_plugged(port.name)]
        return {
            self._key: self._attributes(link),
            **self._address_state(),
            **{self._port_key(port): self._port_flags(port) for port in ports},
        }

    def desired(self, current: State) -> State:  # noqa: ARG002
        if not self._wanted.present:
            self._check_removal()
            return {}
        self._check_names()
        self._warn_of_other_addresses()
        wanted, attributes = self._wanted, self._wanted_attributes()
        return {
            self._key: attributes,
            **{self._address_key(interface): {} for interface in wanted.addresses},
            **{self._port_key(port): _flags(port, port) for port in wanted.ports},
            **bridge_batch.desired(wanted, attributes, self._is_ours),
        }

    def apply(self, changes: list[Change]) -> None:
        self._check_ports(changes)
        self._check_ipv6(changes)
        files, rest = _persist.split(changes)
        with netns.netlink(self._wanted.netns) as ipr:
            for change in rest:
                with links.asking(change.name):
                    self._step(ipr, change)
        _persist.write(files)

    def result(self, state: State) -> dict[str, t.Any]:
        if self._key not in state:
            return {"bridge": None, "loaders": []}
        link, attributes = self._bridge, state[self._key]
        # Of a bridge that is yet to be made, the kernel alone knows its MTU, by its ports.
        seen = {"mac": link.mac, "mtu": link.mtu, "stp": link.stp} if link else {"stp": False}
        held = [each for each in (*self._wanted.addresses, *self._found) if self._address_key(each) in state]
        return {
            "bridge": {
                "name": self._wanted.name,
                **{key: attributes.get(key, seen.get(key)) for key in ("mac", "mtu", "stp")},
                "addresses": list(dict.fromkeys(str(each) for each in held)),
                "ports": [port.name for port in self._wanted.ports if self._port_key(port) in state],
                "ours": self._is_ours,
            },
            "loaders": bridge_batch.loaders(state, self._wanted.persist),
        }

    # What is there

    @property
    def _link(self) -> t.Optional[links.Link]:
        return self._links.get(self._wanted.name)

    @property
    def _bridge(self) -> t.Optional[links.Link]:
        link = self._link
        return link if link and link.kind == "bridge" else None

    @property
    def _is_ours(self) -> bool:
        """Whether we made the bridge, or would."""
        return self._bridge is None or self._bridge.ours

    @property
    def _key(self) -> str:
        return f"bridge {self._wanted.name}"

    def _address_key(self, interface: Interface) -> str:
        return f"address {interface} on {self._wanted.name}"

    def _port_key(self, port: Port) -> str:
        return f"port {port.name} of {self._wanted.name}"

    def _is_plugged(self, name: str) -> bool:
        port, bridge = self._links.get(name), self._bridge
        return port is not None and bridge is not None and port.master == bridge.index

    def _address_state(self) -> State:
        link, wanted = self._bridge, self._wanted
        every = wanted.exclusive if wanted.present else link is not None and link.ours
        return {self._address_key(each): {} for each in self._found if every or each in wanted.addresses}

    def _attributes(self, link: links.Link) -> dict[str, t.Any]:
        keys = self._wanted_attributes() if self._wanted.present else ("mac", "mtu", "up")
        return {key: getattr(link, key) for key in keys}

    def _port_flags(self, port: Port) -> dict[str, bool]:
        return _flags(port, self._links[port.name])

    # What should be there

    def _wanted_attributes(self) -> dict[str, t.Any]:
        """Return only what was asked for: a bridge that somebody else made keeps its MAC address."""
        wanted = self._wanted
        attributes = {
            "mac": wanted.mac or (stable_mac(wanted.name, wanted.addresses) if self._is_ours else None),
            "mtu": self._wanted_mtu(),
            "stp": wanted.stp,
            "up": True,
        }
        return {key: value for key, value in attributes.items() if value is not None}

    def _wanted_mtu(self) -> t.Optional[int]:
        wanted = self._wanted
        if isinstance(wanted.mtu, int):
            return wanted.mtu
        if wanted.mtu == "kernel":
            return None
        name = wanted.uplink or next(iter(self._exits), None)
        if name is None:
            raise OptionError(
                "bridge.mtu", "auto", "needs an uplink, and there is no default route", "set bridge.uplink or a number"
            )
        if name not in self._links:
            raise OptionError(
                "bridge.uplink", name, "is not there", _values.suggestion(name, set(self._links) - {"lo", wanted.name})
            )
        return self._links[name].mtu

    # What must not happen

    def _check_names(self) -> None:
        wanted, link = self._wanted, self._link
        for index, each in enumerate(wanted.addresses):
            if each not in self._found:
                links.require_way_back(f"bridge.addresses[{index}]", each.network)
        remedy = "choose another name for the bridge"
        if wanted.name in self._precious:
            raise OptionError("bridge.name", wanted.name, self._precious[wanted.name], remedy)
        if wanted.name == wanted.uplink:
            raise OptionError("bridge.name", wanted.name, "is bridge.uplink, too", remedy)
        if link and link.kind != "bridge":
            raise OptionError("bridge.name", wanted.name, f"is there and is not a bridge but {link.described}", remedy)
        names = {each.index: each.name for each in self._links.values()}
        for index, port in enumerate(wanted.ports):
            path, there = f"bridge.ports[{index}].name", self._links.get(port.name)
            if port.name in self._precious or port.name == wanted.uplink:
                reason = self._precious.get(port.name, "is bridge.uplink")
                raise OptionError(path, port.name, reason, "a pod bridge must not swallow it; leave it out")
            if there and there.master and not self._is_plugged(port.name):
                master = names.get(there.master, "another link")
                remedy = f"release it (ip link set {port.name} nomaster)"
                raise OptionError(path, port.name, f"is a port of {master}", remedy)

    def _check_removal(self) -> None:
        link, wanted = self._link, self._wanted
        if link is None:
            return
        if link.kind != "bridge" or not link.ours:
            what = "a bridge that was there before" if link.kind == "bridge" else link.described
            self._warn(f"{wanted.name} is {what} (it does not carry the alias {links.ALIAS}): it stays")
            return
        if wanted.name in self._precious:
            raise OptionError(
                "bridge.name", wanted.name, self._precious[wanted.name], "give the node another link first"
            )
        listed = {port.name for port in wanted.ports}
        others = [each for each in self._links.values() if each.master == link.index and not each.ours]
        foreign = sorted(each.name for each in others if each.name not in listed)
        if foreign:
            raise PodnetError(
                f"bridge.name: {wanted.name} still has the ports {', '.join(foreign)}; "
                "remove the pods behind them first (kubectl drain), then run this again",
                ports=foreign,
            )

    def _check_ports(self, changes: list[Change]) -> None:
        """Links may be made by an earlier task, which check mode skips; so only now they have to be there."""
        for index, port in enumerate(self._wanted.ports):
            plugged = any(change.name == self._port_key(port) and change.after is not None for change in changes)
            if plugged and port.name not in self._links:
                known = set(self._links) - {"lo", self._wanted.name}
                raise OptionError(
                    f"bridge.ports[{index}].name", port.name, "is not there", _values.suggestion(port.name, known)
                )

    def _check_ipv6(self, changes: list[Change]) -> None:
        added = {change.name for change in changes if change.before is None}
        for index, each in enumerate(self._wanted.addresses):
            if each.version == 6 and self._address_key(each) in added:
                with netns.entered(self._wanted.netns):
                    off = links.ipv6_is_off(self._wanted.name)
                if off:
                    remedy = "set the sysctl net.ipv6.conf.default.disable_ipv6 and that of the bridge to 0"
                    raise OptionError(f"bridge.addresses[{index}]", str(each), "needs IPv6, which is off here", remedy)

    def _warn_of_other_addresses(self) -> None:
        wanted = self._wanted
        if wanted.exclusive or not any(each.version == 4 for each in wanted.addresses):
            return
        others = [str(each) for each in self._found if each.version == 4 and each not in wanted.addresses]
        if others:
            self._warn(
                f"{wanted.name} also has {', '.join(others)}: the CNI plugin bridge refuses a bridge "
                "with another IPv4 address; set exclusive_addresses to remove it"
            )

    def _warn(self, warning: str) -> None:
        if warning not in self.warnings:
            self.warnings.append(warning)

    # Changes

    def _step(self, ipr: t.Any, change: Change) -> None:
        interfaces = {self._address_key(each): each for each in (*self._found, *self._wanted.addresses)}
        ports = {self._port_key(each): each for each in self._wanted.ports}
        if change.name == self._key:
            self._change_bridge(ipr, change)
        elif change.name in interfaces:
            act = links.add_address if change.before is None else links.remove_address
            act(ipr, links.index_of(ipr, self._wanted.name), interfaces[change.name])
        else:
            self._change_port(ipr, ports[change.name], change)

    def _change_bridge(self, ipr: t.Any, change: Change) -> None:
        name = self._wanted.name
        if change.after is None:
            ipr.link("del", index=links.index_of(ipr, name))
            return
        if change.before is None:
            # With its MAC address from the first moment on: udev leaves it alone only then.
            ipr.link("add", ifname=name, kind="bridge", address=change.after["mac"])
            ipr.link("set", index=links.index_of(ipr, name), ifalias=links.ALIAS)
            if "mtu" in change.after:
                ipr.link("set", index=links.index_of(ipr, name), mtu=bridge_batch.pinning(change.after["mtu"]))
        before = change.before or {}
        todo = {key: value for key, value in change.after.items() if before.get(key) != value}
        spelled = {"mac": "address", "mtu": "mtu"}
        plain = {spelled[key]: value for key, value in todo.items() if key in spelled}
        index = links.index_of(ipr, name)
        if plain:
            ipr.link("set", index=index, **plain)
        if "stp" in todo:
            ipr.link("set", index=index, kind="bridge", br_stp_state=int(todo["stp"]))
        if "up" in todo:
            ipr.link("set", index=index, state="up")

    def _change_port(self, ipr: t.Any, port: Port, change: Change) -> None:
        index = links.index_of(ipr, port.name)
        if change.after is None:
            ipr.link("set", index=index, master=0)
            return
        if change.before is None:
            ipr.link("set", index=index, master=links.index_of(ipr, self._wanted.name))
        flags = {"mode" if key == "hairpin" else key: int(value) for key, value in change.after.items()}
        if flags:
            ipr.brport("set", index=index, **flags)


def _flags(asked: Port, there: t.Union[Port, links.Link]) -> dict[str, bool]:
    keys = [key for key in ("hairpin", "isolated") if getattr(asked, key) is not None]
    return {key: getattr(there, key) for key in keys}
