# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Who is attached to a network, as libcni remembers it.

libcni keeps one file for each attachment, with the whole configuration that it was made with.  Runtimes keep them in
different places.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import base64
import binascii
import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _json
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import changes, store
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.conf import Document
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

#: libcni's own default (containerd, CRI-O), and that of cri-dockerd and Kubernetes' dockershim.
CACHE_DIRS = ("/var/lib/cni/results", "/var/lib/cni/cache/results")

CACHE_KIND = "cniCacheV1"


class Attachment(t.NamedTuple):
    """One interface of one pod, as libcni remembers it."""

    container_id: str
    ifname: str
    netns: str
    #: Whether something is at that path; not yet a proof.
    alive: bool
    addresses: t.List[str]
    config: t.Any
    #: Namespace and name of the Kubernetes pod, if it is one; libcni's file.
    pod: str = ""
    path: str = ""
    network: str = ""
    mac: t.Optional[str] = None
    #: The links that the plugins made or used on the node: a bridge, the node's end of a veth pair.
    host_links: t.Sequence[str] = ()

    @property
    def gone(self) -> bool:
        """Whether it is known that its namespace is not there any more."""
        return bool(self.netns) and not self.alive

    @property
    def well_named(self) -> bool:
        """Whether the file has the name that libcni gives to such an entry; else somebody else wrote it."""
        return os.path.basename(self.path) == f"{self.network}-{self.container_id}-{self.ifname}"


class Cache(t.NamedTuple):
    """All that libcni remembers, and the files that could not be read."""

    entries: t.List[Attachment]
    unreadable: t.List[str]


def attachments(network: str, cache_dirs: t.Sequence[str] = CACHE_DIRS) -> list[Attachment]:
    """Return a network's attachments.

    The name is read from inside: of ``net-1-abc-eth0`` nobody can tell whether it is net's or net-1's.
    """
    return [entry for entry in cache(cache_dirs).entries if entry.network == network]


def cache(cache_dirs: t.Sequence[str] = CACHE_DIRS) -> Cache:
    """Return the attachments to all networks."""
    found = Cache([], [])
    for directory in dict.fromkeys(os.path.realpath(path) for path in cache_dirs):
        for name in store.names(directory):
            path = os.path.join(directory, name)
            entry = _cached(path)
            if entry is None:
                found.unreadable.append(path)
            elif entry.get("kind") == CACHE_KIND and isinstance(entry.get("networkName"), str):
                found.entries.append(_attachment(path, entry))
    return found


def in_use(found: t.Sequence[Attachment], lent: t.Sequence[store.Lease]) -> list[str]:
    """Return who would be orphaned: containers whose namespace lives, and leases of which nothing else is known.

    A container that is remembered but whose namespace is gone, as after a reboot, is nobody.
    """
    alive = {entry.container_id for entry in found if entry.alive}
    dead = {entry.container_id for entry in found if entry.gone} - alive
    return sorted(alive | {lease.container_id for lease in lent if lease.container_id not in dead})


def stale(found: t.Sequence[Attachment], document: Document) -> list[dict[str, t.Any]]:
    """Return the attachments that were made with another configuration than this one, and the keys that differ.

    Those of containers that are gone are none.
    """
    differing = []
    for entry in found:
        if entry.gone:
            continue
        difference = changes.classify(entry.config, document)
        if difference.kind != changes.NONE:
            differing.append(
                {
                    "container_id": entry.container_id,
                    "pod": entry.pod,
                    "ifname": entry.ifname,
                    "addresses": entry.addresses,
                    "change_class": difference.kind,
                    "changed_keys": difference.keys,
                }
            )
    return differing


def _attachment(path: str, entry: dict[str, t.Any]) -> Attachment:
    result = entry["result"] if isinstance(entry.get("result"), dict) else {}
    interfaces = _json.objects(result.get("interfaces"))
    ifname = str(entry.get("ifName", ""))
    netns = str(entry.get("netns") or "") or _sandbox(interfaces, ifname)
    macs = [str(link["mac"]) for link in interfaces if link.get("sandbox") and link.get("mac")]
    return Attachment(
        network=str(entry["networkName"]),
        container_id=str(entry.get("containerId", "")),
        ifname=ifname,
        netns=netns,
        alive="\0" not in netns and os.path.exists(netns),
        addresses=_addresses(result),
        config=_decoded(entry.get("config")),
        pod=_pod(entry.get("cniArgs")),
        mac=macs[0].lower() if macs else None,
        host_links=[str(link["name"]) for link in interfaces if link.get("name") and not link.get("sandbox")],
        path=path,
    )


def _addresses(result: dict[str, t.Any]) -> list[str]:
    found = [str(ip["address"]) for ip in _json.objects(result.get("ips")) if "address" in ip]
    # Before version 0.3.0 a result had one address of each family.
    old = _json.objects([result.get(key) for key in ("ip4", "ip6")])
    return found + [str(ip["ip"]) for ip in old if "ip" in ip]


def _sandbox(interfaces: list[dict[str, t.Any]], ifname: str) -> str:
    """The namespace of the pod's interface: libcni before 1.2 (containerd 1, dockershim) has it here alone."""
    return next((str(each.get("sandbox") or "") for each in interfaces if each.get("name") == ifname), "")


def _pod(arguments: t.Any) -> str:
    """The pod that a kubelet's runtime names in the arguments of a CNI call."""
    pairs = [pair for pair in arguments if isinstance(pair, list)] if isinstance(arguments, list) else []
    named = {str(pair[0]): str(pair[1]) for pair in pairs if len(pair) == 2}
    name = named.get("K8S_POD_NAME", "")
    return f"{named.get('K8S_POD_NAMESPACE', '')}/{name}" if name else ""


def _decoded(config: t.Any) -> t.Any:
    try:
        return _json.parse(base64.b64decode(config, validate=True))
    except (ValueError, TypeError, binascii.Error):
        return None


def _cached(path: str) -> t.Optional[dict[str, t.Any]]:
    """Return what is in a file; None for a FIFO, a directory, a huge file, and what is no JSON object."""
    try:
        # Nobody but libcni writes here, and it writes no links.
        text = None if os.path.islink(path) else _files.read_text(path)
        entry = _json.parse(text or "")
    except (PodnetError, ValueError):
        return None
    return entry if isinstance(entry, dict) else None
