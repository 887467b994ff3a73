# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugins, from the point on at which they know what to write, to be called like modules."""

from __future__ import annotations

import json
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.action.pod_cidr import LockFile
from ansible_collections.mink8s.podnet.plugins.action.report_page import Report
from ansible_collections.mink8s.podnet.plugins.module_utils import _blocks, _engine, _lockfile, _subnets
from ansible_collections.mink8s.podnet.plugins.plugin_utils._report import findings, page
from ansible_collections.mink8s.podnet.tests.unit import report_samples

#: What three nodes say.
NODES, CONTROLLER = report_samples.troubled(3)


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


def report_page() -> None:
    """Write the page and the file for machines, of the same three nodes each time."""
    spec = {"path": {"type": "path"}, "title": {"type": "str"}}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    path = Path(module.params["path"])
    ways = findings.all_ways(NODES)
    report = findings.report(NODES, CONTROLLER, ways, title=module.params["title"], generated="")
    machines = path.with_suffix(".json")
    texts = {str(path): page.render(report, ways, machines.name), str(machines): json.dumps(report, indent=1)}

    def work() -> dict[str, object]:
        done = _engine.converge(Report(texts), module.check_mode)
        # As the action does: what is there may be somebody else's.
        del done["diff"]
        return done

    _engine.report(module, work)
