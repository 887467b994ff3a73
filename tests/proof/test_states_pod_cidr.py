# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action pod_cidr: inventories from which hosts come and go, and a lock file that people edit and merge.

It is the real action with a real inventory, without a playbook around it.
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import ipaddress
import json
import multiprocessing
import os
import re
import typing as t
from concurrent import futures

import ground
import hypothesis.strategies as st
import listings
import odd_files
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins import loader as plugins
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from calls import LONGEST, Answer
from converging import Converging, mostly
from hypothesis import event
from hypothesis.stateful import initialize, rule
from odd_files import Thing

from ansible_collections.mink8s.podnet.plugins.action.pod_cidr import ActionModule

PLACE = ground.PLACE / "inventory"
INVENTORY, LOCK = PLACE / "hosts.yml", PLACE / "pod_cidrs.lock.yml"

#: What the lock file says: the blocks of each host.
Book = t.Dict[str, t.List[t.Any]]

# ---- What is asked for -----------------------------------------------------------------------------------------------

V4, V6 = "10.12.0.0/21", "fd12::/61"
CLUSTERS = ([V4], [V4, V6], [V6, V4], [V6])
#: What the cluster may become: larger, smaller, elsewhere, or nonsense.
OTHERS = ([V4], [V4, V6], ["10.12.0.0/20"], ["10.12.0.0/22"], ["10.13.0.0/21", V6], [V4, "10.13.0.0/21"], ["10.12.0.0"])

HOSTS = ("h1", "h10", "h2", "h01", "h-1", "H1", "h1.example", "10", "yes", "ü", "192.0.2.77", "<<")
#: Ansible takes these for names, too; a YAML file has no place for them.
NO_NAMES = ("h1\u2028", "h1\x7f", "h" * 1100)
PATTERNS = (["kube_node"], ["all"], ["kube_node", "edge"], ["kube_node:edge:!h1"], ["all:!nosuch"], ["h1"])
BLOCKS = (
    *[f"10.12.{number}.0/24" for number in range(8)],
    *[f"fd12:0:0:{number}::/64" for number in range(8)],
)
MISTAKES = ("10.12.3.0/25", "10.12.3.1/24", "10.13.0.0/24", "{{ nosuch }}", "10.12.3.0/24, 10.12.4.0/24", {"a": 1})

options = st.fixed_dictionaries(
    {"hosts": mostly(st.just(["kube_node:edge"]), st.sampled_from(PATTERNS), times=5)},
    optional={
        "reserved": st.lists(
            st.sampled_from(["10.12.0.0/24", "10.12.2.0/23", "fd12::/63", "10.12.6.7/32"]), max_size=1
        ),
        "service_cidrs": st.sampled_from([["10.96.0.0/12"], ["10.12.7.0/24", "fd12:0:0:7::/108"]]),
        "renumber": mostly(st.just(False), st.just(True), times=2),
        "prune": mostly(st.just(False), st.just(True), times=2),
    },
)
sizes = mostly(st.just({}), st.sampled_from([{"node_prefix": 25}, {"node_prefix": 20}, {"node_prefix_ipv6": 63}]))
wanted = mostly(
    st.none(),
    st.sampled_from(BLOCKS),
    st.sampled_from(BLOCKS).map(lambda block: [block]),
    st.integers(0, 7).map(lambda number: f"{{{{ '10.12.%d.0/24' | format({number}) }}}}"),
    mostly(st.just([BLOCKS[3], BLOCKS[11]]), st.sampled_from(MISTAKES), times=2),
)
addresses = mostly(st.none(), st.sampled_from(["192.0.2.1", "10.12.4.9, fd12:0:0:4::9", "h1", []]), times=20)
joins = st.tuples(
    st.sampled_from(HOSTS), st.tuples(st.sampled_from(["kube_node", "kube_node", "edge"]), wanted, addresses)
)
leaves = st.tuples(st.sampled_from(HOSTS), st.none())
comings = st.lists(mostly(joins, leaves, times=2), max_size=4)

# ---- What people do to the lock file ---------------------------------------------------------------------------------

