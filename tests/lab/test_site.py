# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""site.yml, again, verify.yml and reset.yml, from nothing to nothing."""

from __future__ import annotations

import json
import typing as t

import pytest
from conftest import PACKAGES, Lab, archive

#: The steady state's tasks for each node.
BUDGET = 12
#: What nobody wants to read when nothing is to be done: facts that nobody needs, differences, warnings, dumps, loops.
NOISE = ("Gathering Facts", "+++ ", "[WARNING]", "[DEPRECATION", "fatal:", "ansible_facts", "(item=")


@pytest.mark.parametrize(("example", "backend"), [("cluster", "nftables"), ("dual-stack", "iptables")])
def test_there_and_back(lab: Lab, example: str, backend: str) -> None:
    """The example inventories, on three nodes that have just the addresses that stand in them."""
    lab.create(3)
    lab.use_example(example, verify_outside=lab.inventory["kube_node"]["vars"]["verify_outside"])
    before = lab.snapshot()

    checked = lab.play("site", "--check", "--diff", pod_network_masquerade_backend=backend)
    assert checked.status == 0, checked.output
    assert all(counts["changed"] > 0 for counts in checked.recap.values())
    assert all("changes (" in words and words.startswith("would be done: ") for words in checked.summary.values())
    lab.require(before)
    assert not (lab.directory / "pod_cidrs.lock.yml").exists()

    made = lab.play("site", pod_network_masquerade_backend=backend)
    assert made.status == 0, made.output
    assert list(made.summary) == ["node1", "node2", "node3"]
    assert all("changes (" in words and words.startswith("done: ") for words in made.summary.values())
    after = lab.snapshot()

    again = lab.play("site", pod_network_masquerade_backend=backend)
    assert again.status == 0, again.output
    assert {node: counts["changed"] for node, counts in again.recap.items()} == dict.fromkeys(again.recap, 0)
    # What runs once, on the controller, is counted as the first node's.
    assert min(counts["ok"] for counts in again.recap.values()) <= BUDGET, again.output
    assert set(again.summary.values()) == {"nothing to do"}
    assert [word for word in NOISE if word in again.output] == [], again.output
    lab.require(after)

    verified = lab.play("verify")
    assert verified.status == 0, verified.output

    removed = lab.play("reset")
    assert removed.status == 0, removed.output
    lab.require(before)
    again = lab.play("reset")
    assert {node: counts["changed"] for node, counts in again.recap.items()} == dict.fromkeys(again.recap, 0)


def test_a_single_node_needs_no_address(lab: Lab) -> None:
    """Its variables hold nothing but a name, as for a local connection."""
    lab.create(1)
    node = lab.inventory["kube_node"]["hosts"]["node1"]
    del node["pod_cidr_addresses"]
    node["ansible_host"] = "mink8s.example.org"
    lab.write_inventory()
    for playbook in ("site", "verify"):
        played = lab.play(playbook)
        assert played.status == 0, played.output
    assert "ways work" in played.words


def test_a_node_more_renumbers_nobody_and_a_node_less_loses_its_routes(lab: Lab) -> None:
    lab.create(3)
    assert lab.play("site", podnet_hosts="node1:node3").status == 0
    lock = (lab.directory / "pod_cidrs.lock.yml").read_text()
    assert "node2" not in lock

    grown = lab.play("site")
    assert grown.status == 0, grown.output
    assert set(lock.splitlines()) < set((lab.directory / "pod_cidrs.lock.yml").read_text().splitlines())
    assert lab.run("node1", "ip route show proto 212 | wc -l").stdout == "2\n"

    fewer = lab.play("site", podnet_hosts="node1:node3")
    assert fewer.status == 0
    assert "pod_cidrs.lock.yml it does not match node2, so pods there have no routes" in fewer.words
    assert lab.run("node1", "ip route show proto 212 | wc -l").stdout == "1\n"


#: What `roles/pod_network/tasks/probe.yml` does.
TRIAL = "Try the configuration in a scratch namespace"


def plugins(lab: Lab, name: str, more: bytes = b"") -> dict[str, t.Any]:
    """Variables for an archive of this machine's plugins, the bridge with some bytes more at its end."""
    path = lab.directory / name
    checksum = archive(path, more)
    return {
        "cni_plugins_source": "archive",
        "cni_plugins_bin_dir": "/opt/cni/bin",
        "cni_plugins_archive": str(path),
        "cni_plugins_archive_checksum": checksum,
    }


