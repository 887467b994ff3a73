# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The routes to the other nodes' pods: those of the main table that carry our protocol number.

They are made by ``ip -batch``, from the same lines that a file keeps for the next boot; that is ten times
faster than one netlink message after the other, and there is one truth.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _persist, _programs, _values
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import links, netns
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.nodes import Way, ways
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Address, Network

#: The kernel, redirects, boot and static routes, and what routing daemons use (/etc/iproute2/rt_protos).
_TAKEN = frozenset([*range(19), 42, *range(186, 193)])

#: The metric that the kernel gives a route for which none is asked.
_METRIC = {4: 0, 6: 1024}

_FAMILIES = (links.AF_INET, links.AF_INET6)
_HEADER = "# The routes to the other nodes' pods, made by Ansible (mink8s.podnet.routes); for ip -batch\n"


class Routes(Resource):
    """Our routes on one node."""

    def __init__(self, params: dict[str, t.Any], run: _programs.Runner) -> None:
        super().__init__()
        self._run = run
        self._protocol = _protocol(params["protocol"])
        self._present = params["state"] == "present"
        self._ways = ways(params["nodes"], params["self"]) if self._present else []
        self._behind: dict[Address, list[str]] = {}
        for way in self._ways:
            self._behind.setdefault(way.via, []).append(str(way.dst))
        self._device = _values.ifname("device", params["device"]) if params["device"] is not None else None
        self._strict = params["on_unreachable"] == "fail"
        self._persist: t.Optional[str] = _persisted(params)
        self._names: dict[int, str] = {}
        self._found: dict[str, links.Route] = {}
        self._unreachable: dict[str, dict[str, t.Any]] = {}

    def read(self) -> State:
        with netns.netlink() as ipr:
            self._names = {link.index: link.name for link in links.links(ipr).values()}
            ours = [route for family in _FAMILIES for route in links.routes(ipr, family, proto=self._protocol)]
        self._found = {self._key(route): route for route in ours}
        state: State = {name: self._values(route) for name, route in self._found.items()}
        return {**state, **_persist.read("persist", _HEADER, [self._persist] if self._persist else [])}

    def desired(self, current: State) -> State:
        if not self._present:
            return {}
        with netns.netlink() as ipr:
            self._check_device()
            self._check_ways(current)
            state = self._reachable(ipr, current)
            if any(name not in current for name in state):
                self._check_foreign(ipr, state)
        if self._persist:
            lines = [f"route replace {self._spec(name, values)}\n" for name, values in state.items()]
            state[_persist.name(self._persist)] = _HEADER + "".join(lines)
        return state

    def apply(self, changes: list[Change]) -> None:
        files, rest = _persist.split(changes)
        # First, as a timer may load it at any moment, and would bring back what we have just removed.
        _persist.write(files)
        try:
            self._batch(rest)
        except PodnetError:
            _persist.restore(files)
            raise

    def result(self, state: State) -> dict[str, t.Any]:
        nodes = {f"route {way.dst}": way.node for way in self._ways}
        routes = [
            {"dst": name.split()[1], "via": values["via"], "device": values["device"], "node": nodes[name]}
            for name, values in state.items()
            if name in nodes
        ]
        loaders = [[_ip(), "-force", "-batch", self._persist]] if self._persist and self._present else []
        return {"routes": routes, "unreachable_nodes": list(self._unreachable.values()), "loaders": loaders}

    # What is there

    def _key(self, route: links.Route) -> str:
        """Name a route; one of another kind or metric than ours have is named so that it is seen and removed."""
        version = 6 if ":" in route.dst else 4
        kind = "" if route.kind == links.UNICAST else f" of type {route.kind}"
        metric = "" if route.metric == _METRIC[version] else f" metric {route.metric}"
        return f"route {route.dst}{kind}{metric}"

    def _values(self, route: links.Route) -> dict[str, t.Any]:
        return {"via": route.via, "device": self._names.get(route.device)}

    # What should be there

    def _reachable(self, ipr: t.Any, current: State) -> State:
        """Return the routes whose next hop is on a link of ours; what is not is an error, or left out."""
        near = self._near(ipr)
        asked: dict[Address, t.Optional[str]] = {}
        state: State = {}
        for way in self._ways:
            name = f"route {way.dst}"
            there = current.get(name)
            if there and there["via"] == str(way.via) and any(way.via in each for each in near[there["device"]]):
                # The kernel took this next hop, and the device still has an address beside it.
                state[name] = there
                continue
            if way.via not in asked:
                asked[way.via] = self._ask(ipr, way)
            device = asked[way.via]
            if device is not None:
                state[name] = {"via": str(way.via), "device": device}
        return state

    def _near(self, ipr: t.Any) -> dict[t.Optional[str], list[Network]]:
        """Return the networks that each device has an address in; only those of ``device``, if that is given."""
        devices = {self._device} if self._device else {route.device for route in self._found.values()}
        near: dict[t.Optional[str], list[Network]] = {name: [] for name in (*self._names.values(), None)}
        for index, name in self._names.items():
            if name in devices or index in devices:
                near[name] = [interface.network for interface in links.addresses(ipr, index)]
        return near

    def _ask(self, ipr: t.Any, way: Way) -> t.Optional[str]:
        """Return the device that the next hop is on; the kernel knows best, so ask it."""
        device, problem = self._get_route(ipr, way.via)
        if problem is None and self._device and device != self._device:
            problem = f"is reached by {device}, not by {self._device}"
        if problem is None:
            return device
        remedy = "nodes must be in one network segment: correct the address or device"
        if self._strict:
            raise OptionError(
                way.path, str(way.via), problem, f"{remedy}, or set on_unreachable to warn", node=way.node
            )
        lost = self._behind[way.via]
        self._unreachable[way.path] = {
            "node": way.node,
            "address": str(way.via),
            "pod_cidrs": lost,
            "reason": f"{way.path}: {way.via} {problem}",
        }
        self._warn(f"{way.path}: {way.via} {problem}; there is no route to {', '.join(lost)}")
        return None

    def _get_route(self, ipr: t.Any, address: Address) -> tuple[t.Optional[str], t.Optional[str]]:
        """Return the device for an address, or why it is not next to us."""
        family = links.AF_INET if address.version == 4 else links.AF_INET6
        # Only a link-local address needs a device to be asked for; for others the kernel would believe us.
        if _is_scoped(address) and not self._device:
            return None, "is a link-local address, which means nothing without device"
        options = {"oif": self._device_index()} if _is_scoped(address) else {}
        try:
            answer = next(iter(ipr.route("get", dst=str(address), family=family, **options)))
        except Exception as error:
            reason = links.refused(error)
            if reason is None:
                raise
            return None, f"cannot be reached ({reason})"
        gateway = answer.get_attr("RTA_GATEWAY") or answer.get_attr("RTA_VIA")
        if answer["type"] != links.UNICAST:
            return None, "is this node's own address" if answer["type"] == links.LOCAL else "cannot be reached"
        if gateway:
            return None, f"is not on-link, it is reached through {gateway}"
        return self._names.get(answer.get_attr("RTA_OIF")), None

    def _device_index(self) -> int:
        return next(index for index, name in self._names.items() if name == self._device)

    def _check_device(self) -> None:
        if self._device and self._device not in self._names.values():
            known = set(self._names.values()) - {"lo"}
            raise OptionError("device", self._device, "is not there", _values.suggestion(self._device, known))

    def _check_ways(self, current: State) -> None:
        for way in self._ways:
            if f"route {way.dst}" not in current:
                links.require_way_back(way.pod_cidr, way.dst)

    def _check_foreign(self, ipr: t.Any, state: State) -> None:
        """Refuse to take the place of somebody else's route to all or to a part of a pod CIDR."""
        wanted = {str(way.dst): way for way in self._ways if f"route {way.dst}" in state}
        nets = {(way.dst.version, way.dst.prefixlen) for way in wanted.values()}
        for family in _FAMILIES:
            for route in links.routes(ipr, family):
                if route.protocol == self._protocol:
                    continue
                taken = ipaddress.ip_network(route.dst)
                for prefix in {length for version, length in nets if version == taken.version}:
                    way = wanted.get(str(taken.supernet(new_prefix=prefix))) if prefix <= taken.prefixlen else None
                    if way:
                        self._refuse(way, route)

    def _refuse(self, way: Way, route: links.Route) -> None:
        by = f"via {route.via} " if route.via else ""
        device = self._names.get(route.device, "no device")
        raise OptionError(
            f"nodes.{way.node}.pod_cidrs",
            str(way.dst),
            f"has a route that is not ours ({route.dst} {by}dev {device} proto {route.protocol})",
            f"remove it (ip route del {route.dst} {by}dev {device}) or choose another pod CIDR",
        )

    def _warn(self, warning: str) -> None:
        if warning not in self.warnings:
            self.warnings.append(warning)

    # Changes

    def _spec(self, name: str, values: dict[str, t.Any]) -> str:
        """Return a route as ``ip route`` takes it, without a device that nobody asked for: its name may change."""
        device = f" dev {values['device']}" if self._device else ""
        return f"{name.split()[1]} via {values['via']}{device} proto {self._protocol}"

    def _batch(self, changes: list[Change]) -> None:
        if not changes:
            return
        lines = [self._line(change) for change in changes]
        status, _out, err = self._run([_ip(), "-batch", "-"], "\n".join(lines) + "\n")
        if status == 0:
            return
        failed = re.search(r"Command failed -:(\d+)", err)
        what = changes[int(failed.group(1)) - 1].name if failed else "routes"
        said = next((line for line in err.splitlines() if line.strip()), f"status {status}").strip()
        raise PodnetError(f"{what}: ip -batch refuses it ({said}); correct that and run this again")

    def _line(self, change: Change) -> str:
        if change.after is not None:
            return f"route replace {self._spec(change.name, change.after)}"
        route = self._found[change.name]
        kind = f"{_KINDS.get(route.kind, route.kind)} " if route.kind != links.UNICAST else ""
        via = f" via {route.via}" if route.via else ""
        device = f" dev {self._names[route.device]}" if route.device in self._names and route.via else ""
        return f"route del {kind}{route.dst}{via}{device} proto {self._protocol} metric {route.metric}"


#: The types that somebody may have made with our protocol number (linux/rtnetlink.h).
_KINDS = {2: "local", 3: "broadcast", 5: "multicast", 6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw"}


def _persisted(params: dict[str, t.Any]) -> t.Optional[str]:
    if params["persist"] is None:
        return None
    if params["device"] is not None:
        _persist.batch_word("device", params["device"])
    return _persist.absolute("persist", params["persist"], "/etc/podnet/routes")


def _ip() -> str:
    return _programs.find("ip", "iproute2 (dnf: iproute)")


def _is_scoped(address: Address) -> bool:
    return address.version == 6 and address.is_link_local


def _protocol(given: int) -> int:
    if not 1 <= given <= 255 or given in _TAKEN:
        raise OptionError("protocol", given, "is not free", "use a number from 193 to 255, or from 19 to 185 but 42")
    return given
