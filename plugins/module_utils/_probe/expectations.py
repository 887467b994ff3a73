# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a configuration lets pods reach on a scratch host, and which configurations can be tried there.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _json
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import invoke
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.conf import capabilities_of, plugins_of

#: Plugins that need nothing of a host but its kernel; others want an uplink, a server, or Kubernetes.
TRIED, TRIED_IPAM = ("bridge", "ptp"), ("host-local",)

#: The scratch host's own address by family: of all addresses those that no network uses (RFC 7600, RFC 6666).
HOST = {4: "192.0.0.8/32", 6: "100::8/128"}

EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}

Document = t.Dict[str, t.Any]


def untried(document: Document) -> t.Optional[str]:
    """Why a configuration cannot be tried in a scratch namespace; None if it can."""
    kinds = [str(plugin.get("type")) for plugin in plugins_of(document)]
    if not kinds or kinds[0] not in TRIED:
        return f"not tried: a scratch namespace has nothing that plugin {kinds[0] if kinds else 'none'} could work with"
    ipam = _ipam(document).get("type")
    if ipam not in TRIED_IPAM:
        return f"not tried: a scratch namespace has nothing that ipam plugin {ipam} could work with"
    return None


def unheard(document: Document) -> list[str]:
    """What of a configuration is left out, as a note."""
    left = [plugin for plugin in plugins_of(document) if _asks_a_daemon(plugin)]
    return [f"plugin {plugin['type']} was not tried: it would change the firewalld of this node" for plugin in left]


def heard(document: Document) -> Document:
    """The configuration without what would speak to a daemon of the node."""
    if "plugins" not in document:
        return document
    return {**document, "plugins": [plugin for plugin in document["plugins"] if not _asks_a_daemon(plugin)]}


def moved(document: Document, directory: str) -> Document:
    """The configuration with all that plugins keep in a directory of ours."""

    def plugin(entry: Document) -> Document:
        found = {**entry, "dataDir": directory} if "dataDir" in entry else dict(entry)
        if isinstance(entry.get("ipam"), dict):
            found["ipam"] = {**entry["ipam"], "dataDir": directory}
        return found

    if "plugins" not in document:
        return plugin(document)
    return {**document, "plugins": [plugin(entry) for entry in document["plugins"]]}


def resolver_files(document: Document) -> list[str]:
    """The files that host-local reads the name servers from."""
    path = _ipam(document).get("resolvConf")
    return [path] if isinstance(path, str) else []


def gives_gateway(document: Document) -> bool:
    """Whether the host has the pods' gateway address, so that the two reach each other."""
    main = plugins_of(document)[0]
    return main.get("type") == "ptp" or bool(main.get("isGateway") or main.get("isDefaultGateway"))


def maps_ports(document: Document) -> bool:
    """Whether a plugin says that it can give pods a port of the host."""
    return any(capabilities_of(plugin).get("portMappings") for plugin in plugins_of(document))


def targets(document: Document, node: str, pods: list[tuple[str, dict[str, t.Any]]]) -> list[dict[str, t.Any]]:
    """What pods (each with the result of its ADD) must reach: each other, their gateway, and by a route the host."""
    main = plugins_of(document)[0]
    found = []
    if not main.get("portIsolation"):
        found += [_target("pod", entry, node, name) for name, result in pods for entry in invoke.addresses(result)]
    if gives_gateway(document):
        results = [result for _name, result in pods]
        found += [_target("node", entry, node) for entry in _unique(results, invoke.gateways)]
        versions = {6 if ":" in entry else 4 for entry in _unique(results, invoke.addresses)}
        routed = [version for version in sorted(versions) if _has_default_route(main, version)]
        found += [_target("node", HOST[version].partition("/")[0], node) for version in routed]
    return found


def release_number(text: str) -> tuple[int, ...]:
    """``v1.2.0`` as numbers."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _ipam(document: Document) -> Document:
    return _json.mapping(next(iter(plugins_of(document)), {}).get("ipam"))


def _asks_a_daemon(plugin: t.Any) -> bool:
    return isinstance(plugin, dict) and plugin.get("type") == "firewall" and plugin.get("backend") == "firewalld"


def _has_default_route(main: Document, version: int) -> bool:
    found = [route.get("dst") for route in _json.objects(main["ipam"].get("routes"))]
    return bool(main.get("isDefaultGateway")) or EVERYWHERE[version] in found


def _unique(results: list[dict[str, t.Any]], read: t.Callable[[dict[str, t.Any]], list[str]]) -> list[str]:
    return list(dict.fromkeys(entry for result in results for entry in read(result)))


def _target(kind: str, address: str, node: str, pod: t.Optional[str] = None) -> dict[str, t.Any]:
    return {"kind": kind, "address": address, "node": node, "pod": pod}
