# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Changes that would leave pods behind, or renumber a node: refused unless the user consents.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import attachments, conf, loader, store
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.changes import REFUSE, Difference
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError, shown
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Network


def data_dirs(documents: t.Iterable[t.Any]) -> list[str]:
    """Where host-local keeps the leases of these configurations; its default in any case."""
    ipams = [plugin.get("ipam") for document in documents for plugin in conf.plugins_of(document)]
    given = [ipam.get("dataDir") for ipam in ipams if isinstance(ipam, dict)]
    places = [os.path.normpath(str(path)) for path in given if _is_place(path)]
    return list(dict.fromkeys([*places, conf.DEFAULT_DATA_DIR]))


def _is_place(path: t.Any) -> bool:
    """Whether a directory can be there; where a relative one is, the runtime alone knows."""
    try:
        return isinstance(path, str) and os.path.isabs(path) and b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def users(name: str, documents: t.Iterable[t.Any]) -> list[str]:
    """The containers that are attached to a network, by what libcni and host-local know."""
    lent = [lease for data_dir in data_dirs(documents) for lease in store.leases(name, data_dir)]
    return attachments.in_use(attachments.attachments(name), lent)


def require_unused(name: str, ours: t.Sequence[loader.File], allow_orphans: bool) -> None:
    """A network goes only when nobody is attached to it: without its file no pod can be detached."""
    attached = users(name, [entry.document for entry in ours]) if ours and not allow_orphans else []
    if attached:
        raise OptionError(
            "state", "absent", f"would orphan {_counted(attached)} of network {name}", _REMEDY, attached=attached
        )


def require_consent(
    network: conf.Network, before: t.Any, difference: Difference, allow_orphans: bool, renumber: bool
) -> None:
    """Refuse what would leave addresses lent for ever, and what would move the node to another pod CIDR."""
    if before and difference.kind == REFUSE and not allow_orphans:
        _require_no_orphans(str(before.get("name", network.name)), before, difference)
    if not renumber:
        _require_same_cidrs(conf.pod_cidrs(before), conf.pod_cidrs(network.document))
        _require_leases_inside(network)


def _require_no_orphans(name: str, before: conf.Document, difference: Difference) -> None:
    attached = users(name, [before])
    if attached:
        keys = ", ".join(
            key for key in difference.keys if key == "name" or key.endswith((".ipam.type", ".ipam.dataDir"))
        )
        raise OptionError(
            "config", name, f"would orphan {_counted(attached)}: {keys} changes", _REMEDY, attached=attached
        )


def require_unlent(network: conf.Network, settled: t.Container[str], allow_orphans: bool) -> None:
    """Refuse to lend addresses again that pods of other networks have: host-local knows those of one name only.

    ``settled`` are CIDRs that the network has already, so that nothing begins now.
    """
    cidrs = [ipaddress.ip_network(cidr) for cidr in conf.pod_cidrs(network.document) if cidr not in settled]
    if allow_orphans or not cidrs:
        return
    found = [entry for entry in attachments.cache().entries if entry.network != network.name]
    here = [entry for entry in found if entry.gone or any(_is_in(each, cidrs) for each in entry.addresses)]
    lent = [lease for lease in _others_leases(network) if _is_in(lease.address, cidrs)]
    attached = attachments.in_use(here, lent)
    if attached:
        names = sorted({entry.network for entry in here if entry.alive} | {_network(lease) for lease in lent})
        problem = (
            f"would lend addresses again that {_counted(attached)} of network {', '.join(map(shown, names))} may have"
        )
        raise OptionError("config", network.name, problem, _REMEDY, attached=attached)


def _others_leases(network: conf.Network) -> t.Iterator[store.Lease]:
    for data_dir in data_dirs([network.document]):
        for name in store.networks(data_dir):
            yield from store.leases(name, data_dir) if name != network.name else ()


def _network(lease: store.Lease) -> str:
    """The network that a lease is of: a store is called like it."""
    return os.path.basename(os.path.dirname(lease.path))


def _is_in(address: str, cidrs: t.Iterable[Network]) -> bool:
    """Whether an address, which libcni writes with a prefix length, is in one of these CIDRs."""
    bare = address.partition("/")[0]
    return _values.is_address(bare) and any(ipaddress.ip_address(bare) in cidr for cidr in cidrs)


def _require_same_cidrs(old: list[str], new: list[str]) -> None:
    # A family may be added; what is there must stay.
    gone = [cidr for cidr in old if cidr not in new]
    if new and gone:
        raise PodnetError(
            f"config: the node has the pod CIDR {', '.join(old)} and would get {', '.join(new)}; "
            "take what the nodes have where the lock file was lost (pod_cidr_adopt: true), give it its own again, "
            "or consent with renumber (pod_network_renumber: true)",
            old=old,
            new=new,
        )


def _require_leases_inside(network: conf.Network) -> None:
    cidrs = [ipaddress.ip_network(cidr) for cidr in conf.pod_cidrs(network.document)]
    for data_dir in data_dirs([network.document]) if cidrs else ():
        for lease in store.leases(network.name, data_dir):
            if not _is_in(lease.address, cidrs):
                listed = ", ".join(str(cidr) for cidr in cidrs)
                raise PodnetError(
                    f"config: {data_dir}/{network.name} holds a lease of {lease.address}, which is outside {listed}; "
                    "remove that pod, or consent with renumber (pod_network_renumber: true)"
                )


_REMEDY = "remove these pods first, or consent with allow_orphans"


def _counted(attached: t.Sequence[str]) -> str:
    first = ", ".join(entry[:12] for entry in attached[:3]) + (", …" if len(attached) > 3 else "")
    return f"{len(attached)} attached pod{'s' if len(attached) > 1 else ''} ({first})"
