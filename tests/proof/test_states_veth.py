# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module veth: random pairs into the namespaces of pods, where others have links, too."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from pathlib import Path

import ground
import hypothesis.strategies as st
import listings
from converging import Converging, require_same
from hypothesis import given, settings
from hypothesis.stateful import initialize, precondition, rule

OURS = ("v1", "v2")
PODS = ("pod1", "pod10")
PEERS = ("eth0", "eth01")

addresses = st.lists(
    st.sampled_from(["10.12.1.5/24", "10.12.1.6/24", "10.13.0.1/32", "fd12::5/64", "fd13::1/128", "fe80::5/64"]),
    max_size=2,
    unique=True,
)
dsts = st.sampled_from(["0.0.0.0/0", "10.99.0.0/16", "10.12.1.1/32", "10.12.1.0/24", "::/0", "fd99::/64"])
gateways = st.sampled_from([None, None, "10.12.1.1", "10.13.0.9", "fd12::1"])
routes = st.lists(st.builds(lambda dst, via: {"dst": dst, "via": via}, dsts, gateways), max_size=2)
pairs = st.fixed_dictionaries(
    {"name": st.sampled_from(OURS), "netns": st.sampled_from([*PODS, *PODS, "/run/netns/pod1", "nosuch"])},
    optional={
        "peer": st.sampled_from(PEERS),
        "bridge": st.sampled_from(["br1", "br10", "v10", "nosuch"]),
        "addresses": addresses,
        "routes": routes,
        "mtu": st.sampled_from([1280, 1450, 9000]),
    },
)
wanted = st.lists(pairs, min_size=1, max_size=2)
#: Most pods have an address, and a way out through a gateway beside it.
plain = st.lists(
    st.builds(
        lambda pair, last: {
            **pair,
            "netns": PODS[last % 2],
            "addresses": [f"10.12.1.{last}/24"],
            "routes": [{"dst": "0.0.0.0/0", "via": "10.12.1.1"}],
            "bridge": "br1",
        },
        pairs,
        st.integers(2, 5),
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda pair: pair["name"],
)

DISTURBANCES = [
    "link set v1 mtu 1300",
    "link set v1 down",
    "link set v1 nomaster",
    "link set v1 master br10",
    "link set v1 alias somebody-elses",
    "link delete v2",
    "-netns pod1 link set eth0 down",
    "-netns pod1 link set eth0 mtu 1300",
    "-netns pod1 address add 10.12.1.77/24 dev eth0",
    "-netns pod1 address flush dev eth0",
    "-netns pod1 route add 10.77.0.0/16 dev eth0",
    "-netns pod1 route add 10.78.0.0/16 dev lo",
    "-netns pod1 link set eth0 name eth01",
    "-netns pod10 link set eth0 netns pod1",
    "-netns pod10 route flush dev eth0",
    "link set v1 name v10",
]
#: What takes away all that `DISTURBANCES` and `plant` leave, once ours is gone; a pair goes with either of its ends.
TIDY = [
    *[f"link delete {name}" for name in (*OURS, "v10")],
    *[f"-netns {pod} link delete {peer}" for pod in PODS for peer in PEERS],
    "-netns pod1 route delete 10.78.0.0/16 dev lo",
]


class Pairs(Converging):
    """Two pairs of ours."""

    module = "veth"
    only_for_real = re.compile(r"(netns|bridge): \S+ is not (there|a bridge)")

    def listing(self) -> listings.Listing:
        found = listings.network()
        for pod in PODS:
            found.update(listings.network(pod))
        return found

    def is_ours(self, name: str, params: dict[str, t.Any]) -> bool:
        pod, _colon, name = name.rpartition(": ")
        link = re.search(r"(?:^link | on | dev )(\S+)", name)
        if link is None:
            return False
        return link[1] in (self.peers[pod] if pod else self.names)

    def require_made(self, params: dict[str, t.Any], before: listings.Listing, after: listings.Listing) -> None:
        for pair in params["pairs"]:
            link, was = after.get(f"link {pair['name']}"), before.get(f"link {pair['name']}")
            if params.get("state") != "absent":
                _require_pair(pair, after)
            elif was and (was["kind"], was.get("ifalias")) == ("veth", "podnet"):
                assert link is None, f"{pair['name']} is still there"

    def look(self) -> None:
        """Learn which links are ours: those with our alias, and what is at their other ends."""
        self.now = self.listing()
        own = [name for name in OURS if self.now.get(f"link {name}", {"ifalias": "podnet"}).get("ifalias") == "podnet"]
        self.names = own
        foreign = {
            pod: {peer for peer in PEERS if f"{pod}: link {peer}" in self.now and not self._is_peer(pod, peer)}
            for pod in PODS
        }
        self.peers = {pod: set(PEERS) - foreign[pod] for pod in PODS}

    def _is_peer(self, pod: str, peer: str) -> bool:
        """Whether a link in a pod is the other end of one of ours."""
        end = self.now[f"{pod}: link {peer}"]
        numbers = {self.now[f"link {name}"]["ifindex"] for name in self.names if f"link {name}" in self.now}
        return end["kind"] == "veth" and "link_netnsid" in end and end.get("link_index") in numbers

    @initialize()
    def begin(self) -> None:
        """A node with two bridges, and pods."""
        ground.new_node()
        for pod in PODS:
            listings.run("ip", "netns", "add", pod)
            ground.batch("link set lo up", netns=pod)
        ground.batch(
            # A bridge takes its MAC address and its MTU from its ports, unless it has its own.
            *[f"link add {name} address 0a:58:00:00:00:01 type bridge" for name in ("br1", "br10")],
            *[f"link set {name} up mtu 1400" for name in ("br1", "br10")],
        )
        self.look()
        self.start = self.now

    @rule(pairs=wanted)
    def make(self, pairs: list[dict[str, t.Any]]) -> None:
        """Somebody asks for pairs."""
        self.ask(pairs=pairs)
        self.look()

    @rule(pairs=plain)
    def make_plain(self, pairs: list[dict[str, t.Any]]) -> None:
        """Somebody asks for pairs as pods have them."""
        self.ask(pairs=pairs)
        self.look()

    @precondition(lambda self: any(f"link {name}" in self.now for name in OURS))
    @rule(names=st.lists(st.sampled_from(OURS), min_size=1, unique=True))
    def remove(self, names: list[str]) -> None:
        """Somebody asks for no pairs."""
        self.ask(state="absent", pairs=[{"name": name} for name in names])
        self.look()

    @precondition(lambda self: any(f"link {name}" in self.now for name in OURS))
    @rule(disturbance=st.sampled_from(DISTURBANCES))
    def disturb(self, disturbance: str) -> None:
        """Somebody else changes something."""
        ground.attempt(disturbance)
        self.look()

    @rule(
        line=st.sampled_from(
            [
                "link add v1 type bridge",
                "link add v2 type veth peer name v10",
                "link add v10 type veth peer name eth01 netns pod1",
                "-netns pod10 link add eth0 type bridge",
            ]
        )
    )
    def plant(self, line: str) -> None:
        """Somebody else makes a link that has the name of one of ours, or of a peer."""
        ground.attempt(line)
        self.look()

    def teardown(self) -> None:
        """All that was ours goes, and only that: without what somebody planted, all is as at the beginning."""
        if not hasattr(self, "start"):
            return
        renamed = self.now.get("link v10", {}).get("ifalias") == "podnet"
        answer = self.ask(state="absent", pairs=[{"name": name} for name in OURS])
        assert not answer.failed, answer.sentence
        self.look()
        links = {name: value for name, value in self.now.items() if "link " in name and value["kind"] == "veth"}
        left = [name for name, link in links.items() if link.get("ifalias") == "podnet"]
        # One that somebody renamed has our alias, but no name that is ours.
        assert left in ([], ["link v10"] if renamed else []), f"there still is {left}"
        for line in TIDY:
            ground.attempt(line)
        require_same(self.start, self.listing(), "after all is gone, there is left")


def _require_pair(pair: dict[str, t.Any], listing: listings.Listing) -> None:
    """Require both ends of a pair, and all that is asked for of them."""
    pod, peer = Path(pair["netns"]).name, pair.get("peer", "eth0")
    host, end = listing.get(f"link {pair['name']}"), listing.get(f"{pod}: link {peer}")
    assert host is not None, f"there is no {pair['name']}"
    assert end is not None, f"there is no {peer} in {pod}"
    assert (host["kind"], host.get("ifalias"), end["kind"]) == ("veth", "podnet", "veth")
    assert (host["link_index"], end["link_index"]) == (end["ifindex"], host["ifindex"]), "these are not one pair's ends"
    assert {"link_netnsid"} <= host.keys() & end.keys(), "both ends are in the same namespace"
    assert (host["up"], end["up"]) == (True, True), "an end is down"
    assert "bridge" not in pair or host.get("master") == pair["bridge"], host
    assert "mtu" not in pair or host["mtu"] == end["mtu"] == pair["mtu"], (host["mtu"], end["mtu"])
    names = [re.fullmatch(rf"{pod}: address (\S+) on {peer}", name) for name in listing]
    found = {ipaddress.ip_interface(name[1]) for name in names if name}
    given = {ipaddress.ip_interface(each) for each in pair.get("addresses", ())}
    assert {each for each in found if not each.is_link_local} == given
    asked = {(ipaddress.ip_network(way["dst"]), way.get("via")) for way in pair.get("routes", ())}
    assert set(_ways(listing, pod, peer)) == asked


def _ways(listing: listings.Listing, pod: str, peer: str) -> t.Iterator[tuple[t.Any, t.Optional[str]]]:
    """What leads out by a link, and through which gateway, but for what the kernel makes of addresses."""
    for name, route in listing.items():
        if name.startswith(f"{pod}: route -") and route.get("dev") == peer and route.get("protocol") != "kernel":
            every = "::/0" if " -6 " in name else "0.0.0.0/0"
            dst = every if route["dst"] == "default" else route["dst"]
            yield ipaddress.ip_network(dst), route.get("gateway")


TestPairs = Pairs.TestCase


FLUSHED = {
    "name": "v2",
    "netns": "pod10",
    "addresses": ["10.12.1.3/24"],
    "routes": [{"dst": "0.0.0.0/0", "via": "10.12.1.1"}],
    "bridge": "br1",
}


@given(st.just([FLUSHED]))
@settings(max_examples=1)
def test_the_route_that_the_kernel_made_with_an_address_is_flushed(pairs: list[dict[str, t.Any]]) -> None:
    """Found by a soak: no route through a gateway could be made any more, which check mode did not tell."""
    state = Pairs()
    state.begin()
    assert state.ask(pairs=pairs).changed
    ground.attempt("-netns pod10 route flush dev eth0")
    assert state.ask(pairs=pairs).changed
    state.look()
    state.teardown()
