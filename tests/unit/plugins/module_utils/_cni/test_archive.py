# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archives: what is taken out of them, and all the ways in which one is not trusted."""

from __future__ import annotations

import hashlib
import io
import os
import platform
import tarfile
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import archive
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, shown

Member = t.Tuple[str, bytes, t.Dict[str, t.Any]]


def pack(path: Path, members: t.Iterable[Member], mode: str = "w:gz") -> str:
    """Write an archive as releases are: with "./" for the directory itself, owned by nobody in particular."""
    with tarfile.open(path, t.cast(t.Any, mode)) as tar:
        root = tarfile.TarInfo("./")
        root.type, root.mode, root.uid = tarfile.DIRTYPE, 0o700, 1001
        tar.addfile(root)
        for name, content, attributes in members:
            member = tarfile.TarInfo(name)
            member.mode, member.size = 0o755, len(content)
            for key, value in attributes.items():
                setattr(member, key, value)
            tar.addfile(member, io.BytesIO(content))
    return str(path)


def checksum(path: str) -> str:
    return "sha256:" + hashlib.sha256(Path(path).read_bytes()).hexdigest()


def refusal(path: str, names: t.Sequence[str] = ("bridge",)) -> str:
    with pytest.raises(OptionError) as caught, archive.verified(path, checksum(path)) as file:
        archive.hashes(file, names)
    return str(caught.value)


@pytest.mark.parametrize("mode", ["w:gz", "w:xz", "w"])
def test_only_the_wanted_members_are_taken(mode: str, tmp_path: Path) -> None:
    members: list[Member] = [
        ("./bridge", b"one", {}),
        ("./bridge10", b"ten", {}),
        ("LICENSE", b"text", {"mode": 0o644}),
    ]
    path = pack(tmp_path / "release.tgz", members, mode)
    with archive.verified(path, checksum(path)) as file:
        assert archive.hashes(file, ["bridge"]) == {"bridge": hashlib.sha256(b"one").hexdigest()}
        assert dict(archive.contents(file, ["bridge"])) == {"bridge": b"one"}
        assert dict(archive.contents(file, ["bridge10", "bridge"])) == {"bridge": b"one", "bridge10": b"ten"}


def test_the_checksum_is_compared_first(tmp_path: Path) -> None:
    path = pack(tmp_path / "release.tgz", [("bridge", b"one", {})])
    other = "sha256:" + "0" * 64
    with pytest.raises(OptionError) as caught, archive.verified(path, other):
        pytest.fail("was opened")
    assert str(caught.value).startswith(
        f"archive: {shown(str(path))} has the checksum {checksum(path)} instead of {other}; "
    )


@pytest.mark.parametrize("make", [Path.mkdir, Path.exists])
def test_what_is_no_file_is_refused(make: t.Callable[[Path], t.Any], tmp_path: Path) -> None:
    path = tmp_path / "release.tgz"
    make(path)
    with pytest.raises(OptionError, match=r"^archive: .* (cannot be read|is not a regular file)"):
        archive.verified(str(path), "sha256:" + "0" * 64).__enter__()


@pytest.mark.parametrize(
    ("member", "says"),
    [
        (("/bridge", b"", {}), 'holds "/bridge", which leads out of it'),
        (("./../bridge", b"", {}), 'holds "./../bridge", which leads out of it'),
        (("a/../../bridge", b"", {}), "leads out of it"),
        (("x", b"", {"type": tarfile.SYMTYPE, "linkname": "/etc/shadow"}), 'holds "x", which is a link'),
        (("x", b"", {"type": tarfile.LNKTYPE, "linkname": "bridge"}), 'holds "x", which is a link'),
        (("x", b"", {"type": tarfile.CHRTYPE}), 'holds "x", which is a link or a special file'),
        (("x", b"", {"type": tarfile.FIFOTYPE}), 'holds "x", which is a link or a special file'),
        (("x", b"", {"mode": 0o4755}), 'holds "x" with a setuid or setgid bit'),
        (("x", b"", {"mode": 0o2755}), 'holds "x" with a setuid or setgid bit'),
        (("./bridge", b"again", {}), "holds bridge twice"),
    ],
)
def test_one_bad_member_spoils_the_archive(member: Member, says: str, tmp_path: Path) -> None:
    path = pack(tmp_path / "release.tgz", [("bridge", b"one", {}), member])
    assert says in refusal(path)


def test_a_huge_member_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MEMBER_LIMIT", 10)
    path = pack(tmp_path / "release.tgz", [("bridge", b"x" * 11, {})])
    assert 'holds "bridge" with 11 bytes, more than a plugin has' in refusal(path)


