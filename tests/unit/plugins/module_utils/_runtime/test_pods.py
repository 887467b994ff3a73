# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods of an older configuration, ended one after another on a runtime whose kubelet makes them again, or does not."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import attachments
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import converge
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import cri, flagged, pods

NEW = {"cniVersion": "1.0.0", "name": "podnet", "plugins": [{"type": "bridge", "mtu": 1450}]}
OLD = {**NEW, "plugins": [{"type": "bridge"}]}


class Runtime:
    """Sandboxes, and who is attached with what."""

    def __init__(self) -> None:
        self.sandboxes: dict[str, str] = {}
        self.config: dict[str, t.Any] = {}
        self.comes_back = True
        self.now: dict[str, t.Any] = NEW
        self.ended: list[str] = []
        self.problems: list[PodnetError] = []

    def add(self, identifier: str, pod: str, config: dict[str, t.Any]) -> None:
        self.sandboxes[identifier] = pod
        self.config[identifier] = config

    def listed(self, _sockets: t.Any = ()) -> cri.Listing:
        found = [cri.Sandbox(identifier, pod, True, "/sock") for identifier, pod in self.sandboxes.items()]
        return cri.Listing(found, self.problems)

    def attached(self, network: str) -> list[attachments.Attachment]:
        assert network == "podnet"
        return [
            attachments.Attachment(
                identifier, "eth0", "/", identifier != "dead", [], config, "dns/pod" * (identifier == "silent")
            )
            for identifier, config in self.config.items()
        ]

    def remove(self, sandbox: cri.Sandbox, _timeout: float) -> None:
        self.ended.append(sandbox.id)
        pod = self.sandboxes.pop(sandbox.id)
        del self.config[sandbox.id]
        if self.comes_back:
            self.add(f"{sandbox.id}-again", pod, self.now)


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    (tmp_path / "10-podnet.conflist").write_text(json.dumps(NEW))
    found = Runtime()
    monkeypatch.setattr(cri, "sandboxes", found.listed)
    monkeypatch.setattr(cri, "remove", found.remove)
    monkeypatch.setattr(attachments, "attachments", found.attached)
    monkeypatch.setattr(pods, "PAUSE", 0.01)
    return found


def test_one_after_another(runtime: Runtime, tmp_path: Path) -> None:
    for identifier, pod, config in [("a", "dns/a", OLD), ("b", "dns/b", NEW), ("c", "dns/c", OLD)]:
        runtime.add(identifier, pod, config)
    runtime.add("d", "dns/d", {**NEW, "cniVersion": "0.4.0"})
    predicted = converge(pods.StalePods("podnet", str(tmp_path), 5), True)
    assert runtime.ended == []
    done = converge(pods.StalePods("podnet", str(tmp_path), 5), False)
    assert done["actions"] == predicted["actions"] == ["remove pod dns/c (c)", "remove pod dns/a (a)"]
    assert runtime.ended == ["c", "a"]
    assert converge(pods.StalePods("podnet", str(tmp_path), 5), False)["changed"] is False


@pytest.mark.parametrize("only_detached", [True, False])
def test_one_that_others_end_meanwhile_is_not_waited_for(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, only_detached: bool
) -> None:
    for identifier in "abc":
        runtime.add(identifier, f"dns/{identifier}", OLD)

    def remove(sandbox: cri.Sandbox, timeout: float) -> None:
        runtime.remove(sandbox, timeout)
        runtime.config.pop("b", None)
        if not only_detached:
            runtime.sandboxes.pop("b", None)

    monkeypatch.setattr(cri, "remove", remove)
    assert converge(pods.StalePods("podnet", str(tmp_path), 1), False)["changed"] is True
    assert runtime.ended == ["c", "a"]


def test_one_that_does_not_come_back(runtime: Runtime, tmp_path: Path) -> None:
    for identifier in "abc":
        runtime.add(identifier, f"dns/{identifier}", OLD)
    runtime.comes_back = False
    with pytest.raises(
        PodnetError, match=r"pod dns/c: did not come back within 1 seconds; .*; not touched: dns/b \(b\), dns/a"
    ):
        converge(pods.StalePods("podnet", str(tmp_path), 1), False)
    assert runtime.ended == ["c"]