def test_a_configuration_is_tried_when_it_or_the_plugins_are_new(lab: Lab) -> None:
    lab.create(1)
    first = plugins(lab, "first.tgz")
    unknown = [{"type": "tuning", "sysctl": {"net.ipv4.conf.eth0.nosuch": "1"}}]
    refused = lab.play("site", **first, pod_network_chained_plugins=unknown)
    assert refused.status != 0
    assert "does not work with this node's plugins: CNI plugin tuning: ADD of podnet-probe1 failed" in refused.words
    # Nothing but the plugins is made before that.
    left = "ls /opt/cni/bin/bridge; find /etc/cni /var/lib/cni /etc/podnet /etc/sysctl.d -newer /opt ! -type d"
    assert lab.run("node1", f"{left}; ip -o link show type bridge; nft list tables").stdout.split() == [
        "/opt/cni/bin/bridge"
    ]

    made = lab.play("site", **first)
    assert made.status == 0, made.output
    assert TRIAL in made.output
    again = lab.play("site", **first)
    assert again.recap["node1"]["changed"] == 0
    assert TRIAL not in again.output

    upgraded = lab.play("site", **plugins(lab, "second.tgz", more=b"\0"))
    assert upgraded.status == 0, upgraded.output
    assert TRIAL in upgraded.output
    unasked = lab.play("site", **first, pod_network_mtu="1400", pod_network_probe=False)
    assert unasked.status == 0, unasked.output
    assert TRIAL not in unasked.output


def test_foreign_things_stay_and_are_named(lab: Lab) -> None:
    """What others made before us is still there after a run, and what would be in the way is a warning."""
    lab.create(1)
    lab.run(
        "node1",
        "ip link add podnet01 type bridge; ip address add 198.51.100.1/24 dev podnet01; ip link set podnet01 up;"
        "ip route add 198.51.101.0/24 via 192.0.2.254 proto 21;"
        "nft 'add table inet podnet10'; iptables -t nat -A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE;"
        "echo 'net.ipv4.ip_forward = 0' > /etc/sysctl.d/10-foreign.conf; echo '{}' > /etc/cni/net.d.bak",
    )
    foreign = (
        "ip link show podnet01; ip address show podnet01; ip route show proto 21; nft list table inet podnet10;"
        "iptables-save -t nat | grep -v '^#'; cat /etc/sysctl.d/10-foreign.conf /etc/cni/net.d.bak"
    )
    lab.settle()
    before = lab.run("node1", foreign).stdout
    made = lab.play("site")
    assert made.status == 0, made.output
    assert "MASQUERADE" in made.words
    assert lab.run("node1", foreign).stdout == before
    assert lab.play("reset").status == 0
    assert lab.run("node1", foreign).stdout == before


#: Where the kubelet stage has something to change.
CONTAINERD = f"""
rm -f /etc/systemd/system/containerd.service
printf '[Service]\nExecStart={PACKAGES}/usr/bin/containerd\n' > /etc/systemd/system/containerd.service
printf 'version = 2\n[plugins."io.containerd.grpc.v1.cri".cni]\nbin_dir = "/opt/old"\n' > /etc/containerd/config.toml
"""


def test_a_reset_that_is_refused_changes_nothing(lab: Lab) -> None:
    lab.create(1)
    done = lab.run("node1", "mkdir -p /etc/containerd" + "\n" + CONTAINERD)
    assert done.returncode == 0, done.stderr
    made = lab.play("site")
    assert made.status == 0, made.output
    lab.run("node1", "ip link add tap0 type veth peer name tap1; ip link set tap0 master podnet0")
    lab.settle()
    config, before = lab.run("node1", "cat /etc/containerd/config.toml").stdout, lab.snapshot()
    assert "podnet: was" in config
    refused = lab.play("reset")
    assert refused.status == 2, refused.output
    assert "podnet0 still has the ports tap0" in refused.words
    lab.require(before)
    assert lab.run("node1", "cat /etc/containerd/config.toml").stdout == config

    lab.run("node1", "ip link delete tap0")
    removed = lab.play("reset")
    assert removed.status == 0, removed.output
    assert "podnet: was" not in lab.run("node1", "cat /etc/containerd/config.toml").stdout


