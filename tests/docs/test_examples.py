# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example says only what there is, and Ansible understands it: the first part of `make docs`."""

from __future__ import annotations

import json
import subprocess
import textwrap
from pathlib import Path

import checks
import pytest
import yaml
from examples import GUIDES, INVENTORY, PLAYBOOK, ROOT, TASKS, Block, blocks

YAML, COMMANDS = blocks("yaml"), blocks("bash")
INVENTORIES = [block for block in YAML if block.kind == INVENTORY]
PLAYS = [block for block in YAML if block.kind in (PLAYBOOK, TASKS)]
#: What CNI plugins and the kubelet say, which the guides quote, too.
OF_OTHERS = {
    "cni plugin not initialized",
    "network plugin is not ready",
    "no IP addresses available in range set",
    "cni0 already has an IP address different from",
    "already has an IP address different from",
    "failed to find plugin … in path",
}
#: What allocates the pod CIDRs, and connects to no node.
ALLOCATE = [{"hosts": "all", "gather_facts": False, "tasks": []}]
ALLOCATE[0]["tasks"] = [{"import_role": {"name": "mink8s.podnet.pod_cidr"}, "run_once": True}]


def ansible(*command: str) -> str:
    """Run a program of Ansible's, which must neither fail nor warn; return its output."""
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stderr, done.stderr
    return done.stdout


def written(directory: Path, name: str, text: str) -> str:
    """Write a file and return its path."""
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def as_playbook(block: Block) -> str:
    """Return an example as a playbook."""
    if block.kind == PLAYBOOK:
        return block.text
    return "- hosts: all\n  tasks:\n" + textwrap.indent(block.text, "    ")


def test_there_are_examples_of_all_kinds() -> None:
    """Else the other tests would pass whatever stands in the guides."""
    sources = {block.path.parent.name for block in YAML}
    assert {"rst", "modules", "filter", "pod_cidr"} <= sources
    assert len(INVENTORIES) > 5
    assert len(COMMANDS) > 20


@pytest.mark.parametrize("block", YAML, ids=str)
def test_it_says_what_there_is(block: Block) -> None:
    assert checks.yaml_block(block) == []


@pytest.mark.parametrize("block", COMMANDS, ids=str)
def test_its_commands_are_understood(block: Block) -> None:
    done = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    joined = block.text.replace("\\\n", " ")
    assert [sentence for line in joined.splitlines() for sentence in checks.command(str(block), line)] == []


@pytest.mark.parametrize("path", sorted(GUIDES.glob("*.rst")), ids=lambda path: path.stem)
def test_the_variables_in_its_sentences_are_there(path: Path) -> None:
    assert checks.literals(path.name, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted(GUIDES.glob("*.rst")), ids=lambda path: path.stem)
def test_what_it_quotes_is_what_modules_say(path: Path) -> None:
    assert checks.quotes(path.name, path.read_text(encoding="utf-8"), OF_OTHERS) == []


def test_ansible_understands_every_playbook_and_task(tmp_path: Path) -> None:
    """All at once, as starting Ansible takes longer than the rest; a failure names the file."""
    files = [
        written(tmp_path, f"{number}-{block.path.stem}-{block.line}.yml", as_playbook(block))
        for number, block in enumerate(PLAYS)
    ]
    inventory = written(tmp_path, "hosts.yml", "kube_node: {hosts: {node1: {}}}")
    ansible("ansible-playbook", "-i", inventory, "--syntax-check", *files)


@pytest.mark.parametrize("block", INVENTORIES, ids=str)
def test_an_inventory_has_nodes_and_room_for_their_pods(block: Block, tmp_path: Path) -> None:
    """Ansible reads it, and each node gets its pod CIDRs."""
    inventory = written(tmp_path, "hosts.yml", block.text)
    listed = json.loads(ansible("ansible-inventory", "-i", inventory, "--list"))
    hosts = listed["_meta"]["hostvars"]
    assert hosts
    play = written(tmp_path, "allocate.yml", yaml.safe_dump(ALLOCATE))
    ansible("ansible-playbook", "-i", inventory, play)
    lock = yaml.safe_load((tmp_path / "pod_cidrs.lock.yml").read_text(encoding="utf-8"))
    assert lock["pod_cidrs"]["vars"]["nodes"].keys() == hosts.keys()
