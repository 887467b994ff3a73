# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad daemon.json, records of what it was, answers of dockerd, links, and files of other software."""

from __future__ import annotations

import json
import typing as t

import fuzzing
import ground
import pytest
import samples
from fuzzing import Random, feed, fuzzed

from ansible_collections.mink8s.podnet.plugins.module_utils import _json, _programs
from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts import texts
from ansible_collections.mink8s.podnet.plugins.module_utils._docker import checks, daemon, leftovers, processes, record
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import converge
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import router_advertisements, sysctl_files

PLACE = ground.PLACE / "fuzz-docker"
PATH, RECORD = str(PLACE / "daemon.json"), str(PLACE / "record.json")
OPTIONS = {"bridge": "none", "iptables": False, "log-opts": {"max-size": "1m"}}


# ---- daemon.json, and the record beside it


def two_files(rng: Random) -> tuple[bytes, t.Optional[bytes]]:
    text = fuzzing.damaged_json(rng, samples.DAEMON)
    kept = fuzzing.damaged_json(rng, {**samples.RECORD, "path": PATH}) if rng.random() < 0.6 else None
    content = fuzzing.encoded(text)
    content = fuzzing.damaged_bytes(rng, content) if rng.random() < 0.1 else content
    return content, None if kept is None else fuzzing.encoded(kept)


def changed_and_given_back(given: tuple[bytes, t.Optional[bytes]]) -> t.Any:
    """What is asked for comes to be; what nobody asked for stays, to the byte, when all is given back."""
    PLACE.mkdir(parents=True, exist_ok=True)
    for path, content in zip((PATH, RECORD), given):
        if content is None:
            (PLACE / path).unlink(missing_ok=True)
        else:
            (PLACE / path).write_bytes(content)
    present = converge(resource("present"), False)
    assert {key: _json.parse((PLACE / PATH).read_text())[key] for key in OPTIONS} == OPTIONS
    absent = converge(resource("absent"), False)
    if given[1] is None:
        assert (PLACE / PATH).read_bytes() == given[0]
    return present, absent


def resource(state: str) -> daemon.Daemon:
    params = {"options": OPTIONS, "absent": ["mtu"], "path": PATH, "record": RECORD, "validate": False}
    rest = {"backup": False, "restart": "auto", "without_docker": "write", "state": state}
    return daemon.Daemon({**params, **rest}, lambda *_args: (1, "", ""))


@pytest.fixture(autouse=True)
def _docker_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.options, "CONFIG_FILE", PATH)
    monkeypatch.setattr(checks, "unit", lambda: None)
    monkeypatch.setattr(processes, "find_dockerd", lambda: None)


@fuzzed(two_files)
def test_daemon_json(given: tuple[bytes, t.Optional[bytes]]) -> None:
    feed(changed_and_given_back, given)


@fuzzed(lambda rng: fuzzing.damaged_json(rng, samples.RECORD))
def test_records_of_daemon_json(text: str) -> None:
    feed(lambda given: record.parse(given, RECORD, "/etc/docker/daemon.json").render(), text)


# ---- options that the module is given


@fuzzed(lambda rng: fuzzing.damaged(rng, OPTIONS))
def test_options_of_dockerd(options: t.Any) -> None:
    feed(lambda given: checks.wanted(given if isinstance(given, dict) else {}, ["mtu", "bridge"]), options)


# ---- what other software's files say


@fuzzed(lambda rng: fuzzing.damaged_json(rng, samples.DAEMON))
def test_pools_of_docker(text: str) -> None:
    feed(texts.docker_pools, text)


def other_texts(rng: Random) -> tuple[str, str]:
    kind = rng.choice(("resolv", "nft", "keyfile", "zone", "route", "sysctl"))
    sample = {
        "resolv": samples.RESOLV,
        "nft": samples.NFT_SCRIPT,
        "keyfile": samples.KEYFILE,
        "zone": samples.ZONE,
        "route": samples.IPV6_ROUTE,
        "sysctl": samples.SYSCTLS,
    }[kind]
    return kind, fuzzing.damaged_text(rng, sample)


