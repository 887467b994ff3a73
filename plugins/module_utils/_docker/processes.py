# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Processes of Docker on this node: dockerd, and the containers that it would stop.

A node may have more of them than its own: those in containers, or in other nodes of a lab, have another network.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import re
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _json
from ansible_collections.mink8s.podnet.plugins.module_utils._docker import options
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._words import Word

PROC = "/proc"

#: What containerd calls Docker's containers; with remapped users a suffix follows.
NAMESPACE = re.compile(r"moby([.-].*)?")


@dataclass(frozen=True)
class Process:
    """A running dockerd, and when it was started (seconds since the epoch)."""

    pid: int
    words: tuple[str, ...]
    started: float

    @property
    def flags(self) -> dict[str, options.Flag]:
        place = f"the command line of process {self.pid}"
        return options.flags([Word(word, place) for word in self.words])

    def is_older_than(self, path: str) -> bool:
        """Whether a file was changed after the start of the process, so that it may not have read it."""
        try:
            return os.stat(path).st_mtime > self.started
        except OSError:
            return False


@dataclass(frozen=True)
class Running:
    """The options that a running dockerd has read."""

    process: Process
    data: dict[str, t.Any]
    is_sure: bool

    def value(self, key: str) -> t.Any:
        return options.in_force(key, self.data, self.process.flags)


def is_later(path: str, other: str) -> bool:
    """Whether a file was changed after another one."""
    try:
        return os.stat(path).st_mtime_ns > os.stat(other).st_mtime_ns
    except OSError:
        return False


def find_dockerd() -> t.Optional[Process]:
    """Return the node's own dockerd."""
    for pid in _named("dockerd"):
        words = _words(pid)
        started = _started(pid)
        if words and started is not None:
            return Process(pid, words, started)
    return None


def running() -> t.Optional[Running]:
    """Return the node's own dockerd with its options, if it runs."""
    process = find_dockerd()
    if process is None:
        return None
    path = options.config_file(process.flags)
    try:
        data = _json.parse(_files.read_text(path) or "{}")
    except (ValueError, PodnetError):
        data = {}
    return Running(process, _json.mapping(data), not process.is_older_than(path))


def containers() -> list[str]:
    """Return the ids of Docker's containers that run: each has a process of containerd beside it."""
    found = []
    for pid in _named("containerd-shim"):
        words = _words(pid)
        value = {word.lstrip("-"): words[index + 1] for index, word in enumerate(words[:-1]) if word.startswith("-")}
        if NAMESPACE.fullmatch(value.get("namespace", "")):
            found.append(value.get("id", str(pid)))
    return sorted(found)


def _named(name: str) -> t.Iterator[int]:
    """Return the processes of a name (the kernel keeps 15 characters of it) in this network namespace."""
    here = _network("self")
    for entry in os.scandir(PROC):
        if entry.name.isdigit() and _read(entry.name, "comm").strip() == name and _network(entry.name) == here:
            yield int(entry.name)


def _network(pid: str) -> t.Optional[str]:
    try:
        return os.readlink(f"{PROC}/{pid}/ns/net")
    except OSError:
        return None


def _read(pid: t.Union[int, str], name: str) -> str:
    try:
        with open(f"{PROC}/{pid}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:  # it has ended
        return ""


def _words(pid: int) -> tuple[str, ...]:
    return tuple(_read(pid, "cmdline").split("\0")[:-1])


def _started(pid: int) -> t.Optional[float]:
    # After the name, which may have spaces and brackets in it, this is the 20th field; proc(5).
    fields = _read(pid, "stat").rpartition(")")[2].split()
    if len(fields) < 20 or not fields[19].isdecimal():
        return None
    # That counts from the boot of the machine; where /proc/uptime is a container's own (lxcfs) it does not.
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return booted + int(fields[19]) / os.sysconf("SC_CLK_TCK")
