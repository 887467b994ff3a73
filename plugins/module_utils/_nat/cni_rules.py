# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The chains and rules that CNI plugins make for each container, and how they are removed.  Pure.

The plugins name them by a hash of the network and the container, which is how a DEL finds them again, and so do we:
`FormatChainName` of containernetworking/plugins for iptables (ipMasq: ``CNI-``, portmap: ``CNI-DN-``),
`hashForInstance`
for ipMasq's nftables backend.  portmap's nftables backend writes the container's whole identifier.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._iptables import Listing, Table, target, words

#: iptables takes no longer names, and all names are this long.
CHAIN_LENGTH = 28

#: What follows ``CNI-``, and the chain that leads to it: ipMasq, portmap, portmap's of before 0.8.
PARENTS = {"": "POSTROUTING", "DN-": "CNI-HOSTPORT-DNAT", "SN-": "CNI-HOSTPORT-SNAT"}

CHAIN = re.compile(r"CNI-(DN-|SN-|)([0-9a-f]+)")

#: What ipMasq and portmap write into iptables' comments (Go's %q).
OWNER = re.compile(r'(?:dnat )?name: "([^"\\]*)" id: "([^"\\]*)"')

#: Where the plugins' nftables backends keep their rules: family, table, chain.
MASQUERADE = ("inet", "cni_plugins_masquerade", "masq_checks")
PORT_MAPS = tuple(
    (family, "cni_hostport", chain)
    for family in ("ip", "ip6")
    for chain in ("hostports", "hostip_hostports", "masquerading")
)

#: The comment of ipMasq's rules; a long one is cut off at its end.
INSTANCE = re.compile(r'comment "([0-9a-f]{16})-([0-9a-f]{16})(?:, net: ([^"]*?), if: ([^"]*?), id: ([^"]*))?')
COMMENT = re.compile(r'comment "([^"]*)"')
#: The address of the pod in a rule.
ADDRESS = re.compile(r"(?:^|\s)(?:-s|saddr|--to-destination|dnat to) (?:== )?(\[?[0-9a-fA-F.:]+\]?\S*)")


class Owner(t.NamedTuple):
    """Whose a chain or rule is; what is not known is None."""

    network: t.Optional[str]
    container_id: t.Optional[str]


class PodRule(t.NamedTuple):
    """One chain of iptables, with the rules that lead to it, or one rule of nftables."""

    #: iptables-nft, ip6tables-legacy, …, or nft.
    program: str
    #: The chain's name; for a rule its table and chain.
    place: str
    #: As its comment says, if that is true to the hash.
    owner: Owner
    #: The hash that a plugin would look for.
    key: str
    addresses: t.Tuple[str, ...]
    text: str
    handle: int = 0
    #: A rule of somebody else that leads to the chain too.
    foreign: t.Optional[str] = None

    @property
    def masquerades(self) -> bool:
        """Whether the bridge or ptp plugin made it, which are those that know ipMasq."""
        return self.place == " ".join(MASQUERADE) or bool(re.fullmatch(r"CNI-[0-9a-f]+", self.place))

    @property
    def name(self) -> str:
        """How it is called in a State."""
        if self.program == "nft":
            return f"nft rule {self.place} handle {self.handle}"
        return f"{self.program} chain {self.place}"


def chain_name(network: str, container_id: str, infix: str = "") -> str:
    """The name of the iptables chain of one container."""
    return f"CNI-{infix}{_digest(network + container_id)}"[:CHAIN_LENGTH]


def instance_hash(network: str, ifname: str, container_id: str) -> str:
    """How the comments of ipMasq's nftables rules for one interface begin."""
    return f"{network_hash(network)}-{_digest(f'{ifname}:{container_id}')[:16]}"


def network_hash(network: str) -> str:
    """The first half of it."""
    return _digest(network)[:16]


def keys(network: str, container_id: str, ifname: str) -> list[str]:
    """Return all by which a plugin would find what it made for a container's interface."""
    chains = [chain_name(network, container_id, infix) for infix in PARENTS]
    return [*chains, instance_hash(network, ifname, container_id), f"portmap {container_id}"]


def chains(program: str, listing: Listing) -> list[PodRule]:
    """Return the containers' chains in the nat table of one listing."""
    table = listing.get("nat", Table())
    jumps: dict[str, list[str]] = {}
    for lines in table.rules.values():
        for line in lines:
            # The quick look first: reading a rule takes a while, and there may be thousands.
            name = target(line) if "CNI-" in line else ""
            if CHAIN.fullmatch(name):
                jumps.setdefault(name, []).append(line)
    names = [name for name in table.policies if CHAIN.fullmatch(name) and len(name) == CHAIN_LENGTH]
    return [_chain(program, name, jumps.get(name, []), table.rules.get(name, [])) for name in names]


