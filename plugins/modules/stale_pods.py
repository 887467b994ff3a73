#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stale_pods
short_description: Recreate pods that were attached under an older CNI configuration
version_added: 1.0.0
description:
  - A pod keeps the network that it was attached with. This module compares what libcni remembers of each attachment
    with the network's file, and recreates the pods that differ, one after another.
  - The pod's sandbox is stopped and removed through the container runtime's own interface (CRI); the kubelet then makes
    the pod again. The next pod's turn comes when this one is attached. Its containers are ended without a grace period.
  - A pod that does not come back, or comes back under the older configuration, stops the module; the others stay.
  - Where no runtime can load the network's file, no pod is ended, and the module fails.
  - Differences of the class V(live_safe) are no reason to end a pod.
  - Containers that are no pods of the CRI, like those of C(ctr run --cni), are reported only. Runtimes are asked at
    their usual sockets, and at the one that the kubelet uses; a pod of one that does not answer is a failure.
  - In check mode, returns which pods would be recreated.
extends_documentation_fragment:
  - mink8s.podnet.attributes
author:
  - The mink8s.podnet developers (@mink8s)
requirements:
  - Python >= 3.9
options:
  network:
    description: The name of the network.
    type: str
    default: podnet
  conf_dir:
    description: The directory with the network's configuration.
    type: path
    default: /etc/cni/net.d
  timeout:
    description: How many seconds a pod may take to come back.
    type: int
    default: 120
seealso:
  - module: mink8s.podnet.cni_runtime
"""

EXAMPLES = r"""
- name: Give all pods the network as it is now
  mink8s.podnet.stale_pods:
    network: mink8s
"""

RETURN = r"""
actions:
  description: The pods that were ended to be made anew, or would be in check mode, one sentence each.
  type: list
  elements: str
  returned: success
  sample:
    - remove pod kube-system/coredns-0 (6f2d0c0ba4cb)
left:
  description: Containers that were attached under an older configuration and are no pods of the CRI.
  type: list
  elements: dict
  returned: success
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import conf
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import runner
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import pods


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "network": {"type": "str", "default": "podnet"},
            "conf_dir": {"type": "path", "default": "/etc/cni/net.d"},
            "timeout": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )

    def build() -> pods.StalePods:
        name = conf.network_name("network", module.params["network"])
        sockets = pods.sockets(runner(module))
        return pods.StalePods(name, module.params["conf_dir"], module.params["timeout"], sockets)

    _engine.run(module, build)


if __name__ == "__main__":
    main()
