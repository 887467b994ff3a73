# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ip(8) says, read: routes, the kernel's answers, and refusals; as iproute2 6.1 wrote it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.main_table import Answer, MainTable, Route

pytestmark = pytest.mark.usefixtures("node_with_ip")

IPV4 = """[{"dst":"default","gateway":"192.0.2.254","dev":"eth0","protocol":"4","flags":[]},
{"dst":"10.9.0.0/16","gateway":"192.0.2.9","dev":"eth0","protocol":"212","metric":5,"flags":[]},
{"type":"6","dst":"10.10.0.0/16","protocol":"212","flags":[]},
{"dst":"10.13.0.1","via":{"family":"inet6","host":"fe80::1"},"dev":"eth0","flags":[]}]"""
IPV6 = """[{"type":"7","dst":"fd01::1","dev":"lo","protocol":"212","metric":1024,"flags":[],"pref":"medium"},
{"dst":"fd02::/64","protocol":"212","metric":1024,"flags":[],"nexthops":[{"gateway":"2001:db8::3","dev":"eth0"}]}]"""
OURS = '[{"dst":"10.9.0.0/16","gateway":"192.0.2.9","dev":"eth0","flags":[]}]'


class Ip:
    """Answers one call after the other, and remembers what it was asked."""

    def __init__(self, *answers: tuple[int, str, str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[list[str], str]] = []

    def __call__(self, args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
        self.asked.append((args[1:], Path(args[-1]).read_text() if "-batch" in args else data or ""))
        return self.answers.pop(0)


def test_routes_of_both_families() -> None:
    ip = Ip((0, IPV4, ""), (0, IPV6, ""))
    assert MainTable(ip).routes() == [
        Route("0.0.0.0/0", "192.0.2.254", "eth0", 4, 0, 1),
        Route("10.9.0.0/16", "192.0.2.9", "eth0", 212, 5, 1),
        Route("10.10.0.0/16", None, None, 212, 0, 6),
        Route("10.13.0.1/32", None, "eth0", 3, 0, 1),
        Route("fd01::1/128", None, "lo", 212, 1024, 7),
        Route("fd02::/64", None, "eth0", 212, 1024, 1),
    ]
    assert [args[2] for args, _data in ip.asked] == ["-4", "-6"]


def test_one_protocol_is_asked_of_the_kernel_and_not_said_again() -> None:
    ip = Ip((0, OURS, ""), (0, "", ""))
    assert [route.protocol for route in MainTable(ip).routes(212)] == [212]
    assert ip.asked[0][0] == ["-N", "-j", "-4", "route", "show", "table", "main", "proto", "212"]


def test_a_list_that_was_interrupted_is_asked_for_again() -> None:
    interrupted = (0, "[]", "Dump was interrupted and may be inconsistent.\n")
    assert len(MainTable(Ip(interrupted, (0, OURS, ""), (0, "[]", ""))).routes(212)) == 1
    with pytest.raises(PodnetError, match="changes faster than it can be listed"):
        MainTable(Ip(*[interrupted] * 20)).routes(212)


def test_a_list_that_is_refused_is_a_sentence() -> None:
    with pytest.raises(PodnetError, match=r"route show table main failed \(Cannot open netlink socket\); "):
        MainTable(Ip((1, "", "Cannot open netlink socket\n"))).routes()


def test_answers_stand_where_their_questions_do() -> None:
    out = (
        '[{"dst":"192.0.2.12","dev":"eth0","prefsrc":"192.0.2.11","flags":[],"uid":0,"cache":[]}]\n'
        '[{"type":"2","dst":"192.0.2.11","dev":"lo","flags":[],"cache":["local"]}]\n'
        '[{"dst":"198.51.100.1","gateway":"192.0.2.254","dev":"eth0","flags":[],"cache":[]}]\n'
        '[{"dst":"10.13.0.1","via":{"family":"inet6","host":"fe80::1"},"dev":"eth0","flags":[],"cache":[]}]\n'
    )
    err = (
        "RTNETLINK answers: Invalid argument\nCommand failed -:2\n"
        "Error: any valid prefix is expected.\nCommand failed -:5\n"
    )
    ip = Ip((1, out, err))
    assert MainTable(ip).ask(["192.0.2.12", "10.10.0.1", "192.0.2.11", "198.51.100.1", "x", "fe80::2 oif eth0"]) == [
        Answer("eth0"),
        Answer(refusal="Invalid argument"),
        Answer("lo", kind=2),
        Answer("eth0", "192.0.2.254"),
        Answer(refusal="Error: any valid prefix is expected."),
        Answer("eth0", "fe80::1"),
    ]
    assert ip.asked[0][1].splitlines()[-1] == "route get fe80::2 oif eth0"


def test_nobody_asked_no_process() -> None:
    assert MainTable(Ip()).ask([]) == []
    assert MainTable(Ip()).change([]) is None


def test_a_missing_answer_is_a_sentence() -> None:
    with pytest.raises(PodnetError, match=r"cannot be understood \(status 255, Cannot open netlink socket\)"):
        MainTable(Ip((255, "", "Cannot open netlink socket\n"))).ask(["192.0.2.12"])


def test_thousands_of_lines_are_one_process() -> None:
    line = "route replace 2001:db8:1234:5678::/64 via 2001:db8:1234:5678:9abc:def0:1234:5678 dev eth0.1234567 proto 212"
    ip = Ip((2, "", "RTNETLINK answers: No such device\nCommand failed /proc/4711/fd/3:1007\n"))
    assert MainTable(ip).change([line] * 1200) == (1006, "No such device")
    assert [len(data.splitlines()) for _args, data in ip.asked] == [1200]


def test_a_change_that_fails_without_a_line_names_the_first() -> None:
    assert MainTable(Ip((1, "", ""))).change(["route del 10.9.0.0/16"]) == (0, "status 1, no message")
