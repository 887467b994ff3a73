# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The walk-through's steps 3 to 6, by variables, on the example inventory: its files, and who reaches whom."""

from __future__ import annotations

import json
import subprocess
import typing as t

import pytest
from conftest import Lab

CONF = "/etc/cni/net.d/mink8s.conf"
BASE: dict[str, t.Any] = {"cniVersion": "0.3.1", "name": "mink8s", "type": "bridge", "bridge": "mink8s0"}
RANGES: dict[str, t.Any] = {"type": "host-local", "ranges": [[{"subnet": "10.12.1.0/24"}]]}
ROUTES: dict[str, t.Any] = {"routes": [{"dst": "0.0.0.0/0"}]}

#: Each step's variables, its file, and whether pod-pod, host-pod, pod-host and pod-outside answer.
STEPS = {
    3: (
        {"pod_network_gateway": False, "pod_network_default_route": False, "pod_network_masquerade": "none"},
        {**BASE, "ipam": RANGES},
        (True, False, False, False),
    ),
    4: (
        {"pod_network_default_route": False, "pod_network_masquerade": "none"},
        {**BASE, "isGateway": True, "ipam": RANGES},
        (True, True, False, False),
    ),
    5: (
        {"pod_network_masquerade": "none"},
        {**BASE, "isGateway": True, "ipam": {**RANGES, **ROUTES}},
        (True, True, True, False),
    ),
    6: (
        {},
        {**BASE, "isGateway": True, "ipMasq": True, "ipam": {**RANGES, **ROUTES}},
        (True, True, True, True),
    ),
}


class Pod:
    """A network namespace in a node, attached by the node's own plugins with the node's own file."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab, self.name = lab, name
        self._sh(f"ip netns add {name}")
        self.address = json.loads(self._cni("ADD"))["ips"][0]["address"].partition("/")[0]

    def reaches(self, address: str) -> bool:
        """Whether the address answers a ping from inside the pod."""
        return _pings(self.lab, f"ip netns exec {self.name} ", address)

    def delete(self) -> None:
        """Detach the pod."""
        self._cni("DEL")
        self._sh(f"ip netns delete {self.name}")

    def _cni(self, command: str) -> str:
        return self._sh(
            f"CNI_COMMAND={command} CNI_CONTAINERID={self.name} CNI_NETNS=/run/netns/{self.name} CNI_IFNAME=eth0 "
            f"CNI_PATH=/usr/lib/cni /usr/lib/cni/bridge < {CONF}"
        )

    def _sh(self, command: str) -> str:
        done = self.lab.run("mink8s", command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def _pings(lab: Lab, prefix: str, address: str) -> bool:
    return lab.run("mink8s", f"{prefix}ping -n -c 1 -W 1 {address}").returncode == 0


@pytest.fixture
def mink8s(lab: Lab) -> Lab:
    """The example inventory, with the lab's connection to its one node."""
    lab.create(1)
    lab.variables["mink8s"] = lab.variables.pop("node1")
    lab.inventory["kube_node"]["hosts"] = {"mink8s": lab.variables["mink8s"]}
    lab.use_example("mink8s")
    return lab


def test_each_step(mink8s: Lab) -> None:
    for step, (variables, conf, expected) in STEPS.items():
        made = mink8s.play("site", **variables)
        assert made.status == 0, f"step {step}: {made.output}"
        text = mink8s.run("mink8s", f"cat {CONF}").stdout
        assert json.dumps(json.loads(text)) == json.dumps(conf), f"step {step}"
        assert mink8s.run("mink8s", "ls /etc/cni/net.d").stdout == "mink8s.conf\n"

        pods = [Pod(mink8s, "pod1"), Pod(mink8s, "pod2")]
        seen = (
            pods[0].reaches(pods[1].address),
            _pings(mink8s, "", pods[0].address),
            pods[0].reaches("192.0.2.11"),
            pods[0].reaches("203.0.113.1"),
        )
        for pod in pods:
            pod.delete()
        assert seen == expected, f"step {step}: pod-pod, host-pod, pod-host, pod-outside"


def test_the_test_needs_ping() -> None:
    """A missing ping would look like a pod that does not answer."""
    assert subprocess.run(["ping", "-V"], check=False, capture_output=True).returncode == 0
