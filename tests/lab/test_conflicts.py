# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in the way on one node stops the run on all of them, before the first change, until somebody consents."""

from __future__ import annotations

from conftest import Lab

CONFLICTS = (
    "docker0: address 10.12.1.77/24 is in this node's pod CIDR 10.12.1.0/24, so a pod may have it, too;",
    "/run/systemd/resolve/resolv.conf: name server 10.12.1.53 is in this node's pod CIDR 10.12.1.0/24",
)


def test_conflicts_stop_the_run_before_the_first_change(lab: Lab) -> None:
    lab.create(2)
    lab.variables["node2"]["pod_cidr_subnets"] = "10.12.1.0/24"
    lab.write_inventory()
    lab.run(
        "node2",
        "ip link add docker0 type bridge; ip address add 10.12.1.77/24 dev docker0;"
        "ip link add lan0 type bridge; ip address add 10.0.0.1/8 dev lan0;"
        "mkdir -p /run/systemd/resolve; echo nameserver 10.12.1.53 > /run/systemd/resolve/resolv.conf",
    )
    lab.settle()
    before = lab.snapshot()
    for options in ((), ("--check",)):
        stopped = lab.play("site", *options)
        assert stopped.status != 0, stopped.output
        assert [sentence for sentence in CONFLICTS if sentence not in stopped.words] == [], stopped.output
        assert "[WARNING]: lan0: its network 10.0.0.0/8 has this node's pod CIDR 10.12.1.0/24 in it" in stopped.words
        lab.require(before)

    wrong = lab.play("site", pod_network_ignore_conflicts=["docker"])
    assert "ignore[0]: docker is no kind of conflict" in wrong.words, wrong.output
    lab.require(before)

    consents = ["docker_network:docker0", "name_server", "address:lan0"]
    made = lab.play("site", pod_network_ignore_conflicts=consents)
    assert made.status == 0, made.output
    assert "lan0: its network" not in made.words


def test_the_variables_of_all_roles_are_checked_at_once(lab: Lab) -> None:
    lab.create(1)
    before = lab.snapshot()
    wrong = lab.play("site", cni_plugins_source="floppy", pod_network_format="xml")
    assert wrong.status != 0
    for name in ("cni_plugins_source", "pod_network_format"):
        assert f"value of {name} must be one of" in wrong.words, wrong.output
    lab.require(before)
