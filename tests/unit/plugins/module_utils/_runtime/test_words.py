# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Words, variables and flags of a unit's command, as systemd and the programs take them."""

from __future__ import annotations

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a  b\tc", ["a", "b", "c"]),
        ("", []),
        ("'a b' \"c d\"e ''", ["a b", "c de", ""]),
        (r"a\ b c\sd \"e\" \\", [r"a\ b", "c d", '"e"', "\\"]),
        ('"it\'s" \'a "b"\'', ["it's", 'a "b"']),
        ("'open end", ["open end"]),
        ('"KUBELET_EXTRA_ARGS=--a=1 --b=2" X=3', ["KUBELET_EXTRA_ARGS=--a=1 --b=2", "X=3"]),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words.split(text) == found


def test_variables_are_words_or_texts() -> None:
    environment = {"ARGS": "--a=1 '--b=x y'", "DIR": "/v w", "ARG": "no"}
    command = ["-/usr/bin/kubelet", "$ARGS", "--dir=${DIR}", "x$ARGS", "$$ARGS", "$MISSING", "${MISSING}"]
    expanded = ["/usr/bin/kubelet", "--a=1", "--b=x y", "--dir=/v w", "x$ARGS", "$ARGS", ""]
    assert words.expand(command, environment) == expanded


@pytest.mark.parametrize("prefix", ["-", "@", "+", "!!", "-+", ":"])
def test_what_stands_before_a_command(prefix: str) -> None:
    assert words.expand([f"{prefix}/usr/bin/kubelet", "-v"], {}) == ["/usr/bin/kubelet", "-v"]


def test_environment_files() -> None:
    text = """
# KUBELET_EXTRA_ARGS=--no
; X=1
KUBELET_EXTRA_ARGS="--a=1 --b='2 3'"
QUOTED='it'
ESCAPED="a \\"b\\" \\$c"
LONG=a \\
b
PLAIN= a b\x20
nonsense
EMPTY=
"""
    assert words.variables(text) == {
        "KUBELET_EXTRA_ARGS": "--a=1 --b='2 3'",
        "QUOTED": "it",
        "ESCAPED": 'a "b" $c',
        "LONG": "a b",
        "PLAIN": "a b",
        "EMPTY": "",
    }


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ([], None),
        (["--cni-bin-dir=/a"], "/a"),
        (["--cni-bin-dir", "/a"], "/a"),
        (["--cni-bin-dir=/a", "--cni-bin-dir", "/b"], "/b"),
        (["--cni-bin-dirs=/a", "--cni-bin=/b", "cni-bin-dir=/c"], None),
        (["--cni-bin-dir="], ""),
        (["--", "--cni-bin-dir=/a"], None),
        (["--cni-bin-dir"], None),
    ],
)
def test_the_last_flag_counts(arguments: list[str], value: str | None) -> None:
    assert words.flag(arguments, "--cni-bin-dir") == value


#: As Kubernetes 1.20's kubelet and cri-dockerd say it.
HELP = """\
The kubelet is the primary "node agent" that runs on each node.

Usage:
  kubelet [flags]

Flags:
      --cni-bin-dir string             A comma-separated list of full paths of directories. (default "/opt/cni/bin")
      --container-runtime string       Possible values: 'docker', 'remote'. (default "docker")
      --network-plugin string          The name of the network plugin to be invoked for various events.
      --network-plugin-mtu int32       The MTU to be passed to the network plugin.
      --max-pods int32                 Number of Pods that can run on this Kubelet. (default 110)
  -h, --help                           help for kubelet
"""


def test_flags_are_what_help_says() -> None:
    assert words.flags_of_help(HELP) == {
        "--cni-bin-dir": "/opt/cni/bin",
        "--container-runtime": "docker",
        "--network-plugin": "",
        "--network-plugin-mtu": "",
        "--max-pods": "110",
        "--help": "",
    }
    assert words.flags_of_help("") == {}
