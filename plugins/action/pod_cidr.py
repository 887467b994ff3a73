# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides on the controller which node owns which pod CIDR; documented in plugins/modules/pod_cidr.py."""

from __future__ import annotations

import os
import re
import typing as t
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.mink8s.podnet.plugins.module_utils import (
    _blocks,
    _engine,
    _files,
    _hosts,
    _lockfile,
    _subnets,
    _values,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "cluster_cidrs": {"type": "list", "elements": "str", "required": True},
    "hosts": {"type": "list", "elements": "str", "default": ["kube_node"]},
    "node_prefix": {"type": "int", "default": 24},
    "node_prefix_ipv6": {"type": "int", "default": 64},
    "reserved": {"type": "list", "elements": "str", "default": []},
    "service_cidrs": {"type": "list", "elements": "str", "default": []},
    "lock_file": {"type": "path"},
    "adopt": {"type": "bool", "default": False},
    "found": {"type": "dict", "default": {}},
    "renumber": {"type": "bool", "default": False},
    "prune": {"type": "bool", "default": False},
}

#: A host pattern that names one host or group; one that the inventory does not have would match nothing, silently.
PLAIN_NAME = re.compile(r"[\w.-]+")

LOCK_FILE = "pod_cidrs.lock.yml"

UNMATCHED = (
    "podnet_hosts: of the hosts that have pod CIDRs in {1} it does not match {0}, so pods there have no routes; "
    "name the group of all nodes, and use --limit for a part of it, or give those blocks up with pod_cidr_prune: true"
)

#: The host variables that are read; each is templated once for each host.
HOST_VARIABLES = ("pod_cidr_subnets", "pod_cidr_addresses", *_hosts.BY_THE_WAY, "inventory_dir")


class LockFile(_engine.Resource):
    """The lock file, and with it every node's blocks."""

    def __init__(
        self, families: dict[int, _blocks.Blocks], nodes: dict[str, _subnets.Node], rules: _subnets.Rules
    ) -> None:
        super().__init__()
        self.families, self.nodes, self.rules = families, nodes, rules
        self.path, self.key = rules.lock_file, f"lock file {rules.lock_file}"
        self.allocated: dict[str, dict[str, t.Any]] = {}
        #: Hosts whose blocks are kept, though they are none of the nodes.
        self.unmatched: list[str] = []

    def read(self) -> _engine.State:
        text = _lockfile.read(self.path)
        return {} if text is None else {self.key: text}

    def desired(self, current: _engine.State) -> _engine.State:
        book = _lockfile.parse(self.path, current[self.key]) if current else None
        allocated, book = _subnets.allocate(self.families, self.nodes, book, self.rules)
        # Read again after the change, every block comes from the lock file; where it first came from is the answer.
        self.allocated = self.allocated or allocated
        self.unmatched = [host for host in book.nodes if host not in self.nodes]
        return {self.key: _lockfile.render(book)}

    def apply(self, changes: list[_engine.Change]) -> None:
        for change in changes:
            _files.write_atomically(self.path, change.after)


