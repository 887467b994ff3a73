# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Consent, order, and the text of what stops."""

from __future__ import annotations

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._conflicts.verdicts import (
    INFORMS,
    STOPS,
    WARNS,
    Conflict,
    Consent,
    stopping,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

FOUND = [
    Conflict(INFORMS, "rp_filter", "eth1", "a"),
    Conflict(STOPS, "route", "10.12.1.0/24", "b"),
    Conflict(WARNS, "vpn", "wg0", "c"),
    Conflict(STOPS, "address", "eth1", "d"),
    Conflict(STOPS, "address", "eth10", "e"),
    Conflict(STOPS, "address", "eth10", "e"),
]


def left(*ignored: str) -> str:
    return "".join(each.what for each in Consent(ignored).left(FOUND))


def test_the_worst_comes_first_and_each_once() -> None:
    assert left() == "debca"
    assert stopping(Consent([]).left(FOUND)) == "d. e. b"
    assert stopping([]) == ""


def test_consent_to_a_kind_or_to_one_object_of_it() -> None:
    assert left("address") == "bca"
    assert left("address:eth1") == "ebca"
    assert left("address:eth10", "route:10.12.1.0/24") == "dca"
    assert left("vpn:wg01") == "debca"


def test_what_is_consented_to_is_not_looked_for() -> None:
    consent = Consent(["foreign_rule", "legacy_rules:iptables-legacy"])
    assert not consent.asks("foreign_rule")
    assert consent.asks("legacy_rules")
    assert consent.asks("foreign_rule", "firewalld")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(OptionError) as caught:
        Consent(["vpn", "adress:eth0"])
    assert str(caught.value) == "ignore[1]: adress:eth0 is no kind of conflict; did you mean address?"
