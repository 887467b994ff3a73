# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom the ssh connection comes from, and by which address."""

from __future__ import annotations

import ipaddress
import subprocess
import sys

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import ssh

ASK = "from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import ssh\nprint(ssh.address())"


@pytest.mark.parametrize("connection", ["198.51.100.7 50000 192.0.2.11 22", "fe80::7%eth0 50000 192.0.2.11 22"])
def test_the_ssh_connection_is_found_through_sudo(connection: str) -> None:
    # As sudo does, the process in the middle drops the variable; only an ancestor still has it.
    command = [sys.executable, "-c", ASK]
    middle = f"import subprocess, os; e = dict(os.environ); del e['SSH_CONNECTION']; subprocess.run({command!r}, env=e)"
    environment = {"SSH_CONNECTION": connection, "PYTHONPATH": ":".join(sys.path)}
    output = subprocess.run([sys.executable, "-c", middle], env=environment, capture_output=True, text=True, check=True)
    assert output.stdout == "192.0.2.11\n"


@pytest.mark.parametrize("client", ["198.51.100.7", "fe80::7%eth0", "2001:db8::7"])
def test_the_way_to_the_controller_is_not_taken(client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "_environment", lambda _process: {"SSH_CONNECTION": f"{client} 50000 192.0.2.11 22"})
    bare = client.partition("%")[0]
    around = ipaddress.ip_network(f"{bare}/{64 if ':' in bare else 24}", strict=False)
    with pytest.raises(OptionError, match=f"^a: {around} has {bare}, which Ansible is connected from; "):
        ssh.require_way_back([("a", around)])
    ssh.require_way_back([("a", ipaddress.ip_network("198.51.101.0/24"))])


def test_without_ssh_every_way_may_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "_environment", lambda _process: {})
    ssh.require_way_back([("a", ipaddress.ip_network("0.0.0.0/0"))])
