# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a change of a network's configuration means for pods that already run under the old one.  Pure.

A runtime reads the file when a pod is attached and when it is detached; a pod in between keeps what it got, and most
runtimes detach it with the file of that moment.  So some changes mix two kinds of pods, and some leak.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _json
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import keys
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.conf import (
    DEFAULT_BRIDGE,
    DEFAULT_DATA_DIR,
    Document,
    plugins_of,
)

NONE = "none"
#: Pods need not notice: old and new ones are alike, or differ in what does not matter between them.
LIVE_SAFE = "live_safe"
#: Pods that run keep working as they are; only new ones get the new values.
NEW_PODS_ONLY = "new_pods_only"
#: Pods that run lose their network, or cannot be detached cleanly: all have to be created again.
RECYCLE_ALL = "recycle_all"
#: Addresses of the pods that run would never be freed.
REFUSE = "refuse"

#: From harmless to harmful; a change has the class of its worst key.
CLASSES = (NONE, LIVE_SAFE, NEW_PODS_ONLY, RECYCLE_ALL, REFUSE)

ENVELOPE = {
    "name": REFUSE,
    "cniVersion": LIVE_SAFE,
    "cniVersions": LIVE_SAFE,
    "disableCheck": LIVE_SAFE,
    "disableGC": LIVE_SAFE,
    "loadOnlyInlinedPlugins": LIVE_SAFE,
}

#: Keys of a plugin; a key that is not here may mean anything, so all pods have to be created again.
PLUGIN = {
    "dns": LIVE_SAFE,
    "capabilities": NEW_PODS_ONLY,
    "ipMasq": NEW_PODS_ONLY,
    "ipMasqBackend": NEW_PODS_ONLY,
    "forceAddress": NEW_PODS_ONLY,
    "mtu": NEW_PODS_ONLY,
    "hairpinMode": NEW_PODS_ONLY,
    "promiscMode": NEW_PODS_ONLY,
    "preserveDefaultVlan": NEW_PODS_ONLY,
    "macspoofchk": NEW_PODS_ONLY,
    "enabledad": NEW_PODS_ONLY,
    "portIsolation": NEW_PODS_ONLY,
    "snat": NEW_PODS_ONLY,
    "masqAll": NEW_PODS_ONLY,
    "markMasqBit": NEW_PODS_ONLY,
    "conditionsV4": NEW_PODS_ONLY,
    "conditionsV6": NEW_PODS_ONLY,
    "ingressPolicy": NEW_PODS_ONLY,
    "sysctl": NEW_PODS_ONLY,
    "mac": NEW_PODS_ONLY,
    "promisc": NEW_PODS_ONLY,
    "allmulti": NEW_PODS_ONLY,
    "txQLen": NEW_PODS_ONLY,
    "ingressRate": NEW_PODS_ONLY,
    "ingressBurst": NEW_PODS_ONLY,
    "egressRate": NEW_PODS_ONLY,
    "egressBurst": NEW_PODS_ONLY,
}

#: Keys of ipam; what is not here moves addresses.
IPAM = {"type": REFUSE, "dataDir": REFUSE, "routes": NEW_PODS_ONLY, "resolvConf": LIVE_SAFE}

#: What plugins take for a key that is left out, where writing it out changes nothing.
DEFAULTS = {"dataDir": DEFAULT_DATA_DIR, "bridge": DEFAULT_BRIDGE, "capabilities": {}, "mtu": 0, "vlan": 0}
#: The booleans that are not false where they are left out; the second one is true until release 1.7 of the plugins.
NOT_FALSE = {"snat": True, "preserveDefaultVlan": "as the release takes it"}


class Difference(t.NamedTuple):
    """The class of a change, and the keys that differ."""

    kind: str
    keys: t.List[str]


def classify(before: t.Any, after: Document) -> Difference:
    """Compare what is on the node, or what a pod was attached with, with what is written; both in either form."""
    found = {**_envelope(before, after), **_plugins(plugins_of(before), plugins_of(after))}
    worst = max(found.values(), key=CLASSES.index, default=NONE)
    return Difference(worst, list(found))


def _envelope(before: t.Any, after: Document) -> dict[str, str]:
    old = _json.mapping(before)
    return {key: kind for key, kind in ENVELOPE.items() if old.get(key) != after.get(key)}


def _plugins(before: list[Document], after: list[Document]) -> dict[str, str]:
    """Plugins belong together by type, the first to the first and so on: a list may gain or lose one in the middle."""
    found: dict[str, str] = {}
    left = list(before)
    for entry in after:
        old = next((candidate for candidate in left if candidate.get("type") == entry.get("type")), None)
        if old is None:
            found[f"{entry.get('type')}"] = _arrival(entry)
            continue
        left.remove(old)
        found.update(_keys(str(entry.get("type")), old, entry))
    for entry in left:
        found[f"{entry.get('type')}"] = _departure(entry)
    if not found and [entry.get("type") for entry in before] != [entry.get("type") for entry in after]:
        found["plugins"] = NEW_PODS_ONLY
    return found


def _arrival(entry: Document) -> str:
    # The pods that run have nothing of it; detaching finds nothing to remove, which every plugin must accept.
    if entry.get("type") == "tuning":
        return LIVE_SAFE
    return NEW_PODS_ONLY if entry.get("type") in keys.CHAINED else RECYCLE_ALL


def _departure(entry: Document) -> str:
    # A plugin that is no longer listed is not called to remove its rules when a pod goes; tuning leaves none.
    return NEW_PODS_ONLY if entry.get("type") == "tuning" else RECYCLE_ALL


def _keys(kind: str, before: Document, after: Document) -> dict[str, str]:
    found = {}
    for key in _differing(before, after):
        if key == "ipam":
            old, new = _json.mapping(before.get(key)), _json.mapping(after.get(key))
            found.update({f"{kind}.ipam.{inner}": _ipam_class(inner) for inner in _differing(old, new)})
        elif not (key in ENVELOPE and key not in keys.PLUGINS.get(kind, {})):
            found[f"{kind}.{key}"] = PLUGIN.get(key, RECYCLE_ALL) if kind in keys.PLUGINS else RECYCLE_ALL
    return found


def _ipam_class(key: str) -> str:
    return IPAM.get(key, RECYCLE_ALL)


def _differing(before: Document, after: Document) -> list[str]:
    names = dict.fromkeys([*after, *before])
    return [name for name in names if _effective(before, name) != _effective(after, name)]


def _effective(given: Document, key: str) -> t.Any:
    value = given.get(key, DEFAULTS.get(key))
    if key in NOT_FALSE:
        return NOT_FALSE[key] if value is None else value
    return None if value is False else value
