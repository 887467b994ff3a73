# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The node's own files and processes, with the directories of the test in the place of /etc."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts import readers


def test_a_file_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "bytes").write_bytes(b"a\xffb")
    assert [readers.text(str(tmp_path / name)) for name in ("none", "fifo", "", "bytes")] == ["", "", "", "a\ufffdb"]


def test_scripts_are_followed_through_their_includes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main, wanted = tmp_path / "nftables.conf", tmp_path / "sysinit.target.wants"
    monkeypatch.setattr(readers, "NFTABLES_CONFS", (str(main),))
    monkeypatch.setattr(readers, "_ENABLED", (f"{tmp_path}/*.wants/nftables.service",))
    (tmp_path / "d").mkdir()
    main.write_text(f'include "{tmp_path}/d/*.nft"\n')
    (tmp_path / "d/b.nft").write_text(f'include "{main}"\ninclude "{tmp_path}/none"\n')
    (tmp_path / "d/a.nft").write_text("flush ruleset\n")
    assert readers.nft_scripts() == {}
    wanted.mkdir()
    (wanted / "nftables.service").symlink_to("/nowhere")
    assert list(readers.nft_scripts()) == [str(main), f"{tmp_path}/d/a.nft", f"{tmp_path}/d/b.nft"]


def test_what_nftables_service_loads_on_debian_and_on_fedora() -> None:
    assert readers.NFTABLES_CONFS == ("/etc/nftables.conf", "/etc/sysconfig/nftables.conf")


def test_a_later_directory_hides_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("usr/a.conf", "1"), ("usr/b.conf", "2"), ("etc/a.conf", "3")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    patterns = (f"{tmp_path}/usr/*.conf", f"{tmp_path}/etc/*.conf")
    monkeypatch.setattr(readers, "_NETWORK_MANAGER", patterns)
    monkeypatch.setattr(readers, "_ZONES", patterns)
    assert readers.network_manager() == ["2", "3"]
    assert sorted(readers.firewalld_zones()) == ["2", "3"]


def test_name_servers_are_told_with_their_first_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [str(tmp_path / name) for name in ("a", "b", "none")]
    monkeypatch.setattr(readers, "RESOLV_CONFS", tuple(files))
    Path(files[0]).write_text("nameserver 10.0.0.1\n")
    Path(files[1]).write_text("nameserver 10.0.0.1\nnameserver 10.0.0.2\n")
    assert {str(server): path for server, path in readers.name_servers().items()} == {
        "10.0.0.1": files[0],
        "10.0.0.2": files[1],
    }


def test_who_runs_is_found_by_its_exact_name(tmp_path: Path) -> None:
    program = tmp_path / "firewalldx"
    shutil.copy("/bin/cat", program)
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdin
        assert process.stdout
        try:
            # The kernel gives a process its name a moment after Popen has returned.
            process.stdin.write("I run\n")
            assert process.stdout.readline() == "I run\n"
            assert readers.running({"firewalldx", "firewallds"}) == {"firewalldx"}
        finally:
            process.kill()
    assert readers.running({"firewalldx"}) == set()
