# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A release archive of CNI plugins: verified before anything in it is read, and never unpacked as a whole.

The archive itself says ``./``, with an owner and a mode, so that unpacking it with tar changes the bin directory.
Only the content of wanted regular files is ever taken out of it.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import lzma
import os
import platform
import posixpath
import re
import stat
import tarfile
import tempfile
import typing as t
import zlib

from ansible_collections.mink8s.podnet.plugins.module_utils._cni.plugins import CHUNK, sha256
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._values import suggestion

#: A release has some 60 MB; whoever waits for the checksum of a terabyte waits for nothing.
ARCHIVE_LIMIT = 512 * 1024 * 1024

#: The largest plugin of a release has some 8 MB; one is in memory at a time.
MEMBER_LIMIT = 64 * 1024 * 1024

#: Which ELF machines (e_machine) a kernel of an architecture runs; others are not checked.
ELF_MACHINES = {
    "x86_64": (62, 3),
    "i686": (3,),
    "aarch64": (183, 40),
    "armv7l": (40,),
    "armv6l": (40,),
    "ppc64le": (21,),
    "riscv64": (243,),
    "s390x": (22,),
}


#: What the names of release archives call a machine (GOARCH), where it is not what uname -m says.
RELEASE_NAMES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm", "mips64": "mips64le"}


def architecture() -> str:
    """Return this node's architecture as the names of release archives say it: ``amd64``."""
    return RELEASE_NAMES.get(platform.machine(), platform.machine())


def checksum_of(one: t.Optional[str], several: t.Optional[t.Mapping[str, t.Any]]) -> str:
    """Return the archive's checksum: the one that is given, or the one of several that is for this node."""
    if several is None:
        return checksum("checksum", one)
    if architecture() not in several:
        raise OptionError(
            "checksums",
            list(several),
            f"has no checksum for this node, which is {architecture()}",
            f"add the checksum of the archive for {architecture()}",
        )
    return checksum(f"checksums.{architecture()}", several[architecture()])


def checksum(path: str, value: t.Any) -> str:
    """A literal checksum, ``sha256:`` and 64 hexadecimal digits; a URL of a checksum file proves nothing."""
    if not isinstance(value, str) or not re.fullmatch(r"sha256:[0-9a-f]{64}", value.lower()):
        raise OptionError(path, value, "is not a checksum", "write sha256: and the archive's 64 hexadecimal digits")
    return value.lower()


class Verified(t.NamedTuple):
    """An archive that is the expected one: its path, for sentences, and its content, which nobody else can change."""

    path: str
    file: t.BinaryIO


@contextlib.contextmanager
def verified(path: str, expected: str) -> t.Iterator[Verified]:
    """Copy an archive where nobody else finds it, and make sure that it is the expected one; the copy is then read."""
    with _open(path) as given, tempfile.TemporaryFile() as file:
        status = os.fstat(given.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OptionError("archive", path, "is not a regular file", "name the release archive")
        if status.st_size > ARCHIVE_LIMIT:
            raise OptionError("archive", path, f"has {status.st_size} bytes, more than a release", _GET_AGAIN)
        try:
            found = "sha256:" + _copied(given, file)
        except OSError as error:
            problem = f"cannot be copied to {tempfile.gettempdir()} ({error.strerror})"
            raise OptionError("archive", path, problem, "make room there, or name another place in TMPDIR") from error
        if found != expected:
            raise OptionError("archive", path, f"has the checksum {found} instead of {expected}", _GET_AGAIN)
        yield Verified(path, t.cast(t.BinaryIO, file))


def _copied(given: t.BinaryIO, file: t.IO[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in iter(lambda: given.read(CHUNK), b""):
        digest.update(chunk)
        file.write(chunk)
    file.flush()
    return digest.hexdigest()


def hashes(archive: Verified, names: t.Collection[str]) -> dict[str, str]:
    """Return the sha256 of every wanted plugin in a verified archive; all that is wrong with it is said here."""
    found: dict[str, str] = {}
    known: set[str] = set()
    with _opened(archive) as tar:
        for member in tar:
            name = _checked(member, archive.path)
            if not member.isreg() or not member.mode & 0o111 or "/" in name:
                continue
            if name in known:
                raise _broken(archive.path, f"holds {name} twice")
            known.add(name)
            if name in names:
                found[name] = _hash(tar, member, archive.path)
    for name in names:
        if name not in found:
            raise OptionError(
                "plugins", name, f"is not in {archive.path}", suggestion(name, known) if known else _REPACK
            )
    return found


def contents(archive: Verified, names: t.Collection[str]) -> t.Iterator[tuple[str, bytes]]:
    """Yield each wanted plugin and its content, in the order of the archive, which hashes() has found sound."""
    with _opened(archive) as tar:
        for member in tar:
            name = posixpath.normpath(member.name)
            if member.isreg() and name in names:
                yield name, _content(tar, member).read()


def _open(path: str) -> t.BinaryIO:
    try:
        # O_NONBLOCK: opening a FIFO must not hang.
        return open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))
    except OSError as error:
        raise OptionError(
            "archive", path, f"cannot be read ({error.strerror})", "copy the release archive to the node first"
        ) from error


#: What Python's tarfile, and what unpacks for it, ends with where something is no archive.
_NO_TAR = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError, ValueError, OverflowError, IndexError)

_GET_AGAIN = "get the archive again, or correct checksum if this is the archive that you want"
_REPACK = "use a release archive as it was published, or pack the plugins at the top level of a tar file"


def _broken(archive: str, problem: str) -> OptionError:
    return OptionError("archive", archive, problem, _REPACK)


@contextlib.contextmanager
def _opened(archive: Verified) -> t.Iterator[tarfile.TarFile]:
    archive.file.seek(0)
    try:
        with tarfile.open(fileobj=archive.file, mode="r:*") as tar:
            yield tar
    except _NO_TAR as error:
        raise _broken(archive.path, f"cannot be read as a tar archive ({error})") from error


def _checked(member: tarfile.TarInfo, archive: str) -> str:
    """Return a member's plain name, or say why an archive with such a member is not trusted at all."""
    name = posixpath.normpath(member.name)
    if member.name.startswith("/") or ".." in member.name.split("/"):
        raise _broken(archive, f'holds "{member.name}", which leads out of it')
    if not member.isreg() and not member.isdir():
        raise _broken(archive, f'holds "{member.name}", which is a link or a special file')
    if member.isreg() and member.mode & (stat.S_ISUID | stat.S_ISGID):
        raise _broken(archive, f'holds "{member.name}" with a setuid or setgid bit')
    if member.size > MEMBER_LIMIT:
        raise _broken(archive, f'holds "{member.name}" with {member.size} bytes, more than a plugin has')
    return name


def _hash(tar: tarfile.TarFile, member: tarfile.TarInfo, archive: str) -> str:
    content = _content(tar, member)
    head = content.read(20)
    _require_machine(head, member.name, archive)
    return sha256(content, head)


def _require_machine(head: bytes, name: str, archive: str) -> None:
    machine = platform.machine()
    if head[:4] != b"\x7fELF" or machine not in ELF_MACHINES:
        return
    found = int.from_bytes(head[18:20], "little" if head[5] == 1 else "big")
    if found not in ELF_MACHINES[machine]:
        raise OptionError(
            "archive",
            archive,
            f"holds {posixpath.normpath(name)} for another architecture (ELF machine {found})",
            f"use the archive for {machine}",
        )


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> t.BinaryIO:
    return t.cast(t.BinaryIO, tar.extractfile(member))  # a regular member always has content
