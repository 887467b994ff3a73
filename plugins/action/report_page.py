# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the report on the controller; documented in plugins/modules/report_page.py."""

from __future__ import annotations

import json
import os
import time
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine, _files
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError
from ansible_collections.mink8s.podnet.plugins.plugin_utils._report import findings, page

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "nodes": {"type": "dict", "required": True},
    "controller": {"type": "dict", "default": {}},
    "path": {"type": "path"},
    "title": {"type": "str", "default": "Pod network"},
}
FILE = "podnet-report.html"
#: So much is read of an old report in any case, in bytes.
LARGE = 64 * 1024 * 1024


class Report(_engine.Resource):
    """The page, and beside it the same for machines."""

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__()
        self.texts = texts

    def read(self) -> _engine.State:
        found = {path: _text(path, len(text.encode())) for path, text in self.texts.items()}
        return {_name(path): text for path, text in found.items() if text is not None}

    def desired(self, current: _engine.State) -> _engine.State:  # noqa: ARG002
        return {_name(path): text for path, text in self.texts.items()}

    def apply(self, changes: list[_engine.Change]) -> None:
        for change in changes:
            _files.write_atomically(change.name.partition(" ")[2], change.after)


class ActionModule(ActionBase):  # type: ignore[misc]
    """Makes the report from what was collected, and writes both files."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: t.Any = None, task_vars: t.Optional[dict[str, t.Any]] = None) -> dict[str, t.Any]:
        """Return where the page is and what it says, or fail with one sentence."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(argument_spec=ARGUMENTS)
        try:
            result.update(self._write(options, task_vars or {}))
        except PodnetError as error:
            result.update(failed=True, msg=str(error), **error.facts)
        return result

    def _write(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        path = _path(options["path"], task_vars)
        machines = f"{os.path.splitext(path)[0]}.json"
        generated = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        nodes, controller = findings.understood(_plain(options["nodes"])), _plain(options["controller"])
        ways = findings.all_ways(nodes)
        report = findings.report(nodes, controller, ways, title=options["title"], generated=generated)
        text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
        html = page.render(report, ways, os.path.basename(machines))
        resource = Report({path: _engine.printable(html), machines: _engine.printable(text)})
        done = _engine.converge(resource, self._task.check_mode)
        del done["diff"]  # of two whole files, which nobody reads
        verdict = page.verdict(report)[1]
        return {**done, "path": path, "json_path": machines, "verdict": verdict, "summary": report["summary"]}


def _plain(value: t.Any) -> t.Any:
    """Only plain values: what templates return knows where it came from, and infinity and NaN are no JSON."""
    return json.loads(json.dumps(value, default=str), parse_constant=lambda _name: None)


def _text(path: str, size: int) -> t.Optional[str]:
    """Return what is there; a file that is far too large is another one, whatever is in it."""
    limit = max(LARGE, size)
    too_large = os.path.isfile(path) and os.stat(path).st_size > limit
    return "" if too_large else _files.read_text(path, limit=limit)


def _name(path: str) -> str:
    return f"file {path}"


def _path(given: t.Optional[str], task_vars: dict[str, t.Any]) -> str:
    """Return the page's path, which is given, or beside the inventory."""
    if not given:
        given = _beside(str(task_vars.get("inventory_dir")), task_vars.get("ansible_inventory_sources") or [])
    if not given.endswith(".html"):
        raise OptionError("path", given, "does not end with .html", f"name the page, as in {FILE}")
    return os.path.abspath(given)


def _beside(directory: str, sources: t.Sequence[t.Any]) -> str:
    """Return the page's path beside the inventory, or where that is no file in the current directory.

    Ansible reads every file in an inventory that is a directory, so then the page is beside that one, with its name.
    """
    if not os.path.isabs(directory):
        return os.path.join(os.getcwd(), FILE)
    inventories = [os.path.abspath(str(source)) for source in sources]
    around = [source for source in inventories if os.path.join(directory, "").startswith(os.path.join(source, ""))]
    if not around:
        return os.path.join(directory, FILE)
    parent, name = os.path.split(min(around, key=len))
    stem, extension = os.path.splitext(FILE)
    return os.path.join(parent, f"{stem}-{name}{extension}")