class ActionModule(ActionBase):  # type: ignore[misc]
    """Reads the inventory's variables, allocates, and writes the lock file."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: t.Any = None, task_vars: t.Optional[dict[str, t.Any]] = None) -> dict[str, t.Any]:
        """Return every node's pod CIDRs and addresses, or fail with one sentence."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(argument_spec=ARGUMENTS)
        try:
            result.update(self._allocate(options, task_vars or {}))
        except PodnetError as error:
            result.update(failed=True, msg=str(error), **error.facts)
        return result

    def _allocate(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        families = _blocks.cut(options["cluster_cidrs"], {4: options["node_prefix"], 6: options["node_prefix_ipv6"]})
        hosts = self._variables(self._hosts(options["hosts"], task_vars), task_vars)
        addresses = _hosts.addresses({host: _hosts.given_addresses(host, hosts[host]) for host in hosts}, families)
        _reserve(families, options, addresses)
        found = _found(options, hosts)
        nodes = {
            host: _subnets.Node(_hosts.given_blocks(host, variables), found[host] if options["adopt"] else [])
            for host, variables in hosts.items()
        }
        path = _lock_path(options["lock_file"], hosts, task_vars)
        rules = _subnets.Rules(path, options["renumber"], options["prune"], _left_out(hosts, task_vars), found)
        resource = LockFile(families, nodes, rules)
        with _lockfile.exclusive(path):
            result = _engine.converge(resource, self._task.check_mode)
        unmatched = [host for host in resource.unmatched if host in task_vars["hostvars"]]
        if unmatched:
            self._display.warning(UNMATCHED.format(", ".join(unmatched), path))
        return {**result, "lock_file": path, "nodes": _nodes(resource.allocated, addresses)}

    def _hosts(self, patterns: list[str], task_vars: dict[str, t.Any]) -> list[str]:
        """Return the hosts that the patterns match, however the play is limited."""
        hostvars, groups = task_vars["hostvars"], task_vars["groups"]
        for index, pattern in enumerate(patterns):
            if PLAIN_NAME.fullmatch(pattern) and pattern not in groups and pattern not in hostvars:
                remedy = "correct the name (podnet_hosts)"
                raise OptionError(f"hosts[{index}]", pattern, "is neither a host nor a group of the inventory", remedy)
        if all(pattern in hostvars and pattern not in groups for pattern in patterns):
            hosts = patterns  # A pattern for each of many hosts would cost the square of their number.
        else:
            lookup = self._shared_loader_obj.lookup_loader.get(
                "ansible.builtin.inventory_hostnames", loader=self._loader
            )
            hosts = lookup.run([",".join(patterns)], variables=task_vars)
        if not hosts:
            raise OptionError("hosts", patterns, "matches no host", "name the group of the nodes (podnet_hosts)")
        return sorted({str(host) for host in hosts}, key=_hosts.natural)

    def _variables(self, hosts: list[str], task_vars: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
        """Return what is read of each host's variables; each host costs the same, however many there are."""
        result: dict[str, dict[str, t.Any]] = {}
        for host in hosts:
            variables = task_vars["hostvars"][host]
            try:
                result[host] = {name: variables.get(name) for name in HOST_VARIABLES}
            except AnsibleError as error:
                raise PodnetError(f"nodes.{host}: its variables cannot be templated; {error}") from error
        return result


def _left_out(hosts: t.Iterable[str], task_vars: dict[str, t.Any]) -> set[str]:
    """Return the nodes that the run is not for; a play for the controller alone is for all of them."""
    return set(hosts) - set(task_vars["ansible_play_hosts_all"]) if task_vars.get("ansible_limit") else set()


def _reserve(
    families: dict[int, _blocks.Blocks],
    options: dict[str, t.Any],
    addresses: dict[str, list[_values.Address]],
) -> None:
    ranges = [
        _blocks.span(f"{name}[{index}]", _values.network(f"{name}[{index}]", cidr))
        for name in ("reserved", "service_cidrs")
        for index, cidr in enumerate(options[name])
    ]
    ranges += [_blocks.span(f"{host}'s own address", found) for host in addresses for found in addresses[host]]
    for blocks in families.values():
        blocks.reserve(ranges)


def _found(options: dict[str, t.Any], hosts: t.Collection[str]) -> dict[str, list[t.Any]]:
    """Return what the nodes that were asked have; before it is adopted all are asked, or one could lose its block."""
    missing = [host for host in hosts if host not in options["found"]]
    if missing and options["adopt"]:
        raise OptionError("found", missing, "are not in it", "with adopt: true give what every host was found to have")
    return {host: _hosts.items(f"found.{host}", options["found"][host]) for host in hosts if host not in missing}


def _lock_path(given: t.Optional[str], hosts: dict[str, dict[str, t.Any]], task_vars: dict[str, t.Any]) -> str:
    """Return the lock file's path, which must not depend on the host that the task happens to run on."""
    if given and os.path.isabs(given):
        return os.path.normpath(given)
    # Where the inventory is no file, ansible-core says the text None.
    inventories = {str(variables["inventory_dir"]) for variables in hosts.values()}
    directories = {path if os.path.isabs(path) else _playbook_directory(task_vars) for path in inventories}
    if len(directories) > 1:
        remedy = "name the file by its whole path (pod_cidr_lock_file)"
        raise OptionError("lock_file", sorted(directories), "are the directories of several inventories", remedy)
    return os.path.abspath(os.path.join(directories.pop(), given or LOCK_FILE))


def _playbook_directory(task_vars: dict[str, t.Any]) -> str:
    """Return the playbook's directory, or the current one: what lies in a collection goes with its next version."""
    directory = Path(task_vars.get("playbook_dir") or os.getcwd())
    return os.getcwd() if "ansible_collections" in directory.parts else str(directory)


def _nodes(
    allocated: dict[str, dict[str, t.Any]], addresses: dict[str, list[_values.Address]]
) -> dict[str, dict[str, t.Any]]:
    return {
        host: {"pod_cidrs": entry["pod_cidrs"], "addresses": [str(found) for found in addresses[host]], **entry}
        for host, entry in allocated.items()
    }
