# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration that the role pod_network writes."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mink8s.podnet.plugins.filter.cni_bridge_config import cni_bridge_config


def test_the_walk_throughs_last_file_to_the_letter() -> None:
    config = cni_bridge_config(["10.12.1.0/24"], name="mink8s", bridge="mink8s0", cni_version="0.3.1", ip_masq=True)
    assert json.dumps(config) == (
        '{"cniVersion": "0.3.1", "name": "mink8s", "type": "bridge", "bridge": "mink8s0", "isGateway": true, '
        '"ipMasq": true, "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.12.1.0/24"}]], '
        '"routes": [{"dst": "0.0.0.0/0"}]}}'
    )


def test_the_walk_throughs_first_file_has_neither_gateway_nor_route() -> None:
    config = cni_bridge_config(
        ["10.12.1.0/24"], name="mink8s", bridge="mink8s0", cni_version="0.3.1", gateway=False, default_route=False
    )
    assert config == {
        "cniVersion": "0.3.1",
        "name": "mink8s",
        "type": "bridge",
        "bridge": "mink8s0",
        "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.12.1.0/24"}]]},
    }


def test_dual_stack_has_a_range_set_and_a_default_route_per_family() -> None:
    config = cni_bridge_config(
        ["10.12.1.0/24", "fd00:12:1::/64"], name="podnet", bridge="podnet0", mtu=1450, hairpin=True, data_dir="/run/cni"
    )
    assert config["ipam"] == {
        "type": "host-local",
        "ranges": [[{"subnet": "10.12.1.0/24"}], [{"subnet": "fd00:12:1::/64"}]],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
        "dataDir": "/run/cni",
    }
    assert (config["mtu"], config["hairpinMode"], "ipMasq" in config) == (1450, True, False)


def test_chained_plugins_make_it_a_list() -> None:
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    config = cni_bridge_config(["10.12.1.0/24"], name="podnet", bridge="podnet0", chained=[portmap])
    assert list(config) == ["cniVersion", "name", "plugins"]
    assert [plugin["type"] for plugin in config["plugins"]] == ["bridge", "portmap"]


@pytest.mark.parametrize("cidr", [True, 5, "10.12.1.0/33", None])
def test_a_pod_cidr_that_is_none(cidr: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match=r"^pod_network_pod_cidrs: .*; write them like 10\.12\.1\.0/24"):
        cni_bridge_config([cidr], name="podnet", bridge="podnet0")
