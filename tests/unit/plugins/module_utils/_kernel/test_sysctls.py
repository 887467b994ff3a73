# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking over and giving back, in a directory that stands for /proc/sys and does what the kernel does."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._engine import converge
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError, shown
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import sysctls

INITIAL = {
    "net/ipv4/ip_forward": "0",
    "net/ipv4/conf/all/forwarding": "0",
    "net/ipv4/conf/all/accept_redirects": "0",
    "net/ipv4/conf/br1/forwarding": "1",
    "net/ipv4/conf/br10/forwarding": "0",
    "net/ipv4/conf/br1/rp_filter": "2",
    "net/ipv4/tcp_rmem": "4096\t131072\t6291456",
}
FORWARD, ALL = "net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding"
NO_IPV6, FORWARD6 = "net/ipv6/conf/{}/disable_ipv6", "net/ipv6/conf/{}/forwarding"
FORCED = "net/ipv6/conf/{}/force_forwarding"
PORTS = "net/ipv4/ip_local_reserved_ports"
FILE = """\
# Kernel settings for the pod network, kept by Ansible (mink8s.podnet.sysctls)
# net.ipv4.ip_forward was 0
# net.ipv4.conf.br1.forwarding was 1
# net.ipv4.conf.all.accept_redirects was 0
net.ipv4.ip_forward = 1
"""


