# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each bad input gives one sentence, with path, value and remedy, and nothing is changed on any node."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from dataclasses import dataclass, field, replace

import pytest
from conftest import PACKAGES, Lab

HOST_LOCAL: dict[str, t.Any] = {"type": "host-local", "ranges": [[{"subnet": "10.12.0.0/24"}]]}


OTHER_LOCK = """\
pod_cidrs:
  vars:
    cluster_cidrs: [10.99.0.0/16]
    node_prefix: 24
    nodes:
      node1: [10.99.0.0/24]
"""


def bridge(ipam: t.Any = None, **options: t.Any) -> dict[str, t.Any]:
    """A CNI configuration as a user would give it."""
    return {
        "cniVersion": "1.0.0",
        "name": "podnet",
        "type": "bridge",
        "bridge": "podnet0",
        **options,
        "ipam": HOST_LOCAL if ipam is None else ipam,
    }


def daemon_json(text: str) -> str:
    """The command that writes Docker's options."""
    return f"echo '{text}' > /etc/docker/daemon.json"


def docker_unit(line: str) -> str:
    """What makes a unit of Docker, after a command."""
    directory = "/etc/systemd/system"
    return f"; mkdir -p {directory}; printf '[Service]\\n{line}\\n' > {directory}/docker.service"


#: A node's own view of units begins with masks.
UNITS = "cd /etc/systemd/system && rm -f kubelet.service containerd.service docker.s* && "
CONTAINERD = (
    f"{UNITS} ln -s /dev/null docker.service && ln -s /dev/null docker.socket && ln -s /dev/null kubelet.service && "
    f"printf '[Service]\\nExecStart={PACKAGES}/usr/bin/containerd\\n' > containerd.service && "
)


@dataclass
class Case:
    """What is wrong, what is done to a node before, and what must stand in the one sentence."""

    name: str
    says: list[str]
    variables: dict[str, t.Any] = field(default_factory=dict)
    hosts: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    before: str = "true"
    files: dict[str, str] = field(default_factory=dict)


#: What concerns the whole cluster: one case for each run, and node1 speaks for all.
OF_A_CLUSTER = [
    Case(
        "duplicate subnets",
        ["pod_cidrs[0]: 10.12.1.0/24 is already node1's"],
        hosts={"node1": {"pod_cidr_subnets": "10.12.1.0/24"}, "node2": {"pod_cidr_subnets": "10.12.1.0/24"}},
    ),
    Case(
        "a subnet outside the cluster CIDR",
        ["nodes.node2.pod_cidrs[0]: 10.13.1.0/24", "10.12.0.0/16"],
        hosts={"node2": {"pod_cidr_subnets": "10.13.1.0/24"}},
    ),
    Case("a cluster CIDR too small", ["10.12.0.0/24"], {"pod_cidr_cluster_cidrs": ["10.12.0.0/24"]}),
    Case(
        "host bits set",
        ["10.12.1.7/24 has host bits set", "10.12.1.0/24"],
        hosts={"node2": {"pod_cidr_subnets": "10.12.1.7/24"}},
    ),
    Case("a broken lock file", ["pod_cidrs.lock.yml"], files={"pod_cidrs.lock.yml": "nodes: [node1: {\n"}),
    Case(
        "a lock file of another cluster CIDR",
        ["pod_cidrs.lock.yml", "10.99.0.0/16"],
        files={"pod_cidrs.lock.yml": OTHER_LOCK},
    ),
    Case(
        "a next hop that is not on-link",
        ["node2", "198.51.100.12"],
        hosts={"node2": {"pod_cidr_addresses": ["198.51.100.12"]}},
    ),
]

# What stops at the same task of the plans is told in the same run, each case by a node of its own.
VARIABLES = [
    Case(
        "an unknown state of Docker",
        ["docker_state must be one of: auto, present, ignored, got: presnt"],
        {"docker_state": "presnt"},
    ),
    Case("an unknown kubelet_state", ["kubelet_state must be one of: auto, ignored, got: on"], {"kubelet_state": "on"}),
]

