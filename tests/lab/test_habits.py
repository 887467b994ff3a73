# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people are used to: tags, --limit, serial, max_fail_percentage, two inventories side by side."""

from __future__ import annotations

import difflib
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, Lab, Played
from test_guides import with_a_release

STAGES = ("pod_cidr", "docker", "cni_plugins", "pod_network", "kubelet")


def ok(played: Played) -> Played:
    assert played.status == 0, played.output
    return played


def routes(lab: Lab, node: str) -> set[str]:
    """Return the pod CIDRs that a node has a route to."""
    return set(re.findall(r"^\S+", lab.run(node, "ip route show proto 212").stdout, re.MULTILINE))


def differences(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_a_tag_takes_one_stage(lab: Lab) -> None:
    lab.create(1)
    listed = ok(lab.play("site", "--list-tags")).output
    assert {"plan", *STAGES} <= set(re.findall(r"\w+", listed.rpartition("TASK TAGS:")[2] + listed))
    fresh = lab.snapshot()

    ok(lab.play("site", "--tags", "pod_cidr"))
    assert (lab.directory / "pod_cidrs.lock.yml").exists()
    planned = ok(lab.play("site", "--tags", "plan"))
    assert planned.summary["node1"].startswith("would be done: ")
    lab.require(fresh)
    # Beside it other tags are what was asked for: of a network that was not made nothing is told as done.
    assert ok(lab.play("site", "--tags", "plan,pod_cidr")).summary == planned.summary
    assert ok(lab.play("site", "--tags", "plan,kubelet")).summary == {"node1": "nothing to do"}
    assert ok(lab.play("site", "--tags", "plan,pod_cidr", "--check")).summary == planned.summary
    lab.require(fresh)

    # Without its plugins, which another tag would bring, a network is refused before it is half made.
    refused = lab.play("site", "--tags", "pod_network", cni_plugins_bin_dir="/opt/cni/bin")
    assert refused.status != 0
    assert "/opt/cni/bin" in refused.words
    lab.require(fresh)

    ok(lab.play("site", "--tags", "kubelet,docker"))
    lab.require(fresh)
    made = ok(lab.play("site", "--tags", "pod_network"))
    assert "network" in made.summary["node1"]
    after = lab.snapshot()
    assert after != fresh
    assert set(ok(lab.play("site", "--skip-tags", "kubelet,cni_plugins")).summary.values()) == {"nothing to do"}
    lab.require(after)


def test_the_tag_of_the_plugins_downloads_and_installs_a_release(lab: Lab) -> None:
    lab.create(1)
    fresh = lab.snapshot()
    made = ok(lab.play("site", "--tags", "cni_plugins", **with_a_release(lab, {"cni_plugins_source": "release"})))
    assert "CNI plugins" in made.summary["node1"]
    assert lab.run("node1", "/opt/cni/bin/bridge </dev/null && rm -r /opt/cni").returncode == 0
    lab.require(fresh)


def test_the_last_lines_say_all_that_is_done_and_nothing_else(lab: Lab) -> None:
    lab.create(1)
    release = with_a_release(lab, {"cni_plugins_source": "release"})
    checked = ok(lab.play("site", "--tags", "cni_plugins", "--check", **release))
    assert checked.summary["node1"].endswith("(CNI plugins 9)")
    planned = ok(lab.play("site", "--tags", "plan", docker_state="present", **release))
    assert "(Docker 3, CNI plugins 9, network " in planned.summary["node1"]
    assert (
        ok(lab.play("site", "--tags", "plan", "--check", docker_state="present", **release)).summary == planned.summary
    )
    # Another tag plans the plugins, too, and does not bring them.
    assert ok(lab.play("site", "--tags", "kubelet", **release)).summary == {"node1": "nothing to do"}

    # A pod that has another MTU afterwards must be made anew.
    ok(lab.play("site"))
    runtime = ROOT / "tests/integration/targets/setup_podnet/runtime.py"
    added = lab.run("node1", f"python3 {runtime} /etc/cni/net.d/10-podnet.conflist add web")
    assert added.returncode == 0, added.stderr
    for option in (("--tags", "plan"), ("--check",)):
        foretold = ok(lab.play("site", *option, pod_network_mtu="1400", kubelet_recycle_pods=True))
        assert foretold.summary["node1"].startswith("would be done: "), foretold.output
        assert re.search(r"runtime 1|recycle pod default/pod-web", foretold.summary["node1"]), foretold.output


def import_site(lab: Lab, *tags: str) -> None:
    """Have a playbook of one's own, that imports site with some tags, and has another play with a tag of its own."""
    site = {"import_playbook": "mink8s.podnet.site", "tags": list(tags)}
    other = {"hosts": "localhost", "gather_facts": False, "tags": ["web"], "tasks": [{"ansible.builtin.meta": "noop"}]}
    (lab.directory / "own.yml").write_text(json.dumps([site, other]))
    lab.playbooks = str(lab.directory / "{}.yml")


@pytest.mark.parametrize("tag", ["podnet", "kubelet", "plan"])
def test_an_import_with_a_tag_is_a_whole_run_under_that_tag(lab: Lab, tag: str) -> None:
    """Whether it is the name of a stage, too, or not: all tasks have it."""
    lab.create(1)
    fresh = lab.snapshot()
    release = with_a_release(lab, {"cni_plugins_source": "release"})
    whole = ok(lab.play("site", "--check", **release))
    import_site(lab, tag)
    checked = ok(lab.play("own", "--check", "--tags", tag, **release))
    assert checked.summary == whole.summary
    lab.require(fresh)

    made = ok(lab.play("own", "--tags", tag, **release))
    assert re.match(r"done: \d+ changes \(CNI plugins 9, network \d+\)", made.summary["node1"]), made.output
    for options in ((), ("--check",), ("--skip-tags", "kubelet,cni_plugins") if tag != "kubelet" else ()):
        again = ok(lab.play("own", "--tags", tag, *options, **release))
        assert again.summary == {"node1": "nothing to do"}
        assert again.recap["node1"]["changed"] == 0


def test_an_import_with_a_tag_keeps_the_stages_tags(lab: Lab) -> None:
    lab.create(1)
    fresh = lab.snapshot()
    release = with_a_release(lab, {"cni_plugins_source": "release"})
    planned = ok(lab.play("site", "--tags", "plan", **release))
    import_site(lab, "podnet")
    assert ok(lab.play("own", "--tags", "plan", **release)).summary == planned.summary
    assert ok(lab.play("own", "--tags", "plan,web", **release)).summary == planned.summary
    assert ok(lab.play("own", "--tags", "kubelet", **release)).summary == {"node1": "nothing to do"}
    lab.require(fresh)
    made = ok(lab.play("own", "--tags", "cni_plugins", **release))
    assert re.match(r"done: 9 changes \(CNI plugins 9\)", made.summary["node1"]), made.output


@pytest.mark.parametrize("tags", [(), ("podnet",)], ids=["untagged", "tagged"])
def test_a_run_for_tags_of_others_asks_no_node_and_downloads_nothing(lab: Lab, tags: tuple[str, ...]) -> None:
    """The node could not even answer."""
    lab.create(1)
    release = with_a_release(lab, {"cni_plugins_source": "release"})
    lab.inventory["kube_node"]["hosts"]["node1"]["ansible_netns_pid"] = 2**22 + 1
    lab.write_inventory()
    import_site(lab, *tags)
    ok(lab.play("own", "--tags", "web", **release))
    assert not (lab.directory / "cache").exists()


def test_who_becomes_another_user_on_all_hosts_does_not_on_the_controller(lab: Lab) -> None:
    """Who runs it there may have no sudo, and must not find root's files in the cache; here root would be nobody."""
    lab.create(1)
    become = {"ansible_become": True, "ansible_become_exe": "/nowhere/sudo", "ansible_become_user": "nobody"}
    lab.inventory["all"] = {"vars": become}
    lab.write_inventory()
    ok(lab.play("site", **with_a_release(lab, {"cni_plugins_source": "release"})))
    ok(lab.play("drift", drift_path=str(lab.directory / "drift.json"), cni_plugins_bin_dir="/opt/cni/bin"))
    assert (lab.directory / "drift.json").exists()


def test_lists_may_be_text_with_commas(lab: Lab) -> None:
    """As in options of modules; ``-e name=value`` can give nothing else."""
    lab.create(1)
    lists = {
        "cni_plugins_names": ["bridge", "host-local", "portmap"],
        "pod_network_pod_cidrs": ["10.12.0.0/24", "fd00:12::/64"],
        "pod_network_masquerade_exclude": ["192.0.2.0/28", "192.0.2.64/28"],
        "pod_network_ignore_conflicts": ["vpn", "foreign_rule"],
    }
    ok(lab.play("site", **lists))
    texts = {name: ", ".join(items) for name, items in lists.items()}
    assert ok(lab.play("site", **texts)).summary == {"node1": "nothing to do"}


def test_limit_adds_a_node_and_touches_nothing_of_the_others_but_their_routes(lab: Lab) -> None:
    """node4 is new, too, and not of the run; node5 cannot be reached any more."""
    lab.create(5)
    hosts = lab.inventory["kube_node"]["hosts"]
    new = {name: hosts.pop(name) for name in ("node3", "node4")}
    lab.write_inventory()
    ok(lab.play("site"))
    hosts |= new
    lab.write_inventory()
    os.kill(lab.variables.pop("node5")["ansible_netns_pid"], signal.SIGKILL)
    before = lab.snapshot()

    checked = ok(lab.play("site", "--limit", "node3", "--check", "--diff"))
    assert checked.summary["node1"].startswith("is not of this run; would be done: create route 10.12.3.0/24 ")
    lab.require(before)

    added = ok(lab.play("site", "--limit", "node3"))
    now = lab.snapshot()
    for node in ("node1", "node2"):
        assert added.summary[node].startswith("is not of this run; done: create route 10.12.3.0/24 "), added.output
        changed = differences(before[node], now[node])
        assert changed
        assert [line for line in changed if not re.search(r"10\.12\.[34]\.0/24 via", line)] == []
    assert routes(lab, "node1") == {"10.12.1.0/24", "10.12.2.0/24", "10.12.3.0/24", "10.12.4.0/24"}
    assert routes(lab, "node3") == {"10.12.0.0/24", "10.12.1.0/24", "10.12.2.0/24", "10.12.4.0/24"}
    assert added.summary["node4"] == "is not of this run; nothing to do"
    assert "did not get its routes" in added.summary["node5"]
    lab.require({"node4": before["node4"], "outside": before["outside"]})

    # Nothing is new on node3 any more, and yet a route that node1 lacks comes back: a run may have failed before it.
    now = lab.snapshot()
    lab.run("node1", "ip route del 10.12.3.0/24; rm /etc/podnet/routes/*")
    again = ok(lab.play("site", "--limit", "node3"))
    assert again.summary["node3"] == "nothing to do"
    assert again.summary["node1"].startswith("is not of this run; done: create route 10.12.3.0/24 ")
    assert again.summary["node2"] == "is not of this run; nothing to do"
    lab.require(now)


def test_limit_renumbers_nobody_who_is_not_of_the_run(lab: Lab) -> None:
    """As in a cluster whose nodes are drained one after the other."""
    lab.create(3)
    ok(lab.play("site"))
    hosts = lab.inventory["kube_node"]["hosts"]
    for number in (2, 3):
        hosts[f"node{number}"]["pod_cidr_subnets"] = f"10.12.{number}0.0/24"
    lab.write_inventory()
    before = lab.snapshot()
    refused = lab.play("site", "--limit", "node2", pod_network_renumber=True)
    assert refused.status != 0
    assert 'nodes.node3.pod_cidrs: ["10.12.30.0/24"] would replace 10.12.2.0/24 of node3' in refused.words
    lab.require(before)

    del hosts["node3"]["pod_cidr_subnets"]
    lab.write_inventory()
    ok(lab.play("site", "--limit", "node2", pod_network_renumber=True))
    for node in ("node1", "node3"):
        assert "10.12.20.0/24" in routes(lab, node)
    lab.require({"outside": before["outside"]})


@pytest.mark.parametrize(("most", "third"), [(25, "untouched"), (60, "made")])
def test_serial_and_max_fail_percentage(lab: Lab, most: int, third: str) -> None:
    """One of the first two nodes has no room for our files, which shows only when they are written."""
    lab.create(3)
    lab.run("node1", "mkdir -p /etc/podnet; mount -t tmpfs -o size=4k,nr_inodes=2 tmpfs /etc/podnet")
    before = lab.snapshot()
    played = lab.play("site", podnet_serial=2, podnet_max_fail_percentage=most)
    assert played.status != 0
    assert "No space left" in played.words
    assert "Traceback" not in played.output
    if third == "untouched":
        lab.require({"node3": before["node3"]})
    else:
        assert played.summary["node1"].startswith("FAILED")
        assert played.summary["node2"].startswith("done: ")
        assert played.summary["node3"].startswith("done: ")
        assert len(routes(lab, "node3")) == 2


def test_serial_and_max_fail_percentage_of_a_reset(lab: Lab) -> None:
    """One of the first two nodes has a pod, which must not lose its network."""
    lab.create(3)
    fresh = lab.snapshot()
    ok(lab.play("site"))
    runtime = ROOT / "tests/integration/targets/setup_podnet/runtime.py"
    added = lab.run("node1", f"python3 {runtime} /etc/cni/net.d/10-podnet.conflist add web")
    assert added.returncode == 0, added.stderr
    lab.settle()
    made = lab.snapshot()
    for most, third in ((25, made["node3"]), (60, fresh["node3"])):
        played = lab.play("reset", podnet_serial=2, podnet_max_fail_percentage=most)
        assert played.status != 0
        assert "would orphan" in played.words
        lab.require({"node1": made["node1"], "node3": third})


def test_a_second_inventory_beside_the_first(lab: Lab) -> None:
    """Both at the same time, each with its own lock file."""
    lab.create(2)
    processes = []
    for name, node in (("blue", "node1"), ("green", "node2")):
        place = lab.directory / name
        place.mkdir()
        inventory = json.loads(json.dumps(lab.inventory))
        inventory["kube_node"]["hosts"] = {node: inventory["kube_node"]["hosts"][node]}
        (place / "hosts.json").write_text(json.dumps(inventory))
        words = ["ansible-playbook", "-i", str(place), "playbooks/site.yml"]
        processes.append(subprocess.Popen(words, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
    ends = [(process.communicate()[0], process.returncode) for process in processes]
    assert [status for _output, status in ends] == [0, 0], ends
    blue, green = (Path(lab.directory, name, "pod_cidrs.lock.yml").read_text() for name in ("blue", "green"))
    assert "node1" in blue
    assert "node2" not in blue
    assert "node2" in green
    assert "node1" not in green
    # Each cluster is one for itself: both have the first block, and no route to the other.
    assert routes(lab, "node1") == routes(lab, "node2") == set()
