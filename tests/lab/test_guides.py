# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guides, read from top to bottom by somebody who types their commands; tests/docs only checks what they say.

The lab's nodes have the addresses that stand in the guides.  What kubectl, systemd and a runtime are asked is left out:
there are none; so is make, which is for who develops all this.  Then each inventory and each setting that stands in any
guide is played.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, Lab, archive
from examples import GUIDES, INVENTORY, LOCK_FILE, VARIABLES, Block, of_rst

#: In this order, each on the nodes that the one before has left.
STORY = ("first_node", "cluster", "nodes", "renumber", "troubleshooting")
#: Guides that begin anew: what comes before their commands is said in words.
ALONE = ("air_gapped", "beside")
TYPED = re.compile(r"^ansible(-playbook|-galaxy)? ")
ON_A_NODE = re.compile(r"^(bridge|cat|ip|iptables|ls|nft|python3) ")
#: What nobody types here: what it asks is not in the lab, or it is for developers.
LEFT_OUT = re.compile(r"^(kubectl|crictl|systemctl|journalctl|make) ")
#: Not in a copy of the checkout: what is made, and what other tests of this run may be writing.
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".cache", ".venv", ".hypothesis", "*_cache", "__pycache__", "output", "dist"
)


class Reader:
    """Somebody with a directory my-cluster, and the lab's nodes."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.home = lab, lab.directory
        self.hosts = self.home / "my-cluster/hosts.yml"
        self.hosts.parent.mkdir()
        reached = {
            name: {key: value for key, value in found.items() if key.startswith("ansible_")}
            for name, found in lab.inventory["kube_node"]["hosts"].items()
        }
        (self.hosts.parent / "lab.json").write_text(json.dumps({"lab": {"hosts": reached}}))
        self.typed: list[str] = []
        #: The checkout, and where its collection is installed: what plays is the lab's all the same.
        self.checkout, self.installed = self.home / "checkout", self.home / "collections"

    def read(self, block: Block) -> None:
        """Write an inventory down, or type the commands of Ansible."""
        if block.language == "yaml":
            self.hosts.write_text(block.text)
        elif block.language == "bash":
            for line in block.text.splitlines():
                if TYPED.match(line):
                    self.type(line)
                elif ON_A_NODE.match(line):
                    done = self.lab.run("node1", line)
                    assert done.returncode == 0, f"{line}\n{done.stderr}"
                    self.typed.append(line)

    def type(self, line: str) -> None:
        """Run a command as it stands there; files of the controller's are the reader's own."""
        words = shlex.split(line.replace("/var/lib/monitoring", str(self.home)))
        start, environment = self.home, dict(os.environ)
        if words[0] == "ansible-galaxy":
            # It writes archives beside the sources, and collections where it finds others.
            if not self.checkout.exists():
                shutil.copytree(ROOT, self.checkout, ignore=NOT_COPIED)
            start, environment["ANSIBLE_COLLECTIONS_PATH"] = self.checkout, str(self.installed)
        done = subprocess.run(words, cwd=start, env=environment, text=True, capture_output=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        assert "inventory" not in done.stderr, done.stderr  # nothing that a command leaves spoils it
        self.typed.append(line)
        if "install" in words[:3]:
            self.require_installed()
        if "mink8s.podnet.reset" in words and "--limit" in words:
            self.take_out(words[words.index("--limit") + 1])

    def require_installed(self) -> None:
        """The collection is there, whole, and of the version that is in the checkout."""
        place = self.installed / "ansible_collections/mink8s/podnet"
        manifest = json.loads((place / "MANIFEST.json").read_text())["collection_info"]
        assert manifest["version"] == yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
        names = {path.name for path in (ROOT / "plugins/modules").glob("*.py")}
        assert {path.name for path in (place / "plugins/modules").glob("*.py")} == names

    def take_out(self, host: str) -> None:
        """Take a node's line out of the inventory, as the guide says in words."""
        inventory: dict[str, t.Any] = yaml.safe_load(self.hosts.read_text())
        del inventory["kube_node"]["hosts"][host]
        self.hosts.write_text(yaml.safe_dump(inventory))


def guide(name: str) -> list[Block]:
    """Return the blocks of a guide, with its first inventory; the others are for other networks than the lab's."""
    found = of_rst(Path(GUIDES, f"{name}.rst"))
    first = next((block for block in found if block.language == "yaml" and block.kind == INVENTORY), None)
    return [block for block in found if block.language == "bash" or block is first]


