# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module bridge: random bridges among the links of others."""

from __future__ import annotations

import ipaddress
import re
import typing as t

import ground
import hypothesis.strategies as st
import listings
from calls import Answer
from converging import Converging, require_same
from hypothesis.stateful import initialize, precondition, rule

OURS = "br1"
#: Names that contain ours, or are contained in it.
OTHERS = ("br10", "br", "xbr1")
CABLES = ("v1", "v10")
UPLINK = "up0"
BATCH = ground.PLACE / "bridge"

addresses_v4 = st.sampled_from(["10.12.1.1/24", "10.12.1.2/24", "10.12.2.1/25", "10.12.1.7/32"])
addresses_v6 = st.sampled_from(["fd12::1/64", "fd12::2/64", "fd12:0:0:1::1/120", "fe80::1/64"])
macs = st.sampled_from(["0a:58:0a:0c:01:01", "0A:58:00:00:00:02", "02:00:00:00:00:01"])
flags = st.sampled_from([None, True, False])

wanted = st.fixed_dictionaries(
    {"name": st.just(OURS)},
    optional={
        "addresses": st.builds(
            lambda ipv4, ipv6: [*ipv4, *ipv6], st.lists(addresses_v4, max_size=1), st.lists(addresses_v6, max_size=2)
        ),
        "mac": macs,
        "mtu": st.sampled_from(["auto", "kernel", "1280", "1450", "9000", "68"]),
        "uplink": st.sampled_from([UPLINK, "br10", "nosuch"]),
        "ports": st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from([*CABLES, "nosuch"])}, optional={"hairpin": flags, "isolated": flags}
            ),
            max_size=2,
            unique_by=lambda port: port["name"],
        ),
        "stp": st.booleans(),
        "exclusive_addresses": st.booleans(),
        "persist": st.just(str(BATCH)),
    },
)


class Bridges(Converging):
    """One bridge of ours, and links of others beside it, in it, and in its place."""

    module = "bridge"
    #: The listing before the request.
    then: listings.Listing
    only_for_real = re.compile(r"^bridge\.ports\[\d\]\.name: nosuch is not there")

    def listing(self) -> listings.Listing:
        return {**listings.network(), **listings.files(ground.PLACE)}

    def is_ours(self, name: str, params: dict[str, t.Any]) -> bool:
        own = (f"link {OURS}", f"file {BATCH}", f"file {BATCH}.create")
        return name in own or name.endswith(f" on {OURS}") or f" dev {OURS} " in name

    def lasting(self, answer: Answer, params: dict[str, t.Any]) -> dict[str, t.Any]:
        """What the kernel chooses for an MTU is not foretold, nor the MAC of others' bridge by a new port."""
        found = super().lasting(answer, params)
        if "mac" not in params and found["bridge"] and not found["bridge"]["ours"] and self._plugs(params):
            found["bridge"] = {**found["bridge"], "mac": None}
        if params.get("mtu") == "kernel":
            found["bridge"] = {**found["bridge"], "mtu": None}
        return found

    def _plugs(self, params: dict[str, t.Any]) -> bool:
        """Whether a port was yet to be plugged in before the request."""
        return any(self.then.get(f"link {port['name']}", {}).get("master") != OURS for port in params.get("ports", ()))

    def ask(self, /, **params: t.Any) -> Answer:
        self.then = self.listing()
        return super().ask(**params)

    def foreign(self, listing: listings.Listing, params: dict[str, t.Any]) -> listings.Listing:
        """Links that are to be ports are plugged in, but stay what they are; so do those of others in our bridge."""
        ports = [f"link {port['name']}" for port in params.get("ports", ())]
        listing = {**listing}
        for port in ports:
            if port in listing:
                loose = {key: value for key, value in listing[port].items() if key not in ("master", "port")}
                listing[port] = loose
        return super().foreign(listing, params)

    def require_made(self, params: dict[str, t.Any], before: listings.Listing, after: listings.Listing) -> None:
        was, link = before.get(f"link {OURS}"), after.get(f"link {OURS}")
        ours = was is None or was.get("ifalias") == "podnet"
        if params.get("state") == "absent":
            left = [name for name in after if self.is_ours(name, params) and (ours or name.startswith("file "))]
            assert not left, f"there still is {left}"
            return
        assert link is not None, "there is no bridge"
        assert (link["kind"], link["up"], link.get("ifalias") == "podnet") == ("bridge", True, ours), link
        given = [str(ipaddress.ip_interface(each)) for each in params.get("addresses", ())]
        _require_addresses(params, given, _addresses(before), _addresses(after))
        _require_attributes(params, given, was, link, before)
        for port in params.get("ports", ()):
            _require_port(port, before[f"link {port['name']}"], after[f"link {port['name']}"])
        if "persist" in params:
            assert f"file {BATCH}" in after, "there is no file"
            words = after[f"file {BATCH}"][3].decode().split()
            assert {OURS, *given} <= {*words}, f"not all is in the file: {words}"
            assert (f"file {BATCH}.create" in after) == ours

    def require_foretold(self, params: dict[str, t.Any], foretold: Answer, after: listings.Listing) -> None:
        """Both of what check mode returns, and of what its diff says, as far as it says something."""
        link, bridge = after.get(f"link {OURS}"), foretold.result["bridge"]
        assert (bridge is None) == (link is None or params.get("state") == "absent")
        if link is None or bridge is None:
            return
        there = {"mac": link["address"], "mtu": link["mtu"], "stp": bool(link["stp_state"]), "up": link["up"]}
        objects = [part["after"] for part in foretold.result["diff"] if isinstance(part["after"], dict)]
        planned = {name: value for part in objects for name, value in part.items()}
        for said in (bridge, planned.get(f"bridge {OURS}", {})):
            wrong = {key: value for key, value in said.items() if key in there and value not in (None, there[key])}
            assert not wrong, f"check mode foretold {wrong}, and there is {there}"
        assert {*bridge["addresses"]} <= _addresses(after)
        for name in planned:
            assert not name.startswith("address ") or name in after, f"check mode foretold {name}"

    @initialize(default_route=st.booleans())
    def begin(self, default_route: bool) -> None:
        """A node with an uplink, bridges of others and cables."""
        ground.new_node()
        ground.batch(
            f"link add {UPLINK} mtu 1450 type veth peer name up1",
            f"address add 192.0.2.11/24 dev {UPLINK}",
            f"link set {UPLINK} up",
            "link set up1 up",
            *[f"link add name {name} type bridge" for name in OTHERS],
            f"address add 10.99.0.1/24 dev {OTHERS[0]}",
            f"link set {OTHERS[0]} up mtu 1400",
            *[f"link add {name} type veth peer name {name}p" for name in CABLES],
            *(["route add default via 192.0.2.254"] if default_route else []),
        )
        self.start = self.now = self.listing()

    @rule(params=wanted)
    def make(self, params: dict[str, t.Any]) -> None:
        """Somebody asks for a bridge."""
        self.ask(**params)

    @precondition(lambda self: f"link {OURS}" in self.now)
    @rule(exclusive=st.booleans())
    def remove(self, exclusive: bool) -> None:
        """Somebody asks for no bridge."""
        self.ask(name=OURS, state="absent", exclusive_addresses=exclusive, persist=str(BATCH))

    @precondition(lambda self: f"link {OURS}" in self.now)
    @rule(
        disturbance=st.sampled_from(
            [
                f"link set {OURS} mtu 1300",
                f"link set {OURS} down",
                f"link set {OURS} address 0a:00:00:00:00:77",
                f"link set {OURS} type bridge stp_state 1",
                f"address replace 10.77.0.1/24 dev {OURS}",
                f"address replace 10.12.1.77/24 dev {OURS}",
                f"address flush dev {OURS}",
                f"link set v1 master {OURS}",
                f"link set v10 master {OURS}",
                "link set v1 type bridge_slave hairpin on isolated on",
                "link set v1 nomaster",
                "link set v10 nomaster",
                f"link set {OURS} alias somebody-elses",
            ]
        )
    )
    def disturb(self, disturbance: str) -> None:
        """Somebody else changes what is there; nothing may be."""
        if "hairpin" not in disturbance or "port" in self.now["link v1"]:
            ground.batch(disturbance)
            self.now = self.listing()

    @precondition(lambda self: f"link {OURS}" not in self.now)
    @rule()
    def plant(self) -> None:
        """Somebody else makes the bridge before us."""
        ground.batch(f"link add {OURS} type bridge", f"address add 10.66.0.1/24 dev {OURS}")
        self.now = self.listing()

    def teardown(self) -> None:
        """All that was ours goes, and the node is as it was."""
        if not hasattr(self, "start"):
            return
        for cable in CABLES:
            ground.batch(f"link set {cable} nomaster")
        ours = f"link {OURS}" not in self.now or self.now[f"link {OURS}"].get("ifalias") == "podnet"
        answer: Answer = self.ask(name=OURS, state="absent", persist=str(BATCH))
        assert not answer.failed, answer.sentence
        if ours:
            require_same(self.start, self.now, "after all is gone, there is left")