HEAD = f"pod_cidrs:\n  vars:\n    cluster_cidrs: [{V4}]\n    node_prefix: 24\n    nodes:"
BROKEN = {
    **odd_files.NO_OBJECT,
    **odd_files.OTHER_OBJECT,
    "merge": f"{HEAD}\n<<<<<<< ours\n      h1: [10.12.0.0/24]\n=======\n>>>>>>> theirs\n".encode(),
    "host twice": f"{HEAD}\n      h1: [10.12.0.0/24]\n      h1: [10.12.1.0/24]\n".encode(),
    "block twice": f"{HEAD}\n      h1: [10.12.0.0/24]\n      h10: [10.12.0.0/24]\n".encode(),
    "two blocks": f"{HEAD}\n      h1: [10.12.0.0/24, 10.12.1.0/24]\n".encode(),
    "no list": f"{HEAD}\n      h1: 10.12.0.0/24\n".encode(),
    "no block": f"{HEAD}\n      h1: [10.12.0.7/24]\n".encode(),
    "no nodes": f"{HEAD} []\n".encode(),
    "alias": f"{HEAD}\n      h1: &a [10.12.0.0/24]\n      h2: *a\n".encode(),
    "alias of itself": f"{HEAD} &a\n      h1: *a\n".encode(),
    "object": f"{HEAD}\n      h1: !!python/object/apply:os.getpid []\n".encode(),
    "key that is a list": f"{HEAD}\n      ? [h1]\n      : [10.12.0.0/24]\n".encode(),
    "two documents": f"{HEAD}\n      h1: [10.12.0.0/24]\n---\na: 1\n".encode(),
    "more": f"{HEAD}\n      h1: [10.12.0.0/24]\n    more: 1\n".encode(),
    "prefix": HEAD.replace("24", "x").encode(),
    "tab": f"{HEAD}\n\th1: [10.12.0.0/24]\n".encode(),
}
obstacles = st.one_of(
    st.sampled_from([*BROKEN]).map(lambda name: odd_files.text(BROKEN[name])), st.sampled_from(odd_files.ODD)
)


def _move(lines: list[str]) -> list[str]:
    """As after a merge in which both sides gave away the same block."""
    return [re.sub(r"10\.12\.0\.0/24", "10.12.1.0/24", line) for line in lines]


def _rename(lines: list[str]) -> list[str]:
    """Give h1's line to h3, which no inventory has, if it has none."""
    return lines if any("h3:" in line for line in lines) else [line.replace("h1:", "h3:") for line in lines]


EDITS: dict[str, t.Callable[[list[str]], list[str]]] = {
    "other order": lambda lines: lines[::-1],
    "one is gone": lambda lines: lines[1:],
    "another name": _rename,
    "another block": _move,
    "block style": lambda lines: [re.sub(r": \[(\S+)\]$", r":\n        - \1", line) for line in lines],
    "comments": lambda lines: ["      # mine", *(f"{line}  # yours" for line in lines)],
    "capitals": lambda lines: [line.replace("fd12", "FD12") for line in lines],
    "one family": lambda lines: [re.sub(r", [^]]+\]", "]", line) for line in lines],
    "CRLF": lambda lines: [f"{line}\r" for line in lines],
}


