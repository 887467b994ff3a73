# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole modules on a node where something strange is in the place of each file that they read.

A FIFO, a socket, a link that leads elsewhere, a terabyte, a list of a million: each module says a sentence or gives a
result, soon, in little memory, and touches nothing that is elsewhere.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import time
import typing as t
from pathlib import Path

import fuzzing
import ground
import hypothesis.strategies as st
import pytest
import samples
from calls import Module, call
from controller_files import lock_file, report_page
from fuzzing import COUNTS
from hypothesis import Phase, given, settings
from listings import files

from ansible_collections.mink8s.podnet.plugins.module_utils import _files

PLACE = ground.PLACE
ELSEWHERE = PLACE / "elsewhere"
MEMORY = 1024**3
SECONDS = 25

CONF_DIR, CACHE, STORE = "/etc/cni/net.d", "/var/lib/cni/results", "/var/lib/cni/networks/net1"
BIN_DIR = f"{PLACE}/bin"
NETWORK: dict[str, t.Any] = {
    "name": "net1",
    "config": samples.CONF,
    "assume_plugins": ["bridge", "host-local"],
    "on_conflict": "ignore",
    "renumber": True,
}

#: A module, or what is called in place of an action plugin, its options, and the files that it reads.
MODULES: list[tuple[Module, dict[str, t.Any], list[str]]] = [
    (
        "docker_daemon",
        {"options": {"bridge": "none"}, "without_docker": "write", "validate": False, "restart": "never"},
        ["/etc/docker/daemon.json", "/var/lib/podnet/docker_daemon.json", "/etc/systemd/system/docker.service"],
    ),
    (
        "cni_network",
        NETWORK,
        [
            f"{CONF_DIR}/net1.conflist",
            f"{CONF_DIR}/05-other.conflist",
            f"{CONF_DIR}/net1/x.conf",
            f"{CONF_DIR}/net1",
            f"{CONF_DIR}/.x.podnet-tmp",
            f"{CONF_DIR}/x.conf.disabled-by-podnet",
            f"{CACHE}/net1-c1-eth0",
            f"{STORE}/10.12.1.5",
        ],
    ),
    ("cni_network", {"name": "net1", "state": "absent"}, [f"{CONF_DIR}/net1.conflist", f"{STORE}/10.12.1.5", STORE]),
    ("cni_network_info", {"name": "net1"}, [f"{CONF_DIR}/net1.conflist", CONF_DIR, CACHE, f"{STORE}/10.12.1.5"]),
    ("cni_attachments_info", {}, [f"{CONF_DIR}/net1.conflist", f"{CACHE}/net1-c1-eth0", f"{STORE}/10.12.1.5", STORE]),
    ("cni_gc", {"name": "net1", "lock_timeout": 0}, [f"{STORE}/lock", f"{STORE}/10.12.1.5", f"{CACHE}/net1-c1-eth0"]),
    (
        "cni_plugins",
        {"archive": f"{PLACE}/a.tgz", "checksum": "sha256:" + "a" * 64, "plugins": ["bridge"], "bin_dir": BIN_DIR},
        [f"{PLACE}/a.tgz", f"{BIN_DIR}/.podnet-plugins.json", f"{BIN_DIR}/bridge", BIN_DIR],
    ),
    (
        "cni_plugins",
        {"state": "absent", "bin_dir": BIN_DIR},
        [f"{BIN_DIR}/.podnet-plugins.json", f"{BIN_DIR}/.x.podnet-tmp"],
    ),
    ("cni_plugins_info", {"bin_dirs": [BIN_DIR]}, [f"{BIN_DIR}/.podnet-plugins.json", f"{BIN_DIR}/bridge", BIN_DIR]),
    (
        "sysctls",
        {"settings": {"net.ipv4.ip_forward": 1}},
        ["/etc/sysctl.d/99-zz-podnet.conf", "/etc/sysctl.d/99-zzz.conf", "/etc/modules-load.d/podnet.conf"],
    ),
    (
        "bridge",
        {"name": "br1", "mtu": "1450", "persist": f"{PLACE}/bridge"},
        [f"{PLACE}/bridge", f"{PLACE}/bridge.create"],
    ),
    ("routes", {"state": "absent", "persist": f"{PLACE}/routes"}, [f"{PLACE}/routes"]),
    ("masquerade", {"sources": ["10.12.1.0/24"], "persist": f"{PLACE}/nat"}, [f"{PLACE}/nat", f"{PLACE}/nat.forward"]),
    (
        "persistence",
        {"bridge": "br1"},
        ["/etc/systemd/system/podnet.service", "/etc/systemd/system/multi-user.target.wants/podnet.service"],
    ),
    (
        "cni_runtime",
        {"network": "net1"},
        [
            "/etc/systemd/system/kubelet.service",
            "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
            "/etc/systemd/system/containerd.service",
            f"{CONF_DIR}/net1.conflist",
            "/etc/crio/crio.conf.d/x.conf",
            f"{CACHE}/net1-c1-eth0",
        ],
    ),
    ("stale_pods", {"network": "net1"}, [f"{CONF_DIR}/net1.conflist", "/run/containerd/containerd.sock"]),
    (
        "conflicts_info",
        {"pod_cidrs": ["10.12.1.0/24"], "bridge": "br1", "name": "net1", "bin_dirs": [BIN_DIR]},
        [
            "/etc/docker/daemon.json",
            f"{CONF_DIR}/05-other.conflist",
            "/etc/NetworkManager/conf.d/x.conf",
            f"{BIN_DIR}/bridge",
        ],
    ),
    ("cni_probe", {"state": "absent"}, ["/run/podnet-probe/probe1.json"]),
    ("cni_probe", {"where": "scratch", "bin_dirs": [BIN_DIR]}, [f"{CONF_DIR}/net1.conflist"]),
    (lock_file, {"path": f"{PLACE}/pod_cidrs.lock.yml", "nodes": ["node1"]}, [f"{PLACE}/pod_cidrs.lock.yml"]),
    (
        report_page,
        {"path": f"{PLACE}/podnet-report.html", "title": "The network"},
        [f"{PLACE}/podnet-report.html", f"{PLACE}/podnet-report.json"],
    ),
]
PLACES = [(module, options, path) for module, options, paths in MODULES for path in paths]


