# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The CNI plugins' binaries: where one is found, what it is, whose it is, and what it says about itself.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import re
import stat
import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils import _json
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError, shown
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Runner, which

#: Where CNI plugins are by convention: upstream's place, Debian's package, Fedora's and Red Hat's package.
BIN_DIRS = ("/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni")

#: A plugin answers VERSION in some milliseconds; one that hangs (waits for a daemon, say) must not hang us.
PROBE_SECONDS = 5

#: No plugin is as large; what is takes too long to read.
LARGEST = 512 * 1024 * 1024

#: A release's binaries are a few MB each; hashing reads them in pieces of this size.
CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Binary:
    """A regular file in a bin directory: its size, mode (``0755``), owner (``root:root``) and content."""

    size: int
    mode: str
    owner: str
    sha256: str


def is_plugin_name(name: t.Any) -> bool:
    """Whether a runtime would look for such a file: libcni refuses names with a path separator."""
    return isinstance(name, str) and name not in ("", ".", "..") and "/" not in name and "\0" not in name


def is_executable(path: str) -> bool:
    """Whether the path leads to a regular file that may be executed, as libcni and the kernel ask for."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # the type in a file need not be a name that the file system takes
        return False
    return stat.S_ISREG(mode) and bool(mode & 0o111)


def find(plugin_type: str, bin_dirs: t.Sequence[str]) -> t.Optional[str]:
    """Return the path of the binary that a runtime would run for a plugin type, or None: the first directory wins."""
    if not is_plugin_name(plugin_type):
        return None
    paths = (os.path.join(directory, plugin_type) for directory in bin_dirs)
    return next((path for path in paths if is_executable(path)), None)


def inspect(path: str, follow: bool = False) -> t.Optional[Binary]:
    """Return what a file is, or None where there is none or it is not a regular file (a link, unless followed)."""
    try:
        # O_NONBLOCK: opening a FIFO must not hang.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        with open(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
                return None
            mode = f"{stat.S_IMODE(status.st_mode):04o}"
            return Binary(status.st_size, mode, owner(status.st_uid, status.st_gid), sha256(file))
    except (OSError, ValueError):  # a name out of somebody's manifest need be none
        return None


def sha256(file: t.BinaryIO, head: bytes = b"") -> str:
    """Return the checksum of what was read already and what is left to read, without having it all in memory."""
    digest = hashlib.sha256(head)
    for chunk in iter(lambda: file.read(CHUNK), b""):
        digest.update(chunk)
    return digest.hexdigest()


def owner(uid: int, gid: int) -> str:
    """Return ``root:root`` for 0 and 0; an id without a name stays a number."""
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    try:
        group = grp.getgrgid(gid).gr_name
    except KeyError:
        group = str(gid)
    return f"{user}:{group}"


def packages(run: Runner, paths: t.Sequence[str]) -> dict[str, str]:
    """Return the distribution's package that owns each path; paths that none owns are left out."""
    # dpkg-query takes patterns; a name with such characters is nobody's package's.
    plain = [path for path in paths if not re.search(r"[*?\[\]\\]", path)]
    if not plain:
        return {}
    if which("dpkg-query"):
        lines = re.findall(r"^(\S+): (/.*)$", run(["dpkg-query", "--search", *plain])[1], re.MULTILINE)
        return {path: name for name, path in lines if path in plain}
    if which("rpm"):
        names = run(["rpm", "--query", "--file", "--queryformat", "%{NAME}\\n", *plain])[1].splitlines()
        return {path: name for path, name in zip(plain, names) if " " not in name}
    return {}


def supported_versions(run: Runner, path: str) -> list[str]:
    """Ask a binary which cniVersions it speaks; one that does not answer is a PodnetError."""
    status, out, err = _probe(run, path, ["CNI_COMMAND=VERSION"])
    try:
        versions = _json.parse(out)["supportedVersions"]
    except (ValueError, TypeError, KeyError):
        versions = None
    if status != 0 or not isinstance(versions, list) or not all(isinstance(entry, str) for entry in versions):
        raise PodnetError(
            f"{path}: does not answer CNI_COMMAND=VERSION as a CNI plugin does ({_reason(status, out, err)}); "
            "install one for this machine's architecture"
        )
    return versions


def release(run: Runner, path: str) -> t.Optional[str]:
    """Return the release that a binary says it is of (``v1.9.1``); None where it says none, as Debian's do."""
    status, out, err = _probe(run, path, ["-u", "CNI_COMMAND"])
    # "CNI bridge plugin v1.9.1", on standard error.
    found = re.search(r"^CNI \S+ plugin (?:version )?(\S+)$", err + "\n" + out, re.MULTILINE) if status == 0 else None
    return found.group(1) if found and found.group(1) != "unknown" else None


def _probe(run: Runner, path: str, environment: list[str]) -> tuple[int, str, str]:
    # Some plugins read their standard input before they look at the command, so they get an (empty) configuration.
    return run(["timeout", "-k", "1", str(PROBE_SECONDS), "env", *environment, path], '{"cniVersion": "0.4.0"}')


def _reason(status: int, out: str, err: str) -> str:
    if status in (124, 137):
        return f"no answer within {PROBE_SECONDS} seconds"
    words = (err.strip() or out.strip()).splitlines()
    return f"status {status}" + (f", {shown(words[-1])}" if words else "")