READERS: dict[str, t.Callable[[str], t.Any]] = {
    "resolv": texts.name_servers,
    "nft": lambda text: (texts.flushes(text), texts.includes(text)),
    "keyfile": lambda text: [
        texts.is_unmanaged(texts.unmanaged_devices([text]), name, kind)
        for name, kind in (("br1", "bridge"), ("br10", "veth"))
    ],
    "zone": lambda text: texts.trusted([text]),
    "route": router_advertisements.advertised_on,
    "sysctl": lambda text: sysctl_files.render(sysctl_files.parse(text)),
}


@fuzzed(other_texts)
def test_files_of_others(given: tuple[str, str]) -> None:
    feed(lambda what: READERS[what[0]](what[1]), given)


@fuzzed(lambda rng: fuzzing.damaged_text(rng, samples.SYSCTLS))
def test_our_own_sysctls(text: str) -> None:
    """What is read is below /proc/sys, and what is written is read as the same."""
    found = sysctl_files.parse(text)
    again = sysctl_files.parse(sysctl_files.render(found))
    fuzzing.COUNTS["inputs"] += 1
    for key in (*found.settings, *found.before):
        assert not key.startswith("/"), key
        assert not {"", ".", ".."} & set(key.split("/")), key
    assert (again.settings, again.before) == (found.settings, found.before), text


# ---- links, as ip lists them, and processes, as /proc shows them


def a_list_of_links(rng: Random) -> str:
    return fuzzing.damaged_json(rng, samples.LINKS)


def left(text: str) -> t.Any:
    def run(args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
        return (0, text, "") if "-json" in args else (1, "", "")

    host = _programs.Host(run, lambda name: f"/sbin/{name}" if name in ("ip", "nft") else None)
    return converge(leftovers.Leftovers({"forward_policy": "auto", "expected": {"bridge": "none"}}, host), True)


@fuzzed(a_list_of_links)
def test_lists_of_links(text: str) -> None:
    feed(left, text)


def a_process(rng: Random) -> dict[str, bytes]:
    commands = b"/usr/bin/dockerd\0--bridge\0none\0-H\0fd://\0--config-file=/etc/docker/daemon.json\0--iptables=false\0"
    shim = b"containerd-shim-runc-v2\0-namespace\0moby\0-id\0abc\0"
    return {
        "comm": rng.choice((b"dockerd\n", b"containerd-shim\n", fuzzing.damaged_bytes(rng, b"dockerd\n"))),
        "cmdline": fuzzing.damaged_bytes(rng, rng.choice((commands, shim))),
        "stat": fuzzing.encoded(fuzzing.damaged_text(rng, samples.STAT)),
    }


def all_of_a_process(files: dict[str, bytes]) -> t.Any:
    directory = PLACE / "proc/4711"
    (directory / "ns").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (directory / name).write_bytes(content)
    (PLACE / "proc/uptime").write_text("12345.67 1234.56\n")
    found = next(processes._named("dockerd"), None)
    started = processes._started(4711)
    process = processes.Process(4711, processes._words(4711), started or 0.0)
    flags = process.flags
    running = processes.Running(process, samples.DAEMON, True)
    path = checks.options.config_file(flags)
    return (
        found,
        started,
        [flag.value for flag in flags.values()],
        path,
        running.value("iptables"),
        processes.containers(),
    )


@fuzzed(a_process)
def test_processes(files: dict[str, bytes]) -> None:
    before, processes.PROC = processes.PROC, str(PLACE / "proc")
    try:
        feed(all_of_a_process, files)
    finally:
        processes.PROC = before


def test_what_is_damaged_is_not_always_refused() -> None:
    """The damage leaves enough to get through the first check."""
    rng = fuzzing.Random(1)
    good = 0
    for _input in range(200):
        try:
            json.loads(fuzzing.damaged_json(rng, samples.DAEMON))
            good += 1
        except ValueError:
            continue
    assert 100 < good < 200