class Inventories(Converging):
    """Some hosts of a pool, and the lock file beside their inventory."""

    module = "pod_cidr"
    hosts: dict[str, tuple[str, t.Any, t.Any]]
    cluster: list[str]
    size: dict[str, int]

    def listing(self) -> listings.Listing:
        return listings.files(ground.PLACE)

    def is_ours(self, name: str, params: dict[str, t.Any]) -> bool:
        return name == f"file {LOCK}"

    def call(self, params: dict[str, t.Any], check: bool = False) -> Answer:
        return Answer(controller().submit(decide, params, check).result(LONGEST))

    def require_made(self, params: dict[str, t.Any], before: listings.Listing, after: listings.Listing) -> None:
        """Each host that was asked for has its blocks in the file, which `require` goes into."""
        asked, book = Asked(params, self.hosts), _book()
        versions = [cidr.version for cidr in asked.cidrs]
        for host in asked.hosts:
            assert [block.version for block in book.get(host, ())] == versions, f"{host} has {book.get(host)}"

    @initialize(cluster=st.sampled_from(CLUSTERS), hosts=st.lists(st.sampled_from(HOSTS), min_size=2, max_size=4))
    def begin(self, cluster: list[str], hosts: list[str]) -> None:
        """A cluster that is planned."""
        ground.no_files()
        self.hosts, self.cluster, self.size = {}, cluster, {}
        self.come_and_go([(host, ("kube_node", None, None)) for host in hosts])

    def come_and_go(self, changes: list[t.Any]) -> None:
        """Write another inventory."""
        for host, entry in changes:
            self.hosts.pop(host, None)
            if entry:
                self.hosts[host] = (entry[0], self.of_the_cluster(entry[1]), entry[2])
        groups: dict[str, t.Any] = {"kube_node": {"hosts": {}}, "edge": {"hosts": {}}}
        for host, (group, subnets, given) in self.hosts.items():
            groups[group]["hosts"][host] = _variables(host, subnets, given)
        INVENTORY.parent.mkdir(exist_ok=True)
        INVENTORY.write_text(yaml.safe_dump({"all": {"children": groups}}, sort_keys=False, allow_unicode=True))

    def of_the_cluster(self, subnets: t.Any) -> t.Any:
        """Nobody wants a block of a family that the cluster does not have, but by mistake."""
        families = {":" in cidr for cidr in self.cluster}
        one = subnets[0] if isinstance(subnets, list) and len(subnets) == 1 else subnets
        return None if one in BLOCKS and (":" in one) not in families else subnets

    @rule(changes=comings, params=options)
    def make(self, changes: list[t.Any], params: dict[str, t.Any]) -> None:
        """Hosts come and go, and somebody asks who has which block."""
        stayed = {**self.hosts}
        self.come_and_go(changes)
        if self.require(params).failed:
            self.hosts = stayed
            self.come_and_go([])

    @rule(cluster=st.sampled_from(OTHERS), params=options, size=sizes)
    def change(self, cluster: list[str], params: dict[str, t.Any], size: dict[str, int]) -> None:
        """Somebody plans the cluster anew."""
        was = self.cluster, self.size
        self.cluster, self.size = cluster, size
        if self.require(params).failed:
            self.cluster, self.size = was

    @rule(params=options, blocks=st.permutations(range(8)), lost=st.booleans())
    def adopt(self, params: dict[str, t.Any], blocks: list[int], lost: bool) -> None:
        """Somebody takes what some nodes have as the truth, and may have lost the lock file."""
        before, known = LOCK.read_text() if LOCK.exists() else None, _book()
        if lost:
            odd_files.clear(LOCK)
        found: dict[str, list[str]] = {}
        for host, number in zip(self.hosts, [*blocks, *[7] * len(HOSTS)]):
            has = [BLOCKS[number + 8 * (":" in cidr)] for cidr in self.cluster]
            known_or_not = [str(block) for block in known.get(host, ())]
            found[host] = [] if number > 5 else has if lost else known_or_not
        if self.require({**params, "adopt": True, "found": found}).failed and before is not None:
            LOCK.write_text(before)

    @rule(edit=st.sampled_from([*EDITS]), params=options)
    def edit(self, edit: str, params: dict[str, t.Any]) -> None:
        """Somebody edits the lock file."""
        before = LOCK.read_text() if LOCK.exists() else None
        if before is not None:
            head, nodes, rest = before.partition("    nodes:\n")
            lines = EDITS[edit](rest.splitlines())
            # Without any host it is no lock file.
            LOCK.write_text(head + nodes + "".join(f"{line}\n" for line in lines or rest.splitlines()), newline="")
        if self.require(params).failed and before is not None:
            LOCK.write_text(before)

    @rule(obstacle=obstacles, params=options)
    def obstruct(self, obstacle: Thing, params: dict[str, t.Any]) -> None:
        """The lock file is broken, and somebody takes it from version control again."""
        before = LOCK.read_bytes() if LOCK.exists() else None
        odd_files.put(LOCK, obstacle)
        answer = self.ask(**{"cluster_cidrs": [V4], **params, "hosts": ["kube_node:edge"], "renumber": False})
        assert answer.failed, "a broken lock file was believed"
        event("broken: " + answer.sentence.partition(": ")[2][:40])
        odd_files.clear(LOCK)
        if before is not None:
            LOCK.write_bytes(before)

    def require(self, params: dict[str, t.Any]) -> Answer:
        """Ask, and check who has what."""
        before, params = _book(), {"cluster_cidrs": self.cluster, **self.size, **params}
        answer = self.ask(**params)
        _require_unlocked()
        if answer.failed:
            event("refused: " + re.sub(r"[^ ]*\d[^ ]*", "…", answer.sentence.partition(": ")[2])[:50])
            assert not self.is_plain(params, before), answer.sentence
            return answer
        nodes, after, asked = answer.result["nodes"], _book(), Asked(params, self.hosts)
        assert sorted(nodes) == sorted(asked.hosts)
        for host, entry in nodes.items():
            event(f"source {entry['source']}")
            assert entry["pod_cidrs"] == [str(block) for block in after[host]]
            assert [block.version for block in after[host]] == [cidr.version for cidr in asked.cidrs]
        require_right(asked, after)
        require_kept(asked, before, after)
        require_first_free(asked, nodes, after)
        return answer

    def is_plain(self, params: dict[str, t.Any], before: Book) -> bool:
        """Whether there is no reason at all to refuse: room for all, and nobody who wants anything special."""
        asked = Asked(params, self.hosts)
        known = [block for blocks in before.values() for block in blocks]
        return (
            bool(asked.hosts)
            and not params.keys() & {"node_prefix", "node_prefix_ipv6", "adopt"}
            and all(self.hosts[host][1:] == (None, None) for host in asked.hosts)
            and len({*asked.hosts, *before}) <= 4
            and params["cluster_cidrs"] in CLUSTERS
            and _written_for() in (None, {*params["cluster_cidrs"]})
            and len({*known}) == len(known)
            and all(asked.is_inside(block) and not asked.is_taken(block) for block in known)
        )

    def teardown(self) -> None:
        """Who leaves and comes back has the same block."""
        if not hasattr(self, "hosts") or not LOCK.exists():
            return
        params = {"cluster_cidrs": self.cluster, **self.size, "hosts": ["kube_node:edge"]}
        stayed = {**self.hosts}
        before = self.ask(**params)
        if before.failed or "h1" not in Asked(params, self.hosts).hosts:
            return
        self.come_and_go([("h1", None), ("h99", ("kube_node", None, None))])
        if not self.ask(**params).failed:
            self.hosts = stayed
            self.come_and_go([])
            assert _blocks_of(self.ask(**params)) == _blocks_of(before)


