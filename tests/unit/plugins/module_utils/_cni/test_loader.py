# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What loaders make of a directory, whatever is in it."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import loader
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError

GOOD = {"cniVersion": "1.0.0", "name": "net", "plugins": [{"type": "bridge"}]}
SINGLE = {"cniVersion": "1.0.0", "name": "one", "type": "bridge"}


def put(directory: pathlib.Path, **files: t.Any) -> list[loader.File]:
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (directory / name.replace("__", ".").replace("_", "-")).write_text(text, encoding="utf-8")
    return loader.read_directory(str(directory))


def names(files: t.Iterable[t.Any]) -> list[str]:
    return [os.path.basename(entry.path) for entry in files]


def no_obstacle(kind: str, version: str) -> t.Optional[str]:
    return None


def loaded(verdicts: list[loader.Verdict]) -> list[str]:
    return names(verdict for verdict in verdicts if verdict.loaded)


def reasons(verdicts: list[loader.Verdict]) -> list[str]:
    return [verdict.reason for verdict in verdicts]


def test_files_come_in_the_loaders_order(tmp_path: pathlib.Path) -> None:
    for name in ("b.conf", "a.conflist", "B.json", ".hidden.conf", "10-x.conf", "9-x.conf"):
        (tmp_path / name).write_text("{}")
    for name in ("a.conf~", "a.conf.disabled-by-podnet", "conf", "a.yaml", ".x.podnet-tmp"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "dir.conf").mkdir()
    found = names(loader.read_directory(str(tmp_path)))
    assert found == [".hidden.conf", "10-x.conf", "9-x.conf", "B.json", "a.conflist", "b.conf"]


def test_a_missing_directory_is_empty(tmp_path: pathlib.Path) -> None:
    assert loader.read_directory(str(tmp_path / "none")) == []


def test_a_directory_that_is_a_file(tmp_path: pathlib.Path) -> None:
    (tmp_path / "net.d").write_text("")
    with pytest.raises(OptionError, match=r"^conf_dir: \S+/net.d is, or is below, a file; move the file away or use"):
        loader.read_directory(str(tmp_path / "net.d"))


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.conf", "{", "is not JSON ("),
        ("a.conf", "", "is not JSON ("),
        ("a.conf", '{"type": "x", "mtu": NaN}', "is not JSON (NaN is not a number)"),
        ("a.conf", '{"type": "x", "n": ' + "9" * 5000 + "}", "has a number of 5000 digits"),
        ("a.conf", "[" * 100000, "is nested too deeply"),
        ("a.conf", '{"a":' * 100000, "is nested too deeply"),
        ("a.conf", "[]", "is not a JSON object"),
        ("a.conf", "{}", "has no type"),
        ("a.json", '{"type": ""}', "has no type"),
        ("a.conf", json.dumps(GOOD), "holds a list of plugins, which only a .conflist may"),
        ("a.conflist", json.dumps(SINGLE), "has no list of plugins"),
        ("a.conflist", '{"plugins": [{"type": "x"}]}', "has no name"),
        ("a.conflist", '{"name": 1}', "has no name"),
        ("a.conflist", '{"name": "x", "plugins": []}', "has no list of plugins"),
        ("a.conflist", '{"name": "x", "plugins": [{"type": "x"}, {}]}', "has a plugin without type (plugins[1])"),
        ("a.conflist", '{"name": "x", "plugins": ["x"]}', "has a plugin without type (plugins[0])"),
        ("a.conflist", '{"name": "x", "cniVersion": 1, "plugins": []}', "has the cniVersion 1, which is not a text"),
    ],
)
def test_files_that_are_wrong(tmp_path: pathlib.Path, name: str, content: str, error: str) -> None:
    (tmp_path / name).write_text(content)
    found = loader.read_file(str(tmp_path / name))
    assert found.error is not None
    assert found.error.startswith(error)


def test_files_that_are_no_text_files(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "a.conf")
    (tmp_path / "b.conf").write_bytes(b"\xff\xfe{}")
    (tmp_path / "c.conf").symlink_to(tmp_path / "nowhere")
    (tmp_path / "d.conf").symlink_to(tmp_path)
    (tmp_path / "e.conf").symlink_to("e.conf")
    with open(tmp_path / "f.conf", "wb") as file:
        file.truncate(100 * 1024 * 1024)
    (tmp_path / "g.conf").symlink_to("/dev/zero")
    found = {os.path.basename(entry.path): entry.error for entry in loader.read_directory(str(tmp_path))}
    assert found == {
        "a.conf": "is not a regular file",
        "b.conf": "is not UTF-8 text (byte 0)",
        "c.conf": "leads to no file",
        "d.conf": "is not a regular file",
        "e.conf": "cannot be read (Too many levels of symbolic links)",
        "f.conf": "has 104857600 bytes, at most 4194304 are read",
        "g.conf": "is not a regular file",
    }


