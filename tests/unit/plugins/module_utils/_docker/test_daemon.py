# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""daemon.json and a dockerd that is started and killed in thought: containers, restarts and systemd are made up.

The real dockerd is in the integration targets, systemd and running containers in the virtual machines.
"""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._docker import daemon, processes, service
from ansible_collections.mink8s.podnet.plugins.module_utils._docker.daemon import Daemon
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import converge
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

THEIRS = '{"data-root": "/srv/docker"}\n'
OURS = {"bridge": "none", "iptables": False}
CHANGE = 'change dockerd by a restart: bridge not set -> "none", iptables not set -> false'


class Node:
    """A directory, a dockerd that reads its file when it starts, and programs that answer."""

    def __init__(self, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file, self.record = base / "docker" / "daemon.json", base / "lib" / "record.json"
        self.file.parent.mkdir()
        self.file.write_text(THEIRS)
        self.unit = base / "units" / "docker.service"
        self.unit.parent.mkdir()
        self.unit.write_text(f"[Service]\nExecStart=/usr/bin/dockerd --config-file {self.file}\n")
        self.process: t.Optional[processes.Process] = None
        self.containers: list[str] = []
        self.refuses: list[str] = []
        self.validates: t.Optional[tuple[int, str]] = None
        self.calls: list[str] = []
        self.info: dict[str, t.Any] = {}
        programs = {"dockerd", "systemctl", "journalctl"}
        monkeypatch.setattr(daemon._programs, "which", lambda name: f"/usr/bin/{name}" if name in programs else None)
        monkeypatch.setattr(daemon.api, "info", lambda: self.info)
        monkeypatch.setattr(processes, "find_dockerd", lambda: self.process)
        monkeypatch.setattr(processes, "containers", lambda: self.containers)
        monkeypatch.setattr(daemon.service._units, "is_running", lambda: True)
        monkeypatch.setattr(daemon.checks._units, "UNIT_DIRS", (str(self.unit.parent),))
        monkeypatch.setattr(service, "reload", lambda process: self.calls.append(f"reload {process.pid}"))
        self.programs = programs

    def start(self) -> None:
        self.process = processes.Process(7, ("/usr/bin/dockerd", "--config-file", str(self.file)), 1.5e9)
        for path in (self.file, self.record):
            if path.exists():
                os.utime(path, (1e9, 1e9))

    def run(self, args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
        self.calls.append(" ".join(args[:2]).replace("/usr/bin/", ""))
        if args[1] == "--validate":
            status, text = self.validates or (125, "unknown flag: --validate\nSee 'dockerd --help'.")
            return status, "", text.replace("FILE", args[3])
        if args[1] == "restart":
            data = json.loads(self.file.read_text())
            if any(key in data for key in self.refuses):
                return 1, "", "Job for docker.service failed."
            self.start()
        if args[0].endswith("journalctl"):
            return 0, "failed to start daemon: bridge is bad\n", ""
        return 0, "", ""

    def converge(self, check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
        defaults = {"options": {}, "absent": [], "path": str(self.file), "record": str(self.record), "validate": True}
        given = {**defaults, "backup": False, "restart": "auto", "without_docker": "fail", "state": "present", **params}
        self.resource = Daemon(given, self.run)
        return converge(self.resource, check_mode)

    def texts(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in (self.file, self.record) if path.exists()}


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    return Node(tmp_path, monkeypatch)


def test_a_running_dockerd_is_restarted_once_and_gets_its_old_options_back(node: Node) -> None:
    node.start()
    told = node.converge(check_mode=True, options=OURS)
    assert node.calls == ["dockerd --validate"]
    assert told["actions"][-1] == CHANGE
    done = node.converge(options=OURS)
    assert done["actions"] == told["actions"]
    assert node.calls.count("systemctl restart") == 1
    assert not done["restart_needed"]
    assert not node.converge(options=OURS)["changed"]
    assert node.converge(state="absent")["changed"]
    assert node.calls.count("systemctl restart") == 2
    assert node.texts() == {"daemon.json": THEIRS}
    assert not node.converge(state="absent")["changed"]


def test_a_dockerd_that_does_not_run_is_not_started(node: Node) -> None:
    assert node.converge(options=OURS)["changed"]
    assert "systemctl restart" not in node.calls


def test_what_a_reload_takes_over_is_reloaded_and_its_removal_is_not(node: Node) -> None:
    node.start()
    done = node.converge(options={"labels": ["a=1"], "live-restore": True})
    assert done["actions"][-1].startswith("change dockerd by a reload: labels not set -> ")
    assert node.calls[1:] == ["reload 7"]
    assert node.converge(options={"live-restore": True})["actions"][-1].startswith(
        "change dockerd by a restart: labels "
    )


def test_running_containers_are_not_stopped_without_consent(node: Node) -> None:
    node.start()
    node.containers = ["0123456789abcdef", "1123456789abcdef"]
    before = node.texts()
    sentence = (
        r"would stop 2 running containers \(0123456789ab, 1123456789ab\); stop them first, or set restart to allowed"
    )
    with pytest.raises(PodnetError, match=sentence):
        node.converge(options=OURS)
    assert node.texts() == before
    assert node.converge(options={"labels": ["a=1"]})["changed"]
    node.converge(options=OURS, restart="never")
    assert "systemctl restart" not in node.calls
    assert node.converge(options=OURS, restart="allowed")["changed"]
    assert "systemctl restart" in node.calls


def test_containers_that_live_on_keep_the_old_network(node: Node) -> None:
    node.file.write_text('{"live-restore": true}\n')
    node.start()
    node.containers = ["0123456789abcdef"]
    with pytest.raises(PodnetError, match=r"1 running container .* would live through .* it keeps the old network"):
        node.converge(options=OURS)
    assert node.converge(options={"data-root": "/srv"})["changed"]
    node.converge(options={"data-root": "/srv", **OURS}, restart="allowed")
    assert "it keeps the old network, whatever bridge, iptables say" in node.resource.warnings[0]


def test_live_restore_counts_only_where_dockerd_has_it(node: Node) -> None:
    node.start()
    node.containers = ["0123456789abcdef"]
    assert node.converge(options={"live-restore": True}, restart="never")["changed"]
    with pytest.raises(PodnetError, match="would stop 1 running container"):
        node.converge(options={"live-restore": True, "log-driver": "local"})
    # A file that was written by hand may say anything; dockerd knows.
    node.info = {"LiveRestoreEnabled": True}
    assert node.converge(options={"live-restore": True, "log-driver": "local"})["changed"]
    node.info = {"LiveRestoreEnabled": False}
    with pytest.raises(PodnetError, match="would stop 1 running container"):
        node.converge(options={"data-root": "/srv/other"})


def test_what_is_in_force_is_what_dockerd_has_or_will_have(node: Node) -> None:
    assert node.converge(options=OURS, check_mode=True)["in_force"] == {}
    node.start()
    for check_mode in (True, False):
        told = node.converge(options=OURS, restart="never", check_mode=check_mode)["in_force"]
        assert (told["bridge"], told["iptables"]) == (None, None)
    for check_mode in (True, False):
        told = node.converge(options={**OURS, "labels": ["a=1"]}, check_mode=check_mode)["in_force"]
        assert (told["bridge"], told["iptables"], told["ip6tables"]) == ("none", False, None)


def test_a_file_that_dockerd_may_not_have_read_is_not_in_force(node: Node) -> None:
    node.start()
    node.file.write_text(json.dumps({**OURS, "mtu": 1400}))
    told = node.converge(options=OURS, restart="never", check_mode=True)
    assert (told["restart_needed"], told["in_force"]) == (True, {"bridge": None, "iptables": None})
    told = node.converge(options=OURS, check_mode=True)
    assert told["actions"][-1] == CHANGE
    assert (told["in_force"]["bridge"], told["in_force"]["mtu"]) == ("none", 1400)
    assert node.converge(options=OURS)["in_force"] == told["in_force"]
    assert node.resource.warnings == [
        f"{node.file}: was changed since dockerd was started, so bridge, iptables may not be in force yet"
    ]
    assert node.calls.count("systemctl restart") == 1
    assert not node.converge(options=OURS)["changed"]


def test_a_restart_for_a_file_that_others_wrote_is_needed_until_it_is_made(node: Node) -> None:
    node.start()
    node.file.write_text(json.dumps(OURS))
    for _run in range(2):
        told = node.converge(options=OURS, restart="never")
        assert (told["restart_needed"], told["in_force"]) == (True, {"bridge": None, "iptables": None})
    node.start()
    told = node.converge(options=OURS, restart="never")
    assert (told["restart_needed"], told["in_force"]["bridge"]) == (False, "none")


def test_what_others_write_beside_our_keys_needs_no_restart_and_is_not_told_as_in_force(node: Node) -> None:
    node.start()
    node.converge(options={"bridge": "none"})
    node.file.write_text(json.dumps({"bridge": "none", "iptables": False}))
    for check_mode in (True, False):
        told = node.converge(options={"bridge": "none", "labels": ["a=1"]}, check_mode=check_mode)
        assert "by a reload" in told["actions"][-1]
        assert told["in_force"] == {"bridge": "none"}
    assert node.calls.count("systemctl restart") == 1


def others_write(node: Node, text: str) -> None:
    """Somebody writes the file anew, some time after our record was complete, and lets dockerd run on."""
    node.file.write_text(text)
    later = node.record.stat().st_mtime + 1
    os.utime(node.file, (later, later))


def test_a_dockerd_that_we_restarted_has_our_keys_though_others_wrote_the_file_anew(node: Node) -> None:
    node.start()
    node.converge(options=OURS)
    others_write(node, THEIRS)
    node.containers = ["0123456789abcdef"]
    told = node.converge(options=OURS, check_mode=True)
    done = node.converge(options=OURS)
    assert done["actions"] == told["actions"]
    assert [action for action in done["actions"] if "dockerd by" in action] == []
    assert node.calls.count("systemctl restart") == 1
    assert (done["in_force"]["bridge"], done["restart_needed"]) == ("none", False)
    assert not node.converge(options=OURS)["changed"]


def test_a_dockerd_that_has_our_keys_is_restarted_to_be_without_them(node: Node) -> None:
    node.start()
    node.converge(options=OURS)
    others_write(node, THEIRS)
    assert node.converge(state="absent")["actions"][-1] == (
        'change dockerd by a restart: bridge "none" -> not set, iptables false -> not set'
    )
    assert not node.converge(state="absent")["changed"]
    assert node.texts() == {"daemon.json": THEIRS}


def test_a_dockerd_that_others_restarted_with_their_file_has_not_our_keys(node: Node) -> None:
    node.start()
    node.converge(options=OURS)
    node.file.write_text(THEIRS)
    node.start()
    assert node.converge(options=OURS)["actions"][-1] == CHANGE


def test_what_a_dockerd_was_not_told_it_does_not_have_whatever_others_wrote(node: Node) -> None:
    node.start()
    node.converge(options=OURS, restart="never")
    others_write(node, THEIRS)
    assert node.converge(options=OURS, restart="never")["restart_needed"]
    others_write(node, THEIRS)
    assert node.converge(options=OURS)["actions"][-1] == CHANGE


def test_a_value_that_a_reload_may_have_replaced_is_told_again(node: Node) -> None:
    node.start()
    node.converge(options={"labels": ["a=1"]})
    others_write(node, THEIRS)
    assert node.converge(options={"labels": ["a=1"]})["actions"][-1].startswith("change dockerd by a reload: labels")


@pytest.mark.parametrize("existed", [True, False])
def test_a_dockerd_that_does_not_start_gets_its_old_file_back(node: Node, existed: bool) -> None:
    if not existed:
        node.file.unlink()
    else:
        node.file.chmod(0o600)
    node.start()
    before = node.texts()
    node.refuses = ["bridge"]
    sentence = (
        r"daemon.json: dockerd does not start with the new options \(failed to start daemon: bridge is bad\); the old "
        "file is back and dockerd "
    )
    if not existed:
        node.file.parent.joinpath("x").write_text("")
    with pytest.raises(PodnetError, match=sentence):
        converge_or_missing(node)
    assert node.texts() == before
    assert not existed or node.file.stat().st_mode & 0o777 == 0o600


def converge_or_missing(node: Node) -> None:
    """A dockerd without a file starts, too."""
    run = node.run

    def lenient(args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
        return (0, "", "") if args[1] == "restart" and not node.file.exists() else run(args, data)

    node.run = lenient  # type: ignore[method-assign]
    node.converge(options=OURS)


def test_a_restart_that_is_left_to_others_is_needed_until_it_is_made(node: Node) -> None:
    node.start()
    assert node.converge(options=OURS, restart="never")["restart_needed"]
    again = node.converge(options=OURS, restart="never")
    assert (again["changed"], again["restart_needed"]) == (False, True)
    # Who may restart makes up for it, with the same sentence.
    assert node.converge(check_mode=True, options=OURS)["actions"][-1] == CHANGE
    node.start()
    last = node.converge(options=OURS, restart="never")
    assert (last["changed"], last["restart_needed"]) == (False, False)


def test_a_run_that_was_killed_before_the_restart_is_made_up_for(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.start()

    def killed(_run: t.Any) -> t.NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(service, "restart", killed)
        with pytest.raises(KeyboardInterrupt):
            node.converge(options=OURS)
    others_write(node, THEIRS)
    assert node.converge(options=OURS)["actions"][-1] == CHANGE
    assert node.calls.count("systemctl restart") == 1
    assert not node.converge(options=OURS)["changed"]


@pytest.mark.parametrize("at", ["daemon.json", "record.json"])
@pytest.mark.parametrize("then", [{"state": "absent"}, {"options": {"bridge": "br1", "debug": True}}])
def test_a_run_that_was_killed_before_or_after_the_file_forgets_nothing(
    node: Node, monkeypatch: pytest.MonkeyPatch, at: str, then: dict[str, t.Any]
) -> None:
    node.converge(options=OURS)
    put = daemon._put

    def killed(path: str, place: daemon.Place) -> None:
        if path.endswith(at):
            raise KeyboardInterrupt
        put(path, place)

    with monkeypatch.context() as patch:
        patch.setattr(daemon, "_put", killed)
        with pytest.raises(KeyboardInterrupt):
            node.converge(options={"bridge": "br1", "debug": True})
    node.converge(**then)
    assert node.resource.warnings == []
    assert json.loads(node.file.read_text()) == {**json.loads(THEIRS), **then.get("options", {})}
    assert not node.converge(**then)["changed"]
    node.converge(state="absent")
    assert node.texts() == {"daemon.json": THEIRS}


def test_dockerd_itself_refuses_where_it_can(node: Node) -> None:
    node.validates = (1, "unable to configure the Docker daemon with file FILE: invalid value")
    with pytest.raises(PodnetError, match=rf"options: dockerd refuses the new {node.file} .unable .* invalid"):
        node.converge(options=OURS)
    assert node.texts() == {"daemon.json": THEIRS}
    assert node.converge(options=OURS, validate=False)["changed"]


def test_without_docker(node: Node) -> None:
    node.programs.discard("dockerd")
    with pytest.raises(PodnetError, match=r"dockerd: there is no such program .* set without_docker to skip or write"):
        node.converge(options=OURS)
    node.file.write_text("not JSON")
    skipped = node.converge(options=OURS, without_docker="skip")
    assert (skipped["changed"], skipped["installed"]) == (False, False)
    node.file.unlink()
    assert node.converge(options=OURS, without_docker="write")["changed"]
    assert node.converge(state="absent")["changed"]
    assert node.texts() == {}


def test_a_key_that_others_changed_is_put_right_and_one_that_they_took_over_is_left(node: Node) -> None:
    node.converge(options=OURS)
    node.file.write_text(node.file.read_text().replace('"none"', '"br1"'))
    assert node.converge(options=OURS)["changed"]
    node.file.write_text(node.file.read_text().replace('"none"', '"br1"'))
    node.converge(state="absent")
    assert json.loads(node.file.read_text()) == {"data-root": "/srv/docker", "bridge": "br1"}
    assert len(node.resource.warnings) == 1


@pytest.mark.parametrize("text", ["", "\n", " \n\t"])
def test_a_file_of_white_space_comes_back_as_it_was(node: Node, text: str) -> None:
    node.file.write_text(text)
    node.converge(options=OURS)
    node.converge(state="absent")
    assert node.texts() == {"daemon.json": text}
    assert not node.converge(absent=["mtu"])["changed"]
    assert node.texts() == {"daemon.json": text}


def test_what_others_have_indented_anew_stays_so(node: Node) -> None:
    node.file.write_text('{"labels": ["a", "b"], "bridge": "br1"}')
    node.converge(options=OURS)
    anew = json.dumps(json.loads(node.file.read_text()), indent=3)
    node.file.write_text(anew)
    node.converge(state="absent")
    found = node.texts()["daemon.json"]
    assert json.loads(found) == {"labels": ["a", "b"], "bridge": "br1"}
    assert found.partition("]")[0] == anew.partition("]")[0]


def test_a_record_of_something_else_is_refused(node: Node) -> None:
    node.converge(options=OURS)
    other = node.file.with_name("daemon.json10")
    with pytest.raises(PodnetError, match=f"record: {node.record} is about {node.file}, not {other}"):
        node.converge(options=OURS, path=str(other))


def test_what_others_have_in_the_file_is_not_in_the_diff(node: Node) -> None:
    """Such as a proxy's password; the record, which only root can read, holds the whole file."""
    proxies = {"http-proxy": "http://user:S3cret@192.0.2.7:3128"}
    node.file.write_text(json.dumps({"proxies": proxies, "bridge": "docker0"}, indent=1))
    for check in (True, False):
        told = node.converge(check, options=OURS)
        assert "S3cret" not in json.dumps(told)
        assert '"bridge": "none"' in json.dumps(told["diff"]).replace("\\", "")
    assert "S3cret" in node.record.read_text()
    assert node.record.stat().st_mode & 0o777 == 0o600
    told = node.converge(check_mode=True, options={"iptables": True})
    assert node.converge(options={"iptables": True})["diff"] == told["diff"]
    assert "S3cret" not in json.dumps(node.converge(state="absent"))


@pytest.mark.parametrize(
    "change",
    [
        {"original": 7},
        {"original": "{"},
        {"keys": {"bridge": {"ours": 7, "before": None}}},
        {"keys": {"bridge": {"ours": '"none"', "before": "{"}}},
        {"in_force": {"bridge": []}},
        {"in_force": None},
        {"keys": {"bridge": []}},
    ],
)
def test_a_record_that_this_module_did_not_write_is_refused(node: Node, change: dict[str, t.Any]) -> None:
    node.converge(options=OURS)
    record = {**json.loads(node.record.read_text()), **change}
    node.record.write_text(json.dumps(record))
    with pytest.raises(PodnetError, match="is not a record of this module; move it away"):
        node.converge(state="absent")
