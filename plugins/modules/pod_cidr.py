#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documents the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_cidr
version_added: 1.0.0
short_description: Decides which node owns which pod CIDR
description:
  - Gives every node of an inventory a block of the cluster CIDR, one of each family for dual stack.
  - A node's block is what its host variable C(pod_cidr_subnets) says, else what the lock file says, else the first
    block that is free. It never depends on a host's position in the inventory, so that adding or removing hosts
    renumbers nobody. New hosts are served in the natural order of their names, C(node2) before C(node10).
  - Everything is checked for the whole inventory before any node is touched. A block lies inside its cluster CIDR, is
    as large as the others, belongs to one host only, and overlaps neither O(reserved), O(service_cidrs) nor a node's
    own address.
  - Of nodes that C(--limit) leaves out nobody makes a plan, so each must keep its block. It fails where such a node has
    another one, by O(found) or by the lock file; and without a lock file also where nothing says what the node has.
  - The lock file is YAML that is meant for version control. It is written atomically, and concurrent runs wait for each
    other. It also remembers the blocks of hosts that left the inventory, so that such a host gets its block back and a
    run with another part of the inventory takes nothing away; see O(prune).
  - This runs on the controller, once for the whole inventory; use it with C(run_once). It connects to no node.
  - A node's own addresses come from its host variable C(pod_cidr_addresses), a list or text with commas, one of each
    family. Without it they come from the first of C(node_ip), C(ansible_host) and the host's name that holds an IP
    address, unless that is a loopback one. Names are not resolved. An address of each family of O(cluster_cidrs) is
    needed where there is more than one node.
extends_documentation_fragment:
  - mink8s.podnet.attributes
  - ansible.builtin.action_common_attributes
  - ansible.builtin.action_common_attributes.conn
  - ansible.builtin.action_common_attributes.flow
attributes:
  action:
    support: full
  async:
    support: none
  become:
    support: none
  bypass_host_loop:
    support: none
    details:
      - Without C(run_once) the answer is the same, worked out for every host anew.
  connection:
    support: none
  delegation:
    support: none
    details:
      - It always runs on the controller.
  platform:
    platforms: posix
options:
  cluster_cidrs:
    description:
      - The CIDR that all pod CIDRs are parts of; for dual stack one of each family.
      - The order is the order of a node's pod CIDRs, and the first family is the cluster's primary one.
    type: list
    elements: str
    required: true
  hosts:
    description:
      - The nodes, as host names, groups or other host patterns, whether the play is limited to some of them or not.
    type: list
    elements: str
    default: [kube_node]
  node_prefix:
    description: The prefix length of an IPv4 pod CIDR.
    type: int
    default: 24
  node_prefix_ipv6:
    description: The prefix length of an IPv6 pod CIDR.
    type: int
    default: 64
  reserved:
    description: CIDRs that no pod CIDR may overlap.
    type: list
    elements: str
    default: []
  service_cidrs:
    description: The cluster's service CIDRs, which no pod CIDR may overlap either.
    type: list
    elements: str
    default: []
  lock_file:
    description:
      - The lock file on the controller, by default C(pod_cidrs.lock.yml).
      - A relative path is relative to the inventory's directory. Where the inventory is no file, it is relative to the
        playbook's directory, or to the current one if the playbook is a collection's.
      - All of it is variables of a group C(pod_cidrs) without hosts, so it may lie in a directory that is an inventory.
    type: path
  adopt:
    description:
      - Take what the nodes have as the truth, where the lock file is lost or never was. Then a node's block is what its
        host variable says, else what O(found) says, else what the lock file says, else the first one that is free.
    type: bool
    default: false
  found:
    description:
      - The pod CIDRs that each host was found to have, as the C(pod_cidrs) that M(mink8s.podnet.cni_network_info)
        returns; an empty list where it has none.
      - With O(adopt=true) it must have every host, because a host that was not asked could lose its block to another.
      - With O(adopt=false) it is compared with what is decided for the hosts that C(--limit) leaves out, and changes
        nothing of that. A host that did not answer is not in it.
    type: dict
    default: {}
  renumber:
    description:
      - Consent to give nodes other blocks than they have, where a host variable or O(cluster_cidrs) say so or where
        their blocks are reserved now. Without it such a run fails and says which node it is about.
      - All pods of such a node must be created anew.
    type: bool
    default: false
  prune:
    description: Forget the blocks of hosts that are not among O(hosts), so that other hosts can have them.
    type: bool
    default: false
author:
  - The mink8s.podnet developers (@mink8s)
seealso:
  - module: mink8s.podnet.cni_network_info
  - module: mink8s.podnet.routes
"""

EXAMPLES = r"""
- name: Decide which node owns which pod CIDR
  mink8s.podnet.pod_cidr:
    cluster_cidrs: [10.12.0.0/16]
    service_cidrs: [10.96.0.0/12]
  run_once: true
  register: pod_cidr

- name: Make this node's routes to the pods of all others
  mink8s.podnet.routes:
    nodes: "{{ pod_cidr.nodes }}"
    self: "{{ inventory_hostname }}"

- name: The same for dual stack, with a first block that is nobody's
  mink8s.podnet.pod_cidr:
    cluster_cidrs: [10.12.0.0/16, "fd00:12::/48"]
    reserved: [10.12.0.0/24, "fd00:12::/64"]
    hosts: kube_node:edge_node
    lock_file: clusters/blue.lock.yml
  run_once: true
"""

RETURN = r"""
actions:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: str
  sample: ["create lock file /srv/cluster/pod_cidrs.lock.yml"]
lock_file:
  description: The lock file's path.
  returned: success
  type: str
  sample: /srv/cluster/pod_cidrs.lock.yml
nodes:
  description: What each of the hosts owns, by its name in the inventory.
  returned: success
  type: dict
  sample:
    node1:
      pod_cidrs: [10.12.0.0/24]
      addresses: [192.0.2.11]
      source: lock
  contains:
    pod_cidrs:
      description: Its pod CIDRs, one of each family, in the order of the cluster CIDRs.
      type: list
      elements: str
      sample: [10.12.0.0/24, "fd00:12::/64"]
    addresses:
      description: Its own addresses, at most one of each family.
      type: list
      elements: str
      sample: [192.0.2.11, "2001:db8::11"]
    source:
      description:
        - Where its pod CIDRs come from, V(hostvar), V(lock), V(adopted) or V(free).
        - Where the families differ it names each, like V(hostvar, free).
      type: str
      sample: lock
"""
