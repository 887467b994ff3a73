# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module masquerade: both backends, among the tables and chains of others."""

from __future__ import annotations

import ipaddress
import json
import re
import subprocess
import typing as t

import ground
import hypothesis.strategies as st
import listings
from converging import Converging, require_same
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


#: What leaves no link, and is never masqueraded.
NEVER = {4: ["224.0.0.0/4", "169.254.0.0/16"], 6: ["ff00::/8", "fe80::/10"]}
#: Every iptables, by its family and its flavour; the plain command is the first of the two, as on Debian.
TOOLS = {(4, "nft"): "iptables-nft", (6, "nft"): "ip6tables-nft"}
TOOLS.update({(4, "legacy"): "iptables-legacy", (6, "legacy"): "ip6tables-legacy"})
MARK = '-m mark --mark 0x4000/0x4000 -m comment --comment "kube-proxy masquerades these" -j RETURN'


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

    def require_made(self, params: dict[str, t.Any], before: listings.Listing, after: listings.Listing) -> None:
        masquerades = params.get("state") != "absent" and params.get("masquerade", True)
        backend = {"auto": "nftables"}.get(params.get("backend", "auto"), params.get("backend"))
        by_nft, by_iptables = masquerades and backend == "nftables", masquerades and backend == "iptables"
        assert ("table inet podnet" in after) == by_nft
        if by_nft:
            _require_table(params)
        dropped = False
        for (version, flavour), tool in TOOLS.items():
            sources = _collapsed(params.get("sources", ()), version)
            nat, filters = Saved(tool, "nat"), Saved(tool, "filter")
            wanted = _chain(params, version) if by_iptables and flavour == "nft" and sources else None
            nat.require("POSTROUTING", wanted)
            drops = bool(sources) and params.get("forward", True) and filters.policies.get("FORWARD") == "DROP"
            both = [f"{end} {source} -j ACCEPT" for source in sources for end in ("-s", "-d")]
            filters.require("FORWARD", both if drops else None)
            dropped |= drops
        if "persist" in params:
            suffixes = [""] * masquerades + [".one-jump"] * by_iptables
            suffixes += [".forward", ".forward.one-jump"] * dropped
            kept = {name for name in after if name.startswith(f"file {KEPT}")}
            assert kept == {f"file {KEPT}{suffix}" for suffix in suffixes}
            for name in kept - {f"file {KEPT}.one-jump", f"file {KEPT}.forward.one-jump"}:
                assert all(str(each) in after[name][3].decode() for each in _collapsed(params["sources"], 4))

    @initialize(lines=st.lists(st.sampled_from(FOREIGN), max_size=6, unique=True))
    def begin(self, lines: list[str]) -> None:
        """A node where others masquerade and filter."""
        ground.new_node()
        self.lines: list[str] = []
        for line in lines:
            self.execute(line)
        self.now = self.listing()

    @rule(params=wanted)
    def make(self, params: dict[str, t.Any]) -> None:
        """Somebody asks for rules."""
        self.ask(**params)

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
        self.execute(line)
        self.now = self.listing()

    @precondition(lambda self: any(self.is_ours(name, {}) for name in self.now))
    @rule(line=st.sampled_from(DISTURBANCES))
    def disturb(self, line: str) -> None:
        """Somebody else changes what is ours."""
        self.execute(line)
        self.now = self.listing()

    def teardown(self) -> None:
        """All that was ours goes, and only that: what is left is what the others have done, without us."""
        if hasattr(self, "now"):
            # With this one, iptables-nft does not show us ours.
            self.execute("nft flush chain ip nat others; nft delete chain ip nat others")
            # What others have put in the place of our files, or cut so short that it cannot be told to be ours.
            for path in KEPT.parent.iterdir():
                if not path.read_text().startswith(HEADER):
                    path.unlink()
            answer = self.ask(state="absent", persist=str(KEPT))
            assert not answer.failed, answer.sentence
            left = [name for name in self.now if self.is_ours(name, {})]
            left += [name for name, rules in self.now.items() if " chain " in name and any(map(JUMP.fullmatch, rules))]
            assert not left
            ground.new_node()
            for line in self.lines:
                execute(line)
            without_us = self.foreign(self.listing(), {})
            require_same(without_us, self.foreign(self.now, {}), "after all is gone, there is left")

    def execute(self, line: str) -> None:
        """Do something as somebody else, and remember it."""
        self.lines.append(line)
        execute(line)


