# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds a kubelet that reads /etc/cni/net.d itself, which is one before 1.24, and prints its path.

It is the file that $PODNET_KUBELET names, unpacked if that ends in .xz; else the official download, compared with a
literal checksum.  Without either the reason is said, nothing is printed, and scenarios do without a kubelet.
"""

from __future__ import annotations

import hashlib
import http.client
import lzma
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache/kubelet"
URL = "https://dl.k8s.io/release/v1.23.17/bin/linux/amd64/kubelet"
CHECKSUM = "f2bef00508790f632d035a6cfdd31539115611bfc93c5a3266ceb95bb2f27b76"
SECONDS = 30


def unpacked(source: Path) -> Path:
    """The kubelet in a file, unpacked once for each state of that file."""
    if source.suffix != ".xz":
        return source
    target = CACHE / f"kubelet-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}"
    if not target.exists():
        with lzma.open(source) as stream:
            save(stream.read(), target)
    return target


def downloaded() -> Path:
    """The official kubelet."""
    target = CACHE / f"kubelet-{CHECKSUM[:12]}"
    if not target.exists():
        with urllib.request.urlopen(URL, timeout=SECONDS) as answer:
            content = answer.read()
        found = hashlib.sha256(content).hexdigest()
        if found != CHECKSUM:
            sys.exit(f"{URL} has the checksum {found}, not {CHECKSUM}")
        save(content, target)
    return target


def save(content: bytes, target: Path) -> None:
    """Write a program; nobody sees half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.chmod(0o755)
    unfinished.rename(target)


def main() -> None:
    named = os.environ.get("PODNET_KUBELET", "")
    if named:
        if not Path(named).is_file():
            sys.exit(f"PODNET_KUBELET: {named} is not a file; name a kubelet before 1.24, or one packed with xz")
        print(unpacked(Path(named).resolve()))
        return
    try:
        print(downloaded())
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        print(f"-- no kubelet: PODNET_KUBELET names none, and {URL} cannot be read ({reason})", file=sys.stderr)


if __name__ == "__main__":
    main()
