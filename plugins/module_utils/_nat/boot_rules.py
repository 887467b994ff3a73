# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What netfilter-persistent loads into iptables at boot: rules that somebody saved, with the policies of that moment.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _iptables
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

SAVED = {4: "/etc/iptables/rules.v4", 6: "/etc/iptables/rules.v6"}
#: There where the unit is enabled, as its package does it.
ENABLED = "/etc/systemd/system/*.wants/netfilter-persistent.service"


def drops(version: int) -> bool:
    """Whether the policy of FORWARD will be DROP after a boot, whatever it is now."""
    if not _files.matching(ENABLED):
        return False
    try:
        text = (_files.read_bytes(SAVED[version]) or b"").decode(errors="replace")
    except PodnetError:  # no file that could be loaded
        return False
    table = _iptables.parse(text, ("filter",)).get("filter")
    return table is not None and table.policies.get("FORWARD") == "DROP"
