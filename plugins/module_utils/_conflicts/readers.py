# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is on the node, read for the judgements: files of other software, and who runs.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _files
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import manifest, plugins
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts import texts
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Address

#: glibc's, and the two that systemd-resolved writes: with its own address, and with those that it asks.
RESOLV_CONFS = ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf", "/run/systemd/resolve/stub-resolv.conf")
DAEMON_JSON = "/etc/docker/daemon.json"
#: What nftables.service loads: that of Debian, and that of Fedora and RHEL.
NFTABLES_CONFS = ("/etc/nftables.conf", "/etc/sysconfig/nftables.conf")
_ENABLED = (
    "/etc/systemd/system/*.wants/nftables.service",
    "/etc/systemd/system/*.requires/nftables.service",
    "/run/systemd/system/*.wants/nftables.service",
)
#: In the order in which NetworkManager reads them.
_NETWORK_MANAGER = (
    "/usr/lib/NetworkManager/conf.d/*.conf",
    "/run/NetworkManager/conf.d/*.conf",
    "/etc/NetworkManager/NetworkManager.conf",
    "/etc/NetworkManager/conf.d/*.conf",
)
#: A zone in /etc hides the one of the same name.
_ZONES = ("/usr/lib/firewalld/zones/*.xml", "/etc/firewalld/zones/*.xml")


def text(path: str) -> str:
    """Return a file's text; an empty one where it cannot be read: it is others' and cannot harm then."""
    try:
        content = _files.read_bytes(path)
    except PodnetError:
        content = None
    return (content or b"").decode(errors="replace")


def name_servers() -> dict[Address, str]:
    """Return the node's name servers, each with the first file in which it stands."""
    found: dict[Address, str] = {}
    for path in RESOLV_CONFS:
        for server in texts.name_servers(text(path)):
            found.setdefault(server, path)
    return found


def nft_scripts() -> dict[str, str]:
    """Return the scripts that nftables.service loads at boot, by their paths; none where it is not enabled."""
    found: dict[str, str] = {}
    waiting = list(NFTABLES_CONFS) if any(_files.matching(pattern) for pattern in _ENABLED) else []
    while waiting:
        path = waiting.pop(0)
        if path not in found:
            found[path] = text(path)
            waiting += [each for pattern in texts.includes(found[path]) for each in _files.matching(pattern)]
    return found


def network_manager() -> list[str]:
    """Return the texts of NetworkManager's configuration in their order; a later directory hides the same names."""
    paths: dict[str, str] = {}
    for pattern in _NETWORK_MANAGER:
        for path in _files.matching(pattern):
            paths.pop(os.path.basename(path), None)
            paths[os.path.basename(path)] = path
    return [text(path) for path in paths.values()]


def firewalld_zones() -> list[str]:
    """Return the texts of firewalld's zones."""
    paths = {os.path.basename(path): path for pattern in _ZONES for path in _files.matching(pattern)}
    return [text(path) for path in paths.values()]


def running(names: t.Container[str]) -> set[str]:
    """Return which programs run in the node's own network, not in a container's."""
    here = _network("self")
    found = set()
    for process in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208  # plain names, not paths
        name = _name(process)
        if name in names and _network(process) == here:
            found.add(name)
    return found


def _name(process: str) -> str:
    """Return a process's name, at most 15 characters of it."""
    try:
        with open(f"/proc/{process}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n")
    except OSError:
        return ""


def _network(process: str) -> t.Optional[str]:
    try:
        return os.readlink(f"/proc/{process}/ns/net")
    except OSError:
        return None


def changed_plugins(bin_dirs: t.Sequence[str]) -> dict[str, bool]:
    """Return the plugins that are not what we installed, and whether there is a file at all."""
    found: dict[str, bool] = {}
    for directory in map(os.path.normpath, bin_dirs):
        for name, entry in manifest.load(directory).plugins.items():
            path = os.path.join(directory, name)
            binary = plugins.inspect(path, follow=True)
            if binary is None or binary.sha256 != entry.sha256:
                found[path] = binary is not None
    return found
