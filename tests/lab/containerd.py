# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A containerd as far as a node's network goes, and the kubelet that makes its pods again.

containerd.py [--config FILE] config dump    say where networks and plugins are, as containerd does
containerd.py serve DIARY NODE POD...        serve the CRI: what is loaded, and pods that are attached and may be ended

It looks into the directory that was there when it started, as who watches it with inotify: one that is removed and made
again it does not see.  A pod is back a moment after it was ended, unless DIARY.stuck names the node; DIARY tells both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".cache/collections"))

from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import cri, grpc  # noqa: E402
from ansible_collections.mink8s.podnet.tests.unit.plugins.module_utils._runtime import cri_server  # noqa: E402

CONF_DIR, BIN_DIR, SOCKET = "/etc/cni/net.d", "/usr/lib/cni", cri.SOCKETS[0]
DUMP = f"""\
version = 2
[grpc]
address = "{SOCKET}"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{BIN_DIR}"
conf_dir = "{CONF_DIR}"
"""
PLUGINS = ROOT / "tests/integration/targets/setup_podnet/runtime.py"
#: How long a pod is away.
AWAY = 1.5


def inner(number: int, *parts: bytes) -> bytes:
    """A message within a message."""
    body = b"".join(parts)
    return grpc._varint(number << 3 | 2) + grpc._varint(len(body)) + body


class Runtime:
    """One node's."""

    def __init__(self, diary: Path, node: str, pods: t.Sequence[str]) -> None:
        self.diary, self.node = diary, node
        self.directory = os.open(CONF_DIR, os.O_RDONLY | os.O_DIRECTORY)
        #: Each pod's sandbox.
        self.sandboxes = {pod: pod for pod in pods}

    def answer(self, method: str, message: bytes) -> bytes | None:
        """What a call is answered with."""
        name = method.rpartition("/")[2]
        if not method.startswith("/runtime.v1."):
            return None
        if name == "Status":
            return self.status()
        if name == "ListPodSandbox":
            return b"".join(
                inner(1, grpc.text_field(1, sandbox), inner(2, grpc.text_field(1, pod), grpc.text_field(3, "default")))
                for pod, sandbox in self.sandboxes.items()
            )
        if name == "RemovePodSandbox":
            self.end(grpc.texts(message)[1])
        return b""

    def status(self) -> bytes:
        """Its networks, with their texts."""
        texts = [path.read_text() for path in sorted(Path(f"/proc/self/fd/{self.directory}").iterdir())]
        networks = [{"IFName": "eth0", "Config": {"Name": json.loads(text)["name"], "Source": text}} for text in texts]
        told = {"PluginDirs": [BIN_DIR], "PluginConfDir": CONF_DIR, "Networks": networks}
        info = {"cniconfig": told, "lastCNILoadStatus": "OK" if texts else f"no network config found in {CONF_DIR}"}
        return b"".join(
            inner(2, grpc.text_field(1, key), grpc.text_field(2, json.dumps(value))) for key, value in info.items()
        )

    def end(self, sandbox: str) -> None:
        """End a pod, of which the kubelet takes notice a moment later."""
        pod = next(pod for pod, known in self.sandboxes.items() if known == sandbox)
        self.note(f"ended {pod}")
        del self.sandboxes[pod]
        self.plugins("del", sandbox)
        stuck = Path(f"{self.diary}.stuck")
        if not stuck.exists() or self.node not in stuck.read_text().split():
            threading.Timer(AWAY, self.make, [pod, f"{sandbox}-again"]).start()

    def make(self, pod: str, sandbox: str) -> None:
        """Make a pod again."""
        self.note(f"made {pod}")
        self.plugins("add", sandbox)
        self.sandboxes[pod] = sandbox

    def plugins(self, verb: str, sandbox: str) -> None:
        """Attach a sandbox, or detach it."""
        (file,) = Path(CONF_DIR).iterdir()
        subprocess.run([sys.executable, PLUGINS, file, verb, sandbox], check=True)

    def note(self, words: str) -> None:
        """Lines of one write do not mix with those of other nodes."""
        with self.diary.open("a", encoding="utf-8") as file:
            file.write(f"{self.node} {words}\n")


def serve(diary: str, node: str, *pods: str) -> None:
    runtime = Runtime(Path(diary), node, pods)
    Path(SOCKET).parent.mkdir(exist_ok=True)
    Path(SOCKET).unlink(missing_ok=True)
    with cri_server.serving(Path(SOCKET), runtime.answer):
        while True:
            time.sleep(60)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:])
    else:
        print(DUMP, end="")