@pytest.mark.parametrize("cut", [0, 5, 60, 100])
def test_half_an_archive_is_refused(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "release.tgz"
    pack(path, [("bridge", bytes(range(256)) * 40, {})])
    path.write_bytes(path.read_bytes()[:cut])
    assert "cannot be read as a tar archive" in refusal(str(path))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("hostlocal", "plugins: hostlocal is not in {path}; did you mean host-local?"),
        ("LICENSE", "plugins: LICENSE is not in {path}; use one of bridge, host-local"),
        ("deep", "plugins: deep is not in {path}; use one of bridge, host-local"),
    ],
)
def test_a_plugin_that_is_not_there_is_named(name: str, says: str, tmp_path: Path) -> None:
    members: list[Member] = [("bridge", b"", {}), ("host-local", b"", {}), ("LICENSE", b"", {"mode": 0o644})]
    path = pack(tmp_path / "release.tgz", [*members, ("dir/deep", b"", {})])
    assert refusal(path, [name]) == says.format(path=path)


def elf(machine: int, order: str = "little") -> bytes:
    return b"\x7fELF\x02" + (b"\x01" if order == "little" else b"\x02") + bytes(12) + machine.to_bytes(2, order)  # type: ignore[arg-type]


def test_another_architecture_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    path = pack(tmp_path / "release.tgz", [("./bridge", elf(183), {})])
    assert "holds bridge for another architecture (ELF machine 183); use the archive for x86_64" in refusal(path)


@pytest.mark.parametrize(
    ("machine", "content"),
    [
        ("x86_64", elf(62)),
        ("x86_64", b"#!/bin/sh\n"),
        ("x86_64", b""),
        ("s390x", elf(22, "big")),
        ("aarch64", elf(183)),
        ("a-new-one", elf(999)),
    ],
)
def test_our_own_architecture_is_taken(machine: str, content: bytes, tmp_path: Path, monkeypatch: t.Any) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    path = pack(tmp_path / "release.tgz", [("bridge", content, {})])
    with archive.verified(path, checksum(path)) as file:
        assert archive.hashes(file, ["bridge"]) == {"bridge": hashlib.sha256(content).hexdigest()}


def test_the_checksum_for_this_node_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    several = {"arm": "sha256:" + "1" * 64, "arm64": "SHA256:" + "A" * 64}
    assert archive.checksum_of(None, several) == "sha256:" + "a" * 64
    assert archive.checksum_of(several["arm"], None) == several["arm"]
    with pytest.raises(OptionError, match=r"^checksums: .* has no checksum for this node, which is arm64; add"):
        archive.checksum_of(None, {"arm": several["arm"]})
    with pytest.raises(OptionError, match=r"^checksums\.arm64: 5 is not a checksum"):
        archive.checksum_of(None, {"arm64": 5})


@pytest.mark.parametrize("value", ["", None, "0" * 64, "md5:" + "0" * 32, "sha256:" + "0" * 63, "sha256:" + "g" * 64])
def test_what_is_no_checksum_is_refused(value: t.Any) -> None:
    with pytest.raises(OptionError, match="is not a checksum; write sha256:"):
        archive.checksum("checksum", value)
    with pytest.raises(OptionError, match="is not a checksum"):
        archive.checksum("checksum", "sha256:" + "0" * 64 + "\n")


def test_a_terabyte_is_no_release(tmp_path: Path) -> None:
    path = tmp_path / "release.tgz"
    path.touch()
    os.truncate(path, 2**40)
    with pytest.raises(OptionError, match="has 1099511627776 bytes, more than a release"):
        archive.verified(str(path), "sha256:" + "0" * 64).__enter__()


def test_what_was_verified_is_what_is_read(tmp_path: Path) -> None:
    path = pack(tmp_path / "release.tgz", [("./bridge", b"one", {})])
    with archive.verified(path, checksum(path)) as file:
        pack(tmp_path / "other.tgz", [("./bridge", b"evil", {})])
        Path(path).write_bytes((tmp_path / "other.tgz").read_bytes())
        assert dict(archive.contents(file, ["bridge"])) == {"bridge": b"one"}


@pytest.mark.parametrize("mode", ["w:gz", "w:xz", "w:bz2", "w"])
def test_half_an_archive_is_a_sentence(mode: str, tmp_path: Path) -> None:
    path = pack(tmp_path / "release.tgz", [("./bridge", os.urandom(5000), {})], mode)
    whole = Path(path).read_bytes()
    for half in (whole[: len(whole) // 2], whole[:40] + b"\xff" * 60 + whole[100:]):
        Path(path).write_bytes(half)
        assert "cannot be read as a tar archive" in refusal(path) or "is not in" in refusal(path)
