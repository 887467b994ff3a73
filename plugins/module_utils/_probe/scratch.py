# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A configuration tried with the node's own plugins where nothing of the node is: ADD, CHECK, pings, DEL.

The plugins run in a network namespace that stands for the node, and see neither its /run nor its leases.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _values
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import invoke, plugins
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import ifaddrs, links, netns
from ansible_collections.mink8s.podnet.plugins.module_utils._probe import expectations, namespaces
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.evidence import Witness
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.matrix import Options, ask
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Runner

PODS = ("probe1", "probe2")
#: Both are on an empty file system that only we see.
HIDDEN, DATA = "/run", "/run/podnet-scratch"
#: The port that the second pod asks the host for, where the network can do that.
PORT_MAPPING = {"hostPort": 30080, "containerPort": 80, "protocol": "tcp"}


class Pod(t.NamedTuple):
    """A namespace that was attached, and what the plugins said."""

    name: str
    attachment: invoke.Attachment
    result: t.Dict[str, t.Any]

    def returned(self) -> dict[str, t.Any]:
        """What a module returns about it."""
        attached = self.attachment
        return {
            "name": self.name,
            "container_id": attached.container_id,
            "netns": attached.netns,
            "addresses": invoke.addresses(self.result),
            "mac": invoke.mac(self.result),
        }


def probe(
    run: Runner, where: str, document: invoke.Document, bin_dirs: t.Sequence[str], options: Options
) -> dict[str, t.Any]:
    """Try a configuration; one that does not work is a sentence, with all that was found beside it."""
    reason = expectations.untried(document)
    if reason:
        return {"pods": [], "matrix": [], "notes": [reason]}
    invoke.require_plugins(document, bin_dirs)
    try:
        found: dict[str, t.Any] = namespaces.apart(lambda: Scratch(run, document, bin_dirs, options).tried())
    except PodnetError as error:
        raise PodnetError(f"{where}: does not work with this node's plugins: {error}", **error.facts) from error
    problems = found.pop("problems")
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise PodnetError(
            f"{where}: does not work with this node's plugins: {problems[0]}{more}", problems=problems, **found
        )
    return found


class Scratch:
    """One trial, in namespaces that end with this process."""

    def __init__(self, run: Runner, document: invoke.Document, bin_dirs: t.Sequence[str], options: Options) -> None:
        self.run, self.bin_dirs, self.options = run, bin_dirs, options
        self.notes = expectations.unheard(document)
        self.problems: list[str] = []
        self.document = expectations.moved(expectations.heard(document), DATA)

    def tried(self) -> dict[str, t.Any]:
        """Attach two pods, look at them, and detach them."""
        self._lay_out()
        pods = [self._attached(PODS[0], {}), self._second()]
        self._check(pods)
        targets = expectations.targets(self.document, self.options.node, [(pod.name, pod.result) for pod in pods])
        senders = [*([None] if expectations.gives_gateway(self.document) else []), *(pod.returned() for pod in pods)]
        options = self.options._replace(targets=targets)
        matrix = ask(options, senders, Witness(self.run, options.node), reflects=False)
        self.problems += [_failure(row) for row in matrix if not row["ok"]]
        for pod in reversed(pods):
            self.problems += invoke.delete(self.run, pod.attachment, pod.result)
        self.problems += self._left()
        returned = [pod.returned() for pod in pods]
        return {"pods": returned, "matrix": matrix, "notes": self.notes, "problems": self.problems}

    def _lay_out(self) -> None:
        """A host like any other, with an address that is not the pods' gateway."""
        # What is not there itself may be a link to there, as resolv.conf is.
        files = {os.path.realpath(path) for path in expectations.resolver_files(self.document)}
        kept = {path: _files.read_text(path) for path in sorted(files)}
        namespaces.hide(HIDDEN)
        for path, text in kept.items():
            if text is not None and path.startswith(f"{HIDDEN}/"):
                _files.write_atomically(path, text)
        _no_address_detection()
        with netns.netlink() as ipr:
            for address in expectations.HOST.values():
                with contextlib.suppress(PodnetError), netns.asking(f"address {address} on lo"):
                    ifaddrs.add(ipr, links.index_of(ipr, "lo"), ipaddress.ip_interface(address))

    def _attached(self, name: str, args: t.Mapping[str, t.Any]) -> Pod:
        path = namespaces.new_pod()
        with netns.entered(path):
            _no_address_detection()
        attachment = invoke.Attachment(self.document, self.bin_dirs, f"podnet-{name}", path, "eth0", args)
        return Pod(name, attachment, invoke.add(self.run, attachment))

    def _second(self) -> Pod:
        """A pod with a host port, if the network knows them; where they do not work there may be pods all the same."""
        if not expectations.maps_ports(self.document):
            return self._attached(PODS[1], {})
        try:
            return self._attached(PODS[1], {"portMappings": [PORT_MAPPING]})
        except PodnetError as error:
            pod = self._attached(PODS[1], {})
            self.notes.append(f"pods with a hostPort cannot start on this node: {error}")
            return pod

    def _check(self, pods: list[Pod]) -> None:
        if not invoke.can_check(self.document):
            return
        for pod in pods:
            for kind, complaint in invoke.check(self.run, pod.attachment, pod.result):
                if kind == "portmap" and self._has_portmap_bug(pod):
                    self.notes.append(
                        "the installed portmap is older than 1.3.0, whose CHECK of a hostPort looks for the rules of "
                        "both families and so always fails; the port itself works"
                    )
                else:
                    self.problems.append(complaint)

    def _has_portmap_bug(self, pod: Pod) -> bool:
        """Whether it is the known bug, which only pods with a host port have."""
        path = plugins.find("portmap", self.bin_dirs)
        if path is None or not pod.attachment.capability_args:
            return False
        release = plugins.release(self.run, path)
        if release is None:  # A distribution's; version 1.1.0 of the specification came with release 1.6.0.
            return "1.1.0" not in plugins.supported_versions(self.run, path)
        return expectations.release_number(release) < (1, 3, 0)

    def _left(self) -> list[str]:
        """What the plugins did not take back."""
        with netns.netlink() as ipr:
            left = [f"link {link.name}" for link in links.links(ipr).values() if link.kind == "veth"]
        for directory, _directories, names in os.walk(DATA):
            left += [f"address {name} in {directory}" for name in names if _values.is_address(name)]
        return [f"DEL leaves behind: {', '.join(left)}"] if left else []


def _no_address_detection() -> None:
    """Nobody else is there, so IPv6 addresses need not wait."""
    with (
        contextlib.suppress(OSError),
        open("/proc/sys/net/ipv6/conf/default/accept_dad", "w", encoding="ascii") as file,
    ):
        file.write("0")


def _failure(row: dict[str, t.Any]) -> str:
    cause = f" ({row['cause']})" if row["cause"] else ""
    who = f"probe pod {row['from']['pod']}" if row["from"]["pod"] else "the host"
    return f"ping from {who} to {row['to']['pod'] or 'the host'} ({row['address']}): {row['error']}{cause}"
