#!/usr/bin/python

# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: masquerade
short_description: Masquerade what a node's pods send outside the cluster
version_added: 1.0.0
description:
  - Gives the traffic of this node's own pods the node's address when it leaves the cluster, and leaves it alone when
    it does not. One rule set serves all pods of the node, which is why C(ipMasq) of the CNI plugin C(bridge) is not
    needed; that one hides pods from each other across nodes and has no exclusions.
  - Never masqueraded is what goes to O(exclude), to the pods of O(sources) themselves, to multicast addresses
    (V(224.0.0.0/4), V(ff00::/8)), to link-local addresses (V(169.254.0.0/16), V(fe80::/10)), to an address of the node
    itself, out of O(bridge), or carries kube-proxy's mark V(0x4000), which kube-proxy masquerades itself.
  - What is ours is the nftables table C(inet podnet), or the iptables chain C(PODNET-POSTROUTING) with one jump to it
    from C(POSTROUTING), and, where it is needed, the iptables chain C(PODNET-FORWARD) with one jump to it. Each is
    replaced in one transaction; other rules are never touched.
  - The rules are first loaded into a scratch network namespace with the node's own programs, in check mode too. So an
    error of the program or of the kernel shows before anything is changed, and what is compared are two listings by
    the same program.
  - Rules of others that would still masquerade or drop the pods' traffic are returned in RV(foreign) and shown as
    warnings.
extends_documentation_fragment:
  - mink8s.podnet.attributes
requirements:
  - nft >= 1.0 or iptables >= 1.8
  - root privileges on the node
options:
  sources:
    description:
      - The pod CIDRs of this node, of one or both address families. Not those of the whole cluster, as what other
        nodes' pods send is not this node's business.
      - Required with O(state=present).
    type: list
    elements: str
    default: []
  exclude:
    description:
      - CIDRs and addresses that pods reach under their own address, such as the cluster's pod CIDRs and the addresses
        of all nodes.
    type: list
    elements: str
    default: []
  bridge:
    description:
      - The bridge that the pods are attached to. What leaves through it is never masqueraded.
    type: str
  masquerade:
    description:
      - Whether to masquerade at all. With V(false) only what O(forward) asks for is kept on the node.
    type: bool
    default: true
  backend:
    description:
      - V(nftables) is a table of its own, which works beside any kind of iptables.
      - V(iptables) are chains in the rules of the command C(iptables), be it C(iptables-nft) or C(iptables-legacy).
      - V(auto) is V(nftables) where C(nft) is 1.0 or newer and loads the table in a scratch network namespace, else
        V(iptables) if that does.
      - When the backend changes, the rules of the new one are there before those of the old one are removed.
    type: str
    choices: [auto, nftables, iptables]
    default: auto
  random_fully:
    description:
      - Whether source ports are chosen at random. This avoids that two connections are given the same port at the same
        time and one of them loses its first packet.
    type: bool
    default: true
  forward:
    description:
      - Whether to accept forwarded packets from and to O(sources) where, and only where, the policy of an iptables
        C(FORWARD) chain is C(DROP), in C(iptables-nft) and C(iptables-legacy), for the address families of O(sources).
        Docker and ufw set such a policy.
      - This is done with iptables whatever O(backend) is, because only an accept in the table that drops can help. For
        the same reason a chain of another nftables table that drops is only reported, with the command that helps, in
        RV(foreign).
      - Once the policy is C(ACCEPT) again, the chain is removed at the next run. Its file of O(persist) stays for as
        long as the rules that C(netfilter-persistent) loads at boot have such a policy.
    type: bool
    default: true
  persist:
    description:
      - Absolute path of a file, in the backend's own format, that brings the rules back after a reboot; RV(loaders)
        are the commands to do so.
      - The chain of O(forward) is kept beside it, in a file of the same name with V(.forward) added. A file of iptables
        has another one beside it, with V(.one-jump) added, which makes it harmless to load both once more.
      - This module does not see to it that something loads the files at boot, see M(mink8s.podnet.persistence).
        It does not remove files that were written for another O(persist).
    type: path
  state:
    description:
      - With V(absent), our table, our chains of every kind of iptables, the jumps to them and the files of O(persist)
        are removed. The empty chains C(POSTROUTING) and C(FORWARD) that C(iptables-nft) makes for its first rule stay.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mink8s.podnet.bridge
  - module: mink8s.podnet.routes
  - module: mink8s.podnet.persistence
