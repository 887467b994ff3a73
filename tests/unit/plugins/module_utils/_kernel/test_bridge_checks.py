# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is not taken from a bridge of others."""

from __future__ import annotations

import ipaddress

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import bridge_checks
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.bridge_options import Wanted
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.links import Link

REASON = "carries 192.0.2.11, which Ansible is connected to"


def scene(**precious: str) -> bridge_checks.Scene:
    """The scene of somebody else's bridge br1."""
    link = Link(7, "br1", "bridge", "", 1500, True, "", 0, 0, False, False, False)
    addresses = [ipaddress.ip_interface("192.0.2.11/24"), ipaddress.ip_interface("10.12.1.1/24")]
    return bridge_checks.Scene("br1", {"br1": link}, (), precious, addresses)


def absent(*addresses: str) -> Wanted:
    own = tuple(ipaddress.ip_interface(each) for each in addresses)
    return Wanted("br1", False, own, None, "kernel", None, (), None, None, False, None)


def test_the_bridge_that_the_node_is_reached_by_keeps_its_addresses() -> None:
    sentence = rf"bridge.addresses\[1\]: 192.0.2.11/24 is an address of br1, which {REASON}; leave it out"
    with pytest.raises(OptionError, match=sentence):
        bridge_checks.require_removable(scene(br1=REASON), absent("192.0.2.1/24", "192.0.2.11/24"))


@pytest.mark.parametrize(
    ("precious", "addresses"), [("br1", ["192.0.2.1/24"]), ("br1", []), ("br10", ["10.12.1.1/24"])]
)
def test_other_bridges_of_others_stay_with_a_warning(precious: str, addresses: list[str]) -> None:
    warning = bridge_checks.require_removable(scene(**{precious: REASON}), absent(*addresses))
    assert warning is not None
    assert warning.endswith("it stays")
