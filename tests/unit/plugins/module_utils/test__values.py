# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError


@pytest.mark.parametrize("name", ["br1", "br10", "a" * 15, "eth0.100", "ü"])
def test_interface_names(name: str) -> None:
    assert _values.ifname("name", name) == name


@pytest.mark.parametrize("name", ["", None, 7, ".", "..", "a" * 16, "ü" * 8, "a/b", "a:b", "a b", "a\n", "br%d"])
def test_what_the_kernel_takes_for_no_name_or_for_another(name: t.Any) -> None:
    with pytest.raises(OptionError, match=r"^name: .*; use 1 to 15 characters without '/', ':', '%' and white space$"):
        _values.ifname("name", name)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("10.12.1.7/24", "has host bits set; write 10.12.1.0/24"),
        ("fd00::1/64", "has host bits set; write fd00::/64"),
        ("10.12.1.0", "is not a CIDR; write it like 10.12.1.0/24 or 2001:db8:1::/64"),
        ("10.12.1.0/33", "is not a CIDR; write it like 10.12.1.0/24 or 2001:db8:1::/64"),
        (None, "is not a CIDR; write it like 10.12.1.0/24 or 2001:db8:1::/64"),
    ],
)
def test_what_is_no_network(value: t.Any, sentence: str) -> None:
    with pytest.raises(OptionError) as raised:
        _values.network("cidr", value)
    assert str(raised.value).endswith(sentence)


def test_networks_are_normalised() -> None:
    assert str(_values.network("cidr", "2001:DB8:0::/64")) == "2001:db8::/64"
    assert str(_values.interface("address", "10.12.1.1/255.255.255.0")) == "10.12.1.1/24"


@pytest.mark.parametrize(
    ("word", "answer"),
    [("ipmasq", "did you mean ipMasq?"), ("ipMasquerade", "did you mean ipMasq?"), ("x", "use one of ipMasq, mtu")],
)
def test_suggestions(word: str, answer: str) -> None:
    assert _values.suggestion(word, ["mtu", "ipMasq"]) == answer


def test_files_named_like_addresses_are_leases() -> None:
    names = ["10.12.1.2", "fd12::2", "lock", "last_reserved_ip.0"]
    assert [name for name in names if _values.is_address(name)] == names[:2]
