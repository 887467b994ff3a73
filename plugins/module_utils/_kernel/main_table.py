# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The main routing table, by way of ip(8): listed, asked and changed by a few processes, however many routes it has.

One message after the other, from Python, costs ten times as much; with thousands of routes that tells.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import os
import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _ip, _programs
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

#: Types of routes (linux/rtnetlink.h), and the protocol that ip(8) does not print.
UNICAST, LOCAL = 1, 2
_BOOT = 3

_EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}
_FAILED = re.compile(r"Command failed \S*:(\d+)")


class Route(t.NamedTuple):
    """One route; ``via`` is None where there is no next hop, or several of them, or one of the other family."""

    dst: str
    via: t.Optional[str]
    device: t.Optional[str]
    protocol: int
    metric: int
    kind: int

    @property
    def version(self) -> int:
        """The family."""
        return 6 if ":" in self.dst else 4


class Answer(t.NamedTuple):
    """The kernel's way to an address, or the reason for which there is none."""

    device: t.Optional[str] = None
    gateway: t.Optional[str] = None
    kind: int = UNICAST
    refusal: t.Optional[str] = None


class MainTable:
    """The main routing table of our network namespace."""

    def __init__(self, run: _programs.Runner) -> None:
        self._run = run
        self.ip = _ip.find()

    def routes(self, protocol: t.Optional[int] = None) -> list[Route]:
        """Return the routes, or only those with a protocol number, IPv4 first."""
        # Without IPv6 the kernel would answer with IPv4's.
        versions = (4, 6) if os.path.isdir("/proc/sys/net/ipv6") else (4,)
        only = [] if protocol is None else ["proto", str(protocol)]
        return [
            _route(entry, version, _BOOT if protocol is None else protocol)
            for version in versions
            for entry in json.loads(_ip.listing(self._run, f"-{version}", "route", "show", "table", "main", *only))
        ]

    def ask(self, addresses: t.Sequence[str]) -> list[Answer]:
        """Ask the kernel for its way to each address, which may say its link: ``fe80::2 oif eth0``."""
        if not addresses:
            return []
        with _programs.input_file("".join(f"route get {address}\n" for address in addresses)) as path:
            status, out, err = self._run([self.ip, "-N", "-j", "-force", "-batch", path])
        answers = _answers(out, _refusals(err), len(addresses))
        if answers is None:
            raise PodnetError(f"ip route get: its answers cannot be understood (status {status}, {_said(err)})")
        return answers

    def change(self, lines: t.Sequence[str]) -> t.Optional[tuple[int, str]]:
        """Make changes, written as for ``ip -batch``; return which line is refused, if one is, and why."""
        if not lines:
            return None
        with _programs.input_file("".join(f"{line}\n" for line in lines)) as path:
            status, _out, err = self._run([self.ip, "-batch", path])
        if status == 0:
            return None
        return next(iter(_refusals(err).items()), (0, f"status {status}, {_said(err)}"))


def _route(entry: dict[str, t.Any], version: int, protocol: int) -> Route:
    dst = entry["dst"]
    if dst == "default":
        dst = _EVERYWHERE[version]
    elif "/" not in dst:
        dst += "/32" if version == 4 else "/128"
    first = entry if "dev" in entry else next(iter(entry.get("nexthops", [])), entry)
    return Route(
        dst,
        entry.get("gateway"),
        first.get("dev"),
        int(entry.get("protocol", protocol)),
        entry.get("metric", 0),
        int(entry.get("type", UNICAST)),
    )


def _answers(out: str, refused: dict[int, str], count: int) -> t.Optional[list[Answer]]:
    """Return the answers in the order of the questions: those in the output, and between them what was refused."""
    try:
        # A list in each line; to read one large text is faster than thousands of small ones.
        given = iter(json.loads(f"[{','.join(out.splitlines())}]"))
        return [
            Answer(refusal=refused[number]) if number in refused else _answer(next(given)[0]) for number in range(count)
        ]
    except (StopIteration, ValueError, LookupError):
        return None


def _answer(entry: dict[str, t.Any]) -> Answer:
    gateway = entry.get("gateway") or entry.get("via", {}).get("host")
    return Answer(entry.get("dev"), gateway, int(entry.get("type", UNICAST)))


def _refusals(err: str) -> dict[int, str]:
    """Return what the kernel said to the lines of a batch that failed, by their numbers, which begin with 0."""
    found: dict[int, str] = {}
    said = ""
    for line in filter(None, map(str.strip, err.splitlines())):
        failed = _FAILED.match(line)
        if failed:
            found[int(failed[1]) - 1] = said
        said = "" if failed else line.replace("RTNETLINK answers: ", "")
    return found


def _said(err: str) -> str:
    return next((line.strip() for line in err.splitlines() if line.strip()), "no message")
