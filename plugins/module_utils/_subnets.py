# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which node owns which pod CIDR.  Pure.

The host variable decides, else what the node was found to have (when its blocks are adopted), else what the lock file
says, else the first free block; never a host's position in the inventory.  Nobody is renumbered without consent.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from itertools import islice

from ansible_collections.mink8s.podnet.plugins.module_utils import _left_out, _values
from ansible_collections.mink8s.podnet.plugins.module_utils._blocks import PREFIX_OPTIONS, Blocks
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._hosts import natural

CONSENT = "consent with renumber: true (pod_network_renumber)"

#: Where a node's block can come from; what comes first decides.
HOSTVAR, ADOPTED, LOCK, FREE = "hostvar", "adopted", "lock", "free"


@dataclass(frozen=True)
class Book:
    """What the lock file says: the cluster CIDRs with their node prefixes, and each host's blocks."""

    cluster: t.Sequence[tuple[str, int]]
    nodes: t.Mapping[str, t.Sequence[str]]


@dataclass(frozen=True)
class Rules:
    """What may be done with blocks that hosts already have; ``lock_file`` is its path, for the errors.

    Consent is for the hosts of the run: of those that it leaves out nobody is there to be drained.  Who was asked for
    its blocks is in ``asked``, with its answer.
    """

    lock_file: str
    renumber: bool = False
    prune: bool = False
    left_out: t.Collection[str] = ()
    asked: t.Mapping[str, t.Sequence[t.Any]] = field(default_factory=dict)


class Claim(t.NamedTuple):
    """A block that a host has or shall have, and where that is said."""

    block: int
    source: str
    path: str


class Node(t.NamedTuple):
    """The blocks that the inventory wants for a node, and those that it was found to have."""

    wanted: t.Sequence[t.Any] = ()
    found: t.Sequence[t.Any] = ()


def allocate(
    families: dict[int, Blocks], nodes: t.Mapping[str, Node], book: t.Optional[Book], rules: Rules
) -> tuple[dict[str, dict[str, t.Any]], Book]:
    """Return each node's pod CIDRs and where they come from, and what the lock file shall say."""
    if book and not rules.renumber:
        _require_same_cluster(families, book, rules.lock_file)
    hosts = sorted(nodes, key=natural)
    left_out = [host for host in hosts if host in rules.left_out]
    if book is None:
        silent = [host for host in left_out if host not in rules.asked and len(nodes[host].wanted) < len(families)]
        _left_out.require_known(silent, rules.lock_file)
    locked = _claims(families, book.nodes if book else {}, LOCK, rules)
    wanted = _claims(families, {host: nodes[host].wanted for host in hosts if nodes[host].wanted}, HOSTVAR, rules)
    found = _claims(families, {host: nodes[host].found for host in hosts if nodes[host].found}, ADOPTED, rules)
    owners = [_Owners(blocks, rules) for blocks in families.values()]
    for version, owner in zip(families, owners):
        owner.settle(hosts, wanted[version], found[version], locked[version])
    left = {host for owner in owners for host in owner.claims.keys() - nodes.keys()}
    everybody = sorted([*hosts, *left], key=natural) if left else hosts
    cidrs = {host: [owner.cidr(host) for owner in owners if host in owner.claims] for host in everybody}
    for host in left_out:
        _left_out.require_kept(host, nodes[host].found or (book.nodes.get(host, ()) if book else ()), cidrs[host])
        _left_out.require_true(host, rules.asked.get(host, ()), cidrs[host])
    result = {host: {"pod_cidrs": cidrs[host], "source": _source(owners, host)} for host in hosts}
    return result, Book([(str(blocks.network), blocks.prefix) for blocks in families.values()], cidrs)


def _source(owners: list[_Owners], host: str) -> str:
    sources = [owner.claims[host].source for owner in owners]
    return sources[0] if len(sources) == 1 else ", ".join(dict.fromkeys(sources))


