# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One network's files: written, moved, displaced, given back, refused, and killed in the middle."""

from __future__ import annotations

import json
import os
import pathlib
import random
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import attachments, conf, consent
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.directory import DISABLED, Request
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.network import CniNetwork
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import converge
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError


class Directory:
    """A conf_dir and a host-local store, and the module's options in few words."""

    def __init__(self, base: pathlib.Path) -> None:
        self.conf_dir = base / "net.d"
        self.data_dir = base / "networks"
        self.conf_dir.mkdir()
        self.data_dir.mkdir()
        self.warnings: list[str] = []

    def config(self, subnet: str = "10.12.1.0/24", **keys: t.Any) -> dict[str, t.Any]:
        ipam = {"type": "host-local", "dataDir": str(self.data_dir), "ranges": [[{"subnet": subnet}]]}
        return {"cniVersion": "1.0.0", "type": "bridge", "ipam": ipam, **keys}

    def run(
        self,
        config: t.Optional[dict[str, t.Any]],
        name: str = "net",
        form: str = "conflist",
        priority: t.Optional[int] = None,
        check: bool = False,
        **options: t.Any,
    ) -> dict[str, t.Any]:
        given = {"on_conflict": "fail", "allow_orphans": False, "renumber": False, **options}
        path = str(self.conf_dir / conf.file_name(name, form, priority))
        network = conf.normalise(name, config, form) if config is not None else None
        resource = CniNetwork(Request(name=name, conf_dir=str(self.conf_dir), path=path, network=network, **given))
        result = converge(resource, check)
        self.warnings = resource.warnings
        return result

    def both(self, *args: t.Any, **options: t.Any) -> dict[str, t.Any]:
        """Run in check mode, for real and again; the first two say the same, the last does nothing."""
        before = self.files()
        predicted = self.run(*args, check=True, **options)
        assert self.files() == before
        done = self.run(*args, **options)
        assert (predicted["actions"], predicted["diff"]) == (done["actions"], done["diff"])
        assert {key: predicted[key] for key in ("change_class", "competing", "path")} == {
            key: done[key] for key in ("change_class", "competing", "path")
        }
        assert self.run(*args, **options)["actions"] == []
        return done

    def files(self) -> dict[str, str]:
        found = [path for path in self.conf_dir.rglob("*") if path.is_file()]
        texts = {str(path.relative_to(self.conf_dir)): path.read_text(errors="replace") for path in found}
        return dict(sorted(texts.items()))

    def put(self, name: str, content: t.Any) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        (self.conf_dir / name).parent.mkdir(exist_ok=True)
        (self.conf_dir / name).write_text(text)

    def lend(self, address: str, network: str = "net") -> None:
        (self.data_dir / network).mkdir(exist_ok=True)
        (self.data_dir / network / address).write_text("0123456789abcdef\r\neth0")


@pytest.fixture
def node(tmp_path: pathlib.Path) -> Directory:
    return Directory(tmp_path)


def short(node: Directory, done: dict[str, t.Any]) -> list[str]:
    return [action.replace(f"{node.conf_dir}/", "").replace(f"{node.data_dir}/", "") for action in done["actions"]]


def test_create_change_remove(node: Directory) -> None:
    done = node.both(node.config(mtu=1450))
    assert short(node, done) == ["create file net.conflist"]
    assert (done["change_class"], done["path"]) == ("none", str(node.conf_dir / "net.conflist"))
    done = node.both(node.config(mtu=1400))
    assert short(node, done) == ["change file net.conflist"]
    assert (done["change_class"], done["changed_keys"]) == ("new_pods_only", ["bridge.mtu"])
    assert short(node, node.both(None)) == ["remove file net.conflist"]
    assert node.conf_dir.is_dir()
    assert node.files() == {}


def test_the_class_of_the_change_is_told(node: Directory) -> None:
    node.run(node.config())
    done = node.run(node.config(hairpinMode=True), check=True)
    assert (done["change_class"], done["changed_keys"]) == ("new_pods_only", ["bridge.hairpinMode"])
    assert done["stale"] == []


