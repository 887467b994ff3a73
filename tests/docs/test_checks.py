# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each check of the examples notices what it is for."""

from __future__ import annotations

from pathlib import Path

import checks
import pytest
from examples import Block, of_markdown, of_rst

GOOD = """\
- name: A bridge
  mink8s.podnet.bridge:
    name: mink8s0
    addresses: ["{{ address }}"]
    ports: [{name: veth1, hairpin: true}]
"""
INVENTORY = """\
kube_node:
  hosts:
    node1: {ansible_host: 192.0.2.11, pod_cidr_subnets: 10.12.1.0/24}
  vars:
    pod_network_gateway: true
"""
#: What is put in the place of what, and a part of the complaint.
BROKEN = [
    (GOOD, "name: mink8s0", "nam: mink8s0", "nam"),
    (GOOD, "name: mink8s0", "mtu: auto", "missing required arguments: name"),
    (GOOD, "name: mink8s0", "name: [mink8s0]", "is a text"),
    (GOOD, '["{{ address }}"]', "{ipv4: 10.12.1.1/24}", "addresses"),
    (GOOD, "hairpin: true", "hairpin: perhaps", "hairpin"),
    (GOOD, "hairpin: true", "hairpins: true", "hairpins"),
    (GOOD, "podnet.bridge:", "podnet.bridges:", "is no module"),
    (GOOD, "addresses:", "state: there\n    addresses:", "state"),
    (GOOD, "mink8s.podnet.bridge:", "mink8s.podnet.routes:\n    state: present\n  vars:", "missing"),
    (INVENTORY, "pod_cidr_subnets", "pod_cidr_subnet", "pod_cidr_subnet is no variable"),
    (INVENTORY, "gateway: true", "gateway: perhaps", "pod_network_gateway"),
    (INVENTORY, "pod_network_gateway: true", "pod_network_masquerade: nodes", "pod_network_masquerade"),
    (INVENTORY, "pod_network_gateway: true", "podnet_host: k8s", "podnet_host is no variable"),
    ("pod_network_mtu: '1400'\n", "mtu", "mtus", "pod_network_mtus is no variable"),
    ("verify_outside: [203.0.113.1]\n", "[203.0.113.1]", "203.0.113.1", "verify_outside is a list"),
    ("pod_network_name: podnet\n", "podnet\n", "[podnet]\n", "is a text"),
    ("- hosts: all\n  roles: [mink8s.podnet.verify]\n", "verify", "verity", "is no role"),
    (
        "- hosts: all\n  roles: [{role: mink8s.podnet.verify, vars: {verify_pods: 2}}]\n",
        "verify_pods",
        "verify_pod",
        "verify_pod is no variable",
    ),
    ("pod_cidrs: {vars: {cluster_cidrs: [10.12.0.0/16], node_prefix: 24, nodes: {}}}\n", "nodes", "hosts", "lacks"),
]
COMMANDS = [
    ("ansible-playbook -i my-cluster mink8s.podnet.site --check --diff", "--diff", "--diffs", "does not understand"),
    ("ansible-playbook -i my-cluster mink8s.podnet.site", "site", "sites", "is no playbook"),
    ("ansible-playbook mink8s.podnet.site -e docker_restart=allowed", "=allowed", "=yes", "docker_restart"),
    ("ansible-playbook mink8s.podnet.site -e docker_restart=allowed", "restart", "restarts", "is no variable"),
    ("ansible-playbook mink8s.podnet.site -e pod_cidr_prune=true", "pod_cidr_prune", "pod_network_persist", "a text"),
    ("ansible all -b -m mink8s.podnet.cni_gc -a name=podnet", "name=", "network=", "network"),
    ("ansible all -b -m mink8s.podnet.cni_gc -a name=podnet", "cni_gc", "cni_cg", "is no module"),
    ('ansible all -m mink8s.podnet.routes -a \'{"state": "absent"}\'', "absent", "gone", "state"),
    ("ansible-galaxy collection install .", "install", "instal", "does not understand"),
    ("make unit", "unit", "units", "make knows no units"),
]
LITERALS = [
    ("Set ``pod_network_mtu``.", "mtu", "mtus", "is no variable"),
    ("Set ``pod_network_gateway: true``.", "true", "perhaps", "pod_network_gateway"),
    ("Set ``docker_restart=allowed``.", "allowed", "yes", "docker_restart"),
]


def block(text: str) -> Block:
    return Block(Path("/guide.rst"), 1, "yaml", text)


@pytest.mark.parametrize(("good", "part", "wrong", "says"), BROKEN)
def test_yaml(good: str, part: str, wrong: str, says: str) -> None:
    assert checks.yaml_block(block(good)) == []
    broken = good.replace(part, wrong, 1)
    assert broken != good
    assert says in "; ".join(checks.yaml_block(block(broken)))


@pytest.mark.parametrize(("good", "part", "wrong", "says"), COMMANDS)
def test_command(good: str, part: str, wrong: str, says: str) -> None:
    assert checks.command("here", good) == []
    assert says in "; ".join(checks.command("here", good.replace(part, wrong)))


@pytest.mark.parametrize(("good", "part", "wrong", "says"), LITERALS)
def test_literal(good: str, part: str, wrong: str, says: str) -> None:
    assert checks.literals("here", good) == []
    assert says in "; ".join(checks.literals("here", good.replace(part, wrong)))


def test_quote() -> None:
    good = 'Then "… is not on-link, it is reached through" or "nonsense of others".\n'
    assert checks.quotes("here", good, {"nonsense of others"}) == []
    assert "nonsense of others" in checks.quotes("here", good, ())[0]
    assert checks.quotes("here", good.replace("on-link", "linked"), {"nonsense of others"}) != []
    assert checks.quotes("here", '.. code-block:: yaml\n\n   a: "nonsense"\n\nAnd ``"nonsense"``.\n', ()) == []


def test_what_is_neither_list_nor_mapping_is_no_example() -> None:
    assert checks.yaml_block(block("a: {")) != []
    assert checks.yaml_block(block("hello\n")) != []


def test_blocks_are_found_where_they_stand(tmp_path: Path) -> None:
    guide, readme = tmp_path / "guide.rst", tmp_path / "README.md"
    guide.write_text("#. One\n\n   .. code-block:: yaml\n\n      a:\n        b: 1\n\n   text\n")
    readme.write_text("    ansible-playbook a\n    other\n\n```yaml\na: 1\n```\n")
    assert [(found.line, found.text) for found in of_rst(guide)] == [(3, "a:\n  b: 1\n")]
    assert [found.text for found in of_markdown(readme)] == ["ansible-playbook a\n", "a: 1\n"]
