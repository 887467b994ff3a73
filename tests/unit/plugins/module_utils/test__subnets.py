# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who owns which block: nobody is renumbered, and nothing is decided by a host's position."""

from __future__ import annotations

import random
import time
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.module_utils._blocks import cut, span
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._subnets import Book, Node, Rules, allocate

CLUSTER = ("10.12.0.0/16",)
DUAL = ("10.12.0.0/16", "fd00:12::/48")


class Result(t.NamedTuple):
    nodes: dict[str, dict[str, t.Any]]
    book: Book

    @property
    def cidrs(self) -> dict[str, list[str]]:
        return {host: entry["pod_cidrs"] for host, entry in self.nodes.items()}

    @property
    def sources(self) -> dict[str, str]:
        return {host: entry["source"] for host, entry in self.nodes.items()}


def decide(
    nodes: dict[str, Node] | str,
    book: Book | None = None,
    cluster: t.Sequence[str] = CLUSTER,
    reserved: t.Sequence[str] = (),
    prefix: int = 24,
    **consent: t.Any,
) -> Result:
    given = {host: Node() for host in nodes.split()} if isinstance(nodes, str) else nodes
    families = cut(cluster, {4: prefix, 6: 64})
    for blocks in families.values():
        blocks.reserve(span(f"reserved[{index}]", _values.network("r", cidr)) for index, cidr in enumerate(reserved))
    return Result(*allocate(families, given, book, Rules("/l", **consent)))


def sentence(*args: t.Any, **kwargs: t.Any) -> str:
    with pytest.raises(OptionError) as error:
        decide(*args, **kwargs)
    return str(error.value)


def locked(cluster: t.Sequence[tuple[str, int]] = ((CLUSTER[0], 24),), **nodes: str) -> Book:
    return Book(list(cluster), {host: cidrs.split() for host, cidrs in nodes.items()})


def wants(*cidrs: str) -> Node:
    return Node(wanted=cidrs)


def has(*cidrs: str) -> Node:
    return Node(found=cidrs)


def test_new_hosts_get_the_first_free_blocks_in_the_order_of_their_names() -> None:
    result = decide("node10 node2 node1")
    assert result.cidrs == {"node1": ["10.12.0.0/24"], "node2": ["10.12.1.0/24"], "node10": ["10.12.2.0/24"]}
    assert list(result.nodes) == list(result.book.nodes) == ["node1", "node2", "node10"]
    assert set(result.sources.values()) == {"free"}


def test_the_host_variable_comes_before_the_lock_file_and_that_before_what_is_free() -> None:
    book = locked(node2="10.12.7.0/24", node3="10.12.3.0/24")
    result = decide(
        {"node1": Node(), "node2": Node(), "node3": wants("10.12.3.0/24"), "node4": wants("10.12.0.0/24")}, book
    )
    assert result.cidrs == {
        "node1": ["10.12.1.0/24"],
        "node2": ["10.12.7.0/24"],
        "node3": ["10.12.3.0/24"],
        "node4": ["10.12.0.0/24"],
    }
    assert result.sources == {"node1": "free", "node2": "lock", "node3": "hostvar", "node4": "hostvar"}


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True), min_size=1, max_size=6), st.randoms())
def test_adding_and_removing_hosts_renumbers_nobody(inventories: list[list[str]], chance: random.Random) -> None:
    book, seen = None, {}
    for hosts in inventories:
        chance.shuffle(hosts)
        result = decide(" ".join(hosts), book)
        seen = {**result.cidrs, **seen}
        assert result.cidrs == {host: seen[host] for host in sorted(hosts)}
        assert len({cidrs[0] for cidrs in seen.values()}) == len(seen)
        book = result.book
    assert book is not None
    assert book.nodes == dict(sorted(seen.items()))


