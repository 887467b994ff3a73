# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The survey of bin directories, without asking the distribution."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import manifest, survey

DEBIAN = {"name": "containernetworking-plugins", "manager": "apt", "bin_dir": "/usr/lib/cni"}
FEDORA = {"name": "containernetworking-plugins", "manager": "dnf", "bin_dir": "/usr/libexec/cni"}


def run(args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
    done = subprocess.run(args, input=data, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("os_release", "package"),
    [
        ('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n', DEBIAN),
        ('NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n', DEBIAN),
        ('NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\n', FEDORA),
        ("# a comment\nID=fedora\n", FEDORA),
        ("ID=debianish\n", None),
        ("ID=alpine\n", None),
        ("", None),
        ("ID='unfinished\n", None),
    ],
)
def test_the_package_goes_with_the_distribution(os_release: str, package: t.Optional[dict[str, str]]) -> None:
    assert survey.package(os_release) == package


def plugin(path: Path, release: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    answer = '{"supportedVersions": ["1.0.0"]}'
    path.write_text(f"#!/bin/sh\n[ $CNI_COMMAND ] && echo '{answer}' || echo 'CNI x plugin {release}' >&2\n", "utf-8")
    path.chmod(0o755)
    return str(path)


def test_every_executable_is_described(tmp_path: Path) -> None:
    ours, other = tmp_path / "ours", tmp_path / "other"
    for path in (ours / "bridge", ours / "bridge10", other / "bridge"):
        plugin(path, "v1.9.1")
    (ours / "LICENSE").write_text("text", "utf-8")
    digest = run(["sha256sum", str(ours / "bridge")])[1].split()[0]
    entry = manifest.Entry("sha256:" + "a" * 64, digest)
    manifest.save(str(ours), manifest.Manifest({"bridge": entry, "bridge10": manifest.Entry(entry.archive, "b" * 64)}))
    found = survey.survey(run, [str(ours), str(tmp_path / "nowhere"), str(other), str(ours)], None)["plugins"]
    shown = [(item["path"], item["used"], item["ours"], item["drifted"]) for item in found]
    assert shown == [
        (str(ours / "bridge"), True, True, False),
        (str(ours / "bridge10"), True, True, True),
        (str(other / "bridge"), False, False, False),
    ]
    assert found[0]["release"] == "v1.9.1"
    assert found[0]["cni_versions"] == ["1.0.0"]
    assert found[0]["archive"] == entry.archive
    assert found[0]["error"] is None


def test_names_are_exact(tmp_path: Path) -> None:
    for name in ("bridge", "bridge10"):
        plugin(tmp_path / name, "v1.0.0")
    found = survey.survey(run, [str(tmp_path)], ["bridge", "brid"])["plugins"]
    assert [item["name"] for item in found] == ["bridge"]
