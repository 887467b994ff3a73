#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cni_probe
short_description: Attach probe pods to a node's CNI network and ping from them
version_added: 1.0.0
description:
  - Attaches probe pods, which are network namespaces, to the network that a container runtime on this node would use,
    with the node's own CNI plugins and configuration. Neither a container runtime nor Kubernetes is needed.
  - Pings targets from every probe pod and from the node itself, all at once,
    and asks each for the source address that it saw.
  - Each probe pod, and the node, gets a small process that answers these questions.
    After O(lifetime) it detaches its pod and ends.
  - What an earlier run left behind, because it was killed, is detached by the next.
  - In check mode nothing is attached; O(targets) are then pinged from the node, and from pods that are there already.
  - With O(where=scratch) a configuration is tried before pods use it, with the node's own plugins, in namespaces that
    are gone after a second. Two pods are attached (ADD), asked for (CHECK) and detached (DEL) there; they must reach
    each other, and what the configuration promises of their gateway and the host. Links, rules, sysctls, leases and
    libcni's cache of the node are not touched, so it does the same in check mode.
extends_documentation_fragment:
  - mink8s.podnet.attributes
  - mink8s.podnet.attributes.pyroute2
author:
  - The mink8s.podnet developers (@mink8s)
options:
  where:
    description:
      - V(host) attaches pods to the node's network.
      - V(scratch) tries a configuration in throw-away namespaces, and fails if it does not work there. Of the other
        options only O(config), O(name), O(conf_dir), O(bin_dirs), O(node), O(timeout) and O(tries) matter then.
    type: str
    choices: [host, scratch]
    default: host
  config:
    description:
      - A configuration that is only proposed, as for M(mink8s.podnet.cni_network), to try with O(where=scratch).
        Without it the file that a container runtime would load is tried.
    type: dict
  state:
    description: Whether the probe pods are attached.
    type: str
    choices: [present, absent]
    default: present
  conf_dir:
    description: Directory of the CNI configuration. The first file is used, as container runtimes do.
    type: path
    default: /etc/cni/net.d
  name:
    description: Name of the network, which the first file must hold. By default any will do.
    type: str
  bin_dirs:
    description: Directories of the CNI plugins; the first that has a plugin wins.
    type: list
    elements: path
    default: [/opt/cni/bin, /usr/lib/cni, /usr/libexec/cni]
  count:
    description: How many probe pods are attached.
    type: int
    default: 2
  lifetime:
    description:
      - Seconds after which the probe pods detach themselves.
      - Those that have less than a fifth of it left are attached anew.
    type: int
    default: 600
  port:
    description:
      - UDP port on which probe pods and nodes tell which source address they see.
      - It must be the same on all nodes.
    type: int
    default: 9471
  node:
    description: How this node is called in the results.
    type: str
  addresses:
    description: This node's own addresses, one of each family. They are what the outside should see.
    type: list
    elements: str
    default: []
  masquerade:
    description: Whether the outside is expected to see this node's address, not the pod's. Else nothing is expected.
    type: bool
    default: true
  targets:
    description:
      - What is pinged.
      - A pod or node is not pinged from itself, and an address not from a pod without one of its family.
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: The address.
        type: str
        required: true
      kind:
        description:
          - What is there.
          - A V(pod) must tell which source address it sees; it and a V(node) must see the sender's own.
          - Both must take a packet as large as the sender's MTU, unfragmented.
          - What is V(outside) must see the node's address, if it tells.
        type: str
        choices: [pod, node, outside]
        required: true
      node:
        description: The node's name.
        type: str
      pod:
        description: The probe pod's name.
        type: str
  timeout:
    description: Seconds to wait for an answer.
    type: float
    default: 2.0
  tries:
    description: How often a target without an answer is asked.
    type: int
    default: 3
seealso:
  - module: mink8s.podnet.cni_network
  - module: mink8s.podnet.conflicts_info
"""

EXAMPLES = r"""
- name: Attach two probe pods
  mink8s.podnet.cni_probe:
    name: podnet
  register: attached

- name: Reach the outside from them
  mink8s.podnet.cni_probe:
    name: podnet
    addresses: [192.0.2.11]
    targets:
      - address: 203.0.113.1
        kind: outside

- name: Try a configuration before it is written
  mink8s.podnet.cni_probe:
    where: scratch
    config:
      cniVersion: 1.0.0
      name: podnet
      plugins:
        - type: bridge
          bridge: podnet0
          isDefaultGateway: true
          ipam:
            type: host-local
            ranges: [[{subnet: 10.12.1.0/24}]]

- name: Detach them
  mink8s.podnet.cni_probe:
    state: absent
"""

RETURN = r"""
actions:
  description: What was changed, or would be in check mode, one sentence each.
  type: list
  elements: str
  returned: success
  sample:
    - create probe pod probe1 (network podnet, configuration 0c5e9f6f2d1a, port 9471, running yes)