author:
  - The mink8s.podnet developers (@mink8s)
"""

EXAMPLES = r"""
- name: Masquerade what this node's pods send outside the cluster
  mink8s.podnet.masquerade:
    sources: [10.12.1.0/24]
    exclude:
      - 10.12.0.0/16  # all pods
      - 192.0.2.11  # the nodes
      - 192.0.2.12
    bridge: mink8s0

- name: The same for both address families, with iptables and a file that a unit loads at boot
  mink8s.podnet.masquerade:
    sources: [10.12.1.0/24, "fd00:12:0:1::/64"]
    exclude: [10.12.0.0/16, "fd00:12::/48"]
    bridge: mink8s0
    backend: iptables
    persist: /etc/podnet/masquerade.iptables

- name: Only accept forwarded packets of pods where a policy drops them
  mink8s.podnet.masquerade:
    sources: [10.12.1.0/24]
    bridge: mink8s0
    masquerade: false

- name: Remove all of it
  mink8s.podnet.masquerade:
    state: absent
"""

RETURN = r"""
actions:
  description: What was done, or would be done in check mode, as sentences.
  returned: success
  type: list
  elements: str
  sample:
    - create nftables table inet podnet
    - create iptables-nft chain PODNET-FORWARD
backend:
  description: The backend that is used; V(null) with O(state=absent) and with O(masquerade=false).
  returned: success
  type: str
  sample: nftables
foreign:
  description:
    - Rules of others that would still masquerade or drop the pods' traffic; the same ones are shown as warnings.
    - Reported is what is certain from the rule itself. A masquerade is reported when it can be for the sources, a drop
      when it is for all their traffic or for that with other addresses of the cluster; one for another interface, a
      mark, a port or a set of iptables is not.
  returned: success
  type: list
  elements: dict
  contains:
    where:
      description: The program that lists the rule, its table and the chain where the kernel begins.
      type: str
      sample: iptables-nft nat POSTROUTING
    rule:
      description: The rule in the words of that program, or the chain's policy.
      type: str
      sample: "-A POSTROUTING ! -d 10.0.0.0/8 -j MASQUERADE"
    effect:
      description: What it would do to pod traffic, V(masquerade) or V(drop).
      type: str
      sample: masquerade
    remedy:
      description: What can be done about it.
      type: str
      sample: "remove it: iptables-nft -t nat -D POSTROUTING ! -d 10.0.0.0/8 -j MASQUERADE"
loaders:
  description:
    - The commands that load the files of O(persist), in their order, as lists of words; for
      O(mink8s.podnet.persistence#module:loaders).
    - One that begins with V(-) may fail.
  returned: success
  type: list
  elements: list
  sample: [[/usr/sbin/nft, -f, /etc/podnet/masquerade.nft]]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine, _persist
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import ruleset
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.resource import Masquerade, Options
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Host, runner, which


def _options(params: dict[str, t.Any]) -> Options:
    persist = params["persist"]
    if persist is not None:
        _persist.absolute("persist", persist, "/etc/podnet/masquerade")
    rules = None
    if params["state"] == "present":
        rules = ruleset.build(params["sources"], params["exclude"], params["bridge"], params["random_fully"])
    return Options(rules, params["backend"], params["masquerade"], params["forward"], persist)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "sources": {"type": "list", "elements": "str", "default": []},
            "exclude": {"type": "list", "elements": "str", "default": []},
            "bridge": {"type": "str"},
            "masquerade": {"type": "bool", "default": True},
            "backend": {"type": "str", "choices": ["auto", "nftables", "iptables"], "default": "auto"},
            "random_fully": {"type": "bool", "default": True},
            "forward": {"type": "bool", "default": True},
            "persist": {"type": "path"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    _engine.run(module, lambda: Masquerade(Host(runner(module), which), _options(module.params)))


if __name__ == "__main__":
    main()
