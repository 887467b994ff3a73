# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of network namespaces, and a missing pyroute2."""

from __future__ import annotations

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
