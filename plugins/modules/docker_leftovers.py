#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_leftovers
short_description: Remove what Docker's network leaves behind until the next boot
version_added: 1.0.0
description:
  - A Docker that was told to do without a network of its own (C(bridge=none), C(iptables=false)) leaves what it made
    before. This module removes it without a reboot. The bridge C(docker0), Docker's chains with all that is in them,
    its jumps to them, its masquerade rules and its other rules about its bridges, for IPv4 and IPv6, in the nft and
    the legacy flavour of iptables. The rules of one table go in one transaction.
  - The policy of FORWARD that Docker set to DROP goes back to ACCEPT in the same transaction as Docker's chains. Where
    Docker has no chain, the policy is not Docker's.
  - Rules of others stay to the byte. C(DOCKER-USER) stays with the jump to it when somebody has put rules into it or
    jumps to it from elsewhere. A rule of others that jumps to another of Docker's chains is named, and nothing is
    changed.
  - Refuses while C(docker0) carries the default route, or the address that Ansible is connected to.
  - Refuses while a link is in one of Docker's bridges, and while a running dockerd would make the rules again. What
    belongs to a dockerd that still makes rules for IPv6 (C(ip6tables)) stays.
  - The tables C(docker-bridges) of Docker 29 and newer with its nftables backend are reported and stay.
extends_documentation_fragment:
  - mink8s.podnet.attributes
author:
  - The mink8s.podnet developers (@mink8s)
requirements:
  - ip (package iproute2)
options:
  forward_policy:
    description:
      - What happens to the policy DROP of the chain FORWARD where Docker has chains.
      - V(auto) changes it to ACCEPT, unless another firewall may need it, which shows by a policy DROP of INPUT or by
        chains of ufw. V(accept) changes it anyway, V(keep) leaves it.
    type: str
    choices: [auto, accept, keep]
    default: auto
  expected:
    description:
      - What a running dockerd has, or is about to have, as RV(mink8s.podnet.docker_daemon#module:in_force) says it
        after a change. It is looked at instead of its file, which may have changed since it was started.
    type: dict
    default: {}
  state:
    description: There is one state only.
    type: str
    choices: [absent]
    default: absent
seealso:
  - module: mink8s.podnet.docker_daemon
  - module: mink8s.podnet.conflicts_info
"""

EXAMPLES = r"""
- name: Docker without a network of its own
  mink8s.podnet.docker_daemon:
    options:
      bridge: none
      iptables: false
      ip-masq: false

- name: And without what it had before
  mink8s.podnet.docker_leftovers:
"""

RETURN = r"""
actions:
  description: What was changed, or would be in check mode, one sentence each.
  type: list
  elements: str
  returned: success
  sample:
    - "change iptables-nft policy of FORWARD: policy DROP -> ACCEPT"
    - remove Docker's rules in iptables-nft nat POSTROUTING
    - remove iptables-nft nat chain DOCKER
    - remove link docker0
found:
  description: All of Docker's that was there.
  returned: success
  type: list
  elements: dict
  contains:
    what:
      description: The object.
      type: str
      sample: iptables-nft filter chain DOCKER-USER
    removed:
      description: Whether it was removed or set back, or would be in check mode.
      type: bool
      sample: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._docker.leftovers import Leftovers
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Host, runner, which


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "forward_policy": {"type": "str", "choices": ["auto", "accept", "keep"], "default": "auto"},
            "expected": {"type": "dict", "default": {}},
            "state": {"type": "str", "choices": ["absent"], "default": "absent"},
        },
        supports_check_mode=True,
    )
    _engine.run(module, lambda: Leftovers(module.params, Host(runner(module), which)))


if __name__ == "__main__":
    main()