class _Owners:
    """Who owns the blocks of one family."""

    def __init__(self, blocks: Blocks, rules: Rules) -> None:
        self.blocks, self.rules = blocks, rules
        self.claims: dict[str, Claim] = {}
        self._owner: dict[int, str] = {}
        self._left: set[str] = set()

    def cidr(self, host: str) -> str:
        return self.blocks.cidr(self.claims[host].block)

    def settle(
        self, hosts: list[str], wanted: dict[str, Claim], found: dict[str, Claim], locked: dict[str, Claim]
    ) -> None:
        """Give every host one block; those that stand in the lock file first, so that a new one is blamed."""
        if not self.rules.prune:
            self._left = locked.keys() - set(hosts)
            for host in sorted(self._left, key=natural):
                self._take(host, locked[host])
        decided = {host: self._decide(host, wanted.get(host), found.get(host), locked.get(host)) for host in hosts}
        for source in (LOCK, ADOPTED, HOSTVAR):
            for host, claim in decided.items():
                if claim and claim.source == source:
                    self._take(host, claim)
        self._fill([host for host, claim in decided.items() if not claim])

    def _decide(
        self, host: str, wanted: t.Optional[Claim], found: t.Optional[Claim], locked: t.Optional[Claim]
    ) -> t.Optional[Claim]:
        has = self._held(found, locked)
        claim = wanted or has
        if claim and has and claim.block != has.block and not self.rules.renumber:
            where = f"in {self.rules.lock_file}" if has.source == LOCK else "on the node"
            raise OptionError(
                claim.path,
                self.blocks.cidr(claim.block),
                f"is not {self.blocks.cidr(has.block)}, which {host} has {where}",
                f"remove pod_cidr_subnets from its host variables, or {CONSENT}",
            )
        reserved = self.blocks.reserved_by(claim.block) if claim else ""
        if claim and reserved:
            if claim.source == LOCK and self.rules.renumber:
                return None
            remedy = _remedy(host, claim.source, self.rules)
            if claim.source == LOCK:
                remedy = f"let that range lie elsewhere, or {CONSENT}"
            raise OptionError(claim.path, self.blocks.cidr(claim.block), f"overlaps {reserved}", remedy)
        return claim

    def _held(self, found: t.Optional[Claim], locked: t.Optional[Claim]) -> t.Optional[Claim]:
        """Return the block that a host has: on the node, or else by the lock file."""
        if not (found and locked):
            return found or locked
        # What was decided when it had to give up the node's block holds until the node has it.
        given_up = self.rules.renumber and self.blocks.reserved_by(found.block)
        return locked if given_up or locked.block == found.block else found

    def _take(self, host: str, claim: Claim) -> None:
        other = self._owner.setdefault(claim.block, host)
        if other != host:
            remedy, problem = _remedy(host, claim.source, self.rules), f"is already {other}'s"
            if other in self._left and host not in self._left:
                problem = f"is kept for {other}, which left the inventory"
                remedy += ", or give up such blocks with prune: true (pod_cidr_prune)"
            raise OptionError(claim.path, self.blocks.cidr(claim.block), problem, remedy)
        self.claims[host] = claim

    def _fill(self, hosts: list[str]) -> None:
        free = list(islice(self.blocks.free(self._owner), len(hosts)))
        if len(free) < len(hosts):
            remedy = f"use a larger cluster CIDR or a longer {PREFIX_OPTIONS[self.blocks.version]}"
            if self._left:
                remedy += f", or give up the {len(self._left)} of hosts that left with prune: true (pod_cidr_prune)"
            raise OptionError(
                self.blocks.path,
                str(self.blocks.network),
                f"is too small (blocks of /{self.blocks.prefix}: {self.blocks.count}, free: {len(free)}, "
                f"needed: {len(hosts)})",
                remedy,
            )
        for host, block in zip(hosts, free):
            self._take(host, Claim(block, FREE, ""))


def _claims(
    families: dict[int, Blocks], values: t.Mapping[str, t.Sequence[t.Any]], source: str, rules: Rules
) -> dict[int, dict[str, Claim]]:
    claims: dict[int, dict[str, Claim]] = {version: {} for version in families}
    for host, cidrs in values.items():
        for index, cidr in enumerate(cidrs):
            path, remedy = f"nodes.{host}.pod_cidrs[{index}]", _remedy(host, source, rules)
            try:
                blocks = _family(families, path, cidr, remedy)
                claim = Claim(blocks.block(path, cidr, remedy), source, path)
            except OptionError:
                if source == LOCK and rules.renumber:
                    continue
                raise
            if claims[blocks.version].setdefault(host, claim) is not claim:
                raise OptionError(path, cidr, f"is a second IPv{blocks.version} block of {host}", "give one per family")
    return claims


def _family(families: dict[int, Blocks], path: str, cidr: t.Any, remedy: str) -> Blocks:
    version = 6 if ":" in str(cidr) else 4
    if version not in families:
        problem = f"is IPv{version}, and none of cluster_cidrs is"
        raise OptionError(path, str(_values.network(path, cidr)), problem, remedy)
    return families[version]


def _remedy(host: str, source: str, rules: Rules) -> str:
    if source == HOSTVAR:
        return f"give {host} another block or remove pod_cidr_subnets from its host variables"
    if source == ADOPTED:
        return f"{host} was found to have it: let the options fit what the nodes have, or do not adopt"
    return f"correct {host} in {rules.lock_file}"


def _require_same_cluster(families: dict[int, Blocks], book: Book, lock_file: str) -> None:
    """Refuse another cluster's lock file; a family that the file does not know is welcome, it renumbers nobody."""
    for cidr, prefix in book.cluster:
        blocks = families.get(6 if ":" in cidr else 4)
        remedy = (
            f"name this cluster's own lock_file (pod_cidr_lock_file), or, where the cluster CIDR itself shall change, "
            f"{CONSENT}: blocks that still fit are kept"
        )
        if blocks is None or str(blocks.network) != cidr:
            given = [str(blocks.network) for blocks in families.values()]
            raise OptionError("cluster_cidrs", given, f"is not what {lock_file} was written for, {cidr}", remedy)
        if blocks.prefix != prefix:
            option = PREFIX_OPTIONS[blocks.version]
            raise OptionError(option, blocks.prefix, f"is not what {lock_file} was written for, {prefix}", remedy)
