# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many nodes for the controller, with one true node behind them: its answers are recorded, and given for all others."""

from __future__ import annotations

DOCUMENTATION = r"""
name: simulated
short_description: Record a lab node's answers, or give the recorded ones
author:
  - The mink8s.podnet developers (@mink8s)
description:
  - With O(pid) the module runs in that lab node, and its answer is recorded in O(answers).
  - Without it the module is made ready and sent as to any node, and what was recorded for it is the answer.
options:
  pid:
    description: The process whose namespaces are the true node.
    type: int
    default: 0
    vars:
      - name: ansible_netns_pid
  answers:
    description: The directory of the answers.
    type: path
    required: true
    vars:
      - name: bench_answers
extends_documentation_fragment:
  - connection_pipelining
"""

import re
from pathlib import Path

from ansible.errors import AnsibleError

from ansible_collections.mink8s.podnet.plugins.connection.netns import Connection as Lab

#: Which module a program is that Ansible sends.
MODULE = re.compile(rb"module_fqn='([\w.]+)'")


class Connection(Lab):
    """A lab's node, or what one has said."""

    transport = "simulated"

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run a module, or say what it said."""
        module = MODULE.search(in_data or b"")
        if module is None:
            raise AnsibleError(f"connection simulated: only modules can be answered, not {cmd}")
        answer = Path(self.get_option("answers"), module[1].decode())
        if not self.get_option("pid"):
            return 0, answer.read_bytes(), b""
        status, out, err = super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        if status == 0:
            answer.write_bytes(out)
        return status, out, err