def _blocks_of(answer: Answer) -> dict[str, list[str]]:
    """Who has what, wherever that was known from."""
    return {host: entry["pod_cidrs"] for host, entry in answer.result["nodes"].items()}


@functools.cache
def controller() -> futures.ProcessPoolExecutor:
    """A process that finds collections as ansible-playbook does; this one is not to, for the sake of other proofs."""
    pool = futures.ProcessPoolExecutor(1, multiprocessing.get_context("fork"), plugins.init_plugin_loader)
    atexit.register(pool.shutdown)
    return pool


def decide(params: dict[str, t.Any], check: bool) -> dict[str, t.Any]:
    """Do what ansible-playbook does for a task, with all variables read anew."""
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(INVENTORY)])
    variables = VariableManager(loader=loader, inventory=inventory)
    task = Task.load({"action": "mink8s.podnet.pod_cidr", "args": params, "check_mode": check})
    task_vars = variables.get_vars(host=inventory.get_host("localhost"))
    task_vars["hostvars"] = HostVars(inventory, variables, loader)
    connection = plugins.connection_loader.get("ansible.builtin.local", PlayContext())
    action = ActionModule(task, connection, PlayContext(), loader, Templar(loader, task_vars), plugins)
    found: dict[str, t.Any] = json.loads(json.dumps(action.run(task_vars=task_vars)))
    return found