def _addresses(listing: listings.Listing) -> set[str]:
    """The bridge's addresses, but those of the kernel."""
    found = [name.split()[1] for name in listing if name.startswith("address ") and name.endswith(f" on {OURS}")]
    return {address for address in found if not address.startswith("fe80:")}


def _require_addresses(params: dict[str, t.Any], given: list[str], before: set[str], after: set[str]) -> None:
    if params.get("exclusive_addresses"):
        assert after == {*given}
    else:
        # IPv6 addresses of others go when an MTU is too small for them.
        assert {*given} | {address for address in before if ":" not in address} <= after <= {*given} | before


def _require_attributes(
    params: dict[str, t.Any],
    given: list[str],
    was: t.Optional[dict[str, t.Any]],
    link: dict[str, t.Any],
    before: listings.Listing,
) -> None:
    mtu, mac, ipv4 = params.get("mtu", "auto"), params.get("mac"), [each for each in given if ":" not in each]
    if mtu == "auto":
        mtu = before[f"link {params.get('uplink', UPLINK)}"]["mtu"]
    if mtu != "kernel":
        assert link["mtu"] == int(mtu)
    if mac:
        assert link["address"] == mac.lower()
    elif link.get("ifalias") != "podnet":
        assert was is not None
        assert "ports" in params or link["address"] == was["address"], "others' bridge has another MAC address"
    else:
        tail = ipaddress.ip_interface(ipv4[0]).ip.packed.hex(":") if ipv4 else ""
        assert link["address"].startswith(f"0a:58:{tail}")
    assert link["stp_state"] == int(params.get("stp", was["stp_state"] if was else False))


def _require_port(port: dict[str, t.Any], was: dict[str, t.Any], link: dict[str, t.Any]) -> None:
    """A flag that nobody asked for stays as it is, which is off for a new port."""
    assert link.get("master") == OURS, f"{port['name']} is not plugged in"
    old = was.get("port", {})
    for flag in ("hairpin", "isolated"):
        asked = port.get(flag)
        assert link["port"][flag] == (old.get(flag, False) if asked is None else asked), f"{flag} of {port['name']}"


TestBridges = Bridges.TestCase