def test_a_host_that_left_keeps_its_block_until_it_is_pruned() -> None:
    book = decide("node1 node2").book
    assert decide("node2 node3", book).cidrs == {"node2": ["10.12.1.0/24"], "node3": ["10.12.2.0/24"]}
    assert decide("node2 node3", book).book.nodes["node1"] == ["10.12.0.0/24"]
    pruned = decide("node2 node3", book, prune=True)
    assert pruned.cidrs == pruned.book.nodes == {"node2": ["10.12.1.0/24"], "node3": ["10.12.0.0/24"]}


def test_dual_stack_decides_each_family_by_itself() -> None:
    result = decide({"node1": wants("fd00:12:0:5::/64"), "node2": Node()}, locked(node1="10.12.9.0/24"), DUAL)
    assert result.cidrs == {
        "node1": ["10.12.9.0/24", "fd00:12:0:5::/64"],
        "node2": ["10.12.0.0/24", "fd00:12::/64"],
    }
    assert result.sources == {"node1": "lock, hostvar", "node2": "free"}
    assert decide("node1", None, ("fd00:12::/48", CLUSTER[0])).cidrs == {"node1": ["fd00:12::/64", "10.12.0.0/24"]}
    assert decide("node1", None, ("fd00:12::/48",)).cidrs == {"node1": ["fd00:12::/64"]}


def test_reserved_blocks_are_left_out() -> None:
    assert decide("a b", None, CLUSTER, ["10.12.0.0/24", "10.12.2.0/23"]).cidrs == {
        "a": ["10.12.1.0/24"],
        "b": ["10.12.4.0/24"],
    }


def test_a_cluster_cidr_of_one_block_is_enough_for_one_node() -> None:
    assert decide("mink8s", None, ["10.12.1.0/24"]).cidrs == {"mink8s": ["10.12.1.0/24"]}


def test_what_nodes_have_is_adopted() -> None:
    book = locked(node1="10.12.0.0/24", node2="10.12.1.0/24", node3="10.12.2.0/24")
    nodes = {"node1": has("10.12.1.0/24"), "node2": has("10.12.0.0/24"), "node3": has(), "node4": has("10.12.4.0/24")}
    result = decide(nodes, book)
    assert result.cidrs == {
        "node1": ["10.12.1.0/24"],
        "node2": ["10.12.0.0/24"],
        "node3": ["10.12.2.0/24"],
        "node4": ["10.12.4.0/24"],
    }
    assert result.sources == {"node1": "adopted", "node2": "adopted", "node3": "lock", "node4": "adopted"}
    assert set(decide(nodes, result.book).sources.values()) == {"lock"}


def test_two_nodes_can_change_places_with_consent() -> None:
    book = locked(node1="10.12.0.0/24", node2="10.12.1.0/24")
    nodes = {"node1": wants("10.12.1.0/24"), "node2": wants("10.12.0.0/24")}
    assert decide(nodes, book, renumber=True).cidrs == {"node1": ["10.12.1.0/24"], "node2": ["10.12.0.0/24"]}


def test_a_block_that_was_given_up_is_not_adopted_again() -> None:
    """The lock file was written, and then that run, and each one after it, failed."""
    nodes, reserved = {"node1": Node(found=["10.12.0.0/24"])}, ["10.12.0.0/24"]
    first = decide(nodes, locked(node1="10.12.0.0/24"), reserved=reserved, renumber=True)
    assert first.cidrs == {"node1": ["10.12.1.0/24"]}
    again = decide(nodes, first.book, reserved=reserved, renumber=True)
    assert (again.cidrs, again.sources) == (first.cidrs, {"node1": "lock"})
    assert "10.12.0.0/24 overlaps reserved[0]" in sentence(nodes, first.book, reserved=reserved)