def test_one_that_comes_back_as_it_was(runtime: Runtime, tmp_path: Path) -> None:
    runtime.add("a", "dns/a", OLD)
    runtime.add("b", "dns/b", OLD)
    runtime.now = OLD
    with pytest.raises(
        PodnetError, match="came back under the older configuration; the runtime has not loaded the new one"
    ):
        converge(pods.StalePods("podnet", str(tmp_path), 5), False)
    assert len(runtime.ended) == 1


def test_who_is_no_pod_is_left(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config.update({"ctr": OLD, "dead": OLD})
    made = pods.StalePods("podnet", str(tmp_path), 5)
    done = converge(made, False)
    assert (done["changed"], [entry["container_id"] for entry in done["left"]]) == (False, ["ctr"])
    assert made.warnings[0].startswith(
        "container ctr was attached under an older configuration (bridge.mtu) and is no pod"
    )


def test_a_pod_of_a_runtime_that_does_not_answer_is_not_left(runtime: Runtime, tmp_path: Path) -> None:
    runtime.config["ctr"] = OLD
    runtime.problems = [PodnetError("/sock: no answer; see its journal")]
    assert converge(pods.StalePods("podnet", str(tmp_path), 5), True)["left"] != []
    runtime.config["silent"] = OLD
    for check in (True, False):
        with pytest.raises(PodnetError, match="/sock: no answer; see its journal"):
            converge(pods.StalePods("podnet", str(tmp_path), 5), check)


def test_the_kubelets_runtime_is_asked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flagged, "endpoint", lambda _run: "/run/k8s/containerd.sock")
    assert pods.sockets(lambda *_args: (0, "", "")) == [*cri.SOCKETS, "/run/k8s/containerd.sock"]
    monkeypatch.setattr(flagged, "endpoint", lambda _run: cri.SOCKETS[2])
    assert pods.sockets(lambda *_args: (0, "", "")) == list(cri.SOCKETS)


@pytest.mark.parametrize("broken", [{"plugins": []}, {"plugins": None, "plugin": NEW["plugins"]}])
def test_a_file_that_no_runtime_can_load_ends_no_pod(
    runtime: Runtime, tmp_path: Path, broken: dict[str, t.Any]
) -> None:
    runtime.add("a", "dns/a", OLD)
    (tmp_path / "10-podnet.conflist").write_text(json.dumps({**NEW, **broken}))
    says = f"{tmp_path}/10-podnet.conflist: has no list of plugins, so that no pod could come back; correct it first"
    for check in (True, False):
        with pytest.raises(PodnetError, match=f"^{says}$"):
            converge(pods.StalePods("podnet", str(tmp_path), 5), check)
    assert runtime.ended == []


def test_a_file_that_is_broken_meanwhile_ends_no_further_pod(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for identifier in "abc":
        runtime.add(identifier, f"dns/{identifier}", OLD)

    def remove(sandbox: cri.Sandbox, timeout: float) -> None:
        runtime.remove(sandbox, timeout)
        (tmp_path / "10-podnet.conflist").write_text(json.dumps({**NEW, "plugins": []}))

    monkeypatch.setattr(cri, "remove", remove)
    with pytest.raises(
        PodnetError, match=r"has no list of plugins, .*; correct it first; not touched: dns/b \(b\), dns/a"
    ):
        converge(pods.StalePods("podnet", str(tmp_path), 1), False)
    assert runtime.ended == ["c"]


def test_without_a_file_there_is_nothing_to_compare(runtime: Runtime, tmp_path: Path) -> None:
    runtime.add("a", "dns/a", OLD)
    (tmp_path / "10-podnet.conflist").unlink()
    assert converge(pods.StalePods("podnet", str(tmp_path), 5), False)["changed"] is False
    with pytest.raises(OptionError, match="timeout: 0 is no time"):
        pods.StalePods("podnet", str(tmp_path), 0)
