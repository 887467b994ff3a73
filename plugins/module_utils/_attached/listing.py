# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Every attachment with its links, its verdict, and how today's configuration differs: for module cni_attachments_info.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._attached import leaks
from ansible_collections.mink8s.podnet.plugins.module_utils._attached.survey import Survey
from ansible_collections.mink8s.podnet.plugins.module_utils._attached.verdict import DEAD, is_alone, pairs
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import changes
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.attachments import Attachment
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.wires import Space, Wire


def listing(survey: Survey, network: t.Optional[str] = None) -> dict[str, t.Any]:
    """Return the attachments to one network or to all, what is leaked, and what may be.

    A pod's ``lo`` connects it to nobody, so it is told of only where it is left behind.
    """
    wires = {wire.name: wire for wire in survey.view.wires}
    entries = [entry for entry in survey.cache.entries if network in (None, entry.network) and not is_alone(entry)]
    entries.sort(key=lambda entry: (entry.network, entry.container_id, entry.ifname, entry.path))
    found = leaks.find(survey, network)
    return {
        "attachments": [_attachment(survey, entry, _wire(survey, entry, wires)) for entry in entries],
        "leaks": [leak.told() for leak in found if leak.verdict.state == DEAD],
        "unknown": [leak.told() for leak in found if leak.verdict.state != DEAD and not _is_alone(leak)],
    }


def _is_alone(leak: leaks.Leak) -> bool:
    return isinstance(leak.item, Attachment) and is_alone(leak.item)


def _attachment(survey: Survey, entry: Attachment, wire: t.Optional[Wire]) -> dict[str, t.Any]:
    verdict = survey.verdicts[(entry.network, entry.container_id, "")]
    difference = _difference(survey, entry)
    return {
        "container_id": entry.container_id,
        "pod": entry.pod,
        "network": entry.network,
        "ifname": entry.ifname,
        "addresses": entry.addresses,
        "mac": entry.mac,
        "mtu": wire.mtu if wire else None,
        "veth": wire.name if wire else None,
        "bridge": wire.bridge if wire else None,
        "hairpin": wire.hairpin if wire else None,
        "isolated": wire.isolated if wire else None,
        "link_netnsid": wire.nsid if wire else None,
        "netns": entry.netns,
        "verdict": verdict.state,
        "reason": verdict.reason,
        "config": entry.config,
        "change_class": difference.kind if difference else None,
        "changed_keys": difference.keys if difference else [],
        "cache": entry.path,
    }


def _wire(survey: Survey, entry: Attachment, wires: dict[str, Wire]) -> t.Optional[Wire]:
    """The node's end of its pair: by the name that the plugin told, else the only one that leads into its namespace."""
    named = [wires[name] for name in pairs(entry) if name in wires]
    nsid = survey.view.spaces.get(entry.netns, Space(False)).nsid
    leading = [wire for wire in wires.values() if nsid is not None and wire.nsid == nsid]
    return named[0] if named else leading[0] if len(leading) == 1 else None


def _difference(survey: Survey, entry: Attachment) -> t.Optional[changes.Difference]:
    """Today's file against the configuration that it was attached with; a network without a file has lost its name."""
    if entry.config is None:
        return None
    today = survey.document(entry.network)
    return changes.Difference(changes.REFUSE, ["name"]) if today is None else changes.classify(entry.config, today)
