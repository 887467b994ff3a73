# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Probe pods: network namespaces that are attached by the node's real CNI plugins, each held by a small process.

The process detaches its pod at the end of its lifetime by itself, so a run that was killed leaves nothing for long.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import signal
import time
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _files
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import invoke, loader
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._probe import holder
from ansible_collections.mink8s.podnet.plugins.module_utils._probe.records import (
    DIRECTORY,
    HOST,
    Record,
    pods,
    records,
    started_at,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Runner

#: A pod that has used this much of its lifetime could be gone in the middle of what it is wanted for.
FRESH = 0.8


class Wanted(t.NamedTuple):
    """What should be attached: pods by one configuration, which answer on a port for some seconds."""

    document: invoke.Document
    bin_dirs: t.Sequence[str]
    pods: int
    port: int
    lifetime: int
    #: The file that it is from.
    path: str


class ProbePods(Resource):
    """The probe pods of this node; none when ``wanted`` is None."""

    def __init__(self, run: Runner, wanted: t.Optional[Wanted]) -> None:
        super().__init__()
        self.run = run
        self.wanted = wanted

    def read(self) -> State:
        return {_title(record.name): _described(record) for record in records()}

    def desired(self, current: State) -> State:  # noqa: ARG002
        if self.wanted is None:
            return {}
        common = {"port": self.wanted.port, "running": True}
        pod = {**_network(self.wanted.document), **common}
        names = [f"probe{index}" for index in range(1, self.wanted.pods + 1)]
        return {_title(HOST): common, **{_title(name): pod for name in names}}

    def apply(self, changes: list[Change]) -> None:
        there = {_title(record.name): record for record in records()}
        for change in changes:
            if change.name in there:
                self._end(there[change.name])
            if change.after is not None and self.wanted is not None:
                self._start(self.wanted, change.name.rpartition(" ")[2] if change.name != _title(HOST) else HOST)
        if self.wanted is None:
            with contextlib.suppress(OSError):
                os.rmdir(DIRECTORY)

    def result(self, state: State) -> dict[str, t.Any]:
        """The pods that are really there, so in check mode those that were there before."""
        return {"pods": [record.returned() for record in pods() if _title(record.name) in state]}

    def _start(self, wanted: Wanted, name: str) -> None:
        document = None if name == HOST else wanted.document
        stale = time.time() + wanted.lifetime * FRESH
        container_id = f"podnet-{name}-{secrets.token_hex(6)}"
        alone = document is not None
        with holder.started(name, wanted.port, wanted.lifetime, alone, self._end_of_life) as pid:
            record = Record(
                name, pid, started_at(pid), wanted.port, stale, container_id, document, list(wanted.bin_dirs), {}
            )
            record.write()
        if document is None:
            return
        try:
            record._replace(result=invoke.add(self.run, record.attachment)).write()
        except PodnetError:
            _stop(record)  # What a failed ADD left is detached already.
            raise

    def _end(self, record: Record) -> None:
        if record.document is not None:
            self.warnings += invoke.delete(self.run, record.attachment, record.result)
        _stop(record)

    def _end_of_life(self, name: str) -> None:
        for record in records():
            if record.name == name and record.pid == os.getpid():
                if record.document is not None:
                    invoke.delete(self.run, record.attachment, record.result)
                _files.remove(record.path)


def chosen_configuration(params: dict[str, t.Any]) -> Wanted:
    """Take the file that a runtime would load: the first; a later one is not what pods get."""
    directory, name = params["conf_dir"], params["name"]
    files = loader.read_directory(directory)
    if not files:
        raise PodnetError(f"conf_dir: {directory} holds no CNI configuration; write one first (playbook site.yml)")
    document, path = files[0].document, files[0].path
    if files[0].error or document is None:
        raise PodnetError(f"{path}: {files[0].error}, and a runtime would load it first; repair it or move it away")
    found = files[0].network
    if found is None or name not in (None, found):
        raise PodnetError(
            f"name: pods do not get the network {name} here, as a runtime loads {path} (network {found}) first; "
            "move that file away, or give that network's name"
        )
    document = {**document, "cniVersion": document.get("cniVersion") or loader.DEFAULT_VERSION}
    invoke.require_plugins(document, params["bin_dirs"])
    return Wanted(document, params["bin_dirs"], params["count"], params["port"], params["lifetime"], path)


def _stop(record: Record) -> None:
    if record.alive:
        os.kill(record.pid, signal.SIGKILL)
    _files.remove(record.path)


def _title(name: str) -> str:
    return "reflector of the node" if name == HOST else f"probe pod {name}"


def _network(document: invoke.Document) -> dict[str, t.Any]:
    text = json.dumps(document, sort_keys=True)
    return {"network": document["name"], "configuration": hashlib.sha256(text.encode()).hexdigest()[:12]}


def _described(record: Record) -> dict[str, t.Any]:
    attached = record.document is None or bool(record.result)
    running = attached and record.alive and time.time() < record.stale
    return {
        **(_network(record.document) if record.document else {}),
        "port": record.port,
        "running": running,
    }