def test_a_missing_directory_is_made(node: Directory) -> None:
    node.conf_dir.rmdir()
    node.both(node.config())
    assert list(node.files()) == ["net.conflist"]


def test_the_networks_earlier_file_goes(node: Directory) -> None:
    node.put("net.conf", {"cniVersion": "0.3.1", "name": "net", "type": "bridge"})
    node.put("05-net.conflist", {"cniVersion": "0.3.1", "name": "net", "plugins": [{"type": "bridge"}]})
    node.put("net1.conf", {"cniVersion": "0.3.1", "name": "net1", "type": "bridge"})
    done = node.both(node.config(), priority=10)
    assert short(node, done) == ["remove file net.conf", "remove file 05-net.conflist", "create file 10-net.conflist"]
    assert list(node.files()) == ["10-net.conflist", "net1.conf"]
    assert short(node, node.both(None)) == ["remove file 10-net.conflist"]
    assert list(node.files()) == ["net1.conf"]


def test_competitors_are_named_and_nothing_is_changed(node: Directory) -> None:
    node.put("05-podman.conflist", {"name": "podman", "plugins": [{"type": "bridge"}]})
    node.put("06-broken.conf", "{")
    node.put("50-later.conf", "{")
    before = node.files()
    with pytest.raises(PodnetError) as caught:
        node.run(node.config(), priority=10)
    assert str(caught.value).startswith(
        f"conf_dir: {node.conf_dir} holds what a runtime would load instead of 10-net.conflist: "
        "05-podman.conflist (network podman), 06-broken.conf (is not JSON ("
    )
    assert str(caught.value).endswith(
        "so that containerd loads nothing); "
        "remove what is not needed, use a lower priority, or set on_conflict to rename"
    )
    assert [entry["name"] for entry in caught.value.facts["competing"]] == ["podman", None]
    assert node.files() == before


def test_competitors_are_ignored_on_request(node: Directory) -> None:
    node.put("05-podman.conflist", {"name": "podman", "plugins": [{"type": "bridge"}]})
    done = node.run(node.config(), priority=10, on_conflict="ignore")
    assert [entry["reason"] for entry in done["competing"]] == ["network podman"]
    assert len(node.warnings) == 1
    assert "05-podman.conflist (network podman)" in node.warnings[0]


def test_competitors_are_displaced_and_given_back(node: Directory) -> None:
    node.put("05-podman.conflist", {"name": "podman", "plugins": [{"type": "bridge"}]})
    node.put("06-broken.conf", "{")
    (node.conf_dir / "07-binary.conf").write_bytes(b"\xff")
    node.put("50-later.conf", "{")
    before = {path.name: path.read_bytes() for path in node.conf_dir.iterdir()}
    done = node.run(node.config(), priority=10, on_conflict="rename")
    assert short(node, done)[-1] == f"create file 07-binary.conf{DISABLED} (content is not UTF-8 text (byte 0))"
    assert len(done["competing"]) == 3
    assert sorted(path.name for path in node.conf_dir.iterdir()) == [
        f"05-podman.conflist{DISABLED}",
        f"06-broken.conf{DISABLED}",
        f"07-binary.conf{DISABLED}",
        "10-net.conflist",
        "50-later.conf",
    ]
    again = node.run(node.config(), priority=10, on_conflict="fail")
    assert (again["actions"], again["competing"]) == ([], [])
    predicted = node.run(None, check=True)
    assert node.run(None)["actions"] == predicted["actions"]
    assert {path.name: path.read_bytes() for path in node.conf_dir.iterdir()} == before
    assert node.run(None)["actions"] == []


def test_displacing_is_predicted(node: Directory) -> None:
    node.put("05-podman.conflist", {"name": "podman", "plugins": [{"type": "bridge"}]})
    predicted = node.run(node.config(), priority=10, on_conflict="rename", check=True)
    done = node.run(node.config(), priority=10, on_conflict="rename")
    assert (predicted["actions"], predicted["diff"]) == (done["actions"], done["diff"])
    assert short(node, done) == [
        "remove file 05-podman.conflist",
        "create file 10-net.conflist",
        f"create file 05-podman.conflist{DISABLED}",
    ]