@pytest.mark.long
def test_the_guides_are_true(lab: Lab) -> None:
    lab.create(4)
    before = lab.snapshot()
    reader = Reader(lab)
    for block in guide("first_node"):
        reader.read(block)
    assert any(line.startswith("ansible-galaxy ") for line in reader.typed)
    lab.require(before)  # it ends with a reset

    for name in STORY[1:3]:
        for block in guide(name):
            reader.read(block)
    assert lab.run("node1", "ip route show proto 212").stdout.count("\n") == 2  # node4 has left again
    lab.require({"node4": before["node4"]})

    for name in STORY[3:]:
        for block in guide(name):
            reader.read(block)
    assert lab.run("node1", "ip route show proto 212").stdout.startswith("10.12.40.0/24 via 192.0.2.12 ")
    assert "10.12.40.1/24" in lab.run("node2", "ip -brief address show podnet0").stdout
    assert len(reader.typed) > 30


@pytest.mark.long
def test_a_controller_without_a_network(lab: Lab) -> None:
    """air_gapped: the archive is built, and installed in an empty directory."""
    lab.create(1)
    reader = Reader(lab)
    for block in guide("air_gapped"):
        reader.read(block)
    assert [line.split()[2] for line in reader.typed] == ["build", "install"]


@pytest.mark.long
def test_beside_kubespray(lab: Lab) -> None:
    """beside: with kubespray's inventory, its settings, and its plugins."""
    lab.create(2)
    reader = Reader(lab)
    place = lab.directory / "inventory/mycluster"
    variables = place / "group_vars/k8s_cluster"
    variables.mkdir(parents=True)
    found = zip(lab.inventory["kube_node"]["hosts"].items(), ("192.0.2.11", "192.0.2.12"))
    hosts = {name: {**connection, "ansible_host": address, "ip": address} for (name, connection), address in found}
    for connection in hosts.values():
        connection.pop("node_ip", None)  # kubespray knows none
    groups = {"all": {"hosts": hosts}, "k8s_cluster": {"children": {"kube_node": {"hosts": dict.fromkeys(hosts)}}}}
    (place / "hosts.yaml").write_text(json.dumps(groups))
    settings = [
        block for block in of_rst(GUIDES / "beside.rst") if block.language == "yaml" and block.kind == VARIABLES
    ]
    for name, block in zip(("k8s-cluster", "podnet"), settings):
        (variables / f"{name}.yml").write_text(block.text)
    for node in hosts:
        assert lab.run(node, "mkdir -p /opt/cni && ln -s /usr/lib/cni /opt/cni/bin").returncode == 0
    for block in guide("beside"):
        reader.read(block)
    assert len(reader.typed) == 1
    assert lab.run("node1", "ip route show proto 212").stdout.startswith("10.233.65.0/24 via 192.0.2.12 ")
    assert '"bridge": "podnet0"' in lab.run("node1", "cat /etc/cni/net.d/10-podnet.conflist").stdout


def test_each_command_of_the_guides_is_typed_or_known_to_be_left_out() -> None:
    """Those of the guides that a test above reads; no other guide has commands of Ansible."""
    for path in GUIDES.glob("*.rst"):
        for block in of_rst(path):
            for line in block.text.splitlines() if block.language == "bash" else ():
                typed = TYPED.match(line) or ON_A_NODE.match(line)
                assert bool(typed) != bool(LEFT_OUT.match(line)), f"{block}: {line}"
                assert not typed or path.stem in (*STORY, *ALONE), f"{block}: {line}"


@pytest.mark.parametrize("command", ["ansible-playbook -i my-cluster mink8s.podnet.drift", "ansible node1 -m nothing"])
def test_a_command_that_fails_is_noticed(lab: Lab, command: str) -> None:
    lab.create(1)
    reader = Reader(lab)
    reader.hosts.write_text("kube_node: {hosts: {node1: {}}, vars: {pod_cidr_cluster_cidrs: [10.12.0.0/16]}}")
    with pytest.raises(AssertionError):
        reader.read(Block(Path("guide.rst"), 1, "bash", f"{command}\n"))


# ---- what stands in any guide, played --------------------------------------------------------------------------------

