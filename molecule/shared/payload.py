# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pods of the virtual machines are made of: busybox, and a web page that says which address asks.

There is no registry: Docker gets a tar archive (docker import), containerd an OCI image (ctr images import).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
import typing as t
from pathlib import Path

IMAGE = "podnet.test/pod:1"
COMMAND = ["httpd", "-f", "-p", "0.0.0.0:80", "-h", "/www"]
WHOAMI = '#!{interpreter}\nprintf "Content-Type: text/plain\\r\\n\\r\\n%s\\n" "$REMOTE_ADDR"\n'
#: Asks such a page; busybox's wget crashes where Docker has written a resolv.conf.
ASK = '#!/bin/sh\nprintf "GET /cgi-bin/whoami HTTP/1.0\\r\\n\\r\\n" | nc -w 20 "$1" 80 | tail -n 1\n'


def unpack(busybox: Path, directory: Path) -> Path:
    """Put the web page where a server that is no pod can show it; return its busybox."""
    page = directory / "www/cgi-bin/whoami"
    page.parent.mkdir(parents=True)
    shell = directory / "busybox"
    shell.write_bytes(busybox.read_bytes())
    shell.chmod(0o755)
    page.write_text(WHOAMI.format(interpreter=f"{shell} sh"), encoding="utf-8")
    page.chmod(0o755)
    return shell


def root_file_system(busybox: Path) -> bytes:
    """A tar archive with busybox, a link for each of its programs, and the web page."""
    names = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for directory in ("bin", "etc", "proc", "sys", "dev", "tmp", "www", "www/cgi-bin"):
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        add(archive, "bin/busybox", busybox.read_bytes())
        add(archive, "bin/ask", ASK.encode())
        add(archive, "www/cgi-bin/whoami", WHOAMI.format(interpreter="/bin/sh").encode())
        for name in names:
            if name != "busybox":
                entry = tarfile.TarInfo(f"bin/{name}")
                entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(entry)
    return stream.getvalue()


def add(archive: tarfile.TarFile, path: str, content: bytes, mode: int = 0o755) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def write_docker(busybox: Path, target: Path) -> None:
    """Write the archive for `docker import`."""
    target.write_bytes(root_file_system(busybox))


def write_oci(busybox: Path, target: Path) -> None:
    """Write an OCI image layout, as an archive for `ctr images import`."""
    tar = root_file_system(busybox)
    blobs: dict[str, bytes] = {}

    def blob(media_type: str, content: bytes) -> dict[str, t.Any]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[digest] = content
        return {
            "mediaType": f"application/vnd.oci.image.{media_type}",
            "digest": f"sha256:{digest}",
            "size": len(content),
        }

    def document(media_type: str, content: dict[str, t.Any]) -> dict[str, t.Any]:
        return blob(f"{media_type}+json", json.dumps(content).encode())

    layer = blob("layer.v1.tar+gzip", gzip.compress(tar, mtime=0))
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": COMMAND, "Env": ["PATH=/bin"], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}"]},
    }
    manifest = {"schemaVersion": 2, "config": document("config.v1", config), "layers": [layer]}
    entry = document("manifest.v1", manifest) | {"annotations": {"io.containerd.image.name": IMAGE}}
    with tarfile.open(target, "w") as archive:
        add(archive, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}', 0o644)
        add(archive, "index.json", json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode(), 0o644)
        for digest, content in blobs.items():
            add(archive, f"blobs/sha256/{digest}", content, 0o644)
