#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: veth
short_description: Virtual cards that connect network namespaces to a node
version_added: 1.0.0
description:
  - Creates, changes and removes pairs of veth links, all of a node in one call.
  - One end is on the node, plugged into a bridge if that is wanted, the other end is in a network namespace,
    with its addresses and routes. Both are up.
  - The node's end carries the alias C(podnet), and only such a link is changed or removed.
  - The other end is ours altogether. Addresses and routes that are not listed are removed from it,
    but not link-local addresses, and not routes that the kernel makes for an address.
  - A pair whose other end is not where it should be is made anew.
extends_documentation_fragment:
  - mink8s.podnet.attributes
  - mink8s.podnet.attributes.pyroute2
author:
  - The mink8s.podnet developers (@mink8s)
options:
  pairs:
    description: The pairs. Others are left alone.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the node's end, at most 15 characters.
        type: str
        required: true
      peer:
        description: Name of the other end.
        type: str
        default: eth0
      netns:
        description:
          - Network namespace of the other end, as a name (C(ip netns)) or as a path (C(/proc/4711/ns/net)).
          - Required with O(state=present).
        type: str
      bridge:
        description:
          - Bridge that the node's end is a port of. By default that is left as it is.
          - It must carry neither the default route nor the address that Ansible is connected to, for a port could
            change its MAC address and its MTU.
        type: str
      addresses:
        description: Addresses of the other end with their prefix lengths, none of them link-local IPv6.
        type: list
        elements: str
        default: []
      routes:
        description: Routes of the other end.
        type: list
        elements: dict
        default: []
        suboptions:
          dst:
            description: What it leads to, V(0.0.0.0/0) or V(::/0) for everything.
            type: str
            required: true
          via:
            description: The gateway. Without one, O(pairs[].routes[].dst) is on the link.
            type: str
      mtu:
        description: MTU of both ends in bytes. By default it is left as it is.
        type: int
  state:
    description: Whether the pairs are there. For V(absent) only their names are needed.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mink8s.podnet.bridge
"""

EXAMPLES = r"""
- name: Two namespaces on a bridge
  mink8s.podnet.veth:
    pairs:
      - name: veth-pod1
        netns: pod1
        bridge: mink8s0
        addresses: [10.12.1.11/24]
        routes:
          - {dst: 0.0.0.0/0, via: 10.12.1.1}
        mtu: 1450
      - name: veth-pod2
        netns: pod2
        bridge: mink8s0
        addresses: [10.12.1.12/24]
        routes:
          - {dst: 0.0.0.0/0, via: 10.12.1.1}
        mtu: 1450

- name: No pair
  mink8s.podnet.veth:
    pairs:
      - name: veth-pod1
      - name: veth-pod2
    state: absent
"""

RETURN = r"""
actions:
  description: What was changed, or would be in check mode, one sentence each.
  type: list
  elements: str
  returned: success
  sample:
    - create veth veth-pod1 (peer eth0, netns pod1, bridge mink8s0, mtu 1450, up yes, addresses [10.12.1.11/24])
pairs:
  description: The pairs as they are, or would be in check mode, without what was not asked for.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Name of the node's end.
      type: str
      sample: veth-pod1
    peer:
      description: Name of the other end.
      type: str
      sample: eth0
    netns:
      description: Network namespace of the other end.
      type: str
      sample: pod1
    bridge:
      description: Bridge that the node's end is a port of.
      type: str
      sample: mink8s0
    mtu:
      description: MTU of both ends in bytes.
      type: int
      sample: 1450
    up:
      description: Whether both ends are up.
      type: bool
      sample: true
    addresses:
      description: Addresses of the other end.
      type: list
      elements: str
      sample: [10.12.1.11/24]
    routes:
      description: Routes of the other end.
      type: list
      elements: str
      sample: [0.0.0.0/0 via 10.12.1.1]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.veth import Veths
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.veth_options import check


def main() -> None:
    route = {"dst": {"type": "str", "required": True}, "via": {"type": "str"}}
    pair = {
        "name": {"type": "str", "required": True},
        "peer": {"type": "str", "default": "eth0"},
        "netns": {"type": "str"},
        "bridge": {"type": "str"},
        "addresses": {"type": "list", "elements": "str", "default": []},
        "routes": {"type": "list", "elements": "dict", "default": [], "options": route},
        "mtu": {"type": "int"},
    }
    module = AnsibleModule(
        argument_spec={
            "pairs": {"type": "list", "elements": "dict", "required": True, "options": pair},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    present = module.params["state"] == "present"
    _engine.run(module, lambda: Veths(check(module.params["pairs"], present), present))


if __name__ == "__main__":
    main()
