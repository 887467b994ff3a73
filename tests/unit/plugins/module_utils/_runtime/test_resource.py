# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole of it on a node of files: a kubelet and a systemd that do what theirs do."""

from __future__ import annotations

import base64
import json
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _programs
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import attachments
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import converge
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import (
    cri,
    flagged,
    resource,
    services,
    survey,
)

HELP = """\
      --cni-bin-dir string         A list. (default "/opt/cni/bin")
      --cni-conf-dir string        The directory. (default "/etc/cni/net.d")
      --container-runtime string   The runtime. (default "docker")
      --network-plugin string      The name of the network plugin.
"""
CONFIG = {"cniVersion": "1.0.0", "name": "podnet", "plugins": [{"type": "bridge", "bridge": "podnet0"}]}


class Node:
    """A node with a kubelet that runs with what systemd had loaded of its unit at its last start."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.calls: list[str] = []
        self.active = "active"
        #: What systemd says when it is to start the kubelet with our flags, and with those of before.
        self.breaks = self.is_broken = False
        self.loaded: list[str] = []
        self.started_with: list[str] = []
        self.write("lib/kubelet.service", f"[Service]\nExecStart={root}/bin/kubelet --v=2\n")
        self.write("lib/kubelet10.service", "[Service]\nExecStart=/bin/false\n")
        self.write("etc/kubelet.service.d/10-theirs.conf", "[Service]\nEnvironment=A=B\n")
        self.write("bin/kubelet", "")
        (root / "bin/kubelet").chmod(0o755)
        (root / "cache").mkdir()
        (root / "net.d").mkdir()
        self.reload()
        self.start()

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def reload(self) -> None:
        self.loaded = flagged._units.load("kubelet.service").arguments

    def start(self) -> None:
        self.started_with = self.loaded

    def run(self, args: list[str], data: str | None = None) -> tuple[int, str, str]:
        if args[1:] == ["--help"]:
            return 0, HELP, ""
        if args[:2] == ["systemctl", "show"]:
            return 0, f"MainPID={42 if self.active == 'active' else 0}\nActiveState={self.active}\n", ""
        if args[0] == "journalctl":
            assert "--unit=kubelet.service" in args
            return 0, "first\nF1 server.go: unknown flag\n", ""
        self.calls.append(" ".join(args[1:]))
        if args[1] == "daemon-reload":
            self.reload()
        if args[1] == "reset-failed":
            self.active = "inactive"
        if args[1] == "restart":
            return self.restart()
        return 0, "", ""

    def restart(self) -> tuple[int, str, str]:
        """What systemd does: a start that fails leaves the unit failed, and it is not started again just like that."""
        if self.active == "failed":
            return 1, "", "Start request repeated too quickly."
        self.start()
        ours = "--network-plugin=cni" in self.started_with
        self.active = "failed" if self.is_broken or (self.breaks and ours) else "active"
        return (0, "", "") if self.active == "active" else (1, "", "Job for kubelet.service failed.")

    def resource(self, **options: t.Any) -> resource.CniRuntime:
        defaults: dict[str, t.Any] = {
            "network": "podnet",
            "conf_dir": str(self.root / "net.d"),
            "bin_dirs": ["/usr/lib/cni"],
            "require_loaded": False,
            "allow_orphans": False,
            "state": "present",
        }
        return resource.CniRuntime({**defaults, **options}, self.run)

    def converge(self, check_mode: bool = False, **options: t.Any) -> dict[str, t.Any]:
        return converge(self.resource(**options), check_mode)

    def files(self) -> dict[str, str]:
        return {str(path.relative_to(self.root)): path.read_text() for path in self.root.glob("*/**/*.conf")}

    def attach(self, name: str, config: dict[str, t.Any]) -> None:
        entry = {
            "kind": "cniCacheV1",
            "containerId": f"{name}0123456789",
            "config": base64.b64encode(json.dumps(config).encode()).decode(),
            "ifName": "eth0",
            "networkName": "podnet",
            "netns": "/proc/self/ns/net",
            "cniArgs": [["K8S_POD_NAMESPACE", "dns"], ["K8S_POD_NAME", name]],
        }
        self.write(f"cache/podnet-{name}-eth0", json.dumps(entry))


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    (tmp_path / "systemd").mkdir()
    monkeypatch.setattr(flagged._units, "UNIT_DIRS", (str(tmp_path / "etc"), str(tmp_path / "lib")))
    monkeypatch.setattr(flagged, "ETC", str(tmp_path / "etc"))
    monkeypatch.setattr(services._units, "BOOTED", str(tmp_path / "systemd"))
    monkeypatch.setattr(services, "STEADY", 0.0)
    monkeypatch.setattr(services, "PAUSE", 0.01)
    monkeypatch.setattr(resource, "PATIENCE", 0.0)
    monkeypatch.setattr(survey, "CRIO_DIR", str(tmp_path / "crio"))
    monkeypatch.setattr(_programs, "which", lambda _name: None)
    found = Node(tmp_path)
    monkeypatch.setattr(flagged, "_cmdline", lambda pid: found.started_with if pid == 42 else [])
    # The default of its parameter was taken when it was defined.
    asked = attachments.attachments
    monkeypatch.setattr(attachments, "attachments", lambda network: asked(network, [str(tmp_path / "cache")]))
    return found


def drop_in(node: Node) -> str:
    return f"file {node.root}/etc/kubelet.service.d/99-zz-podnet.conf"


def test_there_and_back(node: Node) -> None:
    before = node.files()
    predicted = node.converge(check_mode=True)
    assert node.files() == before
    assert node.calls == []
    done = node.converge()
    assert done["actions"] == predicted["actions"]
    assert done["actions"][0] == f"create {drop_in(node)}"
    assert done["actions"][1].startswith("change process kubelet: network_plugin  -> cni, conf_dir /etc/cni/net.d -> ")
    assert node.calls == ["daemon-reload", "restart kubelet.service"]
    assert done["restarted"] == ["kubelet.service"]
    assert node.started_with[-3:] == [
        "--network-plugin=cni",
        f"--cni-conf-dir={node.root}/net.d",
        "--cni-bin-dir=/usr/lib/cni",
    ]
    assert node.converge()["changed"] is False
    changed = node.converge(bin_dirs=["/opt/cni/bin/"])
    assert changed["actions"][1] == "change process kubelet: bin_dirs [/usr/lib/cni] -> [/opt/cni/bin]"
    assert node.converge(bin_dirs=["/opt/cni/bin"])["changed"] is False
    node.calls.clear()
    assert node.converge(state="absent")["actions"][0] == f"remove {drop_in(node)}"
    assert node.calls == ["daemon-reload", "restart kubelet.service"]
    assert node.files() == before
    assert node.converge(state="absent")["changed"] is False
    assert node.started_with == [f"{node.root}/bin/kubelet", "--v=2"]


def test_a_link_is_not_replaced_by_a_file(node: Node) -> None:
    node.converge()
    place = node.root / "etc/kubelet.service.d/99-zz-podnet.conf"
    place.rename(node.root / "elsewhere")
    place.symlink_to(node.root / "elsewhere")
    assert node.converge()["changed"] is False
    for check in (True, False):
        for options in ({"state": "absent"}, {"bin_dirs": ["/x"]}):
            with pytest.raises(PodnetError, match=f"{place}: is a symbolic link to .*; put the file itself in its pl"):
                node.converge(check, **options)
    assert place.is_symlink()


def test_a_file_keeps_its_mode_and_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[t.Any, ...]] = []
    monkeypatch.setattr(resource._files, "write_atomically", lambda *args: written.append(args))
    there, new = tmp_path / "there", str(tmp_path / "new")
    there.write_text("")
    there.chmod(0o640)
    found = there.stat()
    resource._write({str(there): "a", new: "b"})
    assert written == [(str(there), "a", 0o640, (found.st_uid, found.st_gid)), (new, "b", 0o644, None)]


@pytest.mark.parametrize("call", ["daemon-reload", "restart"])
def test_a_restart_that_was_forgotten(node: Node, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    plain = node.run

    def killed(args: list[str], data: str | None = None) -> tuple[int, str, str]:
        if args[1] == call:
            raise KeyboardInterrupt
        return plain(args, data)

    monkeypatch.setattr(node, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        node.converge()
    monkeypatch.setattr(node, "run", plain)
    node.calls.clear()
    done = node.converge()
    assert [action.partition(":")[0] for action in done["actions"]] == ["change process kubelet"]
    assert node.calls == ["daemon-reload", "restart kubelet.service"]
    assert node.converge()["changed"] is False


def test_what_others_have_changed_without_a_reload_is_loaded_before_the_restart(node: Node) -> None:
    flags = f"--network-plugin=cni --cni-conf-dir={node.root}/net.d --cni-bin-dir=/usr/lib/cni"
    theirs = f"[Service]\nExecStart=\nExecStart={node.root}/bin/kubelet {flags}\n"
    node.write("etc/kubelet.service.d/10-theirs.conf", theirs)
    done = node.converge()
    assert [action.partition(":")[0] for action in done["actions"]] == ["change process kubelet"]
    assert node.started_with[1:] == flags.split()
    assert node.converge()["changed"] is False


def test_a_restart_that_fails(node: Node) -> None:
    before = node.files()
    node.breaks = True
    with pytest.raises(
        PodnetError,
        match=r"restart kubelet.service failed: F1 server.go: unknown flag; the files are as they were, and "
        r"kubelet.service runs again$",
    ):
        node.converge()
    assert node.files() == before
    restart = "restart kubelet.service"
    assert node.calls == ["daemon-reload", restart, "daemon-reload", "reset-failed kubelet.service", restart]
    assert (node.active, node.started_with) == ("active", [f"{node.root}/bin/kubelet", "--v=2"])


def test_a_restart_that_fails_with_the_former_files_too(node: Node) -> None:
    before = node.files()
    node.is_broken = True
    with pytest.raises(
        PodnetError,
        match=r"; the files are as they were, and kubelet.service does not run with them either \(systemctl restart "
        r"kubelet.service failed: F1 server.go: unknown flag\), see its journal and start it yourself$",
    ):
        node.converge()
    assert (node.files(), node.active) == (before, "failed")


def test_one_that_waits_for_something_is_only_started_again(node: Node) -> None:
    node.active = "activating"
    node.breaks = True
    with pytest.raises(PodnetError, match=r"as they were, and kubelet.service is started again$"):
        node.converge()


def test_what_was_not_yet_restarted_is_left_alone(node: Node) -> None:
    plain = node.run

    def run(args: list[str], data: str | None = None) -> tuple[int, str, str]:
        return (1, "", "no bus") if args[1] == "daemon-reload" else plain(args, data)

    node.run = run  # type: ignore[method-assign]
    with pytest.raises(
        PodnetError,
        match=r"daemon-reload failed: no bus; the files are as they were, and systemd has not read them \(systemctl "
        r"daemon-reload failed: no bus\)$",
    ):
        node.converge()
    assert node.calls == []


def test_a_service_that_does_not_stay_up(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PATIENCE", 0.1)
    found = services.Services(
        lambda args, _data=None: (0, "MainPID=1\nActiveState=active\n", "") if args[1] == "show" else node.run(args)
    )
    states = iter(["activating", "failed"])
    monkeypatch.setattr(found, "show", lambda _unit: services.Service(next(states), 0))
    with pytest.raises(PodnetError, match=r"kubelet.service does not stay up after its restart: F1 server.go"):
        found.restart("kubelet.service", "active")


def test_a_kubelet_that_does_not_run(node: Node) -> None:
    node.active = "inactive"
    made = node.resource()
    assert converge(made, False)["actions"] == [f"create {drop_in(node)}"]
    assert node.calls == ["daemon-reload"]
    assert made.warnings == ["kubelet.service does not run (inactive): it will use the new settings when started"]


def test_no_systemd(node: Node) -> None:
    (node.root / "systemd").rmdir()
    made = node.resource()
    assert converge(made, False)["actions"] == [f"create {drop_in(node)}"]
    assert node.calls == []
    assert made.warnings == ["systemd does not run here: kubelet.service will use the new settings when started"]


def test_what_is_loaded_is_never_claimed(node: Node) -> None:
    def loaded() -> tuple[str, str]:
        (entry,) = node.converge(require_loaded=True)["loaded"]
        return entry["loaded"], entry["reason"]

    with pytest.raises(
        PodnetError, match="network: podnet is not what kubelet has loaded: there is no file of network podnet"
    ):
        loaded()
    node.attach("old", CONFIG)
    os.utime(node.root / "cache/podnet-old-eth0", (1, 1))
    node.write("net.d/10-podnet.conflist", json.dumps(CONFIG))
    verdict, reason = loaded()
    assert (verdict, "Status of the container runtime fails" in reason) == ("unknown", True)
    node.attach("new", {**CONFIG, "plugins": [{"type": "bridge", "bridge": "podnet0", "mtu": 1450}]})
    assert loaded()[0] == "unknown"
    node.attach("new", CONFIG)
    assert loaded() == ("yes", "pod dns/new was attached with it")


def test_a_file_that_no_runtime_can_load_is_not_loaded_and_no_pod_is_to_be_made_anew_by_it(node: Node) -> None:
    node.write("net.d/10-podnet.conflist", json.dumps({**CONFIG, "plugins": []}))
    node.attach("old", CONFIG)
    made = node.resource()
    done = converge(made, False)
    says = f"{node.root}/net.d/10-podnet.conflist has no list of plugins"
    assert done["loaded"] == [{"reader": "kubelet", "loaded": "no", "reason": says}]
    assert (done["stale"], made.warnings) == ([], [])
    with pytest.raises(PodnetError, match=f"network: podnet is not what kubelet has loaded: {says}; see"):
        node.converge(require_loaded=True)


def test_check_mode_requires_nothing_of_a_runtime_that_it_does_not_change(node: Node) -> None:
    (entry,) = node.converge(check_mode=True, require_loaded=True)["loaded"]
    assert entry["loaded"] == "no"
    node.converge()
    with pytest.raises(PodnetError, match="is not what kubelet has loaded"):
        node.converge(check_mode=True, require_loaded=True)


def test_pods_of_before_are_named(node: Node) -> None:
    node.write("net.d/10-podnet.conflist", json.dumps(CONFIG))
    for number in range(11):
        node.attach(f"a{number:02}", {**CONFIG, "plugins": [{"type": "bridge", "bridge": "podnet0", "mtu": 1450}]})
    node.attach("safe", {**CONFIG, "cniVersion": "0.4.0"})
    made = node.resource()
    found = converge(made, True)
    assert [entry["pod"] for entry in found["stale"]][-1] == "dns/safe"
    assert made.warnings[0].startswith(
        "11 pods keep what they were attached with: dns/a00 (bridge.mtu: new_pods_only), dns/a01"
    )
    assert made.warnings[0].endswith("…; make them anew (kubelet_recycle_pods: true, or module stale_pods)")
    assert "dns/safe" not in made.warnings[0]
    with pytest.raises(OptionError, match="state: absent would orphan 12 attached pods"):
        node.converge(state="absent")
    assert node.converge(state="absent", allow_orphans=True)["changed"] is False


def test_docker_and_crio_beside_it(node: Node) -> None:
    node.write("lib/containerd.service", f"[Service]\nExecStart={node.root}/bin/containerd\n")
    node.write("bin/containerd", "")
    (node.root / "bin/containerd").chmod(0o755)
    plain = node.run

    def run(args: list[str], data: str | None = None) -> tuple[int, str, str]:
        if args[0].endswith("/containerd"):
            return (
                0,
                'version = 2\n[plugins."io.containerd.grpc.v1.cri".cni]\nbin_dir = "/opt/cni/bin"\nconf_dir = "/etc"\n',
                "",
            )
        return plain(args, data)

    node.run = run  # type: ignore[method-assign]
    node.write("lib/crio.service", "[Service]\nExecStart=/usr/bin/crio\n")
    node.write(
        "crio/crio.conf",
        '[crio.network]\nnetwork_dir = "/etc/cni/net.d/"\nplugin_dirs = [\n# "/no",\n"/opt/cni/bin/",\n"/x",\n]\n',
    )
    node.write("crio/crio.conf.d/10.conf", '[crio.network]\n# network_dir = "/no"\nnetwork_dir = "/etc/no"\n')
    node.write("crio/crio.conf.d/20/30.conf", '[crio.network]\nnetwork_dir = "/etc/other"\n')
    made = node.resource()
    found = {entry["name"]: entry for entry in converge(made, True)["readers"]}
    assert list(found) == ["containerd", "crio", "kubelet"]
    assert (found["containerd"]["reads"], found["containerd"]["reason"]) == (False, "works for Docker: kubelet reads")
    assert (found["crio"]["conf_dir"], found["crio"]["bin_dirs"]) == ("/etc/other", ["/opt/cni/bin", "/x"])
    assert "set network_dir and plugin_dirs in /etc/crio/crio.conf.d" in made.warnings[0]


def test_told_by_containerd() -> None:
    def told(*networks: dict[str, t.Any], status: str = "OK") -> t.Any:
        loopback = {"IFName": "lo", "Config": {"Name": "cni-loopback", "Source": "{}"}}
        info = {"cniconfig": {"Networks": [loopback, *networks]}, "lastCNILoadStatus": status}
        return resource.loaded.told(cri.Status({}, info), CONFIG)

    ours = {"IFName": "eth0", "Config": {"Name": "podnet", "Source": json.dumps(CONFIG)}}
    other = {
        "IFName": "eth0",
        "Config": {"Name": "podnet", "Source": json.dumps({**CONFIG, "plugins": [{"type": "ptp"}]})},
    }
    assert told(ours) == ("yes", "it tells so, with the text of the file")
    assert told(other) == ("no", "it has loaded another text, of network podnet")
    assert told(status="cni config load failed") == ("no", "it has loaded nothing (cni config load failed)")
    assert resource.loaded.told(cri.Status({}, {}), CONFIG) is None
