# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole playbooks: a site of lab nodes beside the same by hand, and the controller's work for hundreds of nodes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

from measure import Budget, Done, Row, Sample, Table, run

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LAB = ROOT / "molecule/shared/lab.py"
INVENTORY = Path("/run/podnet-lab/inventory.yml")

#: Tasks of a node that did something, skipped ones do not count.
OK = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)", re.MULTILINE)

OURS, THEIRS = ROOT / "playbooks/site.yml", HERE / "peer/site.yml"
BY_HAND = "by hand, with builtin modules"


class Played(t.NamedTuple):
    """How long a playbook took, and its recap of the last node, the first one has what runs once as well."""

    done: Done
    tasks: int
    changed: int


def play(playbook: Path, inventory: Path, *words: str) -> Played:
    """Run a playbook, which must succeed on every node."""
    environment = {
        **os.environ,
        "ANSIBLE_CONNECTION_PLUGINS": str(HERE / "connection_plugins"),
        "ANSIBLE_INJECT_FACT_VARS": "false",
        "ANSIBLE_NOCOLOR": "1",
    }
    done = run(["ansible-playbook", "-i", str(inventory), *words, str(playbook)], environment=environment)
    recap = [(int(tasks), int(changed)) for _host, tasks, changed in OK.findall(done.output)]
    return Played(done, recap[-1][0], sum(changed for _tasks, changed in recap))


def lab(nodes: int) -> dict[str, t.Any]:
    """Build lab nodes, and return their inventory."""
    subprocess.run([sys.executable, str(LAB), "create", "--nodes", str(nodes)], check=True)
    return dict(json.loads(INVENTORY.read_text()))


# ---- a site beside the same by hand ----------------------------------------------------------------------------------


def site(repeat: int, nodes: int = 3) -> t.List[Row]:
    """The first run, runs with nothing to do, and how many tasks each node takes then."""
    inventory = lab(nodes)
    for index, host in enumerate(inventory["kube_node"]["hosts"].values(), 1):
        host |= {"pod_cidr": f"10.12.{index}.0/24", "gateway": f"10.12.{index}.1", "node_ip": f"192.0.2.{10 + index}"}
    inventory["kube_node"]["vars"]["cni_bin"] = inventory["kube_node"]["vars"]["cni_plugins_bin_dir"]
    directory = Path("/run/site")
    directory.mkdir()
    hosts = directory / "hosts.json"
    hosts.write_text(json.dumps(inventory))
    table = Table()
    for name, playbook in (("ours", OURS), (BY_HAND, THEIRS)):
        table.add(f"{name}, first run", play(playbook, hosts).done.sample)
        for _run in range(repeat):
            again = play(playbook, hosts)
            if again.changed:
                raise SystemExit(f"bench: the second run of {playbook} changes something\n{again.done.output[-2000:]}")
            table.add(f"{name}, nothing to do", again.done.sample)
            table.add(f"{name}, tasks", Sample(again.tasks, 0))
        if playbook is OURS:
            play(ROOT / "playbooks/reset.yml", hosts)
    found = []
    for which in ("first run", "nothing to do", "tasks"):
        table.samples[BY_HAND] = table.samples[f"{BY_HAND}, {which}"]
        what = "tasks of a node with nothing to do" if which == "tasks" else f"site.yml for {nodes} nodes, {which}"
        budget = Budget(12) if which == "tasks" else None
        row = table.row(what, f"ours, {which}", BY_HAND, budget=budget)
        found.append(row._replace(unit="tasks") if which == "tasks" else row)
    return found


# ---- many nodes ------------------------------------------------------------------------------------------------------


def scale(repeat: int, counts: t.Sequence[int] = (10, 50, 100, 250, 500)) -> t.List[Row]:
    """The controller's seconds for each node, and its memory, with nothing to do; once, as it takes minutes."""
    pid = _true_node()
    nothing, seconds, memory = "a play of as many pings", [], []
    for count in counts:
        hosts, directory = _simulated(count, pid)
        for _run in ("first run", "nothing to do"):  # whose answers are kept
            play(OURS, hosts, "--limit", "node1")
        ours = play(OURS, hosts)
        if ours.changed:
            raise SystemExit(f"bench: simulated nodes are changed\n{ours.done.output[-2000:]}")
        pings = [{"name": f"Nothing {index}", "ansible.builtin.ping": {}} for index in range(ours.tasks)]
        noop = directory / "noop.yml"
        noop.write_text(json.dumps([{"hosts": "kube_node", "gather_facts": False, "tasks": pings}]))
        theirs = play(noop, hosts)
        for_each = [Sample(*(value / count for value in played.done.sample)) for played in (ours, theirs)]
        seconds.append(Row(f"controller's time for a node, {count} nodes", [for_each[0]], {nothing: [for_each[1]]}))
        peers = {nothing: [Sample(theirs.done.memory, 0)]}
        memory.append(Row(f"controller's memory, {count} nodes", [Sample(ours.done.memory, 0)], peers, unit="MB"))
    if len(counts) < 3:
        return [*seconds, *memory]
    few, many = seconds[1], seconds[-1]  # with fewer nodes the start of Ansible tells
    of_few, of_many = (f"a node's share of {count} nodes" for count in (counts[1], counts[-1]))
    return [*seconds, *memory, Row(of_many, many.ours, {of_few: few.ours}, Budget(1.25, relative=True))]


def _true_node() -> int:
    """Build the node whose answers are recorded; its link holds the addresses of all others, too."""
    lab(1)
    pid = json.loads(INVENTORY.read_text())["kube_node"]["hosts"]["node1"]["ansible_netns_pid"]
    words = ["nsenter", f"--target={pid}", "--net", "ip", "-batch", "-"]
    run(words, "address del 192.0.2.11/24 dev eth0\naddress add 192.0.2.11/16 dev eth0\n")
    return int(pid)


def _simulated(count: int, pid: int) -> tuple[Path, Path]:
    """Write an inventory of so many nodes, of which node1 is the true one."""
    directory = Path(f"/run/scale-{count}")
    answers = directory / "answers"
    answers.mkdir(parents=True)
    nodes: dict[str, dict[str, t.Any]] = {
        f"node{index}": {"pod_cidr_addresses": [f"192.0.{2 + (10 + index) // 250}.{(10 + index) % 250}"]}
        for index in range(1, count + 1)
    }
    nodes["node1"]["ansible_netns_pid"] = pid
    (answers / "ansible.modules.ping").write_text('{"ping": "pong", "changed": false}')
    (answers / "ansible_collections.mink8s.podnet.plugins.modules.cni_network_info").write_text(
        '{"pod_cidrs": [], "changed": false}'
    )
    variables = {
        **json.loads(INVENTORY.read_text())["kube_node"]["vars"],
        "pod_cidr_cluster_cidrs": ["10.12.0.0/14"],  # the lab's has blocks for 256
        "ansible_connection": "simulated",
        "bench_answers": str(answers),
        "ansible_become": False,
        "ansible_pipelining": True,
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    hosts = directory / "hosts.json"
    hosts.write_text(json.dumps({"kube_node": {"hosts": nodes, "vars": variables}}))
    return hosts, directory
