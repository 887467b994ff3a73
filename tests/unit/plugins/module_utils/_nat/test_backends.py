# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two backends: what they render, and how they read what is there."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _iptables, _programs
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import iptables, nftables, ruleset

RULES = ruleset.build(["10.12.1.0/24", "fd00:12:0:1::/64"], ["10.12.0.0/16"], "br1", True)
TOOL = _iptables.Tool(4, "nft", "iptables-nft", "/usr/sbin/iptables-nft-save", "/usr/sbin/iptables-nft-restore")
JUMP = iptables.JUMPS[iptables.POSTROUTING]
CHAIN = f":PODNET-POSTROUTING - [0:0]\n{JUMP}\n-A PODNET-POSTROUTING -s 10.12.1.0/24 -j MASQUERADE\n"


class Programs:
    """A node with some programs, each with its answer."""

    def __init__(self, **answers: tuple[int, str, str]) -> None:
        self.answers = {name.replace("_", "-"): answer for name, answer in answers.items()}
        self.calls: list[tuple[list[str], str | None]] = []
        self.host = _programs.Host(run=self.run, which=lambda name: name if name in self.answers else None)

    def run(self, args: list[str], data: str | None = None) -> tuple[int, str, str]:
        self.calls.append((args, data))
        return self.answers[args[0]]


def test_the_table() -> None:
    lines = nftables.script(RULES).splitlines()
    assert lines[:3] == ["table inet podnet {}", "delete table inet podnet", "table inet podnet {"]
    assert (
        "\t\tip saddr @pods_ipv4 ip daddr != @not_masqueraded_ipv4 fib daddr type != local"
        ' oifname != "br1" counter masquerade fully-random'
    ) in lines
    assert "oifname" not in nftables.script(ruleset.build(["10.12.1.0/24"], [], None, True))
    assert "fully-random" not in nftables.script(ruleset.build(["10.12.1.0/24"], [], "br1", False))


def test_the_chain_returns_and_does_not_accept() -> None:
    rules = iptables.rules(iptables.POSTROUTING, RULES.families[0], RULES)
    assert not any("ACCEPT" in rule for rule in rules)
    assert [rule for rule in rules if not rule.endswith("-j RETURN")] == [
        "-s 10.12.1.0/24 -j MASQUERADE --random-fully"
    ]


@pytest.mark.parametrize(
    ("listing", "there"),
    [
        ([{"table": {"family": "inet", "name": "podnet10"}}, {"table": {"family": "ip", "name": "podnet"}}], False),
        ([{"table": {"family": "inet", "name": "podnet"}}], True),
        ([], False),
    ],
)
def test_our_table_is_named_exactly(listing: list[dict[str, dict[str, str]]], there: bool) -> None:
    assert nftables.has_table(listing) is there


@pytest.mark.parametrize(("text", "version"), [("1.0.6", (1, 0, 6)), ("1.1.1", (1, 1, 1)), ("0.9.8", (0, 9, 8))])
def test_version(text: str, version: tuple[int, ...]) -> None:
    assert nftables.version([{"metainfo": {"version": text}}]) == version


def test_our_chains_are_named_exactly() -> None:
    text = (
        f"*nat\n:POSTROUTING ACCEPT [0:0]\n{CHAIN.splitlines()[0]}\n:PODNET-POSTROUTING10 - [0:0]\n"
        "-A POSTROUTING -j PODNET-POSTROUTING10\n"
        '-A POSTROUTING -m comment --comment "no -j PODNET-POSTROUTING" -j PODNET-POSTROUTING10\n'
        f"{JUMP}\n-A PODNET-POSTROUTING10 -j RETURN\n{CHAIN.splitlines()[2]}\nCOMMIT\n"
        # A chain of our name in another table is somebody else's.
        "*filter\n:PODNET-POSTROUTING - [0:0]\nCOMMIT\n*mangle\n:PODNET-FORWARD - [0:0]\nCOMMIT\n"
    )
    assert iptables.own_chains(_iptables.parse(text)) == {iptables.POSTROUTING: CHAIN}


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (None, CHAIN, [CHAIN.splitlines()[2], JUMP]),
        (CHAIN.replace("MASQUERADE", "RETURN"), CHAIN, [CHAIN.splitlines()[2]]),
        # Two jumps become one.
        (
            CHAIN.replace(JUMP, f"{JUMP}\n-A POSTROUTING -g PODNET-POSTROUTING"),
            CHAIN,
            [CHAIN.splitlines()[2], "-D" + JUMP[2:], "-D POSTROUTING -g PODNET-POSTROUTING", JUMP],
        ),
        (CHAIN, None, ["-D" + JUMP[2:], "-X PODNET-POSTROUTING"]),
    ],
)
def test_a_chain_changes_in_one_transaction(before: str | None, after: str | None, lines: list[str]) -> None:
    node = Programs(**{"/usr/sbin/iptables-nft-restore": (0, "", "")})
    iptables.Iptables(node.host).change(TOOL, iptables.POSTROUTING, before, after)
    assert node.calls == [
        (
            ["/usr/sbin/iptables-nft-restore", "--noflush", "-w", "5"],
            "\n".join(["*nat", ":PODNET-POSTROUTING - [0:0]", *lines, "COMMIT\n"]),
        )
    ]


