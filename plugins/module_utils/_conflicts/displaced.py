# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Things of the pod network itself that somebody changed, or would put something in front of.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import loader, node
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.claims import Claims
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.verdicts import STOPS, WARNS, Conflict
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Interface


def competing(path: str, name: str, files: t.Sequence[loader.File]) -> list[Conflict]:
    """Judge the files that a runtime reads before ours."""
    directory, ours = os.path.split(path)
    return [
        Conflict(
            STOPS,
            "competing_file",
            entry.path,
            f"{entry.path}: a runtime loads it before {ours} ({loader.rivalry(directory, entry)}); remove it, or use "
            "a lower priority, or cni_network's on_conflict",
        )
        for entry in loader.ahead(files, path)
        if entry.network != name
    ]


def injected(path: str, files: t.Sequence[loader.File], added: t.Sequence[loader.File]) -> list[Conflict]:
    """Judge the files that libcni adds to our network's plugins, unless our file says that it must not."""
    document = next((entry.document for entry in files if entry.path == path), None) or {}
    if document.get("loadOnlyInlinedPlugins"):
        return []
    directory = os.path.dirname(path)
    remedy = "remove it, or set loadOnlyInlinedPlugins to true"
    return [
        Conflict(STOPS, "injected_file", entry.path, f"{entry.path}: {loader.rivalry(directory, entry)}; {remedy}")
        for entry in added
    ]


def bridge_address(claims: Claims, carried: list[Interface], ports: t.Sequence[str]) -> list[Conflict]:
    """Judge what the bridge carries beside what it should: with pods on it they would lose their gateway."""
    found = []
    for gateway in claims.gateways:
        other = node.contradiction(gateway, carried, gives_address=True)
        if other is None:
            continue
        what = f"{claims.bridge}: has the address {other} instead of {gateway}"
        if ports:
            what += f", and {len(ports)} ports are on it; remove their pods first (kubectl drain), or keep its pod CIDR"
        else:
            what += "; remove the address, or let module bridge do it (exclusive_addresses)"
        found.append(Conflict(STOPS if ports else WARNS, "bridge_address", claims.bridge, what))
    return found


def replaced(changed: t.Mapping[str, bool]) -> list[Conflict]:
    """Judge the plugins of our manifest that are another file now (true) or none (false), by their paths."""
    return [
        Conflict(
            WARNS,
            "replaced_plugin",
            path,
            f"{path}: {'is not the binary that' if there else 'is gone, though'} module cni_plugins installed"
            f"{' it' if not there else ''}; run the role cni_plugins again, and find out who "
            f"{'replaces' if there else 'removes'} it",
        )
        for path, there in changed.items()
    ]
