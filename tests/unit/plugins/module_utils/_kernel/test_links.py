# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose a link is, and lists that are interrupted."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import ifaddrs, links


@pytest.mark.parametrize(
    ("alias", "group", "ours"),
    [
        ("podnet", 0, True),
        ("", links.UNNAMED, True),
        ("podnet1", 0, False),
        ("", 0, False),
        ("mine", links.UNNAMED, False),
    ],
)
def test_a_link_of_ours_has_our_alias_or_is_about_to_get_it(alias: str, group: int, ours: bool) -> None:
    link = links.Link(1, "br1", "bridge", "", 1500, True, alias, 0, 0, False, False, False, None, group)
    assert link.ours == ours


class NetlinkDumpInterrupted(Exception):  # noqa: N818  # as pyroute2 calls it
    pass


def test_what_changes_all_the_time_is_a_sentence() -> None:
    class Busy:
        @staticmethod
        def get_addr(**_filters: t.Any) -> t.Any:
            raise NetlinkDumpInterrupted

    with pytest.raises(PodnetError, match="changes faster than it can be listed; run this again"):
        ifaddrs.every(Busy())


@pytest.mark.parametrize(("family", "found"), [(links.AF_INET, ["0.0.0.0/0"]), (links.AF_INET6, [])])
def test_a_kernel_without_ipv6_has_no_routes_of_it(family: int, found: list[str]) -> None:
    """It answers with IPv4's instead."""

    class Kernel:
        @staticmethod
        def get_routes(**_filters: t.Any) -> t.Any:
            return [{"family": links.AF_INET, "dst_len": 0, "type": 1, "proto": 3, "attrs": [("RTA_OIF", 2)]}]

    assert [route.dst for route in links.routes(Kernel(), family)] == found