class Asked:
    """A question in plain words: which hosts, of which CIDRs, and what no block may overlap."""

    def __init__(self, params: dict[str, t.Any], hosts: dict[str, tuple[str, t.Any, t.Any]]) -> None:
        words = {word for pattern in params["hosts"] for word in pattern.split(":")}
        chosen = [host for host, entry in hosts.items() if words & {entry[0], host, "all"}]
        self.params = params
        self.hosts = [host for host in chosen if f"!{host}" not in words]
        self.cidrs = [ipaddress.ip_network(cidr) for cidr in params["cluster_cidrs"]]
        self.sizes = {4: params.get("node_prefix", 24), 6: params.get("node_prefix_ipv6", 64)}
        own = [text for host in self.hosts for text in _addresses(host, hosts[host][2])]
        taken = [*params.get("reserved", ()), *params.get("service_cidrs", ()), *own]
        self.taken = [ipaddress.ip_network(text) for text in taken]

    def is_inside(self, block: t.Any) -> bool:
        """Whether it is one of the cluster's blocks."""
        own = [cidr for cidr in self.cidrs if cidr.version == block.version and block.subnet_of(cidr)]
        return bool(own) and block.prefixlen == self.sizes[block.version]

    def is_taken(self, block: t.Any) -> bool:
        """Whether no pod may have it."""
        return any(block.overlaps(other) for other in self.taken)


def require_right(asked: Asked, after: Book) -> None:
    """Each block is one of the cluster's, only one host's, and for pods alone."""
    blocks = [block for entry in after.values() for block in entry]
    assert len({*blocks}) == len(blocks), "a block has two owners"
    assert all(asked.is_inside(block) for block in blocks)
    for host in asked.hosts:
        assert not any(asked.is_taken(block) for block in after[host]), f"{after[host]} of {host} is reserved"


def require_kept(asked: Asked, before: Book, after: Book) -> None:
    """Nobody has another block than before, but by consent; who left is forgotten only on request."""
    for host in asked.hosts:
        has = [ipaddress.ip_network(cidr) for cidr in asked.params.get("found", {}).get(host, ())]
        before = {**before, host: has or before.get(host, [])}
    for host, blocks in before.items():
        versions = {block.version for block in blocks}
        if host not in asked.hosts and asked.params.get("prune"):
            assert host not in after
        elif not asked.params.get("renumber"):
            kept = [block for block in after[host] if block.version in versions]
            assert {*kept} == {*blocks}, f"{host} had {blocks} and has {after[host]}"
        elif host not in asked.hosts:
            assert {*after.get(host, ())} <= {*blocks}
    assert not after.keys() - {*asked.hosts, *before}


def require_first_free(asked: Asked, nodes: dict[str, t.Any], after: Book) -> None:
    """New hosts have the first free blocks, h2 before h10."""
    if any(", " in entry["source"] for entry in nodes.values()):
        return
    new = [host for host, entry in nodes.items() if entry["source"] == "free"]
    for index, cidr in enumerate(asked.cidrs):
        given = [after[host][index] for host in new]
        others = {block for host in after.keys() - {*new} for block in after[host]}
        free = [
            block
            for block in cidr.subnets(new_prefix=asked.sizes[cidr.version])
            if block not in others and not asked.is_taken(block)
        ]
        assert free[: len(new)] == given


def _variables(host: str, subnets: t.Any, given: t.Any) -> dict[str, t.Any]:
    number = [*HOSTS, *NO_NAMES, host].index(host) + 1
    own = f"192.0.2.{number}, fd00:2::{number}"
    addresses = {"pod_cidr_addresses": own} if given is None else {"ansible_host": given}
    return {**addresses, **({} if subnets is None else {"pod_cidr_subnets": subnets})}


def _addresses(host: str, given: t.Any) -> list[str]:
    """The addresses that an inventory says of a host: its name may be one, too."""
    variables = _variables(host, None, given)
    for text in (variables.get("pod_cidr_addresses"), variables.get("ansible_host"), host):
        if text and "." in text and text[0].isdigit():
            return str(text).split(", ")
    return []


def _written_for() -> t.Optional[set[str]]:
    """The cluster that the lock file is about, None where there is none."""
    if not LOCK.exists():
        return None
    return {*yaml.safe_load(LOCK.read_text())["pod_cidrs"]["vars"]["cluster_cidrs"]}


def _book() -> Book:
    if not LOCK.exists():
        return {}
    nodes = yaml.safe_load(LOCK.read_text())["pod_cidrs"]["vars"]["nodes"] or {}
    return {host: [ipaddress.ip_network(cidr) for cidr in cidrs] for host, cidrs in nodes.items()}


def _require_unlocked() -> None:
    handle = os.open(PLACE, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(handle)


TestInventories = Inventories.TestCase
