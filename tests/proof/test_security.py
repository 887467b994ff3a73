# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What docs/docsite/rst/security.rst claims, tried with whole modules on a node; the page names these tests."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import stat
import tarfile
import tempfile
import typing as t
from pathlib import Path

import ground
import pytest
import samples
from calls import Answer, call
from listings import files, network, packet_filter

PLACE = ground.PLACE
UPLINK = "192.0.2.11"
CONTROLLER = "198.51.100.7"
BIN_DIR = f"{PLACE}/bin"

DOCKER = {"options": {"bridge": "none"}, "without_docker": "write", "validate": False, "restart": "never"}
NETWORK: dict[str, t.Any] = {
    "name": "net1",
    "config": samples.CONF,
    "assume_plugins": ["bridge", "host-local"],
    "on_conflict": "rename",
}
NODES = {
    "n1": {"pod_cidrs": ["10.12.1.0/24"], "addresses": ["192.0.2.11"]},
    "n2": {"pod_cidrs": ["10.12.2.0/24"], "addresses": ["192.0.2.12"]},
}


def a_node() -> None:
    """A node whose default route is by two bridges, and whose ssh connection comes in by another."""
    ground.new_node()
    ground.batch(
        "link add up0 type veth peer name up1",
        *[f"link add {name} type bridge" for name in ("br10", "way2", "ssh1", "docker0", "br1")],
        f"address add {UPLINK}/24 dev br10",
        "address add 198.19.0.2/24 dev way2",
        # As a DHCP server lends it.
        "address add 203.0.113.5/24 dev ssh1 valid_lft 3600 preferred_lft 3600",
        *[f"link set {name} up" for name in ("up0", "up1", "br10", "way2", "ssh1", "docker0")],
        "route add default nexthop via 192.0.2.1 dev br10 nexthop via 198.19.0.1 dev way2",
    )


@pytest.fixture(autouse=True)
def _a_node() -> None:
    a_node()


def ssh() -> None:
    """Be connected to; that modules see it through sudo is the unit test's of _reached."""
    from ansible_collections.mink8s.podnet.plugins.module_utils import _reached  # noqa: PLC0415

    _reached._connection = lambda: [CONTROLLER, "50000", "203.0.113.5", "22"]


def run(module: str, check: bool = False, **params: t.Any) -> Answer:
    return call(module, params, check, ssh)


# ---- the links that the node is reached by


def everything() -> dict[str, t.Any]:
    return {**network(), **packet_filter(), **files(PLACE, Path("/etc/systemd"), Path("/etc/cni"))}


REACHED_BY = [
    ("br10", "carries the default route"),
    ("way2", "carries the default route"),
    ("ssh1", "carries 203.0.113.5, which Ansible is connected to"),
]


@pytest.mark.parametrize(("name", "why"), REACHED_BY)
@pytest.mark.parametrize(
    ("module", "params"),
    [
        ("bridge", {"name": "NAME", "mtu": "1450"}),
        ("bridge", {"name": "br1", "mtu": "1450", "ports": [{"name": "NAME"}]}),
        ("bridge", {"name": "NAME", "state": "absent"}),
        ("veth", {"pairs": [{"name": "v1", "netns": "/proc/self/ns/net", "peer": "eth9", "bridge": "NAME"}]}),
        ("persistence", {"bridge": "NAME"}),
        ("cni_network", {**NETWORK, "config": {**samples.CONF, "bridge": "NAME"}}),
    ],
)
def test_the_links_that_the_node_is_reached_by_stay(module: str, params: dict[str, t.Any], name: str, why: str) -> None:
    ground.batch(f"link set {name} alias podnet")
    given = json.loads(json.dumps(params).replace("NAME", name))
    before = everything()
    for check in (True, False):
        answer = run(module, check, **given)
        assert answer.failed, answer.result
        assert why in answer.sentence or "is the node's uplink" in answer.sentence, answer.sentence
    assert everything() == before
    # The name is exact: the same is done to br1, beside br10.
    if "state" not in given and module != "cni_network":
        answer = run(
            module, True, **json.loads(json.dumps(params).replace("NAME", "br1" if "ports" not in given else "up1"))
        )
        assert not answer.failed, answer.sentence