class Node:
    """A root with settings, and a place for our files."""

    def __init__(self, base: Path) -> None:
        self.root, self.path, self.modules = base / "sys", base / "etc/podnet.conf", base / "etc/modules.conf"
        self.other = base / "etc/k8s.conf"
        self.keys: list[str] = []
        self.written: list[tuple[str, str]] = []
        self.add(INITIAL)

    def add(self, settings: dict[str, str]) -> None:
        for key, value in settings.items():
            (self.root / key).parent.mkdir(parents=True, exist_ok=True)
            (self.root / key).write_text(value)
            self.keys.append(key)

    def values(self) -> dict[str, str]:
        return {key: (self.root / key).read_text() for key in self.keys}

    def write(self, key: str, value: str) -> None:
        self.written.append((key, value))
        (self.root / key).write_text(value)
        if key in (FORWARD, ALL):
            self._set(value, FORWARD, "net/ipv4/conf/*/forwarding")
            # A node that no longer forwards accepts redirects, whether it did before or not.
            (self.root / "net/ipv4/conf/all/accept_redirects").write_text("0" if value == "1" else "1")
        if key == NO_IPV6.format("all"):
            self._set(value, NO_IPV6.format("*"))
        if key == FORWARD6.format("all"):
            self._set(value, FORWARD6.format("*"))
            if value == "0":
                self._set(value, FORCED.format("eth*"))

    def _set(self, value: str, *patterns: str) -> None:
        for pattern in patterns:
            for path in self.root.glob(pattern):
                path.write_text(value)

    def resource(self, **params: t.Any) -> sysctls.Sysctls:
        options = {"state": "present", "path": str(self.path), "modules": [], "modules_path": str(self.modules)}
        return sysctls.Sysctls({**options, "settings": {}, **params}, lambda *_: (1, "", "not here\n"))

    def run(self, check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
        return converge(self.resource(**params), check_mode)


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    node = Node(tmp_path)
    monkeypatch.setattr(sysctls, "ROOT", str(node.root))
    monkeypatch.setattr(sysctls, "_write", node.write)
    monkeypatch.setattr(sysctls.sysctl_files, "DIRECTORIES", (str(node.other.parent),))
    monkeypatch.setattr(sysctls.sysctl_files, "LAST", str(tmp_path / "sysctl.conf"))
    return node


def test_take_over_and_give_back(node: Node) -> None:
    first = node.run(settings={"net.ipv4.ip_forward": True})
    assert first["actions"] == ["change sysctl net.ipv4.ip_forward: value 0 -> 1", f"create file {node.path}"]
    assert node.path.read_text() == FILE
    assert node.values()["net/ipv4/conf/br10/forwarding"] == "1"
    assert not node.run(settings={"net.ipv4.ip_forward": "1"})["changed"]
    assert node.run(state="absent")["changed"]
    assert node.values() == INITIAL
    assert not node.path.exists()
    assert not node.run(state="absent")["changed"]


@pytest.mark.parametrize("name", ["net.ipv4.ip_forward", "net/ipv4/conf/all/forwarding"])
def test_what_the_nodes_own_files_say_by_now_is_given_back(node: Node, name: str) -> None:
    node.run(settings={"net.ipv4.ip_forward": 1})
    node.other.write_text(f"{name} = 1\n")
    told = node.run(check_mode=True, state="absent")
    resource = node.resource(state="absent")
    assert converge(resource, check_mode=False) == told
    assert told["actions"] == [f"remove file {node.path}"]
    assert resource.warnings == []
    assert node.values() == {**INITIAL, FORWARD: "1", ALL: "1", "net/ipv4/conf/br10/forwarding": "1"}
    assert not node.run(state="absent")["changed"]


def test_a_file_that_says_something_else_does_not_turn_off_what_was_on_before_us(node: Node) -> None:
    node.write("net/ipv4/ip_forward", "1")
    node.run(settings={"net.ipv4.ip_forward": 1})
    node.other.write_text("net.ipv4.ip_forward = 0\n")
    assert node.run(state="absent")["actions"] == [f"remove file {node.path}"]


@pytest.mark.parametrize("word", ["", "yes", "1 2", "0x1"])
def test_a_word_that_is_no_value_is_not_given_back(node: Node, word: str) -> None:
    node.run(settings={"net.ipv4.ip_forward": 1})
    node.other.write_text(f"net.ipv4.ip_forward = {word}\n")
    node.run(state="absent")
    assert node.values() == INITIAL


def test_a_setting_that_was_right_is_kept_and_stays(node: Node) -> None:
    assert node.run(settings={"net.ipv4.conf.br1.rp_filter": 2})["actions"] == [f"create file {node.path}"]
    assert node.run(settings={})["actions"] == [f"remove file {node.path}"]
    assert node.values() == INITIAL


def test_one_setting_is_dropped_and_another_is_taken_over(node: Node) -> None:
    node.run(settings={"net.ipv4.ip_forward": 1})
    node.run(settings={"net.ipv4.conf.br1.forwarding": 0, "net.ipv4.tcp_rmem": "4096 131072  9"})
    assert node.values() == {**INITIAL, "net/ipv4/conf/br1/forwarding": "0", "net/ipv4/tcp_rmem": "4096 131072 9"}
    node.run(state="absent")
    assert node.values() == {**INITIAL, "net/ipv4/tcp_rmem": "4096 131072 6291456"}


def test_one_interface_may_differ_from_all(node: Node) -> None:
    both = {"net.ipv4.conf.br1.forwarding": 0, "net.ipv4.ip_forward": 1}
    node.run(settings=both)
    assert node.values()["net/ipv4/conf/br1/forwarding"] == "0"
    assert node.values()["net/ipv4/conf/br10/forwarding"] == "1"
    assert not node.run(settings=both)["changed"]
    node.run(settings={"net.ipv4.conf.br1.forwarding": 0})
    assert node.values() == {**INITIAL, "net/ipv4/conf/br1/forwarding": "0"}


def test_one_interface_that_is_dropped_follows_all_again(node: Node) -> None:
    both = {"net.ipv4.ip_forward": 1, "net.ipv4.conf.br10.forwarding": 0, "net.ipv4.conf.all.accept_redirects": 1}
    node.run(settings=both)
    dropped = node.run(settings={"net.ipv4.ip_forward": 1})
    assert "change sysctl net.ipv4.conf.br10.forwarding: value 0 -> 1" in dropped["actions"]
    assert node.values()["net/ipv4/conf/br10/forwarding"] == "1"
    assert node.values()["net/ipv4/conf/all/accept_redirects"] == "0"
    assert not node.run(settings={"net.ipv4.ip_forward": 1})["changed"]
    node.run(state="absent")
    assert node.values() == INITIAL


def test_one_interface_that_is_dropped_is_as_it_was_where_all_forwarded_before_us(node: Node) -> None:
    node.write("net/ipv4/ip_forward", "1")
    (node.root / "net/ipv4/conf/br10/forwarding").write_text("0")
    before = node.values()
    node.run(settings={"net.ipv4.ip_forward": 1, "net.ipv4.conf.br1.forwarding": 0, "net.ipv4.conf.br10.forwarding": 1})
    node.run(settings={"net.ipv4.ip_forward": 1})
    assert node.values() == before
    assert not node.run(settings={"net.ipv4.ip_forward": 1})["changed"]
    node.run(state="absent")
    assert node.values() == before


def test_check_mode_tells_the_same_and_does_nothing(node: Node) -> None:
    settings = {"net.ipv4.ip_forward": 1, "net.ipv4.conf.br1.rp_filter": 0}
    told = node.run(check_mode=True, settings=settings)
    assert node.values() == INITIAL
    assert not node.path.exists()
    assert node.run(settings=settings) == told


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        (
            {"settings": {"net.ipv4.ip_forwards": 1}},
            "settings.net.ipv4.ip_forwards: .* is not there",
        ),
        ({"settings": {"net.ipv4.conf.br1": 1}}, "is not one readable value"),
        ({"settings": {"net.ipv4.ip_forward": None}}, "is not a value"),
        ({"settings": {"net.ipv4.ip_forward": "1", "net/ipv4/ip_forward": "1"}}, "is there twice"),
        (
            {"settings": {"net.ipv4.conf.all.forwarding": True, "net/ipv4/ip_forward": 0}},
            "^settings.net.ipv4.ip_forward: 0 is not what settings.net.ipv4.conf.all.forwarding says of the same",
        ),
    ],
)
def test_refusals(node: Node, params: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(PodnetError, match=sentence):
        node.run(**params)
    assert not node.path.exists()


def test_others_that_win_are_told_with_the_moment(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later, last = tmp_path / "d" / "zz.conf", tmp_path / "sysctl.conf"
    monkeypatch.setattr(sysctls.sysctl_files, "DIRECTORIES", (str(later.parent),))
    monkeypatch.setattr(sysctls.sysctl_files, "LAST", str(last))
    later.parent.mkdir()
    for path, moment in ((later, "at the next boot"), (last, "whenever sysctl --system is run")):
        path.write_text("net.ipv4.ip_forward=0\n")
        resource = node.resource(settings={"net.ipv4.ip_forward": 1})
        converge(resource, check_mode=True)
        sets = f"{path} sets net.ipv4.ip_forward to 0 and is loaded after {node.path}"
        assert resource.warnings == [f"{sets}: it wins {moment}; remove that line"]


def test_a_file_of_others_stays(node: Node) -> None:
    node.path.parent.mkdir()
    node.path.write_text("net.ipv4.ip_forward=1\n")
    with pytest.raises(PodnetError, match=f"^path: {shown(str(node.path))} is there and is not ours"):
        node.run(settings={"net.ipv4.ip_forward": 1})


def refuse_much(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the kernel refuse one value."""

    def write(key: str, value: str) -> None:
        if value == "much":
            raise PodnetError("much: refused")
        node.write(key, value)

    monkeypatch.setattr(sysctls, "_write", write)


def test_a_refused_value_leaves_nothing_behind(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_much(node, monkeypatch)
    with pytest.raises(PodnetError, match="refused"):
        node.run(settings={"net.ipv4.ip_forward": 1, "net.ipv4.conf.br1.rp_filter": "much"})
    assert node.values() == INITIAL
    assert not node.path.exists()


def test_a_name_that_no_file_has_is_no_setting(node: Node) -> None:
    assert sysctls.value_of("net/ipv4/\0") is None
    assert sysctls.value_of("net/ipv4/\ud800") is None


BOTH = {"net.ipv4.ip_forward": 1, "net.ipv4.conf.all.forwarding": 1}


@pytest.mark.parametrize(
    ("first", "second"),
    [(BOTH, name) for name in BOTH] + [({name: 1}, other) for name in BOTH for other in BOTH if other != name],
)
def test_another_name_of_a_setting_changes_the_file_only(node: Node, first: dict[str, int], second: str) -> None:
    node.run(settings=first)
    node.written.clear()
    told = node.run(check_mode=True, settings={second: 1})
    assert node.run(settings={second: 1}) == told
    assert node.written == []
    assert told["actions"] in ([], [f"change file {node.path}"])
    assert told["settings"] == {second: "1"}
    assert node.path.read_text() == FILE.replace("net.ipv4.ip_forward", second)
    assert not node.run(settings={second: 1})["changed"]
    node.run(state="absent")
    assert node.values() == INITIAL


def test_both_names_of_a_setting_are_one(node: Node) -> None:
    assert node.run(settings=BOTH)["actions"] == [
        "change sysctl net.ipv4.ip_forward: value 0 -> 1",
        f"create file {node.path}",
    ]
    assert not node.run(settings=BOTH)["changed"]
    node.run(state="absent")
    assert node.values() == INITIAL


def test_both_names_that_an_earlier_version_recorded_are_given_back(node: Node) -> None:
    node.write(FORWARD, "1")
    node.path.parent.mkdir()
    node.path.write_text(f"{FILE}# net.ipv4.conf.all.forwarding was 1\nnet.ipv4.conf.all.forwarding = 1\n")
    assert "change sysctl net.ipv4.ip_forward: value 1 -> 0" in node.run(state="absent")["actions"]
    assert node.values() == INITIAL


def test_what_was_empty_is_empty_again(node: Node) -> None:
    node.add({PORTS: "\n"})
    before = node.values()
    settings = {"net.ipv4.ip_local_reserved_ports": "8080,30000-32767"}
    node.run(settings=settings)
    assert "# net.ipv4.ip_local_reserved_ports was\n" in node.path.read_text()
    assert not node.run(settings=settings)["changed"]
    node.run(state="absent")
    assert node.written[-1] == (PORTS, "")
    assert {**node.values(), PORTS: "\n"} == before


def test_an_empty_value_is_written(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel is not told anything by an empty write, because none is made."""
    monkeypatch.undo()
    monkeypatch.setattr(sysctls, "ROOT", str(node.root))
    node.add({PORTS: "8080\n"})
    sysctls._write(PORTS, "")
    assert (node.root / PORTS).read_text() == "\n"


def ipv6(**values: str) -> dict[str, str]:
    return {NO_IPV6.format(name): value for name, value in values.items()}


def test_an_interface_that_has_ipv6_does_not_lose_it_when_all_is_given_back(node: Node) -> None:
    """Disabled for a moment only, it has lost its addresses."""
    node.add(ipv6(all="1", default="1", eth0="0", eth1="1", lo="1"))
    before = node.values()
    node.run(settings={"net.ipv6.conf.all.disable_ipv6": 0})
    assert "# net.ipv6.conf.eth0.disable_ipv6 was 0\n" in node.path.read_text()
    assert not node.run(settings={"net.ipv6.conf.all.disable_ipv6": 0})["changed"]
    node.written.clear()
    told = node.run(check_mode=True, state="absent")
    assert node.run(state="absent") == told
    assert "change sysctl net.ipv6.conf.lo.disable_ipv6: value 0 -> 1" in told["actions"]
    assert [key for key, _value in node.written] == [NO_IPV6.format(name) for name in ("default", "eth1", "lo")]
    assert node.values() == {**before, NO_IPV6.format("all"): "0"}
    assert not node.run(state="absent")["changed"]


def test_one_of_ours_that_stays_does_not_lose_its_ipv6_either(node: Node) -> None:
    node.add(ipv6(all="1", default="1", eth0="1", eth1="1"))
    node.run(settings={"net.ipv6.conf.all.disable_ipv6": 0, "net.ipv6.conf.eth0.disable_ipv6": 0})
    node.written.clear()
    node.run(settings={"net.ipv6.conf.eth0.disable_ipv6": 0})
    assert node.written == [(NO_IPV6.format(name), "1") for name in ("default", "eth1")]
    node.run(state="absent")
    assert {node.values()[NO_IPV6.format(name)] for name in ("default", "eth0", "eth1")} == {"1"}


def test_where_all_were_without_ipv6_all_is_given_back(node: Node) -> None:
    node.add(ipv6(all="1", default="1", eth0="1"))
    before = node.values()
    node.run(settings={"net.ipv6.conf.all.disable_ipv6": 0})
    assert node.run(state="absent")["actions"][1:] == ["change sysctl net.ipv6.conf.all.disable_ipv6: value 0 -> 1"]
    assert node.values() == before


def test_a_refused_value_takes_ipv6_from_no_interface(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.add(ipv6(all="1", default="1", eth0="0", eth1="1"))

    refuse_much(node, monkeypatch)
    with pytest.raises(PodnetError, match="refused"):
        node.run(settings={"net.ipv6.conf.all.disable_ipv6": 0, "net.ipv4.conf.br1.rp_filter": "much"})
    assert node.values() == {**INITIAL, **ipv6(all="0", default="1", eth0="0", eth1="1")}
    assert (NO_IPV6.format("all"), "1") not in node.written


def test_default_may_differ_from_all(node: Node) -> None:
    node.add(ipv6(all="1", default="1", eth0="1"))
    before, settings = node.values(), {"net.ipv6.conf.default.disable_ipv6": 1, "net.ipv6.conf.all.disable_ipv6": 0}
    node.run(settings=settings)
    assert node.values() == {**INITIAL, **ipv6(all="0", default="1", eth0="0")}
    assert not node.run(settings=settings)["changed"]
    node.run(state="absent")
    assert node.values() == before


def test_what_is_moved_by_a_second_value_is_given_back(node: Node) -> None:
    """With the first value nothing was changed."""
    node.add(ipv6(all="1", default="1", eth0="0"))
    node.run(settings={"net.ipv6.conf.all.disable_ipv6": 1})
    node.run(settings={"net.ipv6.conf.all.disable_ipv6": 0})
    node.run(state="absent")
    assert node.values() == {**INITIAL, **ipv6(all="0", default="1", eth0="0")}


@pytest.mark.parametrize("value", ["0", "1"])
def test_an_interface_that_forwards_alone_does_so_again(node: Node, value: str) -> None:
    """It stops when all stop, and does not begin when all begin."""
    forwards = {FORWARD6.format(name): value for name in ("all", "default", "eth0", "eth1")}
    node.add({**forwards, FORCED.format("all"): "0", FORCED.format("eth0"): "1", FORCED.format("eth1"): "0"})
    before, settings = node.values(), {"net.ipv6.conf.all.forwarding": 1 - int(value)}
    node.run(settings=settings)
    assert not node.run(settings=settings)["changed"]
    node.run(state="absent")
    assert node.values() == before
