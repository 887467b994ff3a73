# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kubelet's and cri-dockerd's flags: which are missing, and by which drop-in they come."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import flagged
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime.reader import HEADER, Places, Reader

#: What Kubernetes 1.20's kubelet says.
OLD = """\
      --cni-bin-dir string                 A list of directories. (default "/opt/cni/bin")
      --cni-conf-dir string                The directory. (default "/etc/cni/net.d")
      --container-runtime string           The container runtime to use. (default "docker")
      --container-runtime-endpoint string  The endpoint. (default "unix:///var/run/dockershim.sock")
      --network-plugin string              The name of the network plugin.
"""
NEW = '      --container-runtime-endpoint string  (default "unix:///run/containerd/containerd.sock")\n'
CRI_DOCKERD = OLD.replace("network plugin.", 'network plugin. (default "cni")')

PLACES = Places("/etc/cni/net.d", ["/usr/lib/cni"])


class Node:
    """A node with a kubelet, and a cri-dockerd, that tell their flags."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.help = {"kubelet": OLD, "cri-dockerd": CRI_DOCKERD}
        for name in self.help:
            self.write(f"bin/{name}", "")
            (root / "bin" / name).chmod(0o755)
        self.path = root / "etc/kubelet.service.d/99-zz-podnet.conf"

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text.replace("BIN", str(self.root / "bin")).replace("ROOT", str(self.root)))

    def run(self, args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
        assert args[1:] == ["--help"]
        return 0, self.help[Path(args[0]).name], ""

    def find(self, name: str = "kubelet", places: Places = PLACES) -> Reader:
        found = flagged.find(name, self.run, places)
        assert found is not None
        return found

    def text(self, body: str) -> str:
        return (HEADER + "[Service]\n" + body).replace("BIN", str(self.root / "bin"))


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    monkeypatch.setattr(flagged._units, "UNIT_DIRS", (str(tmp_path / "etc"), str(tmp_path / "lib")))
    monkeypatch.setattr(flagged, "ETC", str(tmp_path / "etc"))
    return Node(tmp_path)


def test_there_is_none(node: Node) -> None:
    node.write("lib/kubelet10.service", "[Service]\nExecStart=BIN/kubelet\n")
    assert flagged.find("kubelet", node.run, PLACES) is None
    assert flagged.endpoint(node.run) is None


def test_the_whole_command_with_our_flags(node: Node) -> None:
    node.write("lib/kubelet.service", "[Service]\nExecStart=-BIN/kubelet --v=2 \\\n  --x='%i $Y'\n")
    found = node.find()
    assert found.reads
    assert found.now == {"network_plugin": "", "conf_dir": "/etc/cni/net.d", "bin_dirs": ["/opt/cni/bin"]}
    assert found.path == str(node.path)
    flags = "--network-plugin=cni --cni-bin-dir=/usr/lib/cni"
    assert found.text == node.text(f"ExecStart=\nExecStart=-BIN/kubelet --v=2  --x='%i $Y' {flags}\n")
    # It must be the same when it is there.
    node.write(str(node.path.relative_to(node.root)), found.text or "")
    assert node.find() == found
    assert flagged.endpoint(node.run) == "/run/dockershim.sock"


def test_by_the_variable_that_is_there_for_it(node: Node) -> None:
    command = "[Service]\nEnvironment=KUBELET_EXTRA_ARGS=--v=2\nExecStart=BIN/kubelet $KUBELET_EXTRA_ARGS\n"
    node.write("lib/kubelet.service", command)
    places = Places("/etc/cni/x", ["/a", "/b"])
    flags = "--network-plugin=cni --cni-conf-dir=/etc/cni/x --cni-bin-dir=/a,/b"
    assert node.find(places=places).text == node.text(f'Environment="KUBELET_EXTRA_ARGS=--v=2 {flags}"\n')
    # An environment file wins over it, so that it would be without effect.
    node.write("lib/kubelet.service", f"{command}EnvironmentFile=-ROOT/default\n")
    node.write("default", "KUBELET_EXTRA_ARGS=--v=3\n")
    assert node.find(places=places).text == node.text(
        f"ExecStart=\nExecStart=BIN/kubelet $KUBELET_EXTRA_ARGS {flags}\n"
    )


@pytest.mark.parametrize("command", ["BIN/kubelet $KUBELET_EXTRA_ARGS10", "BIN/kubelet --x=${KUBELET_EXTRA_ARGS}"])
def test_other_variables_are_not_that_one(node: Node, command: str) -> None:
    node.write("lib/kubelet.service", f"[Service]\nExecStart={command}\n")
    assert f"ExecStart={command} --network-plugin=cni" in (node.find().text or "").replace(
        str(node.root / "bin"), "BIN"
    )


def test_nothing_to_do(node: Node) -> None:
    flags = "--network-plugin cni --cni-bin-dir=/usr/lib/cni/ --cni-conf-dir=/etc/cni/net.d/"
    node.write("lib/kubelet.service", f"[Service]\nExecStart=BIN/kubelet {flags}\n")
    assert node.find().text is None
    node.write("lib/cri-docker.service", "[Service]\nExecStart=BIN/cri-dockerd\n")
    assert node.find("cri-dockerd", Places("/etc/cni/net.d", ["/opt/cni/bin"])).text is None
    assert "--cni-bin-dir=/usr/lib/cni\n" in (node.find("cri-dockerd").text or "")


def test_a_drop_in_that_takes_it_back(node: Node) -> None:
    node.write("lib/kubelet.service", "[Service]\nExecStart=BIN/kubelet\n")
    node.write("etc/kubelet.service.d/99-zzz.conf", "[Service]\nExecStart=\nExecStart=BIN/kubelet --v=1\n")
    with pytest.raises(
        PodnetError, match=r"99-zz-podnet.conf: would be without effect.*add --network-plugin=cni --cni-bin-dir"
    ):
        node.find()
    # To be without it is possible all the same.
    found = flagged.find("kubelet", node.run, PLACES, present=False)
    assert found is not None
    assert (found.reads, found.original) == (True, None)


def test_a_kubelet_that_does_not_read(node: Node) -> None:
    node.write("lib/kubelet.service", "[Service]\nExecStart=BIN/kubelet --container-runtime=remote\n")
    assert not node.find().reads
    assert flagged.endpoint(node.run) == "/run/dockershim.sock"
    node.help["kubelet"] = NEW
    node.write("lib/kubelet.service", "[Service]\nExecStart=BIN/kubelet --config ROOT/config.yaml\n")
    # Our drop-in of before the upgrade would keep it from starting: it goes.
    node.write("etc/kubelet.service.d/99-zz-podnet.conf", f"{HEADER}[Service]\n")
    assert (node.find().reads, node.find().text, node.find().path) == (False, None, str(node.path))
    assert flagged.endpoint(node.run) == "/run/containerd/containerd.sock"
    node.write("config.yaml", "kind: KubeletConfiguration\ncontainerRuntimeEndpoint: unix:///var/run/crio/crio.sock\n")
    assert flagged.endpoint(node.run) == "/run/crio/crio.sock"
    node.write("config.yaml", "containerRuntimeEndpoint:\ncpuManagerPolicy: none\n")
    assert flagged.endpoint(node.run) == "/run/containerd/containerd.sock"


@pytest.mark.parametrize(
    ("unit", "says"),
    [
        ("[Service]\nType=simple\n", "nor a drop-in has an ExecStart"),
        (
            "[Service]\nExecStart=/bin/sh -c 'kubelet'\n",
            "ExecStart starts /bin/sh, not kubelet, .* set kubelet_state to ignored",
        ),
        ("[Service]\nExecStart=BIN/kubelet10\n", "starts .*/kubelet10, not kubelet"),
        ("[Service]\nExecStart=/none/kubelet\n", "starts /none/kubelet, which is no program; install it"),
    ],
)
def test_units_that_are_not_understood(node: Node, unit: str, says: str) -> None:
    node.write("lib/kubelet.service", unit)
    with pytest.raises(PodnetError, match=says):
        node.find()


def test_a_program_that_tells_nothing(node: Node) -> None:
    node.write("lib/kubelet.service", "[Service]\nExecStart=BIN/kubelet\n")
    node.help["kubelet"] = "Segmentation fault\n"
    with pytest.raises(PodnetError, match=r"--help names no flags .status 0.; install kubelet again"):
        node.find()


def test_a_drop_in_that_is_not_ours(node: Node) -> None:
    node.write("lib/kubelet.service", "[Service]\nExecStart=BIN/kubelet\n")
    node.write("etc/kubelet.service.d/99-zz-podnet.conf", "[Service]\n")
    with pytest.raises(PodnetError, match=r"99-zz-podnet\.conf: is there and is not ours; move it away"):
        node.find()
