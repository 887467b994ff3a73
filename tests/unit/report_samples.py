# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the nodes of an inventory say to role report, without nodes; the browser looks at pages made of it too."""

from __future__ import annotations

import typing as t

#: Names that a pod cannot have in Kubernetes, but that CNI's cache may hold.
EVIL = "</style><script>document.title='pwned'</script><img src=http://192.0.2.1/x onerror=alert(1)>\"'{{ 7 * 7 }}"
OUTSIDE = "203.0.113.1"
NO_ANSWER = "no answer to 3 pings within 2 s each"
CAUSE = "iptables-nft filter FORWARD would drop it; run playbooks/site.yml"
LEASE = {
    "kind": "lease",
    "name": "lease /var/lib/cni/networks/podnet/10.12.2.9",
    "network": "podnet",
    "container_id": "6f2d0c0ba4cb",
    "reason": "its namespace /var/run/netns/cni-3d6e0a is gone, and its veth veth2f1c7a90 too",
}
RULE = {
    "where": "iptables-nft nat POSTROUTING",
    "rule": "-A POSTROUTING ! -d 10.0.0.0/8 -j MASQUERADE",
    "effect": "masquerade",
    "remedy": "remove it: iptables-nft -t nat -D POSTROUTING ! -d 10.0.0.0/8 -j MASQUERADE",
}
VPN = {"grade": "stops", "kind": "vpn", "object": "wg0", "what": "wg0: route 10.12.1.0/24 takes packets; remove it"}
ACTION = "create route 10.12.3.0/24 (via 192.0.2.13, device eth0)"

Data = t.Dict[str, t.Any]
End = t.Tuple[str, t.Optional[str], str]


def address(index: int) -> str:
    return f"192.0.{2 + index // 200}.{11 + index % 200}"


def cidr(index: int) -> str:
    return f"10.12.{index + 1}.0/24"


def pod(index: int, number: int, **values: t.Any) -> Data:
    """A pod's attachment, as cni_attachments_info returns it."""
    return {
        "container_id": f"{index:06x}{number:06x}",
        "pod": f"web-{number}",
        "pod_namespace": "default",
        "network": "podnet",
        "ifname": "eth0",
        "addresses": [f"10.12.{index + 1}.{20 + number}/24"],
        "mtu": 1450,
        "veth": f"veth{index}n{number}",
        "bridge": "podnet0",
        "verdict": "alive",
        "change_class": "none",
        "changed_keys": [],
        **values,
    }


def row(source: End, target: End, kind: str, broken: bool, time: float) -> Data:
    """A line of a matrix, as cni_probe returns it."""
    return {
        "from": {"node": source[0], "pod": source[1]},
        "to": {"node": target[0] or None, "pod": target[1], "kind": kind},
        "address": target[2],
        "ok": not broken,
        "rtt_ms": None if broken else time,
        "source": None,
        "expected_source": None,
        "error": NO_ANSWER if broken else None,
        "cause": CAUSE if broken else None,
    }


def inventory(count: int, pods: int = 1, broken: t.Collection[tuple[str, str]] = ()) -> tuple[dict[str, Data], Data]:
    """Nodes where all is well, but for broken ways from a node to another; and who owns what."""
    names = [f"node{index}" for index in range(1, count + 1)]
    ends: list[tuple[str, End]] = []
    for index, name in enumerate(names):
        ends.append(("node", (name, None, address(index))))
        ends += [("pod", (name, f"probe{pod}", f"10.12.{index + 1}.{pod + 1}")) for pod in range(1, pods + 1)]
    ends.append(("outside", ("", None, OUTSIDE)))
    nodes = {name: node(index, names) for index, name in enumerate(names)}
    for _kind, source in ends[:-1]:
        rows = [
            row(source, target, kind, (source[0], target[0]) in broken, _time(names, source[0], target[0]))
            for kind, target in ends
            if target is not source
        ]
        nodes[source[0]]["matrix"] += rows
    owned = {name: {"addresses": [address(index)], "pod_cidrs": [cidr(index)]} for index, name in enumerate(names)}
    return nodes, {"nodes": owned, "actions": [], "lock_file": "/x/lock.yml", "cluster_cidrs": ["10.12.0.0/16"]}


def node(index: int, names: list[str]) -> Data:
    """What one node says where all is well."""
    routes = [
        {"dst": cidr(other), "via": address(other), "device": "eth0", "node": name}
        for other, name in enumerate(names)
        if other != index
    ]
    return {
        "unreachable": False,
        "problems": [],
        "plans": {"cni_plugins": [], "pod_network": []},
        "bridge": {"name": "podnet0", "addresses": [f"10.12.{index + 1}.1/24"], "mtu": 1450},
        "routes": routes,
        "attached": {"attachments": [pod(index, number) for number in range(3)], "leaks": [], "unknown": []},
        "conflicts": [],
        "foreign": [],
        "competing": [],
        "matrix": [],
    }


def troubled(count: int, pods: int = 1) -> tuple[dict[str, Data], Data]:
    """The same with one of each trouble: a broken way, drift, a stale pod, a leak, conflicts, a node that is away."""
    nodes, controller = inventory(count, pods, broken={("node1", "node2")})
    nodes["node1"]["attached"]["attachments"][0].update(pod=EVIL, pod_namespace=EVIL)
    nodes["node2"]["plans"]["pod_network"] = [ACTION]
    nodes["node2"]["attached"]["leaks"] = [LEASE]
    changed = {"change_class": "recycle_all", "changed_keys": ["bridge.bridge"]}
    nodes["node2"]["attached"]["attachments"][1].update(changed)
    nodes["node1"]["foreign"] = [RULE]
    nodes["node2"]["conflicts"] = [VPN]
    nodes["node3"] = {"unreachable": True}
    return nodes, controller


def _time(names: list[str], source: str, target: str) -> float:
    """Nodes of the same rack, five of them, are nearer."""
    if not target:
        return 12.5
    here, there = names.index(source), names.index(target)
    return 0.05 if here == there else 0.4 if here // 5 == there // 5 else 1.5
