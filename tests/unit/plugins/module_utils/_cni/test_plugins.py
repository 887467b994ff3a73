# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding binaries and asking them, with little shell scripts that answer as plugins do."""

from __future__ import annotations

import os
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import plugins
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

ANSWER = '{"cniVersion":"1.0.0","supportedVersions":["0.3.1","1.0.0"]}'


def run(args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
    done = subprocess.run(args, input=data, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def script(path: Path, body: str, mode: int = 0o755) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(mode)
    return str(path)


def test_the_first_directory_wins_and_names_are_exact(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for path in (first / "bridge10", second / "bridge", second / "bridge10"):
        script(path, "exit 0")
    dirs = [str(first), str(tmp_path / "nowhere"), str(second)]
    assert plugins.find("bridge10", dirs) == str(first / "bridge10")
    assert plugins.find("bridge", dirs) == str(second / "bridge")
    assert plugins.find("bridge1", dirs) is None


@pytest.mark.parametrize("name", ["", ".", "..", "../bin/bridge", "/bin/sh", "bin/bridge", "a\0b", None, 5])
def test_what_no_runtime_looks_for_is_not_found(name: t.Any, tmp_path: Path) -> None:
    script(tmp_path / "bin" / "bridge", "exit 0")
    assert plugins.find(name, [str(tmp_path), str(tmp_path / "bin")]) is None


def test_only_executable_regular_files_are_found(tmp_path: Path) -> None:
    script(tmp_path / "text", "exit 0", 0o644)
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "fifo", 0o777)
    (tmp_path / "dangling").symlink_to("/nowhere")
    (tmp_path / "link").symlink_to(script(tmp_path / "there", "exit 0"))
    found = [name for name in sorted(os.listdir(tmp_path)) if plugins.find(name, [str(tmp_path)])]  # noqa: PTH208
    assert found == ["link", "there"]


def test_a_plugin_says_what_it_speaks(tmp_path: Path) -> None:
    path = script(tmp_path / "bridge", f"cat >/dev/null; [ $CNI_COMMAND = VERSION ] && echo '{ANSWER}'")
    assert plugins.supported_versions(run, path) == ["0.3.1", "1.0.0"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("exit 3", "status 3"),
        ("echo no such thing >&2; exit 1", 'status 1, "no such thing"'),
        ("echo hello", "status 0, hello"),
        ("echo '{}'", "status 0, {}"),
        ("""echo '{"supportedVersions": [1]}'""", "status 0"),
        ("echo '[]'", "status 0, []"),
    ],
)
def test_what_does_not_answer_as_a_plugin_is_named(body: str, why: str, tmp_path: Path) -> None:
    path = script(tmp_path / "odd", body)
    with pytest.raises(PodnetError) as caught:
        plugins.supported_versions(run, path)
    assert str(caught.value).startswith(f"{path}: does not answer CNI_COMMAND=VERSION as a CNI plugin does ({why}")


def test_a_hanging_binary_does_not_hang_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "PROBE_SECONDS", 0.2)
    with pytest.raises(PodnetError, match=r"no answer within 0\.2 seconds"):
        plugins.supported_versions(run, script(tmp_path / "hangs", "exec sleep 60"))


@pytest.mark.parametrize(
    ("body", "release"),
    [
        ("echo 'CNI bridge plugin v1.9.1' >&2; echo 'CNI protocol versions supported: 1.0.0' >&2", "v1.9.1"),
        ("echo 'CNI bridge plugin version unknown' >&2", None),
        ("echo 'CNI bridge plugin v1.9.1' >&2; exit 1", None),
        ("exit 0", None),
        ('[ -z "$CNI_COMMAND" ] && echo "CNI bridge plugin v0.8.6"', "v0.8.6"),
    ],
)
def test_a_release_is_what_the_binary_says(body: str, release: str, tmp_path: Path) -> None:
    assert plugins.release(run, script(tmp_path / "bridge", body)) == release


def test_a_file_is_inspected_but_no_link_unless_asked(tmp_path: Path) -> None:
    path = script(tmp_path / "bridge", "exit 0", 0o4711)
    link = tmp_path / "link"
    link.symlink_to(path)
    found = plugins.inspect(path)
    assert found is not None
    assert (found.mode, found.size) == ("4711", 17)
    assert found.sha256 == run(["sha256sum", path])[1].split()[0]
    assert plugins.inspect(str(link)) is None
    assert plugins.inspect(str(link), follow=True) == found
    assert plugins.inspect(str(tmp_path)) is None
    assert plugins.inspect(str(tmp_path / "nothing")) is None


def test_an_id_without_a_name_stays_a_number() -> None:
    assert plugins.owner(0, 0) == "root:root"
    assert plugins.owner(4242421, 4242422) == "4242421:4242422"


def test_the_owner_of_a_path_is_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def answer(args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
        asked.append(args)
        if args[0] == "rpm":
            return 1, "containernetworking-plugins\nfile /opt/cni/bin/bridge is not owned by any package\n", ""
        return 1, "containernetworking-plugins: /usr/lib/cni/bridge\ndiversion by x from: /usr/lib/cni/bridge10\n", "no"

    paths = ["/usr/lib/cni/bridge", "/opt/cni/bin/bridge", "/opt/cni/bin/br*"]
    for tool in ("dpkg-query", "rpm"):
        monkeypatch.setattr(plugins, "which", lambda name, there=tool: name == there)
        assert plugins.packages(answer, paths) == {"/usr/lib/cni/bridge": "containernetworking-plugins"}
        assert asked[-1][-2:] == paths[:2]
    assert plugins.packages(answer, ["/a[b"]) == {}
    monkeypatch.setattr(plugins, "which", {}.get)
    assert plugins.packages(answer, paths) == {}
