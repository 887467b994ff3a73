# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses of the bridge."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.mink8s.podnet.plugins.filter.gateway_addresses import gateway_addresses


def test_the_first_address_of_each_family() -> None:
    assert gateway_addresses(["10.12.1.0/24", "10.12.3.128/25", "fd00:12:1::/64"]) == [
        "10.12.1.1/24",
        "10.12.3.129/25",
        "fd00:12:1::1/64",
    ]


@pytest.mark.parametrize(
    ("cidr", "sentence"),
    [
        ("10.12.1.7/24", r"has host bits set; write 10\.12\.1\.0/24"),
        ("10.12.1.0", r"is not a CIDR; write it like "),
        ("10.12.1.0/31", r"has no room for pods; give at least a /30"),
        ("fd00::1/128", r"has no room for pods; give at least a /126"),
    ],
)
def test_a_sentence_says_what_is_wrong(cidr: str, sentence: str) -> None:
    with pytest.raises(AnsibleFilterError, match=rf"^pod_network_pod_cidrs\[1\]: {cidr} {sentence}"):
        gateway_addresses(["10.12.0.0/24", cidr])
