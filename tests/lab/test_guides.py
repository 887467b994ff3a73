# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guides, read from top to bottom by somebody who types every command; tests/docs only checks what they say.

The lab's nodes have the addresses that stand in the guides.  What kubectl and a node's own shell are for is left out.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from conftest import Lab
from examples import GUIDES, INVENTORY, Block, of_rst

#: In this order, each on the nodes that the one before has left.
STORY = ("first_node", "cluster", "nodes", "renumber", "troubleshooting")
TYPED = re.compile(r"^ansible(-playbook)? ")


class Reader:
    """Somebody with a directory my-cluster, and the lab's nodes."""

    def __init__(self, lab: Lab) -> None:
        self.home = lab.directory
        self.hosts = self.home / "my-cluster/hosts.yml"
        self.hosts.parent.mkdir()
        reached = {
            name: {key: value for key, value in found.items() if key.startswith("ansible_")}
            for name, found in lab.inventory["kube_node"]["hosts"].items()
        }
        (self.hosts.parent / "lab.json").write_text(json.dumps({"lab": {"hosts": reached}}))
        self.typed: list[str] = []

    def read(self, block: Block) -> None:
        """Write an inventory down, or type the commands of Ansible."""
        if block.language == "yaml":
            self.hosts.write_text(block.text)
        elif block.language == "bash":
            for line in filter(TYPED.match, block.text.splitlines()):
                self.type(line)

    def type(self, line: str) -> None:
        """Run a command as it stands there; files of the controller's are the reader's own."""
        words = shlex.split(line.replace("/var/lib/monitoring", str(self.home)))
        done = subprocess.run(words, cwd=self.home, text=True, capture_output=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        assert "inventory" not in done.stderr, done.stderr  # nothing that a command leaves spoils it
        self.typed.append(line)
        if "mink8s.podnet.reset" in words and "--limit" in words:
            self.take_out(words[words.index("--limit") + 1])

    def take_out(self, host: str) -> None:
        """Take a node's line out of the inventory, as the guide says in words."""
        inventory: dict[str, t.Any] = yaml.safe_load(self.hosts.read_text())
        del inventory["kube_node"]["hosts"][host]
        self.hosts.write_text(yaml.safe_dump(inventory))


def guide(name: str) -> list[Block]:
    """Return the blocks of a guide, with its first inventory; the others are for other networks than the lab's."""
    found = of_rst(Path(GUIDES, f"{name}.rst"))
    first = next((block for block in found if block.language == "yaml" and block.kind == INVENTORY), None)
    return [block for block in found if block.language == "bash" or block is first]


def test_the_guides_are_true(lab: Lab) -> None:
    lab.create(4)
    before = lab.snapshot()
    reader = Reader(lab)
    for block in guide("first_node"):
        reader.read(block)
    lab.require(before)  # it ends with a reset

    for name in STORY[1:3]:
        for block in guide(name):
            reader.read(block)
    assert lab.run("node1", "ip route show proto 212").stdout.count("\n") == 2  # node4 has left again
    lab.require({"node4": before["node4"]})

    for name in STORY[3:]:
        for block in guide(name):
            reader.read(block)
    assert lab.run("node1", "ip route show proto 212").stdout.startswith("10.12.40.0/24 via 192.0.2.12 ")
    assert "10.12.40.1/24" in lab.run("node2", "ip -brief address show podnet0").stdout
    assert len(reader.typed) > 20


@pytest.mark.parametrize("command", ["ansible-playbook -i my-cluster mink8s.podnet.drift", "ansible node1 -m nothing"])
def test_a_command_that_fails_is_noticed(lab: Lab, command: str) -> None:
    lab.create(1)
    reader = Reader(lab)
    reader.hosts.write_text("kube_node: {hosts: {node1: {}}, vars: {pod_cidr_cluster_cidrs: [10.12.0.0/16]}}")
    with pytest.raises(AssertionError):
        reader.read(Block(Path("guide.rst"), 1, "bash", f"{command}\n"))
