# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of network namespaces, what the kernel refuses, and a missing pyroute2."""

from __future__ import annotations

import errno
import sys
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import netns


@pytest.mark.parametrize(("name", "path"), [("pod1", "/run/netns/pod1"), ("/proc/7/ns/net", "/proc/7/ns/net")])
def test_names_and_paths(name: str, path: str) -> None:
    assert netns.path_of("netns", name) == path


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../etc", None, 7])
def test_what_is_neither(name: t.Any) -> None:
    with pytest.raises(OptionError, match="is not a network namespace"):
        netns.path_of("netns", name)


def test_a_missing_pyroute2_names_the_interpreter_and_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyroute2", None)
    with pytest.raises(PodnetError) as raised, netns.netlink():
        pass
    assert sys.executable in str(raised.value)
    assert "python3-pyroute2" in str(raised.value)


class NetlinkError(Exception):
    code = errno.EINVAL


def test_a_refusal_is_a_sentence() -> None:
    with pytest.raises(PodnetError, match=r"address 10.12.1.1/24 on br1: the kernel refuses it \(Invalid argument\); "):  # noqa: SIM117
        with netns.asking("address 10.12.1.1/24 on br1"):
            raise NetlinkError


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.EPERM, r"run as root \(become: true\)$"),
        (errno.EEXIST, "something else may have changed it meanwhile, so run this again; or dmesg may tell more$"),
        (errno.EINVAL, "dmesg may tell more$"),
    ],
)
def test_a_refusal_says_what_to_do(code: int, remedy: str) -> None:
    error = NetlinkError()
    error.code = code
    with pytest.raises(PodnetError, match=remedy), netns.asking("bridge br1"):
        raise error


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(KeyError), netns.asking("link br1"):
        raise KeyError("IFLA_NOTHING")
