# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes with a containerd (containerd.py): whether it has loaded the network, and pods that are made anew."""

from __future__ import annotations

import signal
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from conftest import ROOT, Lab, Played

PROGRAM = Path(__file__).with_name("containerd.py")
PLUGINS = ROOT / "tests/integration/targets/setup_podnet/runtime.py"
UNIT = f"""\
set -e
rm -f /etc/systemd/system/containerd.service
printf '[Service]\\nExecStart=/opt/containerd\\n' >/etc/systemd/system/containerd.service
ln -sf /dev/null /etc/systemd/system/docker.service
ln -sf /dev/null /etc/systemd/system/docker.socket
printf '#!/bin/sh\\nexec {sys.executable} {PROGRAM} "$@"\\n' >/opt/containerd
chmod 755 /opt/containerd
mkdir -p /etc/cni/net.d
"""
Start = t.Callable[..., None]


@pytest.fixture
def start(lab: Lab) -> t.Iterator[Start]:
    """Start a node's containerd, or start it again."""
    running: dict[str, subprocess.Popen[bytes]] = {}

    def end(node: str) -> None:
        if node in running:
            running[node].send_signal(signal.SIGTERM)
            running.pop(node).wait()

    def begin(node: str, *pods: str) -> None:
        end(node)
        done = lab.run(node, UNIT)
        assert done.returncode == 0, done.stderr
        enter = ["nsenter", f"--target={lab.variables[node]['ansible_netns_pid']}", "--net", "--mount", "--uts", "--"]
        words = [sys.executable, PROGRAM, "serve", lab.directory / "diary", node, *pods]
        with (lab.directory / f"{node}.log").open("ab") as log:
            running[node] = subprocess.Popen([*enter, *words], stdout=log, stderr=log)
        waited = lab.run(
            node, "for _ in $(seq 100); do [ -S /run/containerd/containerd.sock ] && exit; sleep 0.1; done; exit 1"
        )
        assert waited.returncode == 0, (lab.directory / f"{node}.log").read_text()

    yield begin
    for node in list(running):
        end(node)


def ok(played: Played) -> Played:
    assert played.status == 0, played.output
    return played


def test_a_runtime_that_has_not_loaded_the_network_is_told_each_time(lab: Lab, start: Start) -> None:
    """`kubeadm reset` and the removal of the directory while containerd runs: it watches one that is gone."""
    lab.create(1)
    start("node1")
    ok(lab.play("site"))
    assert lab.run("node1", "rm -r /etc/cni/net.d").returncode == 0
    # Before the file is written, not to have loaded it is no news.
    assert "load network" not in ok(lab.play("site", "--check")).words
    says = "network: podnet is not what containerd has loaded: it has loaded nothing (no network config found in /etc"
    first = lab.play("site")
    assert (first.status != 0, says in first.words) == (True, True), first.output
    # Now all files are as they should be.
    sentence = "have containerd load network podnet: it has loaded nothing (no network config found in /etc/cni/net.d)"
    drifted = lab.play("drift")
    assert (drifted.status != 0, sentence in drifted.words) == (True, True), drifted.output
    again = lab.play("site")
    assert (again.status != 0, says in again.words) == (True, True), again.output
    assert "restart it if that directory was removed while it ran" in again.words
    assert ok(lab.play("site", kubelet_require_loaded="false")).summary == {"node1": "nothing to do"}

    start("node1")
    ok(lab.play("drift"))


def test_pods_are_made_anew_one_node_after_another_until_one_does_not_come_back(lab: Lab, start: Start) -> None:
    """Of a Deployment with a replica on each node one at a time is away."""
    lab.create(2)
    nodes = ("node1", "node2")
    ok(lab.play("site"))
    for node in nodes:
        added = lab.run(node, f"python3 {PLUGINS} /etc/cni/net.d/10-podnet.conflist add web")
        assert added.returncode == 0, added.stderr
        start(node, "web")
    diary, stuck = lab.directory / "diary", lab.directory / "diary.stuck"

    ok(lab.play("site", pod_network_mtu="1400", kubelet_recycle_pods=True))
    # Whichever node comes first.
    told = diary.read_text().splitlines()
    assert sorted(told[::2]) == [f"{node} ended web" for node in nodes]
    assert told[1::2] == [line.replace("ended", "made") for line in told[::2]]

    diary.unlink()
    stuck.write_text(" ".join(nodes))
    played = lab.play("site", pod_network_mtu="1380", kubelet_recycle_pods=True, kubelet_recycle_timeout=3)
    told = diary.read_text().splitlines()
    assert told in [[f"{node} ended web"] for node in nodes], played.output
    first, other = sorted(nodes, key=lambda node: node not in told[0])
    assert [played.recap[node]["failed"] for node in nodes] == [1, 1]
    assert "did not come back within 3 seconds" in played.words
    assert f"pods of {first} were not all made anew, and of this node none is touched; see what failed" in played.words

    diary.unlink()
    stuck.unlink()
    ok(lab.play("site", "--tags", "kubelet", kubelet_recycle_pods=True))
    assert diary.read_text().splitlines() == [f"{other} ended web", f"{other} made web"]