def test_whom_a_limit_leaves_out_is_not_renumbered() -> None:
    """A run for node1 gave the others routes to a block of node10 that it did not have yet."""
    book = locked(node1="10.12.0.0/24", node10="10.12.1.0/24")
    nodes = {"node1": wants("10.12.4.0/24"), "node10": wants("10.12.5.0/24")}
    consent: dict[str, t.Any] = {"renumber": True, "left_out": ["node10"]}
    assert sentence(nodes, book, **consent) == (
        'nodes.node10.pod_cidrs: ["10.12.5.0/24"] would replace 10.12.1.0/24 of node10, which --limit leaves out; '
        "run it for all nodes, or let the variables change the blocks of those in the run only"
    )
    nodes["node10"] = Node()
    assert decide(nodes, book, **consent).cidrs["node1"] == ["10.12.4.0/24"]
    assert "10.12.1.0/24 of node10" in sentence("node1 node10", book, ["10.99.0.0/16"], **consent)
    # What a node was found to have is what it has.
    found = {"node10": Node(found=["10.12.7.0/24"])}
    assert decide(found, book, **consent).cidrs == {"node10": ["10.12.7.0/24"]}
    # A new one has nothing to lose.
    assert decide("node2", book, renumber=True, left_out=["node2"]).cidrs == {"node2": ["10.12.2.0/24"]}


def test_without_a_lock_file_all_that_a_limit_leaves_out_are_known() -> None:
    """A run for node4 gave it what node3 had, as node1 had left."""
    nodes = {"node2": Node(), "node3": Node(), "node4": Node()}
    out: dict[str, t.Any] = {"left_out": ["node3", "node2"]}
    assert sentence(nodes, None, **out) == (
        "lock_file: /l is not there, and nobody says which blocks are those of node2, node3, which --limit leaves out; "
        "name this cluster's own (pod_cidr_lock_file), ask all nodes with adopt: true (pod_cidr_adopt), or, in a new "
        "cluster, let site decide for all nodes first (--tags pod_cidr without --limit)"
    )
    assert "those of node2, which" in sentence(nodes, None, **out, asked={"node3": []})
    assert "those of node1, node2, node3, …, which" in sentence(
        "node1 node2 node3 node4", None, left_out=["node4", "node3", "node2", "node1"]
    )
    # Who has nothing yet, or has by its variables what it shall have, can lose nothing.
    assert decide(nodes, None, **out, asked={"node2": [], "node3": []}).cidrs["node4"] == ["10.12.2.0/24"]
    nodes |= {"node2": wants("10.12.1.0/24"), "node3": wants("10.12.2.0/24")}
    assert decide(nodes, None, **out).cidrs["node4"] == ["10.12.0.0/24"]
    assert "those of node2, node3, which" in sentence(nodes, None, DUAL, **out)


def test_what_a_node_says_that_a_limit_leaves_out_is_not_contradicted() -> None:
    """The lock file is lost, or ahead of a node that was to be renumbered."""
    answers: dict[str, t.Any] = {"left_out": ["node2"], "asked": {"node2": ["10.12.1.0/24"]}}
    for book in (None, locked(node1="10.12.0.0/24", node2="10.12.40.0/24")):
        decided = "10.12.40.0/24" if book else "10.12.0.0/24"
        assert sentence("node2 node10", book, **answers) == (
            f'nodes.node2.pod_cidrs: ["{decided}"] is not 10.12.1.0/24, which node2 has, and --limit leaves it out; '
            "take what the nodes have with adopt: true (pod_cidr_adopt), or run it for node2, too"
        )
    assert decide("node1 node2", None, **answers).cidrs["node2"] == ["10.12.1.0/24"]
    # A family that it lacks, more than its block, and a part of that.
    book = locked((("10.12.0.0/16", 24), ("fd00:12::/48", 64)), node2="10.12.1.0/24 fd00:12:0:1::/64")
    for more in (["10.12.1.0/24"], ["10.99.0.0/24", "10.12.1.0/24"], ["10.12.1.128/25", "fd00:12:0:1::/64"]):
        assert decide("node2", book, DUAL, left_out=["node2"], asked={"node2": more}).book == book
    assert "is not fd00:12::/64, which node2 has" in sentence(
        "node2", book, DUAL, left_out=["node2"], asked={"node2": ["10.12.1.0/24", "fd00:12::/64"]}
    )
    # Whom the run is for plans it itself.
    assert decide("node2", locked(node2="10.12.40.0/24"), asked=answers["asked"]).cidrs == {"node2": ["10.12.40.0/24"]}


