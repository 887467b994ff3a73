# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which rules in a listing of iptables are Docker's, and how they are taken out.  Pure.

Docker Engine 1.10 to 29 makes chains of these names, and puts rules of these forms into the chains of the kernel; they
stand in libnetwork's bridge driver (iptabler/, before 28 setup_ip_tables.go), firewall_linux.go and service_linux.go.
None of them has a comment.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mink8s.podnet.plugins.module_utils._iptables import Listing, Table, words

TABLES = ("filter", "nat", "raw")

#: For rules of the user, as Docker says; it is Docker's only while it is as Docker made it.
USER_CHAIN = "DOCKER-USER"

CHAINS = {
    "filter": (
        "DOCKER",
        "DOCKER-BRIDGE",
        "DOCKER-CT",
        "DOCKER-FORWARD",
        "DOCKER-INGRESS",
        "DOCKER-INTERNAL",
        "DOCKER-ISOLATION",
        "DOCKER-ISOLATION-STAGE-1",
        "DOCKER-ISOLATION-STAGE-2",
        USER_CHAIN,
    ),
    "nat": ("DOCKER", "DOCKER-INGRESS"),
    "raw": (),
}

#: Docker's bridges by their own names; those that users named are known by Docker's rules about them.
BRIDGE = re.compile(r"docker0|docker_gwbridge|br-[0-9a-f]{12}")
NAMED_BY = ("-o (?P<bridge>{name}) -j DOCKER", "-i (?P<bridge>{name}) ! -o (?P=bridge) -j DOCKER-ISOLATION-STAGE-2")

