# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flags, as programs written in Go take them and tell them."""

from __future__ import annotations

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import goflags


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
    assert goflags.value(arguments, "--cni-bin-dir") == value


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
    assert goflags.of_help(HELP) == {
        "--cni-bin-dir": "/opt/cni/bin",
        "--container-runtime": "docker",
        "--network-plugin": "",
        "--network-plugin-mtu": "",
        "--max-pods": "110",
        "--help": "",
    }
    assert goflags.of_help("") == {}
