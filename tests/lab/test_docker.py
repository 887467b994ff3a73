# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node on which the distribution's dockerd runs with its network: site.yml takes it away, reset.yml gives it back.

No systemd runs in the lab, so the restart is the test's business; the virtual machines have one.
"""

from __future__ import annotations

import os

import pytest
from conftest import ROOT, Lab

DOCKER = ROOT / ".cache/debian"
DOCKERD = f"PODNET_TEST_DEBIAN={DOCKER} {ROOT}/tests/integration/targets/setup_podnet/dockerd.sh"
RULES = "iptables-nft-save | grep -E 'DOCKER|docker0|FORWARD DROP'; ip -br link show docker0 2>/dev/null"
#: dockerd has a file of its own beside the one that is ours.
OURS = "find /etc/docker/daemon.json* /var/lib/podnet -type f 2>/dev/null"


@pytest.fixture
def docker_lab(lab: Lab) -> Lab:
    """A lab of one node with a running dockerd."""
    if not (DOCKER / ".packages").exists():
        pytest.skip("there are no packages of Docker: tests/tools/debian.sh says why")
    lab.environment["PATH"] = f"{DOCKER}/usr/sbin:{DOCKER}/usr/bin:{os.environ['PATH']}"
    lab.create(1)
    started = lab.run("node1", f"echo 0 >/proc/sys/net/ipv4/ip_forward; {DOCKERD} start")
    assert started.returncode == 0, started.stderr
    return lab


def test_docker_s_network_goes_without_a_reboot_and_comes_back(docker_lab: Lab) -> None:
    lab = docker_lab
    before = lab.run("node1", RULES).stdout
    assert "FORWARD DROP" in before
    assert "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE" in before

    refused = lab.play("site")
    assert refused.status != 0, refused.output
    assert "restart: dockerd has to be restarted, and systemd does not run here" in refused.words
    assert lab.run("node1", OURS).stdout == ""
    assert lab.run("node1", RULES).stdout == before

    written = lab.play("site", docker_restart="never")
    assert written.status == 0, written.output
    assert lab.run("node1", RULES).stdout == before
    assert lab.run("node1", f"{DOCKERD} restart").returncode == 0

    cleaned = lab.play("site", docker_restart="never")
    assert cleaned.status == 0, cleaned.output
    assert lab.run("node1", RULES).stdout == ""
    again = lab.play("site")
    assert again.recap["node1"]["changed"] == 0, again.output

    given_back = lab.play("reset", docker_restart="never")
    assert given_back.status == 0, given_back.output
    assert lab.run("node1", OURS).stdout == ""
    assert lab.run("node1", f"{DOCKERD} restart").returncode == 0
    assert "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE" in lab.run("node1", RULES).stdout
    assert lab.run("node1", f"{DOCKERD} stop").returncode == 0
