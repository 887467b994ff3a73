# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module masquerade: both backends, among the tables and chains of others."""

from __future__ import annotations

import re
import subprocess
import typing as t

import ground
import hypothesis.strategies as st
import listings
from converging import Converging
from hypothesis.stateful import initialize, precondition, rule

from ansible_collections.mink8s.podnet.plugins.module_utils._nat.resource import HEADER

KEPT = ground.PLACE / "masquerade"
CHAIN = re.compile(r".* chain PODNET-(POSTROUTING|FORWARD)")
#: In nft's words, and in those of iptables.
JUMP = re.compile(r".* (jump|-j) PODNET-(POSTROUTING|FORWARD)")

sources = st.lists(
    st.sampled_from(["10.12.1.0/24", "10.12.10.0/24", "10.12.1.128/25", "fd12:0:0:1::/64"]),
    min_size=1,
    max_size=3,
    unique=True,
)
exclude = st.lists(
    st.sampled_from(
        ["10.12.0.0/16", "192.0.2.11", "10.12.1.0/24", "10.0.0.0/8", "fd12::/48", "2001:db8::1", "224.1.0.0/16"]
    ),
    max_size=4,
)
backends = st.sampled_from(["auto", "nftables", "iptables"])
wanted = st.fixed_dictionaries(
    {"sources": sources, "backend": backends},
    optional={
        "exclude": exclude,
        "bridge": st.sampled_from(["podnet0", "podnet", "br-1.5"]),
        "masquerade": st.booleans(),
        "random_fully": st.booleans(),
        "forward": st.booleans(),
        "persist": st.just(str(KEPT)),
    },
)
wrong = st.fixed_dictionaries(
    {
        "sources": st.lists(st.sampled_from(["10.12.1.0/24", "10.12.1.5/24", "0.0.0.0/0", "pods"]), max_size=2),
        "exclude": st.lists(st.sampled_from(["10.12.0.0/16", "node1", "::ffff:10.0.0.1"]), max_size=2),
        "bridge": st.sampled_from(["podnet0", 'b"r', "br+", "a-name-that-is-too-long"]),
        "persist": st.sampled_from([str(KEPT), str(KEPT.parent), "relative"]),
    }
)

#: What others have: an nftables script, or a line of one of the four iptables.
FOREIGN = [
    "table inet podnet2 {\n chain postrouting {\n type nat hook postrouting priority 50;\n masquerade\n }\n}",
    "table ip podnet {\n set pods_ipv4 {\n type ipv4_addr\n flags interval\n elements = { 10.12.1.0/24 }\n }\n}",
    "table ip6 podnet {\n chain postrouting {\n }\n}",
    "table inet filter {\n chain forward {\n type filter hook forward priority 0; policy drop;\n }\n}",
    "table ip nat {\n chain others {\n ip saddr 10.12.1.0/24 masquerade\n }\n}",
    "iptables-nft -t nat -A POSTROUTING -s 10.12.0.0/16 -j MASQUERADE",
    "iptables-legacy -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
    "iptables-nft -t nat -N PODNET-POSTROUTING2",
    "iptables-nft -t nat -A POSTROUTING -j PODNET-POSTROUTING2",
    "iptables-legacy -N PODNET-FORWARD2",
    "iptables-legacy -A FORWARD -j PODNET-FORWARD2",
    "iptables-nft -P FORWARD DROP",
    "iptables-legacy -P FORWARD DROP",
    "ip6tables-nft -P FORWARD DROP",
    "iptables-nft -P FORWARD ACCEPT",
    "iptables-legacy -P FORWARD ACCEPT",
    'iptables-nft -I FORWARD -m comment --comment "a -j PODNET-FORWARD of \\"others\\"" -j ACCEPT',
    "iptables-nft -A INPUT -p tcp --dport 22 -j ACCEPT",
]
#: What may happen to what is ours.
DISTURBANCES = [
    "nft flush chain inet podnet postrouting",
    "nft delete table inet podnet",
    "nft add element inet podnet not_masqueraded_ipv4 { 198.51.100.0/24 }",
    "nft add chain inet podnet others",
    "nft insert rule inet podnet postrouting return",
    "iptables-nft -t nat -F PODNET-POSTROUTING",
    "iptables-nft -t nat -A PODNET-POSTROUTING -j ACCEPT",
    "iptables-nft -t nat -A POSTROUTING -j PODNET-POSTROUTING",
    "iptables-nft -t nat -F POSTROUTING",
    "iptables-nft -F FORWARD",
    "iptables-legacy -I FORWARD -j PODNET-FORWARD",
    "iptables-legacy -N PODNET-FORWARD",
    "iptables-legacy -t nat -N PODNET-POSTROUTING",
    "ip6tables-nft -A PODNET-FORWARD -j DROP",
    f"truncate --size 40 {KEPT}",
    f"rm -f {KEPT}.forward {KEPT}.one-jump",
    f"cp /etc/hostname {KEPT}.forward",
]


