# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service's command, out of its unit, drop-ins and files of environment."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _units
from ansible_collections.mink8s.podnet.plugins.module_utils._units import UnitFile, Word


def command(*texts: str) -> t.Optional[list[Word]]:
    return _units.exec_start([UnitFile(f"file{index}", text) for index, text in enumerate(texts)])


def words(*texts: str) -> list[str]:
    return [word.text for word in command(*texts) or []]


def test_the_last_command_counts_and_an_empty_one_takes_it_back() -> None:
    unit = "[Unit]\nExecStart=/bin/no\n[Service]\n#ExecStart=/bin/no\nExecStart=-/usr/bin/dockerd -H fd://\n"
    assert command(unit) == [Word("/usr/bin/dockerd", "file0"), Word("-H", "file0"), Word("fd://", "file0")]
    drop_in = "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd --bridge none\n"
    assert command(unit, drop_in) == [Word(word, "file1") for word in ("/usr/bin/dockerd", "--bridge", "none")]
    assert command(unit, "[Service]\nExecStart=\n") is None
    assert command("[Service]\nExecStartPre=/bin/true\nType=notify\n") is None
    assert command() is None


def test_lines_go_on_and_quotes_hold_words_together() -> None:
    assert words("[Service]\nExecStart=/bin/d \\\n   --label 'a=b c' \\\n --x=\"y z\"\n") == [
        "/bin/d",
        "--label",
        "a=b c",
        "--x=y z",
    ]
    assert words("[Service]\nExecStart=/bin/d it's\n") == ["/bin/d", "it's"]


def test_variables_come_from_where_they_were_set_last(tmp_path: Path) -> None:
    file = tmp_path / "default"
    file.write_text('# OPTS="no"\nOPTS="--iptables=false -D"\nEMPTY=\n')
    unit = (
        "[Service]\nEnvironment=A=1 'OPTS=--mtu 1' B=2\n"
        f"EnvironmentFile=-{tmp_path}/nothing\nEnvironmentFile=-{file}\n"
        "ExecStart=/bin/d $OPTS --n=${A}${B} $EMPTY $UNSET end\n"
    )
    assert words(unit) == ["/bin/d", "--iptables=false", "-D", "--n=12", "end"]
    assert (command(unit) or [])[1].path == str(file)


def test_files_are_found_as_systemd_finds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    etc, lib = tmp_path / "etc", tmp_path / "lib"
    for name in ("etc/d.service.d/20.conf", "lib/d.service.d/10.conf", "lib/d.service.d/20.conf", "lib/d.service"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (etc / "d.service.d" / "30.conf.bak").write_text("no")
    (etc / "d.service.d1").mkdir()
    monkeypatch.setattr(_units, "DIRECTORIES", (str(etc), str(lib)))
    monkeypatch.setattr(_units, "is_running", lambda: False)
    found = _units.read(lambda *_: (1, "", ""), "d.service")
    assert [file.text for file in found] == ["lib/d.service", "lib/d.service.d/10.conf", "etc/d.service.d/20.conf"]
    (etc / "d.service").symlink_to("/dev/null")
    assert _units.read(lambda *_: (1, "", ""), "d.service")[0] == UnitFile(str(etc / "d.service"), "")
    assert _units.read(lambda *_: (1, "", ""), "d1.service") == []


def test_systemctl_is_asked_where_systemd_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# /lib/systemd/system/d.service\n[Service]\nExecStart=/bin/d\n\n# /etc/systemd/system/d.service.d/a.conf\n"
    monkeypatch.setattr(_units, "is_running", lambda: True)
    monkeypatch.setattr(_units._programs, "which", lambda name: f"/bin/{name}")
    found = _units.read(lambda *_: (0, text, ""), "d.service")
    assert [file.path for file in found] == ["/lib/systemd/system/d.service", "/etc/systemd/system/d.service.d/a.conf"]
    assert [word.text for word in _units.exec_start(found) or []] == ["/bin/d"]
