# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What was attached on this node: one file for each process, written before anything is attached.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _json
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import invoke, loader
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

DIRECTORY = "/run/podnet-probe"
#: The record of the process that answers for the node itself, beside those of the pods.
HOST = "host"


class Record(t.NamedTuple):
    """One process, as its file in DIRECTORY says it; ``document`` is None for the node's own reflector."""

    name: str
    pid: int
    started: int
    port: int
    #: When it is too old to be relied on: some time before it ends.
    stale: float
    container_id: str
    document: t.Optional[invoke.Document]
    bin_dirs: t.Sequence[str]
    result: t.Dict[str, t.Any]

    @property
    def netns(self) -> str:
        """The path of the namespace, as long as the process lives."""
        return f"/proc/{self.pid}/ns/net"

    @property
    def path(self) -> str:
        """Where this record is kept."""
        return f"{DIRECTORY}/{self.name}.json"

    @property
    def alive(self) -> bool:
        """Whether this very process runs: its number may have been given to another one."""
        return started_at(self.pid) == self.started != 0

    @property
    def attachment(self) -> invoke.Attachment:
        """What the plugins are told."""
        # A namespace that is gone is told to the plugins as an empty path: they free the addresses then.
        netns = self.netns if self.alive else ""
        return invoke.Attachment(self.document or {}, self.bin_dirs, self.container_id, netns)

    def write(self) -> None:
        """Keep the record, durably."""
        _files.write_atomically(self.path, json.dumps(self._asdict()), mode=0o600)

    def returned(self) -> dict[str, t.Any]:
        """What a module returns about a pod."""
        return {
            "name": self.name,
            "container_id": self.container_id,
            "netns": self.netns,
            "addresses": invoke.addresses(self.result),
            "mac": invoke.mac(self.result),
        }


def records() -> list[Record]:
    """All that was started here, by this run or by earlier ones, in the order of the names."""
    paths = sorted(str(path) for path in Path(DIRECTORY).glob("[!.]*.json"))
    texts = {path: _files.read_text(path) for path in paths}
    return [_record(path, text) for path, text in texts.items() if text is not None]


def _record(path: str, text: str) -> Record:
    """Return the record, or say that the file is none of ours: what is in it is killed, and told to plugins."""
    try:
        record = Record(**_json.parse(text))
    except (ValueError, TypeError):
        record = None
    if record is None or record.path != path or not _is_sound(record):
        raise PodnetError(f"{path}: is not a record of a probe pod; end the pod's process, and remove the file")
    return record


def _is_number(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_sound(record: Record) -> bool:
    numbers = (record.pid, record.started, record.port)
    return (
        all(_is_number(number) and 0 <= number < 2**63 for number in numbers)
        and record.pid > 1
        and isinstance(record.stale, (int, float))
        and isinstance(record.container_id, str)
        and isinstance(record.bin_dirs, list)
        and all(isinstance(directory, str) for directory in record.bin_dirs)
        and (record.document is None or loader.can_be_run(record.document))
        and isinstance(record.result, dict)
    )


def pods() -> list[Record]:
    """The pods among the records that are alive and attached."""
    return [record for record in records() if record.result and record.alive]


def started_at(pid: int) -> int:
    """When a process was started, in ticks after boot; 0 for one that is gone, or ended and not yet reaped."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(") ")[2].split()
    except OSError:
        return 0
    return int(fields[19]) if len(fields) > 19 and fields[0] != "Z" and fields[19].isdecimal() else 0
