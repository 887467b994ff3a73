# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plugins' chains and rules, from listings of a node with Debian's plugins and from the form of plugins 1.9."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _iptables
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import cni_rules
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.cni_rules import MASQUERADE, Owner

#: As iptables-nft-save printed it; net1's killed1 by the real plugins bridge and portmap 1.1.1.
LISTING = (Path(__file__).parent / "listings/cni_leaks.txt").read_text(encoding="utf-8")


def chains(listing: str = LISTING) -> list[cni_rules.PodRule]:
    return cni_rules.chains("iptables-nft", _iptables.parse(listing))


def test_the_hashes_are_those_of_the_plugins() -> None:
    assert cni_rules.chain_name("net1", "killed1") == "CNI-37a2df49f1d6836debdb8bfd"
    assert cni_rules.chain_name("net1", "killed1", "DN-") == "CNI-DN-37a2df49f1d6836debdb8"
    # From the plugins' own tests.
    assert cni_rules.instance_hash("unit-test", "eth0", "one") == "6fd94d501e58f0aa-287fc69eff0574a2"
    assert cni_rules.instance_hash("alternate", "net1", "three") == "82783ef24bdc7036-acb19d111858e348"


def test_chains_and_whose_they_are() -> None:
    masquerade, port_map = chains()
    assert masquerade.name == "iptables-nft chain CNI-37a2df49f1d6836debdb8bfd"
    assert masquerade.owner == port_map.owner == Owner("net1", "killed1")
    assert masquerade.addresses == port_map.addresses == ("10.12.1.5",)
    assert (masquerade.masquerades, port_map.masquerades) == (True, False)
    assert {masquerade.key, port_map.key} <= set(cni_rules.keys("net1", "killed1", "eth0"))
    assert masquerade.text.count("\n") == 4
    assert port_map.text.count("\n") == 5
    assert masquerade.foreign is port_map.foreign is None


def test_a_comment_that_is_not_true_is_not_believed() -> None:
    masquerade, _port_map = chains(LISTING.replace(r"id: \"killed1\"", r"id: \"killed10\""))
    assert masquerade.owner == Owner(None, None)


def test_a_rule_of_somebody_else_that_leads_there() -> None:
    line = "-A OUTPUT -j CNI-37a2df49f1d6836debdb8bfd"
    masquerade, port_map = chains(LISTING.replace("COMMIT", f"{line}\nCOMMIT"))
    assert masquerade.foreign == line
    assert port_map.foreign is None


@pytest.mark.parametrize("name", ["CNI-FORWARD", "CNI-ADMIN", "CNI-0123", "KUBE-SVC", "CNI-DN-xyz", "XCNI-" + "0" * 23])
def test_chains_that_are_no_containers(name: str) -> None:
    assert chains(f"*nat\n:{name} - [0:0]\n-A POSTROUTING -j {name}\nCOMMIT\n") == []
    assert cni_rules.chains("iptables-nft", {}) == []


def test_the_removal_is_one_transaction() -> None:
    lines = cni_rules.removal(chains()).splitlines()
    assert lines[:3] == ["*nat", ":CNI-37a2df49f1d6836debdb8bfd - [0:0]", ":CNI-DN-37a2df49f1d6836debdb8 - [0:0]"]
    assert lines[3].startswith("-D POSTROUTING -s 10.12.1.5/32 ")
    assert lines[4].startswith("-D CNI-HOSTPORT-DNAT -p tcp ")
    assert lines[5:] == ["-X CNI-37a2df49f1d6836debdb8bfd", "-X CNI-DN-37a2df49f1d6836debdb8", "COMMIT"]


def test_rules_of_nftables() -> None:
    text = (
        "ip saddr 192.168.1.1 ip daddr != 192.168.1.0/24 masquerade "
        'comment "6fd94d501e58f0aa-287fc69eff0574a2, net: unit-test, if: eth0, id: one"'
    )
    cut = text.replace("one", "on")
    other = text.replace("net: unit-test", "net: unit")
    found = cni_rules.rules(MASQUERADE, {4: text, 7: cut, 9: other, 11: "ip saddr 10.0.0.1 masquerade"})
    assert [rule.handle for rule in found] == [4, 7, 9]
    # An identifier that was cut off is not one; a network that is not that of the hash is none.
    assert [rule.owner for rule in found] == [Owner("unit-test", "one"), Owner("unit-test", None), Owner(None, None)]
    assert {rule.key for rule in found} == {"6fd94d501e58f0aa-287fc69eff0574a2"}
    assert found[0].addresses == ("192.168.1.1",)
    assert found[0].masquerades
    assert cni_rules.removal(found[:2]) == (
        "delete rule inet cni_plugins_masquerade masq_checks handle 4\n"
        "delete rule inet cni_plugins_masquerade masq_checks handle 7\n"
    )


def test_port_maps_of_nftables() -> None:
    texts = {
        2: 'tcp dport 9080 dnat to 10.12.1.2:80 comment "abc"',
        3: 'tcp dport 9080 dnat to [fd00::2]:80 comment "abc"',
        4: "tcp dport 9080 accept",
    }
    found = cni_rules.rules(("ip", "cni_hostport", "hostports"), texts)
    assert [rule.addresses for rule in found] == [("10.12.1.2",), ("fd00::2",)]
    assert found[0].owner == Owner(None, "abc")
    assert found[0].key in cni_rules.keys("net1", "abc", "eth0")
    assert not found[0].masquerades


def test_one_hash_may_be_that_of_two_networks() -> None:
    assert cni_rules.chain_name("net1", "0twin") == cni_rules.chain_name("net10", "twin")
    assert cni_rules.chain_name("net1", "twin") != cni_rules.chain_name("net10", "twin")
    assert cni_rules.instance_hash("net1", "eth0", "0twin") != cni_rules.instance_hash("net10", "eth0", "twin")