def test_a_competitor_that_comes_back_overwrites_nothing(node: Directory) -> None:
    node.put("05-podman.conflist", {"name": "podman", "plugins": [{"type": "bridge"}]})
    node.run(node.config(), priority=10, on_conflict="rename")
    node.put("05-podman.conflist", {"name": "podman2", "plugins": [{"type": "bridge"}]})
    before = node.files()
    with pytest.raises(PodnetError, match="exists from an earlier run, and its competitor is back"):
        node.run(node.config(), priority=10, on_conflict="rename")
    assert node.files() == before
    node.run(None)
    assert len(node.warnings) == 1
    assert list(node.files()) == ["05-podman.conflist", f"05-podman.conflist{DISABLED}"]
    assert node.files()["05-podman.conflist"] == before["05-podman.conflist"]


def test_files_that_libcni_would_add(node: Directory) -> None:
    node.put("net/50-extra.conf", {"type": "tuning"})
    node.put("net1/50-extra.conf", {"type": "tuning"})
    with pytest.raises(PodnetError, match=r"50-extra\.conf \(is added to the plugins by libcni 1\.3 and newer"):
        node.run(node.config())
    inlined = {"cniVersion": "1.0.0", "loadOnlyInlinedPlugins": True, "plugins": [{"type": "mine"}]}
    assert node.run(inlined, check=True)["competing"] == []
    node.run(node.config(), on_conflict="rename")
    assert list(node.files()) == ["net.conflist", f"net/50-extra.conf{DISABLED}", "net1/50-extra.conf"]
    node.both(None)
    assert list(node.files()) == ["net/50-extra.conf", "net1/50-extra.conf"]


def test_a_displaced_file_of_the_network_goes_with_it(node: Directory) -> None:
    theirs = {"name": "net-1", "plugins": [{"type": "bridge"}]}
    node.put(f"net-1.conflist{DISABLED}", theirs)
    # As when the node had another network in between.
    node.put(f"net.conflist{DISABLED}", {**theirs, "name": "net"})
    # What libcni would add to the network's plugins may carry its name, and is somebody else's.
    node.put(f"net/50-extra.conf{DISABLED}", {"type": "tuning", "name": "net"})
    node.lend("10.12.1.7")
    config = json.loads((node.conf_dir / f"net.conflist{DISABLED}").read_text())
    config["plugins"][0]["ipam"] = node.config()["ipam"]
    node.put(f"net.conflist{DISABLED}", config)
    with pytest.raises(PodnetError, match=r"^state: absent would orphan 1 attached pod "):
        node.run(None)
    node.both(None, allow_orphans=True)
    assert list(node.files()) == ["net-1.conflist", "net/50-extra.conf"]


def test_what_is_not_readable_is_given_back_in_the_place_of_ours(node: Directory) -> None:
    """It was shown like a text, and is none."""
    node.put("05-podman.conflist", {"name": "net", "plugins": [{"type": "bridge"}]})
    (node.conf_dir / f"05-podman.conflist{DISABLED}").symlink_to("nowhere")
    done = node.both(None)
    assert short(node, done) == [f"remove file 05-podman.conflist{DISABLED}", "change file 05-podman.conflist"]
    assert (node.conf_dir / "05-podman.conflist").readlink() == pathlib.Path("nowhere")


def test_what_nobody_would_displace_is_not_given_back(node: Directory) -> None:
    for name in (f"README{DISABLED}", f"05-podman.conflist{DISABLED}{DISABLED}", DISABLED):
        node.put(name, "{")
    before = node.files()
    assert node.both(None)["actions"] == []
    assert node.files() == before


def test_a_directory_where_a_competitor_would_go(node: Directory) -> None:
    node.put("05-podman.conflist", {"name": "podman", "plugins": [{"type": "bridge"}]})
    (node.conf_dir / f"05-podman.conflist{DISABLED}").mkdir()
    for check in (True, False):
        with pytest.raises(PodnetError, match="exists from an earlier run, and its competitor is back"):
            node.run(node.config(), on_conflict="rename", check=check)
    assert list(node.files()) == ["05-podman.conflist"]


