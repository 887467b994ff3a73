#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cni_network_info
short_description: Show which CNI network a runtime would load, and why not the others
version_added: 1.0.0
author:
  - The mink8s.podnet developers (@mink8s)
description:
  - Reads the directory of CNI configurations as container runtimes do, and returns for each runtime which file it
    would load, and for every other file the reason why it would not.
  - Returns also which pod CIDRs the files hold, and who is attached to one network, by what libcni remembers and
    host-local has lent.
  - Files that are broken, huge, no plain files or not text are told of, and never fail the module.
extends_documentation_fragment:
  - mink8s.podnet.attributes.info
requirements:
  - Python >= 3.9
options:
  conf_dir:
    description:
      - The directory that the runtime loads configurations from. It may be missing.
    type: path
    default: /etc/cni/net.d
  bin_dirs:
    description:
      - The directories in which the runtime looks for plugins, in its order.
    type: list
    elements: path
    default: [/opt/cni/bin]
  name:
    description:
      - The network whose pod CIDRs, leases and attachments are returned.
    type: str
seealso:
  - module: mink8s.podnet.cni_network
"""

EXAMPLES = r"""
- name: See what is configured
  mink8s.podnet.cni_network_info:
    name: mink8s
  register: cni

- name: Stop where containerd would load another network
  ansible.builtin.assert:
    that: cni.loaders.containerd.loads == ['/etc/cni/net.d/10-mink8s.conflist']
"""

RETURN = r"""
files:
  description: The files that runtimes look at, in their order.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The file.
      type: str
      sample: /etc/cni/net.d/10-mink8s.conflist
    name:
      description: The name of the network in it, if it has one.
      type: str
      sample: mink8s
    cni_version:
      description: The version of the CNI specification, as the file has it.
      type: raw
      sample: 1.0.0
    plugins:
      description: The types of its plugins, in their order.
      type: list
      elements: raw
      sample: [bridge, portmap]
    pod_cidrs:
      description: The subnets that host-local hands out addresses of.
      type: list
      elements: str
      sample: [10.12.1.0/24]
    valid:
      description: Whether a runtime can parse it.
      type: bool
      sample: true
    error:
      description: Why not.
      type: str
      sample: has no type
loaders:
  description:
    - What each runtime makes of the directory, V(containerd) with its default of loading one file, V(crio) (CRI-O
      without a C(cni_default_network)), and V(kubelet) (up to Kubernetes 1.23, and cri-dockerd).
  returned: success
  type: dict
  contains:
    containerd:
      description: What containerd does. C(crio) and C(kubelet) have the same keys.
      type: dict
      contains:
        loads:
          description: The files that are loaded.
          type: list
          elements: str
          sample: [/etc/cni/net.d/10-mink8s.conflist]
        files:
          description: Every file in the order of the runtime, with C(path), C(loaded) and C(reason).
          type: list
          elements: dict
          sample:
            - path: /etc/cni/net.d/10-mink8s.conflist
              loaded: true
              reason: is the first file
pod_cidrs:
  description: The pod CIDRs that the node has in the files of network O(name).
  returned: when O(name) is given
  type: list
  elements: str
  sample: [10.12.1.0/24, "2001:db8:1::/64"]
leases:
  description: How many addresses host-local has lent to pods of network O(name).
  returned: when O(name) is given
  type: int
  sample: 12
attachments:
  description: The attachments to network O(name) that libcni remembers.
  returned: when O(name) is given
  type: list
  elements: dict
  contains:
    container_id:
      description: The pod sandbox's identifier.
      type: str
      sample: 6f2d0c0ba4cb
    ifname:
      description: The pod's interface.
      type: str
      sample: eth0
    netns:
      description: The pod's network namespace.
      type: str
      sample: /var/run/netns/cni-3d6e0a
    alive:
      description: Whether that namespace is still there.
      type: bool
      sample: true
    addresses:
      description: The pod's addresses, with their prefix lengths.
      type: list
      elements: str
      sample: [10.12.1.2/24]
    pod:
      description: The pod's namespace and name, if a kubelet made it.
      type: str
      sample: kube-system/coredns-0
injected:
  description:
    - Files in a directory named like network O(name), which libcni 1.3 and newer add to its plugins unless
      C(loadOnlyInlinedPlugins) is true.
  returned: when O(name) is given
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import conf, loader
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.overview import overview
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import runner


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "conf_dir": {"type": "path", "default": "/etc/cni/net.d"},
            "bin_dirs": {"type": "list", "elements": "path", "default": ["/opt/cni/bin"]},
            "name": {"type": "str"},
        },
        supports_check_mode=True,
    )

    def work() -> dict[str, object]:
        options = module.params
        name = None if options["name"] is None else conf.network_name("name", options["name"])
        speaks = loader.speaker(runner(module), options["bin_dirs"])
        return overview(options["conf_dir"], name, loader.obstacles(speaks))

    _engine.report(module, work)


if __name__ == "__main__":
    main()
