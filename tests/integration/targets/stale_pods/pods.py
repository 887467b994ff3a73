# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods by the CRI: pods.py make NAME… makes them, pods.py keep NAME… makes again what is gone, as a kubelet does."""

from __future__ import annotations

import sys
import time

from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import cri, grpc

SOCKET = cri.SOCKETS[0]


def inner(number: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    head = bytearray(grpc.number_field(number, len(content)))
    head[0] |= 2  # A message comes after its length, as a text does.
    return bytes(head) + content


def make(name: str, attempt: int) -> None:
    """RunPodSandbox; its messages are those of the CRI's api.proto."""
    text, number = grpc.text_field, grpc.number_field
    metadata = inner(1, text(1, name), text(2, f"uid-{name}"), text(3, "dns"), number(4, attempt))
    config = inner(1, metadata, text(2, name), text(3, "/run/log"), inner(8, inner(2, inner(3, number(1, 0)))))
    grpc.call(SOCKET, "/runtime.v1.RuntimeService/RunPodSandbox", config, timeout=60)


def main(action: str, *names: str) -> None:
    for attempt in range(1 if action == "make" else 10000):
        there = {each.pod for each in cri.sandboxes([SOCKET]).sandboxes if each.ready}
        for name in names:
            if f"dns/{name}" not in there:
                make(name, attempt)
        time.sleep(0 if action == "make" else 0.2)


if __name__ == "__main__":
    main(*sys.argv[1:])