class Rules(Converging):
    """Our rules, whichever way they are kept."""

    module = "masquerade"

    def listing(self) -> listings.Listing:
        return {**listings.packet_filter(), **listings.files(KEPT.parent)}

    def is_ours(self, name: str, params: dict[str, t.Any]) -> bool:
        return name == "table inet podnet" or bool(CHAIN.fullmatch(name)) or name.startswith(f"file {KEPT}")

    def foreign(self, listing: listings.Listing, params: dict[str, t.Any]) -> listings.Listing:
        """Chains of others stay as they are, but for the jumps to ours."""
        found = super().foreign(listing, params)
        for name, rules in found.items():
            if " chain " in name:
                found[name] = [line for line in rules if not JUMP.fullmatch(line)]
        return {name: rules for name, rules in found.items() if rules not in (["ACCEPT"], []) and not _idle(rules)}

    @initialize(lines=st.lists(st.sampled_from(FOREIGN), max_size=6, unique=True))
    def begin(self, lines: list[str]) -> None:
        """A node where others masquerade and filter."""
        ground.new_node()
        for line in lines:
            execute(line)
        self.now = self.listing()

    @rule(params=wanted)
    def make(self, params: dict[str, t.Any]) -> None:
        """Somebody asks for rules."""
        answer = self.ask(**params)
        if not answer.failed and params.get("masquerade", True) and params["backend"] != "auto":
            assert ("table inet podnet" in self.now) == (params["backend"] == "nftables")

    @rule(params=wrong)
    def mistake(self, params: dict[str, t.Any]) -> None:
        """Somebody asks for what may not be."""
        self.ask(**params)

    @rule()
    def remove(self) -> None:
        """Somebody asks for no rules."""
        self.ask(state="absent", persist=str(KEPT))

    @rule(line=st.sampled_from(FOREIGN))
    def plant(self, line: str) -> None:
        """Somebody else adds rules, or changes a policy."""
        execute(line)
        self.now = self.listing()

    @precondition(lambda self: any(self.is_ours(name, {}) for name in self.now))
    @rule(line=st.sampled_from(DISTURBANCES))
    def disturb(self, line: str) -> None:
        """Somebody else changes what is ours."""
        execute(line)
        self.now = self.listing()

    def teardown(self) -> None:
        """All that was ours goes, and only that."""
        if hasattr(self, "now"):
            # With this one, iptables-nft does not show us ours.
            execute("nft flush chain ip nat others; nft delete chain ip nat others")
            # What others have put in the place of our files, or cut so short that it cannot be told to be ours.
            for path in KEPT.parent.iterdir():
                if not path.read_text().startswith(HEADER):
                    path.unlink()
            answer = self.ask(state="absent", persist=str(KEPT))
            assert not answer.failed, answer.sentence
            left = [name for name in self.now if self.is_ours(name, {})]
            left += [name for name, rules in self.now.items() if " chain " in name and any(map(JUMP.fullmatch, rules))]
            assert not left


def _idle(rules: t.Any) -> bool:
    return isinstance(rules, list) and len(rules) == 1 and rules[0].endswith("policy accept;")


def execute(line: str) -> None:
    """Run a command, or load a script of nft; where there is nothing to change it may fail."""
    if line.startswith("table "):
        subprocess.run(["nft", "-f", "-"], input=line, text=True, capture_output=True, check=True)
    else:
        subprocess.run(["sh", "-c", line.replace("{ ", "'{ ").replace(" }", " }'")], capture_output=True, check=False)


TestRules = Rules.TestCase