class Saved:
    """A table as iptables-save lists it: policies, and the rules of each chain."""

    def __init__(self, tool: str, table: str) -> None:
        self.name = f"{tool} {table}"
        lines = listings.run(f"{tool}-save", "-t", table).splitlines()
        self.policies = dict(line[1:].split()[:2] for line in lines if line.startswith(":"))
        self.rules = [line[3:] for line in lines if line.startswith("-A ")]

    def require(self, hook: str, wanted: t.Optional[list[str]]) -> None:
        """Require our chain with its rules and one jump to it, or nothing of it."""
        ours = f"PODNET-{hook}"
        there = [rule.removeprefix(f"{ours} ") for rule in self.rules if rule.startswith(f"{ours} ")]
        assert (ours in self.policies) == (wanted is not None), f"{self.name} {ours}: {there}"
        assert there == (wanted or []), f"{self.name} {ours}: {there} instead of {wanted}"
        jumps = [rule for rule in self.rules if rule.endswith(f" -j {ours}")]
        assert len(jumps) == (wanted is not None), f"{self.name}: {jumps}"


def _collapsed(networks: t.Iterable[str], version: int) -> list[t.Any]:
    found = [ipaddress.ip_network(network) for network in networks if (":" in network) == (version == 6)]
    return list(ipaddress.collapse_addresses(found))


def _excluded(params: dict[str, t.Any], version: int) -> list[t.Any]:
    return _collapsed([*params["sources"], *params.get("exclude", ()), *NEVER[version]], version)


def _chain(params: dict[str, t.Any], version: int) -> list[str]:
    """What is to be in our chain of iptables."""
    how = " --random-fully" if params.get("random_fully", True) else ""
    return [
        MARK,
        *([f"-o {params['bridge']} -j RETURN"] if params.get("bridge") else []),
        "-m addrtype --dst-type LOCAL -j RETURN",
        *[f"-d {network} -j RETURN" for network in _excluded(params, version)],
        *[f"-s {source} -j MASQUERADE{how}" for source in _collapsed(params["sources"], version)],
    ]


def _require_table(params: dict[str, t.Any]) -> None:
    """Require the sets of our table, and one rule for each family and one for kube-proxy."""
    found = json.loads(listings.run("nft", "-j", "list", "table", "inet", "podnet"))["nftables"]
    sets = {each["set"]["name"]: {*map(_network, each["set"].get("elem", ()))} for each in found if "set" in each}
    versions = [version for version in (4, 6) if _collapsed(params["sources"], version)]
    expected = {f"pods_ipv{version}": {*_collapsed(params["sources"], version)} for version in versions}
    expected.update({f"not_masqueraded_ipv{version}": {*_excluded(params, version)} for version in versions})
    assert sets == expected
    chains = [each["chain"] for each in found if "chain" in each]
    assert [(chain["name"], chain.get("hook"), chain.get("type")) for chain in chains] == [
        ("postrouting", "postrouting", "nat")
    ]
    text = listings.run("nft", "-s", "list", "chain", "inet", "podnet", "postrouting")
    first, *rules = text.partition("accept;\n")[2].rstrip("\n\t }").replace("\t", "").split("\n")
    assert re.match(r"(meta )?mark & 0x0*4000 == 0x0*4000 return ", first), first
    assert len(rules) == len(versions), rules
    bridge = [f'oifname != "{params["bridge"]}"'] if params.get("bridge") else []
    how = ["fully-random"] if params.get("random_fully", True) else []
    for version, line in zip(versions, rules):
        ip = "ip6" if version == 6 else "ip"
        words = [f"{ip} saddr @pods_ipv{version}", f"{ip} daddr != @not_masqueraded_ipv{version}"]
        assert line == " ".join([*words, "fib daddr type != local", *bridge, "counter masquerade", *how]), line


def _network(element: t.Any) -> t.Any:
    prefix = element.get("prefix") if isinstance(element, dict) else {"addr": element, "len": None}
    assert prefix is not None, element
    return ipaddress.ip_network(prefix["addr"] if prefix["len"] is None else f"{prefix['addr']}/{prefix['len']}")


def _idle(rules: t.Any) -> bool:
    return isinstance(rules, list) and len(rules) == 1 and rules[0].endswith("policy accept;")


def execute(line: str) -> None:
    """Run a command, or load a script of nft; where there is nothing to change it may fail."""
    if line.startswith("table "):
        subprocess.run(["nft", "-f", "-"], input=line, text=True, capture_output=True, check=True)
    else:
        subprocess.run(["sh", "-c", line.replace("{ ", "'{ ").replace(" }", " }'")], capture_output=True, check=False)


TestRules = Rules.TestCase
