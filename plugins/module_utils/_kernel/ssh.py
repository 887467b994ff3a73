# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Who Ansible is connected from, and by which address of this node: what must not lose its way.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Network


def address() -> t.Optional[str]:
    """Return the node's address that the ssh connection came in by."""
    connection = _connection()
    return connection[2].split("%")[0] if connection else None


def require_way_back(networks: t.Iterable[tuple[str, Network]]) -> None:
    """Refuse to lead packets elsewhere that go to whom the ssh connection comes from; each with its option's path."""
    connection = _connection()
    client = connection[0].split("%")[0] if connection else ""
    if not _values.is_address(client):
        return
    for path, network in networks:
        if ipaddress.ip_address(client) in network:
            problem = f"has {client}, which Ansible is connected from"
            raise OptionError(path, str(network), problem, "use addresses that nobody else has")


def _connection() -> list[str]:
    """The addresses and ports of both ends, or nothing; become's sudo hides them, so ask our ancestors."""
    process = os.getpid()
    while process > 1:
        connection = _environment(process).get("SSH_CONNECTION", "").split()
        if len(connection) == 4:
            return connection
        process = _parent(process)
    return []


def _environment(process: int) -> dict[str, str]:
    try:
        with open(f"/proc/{process}/environ", "rb") as file:
            pairs = file.read().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def _parent(process: int) -> int:
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
