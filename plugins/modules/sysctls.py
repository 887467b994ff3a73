#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sysctls
short_description: Kernel settings that a pod network needs
version_added: 1.0.0
description:
  - Sets kernel settings at run time, keeps them in one file of sysctl.d for the next boot, and gives them back.
  - What a setting was before is recorded in that file, and given back when the setting is not listed any more
    or with O(state=absent). Where another file of sysctl.d, or C(/etc/sysctl.conf), names a setting that we changed by
    its full name, what that file says is given back instead, as the next boot would have it. The last word of such
    files counts.
  - Two names of one setting, as C(net.ipv4.ip_forward) and C(net.ipv4.conf.all.forwarding), are one. Where both are
    listed, the first one is kept, and they must not differ.
  - Forwarding for all sets that of every interface, and for IPv4 whether redirects are accepted, as other settings of
    C(net.ipv6.conf.all) set every interface, too. What would not come back by itself gets its own value back, too.
    One that is not listed any more while we forward for all follows that.
  - An interface that has IPv6 does not lose its addresses when C(net.ipv6.conf.all.disable_ipv6) is given back. It is
    given back to each of the other interfaces then, and stays as it is for all. So is C(addr_gen_mode).
  - A node that begins to forward IPv6 would lose a default route that a router advertises to it. Such an interface's
    C(accept_ra) is set to V(2), too, unless O(settings) says something about it. It stays V(2) where the node goes on
    forwarding IPv6 after that is given back.
  - Where a setting is missing, O(modules) are loaded first. Where it is there, they need not be, because
    a kernel may have them built in. They stay loaded.
  - Warns of files that are loaded after O(path) and say something else.
extends_documentation_fragment:
  - mink8s.podnet.attributes
author:
  - The mink8s.podnet developers (@mink8s)
requirements:
  - modprobe (package kmod), where a kernel module has to be loaded
options:
  settings:
    description:
      - Settings and their values, like C(net.ipv4.ip_forward).
      - A name that contains dots is written with slashes, like C(net/ipv4/conf/eth0.100/forwarding).
      - All settings that are in O(path) and not listed here are given back.
    type: dict
    default: {}
  path:
    description:
      - Absolute path of the file for the settings, in a directory of sysctl.d.
      - Files are loaded in the order of their names, the last one wins.
    type: path
    default: /etc/sysctl.d/99-zz-podnet.conf
  modules:
    description: Kernel modules that bring settings, loaded at boot, and now if a setting is missing.
    type: list
    elements: str
    default: []
  modules_path:
    description: Absolute path of the file for O(modules), in a directory of modules-load.d.
    type: path
    default: /etc/modules-load.d/podnet.conf
  state:
    description: Whether the settings are in force. V(absent) gives back all that are in O(path).
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mink8s.podnet.bridge
  - module: mink8s.podnet.persistence
"""

EXAMPLES = r"""
- name: Forward packets, and let bridged ones pass the packet filter
  mink8s.podnet.sysctls:
    settings:
      net.ipv4.ip_forward: 1
      net.bridge.bridge-nf-call-iptables: 1
    modules: [br_netfilter]

- name: All as it was
  mink8s.podnet.sysctls:
    state: absent
"""

RETURN = r"""
actions:
  description: What was changed, or would be in check mode, one sentence each.
  type: list
  elements: str
  returned: success
  sample:
    - "change sysctl net.ipv4.ip_forward: value 0 -> 1"
    - create file /etc/sysctl.d/99-zz-podnet.conf
settings:
  description:
    - The settings in O(settings) and their values as they are, or would be in check mode. C(accept_ra) is among them
      where it is set, too.
  type: dict
  returned: success
  sample:
    net.ipv4.ip_forward: "1"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.sysctls import Sysctls
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import runner


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "settings": {"type": "dict", "default": {}},
            "path": {"type": "path", "default": "/etc/sysctl.d/99-zz-podnet.conf"},
            "modules": {"type": "list", "elements": "str", "default": []},
            "modules_path": {"type": "path", "default": "/etc/modules-load.d/podnet.conf"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    _engine.run(module, lambda: Sysctls(module.params, runner(module)))


if __name__ == "__main__":
    main()
