# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Docker's rules in listings of iptables-save; those of the real dockerd are in the integration target."""

from __future__ import annotations

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._docker import rules
from ansible_collections.mink8s.podnet.plugins.module_utils._iptables import parse

#: What Docker 20.10 makes for its default network.
DEFAULT = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
COMMIT
"""

SCRIPT = """\
*filter
-P FORWARD ACCEPT
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-D FORWARD -j DOCKER-USER
-D FORWARD -j DOCKER-ISOLATION-STAGE-1
-D FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-D FORWARD -o docker0 -j DOCKER
-D FORWARD -i docker0 ! -o docker0 -j ACCEPT
-D FORWARD -i docker0 -o docker0 -j ACCEPT
-X DOCKER
-X DOCKER-ISOLATION-STAGE-1
-X DOCKER-ISOLATION-STAGE-2
-X DOCKER-USER
COMMIT
*nat
:DOCKER - [0:0]
-D PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-D OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-D POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-X DOCKER
COMMIT
"""


def find(text: str) -> rules.Found:
    return rules.find(parse(text, rules.TABLES))


def with_rule(line: str, table: str = "filter") -> rules.Found:
    """Docker's default rules and one more."""
    start, end = DEFAULT.split(f"*{table}\n")
    head, tail = end.split("COMMIT", 1)
    return find(f"{start}*{table}\n{head}{line}\nCOMMIT{tail}")


def test_the_default_network() -> None:
    found = find(DEFAULT)
    assert rules.script(found, accept=True) == SCRIPT
    assert (found.drops, found.drops_for_others, found.kept, found.in_the_way) == (True, False, [], [])
    assert found.bridges == {"docker0"}
    assert "-P" not in rules.script(found, accept=False)


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("filter", "-A FORWARD -i docker01 ! -o docker01 -j ACCEPT"),
        ("filter", "-A FORWARD -i docker0 ! -o docker01 -j ACCEPT"),
        ("filter", "-A FORWARD -i docker+ -o docker+ -j ACCEPT"),
        ("filter", '-A FORWARD -i docker0 -o docker0 -m comment --comment "mine" -j ACCEPT'),
        ("filter", '-A FORWARD -m comment --comment "-j DOCKER-USER" -j ACCEPT'),
        ("filter", "-A FORWARD -s 192.0.2.0/24 -i docker0 ! -o docker0 -j ACCEPT"),
        ("filter", "-A FORWARD -i br-lan -o br-lan -j ACCEPT"),
        ("filter", "-A FORWARD -i br-0123456789abc -o br-0123456789abc -j ACCEPT"),
        ("filter", "-A INPUT -i docker0 -j ACCEPT"),
        ("filter", "-A FORWARD -j DOCKER10"),
        ("nat", "-A POSTROUTING -s 10.12.1.0/24 ! -o podnet0 -j MASQUERADE"),
        ("nat", "-A POSTROUTING -s 172.17.0.0/16 -o docker0 -j MASQUERADE"),
        ("nat", "-A POSTROUTING -s 172.18.0.2/32 -d 172.18.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE"),
        ("nat", "-A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.3/32 -p tcp -m tcp --dport 80 -j MASQUERADE"),
        ("nat", "-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT"),
    ],
)
def test_rules_of_others_stay(table: str, line: str) -> None:
    assert rules.script(with_rule(line, table), accept=True) == SCRIPT


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("filter", "-A FORWARD -i br-0123456789ab -o br-0123456789ab -j DROP"),
        ("filter", "-A FORWARD -m set --match-set docker-ext-bridges-v4 dst -j DOCKER"),
        ("nat", "-A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE"),
        ("nat", "-A POSTROUTING -s 172.18.0.0/16 ! -o br-0123456789ab -j SNAT --to-source 192.0.2.1"),
        ("nat", "-A POSTROUTING -o docker_gwbridge -m addrtype --src-type LOCAL -j MASQUERADE"),
    ],
)
def test_other_rules_of_docker_go(table: str, line: str) -> None:
    assert f"-D{line[2:]}\n" in rules.script(with_rule(line, table), accept=True)


def test_a_bridge_that_the_user_named_is_known_by_the_jump_about_it() -> None:
    lines = ["-A FORWARD -o br1 -j DOCKER", *(f"-A FORWARD -i {name} -o {name} -j ACCEPT" for name in ("br1", "br10"))]
    found = with_rule("\n".join(lines))
    script = rules.script(found, accept=True)
    assert found.bridges == {"docker0", "br1"}
    assert "-D FORWARD -i br1 -o br1 -j ACCEPT\n" in script
    assert "br10" not in script


def test_a_user_s_chain_stays_with_its_jump() -> None:
    for line in ("-A DOCKER-USER -s 192.0.2.0/24 -j DROP", "-A INPUT -j DOCKER-USER"):
        found = with_rule(line)
        assert found.kept == [line]
        assert "DOCKER-USER" not in rules.script(found, accept=True)
        assert "-X DOCKER\n" in rules.script(found, accept=True)


def test_a_jump_of_others_is_in_the_way() -> None:
    assert with_rule("-A INPUT -j DOCKER").in_the_way == [("filter", "-A INPUT -j DOCKER")]
    assert with_rule("-A INPUT -j DOCKER10").in_the_way == []
    assert with_rule("-A DOCKER-USER -j DOCKER").in_the_way == [("filter", "-A DOCKER-USER -j DOCKER")]


def test_the_policy_is_docker_s_only_where_docker_is() -> None:
    drop = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n-A FORWARD -j ACCEPT\nCOMMIT\n"
    assert not find(drop)
    assert not find(drop).drops
    both = find(DEFAULT.replace(":INPUT ACCEPT", ":INPUT DROP"))
    assert (both.drops, both.drops_for_others) == (False, True)
    ufw = find(DEFAULT.replace(":DOCKER -", ":ufw-before-forward - [0:0]\n:DOCKER -", 1))
    assert (ufw.drops, ufw.drops_for_others) == (False, True)
    # What stays of Docker for its user is no reason to touch a policy that somebody sets later.
    chain = ":DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\n-A DOCKER-USER -s 192.0.2.7/32 -j DROP"
    user = drop.replace("-A FORWARD -j ACCEPT", chain)
    assert not find(user)
    assert not find(user).drops
