# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration that is probed, and the processes that hold pods; attaching itself is an integration target."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._probe import records as records_module
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.pods import chosen_configuration
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.records import Record, started_at

NETWORK: dict[str, t.Any] = {"cniVersion": "0.3.1", "name": "br1", "type": "bridge"}


def params(tmp_path: Path, name: str | None = "br1") -> dict[str, t.Any]:
    bridge = tmp_path / "bin/bridge"
    bridge.parent.mkdir(exist_ok=True)
    bridge.touch(mode=0o755)
    return {
        "conf_dir": str(tmp_path / "net.d"),
        "name": name,
        "bin_dirs": [str(bridge.parent)],
        "count": 2,
        "port": 9471,
        "lifetime": 600,
    }


def put(tmp_path: Path, name: str, document: object) -> str:
    path = tmp_path / "net.d" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


def test_the_first_file_is_what_pods_get(tmp_path: Path) -> None:
    put(tmp_path, "10-br1.conf", NETWORK)
    put(tmp_path, "20-br10.conf", {**NETWORK, "name": "br10"})
    assert chosen_configuration(params(tmp_path)).document == NETWORK
    assert chosen_configuration(params(tmp_path, None)).document == NETWORK


@pytest.mark.parametrize("version", [{}, {"cniVersion": ""}])
def test_a_version_that_is_left_out_is_the_oldest(tmp_path: Path, version: dict[str, str]) -> None:
    put(tmp_path, "10-br1.conf", {**version, "name": "br1", "type": "bridge"})
    assert chosen_configuration(params(tmp_path)).document["cniVersion"] == "0.1.0"


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "conf_dir: {dir} holds no CNI configuration; write one first (playbook site.yml)"),
        (
            {"10-x.conf": {**NETWORK, "name": "br10"}, "20-y.conf": NETWORK},
            (
                "name: pods do not get the network br1 here, as a runtime loads {dir}/10-x.conf (network br10) first; "
                "move that file away, or give that network's name"
            ),
        ),
        (
            {"10-x.conf": {"name": "br1"}},
            "{dir}/10-x.conf: has no type, and a runtime would load it first; repair it or move it away",
        ),
        (
            {"10-x.conf": {**NETWORK, "type": "bridge10"}},
            "CNI plugin bridge10: is not in {bin}; install it (role cni_plugins)",
        ),
        (
            {"10-x.conf": {**NETWORK, "cniVersion": "v1.0.0"}},
            "network br1: cniVersion v1.0.0 is no version; write it like 1.0.0",
        ),
    ],
)
def test_what_pods_would_not_get_is_refused(tmp_path: Path, files: dict[str, t.Any], sentence: str) -> None:
    for name, document in files.items():
        put(tmp_path, name, document)
    with pytest.raises(PodnetError) as caught:
        chosen_configuration(params(tmp_path))
    assert str(caught.value) == sentence.format(dir=tmp_path / "net.d", bin=tmp_path / "bin")


def test_a_process_is_known_by_its_number_and_its_start() -> None:
    pid = os.getpid()
    record = Record("probe1", pid, started_at(pid), 9471, 0.0, "podnet-probe1-00", NETWORK, ["/bin"], {})
    assert record.alive
    assert record.attachment.netns == f"/proc/{pid}/ns/net"
    another = record._replace(started=record.started - 1)
    assert not another.alive
    assert another.attachment.netns == ""


def test_a_process_that_has_ended_is_not_alive() -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert started_at(process.pid) == 0  # It is there still, as a zombie.
    process.wait()
    assert started_at(process.pid) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"pid": 1},
        {"pid": "7"},
        {"pid": True},
        {"stale": "x"},
        {"name": "../x"},
        {"document": {"name": 7}},
        {"extra": 1},
    ],
)
def test_a_record_that_is_none_is_refused(
    change: dict[str, t.Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in it would be killed, and told to plugins."""
    monkeypatch.setattr(records_module, "DIRECTORY", str(tmp_path))
    good = Record("probe1", 2**22 + 7, 7, 9471, 1e9, "c", NETWORK, ["/bin"], {})
    good.write()
    assert records_module.records() == [good]
    (tmp_path / "probe1.json").write_text(json.dumps({**good._asdict(), **change}))
    with pytest.raises(PodnetError, match=r"probe1\.json: is not a record of a probe pod"):
        records_module.records()