DOCKER = [
    *[
        # Where Docker is about to be installed; a node without it is left alone otherwise.
        Case(name, says, {"docker_state": "present"}, before=before)
        for name, says, before in (
            (
                "daemon.json with a comma too many",
                ["path: /etc/docker/daemon.json is not JSON", "correct it"],
                daemon_json('{"debug": true,}'),
            ),
            (
                "daemon.json is an array",
                ["path: /etc/docker/daemon.json is a JSON array, not an object"],
                daemon_json('[{"debug": true}]'),
            ),
            (
                "daemon.json has a key twice",
                ['path: /etc/docker/daemon.json has the key "mtu" twice'],
                daemon_json('{"mtu": 1, "mtu": 2}'),
            ),
            (
                "daemon.json is a link",
                ["path: /etc/docker/daemon.json is a symbolic link to /run/x"],
                "echo '{}' > /run/x; ln -s /run/x /etc/docker/daemon.json",
            ),
            (
                "daemon.json in a read-only directory",
                ["/etc/docker/daemon.json: cannot be written, as /etc/docker is read-only; mount it for writing"],
                "mount -t tmpfs -o ro tmpfs /etc/docker",
            ),
        )
    ],
    Case(
        "hosts as a flag and in daemon.json",
        ["hosts", "flag -H fd:// in /etc/systemd/system/docker.service", "remove one of them"],
        {"docker_state": "present"},
        before=daemon_json('{"hosts": ["fd://"]}') + docker_unit("ExecStart=/usr/sbin/dockerd -H fd://"),
    ),
    Case(
        "a unit of Docker that starts nothing",
        ["docker.service: neither /etc/systemd/system/docker.service nor a drop-in has an ExecStart"],
        {"docker_state": "present"},
        before="true" + docker_unit("Type=notify"),
    ),
    Case(
        "a text for a boolean of Docker",
        ["options.iptables: false is a text", "without quotes"],
        {"docker_state": "present", "docker_options": {"iptables": "false"}},
    ),
]

ARCHIVE = [
    Case(
        "an archive whose checksum differs",
        ["sha256"],
        {
            "cni_plugins_source": "archive",
            "cni_plugins_bin_dir": "/opt/cni/bin",
            "cni_plugins_archive": "{directory}/plugins.tgz",
            "cni_plugins_archive_checksum": "sha256:" + hashlib.sha256(b"another").hexdigest(),
        },
        files={"plugins.tgz": "not what was promised"},
    ),
]

BRIDGE = [
    Case("a long interface name", ["abcdefghijklmnop", "15"], {"pod_network_bridge": "abcdefghijklmnop"}),
    Case("an interface name with a slash", ["pod/net"], {"pod_network_bridge": "pod/net"}),
    Case(
        "the bridge is another link",
        ["br1"],
        {"pod_network_bridge": "br1"},
        before="ip link add br1 type vxlan id 7 dstport 0",
    ),
    Case("the bridge is the uplink", ["eth0"], {"pod_network_bridge": "eth0"}),
    Case(
        "no pyroute2",
        ["pyroute2"],
        before="mount -t tmpfs tmpfs "
        "$(/usr/bin/python3 -c 'import os, pyroute2; print(os.path.dirname(pyroute2.__path__[0]))')",
    ),
]

MASQUERADE = [
    Case(
        "no nft and no iptables",
        ["nft", "iptables"],
        before="mount -t tmpfs tmpfs /usr/sbin; ! command -v nft && ! command -v iptables-restore",
    ),
]

CNI = [
    Case("ipam without type", ["config.ipam"], {"pod_network_config": bridge({"ranges": []})}),
    Case(
        "flat ranges",
        ["config.ipam.ranges[0]"],
        {"pod_network_config": bridge({"type": "host-local", "ranges": [{"subnet": "10.12.0.0/24"}]})},
    ),
    Case(
        "two default routes",
        ["default route"],
        {"pod_network_config": bridge({**HOST_LOCAL, "routes": [{"dst": "0.0.0.0/0"}]}, isDefaultGateway=True)},
    ),
    Case(
        "hairpin and promiscuous",
        ["hairpinMode", "promiscMode"],
        {"pod_network_config": bridge(hairpinMode=True, promiscMode=True)},
    ),
    Case("an unknown key", ["ipMasquerade", "did you mean ipMasq?"], {"pod_network_config": bridge(ipMasquerade=True)}),
    Case("a cniVersion that the binaries do not speak", ["1.1.0"], {"pod_network_cni_version": "1.1.0"}),
    Case(
        "a missing plugin binary",
        ["nosuch", "/usr/lib/cni"],
        {"pod_network_chained_plugins": [{"type": "nosuch"}]},
    ),
    Case("the conf directory is a file", ["/etc/cni/net.d"], before="touch /etc/cni/net.d"),
    Case(
        "a competing file that sorts first",
        ["05-other.conflist", "on_conflict to rename"],
        before="mkdir /etc/cni/net.d; echo '{}' > /etc/cni/net.d/05-other.conflist",
    ),
]

PROBE = [
    Case(
        "pods larger than their bridge lets through",
        [
            "config: does not work with this node's plugins: ping from probe pod probe1 to probe2 (10.12.40.3)",
            "answers short pings, but not one of 1450 bytes, the full MTU, that nobody may fragment",
            "too large by 46: unfragmented packets arrive up to 1404 bytes",
        ],
        {
            "pod_cidr_subnets": "10.12.40.0/24",
            "pod_network_mtu": "1400",
            "pod_network_cni_version": "0.3.1",
            "pod_network_chained_plugins": [{"type": "tuning", "mtu": 1450}],
        },
    ),
    Case(
        "a sysctl that pods do not have",
        [
            "config: does not work with this node's plugins: CNI plugin tuning: ADD of podnet-probe1 failed",
            "/proc/sys/net/ipv4/conf/eth0/nosuch",
        ],
        {"pod_network_chained_plugins": [{"type": "tuning", "sysctl": {"net.ipv4.conf.eth0.nosuch": "1"}}]},
    ),
]

