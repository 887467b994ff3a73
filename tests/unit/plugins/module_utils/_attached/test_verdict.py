# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alive, dead or unknown: every rule, each with the case that differs in one thing."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._attached.verdict import (
    ALIVE,
    DEAD,
    UNKNOWN,
    Case,
    Scene,
    judge,
    pairs,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.attachments import Attachment
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.store import Lease
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.wires import Space, View, Wire

CONFIG = {"cniVersion": "1.0.0", "name": "net1", "plugins": [{"type": "bridge", "bridge": "br1"}]}
ENTRY = Attachment(
    "abc",
    "eth0",
    "/run/netns/abc",
    False,
    ["10.12.1.2/24"],
    CONFIG,
    "default/web-0",
    "/var/lib/cni/results/net1-abc-eth0",
    "net1",
    None,
    ["br1", "veth1"],
)
WIRE = Wire("veth9", "0a:58:0a:0c:01:09", 1500, "br1", False, False, 9, ["10.12.1.9"])
LEASE = Lease("10.12.1.2", "abc", "eth0", "/var/lib/cni/networks/net1/10.12.1.2", 1000.0)


def scene(*wires: Wire, spaces: t.Optional[dict[str, Space]] = None, **other: t.Any) -> Scene:
    usual: dict[str, t.Any] = {
        "view": View(list(wires), spaces or {}, ["br0", "br1"]),
        "claims": {},
        "lent": {},
        "kinds": {"net1": {"bridge"}},
        "bridges": {"br1": "net1", "brwas1": "was1"},
        "unreadable": [],
        "now": 2000.0,
        "min_age": 60.0,
    }
    return Scene(**{**usual, **other})


def remembered(**changes: t.Any) -> Case:
    entry = ENTRY._replace(**changes)
    return Case("net1", "abc", [entry], [LEASE], {"10.12.1.2"})


def leased(**changes: t.Any) -> Case:
    return Case("net1", "abc", [], [LEASE._replace(**changes)], {"10.12.1.2"})


def test_a_namespace_that_a_file_holds_is_alive() -> None:
    there = scene(spaces={"/run/netns/abc": Space(True)})
    assert judge(remembered(), there) == (ALIVE, "its namespace /run/netns/abc is there")
    assert judge(remembered(netns="/run/netns/ab"), there).state == DEAD


def test_a_namespace_and_a_veth_that_are_gone_are_dead() -> None:
    reason = "its namespace /run/netns/abc is gone, and its veth veth1 too"
    assert judge(remembered(), scene(WIRE)) == (DEAD, reason)
    # veth10 is not veth1.
    assert judge(remembered(), scene(WIRE._replace(name="veth10"))).state == DEAD


def test_a_veth_that_is_still_there_is_a_doubt() -> None:
    reason = "/run/netns/abc is not there, but its veth veth1 still is"
    assert judge(remembered(), scene(WIRE._replace(name="veth1"))) == (UNKNOWN, reason)


def test_what_proc_shows_may_be_another_process() -> None:
    case = remembered(netns="/proc/4711/ns/net")
    there = {"/proc/4711/ns/net": Space(True, 9)}
    assert judge(case, scene(WIRE, spaces=there)).state == DEAD
    assert judge(case, scene(WIRE._replace(inside=["10.12.1.2"]), spaces=there)).state == ALIVE
    assert judge(case, scene(WIRE._replace(name="veth1"), spaces=there)).state == ALIVE
    macvlan = scene(WIRE, spaces=there, kinds={"net1": {"macvlan"}})
    assert judge(case, macvlan) == (UNKNOWN, "/proc/4711/ns/net is a namespace, but process ids are used again")


def test_a_young_lease_is_a_doubt() -> None:
    reason = "10.12.1.2 was lent 5 seconds ago, so a runtime may still be attaching it"
    for case in (leased(since=1995.0), Case("net1", "abc", [ENTRY], [LEASE._replace(since=1995.0)], {"10.12.1.2"})):
        assert judge(case, scene()) == (UNKNOWN, reason)
    assert "in the future, by its time stamp" in judge(leased(since=3000.0), scene()).reason
    assert judge(leased(since=1940.0), scene()).state == DEAD


def test_an_address_that_is_used_is_alive() -> None:
    used = WIRE._replace(inside=["10.12.1.20", "10.12.1.2"])
    reason = "10.12.1.2 is used in the namespace that veth9 leads into"
    assert judge(leased(), scene(used)) == (ALIVE, reason)
    # 10.12.1.20 is not 10.12.1.2.
    gone = "no namespace that a veth of this node leads into has 10.12.1.2"
    assert judge(leased(), scene(WIRE._replace(inside=["10.12.1.20"]))) == (DEAD, gone)


