# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""report.yml and drift.yml: what is planted is seen, and nothing is changed."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from conftest import ROOT, Lab

RULE = "-A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE"
CONTAINER = "6f2d0c0ba4cb"


def read(lab: Lab, name: str) -> dict[str, t.Any]:
    found: dict[str, t.Any] = json.loads((lab.directory / name).read_text())
    return found


def leak(lab: Lab, node: str) -> None:
    """Leave behind what a pod leaves whose namespace was deleted without a DEL: its lease and libcni's cache entry."""
    conf = lab.run(node, "cat /etc/cni/net.d/10-podnet.conflist").stdout
    cached = {
        "kind": "cniCacheV1",
        "containerId": CONTAINER,
        "config": base64.b64encode(conf.encode()).decode(),
        "ifName": "eth0",
        "networkName": "podnet",
        "netns": "/run/netns/gone",
        "result": {
            "cniVersion": "1.0.0",
            "interfaces": [{"name": "vethgone"}, {"name": "eth0", "sandbox": "/run/netns/gone"}],
            "ips": [{"address": "10.12.0.9/24", "interface": 1}],
        },
    }
    lab.run(
        node,
        "mkdir -p /var/lib/cni/results /var/lib/cni/networks/podnet; cd /var/lib/cni;"
        f"printf '{CONTAINER}\\r\\neth0' > networks/podnet/10.12.0.9; touch -d '2 hours ago' networks/podnet/10.12.0.9;"
        f"cat > results/podnet-{CONTAINER}-eth0 <<'EOF'\n{json.dumps(cached)}\nEOF",
    )


def test_drift_says_who_differs_by_its_status_and_changes_nothing(lab: Lab) -> None:
    lab.create(2)
    fresh = lab.snapshot()
    drifted = lab.play("drift")
    assert drifted.status == 2, drifted.output
    assert "the controller DRIFTED: create lock file" in drifted.words
    assert "not as declared: the controller, node1, node2" in drifted.words
    lab.require(fresh)
    assert list(lab.files()) == ["hosts.json"]

    made = lab.play("site")
    assert made.status == 0, made.output
    made, files = lab.snapshot(), lab.files()
    report = str(lab.directory / "drift.json")
    same = lab.play("drift", drift_path=report)
    assert same.status == 0, same.output
    assert "node1 as declared" in same.words
    assert {node: counts["changed"] for node, counts in same.recap.items()} == {"localhost": 0, "node1": 0, "node2": 0}
    assert read(lab, "drift.json")["drifted"] is False
    lab.require(made)

    lab.run("node2", "ip route del 10.12.0.0/24")
    planted = lab.snapshot()
    differs = lab.play("drift", "--check", drift_path=report)
    assert differs.status == 2, differs.output
    found = read(lab, "drift.json")
    assert found["status"] == {"node1": "same", "node2": "drifted"}
    assert [entry["role"] for entry in found["actions"]["node2"]] == ["pod_network"]
    assert "create route 10.12.0.0/24" in found["actions"]["node2"][0]["action"]
    lab.require(planted)
    assert {**lab.files(), "drift.json": ""} == {**files, "drift.json": ""}

    checked = lab.play("report", "--check", report_path=str(lab.directory / "page.html"), report_probe=False)
    assert checked.status == 0, checked.output
    assert "the page (not written in check mode): " in checked.words
    assert not (lab.directory / "page.html").exists()

    # Without probe pods, whose first one gives the bridge a carrier, a report changes nothing either.
    written = lab.play("report", report_path=str(lab.directory / "page.html"), report_probe=False)
    assert written.status == 0, written.output
    assert read(lab, "page.json")["summary"]["drifted"] == ["node2"]
    lab.require(planted)


def test_a_relative_path_is_where_ansible_was_started(lab: Lab) -> None:
    """And not beside the playbook, which is the collection's own."""
    lab.create(1)
    assert lab.play("site").status == 0
    lab.start, lab.playbooks = lab.directory / "started", "mink8s.podnet.{}"
    lab.start.mkdir()
    for playbook, path in (("drift", "drift.json"), ("report", "page.html")):
        written = lab.play(playbook, **{f"{playbook}_path": path, "report_probe": False})
        assert written.status == 0, written.output
        assert [name.name for name in ROOT.glob(f"playbooks/{path}")] == []
    assert sorted(path.name for path in lab.start.iterdir()) == ["drift.json", "page.html", "page.json"]
    for path in ("~/home.json", "$HOME/variable.json"):
        lab.environment["HOME"] = str(lab.directory)
        assert lab.play("drift", drift_path=path).status == 0
        assert (lab.directory / path.partition("/")[2]).exists()


@pytest.mark.parametrize("playbook", ["drift", "verify"])
def test_nobody_is_not_as_it_should_be(lab: Lab, playbook: str) -> None:
    lab.create(1)
    for args in ((), ("--limit", "node1")):
        misspelled = lab.play(playbook, *args, podnet_hosts="kube_nodes")
        assert misspelled.status == 2, misspelled.output
        assert "podnet_hosts: kube_nodes matches no host of the inventory; correct one of them" in misspelled.words


def test_plans_of_an_earlier_playbook_are_forgotten(lab: Lab) -> None:
    lab.create(1)
    books = [lab.playbooks.format(name) for name in ("site", "drift")]
    done = lab.command("ansible-playbook", *lab.inventories, "-e", json.dumps(lab.extra), *books)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "node1  as declared" in done.stdout


