# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a running dockerd says of itself, through its API; nobody need have installed its command line.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import http.client
import json
import socket
import typing as t

SOCKET = "/run/docker.sock"
TIMEOUT = 10.0


class _Connection(http.client.HTTPConnection):
    """A connection to a socket of this node."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(SOCKET)


def info() -> dict[str, t.Any]:
    """Return what `docker info` is made of; nothing where no dockerd answers."""
    connection = _Connection("localhost")
    try:
        connection.request("GET", "/info")
        found = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        connection.close()
    return found if isinstance(found, dict) else {}
