# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules as a node gets them: the whole program that Ansible sends, run by the node's own Python."""

from __future__ import annotations

import functools
import itertools
import json
import typing as t
from pathlib import Path

from ansible import constants
from ansible.executor.module_common import modify_module
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, module_loader
from ansible.template import Templar
from measure import Done, run

#: What Ansible finds on nearly every node, with the distribution's pyroute2; the controller's Python is another one.
PYTHON = "/usr/bin/python3"

_NUMBERS = itertools.count()


class Module:
    """One call of a module: ``mink8s.podnet.routes`` or ``ansible.builtin.iptables``."""

    def __init__(self, name: str, /, **params: t.Any) -> None:
        full_name, path = _found(name)
        built = modify_module(
            module_name=full_name,
            module_path=path,
            module_args=params,
            templar=Templar(DataLoader()),
            task_vars={"ansible_python_interpreter": PYTHON},
            module_compression=constants.DEFAULT_MODULE_COMPRESSION,
        )
        self._program = Path("/run", f"{name}-{next(_NUMBERS)}.py")
        self._program.write_bytes(built.b_module_data)

    def __call__(self, changed: t.Optional[bool] = None) -> Done:
        """Run it; ``changed`` is what it must say."""
        done = run([PYTHON, str(self._program)])
        said = json.loads(done.output)["changed"]
        if changed is not None and said != changed:
            raise SystemExit(f"bench: {self._program.name} says changed: {said}\n{done.output[:2000]}")
        return done


@functools.cache
def _loader() -> None:
    init_plugin_loader([])


@functools.cache
def _found(name: str) -> tuple[str, str]:
    _loader()
    found = module_loader.find_plugin_with_context(name)
    return found.resolved_fqcn, found.plugin_resolved_path
