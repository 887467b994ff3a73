#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cni_plugins
short_description: Install CNI plugins from a release archive
version_added: 1.0.0
author:
  - The mink8s.podnet developers (@mink8s)
description:
  - Installs the wanted binaries of a CNI plugins release into one directory, owned by the user that the module runs as
    (root) and with mode V(0755), and records them in the hidden file C(.podnet-plugins.json) beside them.
  - The module owns exactly the binaries that it recorded. One that somebody else changed or replaced afterwards, as
    installers of other network plugins do, is put right and returned in RV(drifted).
  - A file of the same name that the module did not install is never replaced unless O(replace) consents, whether it
    came with a package of the distribution or by hand.
  - The archive is verified before anything in it is read, and nothing but the wanted binaries is taken out of it, so
    that mode and owner of the directory stay as they are. A binary that is being executed is replaced safely.
extends_documentation_fragment:
  - mink8s.podnet.attributes
attributes:
  check_mode:
    details:
      - An archive that is not on the node yet can only be verified by the real run.
requirements:
  - Python >= 3.9
options:
  archive:
    description:
      - Path on the node of the release archive, such as C(cni-plugins-linux-amd64-v1.9.1.tgz).
      - Read only when something has to be unpacked, so it need not stay on the node.
    type: path
  checksum:
    description:
      - The archive's literal checksum, V(sha256:) and 64 hexadecimal digits.
      - It names the release that is wanted. So either it or O(checksums) is required with O(state=present), even if
        nothing has to be unpacked.
    type: str
  checksums:
    description:
      - The checksums of a release's archives by architecture, as the archives' names say it (V(amd64), V(arm64)); the
        module takes the one for the node that it runs on.
    type: dict
  plugins:
    description:
      - Names of the plugins.
      - With O(state=present) these are installed, by default V(bandwidth), V(bridge), V(firewall), V(host-local),
        V(loopback), V(portmap) and V(tuning). Others that the module installed before stay, since pods that were
        attached with them need them to be detached.
      - With O(state=absent) these are removed, by default all that the module installed in O(bin_dir).
    type: list
    elements: str
  bin_dir:
    description:
      - The directory in which the container runtime looks for plugins. It is made if it is missing.
    type: path
    default: /opt/cni/bin
  replace:
    description:
      - Whether wanted plugins that somebody else put into O(bin_dir) may be replaced. They are the module's own from
        then on, and O(state=absent) does not give them back.
    type: bool
    default: false
  state:
    description:
      - V(present) makes sure that the plugins are there and are those of the archive.
      - V(absent) removes what the module installed and nobody has replaced since, and the directories that it made,
        once they are empty.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mink8s.podnet.cni_plugins_info
"""

EXAMPLES = r"""
- name: Install the plugins of release 1.9.1
  mink8s.podnet.cni_plugins:
    archive: /var/tmp/cni-plugins-linux-amd64-v1.9.1.tgz
    checksum: sha256:b98f74a0f8522f0a83867178729c1aa70f2158f90c45a2ca8fa791db1c76b303

- name: See on nodes of several architectures which ones lack the release, and need its archive
  mink8s.podnet.cni_plugins:
    archive: /var/tmp/cni-plugins.tgz
    checksums:
      amd64: sha256:b98f74a0f8522f0a83867178729c1aa70f2158f90c45a2ca8fa791db1c76b303
      arm64: sha256:56171987d3947707c3563db2f4001bccaf50fd63468611b9f3cbecb1375ee7ec
  check_mode: true
  register: plan

- name: Install just what the walk-through needs
  mink8s.podnet.cni_plugins:
    archive: /var/tmp/cni-plugins-linux-amd64-v0.8.6.tgz
    checksum: sha256:994fbfcdbb2eedcfa87e48d8edb9bb365f4e2747a7e47658482556c12fd9b2f5
    plugins: [bridge, host-local, loopback]

- name: Remove everything that the module installed
  mink8s.podnet.cni_plugins:
    state: absent
"""

RETURN = r"""
actions:
  description: What was changed, or would be in check mode, as sentences.
  returned: success
  type: list
  elements: str
  sample:
    - "change plugin /opt/cni/bin/bridge: content replaced -> intact"
installed:
  description: Names of the plugins in O(bin_dir) that are the module's own.
  returned: success
  type: list
  elements: str
  sample: [bridge, host-local, loopback]
drifted:
  description:
    - Names of the module's own plugins whose content, mode or owner was not as the module had left it, or that were
      missing. The wanted ones among them are put right.
  returned: success
  type: list
  elements: str
  sample: [bridge]
architecture:
  description: The node's architecture, as the names of release archives say it.
  returned: success
  type: str
  sample: amd64
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.binaries import Binaries, Wanted
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.installation import Installation
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.removal import Removal
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import runner


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "archive": {"type": "path"},
            "checksum": {"type": "str"},
            "checksums": {"type": "dict"},
            "plugins": {"type": "list", "elements": "str"},
            "bin_dir": {"type": "path", "default": "/opt/cni/bin"},
            "replace": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        mutually_exclusive=[("checksum", "checksums")],
        required_if=[("state", "present", ["checksum", "checksums"], True)],
        supports_check_mode=True,
    )

    def build() -> Binaries:
        options = dict(module.params)
        state = options.pop("state")
        wanted = Wanted(**options)
        return Installation(wanted, runner(module)) if state == "present" else Removal(wanted)

    _engine.run(module, build)


if __name__ == "__main__":
    main()