YAML = [block for path in sorted(GUIDES.glob("*.rst")) for block in of_rst(path) if block.language == "yaml"]
INVENTORIES = [block for block in YAML if block.kind == INVENTORY]
INVENTORIES = [block for block in INVENTORIES if not any(block in guide(name) for name in STORY)]
SETTINGS = [block for block in YAML if block.kind == VARIABLES]
#: Kubespray's own settings, which our settings beside them refer to.
OF_KUBESPRAY = next(block.data for block in SETTINGS if "kube_pods_subnet" in block.data)
#: Whatever is for the whole cluster is planned alone, all else on nodes of one cluster.
OF_A_CLUSTER = [block for block in SETTINGS if any(name.startswith("pod_cidr_") for name in block.data)]
OF_A_NODE = [block for block in SETTINGS if block not in OF_A_CLUSTER and block.data != OF_KUBESPRAY]


def with_a_release(lab: Lab, variables: dict[str, t.Any]) -> dict[str, t.Any]:
    """Put a release of this machine's plugins in the place of the one that a reader downloads or carries."""
    source = variables.get("cni_plugins_source", "archive" if "cni_plugins_archive" in variables else "package")
    if source == "package":
        return variables
    name = f"v{variables.get('cni_plugins_version', '1.9.1')}/cni-plugins-linux-amd64-v1.9.1.tgz"
    path = lab.directory / name
    path.parent.mkdir(exist_ok=True)
    checksum = archive(path) if not path.exists() else "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    own: dict[str, t.Any] = {"cni_plugins_bin_dir": "/opt/cni/bin"}
    if source == "archive":
        return {**variables, **own, "cni_plugins_archive": str(path), "cni_plugins_archive_checksum": checksum}
    # All architectures, whichever this machine's is.
    own["cni_plugins_checksums"] = {"1.9.1": dict.fromkeys(("amd64", "arm64"), checksum)}
    own["cni_plugins_cache_dir"] = str(lab.directory / "cache")
    return {**variables, **own, "cni_plugins_base_url": f"file://{lab.directory}"}


def test_each_setting_of_a_node(lab: Lab) -> None:
    """All at once, each on a node of its own."""
    assert len(OF_A_NODE) > 10
    lab.create(len(OF_A_NODE))
    nodes = dict(zip(lab.inventory["kube_node"]["hosts"], OF_A_NODE))
    for node, block in nodes.items():
        lab.inventory["kube_node"]["hosts"][node] |= with_a_release(lab, block.data)
    lab.write_inventory()
    played = lab.play("site")
    assert played.status == 0, f"{nodes}\n{played.output}"
    assert [node for node in nodes if not played.summary[node].startswith("done: ")] == []


def test_each_setting_of_a_cluster(lab: Lab) -> None:
    lab.create(2)
    for host, address in zip(lab.inventory["kube_node"]["hosts"].values(), ("192.0.2.11", "192.0.2.12")):
        host["ansible_host"] = address
    usual = lab.inventory["kube_node"]["vars"]
    assert len(OF_A_CLUSTER) > 1
    for block in OF_A_CLUSTER:
        lab.inventory["kube_node"]["vars"] = {**usual, **OF_KUBESPRAY, **block.data}
        lab.write_inventory()
        played = lab.play("site", "--check", cni_plugins_bin_dir="/usr/lib/cni")
        assert played.status == 0, f"{block}\n{played.output}"
    lock = next(block for block in YAML if block.kind == LOCK_FILE)
    (lab.directory / "pod_cidrs.lock.yml").write_text(lock.text)
    lab.inventory["kube_node"]["vars"] = usual
    lab.write_inventory()
    played = lab.play("site", "--check", "--diff")
    assert played.status == 0, played.output
    assert "10.12.1.1/24" in played.output


@pytest.mark.parametrize("block", INVENTORIES, ids=str)
def test_each_inventory(lab: Lab, block: Block) -> None:
    """In check mode, on nodes that have just the addresses that stand in it."""
    lab.create(4, "--dual-stack")
    groups = block.data
    connections = lab.inventory["kube_node"]["hosts"]
    device = groups["kube_node"]["vars"].get("pod_network_device", "eth0")
    for group in (groups["kube_node"], *(groups["kube_node"].get("children") or {}).values()):
        group["vars"] = with_a_release(lab, group.get("vars") or {})
        for name, host in group["hosts"].items():
            host |= {key: value for key, value in connections[name].items() if key.startswith("ansible_")}
            if device != "eth0":
                lab.run(name, f"ip link set eth0 down; ip link set eth0 name {device}; ip link set {device} up")
    lab.inventory = groups
    lab.write_inventory()
    played = lab.play("site", "--check")
    assert played.status == 0, played.output
    assert all(words.startswith("would be done: ") for words in played.summary.values())
