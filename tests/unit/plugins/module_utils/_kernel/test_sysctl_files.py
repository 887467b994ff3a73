# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of settings, and files of sysctl.d."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import sysctl_files
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.sysctl_files import (
    Other,
    Record,
    parse_key,
    spelled,
)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/conf/eth0.100/forwarding", "net/ipv4/conf/eth0.100/forwarding"),
        ("net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding"),
        ("net.ipv4.conf.*.forwarding", None),
        ("net.ipv4..ip_forward", None),
        ("net/../../etc/passwd", None),
        ("../etc/passwd", None),
        ("/etc/passwd", None),
        ("ip_forward", None),
        ("net.ipv4.ip_forward = 1", None),
        ("", None),
    ],
)
def test_names(name: str, key: t.Optional[str]) -> None:
    assert parse_key(name) == key


@pytest.mark.parametrize("key", ["net/ipv4/ip_forward", "net/ipv4/conf/eth0.100/forwarding"])
def test_spelling_leads_back(key: str) -> None:
    assert parse_key(spelled(key)) == key


def test_our_file_leads_back() -> None:
    record = Record(
        settings={"net/ipv4/ip_forward": "1", "net/ipv4/tcp_rmem": "4096 131072 6291456"},
        before={
            "net/ipv4/ip_forward": "0",
            "net/ipv4/tcp_rmem": "4096 87380 6291456",
            "net/ipv4/conf/br1/forwarding": "1",
            "net/bridge/bridge-nf-call-iptables": None,
            "net/ipv4/ip_local_reserved_ports": "",
        },
    )
    text = sysctl_files.render(record)
    assert text.startswith(sysctl_files.HEADER)
    assert "# net.bridge.bridge-nf-call-iptables was not there\n" in text
    assert sysctl_files.parse(text) == record
    assert all(line == line.rstrip() for line in text.splitlines())


def test_a_space_at_the_end_of_a_line_means_nothing() -> None:
    """Earlier versions wrote one behind what was empty, and an editor takes it away."""
    before = sysctl_files.parse(
        "# net.a was \n# net.b was\n# net.c was not there \n# net.d was 1 \n# net.e wasn't\n"
    ).before
    assert before == {"net/a": "", "net/b": "", "net/c": None, "net/d": "1"}


FORWARD, ALL = "net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding"


@pytest.mark.parametrize(("given", "name"), [([FORWARD], FORWARD), ([ALL], ALL), ([], FORWARD)])
def test_a_record_has_the_name_that_is_given_now(given: list[str], name: str) -> None:
    """An earlier version recorded both names, the second one as it was with the first."""
    record = Record({FORWARD: "1", ALL: "1", "net/a": "2"}, {FORWARD: "0", "net/a": None, ALL: "1"})
    named = sysctl_files.named_as(record, given)
    assert named == Record({name: "1", "net/a": "2"}, {name: "0", "net/a": None})
    assert list(named.before) == [name, "net/a"]


def write(files: dict[Path, str]) -> None:
    for path, text in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def test_what_others_say_without_our_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last word in the order of the names; the file that ours hides counts, and a pattern does not."""
    first, second, last = tmp_path / "etc", tmp_path / "lib", tmp_path / "sysctl.conf"
    files = {
        first / "10-a.conf": "net.ipv4.ip_forward=0\n-net.ipv4.conf.br1.rp_filter = 2\n-net.ipv4.conf.br10.rp_filter\n",
        first / "k8s.conf": "net.ipv4.conf.all.forwarding = 1\nnet.ipv4.conf.*.rp_filter = 1\n",
        first / "podnet.conf": "net.ipv4.ip_forward = 0\nnet.ipv4.tcp_ecn = 1\n",
        second / "k8s.conf": "net.ipv4.ip_forward = 0\n",
        second / "podnet.conf": "net.ipv4.conf.all.rp_filter = 2\n",
        last: "net.ipv4.ip_forward = 0\nnet.ipv4.tcp_rmem = 1  2 3\n",
    }
    write(files)
    (tmp_path / "same").symlink_to(first)
    monkeypatch.setattr(sysctl_files, "DIRECTORIES", (str(first), str(second), str(tmp_path / "same")))
    monkeypatch.setattr(sysctl_files, "LAST", str(last))
    assert sysctl_files.words_of_others(str(tmp_path / "same" / "podnet.conf")) == {
        "net/ipv4/ip_forward": "1",
        "net/ipv4/tcp_rmem": "1 2 3",
        "net/ipv4/conf/br1/rp_filter": "2",
        "net/ipv4/conf/all/rp_filter": "2",
    }


def test_files_that_are_loaded_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "etc", tmp_path / "lib"
    last = tmp_path / "sysctl.conf"
    files = {
        first / "10-a.conf": "net.ipv4.ip_forward=0\n",
        first / "99-zz-podnet.conf": "net.ipv4.ip_forward = 1\n",
        first
        / "99-zzz.conf": "-net/ipv4/ip_forward=0\n# net.ipv4.conf.br1.rp_filter=1\nnet.ipv4.conf.br10.rp_filter = 1"
        "\nnet.ipv4.tcp_ecn = 0\n",
        first / "99-zzz.conf.bak": "net.ipv4.conf.br1.rp_filter=2\n",
        second / "99-zzz.conf": "net.ipv4.conf.br1.rp_filter=2\n",
        second / "99-zzzz.conf": "net.ipv4.conf.all.forwarding =  1 \nnet.ipv4.conf.*.rp_filter=1\nbroken\n",
        last: "net.ipv4.conf.all.forwarding=0\n",
    }
    write(files)
    (second / "99-zzzzz.conf").symlink_to("/dev/null")
    monkeypatch.setattr(sysctl_files, "DIRECTORIES", (str(first), str(tmp_path / "none"), str(second)))
    monkeypatch.setattr(sysctl_files, "LAST", str(last))
    for name in ("net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding"):
        ours = {name: "1", "net/ipv4/conf/br1/rp_filter": "0", "net/ipv4/tcp_ecn": "1"}
        assert sysctl_files.later(str(first / "99-zz-podnet.conf"), ours) == [
            Other(str(last), "net/ipv4/conf/all/forwarding", "0"),
            Other(str(first / "99-zzz.conf"), "net/ipv4/tcp_ecn", "0"),
        ]