def test_the_report_tells_what_was_planted(lab: Lab) -> None:
    lab.create(3)
    made = lab.play("site")
    assert made.status == 0, made.output
    page = str(lab.directory / "page.html")

    leak(lab, "node1")
    lab.run("node1", f"iptables -t nat {RULE}")
    # Nothing of ours differs on node1, and yet another link has an address of its pods.
    lab.run("node1", "ip link add wg0 type bridge; ip address add 10.12.0.77/32 dev wg0; ip link set wg0 up")
    lab.run("node2", "ip route del 10.12.0.0/24")
    lab.inventory["kube_node"]["hosts"]["node3"]["ansible_netns_pid"] = 2**22 + 1
    lab.write_inventory()
    written = lab.play("report", report_path=page)
    assert written.status == 0, written.output
    assert page in written.words
    assert {node: counts["changed"] for node, counts in written.recap.items()} == dict.fromkeys(written.recap, 0)

    report = read(lab, "page.json")
    assert report["summary"]["unreachable"] == ["node3"]
    assert report["summary"]["drifted"] == ["node2"]
    assert report["nodes"]["node3"]["pod_cidrs"] == ["10.12.2.0/24"]
    assert "create route 10.12.0.0/24" in report["nodes"]["node2"]["drift"][0]["action"]
    (rule,) = (found for found in report["nodes"]["node1"]["conflicts"] if found["kind"] == "foreign_rule")
    assert RULE in rule["what"]
    assert any("wg0" in found["what"] and found["kind"] == "address" for found in report["nodes"]["node1"]["conflicts"])
    assert report["nodes"]["node1"]["bridge"]["addresses"] == ["10.12.0.1/24"]
    assert [route["node"] for route in report["nodes"]["node1"]["routes"]] == ["node2", "node3"]
    leaks = {found["name"]: found["container_id"] for found in report["nodes"]["node1"]["leaks"]}
    assert leaks["lease /var/lib/cni/networks/podnet/10.12.0.9"] == CONTAINER
    # The rule masquerades between the nodes, and without its route node2 does not answer.
    failed = {(way["from"], way["to"]) for way in report["reachability"]["failures"]}
    assert ("node1/probe1", "node2/probe1") in failed
    assert ("node1", "node2") not in failed
    assert report["summary"]["ways_failed"] == len(report["reachability"]["failures"])
    causes = {way["cause"] for way in report["reachability"]["failures"] if way["cause"]}
    html = (lab.directory / "page.html").read_text()
    assert causes
    assert "likely cause: " in html
    assert RULE.split(" -s ", maxsplit=1)[0] in html
    assert "http://" not in html


def test_pod_cidrs_that_cannot_be_stop_neither_drift_nor_the_report(lab: Lab) -> None:
    """Nobody can be compared then, and one node does not even answer."""
    lab.create(3)
    wrong = {"pod_cidr_cluster_cidrs": ["10.12.0.0/33"]}
    lab.inventory["kube_node"]["hosts"]["node2"]["ansible_netns_pid"] = 2**22 + 1
    lab.write_inventory()
    drifted = lab.play("drift", drift_path=str(lab.directory / "drift.json"), **wrong)
    assert drifted.status == 2, drifted.output
    assert "not as declared: the controller, node1, node2, node3" in drifted.words
    for node in ("node1", "node3"):
        assert f"{node} NOT KNOWN: not compared, as the pod CIDRs are not known" in drifted.words
    found = read(lab, "drift.json")["status"]
    assert found == {"the controller": "failed", "node1": "failed", "node2": "unreachable", "node3": "failed"}

    written = lab.play("report", report_path=str(lab.directory / "page.html"), **wrong)
    assert written.status == 0, written.output
    report = read(lab, "page.json")
    assert "10.12.0.0/33" in report["controller"]["problem"]
    assert report["summary"]["unreachable"] == ["node2"]
    assert report["summary"]["failed"] == ["node1", "node3"]
    assert report["summary"]["left_out"] == 0
    assert report["summary"]["well"] is False


def test_the_report_is_written_where_nobody_answers(lab: Lab) -> None:
    """Nor can the pod CIDRs be."""
    lab.create(1)
    lab.inventory["kube_node"]["hosts"]["node1"]["ansible_netns_pid"] = 2**22 + 1
    lab.write_inventory()
    page = str(lab.directory / "page.html")
    written = lab.play("report", report_path=page, pod_cidr_cluster_cidrs=["10.12.0.0/33"])
    assert written.status == 0, written.output
    report = read(lab, "page.json")
    assert "10.12.0.0/33" in report["controller"]["problem"]
    assert report["summary"]["unreachable"] == ["node1"]
    assert report["summary"]["well"] is False


def test_a_node_that_runs_no_module_is_told_and_hinders_nobody(lab: Lab) -> None:
    """It is the first one, which does for all what is done once."""
    lab.create(2)
    made = lab.play("site")
    assert made.status == 0, made.output
    lab.inventory["kube_node"]["hosts"]["node1"]["ansible_python_interpreter"] = "/nowhere/python3"
    lab.write_inventory()
    drifted = lab.play("drift")
    assert drifted.status == 2, drifted.output
    assert "node1 NOT KNOWN: nothing can be asked: " in drifted.words
    assert "node2 as declared" in drifted.words
    assert "not as declared: node1" in drifted.words

    written = lab.play("report", report_path=str(lab.directory / "page.html"))
    assert written.status == 0, written.output
    report = read(lab, "page.json")
    assert (report["summary"]["failed"], report["summary"]["left_out"]) == (["node1"], 0)
    (problem,) = report["nodes"]["node1"]["problems"]
    assert "/nowhere/python3" in problem
    assert report["summary"]["well"] is False
    assert report["nodes"]["node2"]["status"] == "asked"
    assert report["nodes"]["node2"]["bridge"]["addresses"] == ["10.12.1.1/24"]
    assert {pair["from"] for pair in report["reachability"]["pairs"]} == {"node2"}