def test_containerd_loads_the_first(tmp_path: pathlib.Path) -> None:
    files = put(tmp_path, a__conflist=GOOD, b__conf=SINGLE, c__conf="{")
    assert loaded(loader.containerd(files)) == ["a.conflist"]
    assert loaded(loader.containerd(files, maximum=2)) == ["a.conflist", "b.conf"]
    assert reasons(loader.containerd(files))[1] == "comes after a.conflist, the last that is read"


def test_a_wrong_first_file_fails_containerd(tmp_path: pathlib.Path) -> None:
    files = put(tmp_path, a__conf="{}", b__conflist=GOOD)
    assert loaded(loader.containerd(files)) == []
    assert reasons(loader.containerd(files))[0] == "has no type, so nothing at all is loaded"
    assert loaded(loader.containerd(files, maximum=2)) == []
    assert reasons(loader.containerd(files, maximum=2))[1] == "a.conf is wrong, so nothing at all is loaded"


def test_the_others_pass_over_what_is_wrong(tmp_path: pathlib.Path) -> None:
    files = put(tmp_path, a__conf="{}", b__conflist={**GOOD, "cniVersion": "1.1.0"}, c__conf=SINGLE, d__conflist=GOOD)

    def obstacle(kind: str, version: str) -> t.Optional[str]:
        return f"plugin {kind} does not speak version {version}" if version == "1.1.0" else None

    assert loaded(loader.kubelet(files, obstacle)) == ["c.conf"]
    assert reasons(loader.kubelet(files, obstacle)) == [
        "is passed over: has no type",
        "is passed over: plugin bridge does not speak version 1.1.0",
        "is the first that can be used",
        "comes after c.conf",
    ]
    assert loaded(loader.crio(files, no_obstacle)) == ["b.conflist"]
    assert loaded(loader.crio(files, no_obstacle, default="one")) == ["c.conf"]
    assert reasons(loader.crio(files, no_obstacle, default="one"))[1] == "is not the default network, one"


def test_obstacles_of_binaries(tmp_path: pathlib.Path) -> None:
    asked = []

    def speaks(kind: str) -> t.Optional[list[str]]:
        asked.append(kind)
        if kind == "broken":
            raise PodnetError("broken: does not answer")
        return ["0.4.0"] if kind == "bridge" else None

    obstacle = loader.obstacles(speaks)
    assert obstacle("bridge", "0.4.0") is None
    assert obstacle("bridge", "1.0.0") == "plugin bridge does not speak version 1.0.0"
    assert obstacle("bridge1", "0.4.0") == "plugin bridge1 is not installed"
    assert obstacle("broken", "0.4.0") == "broken: does not answer"


def test_a_version_that_is_left_out_is_the_oldest(tmp_path: pathlib.Path) -> None:
    files = put(tmp_path, a__conf={"type": "bridge"})
    assert loader.unusable(files[0], lambda kind, version: f"{kind} {version}") == "bridge 0.1.0"


def test_binaries_are_asked_once(tmp_path: pathlib.Path) -> None:
    binary = tmp_path / "bridge"
    binary.write_text("")
    binary.chmod(0o755)
    runs = []

    def run(args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
        runs.append(args)
        return 0, '{"supportedVersions": ["1.0.0"]}', ""

    speaks = loader.speaker(run, [str(tmp_path)])
    assert [speaks("bridge"), speaks("bridge"), speaks("bridge1")] == [["1.0.0"], ["1.0.0"], None]
    assert len(runs) == 1


def test_what_is_read_before_a_path(tmp_path: pathlib.Path) -> None:
    files = put(tmp_path, net="", net__conf="{}", net_1__conflist=GOOD, a__json="{}")
    assert names(loader.ahead(files, str(tmp_path / "net.conflist"))) == ["a.json", "net-1.conflist", "net.conf"]
    assert names(loader.ahead(files, str(tmp_path / "a.json"))) == []


def test_what_libcni_adds_to_a_network(tmp_path: pathlib.Path) -> None:
    for name in ("net", "net1"):
        (tmp_path / name).mkdir()
        put(tmp_path / name, a__conf=SINGLE, b__conflist=GOOD)
    found = loader.injected(str(tmp_path), "net")
    assert [entry.path for entry in found] == [str(tmp_path / "net" / "a.conf")]
    assert loader.injected(str(tmp_path), "ne") == []
