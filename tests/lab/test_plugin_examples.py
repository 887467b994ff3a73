# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example of a plugin's documentation is run, from the first task to the last, on a node of its own."""

from __future__ import annotations

import json
import os
import typing as t

import pytest
from conftest import ROOT, Lab, archive
from examples import of_plugin, plugins

NET_D = "/etc/cni/net.d"
BRIDGE: dict[str, t.Any] = {
    "type": "bridge",
    "bridge": "podnet0",
    "isDefaultGateway": True,
    "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.12.1.0/24"}]]},
}


def configured(name: str) -> str:
    """The command that writes the configuration of a network."""
    text = json.dumps({"cniVersion": "1.0.0", "name": name, "plugins": [BRIDGE]})
    return f"echo '{text}' > {NET_D}/10-{name}.conflist"


#: What an example takes for granted, as a command on its node.
BEFORE = {
    "cni_network": "mkdir /opt/cni; ln -s /usr/lib/cni /opt/cni/bin",
    "bridge": "ip link add veth-lab type veth peer name veth-far",
    "veth": "ip netns add pod1; ip netns add pod2; ip link add mink8s0 type bridge; ip link set mink8s0 up",
    **dict.fromkeys(
        ("cni_attachments_info", "cni_gc", "cni_probe", "probe_targets", "reachability"), configured("podnet")
    ),
    **dict.fromkeys(("cni_network_info", "cni_runtime", "stale_pods"), configured("mink8s")),
}
#: What was found and decided before, which report_page's example is about.
VARIABLES: dict[str, t.Any] = {"what_was_found": {}, "pod_cidr_decided": {"nodes": {}, "actions": []}}
#: These need a dockerd on the node.
DOCKER = {"docker_daemon", "docker_leftovers"}
PACKAGES = ROOT / ".cache/debian"
BLOCKS = {stem: block for stem, block in ((path.stem, of_plugin(path)) for path in plugins()) if block}


def readers_own(text: str, lab: Lab) -> str:
    """Put in what a reader would: a release that is here, and places where one may write."""
    release = lab.directory / "cni-plugins.tgz"
    checksum = archive(release) if "/var/tmp/cni-plugins" in text else ""
    for line in text.splitlines():
        key, _colon, value = line.strip().partition(": ")
        if key == "archive":
            text = text.replace(value, str(release))
        elif "sha256:" in value:
            text = text.replace(value, checksum)
    return text.replace("/var/www/", f"{lab.directory}/")


@pytest.mark.parametrize("names", [BLOCKS.keys() - DOCKER, DOCKER], ids=["all", "docker"])
def test_every_example(lab: Lab, names: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(BLOCKS) > 25
    assert {*BEFORE, *DOCKER} <= BLOCKS.keys()
    if names == DOCKER:
        if not (PACKAGES / ".packages").exists():
            pytest.skip("there are no packages of Docker: tests/tools/debian.sh says why")
        monkeypatch.setenv("PATH", f"{PACKAGES}/usr/sbin:{PACKAGES}/usr/bin:{os.environ['PATH']}")
        lab.environment["PATH"] = os.environ["PATH"]
    lab.create(len(names), "--dual-stack")
    # The routes' example is of a node that is called node1.
    ordered = sorted(names, key=lambda name: (name != "routes", name))
    nodes = dict(zip(lab.inventory["kube_node"]["hosts"], ordered))
    for node, name in nodes.items():
        (lab.directory / f"{name}.yml").write_text(readers_own(BLOCKS[name].text, lab))
        assert lab.run(node, f"mkdir -p {NET_D}; {BEFORE.get(name, 'true')}").returncode == 0
        lab.inventory["kube_node"]["hosts"][node]["example"] = f"{lab.directory}/{name}.yml"
    lab.inventory["kube_node"]["vars"] |= VARIABLES
    lab.inventory["edge_node"] = {"hosts": {}}
    lab.write_inventory()
    (lab.directory / "clusters").mkdir()

    play = {"hosts": "kube_node", "gather_facts": False, "strategy": "ansible.builtin.free"}
    play["tasks"] = [{"name": "The example", "ansible.builtin.include_tasks": "{{ example }}"}]
    (lab.directory / "play.yml").write_text(json.dumps([play]))
    lab.start, lab.playbooks = lab.directory, "{}.yml"
    played = lab.play("play")

    failed = {nodes[node] for node, counts in played.recap.items() if counts["failed"] or counts["unreachable"]}
    assert not failed, f"{nodes}\n{played.output}"
    tasks = {nodes[node]: counts["ok"] - 1 for node, counts in played.recap.items()}
    assert {name for name, count in tasks.items() if count < len(BLOCKS[name].data)} == set(), played.output
