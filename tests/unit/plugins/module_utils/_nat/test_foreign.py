# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose rules would harm pods, in listings of the real tools (listings/, nft 1.0.6 and iptables 1.8.9)."""

from __future__ import annotations

import ipaddress
import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _iptables
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import (
    foreign,
    iptables,
    iptables_save,
    nft_json,
    nftables,
    ruleset,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.packets import (
    ALL,
    NONE,
    SOME,
    Hook,
    Match,
    Rule,
    Traffic,
)

LISTINGS = Path(__file__).parent / "listings"
RULES = ruleset.build(
    ["10.12.1.0/24", "fd00:12:0:1::/64"], ["10.12.0.0/16", "fd00:12::/48", "192.0.2.0/24"], "br1", True
)
KUBENET = (
    '-A POSTROUTING ! -d 10.0.0.0/8 -m comment --comment "kubenet: SNAT for outbound traffic from cluster"'
    " -m addrtype ! --dst-type LOCAL -j MASQUERADE"
)
TOOL = _iptables.Tool(4, "nft", "iptables-nft", "iptables-nft-save", "iptables-nft-restore")


def reports(
    saved: str = "", ruleset_file: str = "", rules: ruleset.RuleSet = RULES, forward: str | None = None
) -> list[dict[str, str]]:
    listing = _iptables.parse((LISTINGS / saved).read_text(encoding="utf-8")) if saved else {}
    items = json.loads((LISTINGS / ruleset_file).read_text(encoding="utf-8"))["nftables"] if ruleset_file else []
    seen = foreign.Seen(items, {TOOL: iptables.with_forward(listing, forward)})
    return foreign.find(rules, seen, no_texts)


def no_texts(family: str, table: str, chain: str) -> dict[int, str]:
    return {}


def of(found: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(report["where"], report["rule"]) for report in found]


def test_kube_proxy_docker_libvirt_and_portmap_do_no_harm() -> None:
    assert reports("harmless.txt", "harmless.json") == []
    assert reports("", "nft_harmless.json") == []


def test_a_network_with_ip_masq_is_reported_once() -> None:
    (report,) = reports("cni_ipmasq.txt")
    assert report["where"] == "iptables-nft nat POSTROUTING"
    assert report["rule"].startswith("-A CNI-621f24d0435e46fc710d4903 ! -d 224.0.0.0/4 ")
    assert report["rule"].endswith(" (and 1 more like it)")
    assert report["remedy"].startswith("set ipMasq to false")


def test_ip_masq_of_another_node_is_not() -> None:
    assert reports("cni_ipmasq.txt", rules=ruleset.build(["10.12.10.0/24"], [], "br10", True)) == []


def test_masquerades_and_drops_of_iptables() -> None:
    found = reports("harmful.txt")
    assert of(found) == [
        ("iptables-nft nat POSTROUTING", rule)
        for rule in (
            KUBENET,
            "-A POSTROUTING -s 10.12.0.0/16 -o eth0 -j SNAT --to-source 192.0.2.11",
            "-A IP-MASQ-AGENT -j MASQUERADE",
        )
    ] + [
        ("iptables-nft filter FORWARD", "-A FORWARD -s 10.12.1.128/25 -p tcp -j DROP"),
        ("iptables-nft filter FORWARD", "-A FORWARD -j REJECT --reject-with icmp-host-prohibited"),
    ]
    assert found[1]["remedy"] == (
        "remove it: iptables-nft -t nat -D POSTROUTING -s 10.12.0.0/16 -o eth0 -j SNAT --to-source 192.0.2.11"
    )
    assert found[4]["remedy"] == (
        "accept pods before it: iptables-nft -I FORWARD -s 10.12.1.0/24 -j ACCEPT"
        " && iptables-nft -I FORWARD -d 10.12.1.0/24 -j ACCEPT"
    )
    assert foreign.sentence(found[2]) == (
        "iptables-nft nat POSTROUTING: '-A IP-MASQ-AGENT -j MASQUERADE' would masquerade pod traffic;"
        " remove it: iptables-nft -t nat -D IP-MASQ-AGENT -j MASQUERADE"
    )


def test_where_our_chain_comes_first_nothing_drops() -> None:
    assert [report["effect"] for report in reports("harmful.txt", forward=iptables.forward_text(RULES, 4))] == [
        "masquerade"
    ] * 3


def test_what_check_mode_plans_is_looked_at_and_not_what_is_there() -> None:
    """Found by the proof of masquerade: check mode warned of a policy that the new chain would be proof against."""
    others = ruleset.build(["10.12.10.0/24"], [], None, True)
    listing = iptables.with_forward(
        _iptables.parse("*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"), iptables.forward_text(RULES, 4)
    )
    for planned, harm in ((iptables.forward_text(RULES, 4), 1), (iptables.forward_text(others, 4), 0), (None, 1)):
        seen = foreign.Seen([], {TOOL: iptables.with_forward(listing, planned)})
        assert len(foreign.find(others, seen, no_texts)) == harm
    assert iptables.with_forward(listing, iptables.forward_text(RULES, 4)) == listing


@pytest.mark.parametrize(("bridge", "found"), [("br1", 0), ("br10", 1), (None, 1)])
def test_a_policy_is_no_harm_where_the_bridge_is_accepted(bridge: str | None, found: int) -> None:
    rules = ruleset.build(["10.12.1.0/24"], [], bridge, True)
    assert (
        of(reports("policy_drop_accepted.txt", rules=rules)) == [("iptables-nft filter FORWARD", "policy DROP")] * found
    )


def test_masquerades_and_drops_of_other_nft_tables() -> None:
    found = {report["where"]: report for report in reports("", "nft_harmful.json")}
    assert list(found) == [
        "nft ip nat postrouting",
        "nft inet podnet10 postrouting",
        "nft inet cni_plugins_masquerade masq_checks",
        "nft inet guard forward",
        "nft inet firewalld filter_FORWARD",
        "nft inet guard more",
    ]
    assert found["nft ip nat postrouting"]["remedy"].startswith("remove it: nft delete rule ip nat postrouting handle ")
    assert found["nft inet cni_plugins_masquerade masq_checks"]["rule"].endswith("(and 1 more like it)")
    inserts = [
        f"nft insert rule inet guard forward {match} accept"
        for match in (
            "ip saddr 10.12.1.0/24",
            "ip daddr 10.12.1.0/24",
            "ip6 saddr fd00:12:0:1::/64",
            "ip6 daddr fd00:12:0:1::/64",
        )
    ]
    assert found["nft inet guard forward"]["rule"] == "policy drop"
    assert found["nft inet guard forward"]["remedy"] == "accept pods before it: " + " && ".join(inserts)
    assert "firewall-cmd --permanent --zone=trusted" in found["nft inet firewalld filter_FORWARD"]["remedy"]


@pytest.mark.parametrize(
    ("table", "remedy"),
    [
        ("firewalld", "firewalld makes its table anew, so tell it: firewall-cmd --permanent --zone=ZONE --remove-masq"),
        ("firewalld1", "remove it: nft delete rule inet firewalld1 nat_POST_public_allow handle 190"),
    ],
)
def test_a_rule_of_firewalld_would_come_back(table: str, remedy: str) -> None:
    place = foreign.Place(None, ("inet", table), 4, "nat", Hook("nat_POSTROUTING", "accept", lambda _chain: []))
    trouble = foreign.Trouble(place, "nat_POST_public_allow", Rule("nat", handle=190), [])
    assert foreign._nft_remedy(trouble).startswith(remedy)


def test_the_text_of_an_nft_rule_is_looked_up() -> None:
    items = json.loads((LISTINGS / "nft_harmful.json").read_text(encoding="utf-8"))["nftables"]
    handle = next(item["rule"]["handle"] for item in items if item.get("rule", {}).get("table") == "nat")
    texts = {("ip", "nat", "postrouting"): {handle: 'oifname "eth0" masquerade'}}
    found = foreign.find(RULES, foreign.Seen(items, {}), lambda *place: texts.get(place, {}))
    assert found[0]["rule"] == 'oifname "eth0" masquerade'


NET = ipaddress.ip_network
POD = Traffic(NET("10.12.1.0/24"), (NET("10.12.0.0/16"),), "br1", "drop")
TO_POD = Traffic(NET("10.12.1.0/24"), (NET("10.12.0.0/16"),), "br1", "drop", outgoing=False)
NAT = Traffic(NET("10.12.1.0/24"), (NET("10.12.0.0/16"),), "br1", "nat")


@pytest.mark.parametrize(
    ("traffic", "line", "share"),
    [
        (POD, "-A F -s 10.12.1.0/24 -j DROP", ALL),
        (POD, "-A F -s 10.12.0.0/16 -j DROP", ALL),
        (POD, "-A F -s 10.12.1.4/32 -j DROP", SOME),
        (POD, "-A F -s 10.12.10.0/24 -j DROP", NONE),
        (POD, "-A F ! -s 10.12.10.0/24 -j DROP", ALL),
        (POD, "-A F ! -s 10.12.0.0/16 -j DROP", NONE),
        (POD, "-A F -d 10.12.2.0/24 -j DROP", SOME),
        (POD, "-A F -d 169.254.169.254/32 -j DROP", NONE),
        (POD, "-A F ! -d 10.0.0.0/8 -j DROP", SOME),
        (POD, "-A F ! -d 172.16.0.0/12 -j DROP", ALL),
        (POD, "-A F -i br1 -j DROP", ALL),
        (POD, "-A F -i br+ -j DROP", ALL),
        (POD, "-A F -i br10 -j DROP", NONE),
        (POD, "-A F ! -i br10 -j DROP", ALL),
        (POD, "-A F ! -i br1 -j DROP", NONE),
        (POD, "-A F -o docker0 -j DROP", NONE),
        (POD, "-A F ! -o docker0 -j DROP", ALL),
        (NAT, "-A P -o eth0 -j MASQUERADE", SOME),
        (TO_POD, "-A F -o br1 -j DROP", ALL),
        (TO_POD, "-A F -o br10 -j DROP", NONE),
        (TO_POD, "-A F -i eth0 -j DROP", NONE),
        (TO_POD, "-A F -d 10.12.1.0/24 -j DROP", ALL),
        (POD, "-A F -p tcp -j DROP", SOME),
        (POD, "-A F -p icmp -j DROP", NONE),
        (POD, "-A F -p tcp -m tcp --dport 25 -j DROP", NONE),
        (POD, "-A F -m conntrack --ctstate INVALID -j DROP", NONE),
        (POD, "-A F -m conntrack --ctstate NEW,RELATED -j DROP", ALL),
        (POD, "-A F -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP", ALL),
        (POD, "-A F -m mark --mark 0x4000/0x4000 -j DROP", NONE),
        (POD, "-A F -m mark ! --mark 0x4000/0x4000 -j DROP", ALL),
        (POD, "-A F -m mark --mark 0x0 -j DROP", ALL),
        (POD, "-A F -m addrtype --dst-type LOCAL -j DROP", NONE),
        (POD, "-A F -m addrtype ! --dst-type LOCAL -j DROP", ALL),
        (POD, "-A F -m set --match-set pods src -j DROP", NONE),
        (POD, '-A F -m comment --comment "-s 10.9.0.0/16 ! -d \\"x\\"" -j DROP', ALL),
        (POD, "-A F -s 10.12.1.0/255.255.255.1 -j DROP", NONE),
        (POD, "-A F -m limit --limit 5/sec -j DROP", NONE),
    ],
)
def test_how_much_of_the_traffic_a_rule_takes(traffic: Traffic, line: str, share: int) -> None:
    rule = iptables_save.rule(line)
    assert (rule.verdict, traffic.share(rule)) == ("nat" if "MASQ" in line else "drop", share)


@pytest.mark.parametrize(
    ("line", "verdict", "target"),
    [
        ("-A F -j CNI-FORWARD", "jump", "CNI-FORWARD"),
        ("-A F -g CNI-FORWARD", "goto", "CNI-FORWARD"),
        ("-A F -p tcp -j REJECT --reject-with tcp-reset", "drop", "REJECT"),
        ('-A F -m comment --comment "-j ACCEPT" -j RETURN', "return", "RETURN"),
        ("-A F -m comment --comment -j -j RETURN", "return", "RETURN"),
        ('-A F -j LOG --log-prefix "-j DROP "', "jump", "LOG"),
        ("-A F -s 10.0.0.0/8", "none", ""),
    ],
)
def test_what_a_rule_does(line: str, verdict: str, target: str) -> None:
    rule = iptables_save.rule(line)
    assert (rule.verdict, rule.target) == (verdict, target)


def test_an_ipv4_match_is_not_for_ipv6_not_even_negated() -> None:
    traffic = Traffic(NET("fd00:12::/64"), (), None, "drop")
    match = Match("source", (NET("10.0.0.0/8"),), negated=True)
    assert traffic.share(Rule("drop", matches=(match,))) == NONE


def test_chains_that_call_each_other_end() -> None:
    text = "*filter\n:FORWARD DROP [0:0]\n:A - [0:0]\n:B - [0:0]\n-A FORWARD -j A\n-A A -j B\n-A B -g A\nCOMMIT\n"
    seen = foreign.Seen([], {TOOL: _iptables.parse(text)})
    found: t.Any = foreign.find(RULES, seen, no_texts)
    assert of(found) == [("iptables-nft filter FORWARD", "policy DROP")]


def test_what_iptables_would_not_list_matches_nothing() -> None:
    for line in ("-A F -j", "-A F --comment", "-A F -m mark --mark x/y -j DROP", f"-A F --mark 0x{'f' * 5000} -j DROP"):
        found = iptables_save.rule(line)
        assert found.verdict in ("drop", "jump", "none")
    assert iptables_save.rule("-A F -m mark --mark 08 -j DROP").matches == (Match("other"),)


@pytest.mark.parametrize(
    "item",
    [
        {"chain": None},
        {"chain": {"family": "ip", "table": [], "name": "c"}},
        {"set": {"family": "ip", "table": "t", "name": "s", "elem": 7}},
        {"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 1}},
        {"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 1, "expr": [{}]}},
        {"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 1, "expr": [{"jump": {"target": [1]}}]}},
        {"metainfo": "1.0"},
        {"table": 7},
    ],
)
def test_what_another_nft_lists_is_passed_over(item: dict[str, t.Any]) -> None:
    base = {"family": "ip", "table": "t", "name": "c", "hook": "postrouting", "type": "nat"}
    seen = foreign.Seen(nft_json.parse(json.dumps({"nftables": [item, {"chain": base}]})), {})
    assert foreign.find(RULES, seen, no_texts) == []
    assert nftables.version(seen.ruleset) == ()
    assert not nftables.has_table(seen.ruleset)
    assert nftables.has_chain(seen.ruleset, "ip", "t", "c")
    assert not nftables.has_chain(seen.ruleset, "ip", "t", "c1")


def test_an_interface_that_is_a_number_is_none_of_ours() -> None:
    match = {"match": {"op": "==", "left": {"meta": {"key": "oifname"}}, "right": 7}}
    rule = {"family": "ip", "table": "t", "chain": "c", "handle": 1, "expr": [match, {"masquerade": None}]}
    base = {"family": "ip", "table": "t", "name": "c", "hook": "postrouting", "type": "nat"}
    assert foreign.find(RULES, foreign.Seen([{"chain": base}, {"rule": rule}], {}), no_texts) == []
