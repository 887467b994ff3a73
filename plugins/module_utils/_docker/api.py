# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a running dockerd says of itself, through its API; nobody need have installed its command line.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import http.client
import socket
import time
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _json

SOCKET = "/run/docker.sock"
TIMEOUT = 10.0

#: What dockerd tells of itself has some kilobytes.
LIMIT = 4 * 1024 * 1024


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
        return _json.mapping(_json.parse(_body(connection.getresponse(), time.monotonic() + TIMEOUT)))
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        connection.close()


def _body(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """Read it to its end; whoever sends without an end, or a byte now and then, is no dockerd."""
    found = b""
    while piece := response.read1(1024 * 1024):
        found += piece
        if len(found) > LIMIT or time.monotonic() > deadline:
            raise ValueError("is too long")
    return found
