#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: conflicts_info
short_description: Show what on a node is in the way of its pod network
version_added: 1.0.0
description:
  - Looks for everything on a node that would take packets away from its pods, or that its pods would take away from
    somebody else, before anything is changed.
  - Each conflict is one sentence with the value and a remedy, and has a grade. V(stops) is what loses packets for
    certain, V(warns) what loses some of them in some cases, V(informs) what is harmless as it is.
  - What this collection has made itself is no conflict, but for a bridge other than O(bridge) that still has an address
    in a pod CIDR, as after a change of the bridge's name.
  - Reads also where it cannot change anything. Files of other software that cannot be read say nothing.
extends_documentation_fragment:
  - mink8s.podnet.attributes.info
  - mink8s.podnet.attributes.pyroute2
author:
  - The mink8s.podnet developers (@mink8s)
requirements:
  - nft, iptables-save, as far as their rules are to be looked at
options:
  pod_cidrs:
    description: This node's pod CIDRs.
    type: list
    elements: str
    required: true
  cluster_cidrs:
    description: The CIDRs that all pod CIDRs are parts of.
    type: list
    elements: str
    default: []
  nodes:
    description: Every node's C(pod_cidrs) and C(addresses) by its name, as M(mink8s.podnet.pod_cidr) returns them.
    type: dict
    default: {}
  self:
    description: This node's name in O(nodes).
    type: str
  bridge:
    description: The bridge that pods are attached to.
    type: str
    required: true
  addresses:
    description: The addresses that the bridge carries, or will carry, with their prefix lengths.
    type: list
    elements: str
    default: []
  uplink:
    description: The link that leads out, where it is not that of the default route.
    type: str
  name:
    description: The network's name. Without it no CNI configurations are looked at.
    type: str
  format:
    description: The form of the network's file, as in M(mink8s.podnet.cni_network).
    type: str
    choices: [conflist, conf]
    default: conflist
  priority:
    description: The number that the name of the network's file begins with.
    type: int
  conf_dir:
    description: The directory that the runtime loads configurations from.
    type: path
    default: /etc/cni/net.d
  bin_dirs:
    description: The directories of the plugins.
    type: list
    elements: path
    default: [/opt/cni/bin]
  protocol:
    description: The number that our routes carry, as in M(mink8s.podnet.routes).
    type: int
    default: 212
  forward:
    description: Whether M(mink8s.podnet.masquerade) accepts pod traffic where a C(FORWARD) policy of iptables drops.
    type: bool
    default: true
  persistent:
    description:
      - Whether systemd brings our rules back after a restart of C(nftables.service), and NetworkManager is told to
        leave our links alone.
    type: bool
    default: false
  ignore:
    description:
      - Conflicts that are consented to, and not looked for.
      - An entry is a kind, like V(rp_filter), or one object of a kind, like V(address:eth0).
    type: list
    elements: str
    default: []
seealso:
  - module: mink8s.podnet.cni_network_info
  - module: mink8s.podnet.masquerade
"""

EXAMPLES = r"""
- name: See what is in the way
  mink8s.podnet.conflicts_info:
    pod_cidrs: [10.12.1.0/24]
    cluster_cidrs: [10.12.0.0/16]
    bridge: mink8s0
    addresses: [10.12.1.1/24]
    name: mink8s
  register: found
  failed_when: found.conflicts | selectattr('grade', 'eq', 'stops') | list | length > 0
"""

RETURN = r"""
conflicts:
  description: What was found, the worst first.
  type: list
  elements: dict
  returned: success
  contains:
    grade:
      description: V(stops), V(warns) or V(informs).
      type: str
      sample: stops
    kind:
      description:
        - Who has an address or route of the pod network, V(address) (any link), V(docker_network), V(vpn),
          V(other_cni), V(route), V(name_server), V(node_address) or V(docker_pool).
        - Which part of the pod network somebody changed or would displace, V(competing_file), V(injected_file),
          V(bridge_address) or V(replaced_plugin).
        - Who would drop, masquerade or flush, V(foreign_rule), V(legacy_rules), V(flush_ruleset), V(firewalld) or
          V(network_manager); and which sysctl, V(rp_filter) or V(forwarding).
      type: str
      sample: docker_network
    object:
      description: The link, file, route or other thing that it is about.
      type: str
      sample: docker0
    what:
      description: What is wrong, and what to do.
      type: str
      sample: >-
        docker0: address 10.12.1.1/24 is in this node's pod CIDR 10.12.1.0/24, so a pod may have it, too; remove that
        network of Docker, or choose other CIDRs (pod_cidr_subnets, pod_cidr_cluster_cidrs)
msg:
  description: The sentences of all conflicts that stop, as one text. All that warn are warnings.
  type: str
  returned: if there is a conflict that stops
  sample: >-
    docker0: address 10.12.1.1/24 is in this node's pod CIDR 10.12.1.0/24, so a pod may have it, too;
    remove that network of Docker, or choose other CIDRs (pod_cidr_subnets, pod_cidr_cluster_cidrs)
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts import verdicts
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.survey import Survey
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Host, runner, which


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "pod_cidrs": {"type": "list", "elements": "str", "required": True},
            "cluster_cidrs": {"type": "list", "elements": "str", "default": []},
            "nodes": {"type": "dict", "default": {}},
            "self": {"type": "str"},
            "bridge": {"type": "str", "required": True},
            "addresses": {"type": "list", "elements": "str", "default": []},
            "uplink": {"type": "str"},
            "name": {"type": "str"},
            "format": {"type": "str", "choices": ["conflist", "conf"], "default": "conflist"},
            "priority": {"type": "int"},
            "conf_dir": {"type": "path", "default": "/etc/cni/net.d"},
            "bin_dirs": {"type": "list", "elements": "path", "default": ["/opt/cni/bin"]},
            "protocol": {"type": "int", "default": 212},
            "forward": {"type": "bool", "default": True},
            "persistent": {"type": "bool", "default": False},
            "ignore": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )

    def work() -> dict[str, object]:
        found = Survey(module.params, Host(runner(module), which)).conflicts()
        for conflict in found:
            if conflict.grade == verdicts.WARNS:
                module.warn(_engine.printable(conflict.what))
        stopping = verdicts.stopping(found)
        return {"conflicts": [each._asdict() for each in found], **({"msg": stopping} if stopping else {})}

    _engine.report(module, work)


if __name__ == "__main__":
    main()