KUBELET = [
    Case(
        "a kubelet unit without ExecStart",
        [
            "kubelet.service: neither /etc/systemd/system/kubelet.service nor a drop-in has an ExecStart",
            "correct the unit",
        ],
        before=UNITS + "printf '[Service]\\nType=simple\\n' > kubelet.service",
    ),
    Case(
        "containerd's configuration imports others",
        ["/etc/containerd/config.toml: imports other files, which may say it too", "yourself"],
        before=CONTAINERD
        + "mkdir /etc/containerd/a; touch /etc/containerd/a/b;"
        + """printf 'version = 2\\nimports = ["/etc/containerd/a/*"]\\n' > /etc/containerd/config.toml""",
    ),
    Case(
        "containerd's configuration of an unknown version",
        [
            "/etc/containerd/config.toml: is of version 1, and only versions 2 to 4 are changed here",
            "write it anew as version 2",
        ],
        before=CONTAINERD + "echo 'oom_score = 0' > /etc/containerd/config.toml",
    ),
]

STAGES = {
    "variables": VARIABLES,
    "docker": DOCKER,
    "archive": ARCHIVE,
    "bridge": BRIDGE,
    "masquerade": MASQUERADE,
    "cni": CNI,
    "probe": PROBE,
    "kubelet": KUBELET,
}

#: What a node says when a task fails there, or on the controller for it.
FAILED = re.compile(r"^fatal: \[([^\]\s]+)(?: -> [^\]]+)?\]: FAILED! => (\{.*\})$", re.MULTILINE)


@pytest.mark.parametrize("case", OF_A_CLUSTER, ids=lambda case: case.name)
def test_one_sentence_of_a_cluster(lab: Lab, case: Case) -> None:
    lab.create(2)
    said = refused(lab, {"node2": case}, **case.variables)
    assert list(said) == ["node1"]
    assert [words for words in case.says if words not in said["node1"]] == []


@pytest.mark.parametrize("stage", STAGES)
def test_one_sentence_of_each_node(lab: Lab, stage: str) -> None:
    """Each case on a node of its own; node1, where nothing is wrong, must not be changed either."""
    # What is not meant to fail and takes long is left to node1.
    usual = {"docker_state": "ignored", "pod_network_probe": stage == "probe"}
    cases = {
        f"node{number}": replace(case, hosts={f"node{number}": {**usual, **case.variables}})
        for number, case in enumerate(filter(possible, STAGES[stage]), 2)
    }
    lab.create(1 + len(cases))
    said = refused(lab, cases)
    assert sorted(said) == sorted(cases)
    assert [(case.name, words) for node, case in cases.items() for words in case.says if words not in said[node]] == []


def test_no_case_is_left_out() -> None:
    """Else the report would not say so: the other cases of the stage are tried all the same."""
    left_out = [case.name for cases in STAGES.values() for case in cases if not possible(case)]
    if left_out:
        pytest.skip(f"containerd's package could not be had: {', '.join(left_out)}")


def possible(case: Case) -> bool:
    """Return whether all that is needed is there."""
    return PACKAGES.is_dir() or not case.before.startswith(CONTAINERD)


def refused(lab: Lab, cases: dict[str, Case], **variables: t.Any) -> dict[str, str]:
    """Play the whole playbook, which fails and changes nothing; return the sentence of each node that failed."""
    for node, case in cases.items():
        for host, values in case.hosts.items():
            in_place = {key: _in_directory(value, lab) for key, value in values.items()}
            lab.inventory["kube_node"]["hosts"][host].update(in_place)
        for name, text in case.files.items():
            (lab.directory / name).write_text(text)
        done = lab.run(node, case.before)
        assert done.returncode == 0, f"{case.name}: {done.stderr}"
    lab.write_inventory()
    files, nodes = lab.files(), lab.snapshot()

    made = lab.play("site", **variables)

    print(made.output)  # pytest shows it if the test fails
    assert made.status != 0
    assert "Traceback" not in made.output
    lab.require(nodes)
    if (
        "docker :" not in made.output and "of arguments failed" not in made.output
    ):  # The lock file of blocks that can be given is written before all else.
        assert lab.files() == files
    return {node: " ".join(json.loads(result)["msg"].split()) for node, result in FAILED.findall(made.output)}


def _in_directory(value: t.Any, lab: Lab) -> t.Any:
    return value.replace("{directory}", str(lab.directory)) if isinstance(value, str) else value
