# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules as Ansible starts them, but each in a fork of this process: everything is imported already, so thousands of
calls are a matter of minutes, and whatever a call does to its process (or to it, see `faults`) ends with it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import time
import typing as t

from ansible.module_utils.testing import patch_module_args

# A module imports it late, and each process anew.
importlib.import_module("pyroute2")

MODULES = "ansible_collections.mink8s.podnet.plugins.modules"

#: No module of ours takes that long; one that does hangs.
LONGEST = 60

#: What is done in the new process before the module starts.
Arm = t.Callable[[], t.Any]

#: A module's name, or what is to be run in place of one's main().
Module = t.Union[str, t.Callable[[], None]]


def unarmed() -> None:
    """Do nothing."""


class Answer(t.NamedTuple):
    """How a call ended: what the module returned, or the signal that ended it before it could."""

    result: t.Dict[str, t.Any]
    signal: int = 0

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed"))

    @property
    def changed(self) -> bool:
        return bool(self.result["changed"])

    @property
    def sentence(self) -> str:
        """Why it failed."""
        return str(self.result.get("msg", ""))


def call(module: Module, params: dict[str, t.Any], check: bool = False, arm: Arm = unarmed) -> Answer:
    """Run a module and return its answer; ``arm`` is called in the new process first."""
    return begin(module, params, check, arm).end()


class Call:
    """A module that runs."""

    def __init__(self, pid: int, output: int) -> None:
        self.pid = pid
        self._output = output

    def end(self) -> Answer:
        """Wait for the module and all that it has started, and return its answer."""
        with os.fdopen(self._output) as file:
            text = file.read()
        _pid, status = os.waitpid(self.pid, 0)
        with contextlib.suppress(ChildProcessError):
            # One may leave the group meanwhile, of which the kernel tells nobody who already waits for it.
            while True:
                if os.waitpid(-self.pid, os.WNOHANG)[0] == 0:
                    time.sleep(0.001)
        if os.WIFSIGNALED(status):
            return Answer({}, os.WTERMSIG(status))
        assert text, "the module ended without a result"
        return Answer(json.loads(text.splitlines()[-1]))


def begin(module: Module, params: dict[str, t.Any], check: bool = False, arm: Arm = unarmed) -> Call:
    """Start a module, as the leader of a process group of its own."""
    main = importlib.import_module(f"{MODULES}.{module}").main if isinstance(module, str) else module
    output, answer = os.pipe()
    pid = os.fork()
    # Whichever of the two comes first: the module may do nothing outside of its group, and be killed at once.
    os.setpgid(pid, pid)
    if pid == 0:
        try:
            _be_the_module(main, _arguments(module, params, check), answer, arm)
        finally:
            os._exit(1)
    os.close(answer)
    return Call(pid, output)


def _arguments(module: Module, params: dict[str, t.Any], check: bool) -> dict[str, t.Any]:
    name = f"mink8s.podnet.{module if isinstance(module, str) else module.__name__}"
    return {**params, "_ansible_module_name": name, "_ansible_check_mode": check, "_ansible_diff": True}


def _be_the_module(main: t.Callable[[], None], params: dict[str, t.Any], answer: int, arm: Arm) -> t.NoReturn:
    signal.alarm(LONGEST)
    sys.stdout = os.fdopen(answer, "w")
    with patch_module_args(params):
        try:
            arm()
            main()
        except SystemExit:
            sys.stdout.flush()
    os._exit(0)
