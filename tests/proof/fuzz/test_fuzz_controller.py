# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad lock files, inventories, and what nodes say of themselves, on the controller."""

from __future__ import annotations

import types
import typing as t
from pathlib import Path

import fuzzing
import ground
import samples
from ansible.errors import AnsibleFilterError
from fuzzing import Random, feed, fuzzed

from ansible_collections.mink8s.podnet.plugins.action import pod_cidr, report_page
from ansible_collections.mink8s.podnet.plugins.filter import (
    as_list,
    cni_bridge_config,
    drift,
    gateway_addresses,
    node_addresses,
    probe_targets,
    reachability,
)
from ansible_collections.mink8s.podnet.plugins.module_utils import _blocks, _engine, _json, _subnets
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import nodes as ways
from ansible_collections.mink8s.podnet.plugins.plugin_utils._report import findings, page
from ansible_collections.mink8s.podnet.tests.unit import report_samples

PLACE = ground.PLACE / "fuzz-controller"


# ---- the lock file

YAML = ("&a [*a, 10.12.0.0/24", "!!python/name:os.system [", "<<: [", "[" * 100_000, "? {a: b} : [")


def a_lock_file(rng: Random) -> bytes:
    text = fuzzing.damaged_text(rng, samples.LOCK)
    if rng.random() < 0.1:
        text = text.replace("[10.12.0.0/24", rng.choice(YAML))
    content = fuzzing.encoded(text)
    return fuzzing.damaged_bytes(rng, content) if rng.random() < 0.1 else content


def all_of_a_lock_file(content: bytes) -> t.Any:
    PLACE.mkdir(parents=True, exist_ok=True)
    path = PLACE / "pod_cidrs.lock.yml"
    path.write_bytes(content)
    families = _blocks.cut(["10.12.0.0/16", "fd00:12::/48"], {4: 24, 6: 64})
    nodes = {name: _subnets.Node() for name in ("node1", "node2", "node10")}
    found = _engine.converge(pod_cidr.LockFile(families, nodes, _subnets.Rules(str(path))), False)
    again = _engine.converge(pod_cidr.LockFile(families, nodes, _subnets.Rules(str(path))), False)
    assert not again["changed"], again
    return found


@fuzzed(a_lock_file)
def test_lock_files(content: bytes) -> None:
    feed(all_of_a_lock_file, content)


# ---- the inventory's variables

VARIABLES: dict[str, t.Any] = {
    "node1": {"pod_cidr_subnets": "10.12.1.0/24, fd00:12:0:1::/64", "node_ip": "192.0.2.11,2001:db8::11"},
    "node2": {"pod_cidr_subnets": ["10.12.2.0/24"], "pod_cidr_addresses": ["192.0.2.12", "2001:db8::12"]},
    "node10": {"ansible_host": "192.0.2.20", "pod_cidr_addresses": "192.0.2.20,2001:db8::20", "inventory_dir": "/x"},
}
OPTIONS: dict[str, t.Any] = {
    "cluster_cidrs": ["10.12.0.0/16", "fd00:12::/48"],
    "hosts": ["node1", "node2", "node10"],
    "node_prefix": 24,
    "node_prefix_ipv6": 64,
    "reserved": ["10.12.0.0/24"],
    "service_cidrs": ["10.96.0.0/12"],
    "lock_file": str(PLACE / "lock.yml"),
    "adopt": True,
    "found": {"node1": ["10.12.1.0/24"], "node2": "10.12.2.0/24", "node10": []},
    "renumber": False,
    "prune": False,
}


def an_inventory(rng: Random) -> tuple[t.Any, t.Any]:
    variables, options = VARIABLES, OPTIONS
    if rng.random() < 0.7:
        variables = {name: fuzzing.damaged(rng, given) for name, given in VARIABLES.items()}
    if rng.random() < 0.5:
        # Of the options Ansible has checked the types before.
        key = rng.choice(("cluster_cidrs", "reserved", "service_cidrs", "found", "node_prefix", "hosts"))
        sort = type(OPTIONS[key])
        given = fuzzing.damaged(rng, OPTIONS[key])
        if sort is list:
            given = [str(each) for each in given] if isinstance(given, list) else [str(given)]
        options = {**OPTIONS, key: given if isinstance(given, sort) and not isinstance(given, bool) else OPTIONS[key]}
    return variables, options


def allocated(given: tuple[t.Any, t.Any]) -> t.Any:
    variables, options = given
    PLACE.mkdir(parents=True, exist_ok=True)
    (PLACE / "lock.yml").unlink(missing_ok=True)
    action = pod_cidr.ActionModule.__new__(pod_cidr.ActionModule)
    action._task = types.SimpleNamespace(check_mode=False)
    hostvars = {name: each if isinstance(each, dict) else {} for name, each in variables.items()}
    patterns = [each for each in options["hosts"] if each in hostvars]
    found = action._allocate({**options, "hosts": patterns or ["node1"]}, {"hostvars": hostvars, "groups": {}})
    assert ways.ways(found["nodes"], next(iter(found["nodes"]))) is not None
    return found