def test_an_address_that_another_one_has_by_now_is_no_proof_of_life() -> None:
    used = WIRE._replace(inside=["10.12.1.2"])
    former = Case("net1", "abc", [], [], {"10.12.1.2"}, masqueraded=True)
    assert judge(former, scene(used)).state == ALIVE
    assert judge(former, scene(used, claims={9: {"heir"}})).state == DEAD
    assert judge(former, scene(used, lent={("net10", "10.12.1.2"): "heir"})).state == ALIVE
    # Lent it is, but nothing proves that the namespace is the heir's.
    doubt = "10.12.1.2 is used in the namespace that veth9 leads into, and is lent to heir"
    assert judge(former, scene(used, lent={("net1", "10.12.1.2"): "heir"})) == (UNKNOWN, doubt)
    # Both may be there: two namespaces have it.
    assert judge(former, scene(used, used._replace(name="veth8", nsid=8), claims={9: {"heir"}})).state == ALIVE


def test_where_no_bridge_is_seen_nothing_is_proved() -> None:
    reason = (
        "no bridge of a known network is here (br1, brwas1): no pod was attached since the node started, "
        "or this is another network namespace"
    )
    for case in (remembered(), leased()):
        assert judge(case, replace(scene(), view=View([WIRE], {}, ["br10", "cni0"]))) == (UNKNOWN, reason)
        assert judge(case, replace(scene(), view=View([WIRE], {}, ["brwas1"]))).state == DEAD
    point_to_point = scene(WIRE, bridges={}, kinds={"net1": {"ptp"}})
    assert judge(leased(), point_to_point).state == DEAD
    assert judge(leased(), replace(point_to_point, view=View([WIRE._replace(nsid=None)], {}))).state == UNKNOWN


@pytest.mark.parametrize("inside", [None, []])
def test_a_veth_that_is_not_understood_may_be_anybodys(inside: t.Optional[list[str]]) -> None:
    strange = WIRE._replace(inside=inside)
    verdict = judge(leased(), scene(strange))
    assert verdict.state == UNKNOWN
    assert verdict.reason.startswith("veth9 leads into a namespace ")
    # Unless it is another one's, has both ends here, or one's own is known and gone.
    assert judge(leased(), scene(strange, claims={9: {"heir"}})).state == DEAD
    assert judge(leased(), scene(strange._replace(nsid=None))).state == DEAD
    assert judge(remembered(), scene(strange)).state == DEAD
    assert judge(remembered(config=None), scene(strange)).state == UNKNOWN
    assert judge(remembered(host_links=["br1"]), scene(strange)).state == UNKNOWN


def test_only_pairs_prove_anything() -> None:
    reason = "the plugin macvlan leaves no link on the node that would prove it"
    assert judge(remembered(), scene(kinds={"net1": {"bridge", "macvlan"}})) == (UNKNOWN, reason)
    assert judge(remembered(), scene(kinds={"net1": {"loopback"}})).state == DEAD
    assert judge(leased(), scene(kinds={"net1": {"loopback"}})).state == UNKNOWN
    assert "no configuration of network net1 is known" in judge(leased(), scene(kinds={})).reason
    # ipMasq is of plugins that make pairs.
    assert judge(replace(leased(), masqueraded=True), scene(kinds={})).state == DEAD


def test_what_has_no_address_cannot_be_found() -> None:
    assert judge(Case("net1", "abc", masqueraded=True), scene()) == (UNKNOWN, "nothing tells which address it had")


def test_files_of_the_cache_that_are_strange() -> None:
    broken = scene(unreadable=["net1-abc-eth0"])
    assert judge(leased(), broken) == (UNKNOWN, "libcni's file net1-abc-eth0 cannot be read")
    assert judge(leased(), scene(unreadable=["net1-abcd-eth0", "net10-abc-eth0"])).state == DEAD
    wrong = judge(remembered(path="/var/lib/cni/results/net1-other-eth0"), scene())
    assert wrong.state == UNKNOWN
    assert wrong.reason.endswith("net1-other-eth0 does not have the name that libcni would give it")


def test_a_bridge_that_is_no_name_is_no_bridge() -> None:
    entry = remembered().entries[0]
    config = {"cniVersion": "1.0.0", "name": "net1", "plugins": [{"type": "bridge", "bridge": [{"br1": 1}]}]}
    assert pairs(entry._replace(config=config, host_links=["br1"])) == ["br1"]
