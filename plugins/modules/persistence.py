#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: persistence
short_description: What brings a node's pod network back after a reboot, and keeps others from it
version_added: 1.0.0
description:
  - Makes systemd load the files that O(mink8s.podnet.bridge#module:persist) and the like have written, without Ansible
    and without anything that keeps running.
  - C(podnet.service) loads all of them at boot, before Docker, containerd, CRI-O, cri-dockerd and the kubelet start.
    Each file is loaded whatever becomes of the others. If one of O(loaders) fails, the unit is shown as failed, and the
    boot goes on.
  - The unit is restarted with C(nftables.service), C(firewalld.service) and C(netfilter-persistent.service), and
    reloaded with them, because these remove all rules, ours too. It is not started again when one of them is stopped
    first and started later, and it does not notice rules that are removed in another way.
  - C(podnet-routes.timer) starts C(podnet-routes.service) every O(interval) seconds, which loads O(repeated_loaders)
    again. The kernel removes the routes of a link that goes down, whoever takes it down, or that is without an IPv4
    address for a moment, as when networkd is restarted, and tells no unit of systemd. If a route cannot be made,
    C(podnet-routes.service) is shown as failed until it can.
  - Where C(systemd-networkd), C(systemd-udevd) or C(NetworkManager) is installed, a file of configuration each keeps
    it from O(bridge) and from the node's end of pods' veth pairs, which CNI plugins call C(veth) and eight more
    characters. networkd also leaves alone the routes that it did not make, which is a setting for the whole node. It
    reads that one when it is started the next time, and what is about the links at once, as NetworkManager does.
  - Where systemd does not run but is installed, as in a chroot, the files and links are made all the same. Where it is
    not installed, nothing is, and there is a warning.
extends_documentation_fragment:
  - mink8s.podnet.attributes
author:
  - The mink8s.podnet developers (@mink8s)
requirements:
  - systemd
  - ip (package iproute2 or iproute)
options:
  bridge:
    description:
      - The bridge that nobody else is to change.
      - Required with O(state=present).
    type: str
  loaders:
    description:
      - Commands, as lists of words, that are run at boot in this order, as M(mink8s.podnet.bridge) and
        M(mink8s.podnet.masquerade) return them.
      - They are run twice, and must be harmless where all is there already.
      - The failure of one that begins with V(-) does not count.
    type: list
    elements: list
    default: []
  repeated_loaders:
    description:
      - Commands that are run at boot after O(loaders), and again and again, as M(mink8s.podnet.routes) returns them.
      - Without any there is no timer.
    type: list
    elements: list
    default: []
  interval:
    description: Seconds between two runs of O(repeated_loaders), at most V(3600).
    type: int
    default: 30
  root:
    description:
      - Directory that is taken for V(/), such as that of an image. Commands are written as they are seen from inside.
      - Nothing is started or reloaded in another root than V(/).
    type: path
    default: /
  state:
    description: Whether the units and guards are there.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mink8s.podnet.bridge
  - module: mink8s.podnet.masquerade
  - module: mink8s.podnet.routes
  - module: mink8s.podnet.sysctls
"""

EXAMPLES = r"""
- name: A bridge that is kept in a file
  mink8s.podnet.bridge:
    name: mink8s0
    addresses: [10.12.1.1/24]
    persist: /etc/podnet/bridge
  register: bridge

- name: Load the file at boot
  mink8s.podnet.persistence:
    bridge: mink8s0
    loaders: "{{ bridge.loaders }}"

- name: Load nothing at boot
  mink8s.podnet.persistence:
    state: absent
"""

RETURN = r"""
actions:
  description: What was changed, or would be in check mode, one sentence each.
  type: list
  elements: str
  returned: success
  sample:
    - create file /etc/systemd/system/podnet.service
    - create link /etc/systemd/system/multi-user.target.wants/podnet.service (to /etc/systemd/system/podnet.service)
    - create unit podnet.service (active yes)
units:
  description: The files of our units.
  type: list
  elements: str
  returned: success
  sample: [/etc/systemd/system/podnet.service]
guards:
  description: The files that keep others from our links and routes.
  type: list
  elements: str
  returned: success
  sample: [/etc/systemd/network/00-podnet.link]
loaded_at_boot:
  description: Whether the pod network comes back after a reboot.
  type: bool
  returned: success
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine, _reached
from ansible_collections.mink8s.podnet.plugins.module_utils._boot.options import check
from ansible_collections.mink8s.podnet.plugins.module_utils._boot.persistence import Persistence
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Runner, runner


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "bridge": {"type": "str"},
            "loaders": {"type": "list", "elements": "list", "default": []},
            "repeated_loaders": {"type": "list", "elements": "list", "default": []},
            "interval": {"type": "int", "default": 30},
            "root": {"type": "path", "default": "/"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ("bridge",))],
        supports_check_mode=True,
    )

    run = runner(module)

    def build() -> Persistence:
        options = check(module.params)
        # Of another root than this node's only its own boot will tell.
        if options.bridge is not None and options.root == "/":
            _require_other_bridge(options.bridge, run)
        return Persistence(options, run)

    _engine.run(module, build)


def _require_other_bridge(name: str, run: Runner) -> None:
    """Nobody would set up the node's own link any more if others were kept from it."""
    reasons = _reached.precious_by_ip(run)
    if name in reasons:
        raise OptionError("bridge", name, reasons[name], "name the bridge that is only for pods")


if __name__ == "__main__":
    main()
