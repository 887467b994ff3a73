# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Defaults for the group of all modules reach each module of a play; tests/unit looks that the group has every one."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from conftest import Lab, Played
from examples import GUIDES, PLAYBOOK, of_rst

GROUP = "group/mink8s.podnet.podnet"
#: One of the kernel's links, one of its rules, one of files: each is made where nobody says absent.
TASKS: list[dict[str, t.Any]] = [
    {"mink8s.podnet.bridge": {"name": "podnet0"}},
    {"mink8s.podnet.masquerade": {"sources": ["10.12.1.0/24"], "backend": "nftables"}},
    {"mink8s.podnet.sysctls": {"settings": {"net.ipv4.ip_forward": "1"}}},
]


def play(lab: Lab, text: str) -> Played:
    """Play a playbook of somebody who uses modules alone."""
    Path(lab.directory, "play.yml").write_text(text)
    lab.start, lab.playbooks = lab.directory, "{}.yml"
    return lab.play("play", "-v")


def book(tasks: list[dict[str, t.Any]], **defaults: t.Any) -> str:
    """Some tasks with defaults for the group."""
    return json.dumps(
        [{"hosts": "kube_node", "gather_facts": False, "tasks": tasks, "module_defaults": {GROUP: defaults}}]
    )


def test_a_default_reaches_every_module(lab: Lab) -> None:
    lab.create(1)
    fresh = lab.snapshot()
    made = play(lab, book(TASKS))
    assert made.recap["node1"]["changed"] == len(TASKS), made.output
    gone = play(lab, book(TASKS, state="absent"))
    assert gone.recap["node1"]["changed"] == len(TASKS), gone.output
    lab.require(fresh)


def test_a_default_that_a_module_does_not_have_fails(lab: Lab) -> None:
    lab.create(1)
    refused = play(lab, book([{"mink8s.podnet.cni_plugins_info": {}}], state="absent"))
    assert refused.status != 0
    assert "Unsupported parameters for (mink8s.podnet.cni_plugins_info) module: state" in refused.words


def test_the_playbook_of_the_guide(lab: Lab) -> None:
    lab.create(1)
    made = lab.play("site", pod_network_conf_dir="/opt/cni/net.d", kubelet_state="ignored")
    assert made.status == 0, made.output
    books = [
        block for block in of_rst(GUIDES / "how_it_works.rst") if block.language == "yaml" and block.kind == PLAYBOOK
    ]
    assert [GROUP in block.text for block in books] == [True]
    played = play(lab, books[0].text)
    assert played.status == 0, played.output
    assert "/opt/cni/net.d/10-podnet.conflist" in played.output