def rules(place: tuple[str, str, str], texts: t.Mapping[int, str]) -> list[PodRule]:
    """Return the containers' rules in one chain of nftables, from its rules by their handles."""
    make = _masquerade if place == MASQUERADE else _port_map
    found = [make(" ".join(place), handle, text) for handle, text in texts.items()]
    return [rule for rule in found if rule]


def removal(gone: t.Sequence[PodRule]) -> str:
    """Return the input of one program that removes all of these, or none: of iptables-restore, or of nft."""
    if all(rule.program == "nft" for rule in gone):
        return "".join(f"delete rule {rule.place} handle {rule.handle}\n" for rule in gone)
    lines = [f":{rule.place} - [0:0]" for rule in gone]  # This line empties the chain.
    lines += ["-D" + jump[2:] for rule in gone for jump in _jumps(rule)]
    lines += [f"-X {rule.place}" for rule in gone]
    return "\n".join(["*nat", *lines, "COMMIT\n"])


def _chain(program: str, name: str, jumps: list[str], lines: list[str]) -> PodRule:
    match = CHAIN.fullmatch(name)
    infix = match.group(1) if match else ""
    foreign = [line for line in jumps if line.split(None, 2)[1] != PARENTS[infix]]
    owners = [_commented(name, infix, line) for line in [*jumps, *lines]]
    text = "\n".join([f":{name} - [0:0]", *jumps, *lines]) + "\n"
    owner = next((found for found in owners if found), Owner(None, None))
    # The jump of ipMasq has the pod's address; in the chain itself is its network.
    seen = jumps if infix == "" else [*jumps, *lines]
    return PodRule(program, name, owner, name, _addresses(seen), text, foreign=foreign[0] if foreign else None)


def _commented(name: str, infix: str, line: str) -> t.Optional[Owner]:
    found = words(line)
    comments = [value for word, value in zip(found, found[1:]) if word == "--comment"]
    for match in filter(None, map(OWNER.fullmatch, comments)):
        if chain_name(match.group(1), match.group(2), infix) == name:
            return Owner(match.group(1), match.group(2))
    return None


def _masquerade(place: str, handle: int, text: str) -> t.Optional[PodRule]:
    match = INSTANCE.search(text)
    if match is None:
        return None
    network, ifname, container_id = match.group(3, 4, 5)
    key = f"{match.group(1)}-{match.group(2)}"
    true = network is not None and instance_hash(network, ifname, container_id) == key
    if network is None or network_hash(network) != match.group(1):
        owner = Owner(None, None)
    else:
        owner = Owner(network, container_id if true else None)
    return PodRule("nft", place, owner, key, _addresses([text.partition(" daddr ")[0]]), text + "\n", handle)


def _port_map(place: str, handle: int, text: str) -> t.Optional[PodRule]:
    match = COMMENT.search(text)
    if match is None:
        return None
    owner = Owner(None, match.group(1))
    return PodRule("nft", place, owner, f"portmap {match.group(1)}", _addresses([text]), text + "\n", handle)


def _jumps(rule: PodRule) -> list[str]:
    return [line for line in rule.text.rstrip("\n").split("\n")[1:] if line.split(None, 2)[1] != rule.place]


def _addresses(lines: t.Iterable[str]) -> tuple[str, ...]:
    """The single addresses in rules, without port and prefix length; loopback is nobody's."""
    found = []
    for line in lines:
        for word in ADDRESS.findall(line):
            address = _address(word)
            if address and address not in found:
                found.append(address)
    return tuple(found)


def _address(word: str) -> t.Optional[str]:
    """10.12.1.5, 10.12.1.5/32, 10.12.1.5:80, [fd00::5]:80."""
    bare = word[1:].partition("]")[0] if word.startswith("[") else word
    bare = bare.partition(":")[0] if bare.count(":") == 1 else bare
    try:
        network = ipaddress.ip_network(bare)
    except ValueError:
        return None
    single = network.prefixlen == network.max_prefixlen and not network.is_loopback
    return str(network.network_address) if single else None


def _digest(text: str) -> str:
    return hashlib.sha512(text.encode(errors="surrogateescape")).hexdigest()