def test_another_cluster_cidr_with_consent_keeps_what_fits() -> None:
    book = locked(node1="10.12.0.0/24", node2="10.12.200.0/24", left="10.12.0.0/24")
    book = locked(node1="10.12.5.0/24", node2="10.12.200.0/24", left="10.12.6.0/24", gone="10.12.201.0/24")
    result = decide("node1 node2", book, ["10.12.0.0/20"], renumber=True)
    assert result.book.nodes == {"left": ["10.12.6.0/24"], "node1": ["10.12.5.0/24"], "node2": ["10.12.0.0/24"]}
    assert decide("node1", book, CLUSTER, ["10.12.5.0/24"], renumber=True).cidrs == {"node1": ["10.12.0.0/24"]}


def test_a_second_family_needs_no_consent() -> None:
    assert decide("node1", locked(node1="10.12.5.0/24"), DUAL).cidrs == {"node1": ["10.12.5.0/24", "fd00:12::/64"]}


NOT = "is outside the cluster CIDR 10.12.0.0/16"
GIVE = "give node2 another block or remove pod_cidr_subnets from its host variables"
SELF = "consent with renumber: true (pod_network_renumber)"
OWN_FILE = (
    "name this cluster's own lock_file (pod_cidr_lock_file), or, where the cluster CIDR itself shall change, "
    f"{SELF}: blocks that still fit are kept"
)


@pytest.mark.parametrize(
    ("nodes", "book", "expected"),
    [
        (
            {"node1": wants("10.12.1.0/24"), "node2": wants("10.12.1.0/24")},
            None,
            f"10.12.1.0/24 is already node1's; {GIVE}",
        ),
        (
            {"node2": wants("10.12.1.0/24"), "node3": Node()},
            locked(node3="10.12.1.0/24"),
            f"10.12.1.0/24 is already node3's; {GIVE}",
        ),
        ({"node2": wants("10.13.1.0/24")}, None, f"10.13.1.0/24 {NOT}; {GIVE}"),
        (
            {"node2": wants("10.12.1.0/25")},
            None,
            f"10.12.1.0/25 is not as large as the other nodes' (node_prefix 24); {GIVE}",
        ),
        ({"node2": wants("10.12.1.1/24")}, None, "10.12.1.1/24 has host bits set; write 10.12.1.0/24"),
        ({"node2": wants("10.12.1.0")}, None, "10.12.1.0 is not a CIDR; write it like 10.12.1.0/24 or 2001:db8:1::/64"),
        ({"node2": wants("fd00::/64")}, None, f"fd00::/64 is IPv6, and none of cluster_cidrs is; {GIVE}"),
        ({"node2": wants("10.12.96.0/24")}, None, f"10.12.96.0/24 overlaps reserved[0] 10.12.96.0/20; {GIVE}"),
        (
            {"node2": wants("10.12.1.0/24")},
            locked(old="10.12.1.0/24"),
            (
                f"10.12.1.0/24 is kept for old, which left the inventory; {GIVE}, "
                "or give up such blocks with prune: true (pod_cidr_prune)"
            ),
        ),
        (
            {"node2": wants("10.12.2.0/24")},
            locked(node2="10.12.1.0/24"),
            (
                "10.12.2.0/24 is not 10.12.1.0/24, which node2 has in /l; "
                f"remove pod_cidr_subnets from its host variables, or {SELF}"
            ),
        ),
        (
            {"node2": Node(wanted=["10.12.2.0/24"], found=["10.12.1.0/24"])},
            None,
            (
                "10.12.2.0/24 is not 10.12.1.0/24, which node2 has on the node; "
                f"remove pod_cidr_subnets from its host variables, or {SELF}"
            ),
        ),
        (
            {"node1": has("10.12.1.0/24"), "node2": has("10.12.1.0/24")},
            None,
            (
                "10.12.1.0/24 is already node1's; "
                "node2 was found to have it: let the options fit what the nodes have, or do not adopt"
            ),
        ),
        (
            {"node1": Node(), "node2": Node()},
            locked(node1="10.12.1.0/24", node2="10.12.1.0/24"),
            "10.12.1.0/24 is already node1's; correct node2 in /l",
        ),
        ({"node2": Node()}, locked(node2="10.13.0.0/24"), f"10.13.0.0/24 {NOT}; correct node2 in /l"),
        (
            {"node2": Node()},
            locked(node2="10.12.96.0/24"),
            f"10.12.96.0/24 overlaps reserved[0] 10.12.96.0/20; let that range lie elsewhere, or {SELF}",
        ),
    ],
)  # fmt: skip
def test_a_block_that_cannot_be_is_said_in_one_sentence(
    nodes: dict[str, Node], book: Book | None, expected: str
) -> None:
    assert sentence(nodes, book, reserved=["10.12.96.0/20"]) == f"nodes.node2.pod_cidrs[0]: {expected}"