_IN, _AGAIN, _SET = "(?P<bridge>{name})", "(?P=bridge)", "-m set --match-set docker-ext-bridges-v[46] dst"
_DNAT = r"-m addrtype --dst-type LOCAL -j DOCKER(-INGRESS)?"
_PORT = r"-p \w+ -m \w+ --dport \d+"
FORMS = {
    ("filter", "FORWARD"): (
        r"-j DOCKER-(USER|FORWARD|INGRESS|ISOLATION|ISOLATION-STAGE-1)",
        f"-o {_IN} -j DOCKER",
        f"-o {_IN} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        f"-i {_IN} ! -o {_AGAIN} -j ACCEPT",
        f"-i {_IN} -o {_AGAIN} -j (ACCEPT|DROP)",
        f"-i {_IN} -j ACCEPT",
        f"{_SET} -j DOCKER",
        f"{_SET} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ),
    ("nat", "PREROUTING"): (_DNAT,),
    ("nat", "OUTPUT"): (_DNAT, rf"! -d (127\.0\.0\.0/8|::1/128) {_DNAT}"),
    ("nat", "POSTROUTING"): (
        rf"-s (?P<network>\S+) ! -o {_IN} -j (MASQUERADE|SNAT --to-source \S+)",
        rf"-o {_IN} -m addrtype --src-type LOCAL -j (MASQUERADE|SNAT --to-source \S+)",
        rf"-s (?P<pod>\S+)/(32|128) -d (?P=pod)/(32|128) {_PORT} -j MASQUERADE",
    ),
    ("raw", "PREROUTING"): (rf"-d \S+ ! -i {_IN}( {_PORT})? -j DROP",),
}
NAME = r"[^\s+]+"


@dataclass
class Found:
    """What of Docker's is in one listing."""

    #: Names of bridges that Docker has made rules for.
    bridges: set[str] = field(default_factory=set)
    #: Chains with their rules, and rules in the kernel's own chains, both by table and chain.
    chains: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    rules: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    #: Whether the policy of FORWARD is DROP by Docker's doing, or may be by another's.
    drops: bool = False
    drops_for_others: bool = False
    #: DOCKER-USER with rules of the user, and rules of others that jump to what is to go.
    kept: list[str] = field(default_factory=list)
    in_the_way: list[tuple[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.chains or self.rules)


def find(listing: Listing) -> Found:
    """Tell what is Docker's in a listing."""
    found = Found(bridges=_bridges(listing))
    for name, table in listing.items():
        for chain in CHAINS.get(name, ()):
            if chain in table.policies:
                found.chains[name, chain] = table.rules.get(chain, [])
        for (place, chain), forms in FORMS.items():
            lines = table.rules.get(chain, []) if place == name else []
            lines = _dockers(lines, forms, found.bridges)
            if lines:
                found.rules[place, chain] = lines
    _keep_the_users(listing, found)
    _look_for_jumps(listing, found)
    table = listing.get("filter", Table())
    if table.policies.get("FORWARD") == "DROP" and found.chains:
        # Docker sets that policy alone; a firewall sets it for packets to the node, too, or has chains of its own.
        others = table.policies.get("INPUT") == "DROP" or any(chain.startswith("ufw") for chain in table.policies)
        found.drops, found.drops_for_others = not others, others
    return found


def script(found: Found, accept: bool) -> str:
    """Return the input of iptables-restore that takes all of it out, the policy together with its reason."""
    sections = []
    for table in TABLES:
        chains = [chain for place, chain in found.chains if place == table]
        lines = [line for (place, _chain), rules in found.rules.items() if place == table for line in rules]
        policy = ["-P FORWARD ACCEPT"] if accept and table == "filter" else []
        if chains or lines or policy:
            emptied, removed = [f":{chain} - [0:0]" for chain in chains], [f"-X {chain}" for chain in chains]
            deletions = [f"-D{line[2:]}" for line in lines]
            sections.append("\n".join([f"*{table}", *policy, *emptied, *deletions, *removed, "COMMIT\n"]))
    return "".join(sections)


def _bridges(listing: Listing) -> set[str]:
    found = {"docker0"}
    table = listing.get("filter", Table())
    for chain in ("FORWARD", "DOCKER-BRIDGE", "DOCKER-ISOLATION-STAGE-1"):
        for line in table.rules.get(chain, []):
            for form in NAMED_BY:
                match = re.fullmatch(form.replace("{name}", NAME), _body(line))
                found |= {match.group("bridge")} if match else set()
    return found


def _dockers(lines: list[str], forms: t.Iterable[str], bridges: t.Container[str]) -> list[str]:
    """Return those lines that have one of the forms and are about a bridge, or a container, of Docker's."""
    networks: set[str] = set()
    found: dict[int, dict[str, t.Optional[str]]] = {}
    for index, line in enumerate(lines):
        names = _names(line, forms)
        if names is not None and (names.get("bridge") is None or _is_bridge(str(names["bridge"]), bridges)):
            found[index] = names
            networks |= {str(names["network"])} if names.get("network") else set()
    return [lines[index] for index, names in found.items() if _is_inside(names.get("pod"), networks)]


def _names(line: str, forms: t.Iterable[str]) -> t.Optional[dict[str, t.Optional[str]]]:
    matches = (re.fullmatch(form.replace("{name}", NAME), _body(line)) for form in forms)
    return next((match.groupdict() for match in matches if match), None)


def _is_bridge(name: str, bridges: t.Container[str]) -> bool:
    return name in bridges or BRIDGE.fullmatch(name) is not None


def _is_inside(address: t.Optional[str], networks: t.Iterable[str]) -> bool:
    if address is None:
        return True
    try:
        return any(ipaddress.ip_address(address) in ipaddress.ip_network(network) for network in networks)
    except ValueError:
        return False


def _body(line: str) -> str:
    return " ".join(words(line)[2:])


def _keep_the_users(listing: Listing, found: Found) -> None:
    """Leave DOCKER-USER out if somebody uses it, with the jump to it that gives its rules their effect."""
    table = listing.get("filter", Table())
    key = ("filter", USER_CHAIN)
    if key not in found.chains:
        return
    jump = f"-A FORWARD -j {USER_CHAIN}"
    users = [line for line in found.chains[key] if line != f"-A {USER_CHAIN} -j RETURN"]
    users += [line for line in table.jumps_to(USER_CHAIN) if line != jump]
    if users:
        del found.chains[key]
        found.kept = users
        left = [line for line in found.rules.get(("filter", "FORWARD"), []) if line != jump]
        found.rules.pop(("filter", "FORWARD"), None)
        found.rules.update({("filter", "FORWARD"): left} if left else {})


def _look_for_jumps(listing: Listing, found: Found) -> None:
    """Note rules of others that would be left without the chain that they jump to."""
    docker = {
        (table, line) for part in (found.rules, found.chains) for (table, _c), lines in part.items() for line in lines
    }
    for table, chain in found.chains:
        jumps = [(table, line) for line in listing[table].jumps_to(chain)]
        found.in_the_way += [jump for jump in jumps if jump not in docker]