def test_a_link_to_the_file_that_is_yet_to_be_written(node: Directory) -> None:
    (node.conf_dir / "zz.json").symlink_to("net.conflist")
    (node.conf_dir / "zz1.json").symlink_to("net.conf")
    assert short(node, node.both(node.config())) == ["remove file zz.json", "create file net.conflist"]
    assert (node.conf_dir / "zz1.json").is_symlink()


def test_a_link_in_circles_is_no_directory_of_the_network(node: Directory) -> None:
    (node.conf_dir / "net").symlink_to("net")
    node.both(node.config())
    assert short(node, node.both(None)) == ["remove file net.conflist"]


def test_the_place_of_leases_is_one_however_it_is_spelled() -> None:
    ipam = {"type": "host-local", "dataDir": "/var/lib/cni/networks/"}
    assert consent.data_dirs([{"type": "bridge", "ipam": ipam}]) == ["/var/lib/cni/networks"]


@pytest.mark.parametrize("data_dir", ["/a\0b", "/\ud800", "relative", "", 5])
def test_leases_that_nobody_can_find(node: Directory, data_dir: t.Any) -> None:
    node.put("net.conf", {**node.config(), "name": "net", "ipam": {"type": "host-local", "dataDir": data_dir}})
    assert short(node, node.both(None)) == ["remove file net.conf"]


def test_permissions_are_put_right(node: Directory) -> None:
    node.run(node.config())
    os.chmod(node.conf_dir / "net.conflist", 0o600)
    done = node.both(node.config())
    assert short(node, done) == ["change permissions of net.conflist: mode 0600 -> 0644"]
    assert (node.conf_dir / "net.conflist").stat().st_mode & 0o7777 == 0o644


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to another group")
def test_the_group_of_the_directory_is_not_the_files(node: Directory) -> None:
    """A setgid bit gave it to the file, in each run anew."""
    os.chown(node.conf_dir, -1, 4711)
    os.chmod(node.conf_dir, 0o2700)
    node.run(node.config())
    assert (node.conf_dir / "net.conflist").stat().st_gid == os.getegid()
    assert not node.run(node.config())["changed"]


@pytest.mark.parametrize("kind", ["link", "directory", "fifo"])
def test_a_place_that_is_taken(node: Directory, kind: str) -> None:
    place = node.conf_dir / "net.conflist"
    if kind == "link":
        place.symlink_to("elsewhere")
    elif kind == "directory":
        place.mkdir()
    else:
        os.mkfifo(place)
    with pytest.raises(PodnetError, match=r"net\.conflist: is .*, so it cannot be written safely; move it away"):
        node.run(node.config())


def test_a_directory_that_is_a_file_or_a_link_to_nothing(node: Directory) -> None:
    node.conf_dir.rmdir()
    node.conf_dir.write_text("")
    with pytest.raises(PodnetError, match=r"^conf_dir: .* is, or is below, a file; "):
        node.run(node.config())
    node.conf_dir.unlink()
    node.conf_dir.symlink_to("nowhere")
    with pytest.raises(PodnetError, match=r"^conf_dir: .* is a link to nothing; "):
        node.run(node.config())


def test_what_a_killed_run_left_goes(node: Directory) -> None:
    node.put(".tmpabc.podnet-tmp", "half")
    assert short(node, node.both(node.config()))[0] == "remove leftover .tmpabc.podnet-tmp"
    assert list(node.files()) == ["net.conflist"]


def test_a_broken_file_of_ours_is_replaced(node: Directory) -> None:
    node.put("net.conflist", "{")
    assert short(node, node.both(node.config())) == ["change file net.conflist"]
    (node.conf_dir / "net.conflist").write_bytes(b"\xff\xff")
    assert short(node, node.both(node.config())) == ["change file net.conflist"]


def test_another_pod_cidr_needs_consent(node: Directory) -> None:
    node.run(node.config())
    with pytest.raises(PodnetError) as caught:
        node.run(node.config("10.12.10.0/24"), check=True)
    assert str(caught.value) == (
        "config: the node has the pod CIDR 10.12.1.0/24 and would get 10.12.10.0/24; "
        "take what the nodes have where the lock file was lost (pod_cidr_adopt: true), give it its own again, "
        "or consent with renumber (pod_network_renumber: true)"
    )
    done = node.both(node.config("10.12.10.0/24"), renumber=True)
    assert short(node, done) == ["change file net.conflist"]