@pytest.mark.parametrize(
    ("version", "flavour"), [("iptables v1.8.9 (nf_tables)", "nft"), ("iptables v1.8.9 (legacy)", "legacy")]
)
def test_a_node_with_plain_names_only(version: str, flavour: str) -> None:
    node = Programs(iptables=(0, version, ""), iptables_save=(0, "", ""), iptables_restore=(0, "", ""))
    backend = iptables.Iptables(node.host)
    assert [(tool.name, tool.flavour) for tool in backend.tools] == [("iptables", flavour)]
    with pytest.raises(PodnetError, match="ip6tables-restore is not on this node; install iptables"):
        backend.default_tools(RULES)


def test_without_programs() -> None:
    node = Programs()
    assert nftables.Nftables(node.host).ruleset() == []
    assert iptables.Iptables(node.host).saved() == {}
    with pytest.raises(PodnetError, match="nft is not on this node; install nftables"):
        nftables.Nftables(node.host).canonical("")
    with pytest.raises(PodnetError, match="iptables is not on this node; install iptables"):
        iptables.Iptables(node.host).default_tools(RULES)


def test_without_root() -> None:
    denied = (1, "", "Operation not permitted (you must be root)\nnetlink: Error: cache initialization failed")
    with pytest.raises(PodnetError, match=r"nft -j list ruleset failed \(Operation not permitted .*become: true"):
        nftables.Nftables(Programs(nft=denied).host).ruleset()
    node = Programs(
        iptables_nft_save=(4, "", "iptables-save: Could not fetch rule set generation id: Permission denied")
    )
    node.answers["iptables-nft-restore"] = (0, "", "")
    with pytest.raises(PodnetError, match="become: true"):
        iptables.Iptables(node.host).saved()


def test_an_nft_without_json() -> None:
    backend = nftables.Nftables(Programs(nft=(1, "", "Error: JSON support not compiled-in")).host)
    assert backend.ruleset() == []
    assert not backend.speaks_json


def test_too_many_rules_for_one_message() -> None:
    sentence = str(_programs.refusal(["iptables-nft-restore"], "sendmsg() failed: Message too long\n"))
    assert sentence == (
        "iptables-nft-restore failed (sendmsg() failed: Message too long);"
        " raise the sysctl net.core.wmem_max, exclude fewer CIDRs, or set backend to nftables"
    )


def test_a_kernel_without_a_flavour_has_no_rules_of_it() -> None:
    node = Programs(iptables_nft_save=(1, "", "Could not fetch rule set generation id: Invalid argument"))
    node.answers["iptables-nft-restore"] = (0, "", "")
    assert list(iptables.Iptables(node.host).saved().values()) == [{}]


SCRATCH = """
import os, subprocess, sys
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.host import scratch_namespace
def namespace():
    return subprocess.run(["readlink", "/proc/self/ns/net"], check=True, capture_output=True).stdout
home = namespace()
try:
    with scratch_namespace():
        assert namespace() != home
        raise KeyError
except KeyError:
    assert namespace() == home
    print("back")
except Exception as error:
    print(error)
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs util-linux")
@pytest.mark.parametrize(
    ("prefix", "says"),
    [
        (["unshare", "--user", "--map-root-user", "--net"], "back"),
        # Root of a user namespace in somebody else's network namespace could not change that one either.
        (["unshare", "--user", "--map-root-user"], "the scratch network namespace cannot be left"),
        (["unshare", "--user"], "the rules cannot be tried in a scratch network namespace (Operation not permitted)"),
    ],
)
def test_the_scratch_namespace_is_left_again(prefix: list[str], says: str) -> None:
    command = [*prefix, sys.executable, "-c", SCRATCH]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith(says), done.stderr


@pytest.mark.parametrize("chain", list(iptables.TABLES))
def test_two_jumps_become_one_and_one_is_left_alone(chain: str) -> None:
    first, second, third = iptables.one_jump_script(chain).splitlines()[1:4]
    assert first == second
    assert first.startswith("-D ")
    assert first.replace("-D", "-A", 1) == third.replace("-I", "-A", 1).replace("FORWARD 1 ", "FORWARD ")
