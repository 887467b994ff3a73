# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""containerd's file where it is as wanted, or only to be given back; the real one is in the integration target."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import containerd, flagged
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime.reader import Places, Reader

PLACES = Places("/etc/cni/net.d", ["/opt/cni/bin"])
SECTION = '[plugins."io.containerd.grpc.v1.cri".cni]\n'
#: As Debian has it.
THEIRS = f'version = 2\n{SECTION}bin_dir = "/usr/lib/cni"\n'


class Node:
    """A containerd that says of a file what stands in it, whatever that imports."""

    def __init__(self, root: Path) -> None:
        self.root, self.file = root, root / "config.toml"
        self.version = 2
        (root / "containerd").touch()
        (root / "containerd").chmod(0o755)
        (root / "containerd.service").write_text(f"[Service]\nExecStart={root}/containerd --config {self.file}\n")

    def run(self, args: list[str], _data: t.Optional[str] = None) -> tuple[int, str, str]:
        text = Path(args[2]).read_text()
        given = {key: re.findall(rf'^{key} = "(.*)"', text, re.MULTILINE) for key in ("bin_dir", "conf_dir")}
        said = {"bin_dir": "/opt/cni/bin", "conf_dir": "/etc/cni/net.d", **{k: v[0] for k, v in given.items() if v}}
        keys = "".join(f'{key} = "{value}"\n' for key, value in said.items())
        section = "io.containerd.grpc.v1.cri" if self.version == 2 else "io.containerd.cri.v1.runtime"
        return 0, f'version = {self.version}\n[plugins."{section}".cni]\n{keys}', ""

    def find(self, present: bool = True) -> Reader:
        found = containerd.find(self.run, PLACES, None, present)
        assert found is not None
        return found


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    monkeypatch.setattr(flagged._units, "UNIT_DIRS", (str(tmp_path),))
    return Node(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("imports = ['conf.d/*.toml']\n" + THEIRS, "imports other files"),
        (THEIRS.replace("version = 2\n", ""), "is of version 1"),
        (THEIRS + "x = '''\n'''\n", "has texts of several lines"),
    ],
)
def test_what_cannot_be_changed_can_be_given_back(node: Node, text: str, says: str) -> None:
    (node.root / "conf.d").mkdir()
    (node.root / "conf.d/nvidia.toml").touch()
    node.file.write_text(text)
    with pytest.raises(PodnetError, match=says):
        node.find()
    assert node.find(present=False).original == text


def test_a_file_that_is_as_wanted_stays_so_when_it_begins_to_import_others(node: Node) -> None:
    before = "imports = ['conf.d/*.toml']\n" + THEIRS
    node.file.write_text(before)
    changed = node.find().text or ""
    assert 'bin_dir = "/opt/cni/bin"' in changed
    node.file.write_text(changed)
    (node.root / "conf.d").mkdir()
    (node.root / "conf.d/nvidia.toml").touch()
    assert node.find().text == changed
    assert node.find(present=False).original == before


@pytest.mark.parametrize("version", [3, 4])
def test_a_file_of_a_newer_containerd(node: Node, version: int) -> None:
    node.version = version
    section = "[plugins.'io.containerd.cri.v1.runtime'.cni]\n"
    node.file.write_text(f'version = {version}\n{section}bin_dir = "/usr/lib/cni"\n')
    assert 'bin_dir = "/opt/cni/bin"' in (node.find().text or "")