@fuzzed(an_inventory)
def test_inventories(given: tuple[t.Any, t.Any]) -> None:
    feed(allocated, given)


@fuzzed(lambda rng: fuzzing.damaged(rng, {"n1": {"pod_cidrs": ["10.12.1.0/24"], "addresses": ["192.0.2.11"], "x": 1}}))
def test_nodes_of_module_routes(nodes: t.Any) -> None:
    def read(given: t.Any) -> t.Any:
        mapping = given if isinstance(given, dict) else {}
        return [str(way) for way in ways.ways(mapping, next(iter(mapping), "n1"))]

    feed(read, nodes)


# ---- what nodes say of themselves, as a page and as lines

NODES, CONTROLLER = report_samples.troubled(3)


def what_nodes_say(rng: Random) -> tuple[t.Any, t.Any]:
    """One node is somebody else's; the controller is ours."""
    name = rng.choice(sorted(NODES))
    return name, {**NODES, name: fuzzing.damaged(rng, NODES[name])}


def a_report(given: tuple[str, t.Any]) -> t.Any:
    name, nodes = given
    said = findings.understood(nodes)
    ways = findings.all_ways(said)
    report = findings.report(said, CONTROLLER, ways, title="t", generated="")
    # One node spoils nothing of another's.
    others = {other: each for other, each in report["nodes"].items() if other != name}
    assert others == {other: each for other, each in WHOLE["nodes"].items() if other != name}
    return report, page.view(report, ways), page.verdict(report)


WHOLE = findings.report(NODES, CONTROLLER, findings.all_ways(NODES), title="t", generated="")


@fuzzed(what_nodes_say)
def test_reports(given: tuple[str, t.Any]) -> None:
    feed(a_report, given)


@fuzzed(lambda rng: what_nodes_say(rng) if rng.random() < 0.03 else None)
def test_pages(given: t.Optional[tuple[str, t.Any]]) -> None:
    """The page itself takes a while to be made."""
    if given is not None:
        feed(a_page, given)


def a_page(given: tuple[str, t.Any]) -> t.Any:
    action = report_page.ActionModule.__new__(report_page.ActionModule)
    action._task = types.SimpleNamespace(check_mode=False)
    options = {"nodes": given[1], "controller": CONTROLLER, "path": str(PLACE / "report.html"), "title": "t"}
    found = action._write(options, {})
    text = Path(options["path"]).read_text()
    assert "<script" not in text
    assert "<img" not in text
    assert _json.parse(Path(found["json_path"]).read_text())["schema"] == 1
    return found


# ---- filters

DRIFTED = {
    "node1": {"plans": {"pod_network": ["create route 10.12.2.0/24"]}, "problems": [], "unreachable": False},
    "node2": {"problems": ["it failed"]},
    "node3": {},
}
ATTACHED = {
    "node1": {"addresses": ["192.0.2.11"], "pods": [{"name": "probe1", "addresses": ["10.12.1.2"], "netns": "/x"}]},
    "node2": {"addresses": None, "pods": []},
}
ROWS = NODES["node1"]["matrix"]
FILTERS: dict[str, tuple[t.Any, t.Callable[[t.Any], t.Any]]] = {
    "drift": (DRIFTED, drift.drift),
    "probe_targets": (ATTACHED, probe_targets.probe_targets),
    "reachability": (ROWS, reachability.reachability),
    "node_addresses": (VARIABLES["node1"], node_addresses.node_addresses),
    "as_list": (["10.12.0.0/16,fd00:12::/48", ["192.0.2.0/24"]], as_list.as_list),
    "gateway_addresses": (["10.12.1.0/24", "fd00::/64"], gateway_addresses.gateway_addresses),
    "cni_bridge_config": (
        ["10.12.1.0/24", "fd00::/64"],
        lambda cidrs: cni_bridge_config.cni_bridge_config(cidrs, name="net1", bridge="br1"),
    ),
}


def a_filter(rng: Random) -> tuple[str, t.Any]:
    name = rng.choice(sorted(FILTERS))
    sample = FILTERS[name][0]
    found = fuzzing.damaged(rng, sample)
    # What the outermost value is, the roles see to.
    return name, found if isinstance(found, type(sample)) else sample


@fuzzed(a_filter)
def test_filters(given: tuple[str, t.Any]) -> None:
    feed(lambda what: FILTERS[what[0]][1](what[1]), given, AnsibleFilterError)
