# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""New TCP connections, one after the other: `connections.py serve ADDRESS PORT` and `… connect ADDRESS PORT SECONDS`.

The server sends back whom it sees, and the client ends each connection with a reset, so that neither is short of ports.
"""

from __future__ import annotations

import socket
import struct
import sys
import time

RESET = struct.pack("ii", 1, 0)


def serve(address: str, port: int) -> None:
    with socket.create_server((address, port), backlog=1024) as server:
        print("ready", flush=True)
        while True:
            connection, peer = server.accept()
            with connection:
                try:
                    connection.sendall(peer[0].encode())
                except OSError:  # it is gone already
                    continue


def connect(address: str, port: int, seconds: float) -> None:
    """Say how many connections were made, each answered, and the address that the server saw."""
    count, seen, end = 0, b"", time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.create_connection((address, port), timeout=5) as connection:
            seen = connection.recv(64)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        count += 1
    print(count, seen.decode())


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        connect(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
