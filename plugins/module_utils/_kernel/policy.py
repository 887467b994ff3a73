# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Policy routing: tables that are asked for every packet before the main one is (ip-rule(8)).

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import errno
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import links, netns

#: linux/rtnetlink.h, linux/fib_rules.h
LOCAL_TABLE, THROW = 255, 9
_TO_TABLE, _INVERT = 1, 2
#: A rule with one of these is for some packets only, or takes only some of the table's routes.
_SELECTORS = (
    *("FRA_FWMARK", "FRA_IIFNAME", "FRA_OIFNAME", "FRA_L3MDEV", "FRA_UID_RANGE", "FRA_TUN_ID"),
    *("FRA_IP_PROTO", "FRA_SPORT_RANGE", "FRA_DPORT_RANGE", "FRA_SUPPRESS_IFGROUP"),
)
_NOTHING = (None, 0, 0xFFFFFFFF, -1)


def routes(ipr: t.Any, family: int) -> dict[int, list[links.Route]]:
    """Return the routes of each such table, the first table first."""
    return {table: _routes(ipr, family, table) for table in _tables(ipr, family)}


def _tables(ipr: t.Any, family: int) -> list[int]:
    found: dict[int, None] = {}
    messages = [message for message in netns.dump(lambda: ipr.get_rules(family=family)) if message["family"] == family]
    for message in sorted(messages, key=lambda message: message.get_attr("FRA_PRIORITY") or 0):
        table = message.get_attr("FRA_TABLE") or message["table"]
        if not _is_for_all(message) or table == LOCAL_TABLE:
            continue
        if table == links.MAIN_TABLE:
            break
        found[table] = None
    return list(found)


def _is_for_all(message: t.Any) -> bool:
    some = message["src_len"] or message["dst_len"] or message["tos"] or message["flags"] & _INVERT
    # With 0 it takes all but default routes.
    suppresses = message.get_attr("FRA_SUPPRESS_PREFIXLEN") not in (None, 0xFFFFFFFF, -1)
    chosen = any(message.get_attr(name) not in _NOTHING for name in _SELECTORS)
    return message["action"] == _TO_TABLE and not (some or suppresses or chosen)


def _routes(ipr: t.Any, family: int, table: int) -> list[links.Route]:
    try:
        return links.routes(ipr, family, table=table)
    except Exception as error:
        # Its class is pyroute2's; a rule may name a table that has no route.
        if getattr(error, "code", None) != errno.ENOENT:
            raise
        return []
