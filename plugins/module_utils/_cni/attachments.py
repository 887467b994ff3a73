# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Who is attached to a network: what libcni remembers, and the addresses that host-local has lent.

libcni keeps one file for each attachment, with the whole configuration that it was made with; host-local keeps one
file for each address, named like it.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import ipaddress
import json
import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _files
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import changes
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.conf import Document
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

#: libcni's own default (containerd, CRI-O), and that of cri-dockerd and Kubernetes' dockershim.
CACHE_DIRS = ("/var/lib/cni/results", "/var/lib/cni/cache/results")

CACHE_KIND = "cniCacheV1"

#: What host-local keeps beside the addresses.
HOUSEKEEPING = ("lock", "last_reserved_ip.")


class Attachment(t.NamedTuple):
    """One interface of one pod, as libcni remembers it."""

    container_id: str
    ifname: str
    netns: str
    alive: bool
    addresses: t.List[str]
    config: t.Any
    #: Namespace and name of the Kubernetes pod, if it is one; libcni's file.
    pod: str = ""
    path: str = ""


class Lease(t.NamedTuple):
    """One address that host-local has lent; ``ifname`` is empty in stores of very old releases."""

    address: str
    container_id: str
    ifname: str


def attachments(network: str, cache_dirs: t.Sequence[str] = CACHE_DIRS) -> list[Attachment]:
    """Return a network's attachments.

    The name is read from inside: of ``net-1-abc-eth0`` nobody can tell whether it is net's or net-1's.
    """
    found = []
    for directory in cache_dirs:
        for name in _names(directory):
            path = os.path.join(directory, name)
            entry = _cached(path)
            if entry.get("kind") == CACHE_KIND and entry.get("networkName") == network:
                found.append(_attachment(entry, path))
    return found


def leases(network: str, data_dir: str) -> list[Lease]:
    """Return the addresses that host-local has lent to a network's pods, in the addresses' order."""
    store = os.path.join(data_dir, network)
    found = []
    for name in _names(store):
        if not _is_address(name):
            continue
        owner = (_text(os.path.join(store, name)) or "").replace("\r", "").split("\n")
        found.append(Lease(name, owner[0], owner[1] if len(owner) > 1 else ""))
    return sorted(found, key=lambda lease: (":" in lease.address, int(ipaddress.ip_address(lease.address))))


def housekeeping(network: str, data_dir: str) -> t.Optional[list[str]]:
    """Return what is in a network's store if that is no address; None where there is no store or more is in it."""
    store = os.path.join(data_dir, network)
    if os.path.islink(store) or not os.path.isdir(store):
        return None
    names = _names(store)
    ours = all(name == HOUSEKEEPING[0] or name.startswith(HOUSEKEEPING[1]) for name in names)
    return names if ours else None


def remove_store(network: str, data_dir: str) -> None:
    """Remove a network's empty store, under the lock that host-local takes, so that no lease is lost in between."""
    store = os.path.join(data_dir, network)
    try:
        with open(os.path.join(store, HOUSEKEEPING[0]), "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            names = housekeeping(network, data_dir)
            if names is None:
                raise PodnetError(f"{store}: a pod got an address in this moment; remove the pods and run again")
            for name in names:
                os.unlink(os.path.join(store, name))
            os.rmdir(store)
    except OSError as error:
        raise PodnetError(f"{store}: cannot be removed ({error.strerror}); run again when no pod starts") from error


def in_use(found: t.Sequence[Attachment], lent: t.Sequence[Lease]) -> list[str]:
    """Return who would be orphaned: containers whose namespace lives, and leases of which nothing else is known.

    A container that is remembered but whose namespace is gone, as after a reboot, is nobody.
    """
    alive = {entry.container_id for entry in found if entry.alive}
    dead = {entry.container_id for entry in found if entry.netns} - alive
    return sorted(alive | {lease.container_id for lease in lent if lease.container_id not in dead})


def stale(found: t.Sequence[Attachment], document: Document) -> list[dict[str, t.Any]]:
    """Return the attachments that were made with another configuration than this one, and the keys that differ."""
    differing = []
    for entry in found:
        difference = changes.classify(entry.config, document)
        if difference.kind != changes.NONE:
            differing.append(
                {
                    "container_id": entry.container_id,
                    "pod": entry.pod,
                    "ifname": entry.ifname,
                    "addresses": entry.addresses,
                    "change_class": difference.kind,
                    "keys": difference.keys,
                }
            )
    return differing


def _attachment(entry: dict[str, t.Any], path: str) -> Attachment:
    answer = entry.get("result")
    result: dict[str, t.Any] = answer if isinstance(answer, dict) else {}
    netns = str(entry.get("netns") or "") or _sandbox(result.get("interfaces"), str(entry.get("ifName", "")))
    ips = result.get("ips")
    return Attachment(
        container_id=str(entry.get("containerId", "")),
        ifname=str(entry.get("ifName", "")),
        netns=netns,
        alive=os.path.exists(netns),
        addresses=[str(ip["address"]) for ip in ips or [] if isinstance(ip, dict) and "address" in ip],
        config=_decoded(entry.get("config")),
        pod=_pod(entry.get("cniArgs")),
        path=path,
    )


def _sandbox(interfaces: t.Any, ifname: str) -> str:
    """The namespace of the pod's interface: libcni before 1.2 (containerd 1, dockershim) has it here alone."""
    listed = [each for each in interfaces if isinstance(each, dict)] if isinstance(interfaces, list) else []
    return next((str(each.get("sandbox") or "") for each in listed if each.get("name") == ifname), "")


def _pod(arguments: t.Any) -> str:
    """The pod that a kubelet's runtime names in the arguments of a CNI call."""
    pairs = [pair for pair in arguments if isinstance(pair, list)] if isinstance(arguments, list) else []
    named = {str(pair[0]): str(pair[1]) for pair in pairs if len(pair) == 2}
    name = named.get("K8S_POD_NAME", "")
    return f"{named.get('K8S_POD_NAMESPACE', '')}/{name}" if name else ""


def _decoded(config: t.Any) -> t.Any:
    try:
        return json.loads(base64.b64decode(config, validate=True))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        return None


def _cached(path: str) -> dict[str, t.Any]:
    try:
        entry = json.loads(_text(path) or "")
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _text(path: str) -> t.Optional[str]:
    try:
        return _files.read_text(path)
    except PodnetError:
        # A FIFO, a directory or a huge file is no entry of libcni or host-local.
        return None


def _names(directory: str) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            return sorted(entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise PodnetError(f"{directory}: cannot be listed ({error.strerror}); check its mode") from error


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
