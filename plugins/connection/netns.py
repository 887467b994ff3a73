# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reach a node of the lab: the namespaces of a process on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
name: netns
short_description: Run tasks in the namespaces of a process on the controller
version_added: 1.0.0
author:
  - The mink8s.podnet developers (@mink8s)
description:
  - Enters the network, mount and UTS namespaces of a process on the controller with C(nsenter).
  - A node of this collection's lab is such a process. Nothing is needed in it, neither SSH nor a container engine.
  - The user must be allowed to enter the namespaces, either as root or within the user namespace that owns them.
notes:
  - Becoming another user works as far as it asks for no password.
options:
  pid:
    description: The process whose namespaces are entered.
    type: int
    required: true
    vars:
      - name: ansible_netns_pid
extends_documentation_fragment:
  - connection_pipelining
"""

import shlex
import subprocess
import typing as t
from pathlib import Path

from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.connection import ConnectionBase
from ansible.utils.display import Display

display = Display()


class Connection(ConnectionBase):  # type: ignore[misc]
    """One nsenter for each command; files go through its standard input and output."""

    transport = "mink8s.podnet.netns"
    has_pipelining = True

    def _connect(self) -> Connection:
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run a command line, given by the shell plugin, in the node."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        if sudoable and self.become and self.become.expect_prompt():
            raise AnsibleError("connection netns: becoming another user with a password does not work; use none here")
        display.vvv(f"EXEC {cmd}", host=self._pid_text)
        done = subprocess.run(self._enter(cmd), input=in_data or b"", capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the controller to the node."""
        super().put_file(in_path, out_path)
        display.vvv(f"PUT {in_path} TO {out_path}", host=self._pid_text)
        try:
            with Path(in_path).open("rb") as source:
                done = subprocess.run(
                    self._enter(f"cat > {shlex.quote(out_path)}"), stdin=source, capture_output=True, check=False
                )
        except FileNotFoundError as error:
            raise AnsibleFileNotFound(f"connection netns: {in_path} does not exist on the controller") from error
        self._require(done, f"{in_path} cannot be copied to {out_path}")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the node to the controller."""
        super().fetch_file(in_path, out_path)
        display.vvv(f"FETCH {in_path} TO {out_path}", host=self._pid_text)
        done = subprocess.run(
            self._enter(f"cat {shlex.quote(in_path)}"), stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        self._require(done, f"{in_path} cannot be fetched")
        Path(out_path).write_bytes(done.stdout)

    def close(self) -> None:
        """Nothing is kept open between commands."""
        self._connected = False

    @property
    def _pid_text(self) -> str:
        return f"pid {self.get_option('pid')}"

    def _enter(self, command_line: str) -> list[bytes]:
        pid = self.get_option("pid")
        if not Path(f"/proc/{pid}/ns/net").exists():
            raise AnsibleConnectionFailure(f"connection netns: process {pid} is gone; build the lab again")
        words = ["nsenter", f"--target={pid}", "--net", "--mount", "--uts", "--", "/bin/sh", "-c", command_line]
        return [to_bytes(word, errors="surrogate_or_strict") for word in words]

    @staticmethod
    def _require(done: subprocess.CompletedProcess[t.Any], problem: str) -> None:
        if done.returncode != 0:
            raise AnsibleError(f"connection netns: {problem}: {to_text(done.stderr).strip()}")
