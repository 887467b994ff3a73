# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module routes: random clusters, among the routes of others."""

from __future__ import annotations

import json
import re
import subprocess
import typing as t

import ground
import hypothesis.strategies as st
import listings
from converging import Converging, require_same
from hypothesis.stateful import initialize, precondition, rule

PROTOCOL = 212
BATCH = ground.PLACE / "routes"
SELF = "node1"
#: Names that contain each other, as addresses and pod CIDRs do.
NODES = ("node1", "node2", "node10", "node11", "node")
OWN = re.compile(rf" proto {PROTOCOL} ")

blocks = st.lists(
    st.sampled_from(
        [
            "10.12.1.0/24",
            "10.12.10.0/24",
            "10.12.11.0/24",
            "10.12.2.0/25",
            "10.12.2.128/25",
            "fd12:0:0:1::/64",
            "fd12:0:0:10::/64",
        ]
    ),
    max_size=2,
    unique=True,
)
#: On the link, on the other link, behind a router, nowhere, our own.
near = st.sampled_from(["192.0.2.12", "192.0.2.1", "192.0.2.10"])
odd = st.sampled_from(["198.51.100.12", "203.0.113.5", "233.0.0.1", "192.0.2.11", "127.0.0.1"])
near_v6 = st.sampled_from(["2001:db8:1::12", "2001:db8:1::1", "fe80::12"])
hops = st.builds(
    lambda ipv4, ipv6: [*ipv4, *ipv6], st.lists(near | near | near | odd, max_size=1), st.lists(near_v6, max_size=1)
)
clusters = st.dictionaries(
    st.sampled_from(NODES), st.fixed_dictionaries({"pod_cidrs": blocks, "addresses": hops}), max_size=4
)


def everywhere(nodes: dict[str, dict[str, list[str]]]) -> dict[str, dict[str, list[str]]]:
    """A cluster in which no block has two owners, and each node an address of both families; most are like that."""
    taken: set[str] = set()
    for node in nodes.values():
        node["pod_cidrs"] = [block for block in node["pod_cidrs"] if block not in taken]
        taken.update(node["pod_cidrs"])
        versions = {":" in address for address in node["addresses"]}
        node["addresses"] += ["192.0.2.13"] * (False not in versions) + ["2001:db8:1::13"] * (True not in versions)
    return {SELF: {"pod_cidrs": [], "addresses": ["192.0.2.11"]}, **nodes}


wanted = st.fixed_dictionaries(
    {"nodes": clusters.map(everywhere), "self": st.just(SELF)},
    optional={
        "device": st.sampled_from(["up0", "up0", "up00", "nosuch"]),
        "on_unreachable": st.sampled_from(["fail", "warn", "warn"]),
        "persist": st.just(str(BATCH)),
    },
)

#: Clusters that cannot be: without us, with blocks that are taken, with nodes that have no address.
wrong = st.builds(lambda params, nodes: {**params, "nodes": nodes}, wanted, clusters)

#: What others may have done, ours included.
DISTURBANCES = [
    "route add 10.12.2.0/24 via 192.0.2.77",
    "route add 10.12.10.0/26 via 192.0.2.77 proto static",
    "route add 10.12.0.0/16 via 192.0.2.77 proto 211",
    "route add blackhole 10.12.10.0/24 proto 213",
    "route add 10.12.1.0/24 via 192.0.2.77 table 100 proto 212",
    "route add 10.12.1.0/24 via 192.0.2.77 metric 50 proto 212",
    "route add blackhole 10.12.11.0/24 proto 212",
    "route add 10.12.77.0/24 via 192.0.2.77 proto 212",
    "route add unreachable fd12:0:0:77::/64 proto 212",
    "route add 10.12.78.0/24 proto 212 nexthop via 192.0.2.77 nexthop via 192.0.2.78",
    "route replace 10.12.1.0/24 via 192.0.2.99 proto 212",
    "route replace 10.12.10.0/24 dev up00 proto 212",
    "route add fd12:0:0:1::/64 via 2001:db8:1::99 proto 212",
    "route add fd12:0:0:10::/65 via 2001:db8:1::99",
    "route flush proto 212",
    "route flush table main proto 212 root 10.12.1.0/24",
    "link set up0 down",
    "address del 192.0.2.11/24 dev up0",
]
#: What takes away the routes that these leave, once ours are gone.
TIDY = [line.replace("route add", "route delete") for line in DISTURBANCES if line.startswith("route add")]