def test_booleans_of_the_command_line_are_texts_and_mean_what_they_say(lab: Lab) -> None:
    lab.create(1)
    texts = ("pod_network_gateway=false", "pod_network_persist=no", "pod_network_probe=False")
    made = lab.play("site", *(word for text in texts for word in ("-e", text)))
    assert made.status == 0, made.output
    assert "inet 10." not in lab.run("node1", "ip address show podnet0").stdout
    assert "Gateway" not in lab.run("node1", "cat /etc/cni/net.d/10-podnet.conflist").stdout
    assert lab.run("node1", "find /etc/podnet /etc/systemd/system -type f").stdout == ""


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (
            (
                "pod_cidr_cluster_cidrs=10.12.0.0/16",
                "pod_network_masquerade_exclude=198.51.100.0/24,203.0.113.0/24",
                "pod_network_ignore_conflicts=vpn,docker_pool",
            ),
            "192.0.2.11/32, 198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/4",
        ),
        (("pod_network_priority=0",), "/etc/cni/net.d/podnet.conflist"),
    ],
    ids=["lists", "zero"],
)
def test_lists_and_numbers_of_the_command_line_are_texts_and_mean_what_they_say(
    lab: Lab, texts: tuple[str, ...], says: str
) -> None:
    lab.create(1)
    checked = lab.play("site", "--check", "--diff", *(word for text in texts for word in ("-e", text)))
    assert checked.status == 0, checked.output
    assert says in checked.words, checked.output


def test_verify_takes_the_plugins_that_the_runtime_takes(lab: Lab) -> None:
    """Those of Kubernetes' own package are beside the distribution's, and do not work."""
    lab.create(1)
    made = lab.play("site", cni_plugins_bin_dir="")
    assert made.status == 0, made.output
    lab.run(
        "node1",
        "mkdir -p /opt/cni/bin; printf '#!/bin/sh\nexit 1\n' > /opt/cni/bin/bridge; chmod 755 /opt/cni/bin/bridge",
    )
    for directory in ("", "/usr/lib/cni"):
        verified = lab.play("verify", cni_plugins_bin_dir=directory)
        assert verified.status == 0, verified.output
    # What stands in no inventory is text, too.
    verified = lab.play("verify", "-e", "verify_wide=20", "-e", "verify_outside=203.0.113.1,192.0.2.254")
    assert verified.status == 0, verified.output
    for address in ("203.0.113.1", "192.0.2.254"):
        assert address in verified.words
    broken = lab.play("verify", cni_plugins_bin_dir="/opt/cni/bin")
    assert broken.status != 0, broken.output


def test_blocks_are_adopted_from_a_network_of_another_name(lab: Lab) -> None:
    """The inventory already has the name and the directory that the network is to have."""
    lab.create(1)
    lab.inventory["kube_node"]["vars"] |= {"pod_network_name": "mink8s", "pod_network_conf_dir": "/etc/cni/net.d"}
    lab.write_inventory()
    ipam = {"type": "host-local", "ranges": [[{"subnet": "10.12.40.0/24"}]]}
    plugin = {"cniVersion": "1.0.0", "name": "cbr0", "type": "bridge", "bridge": "cbr0", "ipam": ipam}
    lab.run("node1", f"mkdir -p /etc/cni/old.d; echo '{json.dumps(plugin)}' > /etc/cni/old.d/cbr0.conf")
    old = {"pod_cidr_adopt_name": "cbr0", "pod_cidr_adopt_conf_dir": "/etc/cni/old.d"}
    adopted = lab.play("site", "--tags", "pod_cidr", pod_cidr_adopt=True, **old)
    assert adopted.status == 0, adopted.output
    assert "node1: [10.12.40.0/24]" in (lab.directory / "pod_cidrs.lock.yml").read_text()


