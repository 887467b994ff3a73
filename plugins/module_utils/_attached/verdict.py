# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Whether a container is still attached: alive, dead, or unknown with the reason.  Pure.

Dead is what is proved: its namespace is gone, and so is its veth, or no namespace that a veth of this node leads
into has its address.  Whatever leaves a doubt is unknown, and nothing of it is ever freed.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import conf
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.attachments import Attachment
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.store import Lease
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.wires import Space, View, Wire

ALIVE, DEAD, UNKNOWN = "alive", "dead", "unknown"

#: Plugins that connect a pod with a pair of links, one end of which is on the node; and one that connects it to
#: nothing.
PAIRED = ("bridge", "ptp")
ALONE = ("loopback",)


class Verdict(t.NamedTuple):
    """What is known of a container, and why."""

    state: str
    reason: str


@dataclass
class Case:
    """All that carries one container's name on the node, in one network."""

    network: str
    container_id: str
    entries: t.List[Attachment] = field(default_factory=list)
    leases: t.List[Lease] = field(default_factory=list)
    #: By all of that, and by its rules.
    addresses: t.Set[str] = field(default_factory=set)
    #: Whether a chain or rule of ipMasq is its, which only PAIRED plugins make.
    masqueraded: bool = False


@dataclass(frozen=True)
class Scene:
    """The node around the cases."""

    view: View
    #: Whose the namespaces are, by libcni's cache: the containers by the number of the namespace.
    claims: t.Dict[int, t.Set[str]]
    #: To whom an address of a network is lent.
    lent: t.Dict[t.Tuple[str, str], str]
    #: The types of the plugins that attach a network's pods, by every configuration of it that is known.
    kinds: t.Dict[str, t.Set[str]]
    #: The bridges of all networks that are known.
    bridges: t.Collection[str]
    #: Names of files in libcni's cache that could not be read.
    unreadable: t.Sequence[str]
    now: float
    min_age: float


Rule = t.Callable[[Case, Scene], t.Optional[Verdict]]


def judge(case: Case, scene: Scene) -> Verdict:
    """Return the first doubt, or that there is none."""
    for rule in RULES:
        verdict = rule(case, scene)
        if verdict:
            return verdict
    gone = [entry for entry in case.entries if entry.netns]
    if gone and _pairs(case):
        return Verdict(DEAD, f"its namespace {gone[0].netns} is gone, and its veth {_pairs(case)[0]} too")
    if gone:
        return Verdict(DEAD, f"its namespace {gone[0].netns} is gone")
    listed = ", ".join(sorted(case.addresses))
    return Verdict(DEAD, f"no namespace that a veth of this node leads into has {listed}")


def _namespace(case: Case, scene: Scene) -> t.Optional[Verdict]:
    """A namespace that a file holds is the pod's; what /proc shows may be another process by now."""
    for entry in case.entries:
        space = scene.view.spaces.get(entry.netns, Space(False))
        if not space.there:
            continue
        if not entry.netns.startswith("/proc/"):
            return Verdict(ALIVE, f"its namespace {entry.netns} is there")
        if any(_leads_to(wire, space, case) for wire in scene.view.wires):
            return Verdict(ALIVE, f"its namespace {entry.netns} is there, with its address")
        if not _kinds(case, scene) <= set(PAIRED):
            return Verdict(UNKNOWN, f"{entry.netns} is a namespace, but process ids are used again")
    return None


def _file_name(case: Case, scene: Scene) -> t.Optional[Verdict]:
    prefix = f"{case.network}-{case.container_id}-"
    broken = next((name for name in scene.unreadable if name.startswith(prefix)), None)
    if broken and case.container_id:
        return Verdict(UNKNOWN, f"libcni's file {broken} cannot be read")
    wrong = next((entry for entry in case.entries if not entry.well_named), None)
    if wrong:
        return Verdict(UNKNOWN, f"{wrong.path} does not have the name that libcni would give it")
    return None


def _age(case: Case, scene: Scene) -> t.Optional[Verdict]:
    """A runtime that attaches a pod right now has taken the address first, and has told nobody yet."""
    for lease in case.leases:
        age = scene.now - lease.since
        if age < scene.min_age:
            ago = f"{age:.0f} seconds ago" if age >= 0 else "in the future, by its time stamp"
            return Verdict(UNKNOWN, f"{lease.address} was lent {ago}, so a runtime may still be attaching it")
    return None