def test_a_family_may_be_added(node: Directory) -> None:
    node.run(node.config())
    both = node.config()
    both["ipam"]["ranges"].append([{"subnet": "2001:db8:1::/64"}])
    assert node.both(both)["changed"] is True
    with pytest.raises(PodnetError, match="consent with renumber"):
        node.run(node.config())


def test_leases_of_another_cidr_need_consent(node: Directory) -> None:
    node.lend("10.12.10.7")
    node.lend("10.12.99.7", network="net-1")
    with pytest.raises(PodnetError) as caught:
        node.run(node.config())
    assert str(caught.value) == (
        f"config: {node.data_dir}/net holds a lease of 10.12.10.7, which is outside 10.12.1.0/24; "
        "remove that pod, or consent with renumber (pod_network_renumber: true)"
    )
    assert node.run(node.config(), renumber=True)["changed"] is True


def test_attached_pods_are_not_orphaned(node: Directory) -> None:
    node.run(node.config())
    node.lend("10.12.1.7", network="net-1")
    moved = node.config()
    moved["ipam"]["dataDir"] = "/run/cni"
    assert node.run(moved, check=True)["change_class"] == "refuse"
    node.lend("10.12.1.7")
    with pytest.raises(PodnetError) as caught:
        node.run(moved)
    assert str(caught.value) == (
        "config: net would orphan 1 attached pod (0123456789ab): bridge.ipam.dataDir changes; "
        "remove these pods first, or consent with allow_orphans"
    )
    with pytest.raises(PodnetError) as caught:
        node.run(None)
    assert str(caught.value) == (
        "state: absent would orphan 1 attached pod (0123456789ab) of network net; "
        "remove these pods first, or consent with allow_orphans"
    )
    assert list(node.files()) == ["net.conflist"]
    assert node.run(None, allow_orphans=True)["changed"] is True
    assert node.run(None)["changed"] is False
    assert (node.data_dir / "net" / "10.12.1.7").exists()


def test_another_network_in_our_place_is_not_orphaned(node: Directory) -> None:
    node.run(node.config(), name="old")
    (node.conf_dir / "old.conflist").rename(node.conf_dir / "net.conflist")
    node.lend("10.12.1.7", network="old")
    with pytest.raises(PodnetError, match=r"^config: old would orphan 1 attached pod .*: name changes; "):
        node.run(node.config())
    assert node.run(node.config(), allow_orphans=True)["change_class"] == "refuse"


def test_addresses_of_another_networks_pods_are_not_lent_again(node: Directory) -> None:
    node.run(node.config(), name="old")
    node.lend("10.12.10.7", network="net1")
    assert node.run(node.config(), check=True)["changed"] is True
    node.lend("10.12.1.2", network="old")
    for check in (True, False):
        with pytest.raises(PodnetError) as caught:
            node.run(node.config(), check=check)
        assert str(caught.value) == (
            "config: net would lend addresses again that 1 attached pod (0123456789ab) of network old may have; "
            "remove these pods first, or consent with allow_orphans"
        )
    # It does not matter whether the other network's file is still there.
    (node.conf_dir / "old.conflist").unlink()
    with pytest.raises(PodnetError, match="of network old may have"):
        node.run(node.config())
    assert node.run(node.config("10.12.2.0/24"), name="other")["changed"] is True
    # Who has consented is not asked again.
    assert node.run(node.config(), allow_orphans=True)["changed"] is True
    assert node.both(node.config(mtu=1400))["change_class"] == "new_pods_only"


