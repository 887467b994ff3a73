# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node's own addresses; tests of module util _hosts have more of the rule."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mink8s.podnet.plugins.filter.node_addresses import node_addresses


@pytest.mark.parametrize(
    ("variables", "addresses"),
    [
        ({"pod_cidr_addresses": ["192.0.2.11", "fd01::11"], "node_ip": "192.0.2.1"}, ["192.0.2.11", "fd01::11"]),
        ({"pod_cidr_addresses": "192.0.2.11"}, ["192.0.2.11"]),
        ({"node_ip": "192.0.2.11", "ansible_host": "192.0.2.1"}, ["192.0.2.11"]),
        # The only node, by a local connection or a name of the DNS.
        ({"inventory_hostname": "mink8s"}, []),
        ({"inventory_hostname": "mink8s", "ansible_host": "mink8s.example.org"}, []),
        # A forwarded port.
        ({"inventory_hostname": "192.0.2.11", "ansible_host": "127.0.0.1"}, ["192.0.2.11"]),
    ],
)
def test_the_first_that_is_an_address(variables: dict[str, t.Any], addresses: list[str]) -> None:
    assert node_addresses(variables) == addresses


def test_what_is_no_list_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match=r"^nodes\.node1\.addresses: 7 is neither text nor a list; write one"):
        node_addresses({"inventory_hostname": "node1", "pod_cidr_addresses": 7})
