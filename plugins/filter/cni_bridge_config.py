# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a node's pod CIDRs to the CNI configuration of its bridge network.  Pure; the module validates it."""

from __future__ import annotations

import typing as t
from ipaddress import ip_network

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: cni_bridge_config
short_description: The CNI configuration of a bridge network with host-local addresses
version_added: 1.0.0
author: The mink8s.podnet developers (@mink8s)
description:
  - Builds the configuration that M(mink8s.podnet.cni_network) writes, in the key order of the CNI documentation.
  - A key whose option is V(false), V(none) or empty does not appear at all.
positional: _input
options:
  _input:
    description: The node's pod CIDRs; pods get one address of each.
    type: list
    elements: str
    required: true
  name:
    description: The network's name.
    type: str
    required: true
  bridge:
    description: The bridge that pods are attached to.
    type: str
    required: true
  cni_version:
    description: The CNI version of the configuration.
    type: str
    default: 1.0.0
  gateway:
    description: Whether the bridge carries the gateway's address.
    type: bool
    default: true
  default_route:
    description: Whether pods get a default route.
    type: bool
    default: true
  ip_masq:
    description: Whether the bridge plugin masquerades.
    type: bool
    default: false
  hairpin:
    description: Whether a pod can reach itself through a Service.
    type: bool
    default: false
  mtu:
    description: The MTU of the pods' interfaces, in bytes; none leaves it to the kernel.
    type: int
  data_dir:
    description: Where host-local keeps its leases; none leaves it to host-local.
    type: path
  chained:
    description: The configurations of further plugins, called after the bridge plugin.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Show the configuration
  ansible.builtin.debug:
    msg: "{{ ['10.12.1.0/24'] | mink8s.podnet.cni_bridge_config(name='mink8s', bridge='mink8s0') }}"
"""

RETURN = r"""
_value:
  description: The configuration; with O(chained) the list form, else a single plugin's.
  type: dict
  sample:
    cniVersion: 1.0.0
    name: mink8s
    type: bridge
    bridge: mink8s0
    isGateway: true
    ipam: {type: host-local, ranges: [[{subnet: 10.12.1.0/24}]], routes: [{dst: 0.0.0.0/0}]}
"""


def cni_bridge_config(
    pod_cidrs: list[str],
    *,
    name: str,
    bridge: str,
    cni_version: str = "1.0.0",
    gateway: bool = True,
    default_route: bool = True,
    ip_masq: bool = False,
    hairpin: bool = False,
    mtu: t.Optional[int] = None,
    data_dir: t.Optional[str] = None,
    chained: t.Sequence[dict[str, t.Any]] = (),
) -> dict[str, t.Any]:
    """Return the configuration, in the list form where there are chained plugins."""
    plugin = {
        "type": "bridge",
        "bridge": bridge,
        "isGateway": gateway,
        "ipMasq": ip_masq,
        "hairpinMode": hairpin,
        "mtu": mtu,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": cidr}] for cidr in pod_cidrs],
            "routes": _default_routes(pod_cidrs) if default_route else None,
            "dataDir": data_dir,
        },
    }
    plugin["ipam"] = _given(plugin["ipam"])
    envelope = {"cniVersion": cni_version, "name": name}
    if chained:
        return {**envelope, "plugins": [_given(plugin), *chained]}
    return {**envelope, **_given(plugin)}


def _default_routes(pod_cidrs: list[str]) -> list[dict[str, str]]:
    try:
        versions = dict.fromkeys(ip_network(str(cidr), strict=False).version for cidr in pod_cidrs)
    except ValueError as error:
        raise AnsibleFilterError(f"pod_network_pod_cidrs: {error}; write them like 10.12.1.0/24") from error
    return [{"dst": "0.0.0.0/0" if version == 4 else "::/0"} for version in versions]


def _given(options: t.Any) -> dict[str, t.Any]:
    return {key: value for key, value in options.items() if value not in (None, False, "")}


class FilterModule:
    """The collection's filters."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"cni_bridge_config": cni_bridge_config}