def test_two_blocks_of_one_family() -> None:
    assert sentence({"node1": wants("10.12.1.0/24", "10.12.2.0/24")}) == (
        "nodes.node1.pod_cidrs[1]: 10.12.2.0/24 is a second IPv4 block of node1; give one per family"
    )


def test_a_cluster_cidr_that_is_too_small() -> None:
    assert sentence("a b c d e", None, ["10.12.0.0/22"], ["10.12.0.0/24"]) == (
        "cluster_cidrs[0]: 10.12.0.0/22 is too small (blocks of /24: 4, free: 3, needed: 5); "
        "use a larger cluster CIDR or a longer node_prefix"
    )
    book = locked([("10.12.0.0/23", 24)], old="10.12.0.0/24")
    assert sentence("a b", book, ["10.12.0.0/23"]).endswith(
        "or give up the 1 of hosts that left with prune: true (pod_cidr_prune)"
    )


@pytest.mark.parametrize(
    ("cluster", "prefix", "expected"),
    [
        (
            ["10.13.0.0/16"],
            24,
            f'cluster_cidrs: ["10.13.0.0/16"] is not what /l was written for, 10.12.0.0/16; {OWN_FILE}',
        ),
        (
            ["10.12.0.0/15"],
            24,
            f'cluster_cidrs: ["10.12.0.0/15"] is not what /l was written for, 10.12.0.0/16; {OWN_FILE}',
        ),
        (["fd00::/48"], 24, f'cluster_cidrs: ["fd00::/48"] is not what /l was written for, 10.12.0.0/16; {OWN_FILE}'),
        (["10.12.0.0/16"], 25, f"node_prefix: 25 is not what /l was written for, 24; {OWN_FILE}"),
    ],
)
def test_a_lock_file_of_another_cluster_is_refused(cluster: list[str], prefix: int, expected: str) -> None:
    assert sentence("node1", locked(node1="10.12.0.0/24"), cluster, prefix=prefix) == expected


def test_65536_nodes_are_no_matter(capsys: pytest.CaptureFixture[str]) -> None:
    nodes = {f"node{number}": Node() for number in range(65536)}
    seconds = []
    book = None
    for _run in range(2):
        start = time.process_time()
        book = decide(nodes, book, ["10.0.0.0/8"]).book
        seconds.append(time.process_time() - start)
    with capsys.disabled():
        print(f"\n65,536 node CIDRs: first {seconds[0]:.2f} s, then {seconds[1]:.2f} s of CPU time")
    assert book is not None
    assert book.nodes["node65535"] == ["10.255.255.0/24"]
    # A generous bound: anything quadratic takes hours.
    assert max(seconds) < 15
