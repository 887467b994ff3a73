# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The veth pairs of this node, and what is at their other ends: the proof that a pod is still there, or not.

A veth pair goes with the namespace of either end, so one that is there leads into a namespace that lives, whether or
not a file or process shows it.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import far_ends, links, netns

#: Kinds of links that come in pairs.
PAIRS = ("veth", "netkit")

OWN = "/proc/self/ns/net"


class Wire(t.NamedTuple):
    """One pair: the node's end, and the namespace that the other end is in."""

    name: str
    mac: str
    mtu: int
    #: The bridge that it is a port of, if any.
    bridge: t.Optional[str]
    hairpin: bool
    isolated: bool
    #: The number by which this namespace knows the other one; None where both ends are here.
    nsid: t.Optional[int]
    #: All addresses there but loopback and link-local ones; None where the kernel does not tell.
    inside: t.Optional[t.List[str]]


class Space(t.NamedTuple):
    """What a path leads to."""

    #: A network namespace, and not our own.
    there: bool
    #: Its number here; None where no link of ours leads into it.
    nsid: t.Optional[int] = None


class View(t.NamedTuple):
    """All pairs and bridges, and what some paths lead to, at one time."""

    wires: t.List[Wire]
    spaces: t.Dict[str, Space]
    #: The bridges that are there, with or without ports.
    bridges: t.Sequence[str] = ()


def look(paths: t.Iterable[str]) -> View:
    """Look at all pairs, and at the namespaces that some paths lead to."""
    with netns.netlink() as ipr, far_ends.opened() as ends:
        # The paths first: what is made meanwhile is then seen as a pair at least.
        spaces = {path: _space(ends, path) for path in dict.fromkeys(paths)}
        found = links.links(ipr)
        names = {link.index: link.name for link in found.values()}
        pairs = [link for link in found.values() if link.kind in PAIRS]
        inside = {nsid: ends.addresses(nsid) for nsid in {link.nsid for link in pairs} if nsid is not None}
    bridges = [link.name for link in found.values() if link.kind == "bridge"]
    return View([_wire(link, names, inside) for link in pairs], spaces, bridges)


def held() -> set[int]:
    """Return the numbers of the namespaces that a process is in, or that are mounted where we see it."""
    paths: dict[int, str] = {}
    for path in (*_processes(), *_mounted()):
        try:
            paths.setdefault(os.stat(path).st_ino, path)
        except OSError:
            continue
    with far_ends.opened() as ends:
        numbers = [ends.nsid(path) for path in paths.values()]
    return {number for number in numbers if number is not None}


def _wire(link: links.Link, names: dict[int, str], inside: dict[int, t.Optional[list[str]]]) -> Wire:
    return Wire(
        link.name,
        link.mac,
        link.mtu,
        names.get(link.master),
        link.hairpin,
        link.isolated,
        link.nsid,
        None if link.nsid is None else inside[link.nsid],
    )


def _space(ends: far_ends.FarEnds, path: str) -> Space:
    try:
        ours, other = os.stat(OWN), os.stat(path)
    except (OSError, ValueError):
        return Space(False)
    # A file that a namespace was mounted on, and is no more, is on another file system; all namespaces are on one.
    if other.st_dev != ours.st_dev or other.st_ino == ours.st_ino:
        return Space(False)
    return Space(True, ends.nsid(path))


def _processes() -> list[str]:
    with os.scandir("/proc") as entries:
        return [f"/proc/{entry.name}/ns/net" for entry in entries if entry.name.isdigit()]


def _mounted() -> list[str]:
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        fields = [line.split() for line in file]
    # Blanks in paths are written as \040.
    paths = [entry[4] for entry in fields if " - nsfs " in " ".join(entry)]
    return [path.encode(errors="surrogateescape").decode("unicode_escape") for path in paths]