class Clusters(Converging):
    """The routes of one node."""

    module = "routes"

    def listing(self) -> listings.Listing:
        return {**listings.network(), **listings.files(BATCH.parent)}

    def is_ours(self, name: str, params: dict[str, t.Any]) -> bool:
        in_main = name.startswith("route ") and " table main " in name
        return (in_main and bool(OWN.search(name))) or name == f"file {BATCH}"

    def require_made(self, params: dict[str, t.Any], before: listings.Listing, after: listings.Listing) -> None:
        """Each pod CIDR of each other node has one route, by way of that node, if the kernel says that it is near."""
        present, device = params.get("state") != "absent", params.get("device")
        nodes = {name: node for name, node in params.get("nodes", {}).items() if name != SELF}
        asked = {(cidr, _hop(cidr, node["addresses"])) for node in nodes.values() for cidr in node["pod_cidrs"]}
        near = {hop: _device_to(hop, device) for _cidr, hop in asked}
        expected = {(cidr, hop, near[hop]) for cidr, hop in asked if near[hop]}
        ours = [after[name] for name in after if name.startswith("route ") and self.is_ours(name, params)]
        assert sorted((way["dst"], way.get("gateway"), way.get("dev")) for way in ours) == sorted(expected)
        assert all(way.get("type", "unicast") == "unicast" for way in ours)
        if "persist" in params:
            lines = after[f"file {BATCH}"][3].decode().splitlines() if present else []
            kept = {tuple(line.split()[2:5:2]) for line in lines if line.startswith("route ")}
            assert kept == {(cidr, hop) for cidr, hop, _device in expected}
            assert (f"file {BATCH}" in after) == present

    @initialize()
    def begin(self) -> None:
        """A node with two links, and a router that knows of other networks."""
        ground.new_node()
        ground.batch(
            "link add up0 type veth peer name far0",
            "link add up00 type veth peer name far00",
            *[f"link set {name} up" for name in ("up0", "far0", "up00", "far00")],
        )
        self.up()
        ground.settle("up0", "up00")
        self.start = self.now = self.listing()

    def up(self) -> None:
        """Bring the links to where they were at first."""
        ground.batch(
            "address replace 192.0.2.11/24 dev up0",
            "address replace 198.51.100.11/24 dev up00",
            "address replace 2001:db8:1::11/64 dev up0 nodad",
            "link set up0 up",
            "route replace 203.0.113.0/24 via 192.0.2.1",
            "route replace unreachable 233.0.0.0/8",
        )

    @rule(params=wanted)
    def make(self, params: dict[str, t.Any]) -> None:
        """Somebody asks for routes."""
        self.ask(**params)

    @rule(params=wrong)
    def mistake(self, params: dict[str, t.Any]) -> None:
        """Somebody asks for what may not be."""
        self.ask(**params)

    @rule()
    def remove(self) -> None:
        """Somebody asks for no routes."""
        self.ask(state="absent", persist=str(BATCH))

    @rule(disturbance=st.sampled_from(DISTURBANCES))
    def disturb(self, disturbance: str) -> None:
        """Somebody else makes routes, or takes some away."""
        ground.attempt(disturbance)
        self.now = self.listing()

    @precondition(lambda self: not self.now["link up0"]["up"] or "address 192.0.2.11/24 on up0" not in self.now)
    @rule()
    def repair(self) -> None:
        """The link comes back."""
        self.up()
        ground.settle("up0")
        self.now = self.listing()

    def teardown(self) -> None:
        """All that was ours goes, and only that: without what somebody else made, all is as at the beginning."""
        if hasattr(self, "start"):
            answer = self.ask(state="absent", persist=str(BATCH))
            assert not answer.failed, answer.sentence
            for line in TIDY:
                ground.attempt(line)
            self.up()
            ground.settle("up0")
            require_same(self.start, self.listing(), "after all is gone, there is left")


def _hop(cidr: str, addresses: list[str]) -> str:
    return next(address for address in addresses if (":" in address) == (":" in cidr))


def _device_to(hop: str, device: t.Optional[str]) -> t.Optional[str]:
    """The link that an address is on, or none, as the kernel says."""
    scoped = ["oif", device] if device and hop.startswith("fe80:") else []
    done = subprocess.run(["ip", "-json", "route", "get", hop, *scoped], capture_output=True, text=True, check=False)
    way = json.loads(done.stdout or "[{}]")[0]
    near = way.get("type", "unicast") == "unicast" and "gateway" not in way and (scoped or not hop.startswith("fe80:"))
    return way.get("dev") if done.returncode == 0 and near and device in (None, way.get("dev")) else None


TestClusters = Clusters.TestCase
