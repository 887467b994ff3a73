# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the walk-through's node has after each of its steps, piece by piece, and who reaches whom from inside pods."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import typing as t
from pathlib import Path

import pytest
from reach import WHOAMI, pings
from testinfra.host import Host

LAB = Path(os.environ["PODNET_LAB_INVENTORY"]).parent
#: The step that pods.yml has said; the tests run once after each.
STEP = int((LAB / "step").read_text(encoding="utf-8"))
CONF = "/etc/cni/net.d/mink8s.conf"
NODE = "192.0.2.11"
FAR_END = "203.0.113.1"
PODS = ipaddress.IPv4Network("10.12.1.0/24")

BASE: dict[str, t.Any] = {"cniVersion": "0.3.1", "name": "mink8s", "type": "bridge", "bridge": "mink8s0"}
RANGES: dict[str, t.Any] = {"type": "host-local", "ranges": [[{"subnet": str(PODS)}]]}
ROUTES: dict[str, t.Any] = {"routes": [{"dst": "0.0.0.0/0"}]}
CONFIGURATIONS: dict[int, dict[str, t.Any]] = {
    3: {**BASE, "ipam": RANGES},
    4: {**BASE, "isGateway": True, "ipam": RANGES},
    5: {**BASE, "isGateway": True, "ipam": {**RANGES, **ROUTES}},
    6: {**BASE, "isGateway": True, "ipMasq": True, "ipam": {**RANGES, **ROUTES}},
}
#: In a listing of iptables, where names within a comment stand in quotes of their own.
COMMENT = re.compile(r' -m comment --comment "(?:[^"\\]|\\.)*"')
DAEMON = {
    "exec-opts": ["native.cgroupdriver=cgroupfs"],
    "log-driver": "json-file",
    "log-opts": {"max-size": "100m"},
    "bridge": "none",
    "iptables": False,
    "ip-masq": False,
    "storage-driver": "overlay2",
}


class Pod:
    """A static pod of the kubelet, seen from inside of its container."""

    def __init__(self, host: Host, container: str) -> None:
        self.host, self.container = host, container
        (shown,) = re.findall(r"inet (\S+)/24 ", self.run("ip -4 address show eth0"))
        self.address = str(shown)

    def run(self, command: str) -> str:
        return str(self.host.check_output(f"docker exec {self.container} {command}"))

    def reaches(self, address: str) -> bool:
        return pings(self.host, f"docker exec {self.container} ", address)


@pytest.fixture(scope="module")
def pods(host: Host) -> list[Pod]:
    """Both pods, as Docker lists them."""
    if not host.file("/usr/local/bin/kubelet").exists:
        pytest.skip("there is no kubelet: PODNET_KUBELET names none, and none could be downloaded")
    listed = host.check_output("docker ps --quiet --filter label=io.kubernetes.container.name=web").split()
    assert len(listed) == 2
    return [Pod(host, container) for container in listed]


def test_docker_has_the_options_and_runs_with_them(host: Host) -> None:
    assert json.loads(host.check_output("cat /etc/docker/daemon.json")) == DAEMON
    assert host.check_output("docker info --format '{{.CgroupDriver}} {{.Driver}}'") == "cgroupfs overlay2"
    assert host.check_output("docker network ls --format '{{.Driver}}' --filter driver=bridge") == ""


def test_nothing_of_dockers_network_is_left(host: Host) -> None:
    assert "docker0" not in host.check_output("ip -o link")
    rules = host.check_output("iptables-save").splitlines()
    assert [rule for rule in rules if "DOCKER" in rule or "docker0" in rule or "172.17." in rule] == []
    assert [rule for rule in rules if rule.startswith(":FORWARD ") and rule.split()[1] != "ACCEPT"] == []


def test_the_plugins_are_where_the_kubelet_looks(host: Host) -> None:
    """They came from an archive of what Debian's package has, which is on the machine, too."""
    sums = dict(reversed(line.split()) for line in host.check_output("cd /opt/cni/bin; sha256sum *").splitlines())
    assert {"bridge", "host-local", "loopback"} <= sums.keys()
    package = host.check_output(f"cd /usr/lib/cni; sha256sum {' '.join(sums)}").splitlines()
    assert sums == dict(reversed(line.split()) for line in package)


def test_the_file_is_the_walk_throughs(host: Host) -> None:
    assert host.check_output("ls -A /etc/cni/net.d") == "mink8s.conf"
    assert json.dumps(json.loads(host.check_output(f"cat {CONF}"))) == json.dumps(CONFIGURATIONS[STEP])


def test_pods_are_on_the_bridge(host: Host, pods: list[Pod]) -> None:
    assert all(ipaddress.IPv4Address(pod.address) in PODS for pod in pods)
    links = json.loads(host.check_output("ip -json -details link show master mink8s0"))
    assert len(links) == len(pods)
    assert all(link["linkinfo"]["info_kind"] == "veth" and link["link_netnsid"] >= 0 for link in links)
    # Docker's namespaces have no names.
    assert host.check_output("ip netns") == "" or "(id: " not in host.check_output("ip netns")


def test_the_bridge_is_the_gateway_from_step_4_on(host: Host) -> None:
    (bridge,) = json.loads(host.check_output("ip -json address show dev mink8s0"))
    addresses = [f"{own['local']}/{own['prefixlen']}" for own in bridge["addr_info"] if own["family"] == "inet"]
    assert addresses == (["10.12.1.1/24"] if STEP >= 4 else [])


def test_every_pod_is_masqueraded_from_step_6_on(host: Host, pods: list[Pod]) -> None:
    rules = host.check_output("iptables-save -t nat").splitlines()
    jumps = {
        found[1]: found[2]
        for found in (re.match(r"-A POSTROUTING -s (\S+)/32 .*-j (CNI-[0-9a-f]+)$", rule) for rule in rules)
        if found
    }
    assert jumps.keys() == ({pod.address for pod in pods} if STEP >= 6 else set())
    for chain in jumps.values():
        own = [re.sub(COMMENT, "", rule) for rule in rules if rule.startswith(f"-A {chain} ")]
        assert own == [f"-A {chain} -d 10.12.1.0/24 -j ACCEPT", f"-A {chain} ! -d 224.0.0.0/4 -j MASQUERADE"]


def test_pods_reach_each_other(pods: list[Pod]) -> None:
    one, other = pods
    assert one.reaches(other.address)
    assert other.reaches(one.address)
    assert one.run(WHOAMI.format(other.address)).strip() == one.address


def test_the_host_reaches_pods_from_step_4_on(host: Host, pods: list[Pod]) -> None:
    assert [pings(host, "", pod.address) for pod in pods] == [STEP >= 4] * 2


def test_pods_reach_the_host_from_step_5_on(pods: list[Pod]) -> None:
    assert [pod.reaches(NODE) for pod in pods] == [STEP >= 5] * 2


def test_pods_reach_the_outside_from_step_6_on(pods: list[Pod]) -> None:
    assert [pod.reaches(FAR_END) for pod in pods] == [STEP >= 6] * 2
    if STEP >= 6:
        assert pods[0].run(WHOAMI.format(FAR_END)).strip() == NODE


def test_the_outside_is_there(host: Host) -> None:
    """A far end that is down would look like a pod that has no way out."""
    assert pings(host, "", FAR_END)