def _veth(case: Case, scene: Scene) -> t.Optional[Verdict]:
    mine = {name for entry in case.entries for name in entry.host_links}
    wire = next((wire for wire in scene.view.wires if wire.name in mine), None)
    if wire is None or not case.entries:
        return None
    netns = case.entries[0].netns or "its namespace"
    return Verdict(UNKNOWN, f"{netns} is not there, but its veth {wire.name} still is")


def _address(case: Case, scene: Scene) -> t.Optional[Verdict]:
    """An address that is in use is the container's, unless the namespace is known to be another one's."""
    for address in sorted(case.addresses):
        for wire in scene.view.wires:
            claimed = scene.claims.get(wire.nsid, set()) if wire.nsid is not None else set()
            if address not in (wire.inside or ()) or (claimed and case.container_id not in claimed):
                continue
            used = f"{address} is used in the namespace that {wire.name} leads into"
            other = scene.lent.get((case.network, address), case.container_id)
            if other != case.container_id:
                return Verdict(UNKNOWN, f"{used}, and is lent to {other or 'nobody knows whom'}")
            return Verdict(ALIVE, used)
    return None


def _here(case: Case, scene: Scene) -> t.Optional[Verdict]:  # noqa: ARG001
    """Who cannot see even one bridge of the node's networks may be in another namespace than the plugins were."""
    paired = [wire for wire in scene.view.wires if wire.nsid is not None]
    if set(scene.bridges).intersection(scene.view.bridges) or (not scene.bridges and paired):
        return None
    names = ", ".join(sorted(scene.bridges))
    what = f"no bridge of a known network is here ({names})" if names else "no veth is here"
    return Verdict(UNKNOWN, f"{what}: no pod was attached since the node started, or this is another network namespace")


def _provable(case: Case, scene: Scene) -> t.Optional[Verdict]:
    kinds = _kinds(case, scene)
    if kinds and kinds <= set(ALONE) and case.entries:
        return None
    strange = sorted(kinds - set(PAIRED))
    if strange:
        return Verdict(UNKNOWN, f"the plugin {strange[0]} leaves no link on the node that would prove it")
    if not kinds and not case.masqueraded:
        return Verdict(
            UNKNOWN, f"no configuration of network {case.network} is known that tells how its pods are linked"
        )
    if not case.addresses and not case.entries:
        return Verdict(UNKNOWN, "nothing tells which address it had")
    return None


def _sight(case: Case, scene: Scene) -> t.Optional[Verdict]:
    """Whose veth is not known may be behind any of them, so each must be understood."""
    if case.entries and all(pairs(entry) for entry in case.entries):
        return None
    for wire in scene.view.wires:
        if wire.nsid is None or scene.claims.get(wire.nsid, set()) - {case.container_id}:
            continue
        if wire.inside is None:
            return Verdict(UNKNOWN, f"{wire.name} leads into a namespace whose addresses the kernel does not tell")
        if not wire.inside:
            return Verdict(UNKNOWN, f"{wire.name} leads into a namespace that has no address yet")
    return None


RULES: t.Tuple[Rule, ...] = (_namespace, _file_name, _age, _veth, _address, _here, _provable, _sight)


def _leads_to(wire: Wire, space: Space, case: Case) -> bool:
    same = wire.nsid is not None and wire.nsid == space.nsid
    return same and (wire.name in _pairs(case) or bool(case.addresses.intersection(wire.inside or ())))


def _kinds(case: Case, scene: Scene) -> set[str]:
    return scene.kinds.get(case.network, set())


def _pairs(case: Case) -> list[str]:
    """The node's ends of its pairs, by libcni's cache."""
    return [name for entry in case.entries for name in pairs(entry)]


def pairs(entry: Attachment) -> list[str]:
    """The links of an attachment on the node that are no bridge; none where the configuration cannot tell which."""
    plugins = conf.plugins_of(entry.config)
    bridges = [plugin.get("bridge", conf.DEFAULT_BRIDGE) for plugin in plugins if plugin.get("type") == "bridge"]
    return [name for name in entry.host_links if name not in bridges] if plugins else []


def is_alone(entry: Attachment) -> bool:
    """Whether it is the ``lo`` of a pod, which containerd and cri-dockerd attach too, as a network without a file."""
    kinds = [plugin.get("type") for plugin in conf.plugins_of(entry.config)]
    return bool(kinds) and all(kind in ALONE for kind in kinds)


def bare(address: str) -> str:
    """An address without its prefix length."""
    return address.partition("/")[0]
