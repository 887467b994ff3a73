#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: routes
short_description: The routes from a node to the other nodes' pods
version_added: 1.0.0
description:
  - Makes one route for each pod CIDR of each other node, by way of that node's address of the same family.
  - The routes of the main table that carry O(protocol) are those of this module.
    One that is not wanted any more, because its node is gone, is removed. No other route is touched.
  - A node can only be routed to when its address is on-link, which the kernel is asked for each address.
    A route of somebody else for a pod CIDR or for a part of it is an error.
  - All changes are made by one C(ip -batch).
extends_documentation_fragment:
  - mink8s.podnet.attributes
author:
  - The mink8s.podnet developers (@mink8s)
requirements:
  - ip (package iproute2 or iproute)
options:
  nodes:
    description:
      - All nodes, as M(mink8s.podnet.pod_cidr) returns them.
      - Each node is a dictionary with the lists C(pod_cidrs) and C(addresses), the latter with at most one address per
        family. Other keys are ignored.
      - Of its own invocation this module returns only their number, where it does not fail.
      - Required with O(state=present).
    type: dict
  self:
    description:
      - The key in O(nodes) that is this node.
      - Required with O(state=present).
    type: str
  device:
    description:
      - The only link that nodes may be reached by. By default the kernel finds the link.
      - Required where addresses are link-local.
    type: str
  protocol:
    description:
      - The number that marks our routes.
      - Numbers that the kernel or a routing daemon uses are refused.
    type: int
    default: 212
  on_unreachable:
    description:
      - What to do with a node whose address is not on-link.
      - V(fail) names it and changes nothing. V(warn) leaves out its routes and returns it in RV(unreachable_nodes).
    type: str
    choices: [fail, warn]
    default: fail
  only_with_bridge:
    description:
      - A node without a bridge of this name has no pod network yet, and is left as it is.
    type: str
  persist:
    description:
      - Absolute path of a file to keep the routes in, for C(ip -batch) at the next boot. Removed with O(state=absent).
      - This module does not see to it that something loads the file, see M(mink8s.podnet.persistence).
    type: path
  return_routes:
    description:
      - Whether RV(routes) is returned. Ansible keeps what is registered of every node, which is much where hundreds of
        nodes have hundreds of routes each.
    type: bool
    default: true
    version_added: 1.1.0
  state:
    description: Whether there are such routes.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mink8s.podnet.pod_cidr
  - module: mink8s.podnet.persistence
"""

EXAMPLES = r"""
- name: Routes to the pods of all other nodes
  mink8s.podnet.routes:
    nodes:
      node1:
        pod_cidrs: [10.12.1.0/24]
        addresses: [192.0.2.11]
      node2:
        pod_cidrs: [10.12.2.0/24]
        addresses: [192.0.2.12]
    self: "{{ inventory_hostname }}"
    persist: /etc/podnet/routes.batch

- name: No routes
  mink8s.podnet.routes:
    persist: /etc/podnet/routes.batch
    state: absent
"""

RETURN = r"""
actions:
  description: What was changed, or would be in check mode, one sentence each.
  type: list
  elements: str
  returned: success
  sample:
    - create route 10.12.2.0/24 (via 192.0.2.12, device eth0)
loaders:
  description:
    - The command that loads the file of O(persist), as a list of words; for
      O(mink8s.podnet.persistence#module:repeated_loaders).
  type: list
  elements: list
  returned: success
  sample: [[/usr/sbin/ip, -force, -batch, /etc/podnet/routes]]
routes:
  description: The routes as they are, or would be in check mode.
  type: list
  elements: dict
  returned: success, with O(return_routes=true)
  contains:
    dst:
      description: A pod CIDR of another node.
      type: str
      sample: 10.12.2.0/24
    via:
      description: The other node's address.
      type: str
      sample: 192.0.2.12
    device:
      description: The link that it is reached by.
      type: str
      sample: eth0
    node:
      description: The other node.
      type: str
      sample: node2
unreachable_nodes:
  description: The addresses that are not on-link, with O(on_unreachable=warn).
  type: list
  elements: dict
  returned: success
  contains:
    node:
      description: The other node.
      type: str
      sample: node3
    address:
      description: Its address.
      type: str
      sample: 198.51.100.13
    pod_cidrs:
      description: The pod CIDRs that there is no route to.
      type: list
      elements: str
      sample: [10.12.3.0/24]
    reason:
      description: What the kernel says about the address.
      type: str
      sample: "nodes.node3.addresses[0]: 198.51.100.13 is not on-link, it is reached through 192.0.2.1"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.routes import Routes
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import runner


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "nodes": {"type": "dict"},
            "self": {"type": "str"},
            "device": {"type": "str"},
            "protocol": {"type": "int", "default": 212},
            "on_unreachable": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
            "only_with_bridge": {"type": "str"},
            "persist": {"type": "path"},
            "return_routes": {"type": "bool", "default": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ("nodes", "self"))],
        supports_check_mode=True,
    )
    _engine.run(module, lambda: Routes(module.params, runner(module)))


if __name__ == "__main__":
    main()
