# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock file's lifecycle, and what the action makes of its options; the rest is in the integration target."""

from __future__ import annotations

import ipaddress
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.mink8s.podnet.plugins.action import pod_cidr
from ansible_collections.mink8s.podnet.plugins.module_utils import _blocks, _engine, _subnets
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.modules import pod_cidr as documentation


def converge(
    path: Path, hosts: str, check_mode: bool = False, **consent: bool
) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    families = _blocks.cut(["10.12.0.0/16"], {4: 24, 6: 64})
    nodes = {host: _subnets.Node() for host in hosts.split()}
    resource = pod_cidr.LockFile(families, nodes, _subnets.Rules(str(path), **consent))
    return _engine.converge(resource, check_mode), resource.allocated


def test_check_mode_predicts_exactly_what_is_done(tmp_path: Path) -> None:
    path = tmp_path / "pod_cidrs.lock.yml"
    for hosts, change in (("node1 node2", "create"), ("node2 node3", "change")):
        before = path.read_text() if path.exists() else None
        predicted = converge(path, hosts, check_mode=True)
        assert (path.read_text() if path.exists() else None) == before
        assert converge(path, hosts) == predicted
        assert predicted[0]["actions"] == [f"{change} lock file {path}"]
        assert predicted[0]["diff"][0]["after"] == path.read_text()
        again, allocated = converge(path, hosts)
        assert not again["changed"]
        assert {entry["source"] for entry in allocated.values()} == {"lock"}
    assert converge(path, "node2 node3", prune=True)[0]["changed"]
    assert "node1:" not in path.read_text()


def test_a_broken_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "pod_cidrs.lock.yml"
    path.write_text("nodes: [")
    with pytest.raises(PodnetError):
        converge(path, "node1")
    assert path.read_text() == "nodes: ["


def test_the_lock_file_does_not_depend_on_the_host_that_the_task_runs_on() -> None:
    variables = {"playbook_dir": "/srv/play"}
    hosts: dict[str, dict[str, t.Any]] = {"node1": {"inventory_dir": "/srv/a"}, "node2": {"inventory_dir": "/srv/a"}}
    assert pod_cidr._lock_path(None, hosts, variables) == "/srv/a/pod_cidrs.lock.yml"
    assert pod_cidr._lock_path("b/../x.yml", hosts, variables) == "/srv/a/x.yml"
    assert pod_cidr._lock_path("/x.yml", hosts, variables) == "/x.yml"
    for nothing in (None, "None"):
        alone = {"node1": {"inventory_dir": nothing}}
        assert pod_cidr._lock_path(None, alone, variables) == "/srv/play/pod_cidrs.lock.yml"
        assert pod_cidr._lock_path("x.yml", alone, variables) == "/srv/play/x.yml"
        # A collection's own directory is no place for it.
        installed = {"playbook_dir": "/home/me/.ansible/collections/ansible_collections/mink8s/podnet/playbooks"}
        assert pod_cidr._lock_path("x.yml", alone, installed) == str(Path.cwd() / "x.yml")
    hosts["node2"]["inventory_dir"] = "/srv/b"
    with pytest.raises(
        PodnetError, match=r'^lock_file: \["/srv/a", "/srv/b"\] are the directories of several inventories; '
    ):
        pod_cidr._lock_path(None, hosts, variables)
    assert pod_cidr._lock_path("/x.yml", hosts, variables) == "/x.yml"


def test_every_host_must_be_asked_before_any_is_adopted() -> None:
    options: dict[str, t.Any] = {"adopt": True, "found": {"node1": ["10.12.1.0/24"]}}
    assert pod_cidr._found(options, ["node1"]) == {"node1": ["10.12.1.0/24"]}
    with pytest.raises(PodnetError, match=r'^found: \["node10"\] are not in it; '):
        pod_cidr._found(options, ["node1", "node10"])
    assert pod_cidr._found({"adopt": False, "found": {}}, ["node1"]) == {}
    # Those that a limit leaves out are asked as well, as far as they answer.
    options["adopt"] = False
    assert pod_cidr._found(options, ["node1", "node10"]) == {"node1": ["10.12.1.0/24"]}
    assert pod_cidr._found(options, ["node10"]) == {}


def test_no_block_overlaps_what_is_reserved_or_an_address_of_a_node() -> None:
    families = _blocks.cut(["10.12.0.0/21"], {4: 24, 6: 64})
    options = {"reserved": ["10.12.0.0/24"], "service_cidrs": ["10.12.2.0/23", "fd00::/112"]}
    pod_cidr._reserve(families, options, {"node1": [ipaddress.ip_address("10.12.4.9")]})
    assert list(families[4].free([])) == [1, 5, 6, 7]


def test_the_documented_options_are_the_real_ones() -> None:
    documented = yaml.safe_load(documentation.DOCUMENTATION)["options"]
    real = {name: dict(spec) for name, spec in pod_cidr.ARGUMENTS.items()}
    assert {
        name: {key: value for key, value in option.items() if key != "description"}
        for name, option in documented.items()
    } == real