def test_plugins_that_are_all_there_are_taken_as_they_are(lab: Lab) -> None:
    """However their directory is written, and on a distribution whose package nobody knows."""
    lab.create(1)
    stage = ("--tags", "cni_plugins")
    slashed = lab.play("site", *stage, cni_plugins_bin_dir="/usr/lib//cni/")
    assert slashed.status == 0, slashed.output
    assert slashed.summary == {"node1": "nothing to do"}

    lab.run("node1", "echo ID=other > /run/os; mount --bind /run/os /etc/os-release")
    unknown = lab.play("site", *stage, cni_plugins_bin_dir="/usr/lib/cni")
    assert unknown.status == 0, unknown.output
    assert unknown.summary == {"node1": "nothing to do"}
    for variables in ({"cni_plugins_bin_dir": ""}, {"cni_plugins_names": ["bridge", "nosuch"]}):
        refused = lab.play("site", *stage, **variables)
        assert refused.status != 0
        assert "the package of this distribution is not known" in refused.words, refused.output


def test_a_package_that_puts_its_plugins_elsewhere_is_refused_by_the_plan(lab: Lab) -> None:
    """However many of them are in the wanted directory, which is not the package's."""
    lab.create(1)
    names = "bandwidth bridge firewall host-local loopback portmap tuning"
    made = lab.run("node1", f"mkdir -p /opt/cni/bin; cd /opt/cni/bin; echo '#!/bin/sh' | tee {names}; chmod 755 *")
    assert made.returncode == 0, made.stderr
    elsewhere = {"cni_plugins_source": "package", "cni_plugins_bin_dir": "/opt/cni//bin/"}
    complete = lab.play("site", "--tags", "cni_plugins", **elsewhere)
    assert complete.summary == {"node1": "nothing to do"}, complete.output

    lab.run("node1", "rm /opt/cni/bin/portmap")
    before = lab.snapshot()
    for options in (("--check",), ()):
        refused = lab.play("site", *options, **elsewhere)
        assert refused.status != 0, refused.output
        assert (
            "cni_plugins_bin_dir: /opt/cni/bin lacks portmap, and package containernetworking-plugins puts its plugins "
            "into /usr/lib/cni; leave it empty, or use the source release or archive" in refused.words
        ), refused.output
        lab.require(before)


def test_a_bridge_of_another_name_comes_when_the_first_one_is_gone(lab: Lab) -> None:
    """With both, the node's pods would be reached through the one without pods."""
    lab.create(1)
    fresh = lab.snapshot()
    assert lab.play("site").status == 0
    lab.settle()
    made = lab.snapshot()
    new = {"pod_network_bridge": "podnet1", "pod_network_name": "other"}
    for options in ((), ("--check",)):
        refused = lab.play("site", *options, **new)
        assert refused.status != 0, refused.output
        assert "podnet0: address 10.12.0.1/24 of the bridge before podnet1 is in this node's pod CIDR" in refused.words
        assert "run playbook reset with pod_network_bridge: podnet0 first, then site" in refused.words
        lab.require(made)

    removed = lab.play("reset", pod_network_bridge="podnet0", pod_network_name="podnet")
    assert removed.status == 0, removed.output
    lab.require(fresh)
    renamed = lab.play("site", **new)
    assert renamed.status == 0, renamed.output
    assert lab.run("node1", "ip route show 10.12.0.0/24").stdout.startswith("10.12.0.0/24 dev podnet1 ")
    assert lab.run("node1", "ip link show podnet0; ls /etc/cni/net.d").stdout == "10-other.conflist\n"
    assert lab.play("verify", **new).status == 0


def test_a_bridge_that_stayed_under_its_first_name_is_found(lab: Lab) -> None:
    """As an earlier version left it, whose run with another name was not refused."""
    lab.create(1)
    consent = {"pod_network_ignore_conflicts": ["address:podnet0"]}
    assert lab.play("site").status == 0
    both = lab.play("site", **consent, pod_network_bridge="podnet1")
    assert both.status == 0, both.output
    checked = lab.play("site", "--check", pod_network_bridge="podnet1")
    assert checked.status != 0, checked.output
    assert "podnet0: address 10.12.0.1/24 of the bridge before podnet1" in checked.words

    removed = lab.play("reset", pod_network_bridge="podnet0")
    assert removed.status == 0, removed.output
    assert lab.run("node1", "ip link show podnet0").returncode != 0
    again = lab.play("site", pod_network_bridge="podnet1")
    assert again.status == 0, again.output
    checked = lab.play("site", "--check", pod_network_bridge="podnet1")
    assert checked.summary == {"node1": "nothing to do"}, checked.output
