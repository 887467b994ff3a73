# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node after a sudden death: everything is as before or as it was to be, and nothing is in the way of others."""

from __future__ import annotations

import fcntl
import json
import os
import re
import typing as t
from pathlib import Path

import ground
import scenarios
from listings import Listing

#: What no runtime, sysctl, nft or systemd loads, and the next run removes; the last one is host-local's own.
TEMPORARY = re.compile(r"file (.*/\.?[^/]+\.podnet-tmp|/run/podnet\.\w+\.lock|/var/lib/cni/networks/\w+/lock)")
#: A pair that is made anew has its own addresses and routes only then.
REMADE = re.compile(r".* veth10( .*)?|pod10: .*")
#: Written before and after what they tell of; what they must be at any time is JSON.
JOURNALS = (f"file {scenarios.RECORD}", scenarios.MANIFEST)

#: The last one is pod_cidr's, which locks the directory that the lock file is in.
LOCKED = ("/run/*.lock", "/var/lib/cni/networks/*/lock", str(ground.PLACE))


def require_whole(start: Listing, end: Listing, before: Listing, after: Listing, what: str) -> None:
    """Compare a node after a kill with how it was, and with how such a node is before and after an undisturbed run."""
    now = scenarios.lasting(after)
    untouched = {name for name, value in start.items() if end.get(name) == value and not REMADE.fullmatch(name)}
    for name in {*start, *end, *now}:
        found, allowed = now.get(name), (start.get(name), end.get(name))
        if name in untouched:
            assert after.get(name) == before.get(name), f"{what}: {name} is of others, and is {after.get(name)}"
        elif name in JOURNALS and found is not None:
            json.loads(found[3])
        elif name.startswith(("file ", "table ")):
            temporary = name not in start and name not in end and TEMPORARY.fullmatch(name)
            assert found in allowed or temporary, f"{what}: {name} is neither old nor new: {found}"
    _require_transactions(start, end, now, what)


def _require_transactions(start: Listing, end: Listing, now: Listing, what: str) -> None:
    """A table of iptables is changed as a whole."""
    for table in {_table(name) for name in (*start, *end, *now)} - {None}:
        found, *allowed = ({name: each[name] for name in each if _table(name) == table} for each in (now, start, end))
        assert found in allowed, f"{what}: {table} is neither old nor new: {found}"


def _table(name: str) -> t.Optional[str]:
    words = name.split()
    return " ".join(words[:2]) if words[0].endswith("-legacy-save") else None


def require_no_lock() -> None:
    """Everybody else can have each lock at once."""
    for path in (path for pattern in LOCKED for path in Path("/").glob(pattern[1:])):
        handle = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(handle)
