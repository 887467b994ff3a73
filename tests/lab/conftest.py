# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole playbooks on the lab's nodes: `make lab`, or `molecule/shared/lab.py run --nodes 0 -- pytest tests/lab`."""

from __future__ import annotations

import difflib
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import typing as t
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Debian's containerd and more, unpacked by `make lab`.
PACKAGES = ROOT / ".cache/debian"

#: Everything on a node that a run could change: links, addresses, routes, rules, sysctls and files.  The first rule
#: of a table makes iptables-nft make the table's empty chains, which are its own, as is its lock file in /run; and the
#: tables that it manages are looked at through it.
SNAPSHOT = r"""
ip -d link | sed -E 's/[a-z]+_timer +[0-9.]+//g'; ip address
ip route show table all; ip -6 route show table all; ip rule; ip -6 rule
nft list tables | grep -vE ' (ip|ip6) (nat|filter|mangle|raw)$' | while read -r table; do nft -s list $table; done
for tool in iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy; do $tool-save | grep -E '^-A|^:.* DROP'; done
sysctl -a 2>/dev/null | grep -E '^net\.(bridge|ipv[46]\.(conf|ip_forward))'
find /etc/cni /etc/docker /etc/podnet /etc/sysctl.d /etc/modules-load.d /etc/systemd /etc/NetworkManager \
  /var/lib/cni /var/lib/podnet /opt /run \
  -xdev \( -type f -o -type l \) ! -name xtables.lock -printf '%M %u %p %l\n' -exec cat {} \; |
  sort
"""


class Played:
    """How a playbook ended."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.status = done.returncode
        self.output = done.stdout + done.stderr
        #: host to its counts: ok, changed, skipped …
        self.recap = {
            match[1]: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", match[2])}
            for match in re.finditer(r"^(\S+)\s+: (ok=.*)$", done.stdout, re.MULTILINE)
        }
        said = done.stdout.partition("[Say what was done]")[2].partition("PLAY RECAP")[0]
        #: host to what site.yml says at its end that was done there
        self.summary: dict[str, str] = dict(re.findall(r'^ +"(\S+) +(.+?)",?$', said, re.MULTILINE))

    @property
    def words(self) -> str:
        """The output with white space folded and JSON's quotes unescaped, to find a sentence in it."""
        return " ".join(self.output.replace('\\"', '"').split())


class Lab:
    """Nodes made of namespaces, new for each test that asks for them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.inventory: dict[str, t.Any] = {}
        self.inventories = ["-i", str(directory / "hosts.json")]
        self.extra: dict[str, t.Any] = {}
        self.variables: dict[str, dict[str, t.Any]] = {}
        #: Where ansible-playbook starts, what it is told by the environment, and how it is told the playbook's name.
        self.start, self.environment, self.playbooks = ROOT, dict(os.environ), "playbooks/{}.yml"

    def create(self, nodes: int, *options: str) -> None:
        """Build the nodes; the ones that were there are gone."""
        program = ROOT / "molecule/shared/lab.py"
        subprocess.run([sys.executable, program, "create", "--nodes", str(nodes), *options], check=True)
        self.inventory = json.loads(Path(os.environ["PODNET_LAB_INVENTORY"]).read_text())
        self.variables = {**self.inventory["kube_node"]["hosts"], **self.inventory["lab_outside"]["hosts"]}
        self.write_inventory()
        self.settle()

    def settle(self) -> None:
        """Wait for the end of duplicate address detection: a snapshot before it would differ from one after."""
        for node in self.variables:
            self.run(node, "while ip -6 address show tentative | grep -q inet6; do sleep 0.1; done")

    def write_inventory(self) -> None:
        """Write the inventory, beside which the lock file will be."""
        (self.directory / "hosts.json").write_text(json.dumps(self.inventory))

    def use_example(self, name: str, **variables: t.Any) -> None:
        """Play on an example inventory; of the lab only the way to reach the nodes."""
        for host, found in self.inventory["kube_node"]["hosts"].items():
            connection = {key: value for key, value in found.items() if key.startswith("ansible_")}
            self.inventory["kube_node"]["hosts"][host] = connection
        self.inventory["kube_node"]["vars"] = {}
        self.write_inventory()
        self.inventories[:0] = ["-i", str(ROOT / "inventories" / name / "hosts.yml")]
        self.extra = {"pod_cidr_lock_file": str(self.directory / "pod_cidrs.lock.yml"), **variables}

    def files(self) -> dict[str, str]:
        """Return the files on the controller, beside the inventory."""
        return {path.name: path.read_text() for path in self.directory.iterdir() if path.is_file()}

    def play(self, playbook: str, *args: str, **variables: t.Any) -> Played:
        """Run one of the collection's playbooks, with extra variables, on the inventory."""
        extra = json.dumps({**self.extra, **variables})
        words = ["ansible-playbook", *self.inventories, *args, "-e", extra, self.playbooks.format(playbook)]
        return Played(self.command(*words))

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the controller's."""
        return subprocess.run(words, cwd=self.start, env=self.environment, text=True, capture_output=True, check=False)

    def run(self, node: str, command: str) -> subprocess.CompletedProcess[str]:
        """Run a shell command in a node."""
        pid = self.variables[node]["ansible_netns_pid"]
        enter = ["nsenter", f"--target={pid}", "--net", "--mount", "--uts", "--", "sh", "-c", command]
        return subprocess.run(enter, text=True, capture_output=True, check=False)

    def snapshot(self) -> dict[str, str]:
        """Return all that a run could change, of every node."""
        return {node: self.run(node, SNAPSHOT).stdout for node in self.variables}

    def require(self, before: dict[str, str]) -> None:
        """Fail with the lines in which the nodes differ from a snapshot, if they do."""
        now = self.snapshot()
        changes = [
            f"{node}: {line}"
            for node, text in before.items()
            for line in difflib.unified_diff(text.splitlines(), now[node].splitlines(), n=0, lineterm="")
        ]
        if changes:
            pytest.fail("\n".join(changes))


def archive(path: Path, more: bytes = b"") -> str:
    """Pack this machine's plugins as a release, the bridge with some bytes more at its end; return the checksum."""
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for kind in ("bandwidth", "bridge", "firewall", "host-local", "loopback", "portmap", "tuning"):
            content = Path("/usr/lib/cni", kind).read_bytes() + (more if kind == "bridge" else b"")
            entry = tarfile.TarInfo(f"./{kind}")
            entry.mode, entry.size = 0o755, len(content)
            tar.addfile(entry, io.BytesIO(content))
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A lab without nodes yet."""
    if "PODNET_LAB_INVENTORY" not in os.environ:
        pytest.skip("only inside of the lab: make lab")
    return Lab(tmp_path)
