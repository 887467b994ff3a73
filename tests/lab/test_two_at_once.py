# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two people play site.yml at the same time, while a runtime attaches and detaches pods."""

from __future__ import annotations

import concurrent.futures
import contextlib
import subprocess
import typing as t

from conftest import ROOT, Lab, Played

#: As soon as there is a configuration, pods come, ping their gateway, and go; every third one stays.
RUNTIME = f"""
cd {ROOT}/tests/integration/targets/setup_podnet
until conf=$(ls /etc/cni/net.d/*.conflist 2>/dev/null); do sleep 0.1; done
while [ ! -e /run/stop ]; do
    number=$((number + 1))
    pod=$0$number
    python3 runtime.py $conf add $pod || exit 1
    gateway=$(ip -n $pod route show default | cut -d ' ' -f 3)
    ip netns exec $pod ping -q -c 1 -W 5 $gateway || exit 1
    [ $((number % 3)) = 0 ] || python3 runtime.py $conf del $pod || exit 1
done
"""


@contextlib.contextmanager
def runtime(lab: Lab, node: str, pods: str) -> t.Iterator[None]:
    """Attach and detach pods on a node until the end of the block; none may fail."""
    lab.run(node, "rm -f /run/stop")
    enter = ["nsenter", f"--target={lab.variables[node]['ansible_netns_pid']}", "--net", "--mount", "--uts", "--"]
    with subprocess.Popen(
        [*enter, "sh", "-c", RUNTIME, pods], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield
        finally:
            lab.run(node, "touch /run/stop")
            output, _none = process.communicate(timeout=120)
        assert process.returncode == 0, output
        assert output.count(" 0% packet loss") > 3, output


def both(lab: Lab, *variables: dict[str, t.Any]) -> list[Played]:
    """Play site.yml with each of the variables at the same time."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return list(pool.map(lambda each: lab.play("site", **each), variables))


def jumps(lab: Lab, node: str) -> list[str]:
    return sorted(lab.run(node, "iptables-save | grep -o -- '-A [A-Z]* .*-j PODNET-.*'").stdout.splitlines())


def test_two_runs_and_a_runtime(lab: Lab) -> None:
    lab.create(2)
    for node in ("node1", "node2"):
        lab.run(node, "iptables -P FORWARD DROP")
    ours: dict[str, t.Any] = {"pod_network_masquerade_backend": "iptables"}

    with runtime(lab, "node1", "first"):
        same = both(lab, ours, ours)
    assert [played.status for played in same] == [0, 0], "\n".join(played.output for played in same)
    assert len(jumps(lab, "node1")) == len(set(jumps(lab, "node1"))) == 2
    assert lab.run("node1", "ip route show proto 212 | wc -l").stdout == "1\n"
    require_pods(lab)

    with runtime(lab, "node1", "second"):
        other = both(lab, ours, {"pod_network_masquerade_backend": "nftables"})
    for played in other:
        assert "this is a bug" not in played.output, played.output
        assert "Traceback" not in played.output, played.output
    assert lab.play("site", **ours).status == 0
    assert len(jumps(lab, "node1")) == len(set(jumps(lab, "node1"))) == 2
    assert "inet podnet" not in lab.run("node1", "nft list tables").stdout
    require_settled(lab, ours)


def require_settled(lab: Lab, variables: dict[str, t.Any]) -> None:
    """A run changes nothing, and pods are where they were."""
    again = lab.play("site", **variables)
    assert again.status == 0, again.output
    assert {node: counts["changed"] for node, counts in again.recap.items()} == dict.fromkeys(again.recap, 0)
    require_pods(lab)


def require_pods(lab: Lab) -> None:
    """All pods that stayed are reached from the other node, and reach it."""
    pods = lab.run("node1", "ip netns list | cut -d ' ' -f 1").stdout.split()
    assert len(pods) > 1
    for pod in pods:
        address = lab.run("node1", f"ip -n {pod} -4 -o address show eth0 | sed 's/.*inet //; s#/.*##'").stdout.strip()
        ping = lab.run("node2", f"ping -q -c 1 -W 5 {address}")
        assert ping.returncode == 0, f"{pod} {address}: {ping.stdout}"
        outside = lab.inventory["kube_node"]["hosts"]["node2"]["pod_cidr_addresses"][0]
        assert lab.run("node1", f"ip netns exec {pod} ping -q -c 1 -W 5 {outside}").returncode == 0
