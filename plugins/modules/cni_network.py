#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cni_network
short_description: Write a CNI network configuration that pods can start with
version_added: 1.0.0
author:
  - The mink8s.podnet developers (@mink8s)
description:
  - Owns the file of one network in the directory from which a container runtime loads CNI configurations, and checks
    everything that can be known before the runtime sees it.
  - Keys of the plugins bridge, host-local, portmap, firewall, tuning, bandwidth and loopback are checked by name,
    type and meaning; text that a template made of a number or boolean is put right. Other plugins may be used, their
    keys cannot be checked.
  - The configuration is checked against the node, too. The plugins are installed and speak its version, the bridge is
    not another link, the gateway is the bridge's address, and the MTU is not above the uplink's.
  - The file is written beside its target under a name that runtimes ignore, and renamed, so that a runtime notices it
    and never sees half of it.
  - A file of the same network under another name, as of another O(format) or O(priority), is the network's own and is
    removed once the new one is there.
extends_documentation_fragment:
  - mink8s.podnet.attributes
  - mink8s.podnet.attributes.pyroute2
options:
  name:
    description:
      - The network's name. Files that carry exactly this name are the network's own.
    type: str
    required: true
  config:
    description:
      - The configuration, either one plugin with its C(type) at the top or a list of C(plugins), with C(cniVersion).
        C(name) may be left out. The order of the keys is kept.
      - Required with O(state=present).
    type: dict
  format:
    description:
      - What is written, a list of plugins (V(conflist)) or a single one (V(conf)). Version 1.0.0 of the CNI
        specification has no longer the latter, though runtimes still load it.
    type: str
    choices: [conflist, conf]
    default: conflist
  priority:
    description:
      - Runtimes sort by file name and most load only the first. V(5) makes the file C(05-name.conflist); without a
        priority it is C(name.conflist).
    type: int
  conf_dir:
    description:
      - The directory that the runtime loads configurations from. It is made if it is missing, and never removed.
    type: path
    default: /etc/cni/net.d
  bin_dirs:
    description:
      - The directories in which the runtime looks for plugins, in its order.
    type: list
    elements: path
    default: [/opt/cni/bin]
  assume_plugins:
    description:
      - Types of plugins that are about to be installed and therefore not looked for, as in check mode on a new node.
    type: list
    elements: str
    default: []
  uplink:
    description:
      - The link that leads out of the node, whose MTU pods must not exceed; by default that of the default route.
    type: str
  on_conflict:
    description:
      - What to do about foreign files that a runtime would load before this one, or add to its plugins.
      - V(fail) names them and changes nothing.
      - V(rename) appends C(.disabled-by-podnet) to their names; O(state=absent) gives them back.
      - V(ignore) warns.
    type: str
    choices: [fail, rename, ignore]
    default: fail
  allow_orphans:
    description:
      - Whether the network may go, or change its name or where its leases are, while pods are attached to it. Their
        addresses and rules stay on the node for ever.
      - Whether it may begin to lend addresses that pods of a network of another name have, as of one that it displaces.
        Two pods may get the same address then.
    type: bool
    default: false
  renumber:
    description:
      - Whether the node may get another pod CIDR than the one that its file and its leases are of.
    type: bool
    default: false
  state:
    description:
      - V(present) makes sure that the file is there and right.
      - V(absent) removes the network's files and, once no address is lent, host-local's store of it.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mink8s.podnet.cni_network_info
  - module: mink8s.podnet.bridge
  - module: mink8s.podnet.cni_plugins
"""

EXAMPLES = r"""
- name: The last file of the walk-through
  mink8s.podnet.cni_network:
    name: mink8s
    format: conf
    config:
      cniVersion: 0.3.1
      name: mink8s
      type: bridge
      bridge: mink8s0
      isGateway: true
      ipMasq: true
      ipam:
        type: host-local
        ranges: [[{subnet: 10.12.1.0/24}]]
        routes: [{dst: 0.0.0.0/0}]

- name: Dual stack, with host ports, ahead of all other files
  mink8s.podnet.cni_network:
    name: mink8s
    priority: 10
    on_conflict: rename
    config:
      cniVersion: 1.0.0
      plugins:
        - type: bridge
          bridge: mink8s0
          isDefaultGateway: true
          hairpinMode: true
          ipam:
            type: host-local
            ranges: [[{subnet: 10.12.1.0/24}], [{subnet: "2001:db8:1::/64"}]]
        - type: portmap
          capabilities: {portMappings: true}

