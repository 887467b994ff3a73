# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What module routes tells of itself; what it does is tried with the kernel."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.routes import Routes

pytestmark = pytest.mark.usefixtures("node_with_ip")

OTHERS = {
    f"node{index}": {"pod_cidrs": [f"10.12.{index}.0/24"], "addresses": [f"192.0.2.{index}"]} for index in (1, 10)
}
STATE = {"route 10.12.10.0/24": {"via": "192.0.2.10", "device": "eth0"}}


def told(**params: t.Any) -> dict[str, t.Any]:
    params = {
        "protocol": 212,
        "device": None,
        "on_unreachable": "fail",
        "persist": None,
        "return_routes": True,
        **params,
    }
    return Routes(params, lambda args, data=None: (1, "", f"{args} {data}")).result(STATE)


def test_each_route_with_its_node() -> None:
    routes = told(state="present", nodes=OTHERS, self="node1")["routes"]
    assert routes == [{"dst": "10.12.10.0/24", "via": "192.0.2.10", "device": "eth0", "node": "node10"}]


def test_routes_that_nobody_asks_for_are_not_told() -> None:
    quiet = told(state="present", nodes=OTHERS, self="node1", return_routes=False)
    assert set(quiet) == {"unreachable_nodes", "loaders", "invocation"}


def test_the_invocation_has_the_number_of_nodes_in_their_place() -> None:
    assert told(state="present", nodes=OTHERS, self="node1")["invocation"]["module_args"] == {
        "nodes": "2 nodes",
        "self": "node1",
        "protocol": 212,
        "device": None,
        "on_unreachable": "fail",
        "persist": None,
        "return_routes": True,
        "state": "present",
    }
    assert told(state="absent", nodes=None, self=None)["invocation"]["module_args"]["nodes"] is None