@pytest.mark.parametrize("how", ["default route", "ssh"])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_pair_that_the_node_is_reached_by_stays(how: str, state: str) -> None:
    ground.batch("link set up0 alias podnet", "link set up1 alias podnet")
    ground.batch(
        *(["address add 198.18.0.1/24 dev up0", "route replace default via 198.18.0.2 dev up0"] if how != "ssh" else [])
    )
    ground.batch(
        *(["address del 203.0.113.5/24 dev ssh1", "address add 203.0.113.5/24 dev up0"] if how == "ssh" else [])
    )
    before = everything()
    for check in (True, False):
        answer = run("veth", check, pairs=[{"name": "up0", "netns": "/proc/self/ns/net", "peer": "eth9"}], state=state)
        assert answer.failed, answer.result
        assert "carries" in answer.sentence, answer.sentence
        other_end = run("veth", check, pairs=[{"name": "up1"}], state="absent")
        assert "pairs[0].name: up1 carries up0, which carries " in other_end.sentence
    assert everything() == before
    ground.batch("link add up10 type veth peer name up11", "link set up10 alias podnet")
    assert not run("veth", pairs=[{"name": "up10"}], state="absent").failed


@pytest.mark.parametrize("how", ["default route", "ssh", "neither"])
def test_docker0_stays_if_the_node_is_reached_by_it(how: str) -> None:
    ground.batch(
        *(["address add 198.18.0.1/24 dev docker0", "route replace default via 198.18.0.2"] if how[0] == "d" else [])
    )
    ground.batch(
        *(["address del 203.0.113.5/24 dev ssh1", "address add 203.0.113.5/24 dev docker0"] if how == "ssh" else [])
    )
    before = everything()
    answer = run("docker_leftovers", expected={"bridge": "none"})
    assert answer.failed == (how != "neither"), answer.result
    if answer.failed:
        assert answer.sentence.startswith("docker0 carries "), answer.sentence
        assert everything() == before
    else:
        assert "link docker0" not in network()


def test_nothing_leads_away_what_goes_to_the_controller() -> None:
    before = everything()
    around = ["198.51.100.0/24", "198.51.100.1/24"]
    nodes = {**NODES, "n2": {**NODES["n2"], "pod_cidrs": around[:1]}}
    for module, params in (
        ("routes", {"nodes": nodes, "self": "n1"}),
        ("bridge", {"name": "br1", "mtu": "1450", "addresses": around[1:]}),
    ):
        answer = run(module, **params)
        assert answer.failed
        assert f"has {CONTROLLER}, which Ansible is connected from" in answer.sentence
    answer = run("routes", nodes={**NODES, "n2": {**NODES["n2"], "pod_cidrs": ["0.0.0.0/0"]}}, self="n1")
    assert "is every address" in answer.sentence
    assert everything() == before


def test_cni_gc_removes_no_link() -> None:
    """A veth that nobody knows is told of, and stays; `br10` and its ports are the uplink."""
    Path("/etc/cni/net.d").mkdir()
    Path("/etc/cni/net.d/net1.conf").write_text(json.dumps({**samples.CONF, "bridge": "br10"}))
    ground.batch("link set up0 master br10")
    before = network()
    answer = run("cni_gc", name="net1", lock_timeout=0)
    assert not answer.failed, answer.sentence
    assert [each["kind"] for each in answer.result["kept"]] == ["veth"]
    assert network() == before


# ---- files: modes, owners, temporary names