- name: Remove the network, once its pods are gone
  mink8s.podnet.cni_network:
    name: mink8s
    state: absent
"""

RETURN = r"""
actions:
  description: What was changed, or would be in check mode, as sentences.
  returned: success
  type: list
  elements: str
  sample:
    - remove file /etc/cni/net.d/mink8s.conf
    - create file /etc/cni/net.d/10-mink8s.conflist
path:
  description: The network's file; none with O(state=absent).
  returned: success
  type: str
  sample: /etc/cni/net.d/10-mink8s.conflist
change_class:
  description:
    - What the change means for pods that already run.
    - V(none), there is nothing to notice, or the network is new. V(live_safe), old and new pods are alike in all that
      matters. V(new_pods_only), pods that run stay as they are and differ from new ones. V(recycle_all), all pods
      have to be created again. V(refuse), addresses of pods that run would never be freed; this happens only where no
      pod is attached, or with O(allow_orphans=true).
  returned: success
  type: str
  sample: new_pods_only
changed_keys:
  description: The keys that RV(change_class) is about.
  returned: success
  type: list
  elements: str
  sample: [bridge.mtu, bridge.ipam.routes]
competing:
  description: Foreign files that a runtime would have loaded before this one, or added to its plugins.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The file.
      type: str
      sample: /etc/cni/net.d/05-podman.conflist
    name:
      description: The name of the network in it, if it has one.
      type: str
      sample: podman
    reason:
      description: What it would do.
      type: str
      sample: network podman
stale:
  description: Attachments of pods that were made with another configuration than this one, by libcni's cache.
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
      description: What the difference means, as in RV(change_class).
      type: str
      sample: new_pods_only
    changed_keys:
      description: The keys that differ.
      type: list
      elements: str
      sample: [bridge.mtu]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import conf, loader, node, rules
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.directory import Request
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.network import CniNetwork
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import ifaddrs, links, netns
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import runner


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "config": {"type": "dict"},
            "format": {"type": "str", "choices": ["conflist", "conf"], "default": "conflist"},
            "priority": {"type": "int"},
            "conf_dir": {"type": "path", "default": "/etc/cni/net.d"},
            "bin_dirs": {"type": "list", "elements": "path", "default": ["/opt/cni/bin"]},
            "assume_plugins": {"type": "list", "elements": "str", "default": []},
            "uplink": {"type": "str"},
            "on_conflict": {"type": "str", "choices": ["fail", "rename", "ignore"], "default": "fail"},
            "allow_orphans": {"type": "bool", "default": False},
            "renumber": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ["config"])],
        supports_check_mode=True,
    )
    _engine.run(module, lambda: _build(module))


def _build(module: AnsibleModule) -> CniNetwork:
    options = module.params
    name = conf.network_name("name", options["name"])
    network = conf.normalise(name, options["config"], options["format"]) if options["state"] == "present" else None
    priority = options["priority"]
    if priority is not None and not 0 <= priority <= 99:
        raise OptionError("priority", priority, "is out of range", "use a number from 0 to 99")
    conf_dir = options["conf_dir"].rstrip("/") or "/"
    resource = CniNetwork(
        Request(
            name=name,
            conf_dir=conf_dir,
            path=f"{conf_dir}/{conf.file_name(name, options['format'], priority)}",
            network=network,
            on_conflict=options["on_conflict"],
            allow_orphans=options["allow_orphans"],
            renumber=options["renumber"],
        )
    )
    if network:
        rules.check(network)
        speaks = loader.speaker(runner(module), options["bin_dirs"])
        node.check_binaries(network, speaks, options["bin_dirs"], options["assume_plugins"])
        resource.warnings += node.check_node(network, _node(options["uplink"]), options["renumber"])
    return resource


def _node(uplink: str | None) -> node.Node:
    """The node's links, as plain values."""
    with netns.netlink() as ipr:
        found, held = links.links(ipr), ifaddrs.lasting(ipr)
        if uplink is not None and uplink not in found:
            raise OptionError("uplink", uplink, "is no link of this node", "use a name that `ip link` shows")
        plain = {
            link.name: node.Link(
                name=link.name,
                kind=link.kind or "physical",
                mtu=link.mtu,
                addresses=[str(address) for address in held.get(link.index, ())],
                ports=[port.name for port in found.values() if port.master == link.index],
            )
            for link in found.values()
        }
        ways = links.exits(ipr, found)
        exits = [uplink] if uplink is not None else ways
        precious = links.precious(ipr, found, ways)
    return node.Node(plain, exits[0] if exits else None, precious)


if __name__ == "__main__":
    main()
