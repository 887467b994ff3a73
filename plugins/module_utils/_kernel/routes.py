# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The routes to the other nodes' pods: those of the main table that carry our protocol number.

They are made by ``ip -batch``, from the same lines that a file keeps for the next boot, so there is one truth.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import socket
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _persist, _programs, _reached, _values
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.links import DEFAULT_METRIC
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.main_table import (
    LOCAL,
    UNICAST,
    Answer,
    MainTable,
    Route,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.nodes import Way, ways
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Address

#: The kernel, redirects, boot and static routes, and what routing daemons use (/etc/iproute2/rt_protos).
_TAKEN = frozenset([*range(19), 42, *range(186, 193)])
#: The kernel's, for a network that the node itself has an address in.
_KERNEL = 2

_HEADER = "# The routes to the other nodes' pods, made by Ansible (mink8s.podnet.routes); for ip -batch\n"


class Routes(Resource):
    """Our routes on one node."""

    def __init__(self, params: dict[str, t.Any], run: _programs.Runner) -> None:
        super().__init__()
        self._table = MainTable(run)
        self._returns_routes = params["return_routes"]
        # Until Ansible drops it the controller has it once for each node: all nodes, as often as there are nodes.
        told = f"{len(params['nodes'])} nodes" if params["nodes"] else params["nodes"]
        self._invocation = {"module_args": {**params, "nodes": told}}
        self._protocol = _protocol(params["protocol"])
        self._present = params["state"] == "present"
        self._ways = ways(params["nodes"], params["self"]) if self._present else []
        self._behind: dict[str, list[Way]] = {}
        for way in self._ways:
            self._behind.setdefault(way.hop, []).append(way)
        self._device = _device(params["device"])
        self._strict = params["on_unreachable"] == "fail"
        self._bridge: t.Optional[str] = params.get("only_with_bridge")
        self._persist: t.Optional[str] = _persisted(params)
        self._found: dict[str, Route] = {}
        self._unreachable: dict[str, dict[str, t.Any]] = {}

    def read(self) -> State:
        self._found = {_key(route): route for route in self._table.routes(self._protocol)}
        state: State = {name: {"via": route.via, "device": route.device} for name, route in self._found.items()}
        return {**state, **_persist.read("persist", _HEADER, [self._persist] if self._persist else [])}

    def desired(self, current: State) -> State:
        if not self._present:
            return {}
        if self._bridge and self._bridge not in _links():
            return dict(current)
        self._check_device()
        state = self._reachable()
        new = [way for way in self._ways if way.route in state and way.route not in current]
        _reached.require_way_back((way.pod_cidr, way.dst) for way in new)
        if new:
            self._check_foreign(state)
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
        ways = [way for way in self._ways if way.route in state]
        routes = [{"dst": way.cidr, **state[way.route], "node": way.node} for way in ways]
        loaders = [[self._table.ip, "-force", "-batch", self._persist]] if self._persist and self._present else []
        return {
            **({"routes": routes} if self._returns_routes else {}),
            "unreachable_nodes": list(self._unreachable.values()),
            "loaders": loaders,
            "invocation": self._invocation,
        }

    # What should be there

    def _reachable(self) -> State:
        """Return the routes whose next hop is on a link of ours; what is not is an error, or left out."""
        # The kernel knows best, so ask it.
        answers = self._table.ask([self._question(ways[0]) for ways in self._behind.values()])
        devices = {hop: self._judge(self._behind[hop][0], answer) for hop, answer in zip(self._behind, answers)}
        ways = [way for way in self._ways if devices[way.hop] is not None]
        return {way.route: {"via": way.hop, "device": devices[way.hop]} for way in ways}

    def _question(self, way: Way) -> str:
        # Only a link-local address needs a device to be asked for; for others the kernel would believe us.
        return f"{way.hop} oif {self._device}" if _is_scoped(way.via) and self._device else way.hop

    def _judge(self, way: Way, answer: Answer) -> t.Optional[str]:
        """Return the device that the next hop is on."""
        problem = self._problem(way.via, answer)
        if problem is None:
            return answer.device
        remedy = "nodes must be in one network segment: correct the address or device"
        if self._strict:
            raise OptionError(way.path, way.hop, problem, f"{remedy}, or set on_unreachable to warn", node=way.node)
        lost = [each.cidr for each in self._behind[way.hop]]
        self._unreachable[way.path] = {
            "node": way.node,
            "address": way.hop,
            "pod_cidrs": lost,
            "reason": f"{way.path}: {way.hop} {problem}",
        }
        self._warn(f"{way.path}: {way.hop} {problem}; there is no route to {', '.join(lost)}")
        return None

    def _problem(self, address: Address, answer: Answer) -> t.Optional[str]:
        """Say why an address is not next to us."""
        if _is_scoped(address) and not self._device:
            return "is a link-local address, which means nothing without device"
        if answer.refusal is not None:
            return f"cannot be reached ({answer.refusal})"
        if answer.kind != UNICAST:
            return "is this node's own address" if answer.kind == LOCAL else "cannot be reached"
        if answer.gateway:
            return f"is not on-link, it is reached through {answer.gateway}"
        if self._device and answer.device != self._device:
            return f"is reached by {answer.device}, not by {self._device}"
        return None

    def _check_device(self) -> None:
        there = _links()
        if self._device and self._device not in there:
            raise OptionError("device", self._device, "is not there", _values.suggestion(self._device, there - {"lo"}))

    def _check_foreign(self, state: State) -> None:
        """Refuse to take the place of somebody else's route to all or to a part of a pod CIDR."""
        wanted = {way.cidr: way for way in self._ways if way.route in state}
        nets = {(way.dst.version, way.dst.prefixlen) for way in wanted.values()}
        for route in self._table.routes():
            if route.protocol == self._protocol:
                continue
            taken = ipaddress.ip_network(route.dst)
            for prefix in {length for version, length in nets if version == taken.version}:
                way = wanted.get(str(taken.supernet(new_prefix=prefix))) if prefix <= taken.prefixlen else None
                if way:
                    self._refuse(way, route)

    def _refuse(self, way: Way, route: Route) -> None:
        by = f"via {route.via} " if route.via else ""
        device = route.device or "no device"
        problem = f"has a route that is not ours ({route.dst} {by}dev {device} proto {route.protocol})"
        remedy = f"remove it (ip route del {route.dst} {by}dev {device})"
        if route.protocol == _KERNEL:
            # Without it nobody there would be reached, such as this node's own pods.
            problem = f"has an address of this node in it (on {device})"
            remedy = "take what the nodes have, if the lock file was lost (pod_cidr_adopt: true),"
        raise OptionError(f"nodes.{way.node}.pod_cidrs", way.cidr, problem, f"{remedy} or choose another pod CIDR")

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
        refused = self._table.change([self._line(change) for change in changes])
        if refused:
            index, said = refused
            raise PodnetError(f"{changes[index].name}: ip -batch refuses it ({said}); correct that and run this again")

    def _line(self, change: Change) -> str:
        if change.after is not None:
            return f"route replace {self._spec(change.name, change.after)}"
        route = self._found[change.name]
        kind = f"{_KINDS.get(route.kind, route.kind)} " if route.kind != UNICAST else ""
        via = f" via {route.via}" if route.via else ""
        device = f" dev {route.device}" if route.device and route.via else ""
        return f"route del {kind}{route.dst}{via}{device} proto {self._protocol} metric {route.metric}"


#: The types that somebody may have made with our protocol number (linux/rtnetlink.h).
_KINDS = {2: "local", 3: "broadcast", 5: "multicast", 6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw"}


def _key(route: Route) -> str:
    """Name a route; one of another kind or metric than ours have is named so that it is seen and removed."""
    kind = "" if route.kind == UNICAST else f" of type {route.kind}"
    metric = "" if route.metric == DEFAULT_METRIC[route.version] else f" metric {route.metric}"
    return f"route {route.dst}{kind}{metric}"


def _links() -> set[str]:
    return {name for _index, name in socket.if_nameindex()}


def _persisted(params: dict[str, t.Any]) -> t.Optional[str]:
    if params["persist"] is None:
        return None
    return _persist.absolute("persist", params["persist"], "/etc/podnet/routes")


def _device(name: t.Optional[str]) -> t.Optional[str]:
    return None if name is None else _persist.batch_word("device", _values.ifname("device", name))


def _is_scoped(address: Address) -> bool:
    return address.version == 6 and address.is_link_local


def _protocol(given: int) -> int:
    if not 1 <= given <= 255 or given in _TAKEN:
        raise OptionError("protocol", given, "is not free", "use a number from 193 to 255, or from 19 to 185 but 42")
    return given