def release() -> tuple[str, str]:
    """A release with one plugin, and its checksum."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("./bridge")
        member.mode, member.size, member.uid = 0o4711 & 0o777, 9, 1001
        tar.addfile(member, io.BytesIO(b"#!/bin/sh"))
    content = gzip.compress(buffer.getvalue(), mtime=0)
    (PLACE / "a.tgz").write_bytes(content)
    return str(PLACE / "a.tgz"), "sha256:" + hashlib.sha256(content).hexdigest()


def make_all() -> list[Answer]:
    """Every module that writes files."""
    Path("/etc/docker/daemon.json").write_text("{}\n")
    archive, checksum = release()
    return [
        run("docker_daemon", **{**DOCKER, "backup": True}),
        run("cni_network", **NETWORK),
        run("cni_plugins", archive=archive, checksum=checksum, plugins=["bridge"], bin_dir=BIN_DIR),
        run("sysctls", settings={"net.ipv4.conf.lo.rp_filter": 1}),
        run("bridge", name="br1", mtu="1450", persist="/etc/podnet/deep/bridge"),
        run("routes", nodes=NODES, self="n1", persist="/etc/podnet/routes"),
        run("masquerade", sources=["10.12.1.0/24"], persist="/etc/podnet/nat"),
        run("persistence", bridge="br1"),
    ]


MODES = {
    "/etc/docker/daemon.json": "-rw-r--r--",
    "/var/lib/podnet/docker_daemon.json": "-rw-------",
    "/etc/cni/net.d": "drwxr-xr-x",
    "/etc/cni/net.d/net1.conflist": "-rw-r--r--",
    BIN_DIR: "drwxr-xr-x",
    f"{BIN_DIR}/bridge": "-rwxr-xr-x",
    f"{BIN_DIR}/.podnet-plugins.json": "-rw-r--r--",
    "/etc/sysctl.d/99-zz-podnet.conf": "-rw-r--r--",
    "/etc/podnet/deep": "drwxr-xr-x",
    "/etc/podnet/deep/bridge": "-rw-r--r--",
    "/etc/podnet/routes": "-rw-r--r--",
    "/etc/podnet/nat": "-rw-r--r--",
    "/etc/systemd/system/podnet.service": "-rw-r--r--",
}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes_and_owners_do_not_depend_on_the_umask(umask: int) -> None:
    Path("/etc/docker/daemon.json").touch(0o644)
    Path("/etc/docker/daemon.json").chmod(0o644)
    before = os.umask(umask)
    try:
        answers = make_all()
    finally:
        os.umask(before)
    assert [answer.sentence for answer in answers if answer.failed] == []
    found = {path: os.lstat(path) for path in MODES}
    assert {path: stat.filemode(each.st_mode) for path, each in found.items()} == MODES
    assert {(each.st_uid, each.st_gid) for each in found.values()} == {(os.geteuid(), os.getegid())}
    # Nothing else is left, and nobody but root may write to any of it.
    for top in (PLACE, *map(Path, ("/etc/cni", "/etc/podnet", "/etc/systemd", "/var/lib/podnet", "/etc/docker"))):
        for path in top.rglob("*"):
            assert not path.name.endswith(".podnet-tmp"), path
            assert path.is_symlink() or path.name == "a.tgz" or not path.lstat().st_mode & 0o022, path


def test_what_is_private_stays_with_its_owner() -> None:
    """A daemon.json that only root and a group may read gets no other mode and owner, nor does its copy."""
    path = Path("/etc/docker/daemon.json")
    path.write_text("{}\n")
    owner = someone(path)
    path.chmod(0o640)
    answer = run("docker_daemon", **{**DOCKER, "backup": True})
    assert not answer.failed, answer.sentence
    for each in (path, Path(answer.result["backup_file"])):
        assert stat.filemode(each.stat().st_mode) == "-rw-r-----"
        if owner:
            assert (each.stat().st_uid, each.stat().st_gid) == owner


def someone(path: Path) -> t.Optional[tuple[int, int]]:
    """Give a file to somebody else, where there is anybody; a user namespace as the lab makes it has root only."""
    try:
        os.chown(path, 1, 2)
    except OSError as error:
        print(f"SKIPPED: owners, as {path} cannot be given to anybody here ({error.strerror}); see tests/unit for them")
        return None
    return (1, 2)


# ---- secrets


@pytest.fixture
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "https_proxy", "AWS_SECRET_ACCESS_KEY", "ANSIBLE_VAULT_PASSWORD"):
        monkeypatch.setenv(name, "http://user:S3cret@192.0.2.7")
    Path("/etc/docker/daemon.json").write_text(json.dumps({**samples.DAEMON, "x": "S3cret"}, indent=1))
    Path("/etc/cni/net.d").mkdir()
    Path("/etc/cni/net.d/05-calico.conflist").write_text(
        json.dumps({"cniVersion": "1.0.0", "name": "k8s", "plugins": [{"type": "calico", "k8s_auth_token": "S3cret"}]})
    )
    Path(BIN_DIR).mkdir()
    plugin = Path(BIN_DIR, "bridge")
    plugin.write_text(f"#!/bin/sh\necho '{json.dumps(samples.VERSIONS)}'\n")
    plugin.chmod(0o755)


@pytest.mark.usefixtures("_secrets")
def test_no_secret_is_in_a_result_or_a_diff() -> None:
    calls: list[tuple[str, dict[str, t.Any]]] = [
        ("docker_daemon", DOCKER),
        ("docker_daemon", {**DOCKER, "state": "absent"}),
        ("cni_network", NETWORK),
        ("cni_network", {"name": "net1", "state": "absent"}),
        ("cni_network_info", {"name": "net1"}),
        ("cni_attachments_info", {}),
        ("cni_plugins_info", {"bin_dirs": [BIN_DIR]}),
        ("conflicts_info", {"pod_cidrs": ["10.12.1.0/24"], "bridge": "br1", "name": "net1"}),
        ("cni_runtime", {"network": "net1"}),
    ]
    for module, params in calls:
        for check in (True, False):
            answer = run(module, check, **params)
            assert not answer.failed, f"{module}: {answer.sentence}"
            assert "S3cret" not in json.dumps(answer.result), module
            assert "secret" not in json.dumps(answer.result), module


# ---- the surroundings of the caller


SURROUNDINGS: dict[str, dict[str, str]] = {
    "no PATH": {"PATH": ""},
    "the directory that we are in": {"PATH": "."},
    "odd variables": {
        "LD_PRELOAD": "/nonexistent.so",
        "LANG": "de_DE.UTF-8",
        "LC_ALL": "tr_TR.UTF-8",
        "LANGUAGE": "de",
        "IFS": "/",
        "ENV": "/nonexistent",
        "BASH_ENV": "/nonexistent",
        "POSIXLY_CORRECT": "1",
    },
}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_the_surroundings_of_the_caller_do_not_matter(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = make_all()
    before = everything()
    a_node()
    for program in ("ip", "nft", "iptables", "systemctl", "timeout", "env", "modprobe"):
        (tmp_path / program).write_text("#!/bin/sh\necho pwned >&2; exit 7\n")
        (tmp_path / program).chmod(0o755)
    for key, value in SURROUNDINGS[name].items():
        monkeypatch.setenv(key, value)
    monkeypatch.chdir(tmp_path)
    found = make_all()
    monkeypatch.undo()
    assert [each.sentence for each in found] == [""] * len(found)
    assert [each.result["actions"] for each in found] == [each.result["actions"] for each in expected]
    after = everything()
    same = [each for each in before if each.startswith("file ") and "daemon.json." not in each]
    assert {each: after.get(each) for each in same} == {each: before[each] for each in same}


def test_a_directory_that_is_gone_does_not_matter() -> None:
    gone = tempfile.mkdtemp()
    home = os.getcwd()
    os.chdir(gone)
    os.rmdir(gone)
    try:
        answers = make_all()
    finally:
        os.chdir(home)
    assert [answer.sentence for answer in answers if answer.failed] == []
