# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""One bridge, its addresses and those of its ports that we are told about.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.mink8s.podnet.plugins.module_utils import _persist
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import bridge_batch, ifaddrs, links, netns
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import bridge_checks as checks
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.bridge_checks import Scene
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.bridge_options import Port, Wanted, stable_mac
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Interface


class Bridge(Resource):
    """The bridge of one node."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__()
        self._wanted = wanted
        self._scene = Scene(wanted.name)

    def read(self) -> State:
        return {**self._read_kernel(), **bridge_batch.read(self._wanted.persist)}

    def _read_kernel(self) -> State:
        wanted = self._wanted
        with netns.netlink(wanted.netns) as ipr:
            found = links.links(ipr)
            exits = links.exits(ipr, found)
            scene = Scene(wanted.name, found, exits, links.precious(ipr, found, exits))
            link = scene.bridge
            self._scene = replace(scene, addresses=ifaddrs.lasting_of(ipr, link.index) if link else ())
        if link is None or (not wanted.present and not link.ours):
            return self._address_state() if link else {}
        ports = [port for port in wanted.ports if self._scene.is_plugged(port.name)]
        # One that a killed run has not finished is still to be made, and can be removed.
        done = not (wanted.present and link.is_unnamed)
        return {
            **({self._key: self._attributes(link)} if done else {}),
            **self._address_state(),
            **{self._port_key(port): self._port_flags(port) for port in ports},
        }

    def desired(self, current: State) -> State:  # noqa: ARG002
        if not self._wanted.present:
            self._warn(checks.require_removable(self._scene, self._wanted))
            return {}
        checks.require_way_back(self._scene, self._wanted)
        checks.require_names(self._scene, self._wanted)
        checks.require_one_prefix(self._scene, self._wanted)
        checks.require_mtu_for_ipv6(self._scene, self._wanted)
        self._warn(checks.warning_of_other_addresses(self._scene, self._wanted))
        wanted, attributes = self._wanted, self._wanted_attributes()
        return {
            self._key: attributes,
            **{self._address_key(interface): {} for interface in wanted.addresses},
            **{self._port_key(port): _flags(port, port) for port in wanted.ports},
            **bridge_batch.desired(wanted, attributes, self._scene.is_ours),
        }

    def apply(self, changes: list[Change]) -> None:
        self._check(changes)
        files, rest = _persist.split(changes)
        with netns.entered(self._wanted.netns), netns.netlink() as ipr:
            for change in rest:
                with netns.asking(change.name):
                    self._step(ipr, change)
        _persist.write(files)

    def result(self, state: State) -> dict[str, t.Any]:
        if self._key not in state:
            return {"bridge": None, "loaders": []}
        link, attributes = self._scene.bridge, state[self._key]
        # The kernel alone knows the MTU of a bridge that is yet to be made, and the MAC of others' with a new port.
        new = [each for each in self._wanted.ports if not self._scene.is_plugged(each.name)]
        plugs = any(self._port_key(each) in state for each in new)
        seen = {"mac": None if plugs else link.mac, "mtu": link.mtu, "stp": link.stp} if link else {"stp": False}
        held = [each for each in (*self._wanted.addresses, *self._scene.addresses) if self._address_key(each) in state]
        return {
            "bridge": {
                "name": self._wanted.name,
                **{key: attributes.get(key, seen.get(key)) for key in ("mac", "mtu", "stp")},
                "addresses": list(dict.fromkeys(str(each) for each in held)),
                "ports": [port.name for port in self._wanted.ports if self._port_key(port) in state],
                "ours": self._scene.is_ours,
            },
            "loaders": bridge_batch.loaders(state, self._wanted.persist),
        }

    # What is there

    @property
    def _key(self) -> str:
        return f"bridge {self._wanted.name}"

    def _address_key(self, interface: Interface) -> str:
        return f"address {interface} on {self._wanted.name}"

    def _port_key(self, port: Port) -> str:
        return f"port {port.name} of {self._wanted.name}"

    def _address_state(self) -> State:
        link, wanted = self._scene.bridge, self._wanted
        every = wanted.exclusive if wanted.present else link is not None and link.ours
        return {self._address_key(each): {} for each in self._scene.addresses if every or each in wanted.addresses}

    def _attributes(self, link: links.Link) -> dict[str, t.Any]:
        keys = self._wanted_attributes() if self._wanted.present else ("mac", "mtu", "up")
        return {key: getattr(link, key) for key in keys}

    def _port_flags(self, port: Port) -> dict[str, bool]:
        return _flags(port, self._scene.links[port.name])

    # What should be there

    def _wanted_attributes(self) -> dict[str, t.Any]:
        """Return only what was asked for: a bridge that somebody else made keeps its MAC address."""
        wanted = self._wanted
        attributes = {
            "mac": wanted.mac or (stable_mac(wanted.name, wanted.addresses) if self._scene.is_ours else None),
            "mtu": checks.mtu(self._scene, wanted),
            "stp": wanted.stp,
            "up": True,
        }
        return {key: value for key, value in attributes.items() if value is not None}

    def _warn(self, warning: t.Optional[str]) -> None:
        if warning and warning not in self.warnings:
            self.warnings.append(warning)

    # Changes

    def _check(self, changes: list[Change]) -> None:
        """What an earlier task may have made or allowed, which check mode skips; so only now it has to be there."""
        made = {change.name for change in changes if change.after is not None}
        added = {change.name for change in changes if change.before is None}
        plugged = {port.name for port in self._wanted.ports if self._port_key(port) in made}
        checks.require_ports(self._scene, self._wanted, plugged)
        addresses = {each for each in self._wanted.addresses if self._address_key(each) in added}
        with netns.entered(self._wanted.netns):
            checks.require_ipv6(self._wanted, addresses, lambda: ifaddrs.ipv6_is_off(self._wanted.name))

    def _step(self, ipr: t.Any, change: Change) -> None:
        interfaces = {self._address_key(each): each for each in (*self._scene.addresses, *self._wanted.addresses)}
        ports = {self._port_key(each): each for each in self._wanted.ports}
        if change.name == self._key:
            self._change_bridge(ipr, change)
        elif change.name in interfaces:
            act = ifaddrs.add if change.before is None else ifaddrs.remove
            act(ipr, links.index_of(ipr, self._wanted.name), interfaces[change.name])
        else:
            self._change_port(ipr, ports[change.name], change)

    def _change_bridge(self, ipr: t.Any, change: Change) -> None:
        name = self._wanted.name
        if change.after is None:
            ipr.link("del", index=links.index_of(ipr, name))
            return
        if change.before is None:
            if self._scene.bridge is None:
                # With its MAC address from the first moment on: udev leaves it alone only then.
                ipr.link("add", ifname=name, kind="bridge", address=change.after["mac"], group=links.UNNAMED)
            if "mtu" in change.after:
                ipr.link("set", index=links.index_of(ipr, name), mtu=bridge_batch.pinning(change.after["mtu"]))
            links.give_alias(ipr, links.index_of(ipr, name))
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
