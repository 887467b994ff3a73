#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cni_runtime
short_description: Let whatever reads the CNI configuration of a node read ours
version_added: 1.0.0
description:
  - Finds out who reads CNI configurations on the node, lets it read O(conf_dir) and O(bin_dirs), restarts it if
    something changed, and tells whether it has loaded the network.
  - A kubelet with a Docker shim (up to Kubernetes 1.23) and cri-dockerd get the flags that differ, of
    C(--network-plugin=cni), C(--cni-conf-dir) and C(--cni-bin-dir), by a drop-in of their systemd unit. A variable
    C(KUBELET_EXTRA_ARGS) in the unit's command takes them, if no environment file sets it; else the drop-in repeats
    the command.
  - containerd gets C(conf_dir), and C(bin_dir) or C(bin_dirs), in its configuration file of version 2 to 4, where
    C(containerd config dump) says something else. What these lines were stands in a comment above them. A file that
    imports others which are there is not changed.
  - A containerd that works for Docker, or that does not serve the CRI, is left alone.
  - CRI-O and Podman are reported only.
  - Restarting these does not end pods. A service that does not stay up gets its former files back, and is started
    again with them; the error says whether it runs.
  - Before a restart systemd reads all units again, also what others have changed of them since.
  - Where systemd does not run, files are changed and nothing is restarted.
extends_documentation_fragment:
  - mink8s.podnet.attributes
author:
  - The mink8s.podnet developers (@mink8s)
requirements:
  - Python >= 3.9
options:
  network:
    description: The name of the network that is to be loaded.
    type: str
    default: podnet
  conf_dir:
    description: The directory with the network's configuration.
    type: path
    default: /etc/cni/net.d
  bin_dirs:
    description:
      - The directories with the CNI plugins.
      - containerd before 2.1 can name one only.
    type: list
    elements: path
    default: [/opt/cni/bin]
  require_loaded:
    description:
      - Whether it is a failure if a runtime says that it has loaded another configuration than that of O(network).
      - A runtime that does not say what it has loaded is none, nor is, in check mode, one that would be changed.
    type: bool
    default: false
  allow_orphans:
    description: With O(state=absent), consent to leave behind pods that are attached to O(network).
    type: bool
    default: false
  state:
    description: Whether our settings are there. V(absent) gives the former ones back.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mink8s.podnet.cni_network
  - module: mink8s.podnet.stale_pods
"""

EXAMPLES = r"""
- name: Let the runtime read the network of the distribution's plugins
  mink8s.podnet.cni_runtime:
    network: mink8s
    bin_dirs: [/usr/lib/cni]
    require_loaded: true

- name: All as it was
  mink8s.podnet.cni_runtime:
    network: mink8s
    state: absent
"""

RETURN = r"""
actions:
  description: What was changed, or would be in check mode, one sentence each.
  type: list
  elements: str
  returned: success
  sample:
    - create file /etc/systemd/system/kubelet.service.d/99-zz-podnet.conf
    - "change process kubelet: network_plugin  -> cni, bin_dirs [/opt/cni/bin] -> [/usr/lib/cni]"
readers:
  description: Who reads CNI configurations on the node, or could.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: V(containerd), V(crio), V(cri-dockerd), V(kubelet) or V(podman).
      type: str
      sample: containerd
    unit:
      description: Its systemd unit.
      type: str
      sample: containerd.service
    reads:
      description: Whether it is the one that attaches pods on this node.
      type: bool
      sample: true
    reason:
      description: Why.
      type: str
      sample: serves the CRI
    path:
      description: The file that tells it where the network is, if it is changed by this module.
      type: str
      sample: /etc/containerd/config.toml
    conf_dir:
      description: Where it would look for configurations without this module.
      type: str
      sample: /etc/cni/net.d
    bin_dirs:
      description: Where it would look for plugins without this module.
      type: list
      elements: str
      sample: [/usr/lib/cni]
    network_plugin:
      description: What a kubelet or cri-dockerd would use without this module.
      type: str
      sample: ""
loaded:
  description: What is known of each that reads.
  type: list
  elements: dict
  returned: success
  contains:
    reader:
      description: Its name.
      type: str
      sample: containerd
    loaded:
      description: V(yes), V(no) or V(unknown).
      type: str
      sample: "yes"
    reason:
      description: How that is known, or why it is not.
      type: str
      sample: it tells so, with the text of the file
stale:
  description:
    - The pods that were attached under another configuration than the file's.
    - None where the file is one that no runtime can load, which RV(loaded) tells.
  type: list
  elements: dict
  returned: success
  contains:
    container_id:
      description: The pod sandbox's identifier.
      type: str
      sample: 6f2d0c0ba4cb
    pod:
      description: The pod's namespace and name, if a kubelet made it.
      type: str
      sample: kube-system/coredns-0
    ifname:
      description: The pod's interface.
      type: str
      sample: eth0
    addresses:
      description: The pod's addresses, with their prefix lengths.
      type: list
      elements: str
      sample: [10.12.1.2/24]
    change_class:
      description: What the difference means for the pod, as M(mink8s.podnet.cni_network) says it.
      type: str
      sample: new_pods_only
    changed_keys:
      description: The keys that differ.
      type: list
      elements: str
      sample: [bridge.mtu]
restarted:
  description: The units that were restarted.
  type: list
  elements: str
  returned: success
  sample: [containerd.service]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import conf
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import runner
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime.resource import CniRuntime


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "network": {"type": "str", "default": "podnet"},
            "conf_dir": {"type": "path", "default": "/etc/cni/net.d"},
            "bin_dirs": {"type": "list", "elements": "path", "default": ["/opt/cni/bin"]},
            "require_loaded": {"type": "bool", "default": False},
            "allow_orphans": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )

    def build() -> CniRuntime:
        conf.network_name("network", module.params["network"])
        return CniRuntime(module.params, runner(module))

    _engine.run(module, build)


if __name__ == "__main__":
    main()
