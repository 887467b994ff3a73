#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cni_plugins_info
short_description: Show which CNI plugins a node has
version_added: 1.0.0
author:
  - The mink8s.podnet developers (@mink8s)
description:
  - Returns every executable in the directories in which container runtimes look for CNI plugins, with its checksum, the
    release that it is of, the versions of the CNI specification that it speaks, and whose it is.
  - Executables are asked with C(CNI_COMMAND=VERSION), as runtimes do, and given five seconds to answer. One that does
    not answer as a plugin does is returned with RV(plugins[].error).
extends_documentation_fragment:
  - mink8s.podnet.attributes.info
requirements:
  - Python >= 3.9
options:
  bin_dirs:
    description:
      - The directories to look into, in the runtime's order. Missing ones are skipped.
    type: list
    elements: path
    default: [/opt/cni/bin, /usr/lib/cni, /usr/libexec/cni]
  plugins:
    description:
      - Names of plugins to look at; all that there are when it is not given.
    type: list
    elements: str
seealso:
  - module: mink8s.podnet.cni_plugins
"""

EXAMPLES = r"""
- name: Look at all plugins
  mink8s.podnet.cni_plugins_info:
  register: cni

- name: Show which ones are too old for a configuration of version 1.0.0
  ansible.builtin.debug:
    msg: "{{ cni.plugins | rejectattr('cni_versions', 'contains', '1.0.0') | map(attribute='path') }}"
"""

RETURN = r"""
plugins:
  description: The executables, by directory in the given order, then by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The plugin's type, which is its file name.
      type: str
      sample: bridge
    path:
      description: Where it is.
      type: str
      sample: /opt/cni/bin/bridge
    used:
      description: Whether a runtime with these directories would take this one, since it is the first of its name.
      type: bool
      sample: true
    size:
      description: Its size in bytes.
      type: int
      sample: 2943104
    mode:
      description: Its mode.
      type: str
      sample: "0755"
    owner:
      description: Its user and group.
      type: str
      sample: root:root
    sha256:
      description: The checksum of its content.
      type: str
      sample: 0f1d2a5a65e4e7a2f4d80e5c1e60a4a6b7c1f1a36bb8f0a8c4b94f1de6f0d9d1
    release:
      description: The release that it says it is of; V(null) if it says none, as those of Debian's package.
      type: str
      sample: v1.9.1
    cni_versions:
      description: The versions of the CNI specification that it speaks; empty if it does not answer.
      type: list
      elements: str
      sample: ["0.3.1", "0.4.0", "1.0.0"]
    package:
      description: The distribution's package that owns it; V(null) if none does.
      type: str
      sample: containernetworking-plugins
    ours:
      description: Whether M(mink8s.podnet.cni_plugins) installed it.
      type: bool
      sample: false
    archive:
      description: The checksum of the archive that M(mink8s.podnet.cni_plugins) took it from; V(null) if it did not.
      type: str
      sample: sha256:b98f74a0f8522f0a83867178729c1aa70f2158f90c45a2ca8fa791db1c76b303
    drifted:
      description: Whether M(mink8s.podnet.cni_plugins) installed it and its content has changed since.
      type: bool
      sample: false
    error:
      description: Why it was not understood, as one sentence; V(null) if it answered.
      type: str
      sample: null
architecture:
  description: The node's architecture, as the names of release archives say it.
  returned: success
  type: str
  sample: amd64
package:
  description:
    - The distribution's package of CNI plugins, and the directory into which it installs them; V(null) on a
      distribution that the module does not know.
  returned: success
  type: dict
  contains:
    name:
      description: The package's name.
      type: str
      sample: containernetworking-plugins
    manager:
      description: The package manager, V(apt) or V(dnf).
      type: str
      sample: apt
    bin_dir:
      description: The directory of its binaries.
      type: str
      sample: /usr/lib/cni
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import survey
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.plugins import BIN_DIRS
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import runner


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "bin_dirs": {"type": "list", "elements": "path", "default": list(BIN_DIRS)},
            "plugins": {"type": "list", "elements": "str"},
        },
        supports_check_mode=True,
    )

    def work() -> dict[str, t.Any]:
        return survey.survey(runner(module), module.params["bin_dirs"], module.params["plugins"])

    _engine.report(module, work)


if __name__ == "__main__":
    main()
