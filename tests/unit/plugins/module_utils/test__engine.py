# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lifecycle, with a resource that is a dict in memory."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._engine import (
    Change,
    Resource,
    State,
    converge,
    plan,
    printable,
    report,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError


class Memory(Resource):
    """Holds its objects in a dict; ``deaf`` ones do not change, as a node does that something else changes back."""

    def __init__(self, now: State, then: State, deaf: bool = False) -> None:
        super().__init__()
        self.now, self.then, self.deaf = dict(now), then, deaf
        self.applied: list[Change] = []

    def read(self) -> State:
        return dict(self.now)

    def desired(self, current: State) -> State:
        return self.then

    def apply(self, changes: list[Change]) -> None:
        self.applied = changes
        if not self.deaf:
            self.now = dict(self.then)

    def touches(self, changes: list[Change]) -> list[str]:
        return [path for path in super().touches(changes) if path != "/a"]

    def result(self, state: State) -> dict[str, t.Any]:
        return {"objects": list(state)}


BEFORE: State = {"bridge br1": {"mtu": 1500}, "bridge br10": {"mtu": 1500}, "file /a": "old\n"}
AFTER: State = {"bridge br10": {"mtu": 1450}, "file /a": "new\n", "bridge br2": {"mtu": 1450, "stp": False}}


def test_the_plan_removes_first_and_compares_exact_names() -> None:
    changes = plan(BEFORE, AFTER)
    assert [(change.name, change.before is None, change.after is None) for change in changes] == [
        ("bridge br1", False, True),
        ("bridge br10", False, False),
        ("file /a", False, False),
        ("bridge br2", True, False),
    ]


def test_actions_are_sentences() -> None:
    assert [change.action for change in plan(BEFORE, AFTER)] == [
        "remove bridge br1",
        "change bridge br10: mtu 1500 -> 1450",
        "change file /a",
        "create bridge br2 (mtu 1450)",
    ]


def test_removal_is_in_reverse_order_of_creation() -> None:
    assert [change.name for change in plan({"a": 1, "b": 2, "c": 3}, {"b": 2})] == ["c", "a"]


def test_check_mode_predicts_exactly_what_the_real_run_does() -> None:
    predicted = converge(checked := Memory(BEFORE, AFTER), check_mode=True)
    done = converge(real := Memory(BEFORE, AFTER), check_mode=False)
    assert checked.applied == []
    assert checked.now == BEFORE
    assert real.now == AFTER
    assert predicted == done


def test_a_second_run_plans_nothing() -> None:
    result = converge(Memory(AFTER, AFTER), check_mode=False)
    assert result == {"changed": False, "actions": [], "diff": [], "objects": list(AFTER)}


def test_the_diff_has_a_text_of_its_own_for_each_file() -> None:
    diff = converge(Memory(BEFORE, AFTER), check_mode=True)["diff"]
    assert diff == [
        {"before_header": "file /a", "after_header": "file /a", "before": "old\n", "after": "new\n"},
        {
            "before": {"bridge br1": {"mtu": 1500}, "bridge br10": {"mtu": 1500}},
            "after": {"bridge br10": {"mtu": 1450}, "bridge br2": {"mtu": 1450, "stp": False}},
        },
    ]


def test_what_is_still_different_after_the_change_is_a_failure_that_names_it() -> None:
    with pytest.raises(PodnetError, match=r"still differs: remove bridge br1, change bridge br10: mtu 1500 -> 1450"):
        converge(Memory(BEFORE, AFTER, deaf=True), check_mode=False)


def test_a_file_name_that_is_not_text_can_be_printed() -> None:
    found = {"path": "/etc/cni/net.d/\udcff.conf", "files": [{"grün": 1}], "changed": False, "pairs": ("a", None)}
    assert printable(found) == {
        "path": "/etc/cni/net.d/\\udcff.conf",
        "files": [{"grün": 1}],
        "changed": False,
        "pairs": ["a", None],
    }


class Module:
    """What of Ansible's own module the engine uses."""

    _name = "m"
    check_mode = False
    argument_spec: t.ClassVar[dict[str, dict[str, t.Any]]] = {
        "name": {"type": "str", "required": True},
        "path": {"type": "path"},
        "dirs": {"type": "list", "elements": "path"},
        "state": {"type": "str"},
        "nodes": {"type": "dict"},
        "own": {"type": "str"},
        "checksum": {"type": "str"},
        "checksums": {"type": "dict"},
    }
    required_if = (("state", "present", ("nodes", "own")), ("state", "present", ("checksum", "checksums"), True))

    def __init__(self, **params: t.Any) -> None:
        self.params = {**dict.fromkeys(self.argument_spec), "name": "br1", "checksum": "a", **params}
        self.told: dict[str, t.Any] = {}

    def fail_json(self, **told: t.Any) -> None:
        self.told = {"failed": True, **told}
        raise SystemExit

    def exit_json(self, **told: t.Any) -> None:
        self.told = told
        raise SystemExit