def test_a_displaced_networks_addresses_are_not_lent_again(node: Directory) -> None:
    node.run(node.config(), priority=20)
    node.put("10-old.conf", {**node.config(), "name": "old"})
    node.lend("10.12.1.2", network="old")
    with pytest.raises(PodnetError, match=r"^config: net would lend addresses again .* of network old may have; "):
        node.run(node.config(), priority=20, on_conflict="rename")
    node.run(node.config(), priority=20, on_conflict="ignore")
    node.both(node.config(), priority=20, on_conflict="rename", allow_orphans=True)
    assert node.run(node.config(), priority=20, on_conflict="rename")["changed"] is False


@pytest.mark.parametrize(
    ("network", "address", "netns"),
    [
        ("old", "10.12.1.2/24", "/"),
        ("old", "10.12.10.2/24", "/"),
        ("old", "10.12.1.2/24", "/nonexistent"),
        ("old", "no address", "/"),
        ("net", "10.12.1.2/24", "/"),
    ],
)
def test_who_has_an_address_by_libcnis_cache(
    node: Directory, monkeypatch: pytest.MonkeyPatch, network: str, address: str, netns: str
) -> None:
    pod = attachments.Attachment(
        "0123456789abcdef", "eth0", netns, os.path.exists(netns), [address], {}, network=network
    )
    monkeypatch.setattr(attachments, "cache", lambda: attachments.Cache([pod], []))
    monkeypatch.setattr(attachments, "attachments", lambda _name: [])
    if netns != "/":
        node.lend("10.12.1.2", network="old")
    if (network, address, netns) == ("old", "10.12.1.2/24", "/"):
        with pytest.raises(PodnetError, match="of network old may have"):
            node.run(node.config())
    else:
        assert node.run(node.config())["changed"] is True


def test_an_empty_store_goes_with_the_network(node: Directory) -> None:
    node.run(node.config())
    (node.data_dir / "net").mkdir()
    (node.data_dir / "net" / "last_reserved_ip.0").write_text("10.12.1.7")
    (node.data_dir / "net" / "lock").write_text("")
    node.lend("10.12.1.7", network="net-1")
    done = node.both(None)
    assert short(node, done) == ["remove store net", "remove file net.conflist"]
    assert [path.name for path in node.data_dir.iterdir()] == ["net-1"]


@pytest.mark.parametrize("name", ["lock", "last_reserved_ip.0"])
def test_a_store_with_something_else_in_it_stays(node: Directory, name: str) -> None:
    node.run(node.config())
    (node.data_dir / "net" / name).mkdir(parents=True)
    assert short(node, node.both(None)) == ["remove file net.conflist"]
    assert (node.data_dir / "net" / name).is_dir()


KILLED = """
import sys
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import conf
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.directory import Request
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.network import CniNetwork
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import converge

print("ready", flush=True)
number = 0
while True:
    number += 1
    form, priority = [("conf", 10), ("conflist", 10), ("conflist", None)][number % 3]
    config = {"cniVersion": "1.0.0", "type": "mine", "number": number, "filler": "x" * 20000}
    path = sys.argv[1] + "/" + conf.file_name("net", form, priority)
    network = conf.normalise("net", config, form)
    converge(CniNetwork(Request("net", sys.argv[1], path, network, "rename", False, False)), False)
"""


def test_a_run_that_is_killed_leaves_the_old_file_or_the_new_one(node: Directory) -> None:
    node.put("zz-foreign.conflist", {"name": "foreign", "plugins": [{"type": "x"}]})
    node.run({"cniVersion": "1.0.0", "type": "mine", "filler": "x" * 20000})
    chance = random.Random(4711)  # noqa: S311
    for _round in range(15):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(node.conf_dir)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.005 + chance.random() * 0.05)
        process.kill()
        process.wait()
        process.stdout.close()
        visible = {name: text for name, text in node.files().items() if name.endswith((".conf", ".conflist"))}
        assert visible.pop("zz-foreign.conflist") == '{"name": "foreign", "plugins": [{"type": "x"}]}'
        assert 1 <= len(visible) <= 2
        for text in visible.values():
            plugin = conf.plugins_of(json.loads(text))[0]
            assert plugin["filler"] == "x" * 20000
    done = node.run({"cniVersion": "1.0.0", "type": "mine"})
    assert done["changed"] is True
    assert list(node.files()) == ["net.conflist", "zz-foreign.conflist"]
