#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bridge
short_description: The bridge that a node's pods are plugged into
version_added: 1.0.0
description:
  - Creates, changes and removes one Linux bridge, its addresses and those of its ports that are listed.
  - A bridge that this module creates carries the alias C(podnet), and only such a bridge is ever removed.
    A bridge that was there before gets the attributes and addresses that are asked for.
    With O(state=absent) it stays, and only the addresses in O(addresses) are removed, but none of a bridge that has the
    default route or the address that Ansible is connected to.
  - Ports that are not listed, such as those of the pods, are never touched.
    A bridge of ours that still has such ports is not removed, they are named instead.
  - IPv6 addresses are usable at once, without duplicate address detection.
  - Neither the link of the default route nor the one that Ansible is connected to is ever made a bridge or a port.
extends_documentation_fragment:
  - mink8s.podnet.attributes
  - mink8s.podnet.attributes.pyroute2
author:
  - The mink8s.podnet developers (@mink8s)
requirements:
  - ip (package iproute2 or iproute), with O(persist)
options:
  name:
    description: Name of the bridge, at most 15 characters.
    type: str
    required: true
  addresses:
    description:
      - Addresses of the bridge with their prefix lengths, at most one of them IPv4 and none of them link-local IPv6.
      - These are what the pods use as their gateway.
    type: list
    elements: str
    default: []
  exclusive_addresses:
    description:
      - Whether other addresses are removed from the bridge.
      - Link-local IPv6 addresses, and those with a lifetime, always stay.
      - Needed to give a bridge another subnet, because nothing tells who set an address that is not in O(addresses)
        any more.
    type: bool
    default: false
  mac:
    description:
      - MAC address of the bridge.
      - By default it is C(0a:58) and the four bytes of the IPv4 address, so that it is the same on each run and after
        each reboot, and pods that come and go do not change it.
        Without an IPv4 address it is made from the first address, or from O(name).
      - A bridge that was there before keeps its own by default, which the kernel may choose by its ports.
    type: str
  mtu:
    description:
      - MTU of the bridge in bytes, V(auto) for that of the uplink, or V(kernel) to leave it as it is.
    type: str
    default: auto
  uplink:
    description:
      - Link that leads out of the node.
      - By default the one of the IPv4 default route, or else of the IPv6 default route.
    type: str
  ports:
    description: Links to plug into the bridge. A port that is not listed any more stays plugged in.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the link.
        type: str
        required: true
      hairpin:
        description: Whether a frame may leave by the port that it came in by. By default it stays as it is.
        type: bool
      isolated:
        description: Whether the port reaches only ports that are not isolated. By default it stays as it is.
        type: bool
  stp:
    description:
      - Whether the bridge speaks the spanning tree protocol.
      - By default it stays as it is, which is off for a new bridge.
    type: bool
  netns:
    description:
      - Network namespace of the bridge, as a name (C(ip netns)) or as a path (C(/proc/4711/ns/net)).
      - By default it is the one that the module runs in.
    type: str
  persist:
    description:
      - Absolute path of a file for C(ip -batch) that gives the bridge all this again after a reboot.
        What makes it, if it is one of ours, is in a file of the same name with V(.create) added.
        One of others that is not there yet when they are loaded fails nothing, for the CNI plugin bridge may make it.
      - This module does not see to it that something loads the files at boot, see M(mink8s.podnet.persistence).
      - Removed with O(state=absent). Cannot be used with O(netns).
    type: path
  state:
    description: Whether the bridge is there.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mink8s.podnet.veth
  - module: mink8s.podnet.cni_network
  - module: mink8s.podnet.persistence
"""

EXAMPLES = r"""
- name: A bridge with the MTU of the uplink
  mink8s.podnet.bridge:
    name: mink8s0
    addresses:
      - 10.12.1.1/24
      - 2001:db8:1::1/64

- name: Another subnet for the same bridge
  mink8s.podnet.bridge:
    name: mink8s0
    addresses: [10.12.7.1/24]
    exclusive_addresses: true

- name: Another bridge, with a port that may send back what it received
  mink8s.podnet.bridge:
    name: lab0
    addresses: [10.12.9.1/24]
    ports:
      - name: veth-lab
        hairpin: true

- name: No bridge
  mink8s.podnet.bridge:
    name: mink8s0
    state: absent
"""

RETURN = r"""
actions:
  description: What was changed, or would be in check mode, one sentence each.
  type: list
  elements: str
  returned: success
  sample:
    - create bridge mink8s0 (mac 0a:58:0a:0c:01:01, mtu 1450, up yes)
    - create address 10.12.1.1/24 on mink8s0
loaders:
  description:
    - The commands that load the files of O(persist), as lists of words; for
      O(mink8s.podnet.persistence#module:loaders).
    - One that begins with V(-) may fail.
  type: list
  elements: list
  returned: success
  sample: [[-/usr/sbin/ip, -batch, /etc/podnet/bridge.create], [/usr/sbin/ip, -force, -batch, /etc/podnet/bridge]]
bridge:
  description: The bridge as it is, or would be in check mode; V(null) when it is absent.
  type: dict
  returned: success
  contains:
    name:
      description: Its name.
      type: str
      sample: mink8s0
    mac:
      description: Its MAC address; check mode does not know what the kernel chooses for others' bridge by a new port.
      type: str
      sample: 0a:58:0a:0c:01:01
    mtu:
      description: Its MTU in bytes; with O(mtu=kernel), check mode does not know what the kernel will choose.
      type: int
      sample: 1450
    stp:
      description: Whether it speaks the spanning tree protocol.
      type: bool
      sample: false
    addresses:
      description: Its addresses, without those that this module leaves alone.
      type: list
      elements: str
      sample: [10.12.1.1/24]
    ports:
      description: Those of its ports that were listed.
      type: list
      elements: str
      sample: [veth-lab]
    ours:
      description: Whether this module made it, and would remove it.
      type: bool
      sample: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.bridge import Bridge
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.bridge_options import check


def main() -> None:
    port = {
        "name": {"type": "str", "required": True},
        "hairpin": {"type": "bool"},
        "isolated": {"type": "bool"},
    }
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "addresses": {"type": "list", "elements": "str", "default": []},
            "exclusive_addresses": {"type": "bool", "default": False},
            "mac": {"type": "str"},
            "mtu": {"type": "str", "default": "auto"},
            "uplink": {"type": "str"},
            "ports": {"type": "list", "elements": "dict", "default": [], "options": port},
            "stp": {"type": "bool"},
            "netns": {"type": "str"},
            "persist": {"type": "path"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    _engine.run(module, lambda: Bridge(check(module.params)))


if __name__ == "__main__":
    main()
