# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes in a directory that stands for /proc; the containers in it are made up."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._docker import processes

SHIM = "/usr/bin/containerd-shim-runc-v2 -namespace {} -id {} -address /run/containerd/containerd.sock"


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(processes, "PROC", str(tmp_path))
    monkeypatch.setattr(time, "clock_gettime", {time.CLOCK_BOOTTIME: 1000.5}.__getitem__)
    # In a container that is what lxcfs says: since the container's start.
    (tmp_path / "uptime").write_text("10.50 20.00\n")
    add(tmp_path, "self", "python3", "python3")
    return tmp_path


def add(proc: Path, pid: str, name: str, command: str, **other: str) -> None:
    directory = proc / pid
    (directory / "ns").mkdir(parents=True)
    (directory / "ns" / "net").symlink_to(other.get("network", "net:[1]"))
    (directory / "comm").write_text(f"{name}\n")
    (directory / "cmdline").write_text("".join(f"{word}\0" for word in command.split()))
    (directory / "stat").write_text(f"{pid} (a ) b) S " + " ".join(["0"] * 18) + f" {other.get('ticks', 0)} 0 0\n")


def test_only_docker_s_containers_of_this_network_count(proc: Path) -> None:
    add(proc, "10", "containerd-shim", SHIM.format("moby", "aa"))
    add(proc, "11", "containerd-shim", SHIM.format("moby-100000.100000", "bb"))
    add(proc, "12", "containerd-shim", SHIM.format("k8s.io", "cc"))
    add(proc, "13", "containerd-shim", SHIM.format("plugins.moby", "dd"))
    add(proc, "14", "containerd-shim", SHIM.format("moby", "ee"), network="net:[10]")
    add(proc, "15", "containerd", "/usr/bin/containerd")
    assert processes.containers() == ["aa", "bb"]


def test_the_dockerd_of_this_network(proc: Path) -> None:
    add(proc, "20", "dockerd-proxy", "dockerd-proxy")
    add(proc, "21", "dockerd", "/usr/bin/dockerd -H fd://", network="net:[10]")
    assert processes.find_dockerd() is None
    assert processes.running() is None
    add(proc, "22", "dockerd", "/usr/bin/dockerd --iptables=false", ticks="50")
    found = processes.find_dockerd()
    assert found is not None
    assert (found.pid, found.words) == (22, ("/usr/bin/dockerd", "--iptables=false"))
    assert time.time() - found.started == pytest.approx(1000, abs=2)


def test_a_file_that_was_changed_after_the_start_may_not_have_been_read(proc: Path, tmp_path: Path) -> None:
    file = tmp_path / "daemon.json"
    add(proc, "22", "dockerd", f"/usr/bin/dockerd --config-file {file} --bridge=br1", ticks="100050")
    file.write_text('{"iptables": false}')
    running = processes.running()
    assert running is not None
    assert (running.value("iptables"), running.value("bridge"), running.value("ip-masq")) == (False, "br1", None)
    assert not processes.Process(1, (), time.time() + 60).is_older_than(str(file))
    assert processes.Process(1, (), time.time() - 60).is_older_than(str(file))
    assert not processes.Process(1, (), 0).is_older_than(str(tmp_path / "nothing"))


def test_a_status_that_is_no_number_is_no_start(proc: Path) -> None:
    add(proc, "7", "dockerd", "dockerd")
    (proc / "7/stat").write_text("7 (dockerd) S" + " x" * 30)
    assert processes.find_dockerd() is None