# ---- what can be in the place of a file


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        # A path of more than 108 characters cannot be bound.
        os.chdir(path.parent)
        server.bind(path.name)
        os.chdir("/")


def _of_size(size: int) -> t.Callable[[Path], None]:
    def make(path: Path) -> None:
        path.touch()
        os.truncate(path, size)

    return make


def _text(text: str) -> t.Callable[[Path], None]:
    return lambda path: void(path.write_bytes(fuzzing.encoded(text)))


def _link(target: str) -> t.Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def void(_result: t.Any) -> None:
    """Nothing."""


LIMIT = _files.READ_LIMIT
KINDS: dict[str, t.Callable[[Path], None]] = {
    "a FIFO": os.mkfifo,
    "a socket": _socket,
    "a directory": lambda path: (path / "x.conf").mkdir(parents=True),
    "a link to nothing": _link("/nonexistent"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to an endless device": _link("/dev/zero"),
    "a link to a terminal": _link("/dev/tty"),
    "a link to a file elsewhere": _link(f"{ELSEWHERE}/secret"),
    "a link to a directory elsewhere": _link(str(ELSEWHERE)),
    "a link to memory": _link("/proc/self/mem"),
    "a link to a file of /proc": _link("/proc/self/status"),
    "a file that nobody may read": lambda path: void((path.write_text("{}"), path.chmod(0))),
    "no content": _of_size(0),
    "a terabyte": _of_size(2**40),
    "100 MB": _of_size(100 * 1000 * 1000),
    "zero bytes up to the limit": _of_size(LIMIT),
    "blanks": _text(" " * (LIMIT - 1)),
    "line ends": _text("\n" * (LIMIT - 1)),
    "quotes": _text('"' * (LIMIT - 1)),
    "backslashes": _text("\\" * (LIMIT - 1)),
    "one word": _text("a" * (LIMIT - 1)),
    "deep lists": _text("[" * (LIMIT - 1)),
    "deep objects": _text('{"a":' * 400_000),
    "a million numbers": _text("[" + "1," * 1_000_000 + "1]"),
    "a million keys": _text("{" + ",".join(f'"{number}":1' for number in range(300_000)) + "}"),
    "a million of the same key": _text("{" + '"type":"a",' * 300_000 + '"type":"b"}'),
    "a number of a million digits": _text(f'{{"name": {"9" * 1_000_000}}}'),
    "NaN": _text('{"name": NaN, "type": Infinity}'),
    "half a character": _text('{"name": "\\ud800", "type": "\\udfff", "cniVersion": "1.0.0"}'),
    "a name that leads elsewhere": _text('{"name": "../../elsewhere", "type": "../../bin/sh", "cniVersion": "1.0.0"}'),
    "no text": lambda path: void(path.write_bytes(os.urandom(100_000))),
    "a comment": _text("#" * (LIMIT - 1)),
    "null": _text("null"),
    "XML comments": _text("<!--" * 1_000_000),
    "assignments": _text("plugin_dirs = [\n" * 250_000),
    "sections": _text("[a]\nb=c\n" * 500_000),
    "continued lines": _text("[Service]\nExecStart=/x \\\n" + "a\\\n" * 1_000_000),
    "variables": _text(
        "[Service]\nEnvironment=A=" + "a" * 100_000 + "\nExecStart=/usr/bin/kubelet " + "${A}" * 500_000
    ),
    "wildcards": _text("[Service]\nEnvironmentFile=/**/**/**/*\nEnvironmentFile=-\nExecStart=/usr/bin/kubelet\n"),
}


def limits() -> None:
    """No module needs more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))


def a_node(path: Path, kind: str) -> None:
    """A node like any other, but for one file."""
    for directory in ground.OWN:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
    for directory in ("/run/podnet-probe", "/run/containerd"):
        shutil.rmtree(directory, ignore_errors=True)
    for directory in (CONF_DIR, CACHE, STORE, BIN_DIR, str(path.parent)):
        os.makedirs(directory, exist_ok=True)
    ELSEWHERE.mkdir()
    (ELSEWHERE / "secret").write_text("password\n")
    (ELSEWHERE / "secret").chmod(0o600)
    (ELSEWHERE / "10.12.1.7").write_text("c7\neth0")
    if path.is_dir():
        path.rmdir()
    KINDS[kind](path)


def require_calm(module: Module, options: dict[str, t.Any], path: str, kind: str) -> None:
    a_node(Path(path), kind)
    elsewhere = files(ELSEWHERE)
    what = f"{module if isinstance(module, str) else module.__name__} with {kind} at {path}"
    for check in (True, False):
        COUNTS["inputs"] += 1
        started = time.monotonic()
        answer = call(module, options, check=check, arm=limits)
        took = time.monotonic() - started
        assert not answer.signal, f"{what} was ended by signal {answer.signal} after {took:.1f} s"
        assert took < SECONDS * 4, f"{what} took {took:.1f} s"
        if answer.failed:
            COUNTS["sentences"] += 1
            assert "exception" not in answer.result, f"{what}: {answer.result.get('exception')}"
            fuzzing.require_sentence(answer.sentence)
        assert files(ELSEWHERE) == elsewhere, f"{what} changed what is elsewhere"
        assert "password" not in str(answer.result), f"{what} told what is elsewhere"


EXAMPLES = 20 if os.environ.get("PODNET_PROOF", "proof") == "proof" else 600


@pytest.fixture(autouse=True, scope="module")
def _a_node() -> None:
    ground.new_node()


@settings(max_examples=EXAMPLES, phases=[Phase.reuse, Phase.generate])
@given(place=st.sampled_from(PLACES), kind=st.sampled_from(sorted(KINDS)))
def test_strange_files(place: tuple[Module, dict[str, t.Any], str], kind: str) -> None:
    require_calm(*place, kind)
