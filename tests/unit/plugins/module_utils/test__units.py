# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Units and drop-ins, as systemd would put them together."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _units
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._words import Word

KUBEADM = """\
[Service]
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
# This is a file that "kubeadm init" and "kubeadm join" generate at runtime
EnvironmentFile=-{root}/kubeadm-flags.env
EnvironmentFile=-{root}/default
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_CONFIG_ARGS \\
  # in between
  $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two directories of _units."""
    monkeypatch.setattr(_units, "UNIT_DIRS", (str(tmp_path / "etc"), str(tmp_path / "lib")))
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_unit_of_kubeadm(root: Path) -> None:
    write(root / "lib/kubelet.service", "[Unit]\nExecStart=no\n[Service]\nExecStart=/usr/bin/kubelet\n")
    write(root / "lib/kubelet.service.d/10-kubeadm.conf", KUBEADM.format(root=root))
    write(root / "kubeadm-flags.env", 'KUBELET_KUBEADM_ARGS="--network-plugin=cni --a=b"\n')
    unit = _units.load("kubelet.service")
    assert unit.command.text == "/usr/bin/kubelet $KUBELET_CONFIG_ARGS  $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS"
    assert unit.arguments == [
        "/usr/bin/kubelet",
        "--config=/var/lib/kubelet/config.yaml",
        "--network-plugin=cni",
        "--a=b",
    ]
    write(root / "default", "KUBELET_EXTRA_ARGS=--c\nKUBELET_CONFIG_ARGS=--d\n")
    # A file wins over the unit's own Environment.
    assert unit.arguments == ["/usr/bin/kubelet", "--d", "--network-plugin=cni", "--a=b", "--c"]


def test_drop_ins_in_the_order_of_their_names(root: Path) -> None:
    write(root / "lib/kubelet.service", "[Service]\nExecStart=/lib\n")
    write(root / "etc/kubelet.service.d/20.conf", "[Service]\nEnvironment=A=20 B=20\n")
    write(root / "lib/kubelet.service.d/30.conf", "[Service]\nEnvironment=A=30\n")
    write(root / "lib/kubelet.service.d/20.conf", "[Service]\nEnvironment=B=hidden C=hidden\n")
    write(root / "etc/kubelet.service.d/40.conf.bak", "[Service]\nEnvironment=A=40\n")
    write(root / "etc/kubelet10.service.d/40.conf", "[Service]\nEnvironment=A=ten\n")
    assert _units.load("kubelet.service").environment == {
        "A": Word("30", str(root / "lib/kubelet.service.d/30.conf")),
        "B": Word("20", str(root / "etc/kubelet.service.d/20.conf")),
    }
    ours = str(root / "etc/kubelet.service.d/99.conf")
    assert _units.load("kubelet.service", {ours: "[Service]\nEnvironment=\nEnvironment='A=9 9'\n"}).environment == {
        "A": Word("9 9", ours)
    }
    write(Path(ours), "[Service]\nExecStart=\n")
    assert _units.load("kubelet.service").commands == []
    assert _units.load("kubelet.service", {ours: None}).commands == [Word("/lib", str(root / "lib/kubelet.service"))]


def test_each_word_has_the_file_that_it_stands_in(root: Path) -> None:
    write(root / "default", "OPTS='--iptables=false -D'\nEMPTY=\n")
    text = f"[Service]\nEnvironment=A=1 'OPTS=--mtu 1' B=2\nEnvironmentFile=-{root}/default\nExecStart=/bin/no\n"
    write(root / "lib/docker.service", text)
    write(
        root / "etc/docker.service.d/a.conf", "[Service]\nExecStart=\nExecStart=/bin/d $OPTS --n=${A}${B} $EMPTY end\n"
    )
    drop_in, default = str(root / "etc/docker.service.d/a.conf"), str(root / "default")
    assert _units.load("docker.service").words == [
        Word("/bin/d", drop_in),
        Word("--iptables=false", default),
        Word("-D", default),
        Word("--n=12", drop_in),
        Word("end", drop_in),
    ]


def test_a_drop_in_that_is_masked_hides_the_one_below(root: Path) -> None:
    write(root / "lib/kubelet.service", "[Service]\nExecStart=/lib\n")
    write(root / "lib/kubelet.service.d/10-x.conf", "[Service]\nExecStart=\nExecStart=/hidden\n")
    (root / "etc/kubelet.service.d").mkdir(parents=True)
    (root / "etc/kubelet.service.d/10-x.conf").symlink_to("/dev/null")
    assert _units.load("kubelet.service").arguments == ["/lib"]


def test_the_kernels_command_line_masks_before_all_else() -> None:
    assert _units.UNIT_DIRS[:2] == ("/run/systemd/generator.early", "/etc/systemd/system")


def test_which_units_there_are(root: Path) -> None:
    write(root / "lib/kubelet10.service", "[Service]\nExecStart=/a\n")
    write(root / "lib/masked.service", "[Service]\nExecStart=/a\n")
    (root / "etc").mkdir()
    (root / "etc/masked.service").symlink_to("/dev/null")
    write(root / "lib/empty.service", "")
    write(root / "lib/linked.service", "[Service]\nExecStart=/a\n")
    (root / "etc/alias.service").symlink_to("../lib/linked.service")
    assert _units.find(["kubelet.service", "masked.service", "empty.service"]) is None
    assert _units.find(["kubelet.service", "alias.service"]) == "alias.service"
    with pytest.raises(PodnetError, match=r"kubelet.service: there is no such unit in .*/etc, .*/lib; install it"):
        _units.load("kubelet.service")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"kubelet.service: neither .*kubelet.service nor a drop-in has an ExecStart, so it cannot start; correct"),
        ("ExecStart=/a\nExecStart=\n", "nor a drop-in has an ExecStart"),
        ("execstart=/a\n", "nor a drop-in has an ExecStart"),
        ("ExecStart=/a\nExecStart=/b\n", "have 2 lines ExecStart"),
        ("ExecStart=$NOTHING\n", "ExecStart .NOTHING is no command; correct the unit"),
    ],
)
def test_a_unit_that_starts_nothing(root: Path, text: str, says: str) -> None:
    write(root / "lib/kubelet.service", f"[Service]\nType=simple\n{text}")
    with pytest.raises(PodnetError, match=says):
        assert _units.load("kubelet.service").arguments == []


def test_environment_files_are_not_looked_for_in_every_directory(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_text("A=1\n")
    files = ["-", f"{tmp_path}/**/c", f"-{tmp_path}/*/b/c"]
    unit = _units.Unit("a.service", "/a.service", [], {}, files[:2])
    assert unit.from_files == {}
    assert unit._replace(environment_files=files).from_files == {"A": Word("1", str(tmp_path / "a/b/c"))}
