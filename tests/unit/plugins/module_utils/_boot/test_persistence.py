# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a running systemd is told, by a systemctl that keeps which units are active; files are real ones."""

from __future__ import annotations

import fnmatch
import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _programs
from ansible_collections.mink8s.podnet.plugins.module_utils._boot import guards
from ansible_collections.mink8s.podnet.plugins.module_utils._boot.options import Options
from ansible_collections.mink8s.podnet.plugins.module_utils._boot.persistence import Persistence
from ansible_collections.mink8s.podnet.plugins.module_utils._boot.systemctl import Systemctl
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import converge
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

BRIDGE = ("/sbin/ip", "-force", "-batch", "/etc/podnet/bridge")
ROUTES = ("/sbin/ip", "-force", "-batch", "/etc/podnet/routes")


class Node:
    """A root, and a systemd that runs there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.active: set[str] = set()
        self.outdated = False
        self.refuses: str | None = None
        self.calls: list[str] = []
        for service in ("systemd", "system/systemd-udevd.service", "system/NetworkManager.service"):
            path = root / "usr/lib/systemd" / service
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def systemctl(self, args: list[str], data: str | None = None) -> tuple[int, str, str]:
        assert data is None
        verb, *words = args[1:]
        names = [word for word in words if not word.startswith("--")]
        if verb == "show":
            state = {True: "active", False: "failed"}
            reload = "yes" if self.outdated else "no"
            blocks = [
                f"Id={name}\nActiveState={state[name in self.active]}\nNeedDaemonReload={reload}" for name in names
            ]
            return 0, "\n\n".join(blocks) + "\n", ""
        self.calls.append(" ".join([verb, *names]))
        if self.refuses in names:
            return 1, "", f"Job for {names[0]} failed.\nSee systemctl status.\n"
        self.active |= set(names) if verb == "start" else set()
        self.active -= set(names) if verb == "stop" else set()
        self.outdated = self.outdated and verb != "daemon-reload"
        return 0, "", ""

    def run(self, check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
        options = {"bridge": "br1", "loaders": (BRIDGE,), "repeated": (ROUTES,), "interval": 30, "root": str(self.root)}
        resource = Persistence(Options(**{**options, **given}), self.systemctl)
        resource._systemctl.runs = True
        return converge(resource, check_mode)


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    monkeypatch.setattr(_programs, "which", lambda name: f"/bin/{name}")
    return Node(tmp_path)


def test_there_and_back(node: Node) -> None:
    told = node.run(check_mode=True)
    assert node.calls == []
    made = node.run()
    assert made["actions"] == told["actions"]
    assert "create unit podnet.service (active yes)" in made["actions"]
    assert node.calls == [
        "reload NetworkManager.service",
        "daemon-reload",
        "start podnet.service",
        "start podnet-routes.timer",
    ]
    assert not node.run()["changed"]
    node.calls.clear()
    assert node.run(bridge=None, loaders=(), repeated=())["changed"]
    assert node.calls == [
        "stop podnet.service podnet-routes.service podnet-routes.timer",
        "reload NetworkManager.service",
        "daemon-reload",
        "reset-failed podnet.service",
        "reset-failed podnet-routes.service",
        "reset-failed podnet-routes.timer",
    ]
    assert [path for path in (node.root / "etc").rglob("*") if not path.is_dir()] == []
    assert not node.run(bridge=None)["changed"]


def test_a_unit_that_failed_is_started_again_and_says_why_it_cannot(node: Node) -> None:
    node.run()
    node.active.remove("podnet.service")
    node.refuses = "podnet.service"
    with pytest.raises(PodnetError, match=r"^podnet.service: systemd could not start it \(Job for .*systemctl status"):
        node.run()
    node.refuses = None
    assert node.run()["actions"] == ["create unit podnet.service (active yes)"]


def test_guards_are_read_also_where_a_unit_cannot_be_started(node: Node) -> None:
    """The next run has no reason to tell of them."""
    node.refuses = "podnet.service"
    with pytest.raises(PodnetError):
        node.run()
    assert "reload NetworkManager.service" in node.calls


def test_a_systemd_that_knows_an_older_unit_is_told(node: Node) -> None:
    node.run()
    node.outdated = True
    assert node.run()["actions"] == [
        "change unit podnet.service: outdated yes -> no",
        "change unit podnet-routes.timer: outdated yes -> no",
    ]
    assert not node.run()["changed"]


def test_without_routes_the_timer_goes(node: Node) -> None:
    node.run()
    node.calls.clear()
    assert node.run(repeated=())["changed"]
    assert node.calls[0] == "stop podnet-routes.service podnet-routes.timer"
    assert node.active == {"podnet.service"}


def test_another_root_than_the_running_ones_is_left_to_its_own_systemd(tmp_path: Path) -> None:
    assert not Systemctl(lambda *_: (1, "", ""), str(tmp_path)).runs


@pytest.mark.parametrize(
    ("name", "ours"),
    [("br1", True), ("br10", False), ("br", False), ("veth0123abcd", True), ("veth0123abc", False), ("vethx", False)],
)
def test_guards_name_our_links_alone(node: Node, name: str, ours: bool) -> None:
    (node.root / "usr/lib/systemd/system/systemd-networkd.service").touch()
    texts = guards.texts(str(node.root), "br1")
    for path, key in ((guards.LINK, "OriginalName"), (guards.NETWORK, "Name")):
        patterns = re.findall(f"^{key}=(.*)$", texts[path], re.MULTILINE)[0].split()
        assert any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns) == ours
    specs = texts[guards.NETWORKMANAGER].split("unmanaged-devices+=")[1].strip().split(";")
    assert any(fnmatch.fnmatchcase(name, spec.split(":")[1].lstrip("=")) for spec in specs) == ours


def test_a_guard_is_written_only_where_its_service_is(node: Node) -> None:
    assert list(guards.texts(str(node.root), "br1")) == [guards.LINK, guards.NETWORKMANAGER]
