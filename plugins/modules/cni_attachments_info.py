#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cni_attachments_info
short_description: Show which pods are attached to a node's CNI networks, with which configuration, and what has leaked
version_added: 1.0.0
author:
  - The mink8s.podnet developers (@mink8s)
description:
  - Returns every attachment that libcni remembers, with its pod, its addresses, its links on the node, the
    configuration that it was made with, and how today's configuration differs from that one.
  - Returns also what pods that are gone have left behind. These are leases of host-local, the iptables chains and
    nftables rules that C(bridge), C(ptp) and C(portmap) make for each pod, and files of libcni's cache.
  - A container is V(alive), V(dead) or V(unknown). It is dead only where that is proved, because its namespace and
    its veth are gone, or because no namespace that a veth of this node leads into has its address. Everything else
    that is in doubt is unknown, with the reason.
  - The C(lo) that containerd and cri-dockerd attach to each pod, too (plugin C(loopback)), connects it to nobody. It is
    told of only among the leaks.
  - Nothing on the node is changed; broken, huge or foreign files are told of, and never fail the module.
notes:
  - Run it in the node's own network and mount namespaces, as Ansible over ssh does. From elsewhere no veth would be
    seen.
  - Addresses in other namespaces are asked from the kernel (Linux 4.20 or newer). On older ones a container whose
    veth is not remembered by libcni is V(unknown).
extends_documentation_fragment:
  - mink8s.podnet.attributes.info
  - mink8s.podnet.attributes.pyroute2
options:
  name:
    description:
      - Return only what is of this network. All networks are returned where it is left out.
    type: str
  conf_dir:
    description:
      - The directory that the runtime loads configurations from. It may be missing.
    type: path
    default: /etc/cni/net.d
  cache_dirs:
    description:
      - Where the runtimes keep libcni's cache. The first is that of containerd and CRI-O, the second that of
        cri-dockerd and Kubernetes' dockershim.
    type: list
    elements: path
    default: [/var/lib/cni/results, /var/lib/cni/cache/results]
  min_age:
    description:
      - A lease that is younger than this many seconds is V(unknown), as a runtime may be attaching its pod right now.
    type: int
    default: 60
seealso:
  - module: mink8s.podnet.cni_gc
  - module: mink8s.podnet.cni_network_info
"""

EXAMPLES = r"""
- name: See who is attached to the pod network
  mink8s.podnet.cni_attachments_info:
    name: podnet
  register: pods

- name: Name the pods that have to be created again, as they live under an older configuration
  ansible.builtin.debug:
    msg: "{{ stale | map(attribute='pod') | list }}"
  vars:
    stale: "{{ pods.attachments | selectattr('verdict', 'ne', 'dead') |
      rejectattr('change_class', 'in', ['none', 'live_safe']) }}"

- name: Fail where something has leaked
  ansible.builtin.assert:
    that: pods.leaks == []
"""

RETURN = r"""
attachments:
  description: The attachments that libcni remembers, by network, container and interface.
  returned: success
  type: list
  elements: dict
  contains:
    container_id:
      description: The pod sandbox's identifier.
      type: str
      sample: 6f2d0c0ba4cb
    pod:
      description: The pod's namespace and name, if a kubelet made it.
      type: str
      sample: kube-system/coredns-0
    network:
      description: The network.
      type: str
      sample: podnet
    ifname:
      description: The pod's interface.
      type: str
      sample: eth0
    addresses:
      description: The pod's addresses, with their prefix lengths.
      type: list
      elements: str
      sample: [10.12.1.2/24]
    mac:
      description: The MAC address of the pod's interface.
      type: str
      sample: 5a:e1:3c:70:0d:11
    mtu:
      description: The MTU of the pair in bytes, as the node's end has it.
      type: int
      sample: 1450
    veth:
      description: The node's end of the pair; none where it is gone.
      type: str
      sample: veth2f1c7a90
    bridge:
      description: The bridge that it is a port of.
      type: str
      sample: podnet0
    hairpin:
      description: Whether the port may send packets back to where they came from.
      type: bool
      sample: true
    isolated:
      description: Whether the port reaches only ports that are not isolated.
      type: bool
      sample: false
    link_netnsid:
      description: The number that the node's links have for the pod's namespace, as C(ip link) shows it.
      type: int
      sample: 0
    netns:
      description: The path of the pod's namespace.
      type: str
      sample: /var/run/netns/cni-3d6e0a
    verdict:
      description: Whether the container is V(alive), V(dead) or V(unknown).
      type: str
      sample: alive
    reason:
      description: Why.
      type: str
      sample: its namespace /var/run/netns/cni-3d6e0a is there
    config:
      description: The configuration that it was attached with; none where libcni's file does not hold one.
      type: raw
      sample: {cniVersion: 1.0.0, name: podnet, plugins: [{type: bridge, bridge: podnet0}]}
    change_class:
      description:
        - What the difference to today's file of that network means. V(none), V(live_safe), V(new_pods_only),
          V(recycle_all) or V(refuse), as with M(mink8s.podnet.cni_network). It is V(refuse) where there is no such
          file any more.
      type: str
      sample: new_pods_only
    changed_keys:
      description: The keys that differ.
      type: list
      elements: str
      sample: [bridge.mtu]
    cache:
      description: The file of libcni's cache.
      type: str
      sample: /var/lib/cni/results/podnet-6f2d0c0ba4cb-eth0
leaks:
  description: What containers that are dead have left behind; what M(mink8s.podnet.cni_gc) would free.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: A V(lease) of host-local, a V(rule) (an iptables chain or a rule of nftables), or a V(cache) entry.
      type: str
      sample: lease
    name:
      description: What it is.
      type: str
      sample: lease /var/lib/cni/networks/podnet/10.12.1.2
    network:
      description: Its network; none where nothing tells.
      type: str
      sample: podnet
    container_id:
      description: Its container; none where nothing tells.
      type: str
      sample: 6f2d0c0ba4cb
    reason:
      description: Why its container is dead.
      type: str
      sample: its namespace /var/run/netns/cni-3d6e0a is gone, and its veth veth2f1c7a90 too
unknown:
  description:
    - The same of containers that may be alive. Here are also files in libcni's cache that cannot be read, each
      V(table) of iptables that cannot be listed, and each V(veth) that is a port of a network's bridge though no pod
      is known for it.
  returned: success
  type: list
  elements: dict
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._attached import survey
from ansible_collections.mink8s.podnet.plugins.module_utils._attached.listing import listing
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import attachments, conf
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Host, runner, which


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str"},
            "conf_dir": {"type": "path", "default": "/etc/cni/net.d"},
            "cache_dirs": {"type": "list", "elements": "path", "default": list(attachments.CACHE_DIRS)},
            "min_age": {"type": "int", "default": survey.MIN_AGE},
        },
        supports_check_mode=True,
    )

    def work() -> dict[str, object]:
        name = None if module.params["name"] is None else conf.network_name("name", module.params["name"])
        places = survey.places(module.params)
        return listing(survey.look(Host(runner(module), which), places), name)

    _engine.report(module, work)


if __name__ == "__main__":
    main()
