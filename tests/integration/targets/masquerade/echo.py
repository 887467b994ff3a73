# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask an echo server under which address it sees us: ``echo.py serve`` and ``echo.py ask PORT ADDRESS…``."""

from __future__ import annotations

import json
import selectors
import socket
import sys

PORTS = (7001, 7002)


def serve() -> None:
    """Answer each datagram with its sender's address, from the address that it was sent to."""
    selector = selectors.DefaultSelector()
    for port in PORTS:
        server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        server.bind(("::", port))
        selector.register(server, selectors.EVENT_READ)
    while True:
        for key, _events in selector.select():
            _data, control, _flags, sender = key.fileobj.recvmsg(64, 256)
            # The answer leaves from where the question went: a server with many addresses must say so.
            own = [(level, kind, data) for level, kind, data in control if kind == socket.IPV6_PKTINFO]
            own = [(level, kind, data[:16] + b"\0\0\0\0") for level, kind, data in own]
            seen = sender[0].replace("::ffff:", "")
            key.fileobj.sendmsg([seen.encode()], own, 0, sender)


def ask(port: int, address: str) -> str:
    """Return the address under which the server saw us, or ``nothing``."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(0.7)
        # Only an answer from the address that was asked is taken.
        client.connect((address, port))
        for _attempt in range(2):
            try:
                client.send(b"?")
                return client.recv(64).decode()
            except OSError:
                continue
    return "nothing"


if sys.argv[1] == "serve":
    serve()
else:
    print(json.dumps({address: ask(int(sys.argv[2]), address) for address in sys.argv[3:]}))
