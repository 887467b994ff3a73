# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pod CIDR is reached by way of which node."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.nodes import ways


def node(cidrs: list[t.Any], addresses: list[t.Any]) -> dict[str, t.Any]:
    return {"pod_cidrs": cidrs, "addresses": addresses, "source": "lock"}


NODE1 = node(["10.12.1.0/24", "2001:db8:1::/64"], ["192.0.2.11", "2001:db8::11"])


def test_all_nodes_but_our_own_by_family_and_order() -> None:
    nodes = {
        "node10": node(["2001:db8:10::/64", "10.12.10.0/24"], ["2001:DB8::20", "192.0.2.20"]),
        "node1": NODE1,
        "node2": node(["10.12.2.0/24"], ["192.0.2.12"]),
        "empty": {},
    }
    found = [(way.node, str(way.dst), str(way.via), way.path) for way in ways(nodes, "node1")]
    assert found == [
        ("node2", "10.12.2.0/24", "192.0.2.12", "nodes.node2.addresses[0]"),
        ("node10", "10.12.10.0/24", "192.0.2.20", "nodes.node10.addresses[1]"),
        ("node10", "2001:db8:10::/64", "2001:db8::20", "nodes.node10.addresses[0]"),
    ]


@pytest.mark.parametrize(
    ("nodes", "sentence"),
    [
        ({"node10": NODE1}, r"self: node1 is not in nodes; did you mean node10\?"),
        ({"n2": []}, r"nodes.n2: \[\] is not a map"),
        ({"n2": {"pod_cidrs": "10.12.2.0/24"}}, r"nodes.n2.pod_cidrs: 10.12.2.0/24 is not a list"),
        (
            {"n2": node(["10.12.2.1/24"], [])},
            r"nodes.n2.pod_cidrs\[0\]: 10.12.2.1/24 has host bits set; write 10.12.2.0/24",
        ),
        ({"n2": node([], ["192.0.2.300"])}, r"nodes.n2.addresses\[0\]: 192.0.2.300 is not an IP address"),
        ({"n2": node([], ["192.0.2.1", "192.0.2.2"])}, r"nodes.n2.addresses\[1\]: 192.0.2.2 is a second IPv4 address"),
        ({"n2": node([], ["fe80::1%eth0"])}, r"nodes.n2.addresses\[0\]: fe80::1%eth0 names a link"),
        ({"n2": node(["10.12.2.0/24"], ["2001:db8::12"])}, r"nodes.n2.pod_cidrs\[0\]: .* has no IPv4 address"),
        ({"n2": node(["10.12.1.0/24"], ["192.0.2.12"])}, r"nodes.n2.pod_cidrs\[0\]: 10.12.1.0/24 is already node1's"),
        ({"n2": node(["10.12.1.128/25"], ["192.0.2.12"])}, r"10.12.1.128/25 is inside 10.12.1.0/24, which is node1's"),
        ({"n2": node(["10.12.0.0/16"], ["192.0.2.12"])}, r"10.12.1.0/24 is inside 10.12.0.0/16, which is n2's"),
    ],
)
def test_refusals(nodes: dict[str, t.Any], sentence: str) -> None:
    own = {} if "node10" in nodes else {"node1": NODE1}
    with pytest.raises(OptionError, match=sentence):
        ways({**own, **nodes}, "node1")


def test_every_address_is_nobodys_pod_cidr() -> None:
    with pytest.raises(OptionError, match=r"^nodes.node2.pod_cidrs\[0\]: 0.0.0.0/0 is every address; "):
        ways({"node1": NODE1, "node2": node(["0.0.0.0/0"], ["192.0.2.12"])}, "node1")