def left_with(work: t.Callable[[], dict[str, t.Any]], **params: t.Any) -> dict[str, t.Any]:
    module = Module(**params)
    with pytest.raises(SystemExit):
        report(module, work)  # type: ignore[arg-type]
    return module.told


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"name": "a\0b"}, r'name: "a\u0000b" has a character that is none; write it without'),
        ({"nodes": {"a": [{"b": "\0"}]}}, r'nodes.a[0].b: "\u0000" has a character that is none; write it without'),
        ({"nodes": {"a\nb\0": 1}}, r'nodes."a\nb\u0000": "a\nb\u0000" has a character that is none; write it without'),
        ({"own": "\ud800"}, r'own: "\ud800" has a character that is none; write it without'),
        ({"own": "br\udcff"}, r'own: "br\udcff" has a character that is none; write it without'),
        ({"path": "a"}, "path: a is not an absolute path; write it from the root"),
        ({"dirs": ["/a", ""]}, 'dirs[1]: "" is not an absolute path; write it from the root'),
        ({"name": None}, "name: null is not given; give it a value, or see where its template gets it from"),
        (
            {"state": "present", "own": "a"},
            "nodes: null is not given; give it a value, or see where its template gets it from",
        ),
    ],
)
def test_options_that_no_module_can_use(params: dict[str, t.Any], says: str) -> None:
    assert left_with(dict, **params) == {"failed": True, "msg": says}


def test_of_two_options_one_may_be_enough() -> None:
    given = {"state": "present", "nodes": {}, "own": "a", "checksum": None}
    assert "failed" not in left_with(dict, **given, checksums={"amd64": "a"})
    assert left_with(dict, **given)["msg"].startswith("checksum: null is not given")


def failing(error: Exception) -> t.Callable[[], dict[str, t.Any]]:
    def work() -> dict[str, t.Any]:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            OSError(36, "File name too long", "/a\nb"),
            r'"/a\nb": File name too long; check that path, its mode and its disk',
        ),
        (OSError(28, "No space left on device"), "m: No space left on device; check that path, its mode and its disk"),
        (RecursionError(), "m: an option, or a file on the node, is nested too deeply; correct it"),
        (PodnetError("a\nb \x1b[31m\u2028\x00c"), r"a b \x1b[31m \x00c"),
    ],
)
def test_what_the_node_does_is_a_sentence_of_one_line(error: Exception, says: str) -> None:
    assert left_with(failing(error)) == {"failed": True, "msg": says}


def test_a_sentence_has_an_end() -> None:
    told = left_with(failing(PodnetError("a" * 100_000)))
    assert len(told["msg"]) == 4096
    assert told["msg"].endswith("…")


def test_a_resource_says_what_of_a_file_is_shown() -> None:
    class Secret(Memory):
        def shown(self, name: str, text: str) -> str:
            return f"{name} {len(text)}"

    assert converge(Secret(BEFORE, AFTER), check_mode=True)["diff"][0]["after"] == "file /a 4"
    unreadable = converge(Secret({"file /a": "old\n"}, {"file /a": {"content": "no text"}}), check_mode=True)
    assert unreadable["diff"] == [{"before": {"file /a": "file /a 4"}, "after": {"file /a": {"content": "no text"}}}]


@pytest.mark.parametrize("check_mode", [True, False])
def test_what_cannot_be_written_is_refused_before_anything_is_changed(tmp_path: Path, check_mode: bool) -> None:
    (tmp_path / "a").write_text("")
    resource = Memory({}, {"bridge br1": {}, f"plugin {tmp_path}/a/b": {}})
    with pytest.raises(PodnetError, match=f"^{tmp_path}/a/b: cannot be written"):
        converge(resource, check_mode)
    assert resource.applied == []


def test_names_that_end_in_a_path_are_of_files() -> None:
    names = ["file /etc/a b", "lock file /c", "route 10.12.2.0/24", "sysctl net/ipv4/conf/eth0.1/forwarding", "/d"]
    resource = Memory({}, {})
    assert resource.touches([Change(name, None, {}) for name in names]) == ["/etc/a b", "/c"]
