# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""All that the node knows of attached pods, read once: cache, leases, the rules of the plugins, and links.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.mink8s.podnet.plugins.module_utils import _iptables
from ansible_collections.mink8s.podnet.plugins.module_utils._attached.verdict import (
    ALIVE,
    DEAD,
    UNKNOWN,
    Case,
    Scene,
    Verdict,
    bare,
    is_alone,
    judge,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import attachments, conf, consent, loader, store
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.attachments import Cache
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.store import Lease
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import wires
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import cni_rules
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.cni_rules import PodRule
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.nftables import Nftables
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Host

#: The network, the container, and, where a lease does not say whose it is, the address.
Key = t.Tuple[str, str, str]


#: An ADD takes a fraction of a second, but a runtime may wait for minutes before it gives one up.
MIN_AGE = 60


class Places(t.NamedTuple):
    """Where to look."""

    conf_dir: str
    cache_dirs: t.Sequence[str]
    #: A lease that is younger (in seconds) may be one of a pod that is being attached.
    min_age: float


@dataclass
class Survey:
    """What was found, and the verdict on each container."""

    files: t.List[loader.File]
    cache: Cache
    #: Every lease, with its network.
    leases: t.List[t.Tuple[str, Lease]]
    rules: t.List[PodRule]
    #: Stores of host-local: a directory for each network.
    data_dirs: t.List[str]
    #: Tables of iptables that cannot be looked at, each with the reason.
    hidden: t.Dict[str, str] = field(default_factory=dict)
    view: wires.View = field(default_factory=lambda: wires.View([], {}))
    cases: t.Dict[Key, Case] = field(default_factory=dict)
    verdicts: t.Dict[Key, Verdict] = field(default_factory=dict)
    #: The containers that each hash of a rule may stand for.
    by_hash: t.Dict[str, t.List[Key]] = field(default_factory=dict)

    def document(self, network: str) -> t.Optional[conf.Document]:
        """Return today's configuration of a network: the first file of its name that can be loaded."""
        ours = (entry for entry in self.files if entry.network == network and not entry.error)
        return next((entry.document for entry in ours), None)

    def documents(self, network: str) -> list[t.Any]:
        """Return every configuration of a network that is known, today's and those of its pods."""
        found = [entry.document for entry in self.files if entry.network == network]
        return found + [entry.config for entry in self.cache.entries if entry.network == network]

    def verdict_of(self, rule: PodRule) -> Verdict:
        """Return the verdict on a rule: that of the container it is for, or the worst of all those it may be for."""
        if rule.foreign:
            return Verdict(UNKNOWN, f"another rule leads to it: {rule.foreign}")
        found = [self.verdicts[key] for key in self.by_hash.get(rule.key, [])]
        if not found:
            return Verdict(UNKNOWN, "its comment does not tell which container it is for")
        return next(
            (verdict for state in (ALIVE, UNKNOWN, DEAD) for verdict in found if verdict.state == state), found[0]
        )

    def owner_of(self, rule: PodRule) -> cni_rules.Owner:
        """Return whose a rule is: as it says itself, else by its hash if that can be only one's."""
        if rule.owner.network and rule.owner.container_id:
            return rule.owner
        keys = self.by_hash.get(rule.key, [])
        networks, containers = {key[0] for key in keys}, {key[1] for key in keys}
        return cni_rules.Owner(
            rule.owner.network or (networks.pop() if len(networks) == 1 else None),
            rule.owner.container_id or (containers.pop() if len(containers) == 1 else None),
        )


def places(params: dict[str, t.Any]) -> Places:
    """Return the places that a module was given."""
    return Places(params["conf_dir"], params["cache_dirs"], seconds("min_age", params["min_age"], 1))


def seconds(option: str, value: int, least: int) -> int:
    """A number of seconds that an hour is enough for."""
    if not least <= value <= 3600:
        raise OptionError(option, value, "is out of range", f"use {least} to 3600 seconds")
    return value


def look(host: Host, places: Places) -> Survey:
    """Read it all; the links last, so that a pod that was attached before is seen with its link."""
    files = loader.read_directory(places.conf_dir)
    cache = attachments.cache(places.cache_dirs)
    configs = [*[entry.document for entry in files], *[entry.config for entry in cache.entries]]
    data_dirs = consent.data_dirs(configs)
    found = Survey(files, cache, _leases(data_dirs), [], data_dirs)
    _find_rules(host, found)
    _open_cases(found)
    found.view = wires.look(entry.netns for entry in cache.entries if entry.netns)
    scene = _scene(found, places)
    found.verdicts = {key: judge(case, scene) for key, case in found.cases.items()}
    return found


def _leases(data_dirs: t.Iterable[str]) -> list[tuple[str, Lease]]:
    return [
        (network, lease)
        for data_dir in dict.fromkeys(map(os.path.realpath, data_dirs))
        for network in store.networks(data_dir)
        for lease in store.leases(network, data_dir)
    ]


def _find_rules(host: Host, found: Survey) -> None:
    for tool in _iptables.find_tools(host):
        listing = _iptables.saved(host, tool, tables=("nat",))
        found.rules += cni_rules.chains(tool.name, listing)
        if any(table.hidden for table in listing.values()):
            found.hidden[f"{tool.name} table nat"] = tool.why_hidden("nat")
    nft = Nftables(host)
    for place in (cni_rules.MASQUERADE, *cni_rules.PORT_MAPS) if nft.nft else ():
        found.rules += cni_rules.rules(place, nft.chain_texts(*place))


def _open_cases(found: Survey) -> None:
    """Bring together what belongs to one container."""
    for entry in found.cache.entries:
        case = _case(found, (entry.network, entry.container_id, ""))
        case.entries.append(entry)
        case.addresses.update(map(bare, entry.addresses))
        # Plugin loopback makes no rules; those of the same container are its other network's.
        if not is_alone(entry):
            _index(found, case, entry.ifname)
    for network, lease in found.leases:
        # A lease that says nothing stands for itself alone.
        case = _case(found, (network, lease.container_id, "" if lease.container_id else lease.address))
        case.leases.append(lease)
        case.addresses.add(lease.address)
        _index(found, case, lease.ifname or "eth0")
    # What says itself whose it is may tell of containers that nothing else knows any more; the rest is known by its
    # hash.
    for rule in sorted(found.rules, key=lambda rule: None in rule.owner):
        if rule.owner.network and rule.owner.container_id:
            key = (rule.owner.network, rule.owner.container_id, "")
            case = _case(found, key)
            _index(found, case, None, rule.key)
            owners = [key]
        else:
            owners = found.by_hash.get(rule.key, [])
        for key in owners:
            found.cases[key].addresses.update(rule.addresses)
            found.cases[key].masqueraded |= rule.masquerades


def _case(found: Survey, key: Key) -> Case:
    return found.cases.setdefault(key, Case(key[0], key[1]))


def _index(found: Survey, case: Case, ifname: t.Optional[str], *more: str) -> None:
    """Remember all by which the plugins would find the rules of a container."""
    if not case.container_id:
        return
    key = (case.network, case.container_id, "")
    for word in (*cni_rules.keys(case.network, case.container_id, ifname or ""), *more):
        keys = found.by_hash.setdefault(word, [])
        if key not in keys:
            keys.append(key)


def bridges(found: Survey) -> dict[str, str]:
    """Return the bridges of all networks that are known, each with the network that it is first seen in."""
    networks = [entry.network for entry in found.files] + [entry.network for entry in found.cache.entries]
    seen: dict[str, str] = {}
    for network in dict.fromkeys(name for name in networks if name):
        for plugin in [plugin for document in found.documents(network) for plugin in conf.plugins_of(document)]:
            if plugin.get("type") == "bridge":
                seen.setdefault(str(plugin.get("bridge", conf.DEFAULT_BRIDGE)), network)
    return seen


def _scene(found: Survey, places: Places) -> Scene:
    networks = {key[0] for key in found.cases}
    lent = {(network, lease.address): lease.container_id for network, lease in found.leases}
    return Scene(
        view=found.view,
        claims=_claims(found, lent),
        lent=lent,
        kinds={network: _kinds(found.documents(network)) for network in networks},
        bridges=bridges(found),
        unreadable=[os.path.basename(path) for path in found.cache.unreadable],
        now=time.time(),
        min_age=places.min_age,
    )


def _claims(found: Survey, lent: t.Mapping[tuple[str, str], str]) -> dict[int, set[str]]:
    """Whose the namespaces are: a path may lead to another one's by now, so a link or address must be there too."""
    ends: dict[int, list[wires.Wire]] = {}
    for wire in found.view.wires:
        if wire.nsid is not None:
            ends.setdefault(wire.nsid, []).append(wire)
    claims: dict[int, set[str]] = {}
    for entry in found.cache.entries:
        space = found.view.spaces.get(entry.netns, wires.Space(False))
        if not space.there or space.nsid is None:
            continue
        mine = {
            address
            for address in map(bare, entry.addresses)
            if lent.get((entry.network, address), entry.container_id) == entry.container_id
        }
        if any(
            wire.name in entry.host_links or mine.intersection(wire.inside or ()) for wire in ends.get(space.nsid, [])
        ):
            claims.setdefault(space.nsid, set()).add(entry.container_id)
    return claims


def _kinds(documents: t.Iterable[t.Any]) -> set[str]:
    """The plugins that attach: the first of each list."""
    found = [plugins[0].get("type") for plugins in map(conf.plugins_of, documents) if plugins]
    return {kind for kind in found if isinstance(kind, str)}
