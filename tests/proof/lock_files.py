# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugin pod_cidr from the point on at which it knows the inventory, to be called like a module."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.action.pod_cidr import LockFile
from ansible_collections.mink8s.podnet.plugins.module_utils import _blocks, _engine, _lockfile, _subnets


def lock_file() -> None:
    """Allocate a block for each node, in the lock file at a path."""
    spec = {"path": {"type": "path"}, "nodes": {"type": "list", "elements": "str"}}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    path, hosts = module.params["path"], module.params["nodes"]
    families = _blocks.cut(["10.12.0.0/16"], {4: 24, 6: 64})
    nodes = {host: _subnets.Node() for host in hosts}

    def work() -> dict[str, object]:
        with _lockfile.exclusive(path):
            return _engine.converge(LockFile(families, nodes, _subnets.Rules(path)), module.check_mode)

    _engine.report(module, work)
