# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Who else has addresses of the pod network: links, routes, name servers, Docker and other nodes.  Pure.

An address within a pod CIDR, or a route to one, takes packets away from pods: it stops.  A wider network only loses its
own machines in that range, and those of the rest of the cluster CIDR, to which pods speak without masquerading.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.claims import Claims
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.texts import Pool
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.verdicts import (
    INFORMS,
    STOPS,
    WARNS,
    Conflict,
    Consent,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Address, Interface, Network

#: Names that other CNIs give to their links.
OTHER_CNI = re.compile(
    r"cni0|cni-podman[0-9]+|(flannel|flannel-v6)\.[0-9]+|cali[0-9a-f]{11}|vxlan\.calico|tunl0|kube-bridge|cilium_\w+"
    r"|lxc[0-9a-f]{12}|weave|antrea-gw0|ovn-k8s-mp0"
)
DOCKER = re.compile(r"docker0|docker_gwbridge|br-[0-9a-f]{12}")
VPN_KINDS = ("tun", "wireguard", "ppp", "vti", "vti6", "xfrm")

#: OpenVPN writes a default route in two halves.
_HALF = 1
_REMEDY = "choose other CIDRs (pod_cidr_subnets, pod_cidr_cluster_cidrs)"


class Card(t.NamedTuple):
    """A link of the node, as far as is asked here; ``out`` is one that leads to the nodes' network or beyond it."""

    name: str
    kind: str
    ours: bool
    out: bool = False
    addresses: t.Sequence[Interface] = ()


class Way(t.NamedTuple):
    """A route; ``device`` is empty for one that discards packets, ``table`` is None for the main one."""

    dst: Network
    via: t.Optional[str]
    device: str
    discards: bool
    metric: int
    table: t.Optional[int] = None
    #: Whether it is none, and sends packets on to the next table.
    throws: bool = False

    def __str__(self) -> str:
        by = f" via {self.via}" if self.via else ""
        table = "" if self.table is None else f" table {self.table}"
        return f"route {self.dst}{by}" + (f" dev {self.device}" if self.device else "") + table


def of_cards(claims: Claims, cards: t.Iterable[Card]) -> list[Conflict]:
    """Judge the addresses of every link; plugin ptp gives the gateway's to the node's end of a pod's link."""
    found = (
        _former(claims, card, interface) if is_ours(claims, card) else _address(claims, card, interface)
        for card in cards
        for interface in card.addresses
        if not (_may_be_a_pods(card) and claims.is_gateway(interface.ip))
    )
    return [conflict for conflict in found if conflict]


def of_ways(claims: Claims, ways: t.Iterable[Way], cards: t.Mapping[str, Card], consent: Consent) -> list[Conflict]:
    """Judge every route that is not ours; of several to one pod CIDR through the same link the first is named.

    Consent to one of them is none to the others, so what is consented to is left out before they are one.
    """
    groups: dict[t.Any, list[Conflict]] = {}
    for way in ways:
        card = cards.get(way.device, Card("", "", False))
        if way.dst.prefixlen <= _HALF or is_ours(claims, card):
            continue
        if any(interface.network == way.dst for interface in card.addresses):
            continue  # it is there because of the address, which is judged
        if _may_be_a_pods(card) and way.via is None and way.dst.prefixlen == way.dst.max_prefixlen:
            continue  # plugin ptp's, to a pod
        conflict = _route(claims, way, card)
        if conflict and consent.lacks(conflict):
            # cali* has a link for each pod.
            group = "" if conflict.kind == "other_cni" else card.name
            groups.setdefault((conflict.grade, conflict.kind, group, claims.holding(way.dst)), []).append(conflict)
    return [together(group) for group in groups.values()]


def of_name_servers(claims: Claims, servers: t.Mapping[Address, str]) -> list[Conflict]:
    """Judge the name servers, each with the file in which it stands."""
    found = []
    for server, path in servers.items():
        claim, cluster = claims.holding(server), claims.in_cluster(server)
        if claims.is_gateway(server) or not (claim or cluster):
            continue
        if claim:
            what = f"{path}: name server {server} is in {claim}, so the node asks a pod; use another one or {_REMEDY}"
            found.append(Conflict(STOPS, "name_server", str(server), what))
        else:
            what = (
                f"{path}: name server {server} is in {cluster}, so pods ask it without masquerading, and it may not "
                f"know the way back; use another one or {_REMEDY}"
            )
            found.append(Conflict(WARNS, "name_server", str(server), what))
    return found


def of_nodes(claims: Claims) -> list[Conflict]:
    """Judge the other nodes' addresses; this node's own are on its links."""
    found = []
    for address, node in claims.nodes.items():
        claim, cluster = claims.holding(address), claims.in_cluster(address)
        if claim:
            what = f"nodes.{node}.addresses: {address} is in {claim}, so {node} is not reached; {_REMEDY}"
            found.append(Conflict(STOPS, "node_address", node, what))
        elif cluster:
            what = f"nodes.{node}.addresses: {address} is in {cluster}; nothing to do while no pod CIDR takes it"
            found.append(Conflict(INFORMS, "node_address", node, what))
    return found


def of_docker(claims: Claims, path: str, pools: t.Iterable[Pool]) -> list[Conflict]:
    """Judge the networks that Docker takes its own from; those that nobody has chosen it avoids where a route is."""
    found = []
    for pool in pools:
        pods = claims.holding(pool.network) or claims.held_by(pool.network)
        claim = pods or claims.in_cluster(pool.network)
        if claim:
            what = (
                f"{path}: {pool.key} {pool.network} and {claim} overlap, so Docker may give containers addresses of "
                "pods; choose other networks for Docker (default-address-pools, bip)"
            )
            found.append(Conflict(WARNS if pool.chosen and pods else INFORMS, "docker_pool", str(pool.network), what))
    return found


def is_ours(claims: Claims, card: Card) -> bool:
    return card.name == claims.bridge or card.ours


def _may_be_a_pods(card: Card) -> bool:
    return card.kind == "veth" and not OTHER_CNI.fullmatch(card.name)


def kind_of(card: Card, otherwise: str) -> str:
    if OTHER_CNI.fullmatch(card.name):
        return "other_cni"
    if DOCKER.fullmatch(card.name):
        return "docker_network"
    return "vpn" if card.kind in VPN_KINDS else otherwise


def remedy(kind: str, name: str) -> str:
    return {
        "other_cni": f"remove the other CNI and its link (ip link del {name}), or {_REMEDY}",
        "docker_network": f"remove that network of Docker, or {_REMEDY}",
        "vpn": f"let the VPN use other addresses, or {_REMEDY}",
        "route": f"remove it, or {_REMEDY}",
    }.get(kind, f"take the address away, or {_REMEDY}")


def _former(claims: Claims, card: Card, interface: Interface) -> t.Optional[Conflict]:
    """Judge what is ours; a run with another name for the bridge leaves the first one, whose route comes first."""
    claim = claims.holding(interface.ip)
    if card.name == claims.bridge or card.kind != "bridge" or not claim:
        return None
    what = (
        f"{card.name}: address {interface} of the bridge before {claims.bridge} is in {claim}, so packets to pods end "
        f"there; run playbook reset with pod_network_bridge: {card.name} first, then site"
    )
    return Conflict(STOPS, "address", card.name, what)


def _address(claims: Claims, card: Card, interface: Interface) -> t.Optional[Conflict]:
    kind = kind_of(card, "address")
    claim = claims.holding(interface.ip)
    if claim:
        what = f"{card.name}: address {interface} is in {claim}, so a pod may have it, too; {remedy(kind, card.name)}"
        return Conflict(STOPS, kind, card.name, what)
    network = interface.network
    hidden, cluster = claims.held_by(network), claims.in_cluster(network)
    if hidden:
        what = (
            f"{card.name}: its network {network} has {hidden} in it, and machines with these addresses are not reached"
        )
        return Conflict(WARNS, kind, card.name, f"{what}; {_REMEDY}")
    if cluster and (card.out or kind == "vpn"):
        what = f"{card.name}: its network {network} and {cluster} overlap, so pods speak to its machines without"
        return Conflict(WARNS, kind, card.name, f"{what} masquerading, and these may not know the way back; {_REMEDY}")
    if cluster:
        what = f"{card.name}: its network {network} and {cluster} overlap; keep pods out of it (pod_cidr_reserved)"
        return Conflict(INFORMS, kind, card.name, what)
    return None


def _route(claims: Claims, way: Way, card: Card) -> t.Optional[Conflict]:
    kind = kind_of(card, "route")
    claim = claims.holding(way.dst)
    if claim:
        if way.discards and way.metric and way.dst == claim.cidr:
            return None  # what catches packets to pods while the bridge is away
        what = f"{way}: takes packets to {claim} away from pods; {remedy(kind, card.name)}"
        return Conflict(STOPS, kind, object_of(kind, way, card), what)
    hidden, cluster = claims.held_by(way.dst), claims.in_cluster(way.dst)
    grade = WARNS if kind == "vpn" else INFORMS
    if hidden:
        what = f"{way}: machines beyond it with addresses of {hidden} are not reached; {remedy(kind, card.name)}"
        return Conflict(grade, kind, object_of(kind, way, card), what)
    if cluster:
        what = f"{way}: leads to a part of {cluster}, to which pods speak without masquerading"
        return Conflict(grade, kind, object_of(kind, way, card), f"{what}; keep pods out of it (pod_cidr_reserved)")
    return None


def object_of(kind: str, way: Way, card: Card) -> str:
    return str(way.dst) if kind == "route" else card.name


def together(group: list[Conflict]) -> Conflict:
    """Tell of several as of the first one."""
    first, more = group[0], len(group) - 1
    head, colon, tail = first.what.partition(": ")
    return first._replace(what=f"{head} (and {more} more like it){colon}{tail}") if more else first