pods:
  description: The probe pods that are attached.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Its name.
      type: str
      sample: probe1
    container_id:
      description: What the CNI plugins call it.
      type: str
      sample: podnet-probe1-5f2c1a9be34d
    netns:
      description: Path of its network namespace.
      type: str
      sample: /proc/4711/ns/net
    addresses:
      description: Its addresses.
      type: list
      elements: str
      sample: [10.12.1.2]
    mac:
      description: Its MAC address; V(null) where the plugins do not tell.
      type: str
      sample: 0a:1b:2c:3d:4e:5f
addresses:
  description: The node's own addresses, as they were given.
  type: list
  elements: str
  returned: success
  sample: [192.0.2.11]
matrix:
  description: Who reached whom; one entry for each source and target.
  type: list
  elements: dict
  returned: success
  contains:
    from:
      description: The node and the probe pod (V(null) for the node itself) that sent.
      type: dict
      sample: {node: node1, pod: probe1}
    to:
      description: The node and the pod that were to answer, and their kind.
      type: dict
      sample: {node: node2, pod: probe1, kind: pod}
    address:
      description: The address that was pinged.
      type: str
      sample: 10.12.2.2
    ok:
      description: Whether it answered and saw the expected source address.
      type: bool
      sample: true
    rtt_ms:
      description: Round-trip time of the ping in milliseconds; V(null) without an answer.
      type: float
      sample: 0.081
    mtu:
      description: The largest packet, in bytes, that was seen to arrive unfragmented; V(null) where that is not known.
      type: int
      sample: 1450
    source:
      description: The source address that the far end saw; V(null) where it does not tell.
      type: str
      sample: 10.12.1.2
    expected_source:
      description: The source address that it should see; V(null) where any is right.
      type: str
      sample: 10.12.1.2
    error:
      description: What went wrong, in one sentence; V(null) if nothing did.
      type: str
      sample: no answer to 3 pings within 2 s each
    cause:
      description: The likely cause, in one sentence; V(null) if nothing went wrong, or nothing explains it.
      type: str
      sample: "no default route: probe pod probe1 has no route to 203.0.113.1; add 0.0.0.0/0 to routes of ipam"
notes:
  description: What could not be tried, and known bugs of the installed plugins.
  type: list
  elements: str
  returned: with O(where=scratch)
  sample: ["plugin firewall was not tried: it would change the firewalld of this node"]
problems:
  description: All that does not work, in a sentence each.
  type: list
  elements: str
  returned: failure with O(where=scratch)
  sample:
    - "ping from probe pod probe1 to probe2 (10.12.1.3): no answer to 3 pings within 1 s each"
"""

import platform
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import conf, rules
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.plugins import BIN_DIRS
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._probe import reflector, scratch
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.matrix import Options, ProbedPods, check
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.pods import chosen_configuration
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import runner


def main() -> None:
    target = {
        "address": {"type": "str", "required": True},
        "kind": {"type": "str", "choices": ["pod", "node", "outside"], "required": True},
        "node": {"type": "str"},
        "pod": {"type": "str"},
    }
    module = AnsibleModule(
        argument_spec={
            "where": {"type": "str", "choices": ["host", "scratch"], "default": "host"},
            "config": {"type": "dict"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "conf_dir": {"type": "path", "default": "/etc/cni/net.d"},
            "name": {"type": "str"},
            "bin_dirs": {"type": "list", "elements": "path", "default": list(BIN_DIRS)},
            "count": {"type": "int", "default": 2},
            "lifetime": {"type": "int", "default": 600},
            "port": {"type": "int", "default": reflector.PORT},
            "node": {"type": "str"},
            "addresses": {"type": "list", "elements": "str", "default": []},
            "masquerade": {"type": "bool", "default": True},
            "targets": {"type": "list", "elements": "dict", "default": [], "options": target},
            "timeout": {"type": "float", "default": 2.0},
            "tries": {"type": "int", "default": 3},
        },
        supports_check_mode=True,
    )
    if module.params["where"] == "scratch":
        _engine.report(module, lambda: tried(module))
    else:
        _engine.run(module, lambda: build(module))


def build(module: AnsibleModule) -> ProbedPods:
    """Make the resource from the module's parameters."""
    params, options = checked(module)
    if params["config"] is not None:
        raise OptionError("config", params["config"], "is only proposed", "try it with where: scratch")
    wanted = chosen_configuration(params) if params["state"] == "present" else None
    return ProbedPods(runner(module), wanted, options)


def tried(module: AnsibleModule) -> dict[str, t.Any]:
    """Try a configuration where nothing of the node can be harmed."""
    params, options = checked(module)
    where, config = "config", params["config"]
    if config is None:
        found = chosen_configuration(params)
        where, document = found.path, found.document
    else:
        name = conf.network_name("name", params["name"] or config.get("name"))
        network = conf.normalise(name, config, "conflist")
        rules.check(network)
        document = network.document
    return scratch.probe(runner(module), where, document, params["bin_dirs"], options)


def checked(module: AnsibleModule) -> tuple[dict[str, t.Any], Options]:
    """Return the module's parameters, and what they say of the pings."""
    params: dict[str, t.Any] = module.params
    return params, check({**params, "node": params["node"] or platform.node()})


if __name__ == "__main__":
    main()
