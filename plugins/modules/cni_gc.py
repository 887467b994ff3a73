#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cni_gc
short_description: Free what pods that are gone have left of a CNI network
version_added: 1.0.0
author:
  - The mink8s.podnet developers (@mink8s)
description:
  - Frees what M(mink8s.podnet.cni_attachments_info) returns as leaks of one network, and nothing else. These are
    leases of host-local, iptables chains C(CNI-…), C(CNI-DN-…) and C(CNI-SN-…) with the rules that lead to them,
    rules of the plugins' nftables backends, and files of libcni's cache. The plugins themselves free none of it, as
    they do not implement C(GC).
  - Only what is proved to be of a container that is gone is freed. What may be alive is kept, and returned in
    RV(kept) with the reason.
  - Everything is looked at once more, and freed, under the lock that host-local itself takes, so that no pod gets an
    address in between. Chains and rules go in one transaction for each family and flavour of iptables, and one of
    nftables.
  - What it finds in check mode is what it would free.
notes:
  - Run it in the node's own network and mount namespaces, as Ansible over ssh does. From elsewhere no veth would be
    seen.
  - Where none of the networks' bridges is there, as after a reboot before the first pod is attached, all is kept.
  - Rules that carry neither a container's name nor its hash stay, such as those of C(firewall).
extends_documentation_fragment:
  - mink8s.podnet.attributes
  - mink8s.podnet.attributes.pyroute2
options:
  name:
    description:
      - The network. It need not have a file any more, as after it was renamed.
    type: str
    required: true
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
      - A lease that is younger than this many seconds is kept, as a runtime may be attaching its pod right now.
    type: int
    default: 60
  lock_timeout:
    description:
      - How many seconds to wait for host-local's lock. After that nothing is freed, and the module fails.
    type: int
    default: 10
seealso:
  - module: mink8s.podnet.cni_attachments_info
"""

EXAMPLES = r"""
- name: See what would be freed
  mink8s.podnet.cni_gc:
    name: podnet
  check_mode: true
  diff: true

- name: Free it
  mink8s.podnet.cni_gc:
    name: podnet

- name: Free what is left of the network's former name
  mink8s.podnet.cni_gc:
    name: mink8s
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode, as sentences.
  returned: success
  type: list
  elements: str
  sample:
    - remove iptables-nft chain CNI-2f4a1c0d9e8b7a6f5e4d3c2b
    - remove lease /var/lib/cni/networks/podnet/10.12.1.2
    - remove cache entry /var/lib/cni/results/podnet-6f2d0c0ba4cb-eth0
freed:
  description: What was freed, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [lease /var/lib/cni/networks/podnet/10.12.1.2]
kept:
  description: What is kept because it may be of a pod that is alive.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description:
        - A V(lease), a V(rule), a V(cache) entry, a V(veth) that no pod is known for, or a V(table) of iptables
          that cannot be listed.
      type: str
      sample: lease
    name:
      description: What it is.
      type: str
      sample: lease /var/lib/cni/networks/podnet/10.12.1.3
    network:
      description: Its network; none where nothing but a file's name tells.
      type: str
      sample: podnet
    container_id:
      description: Its container; none where nothing tells.
      type: str
      sample: 6f2d0c0ba4cb
    reason:
      description: Why it may be alive.
      type: str
      sample: 10.12.1.3 was lent 5 seconds ago, so a runtime may still be attaching it
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._attached import survey
from ansible_collections.mink8s.podnet.plugins.module_utils._attached.garbage import Garbage
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import attachments, conf
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Host, runner, which


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "conf_dir": {"type": "path", "default": "/etc/cni/net.d"},
            "cache_dirs": {"type": "list", "elements": "path", "default": list(attachments.CACHE_DIRS)},
            "min_age": {"type": "int", "default": survey.MIN_AGE},
            "lock_timeout": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )

    def build() -> Garbage:
        name = conf.network_name("name", module.params["name"])
        seconds = survey.seconds("lock_timeout", module.params["lock_timeout"], 0)
        return Garbage(Host(runner(module), which), name, survey.places(module.params), seconds)

    _engine.run(module, build)


if __name__ == "__main__":
    main()
