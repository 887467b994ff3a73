# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Installing and removing binaries in a directory that others use, too; with real files and archives."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _files
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import archive, manifest
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.binaries import Binaries, Wanted
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.installation import Installation
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.removal import Removal
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import converge
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError, shown

FIRST = {"bridge": b"bridge 1", "bridge10": b"ten 1", "host-local": b"local 1", "loopback": b"lo 1"}
SECOND = {**FIRST, "bridge": b"bridge 2"}


def nobody_owns(args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
    return 1, "", f"{args[0]}: no path found"


class Place:
    """A bin directory to be, two archives, and the module's options as keyword arguments."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "opt" / "cni" / "bin"
        self.first = self.pack("first.tgz", FIRST)
        self.second = self.pack("second.tgz", SECOND)

    def pack(self, name: str, contents: dict[str, bytes]) -> dict[str, str]:
        path = self.root / name
        with tarfile.open(path, "w:gz") as tar:
            for plugin, content in contents.items():
                member = tarfile.TarInfo(f"./{plugin}")
                member.mode, member.size = 0o755, len(content)
                tar.addfile(member, io.BytesIO(content))
        return {"archive": str(path), "checksum": "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()}

    def build(self, present: bool, **options: t.Any) -> Binaries:
        wanted = Wanted(**{"bin_dir": str(self.bin), **options})
        return Installation(wanted, nobody_owns) if present else Removal(wanted)

    def run(self, present: bool, **options: t.Any) -> dict[str, t.Any]:
        """Converge as the module does: check mode first, which changes nothing and says exactly what is then done."""
        before = self.snapshot()
        checked = converge(self.build(present, **options), check_mode=True)
        assert self.snapshot() == before
        done = converge(self.build(present, **options), check_mode=False)
        assert done == checked
        again = converge(self.build(present, **options), check_mode=False)
        assert (again["changed"], again["actions"]) == (False, [])
        return done

    def install(self, release: dict[str, str], *names: str, **options: t.Any) -> dict[str, t.Any]:
        return self.run(True, **release, plugins=names, **options)

    def snapshot(self) -> dict[str, t.Any]:
        paths = sorted((self.root / "opt").rglob("*")) if (self.root / "opt").exists() else []
        return {str(path): (path.lstat().st_mode, path.read_bytes() if path.is_file() else None) for path in paths}

    def plant(self, name: str, content: bytes = b"foreign", mode: int = 0o700) -> Path:
        self.bin.mkdir(parents=True, exist_ok=True)
        path = self.bin / name
        path.write_bytes(content)
        path.chmod(mode)
        return path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_six_steps_beside_foreign_plugins(place: Place) -> None:
    place.plant("bridge10")
    place.plant("bridg")
    start = place.snapshot()
    created = place.install(place.first, "bridge", "host-local")
    assert created["installed"] == ["bridge", "host-local"]
    assert created["actions"][0].startswith(f"create plugin {place.bin}/bridge (archive {place.first['checksum']}, ")
    changed = place.install(place.second, "bridge", "host-local", "loopback")
    assert changed["actions"][0] == (
        f"change plugin {place.bin}/bridge: archive {place.first['checksum']} -> {place.second['checksum']}"
    )
    assert (place.bin / "bridge").read_bytes() == SECOND["bridge"]
    removed = place.run(False)
    assert [action.rpartition("/")[2] for action in removed["actions"]] == ["loopback", "host-local", "bridge"]
    assert removed["installed"] == []
    assert place.snapshot() == start


def test_directories_that_we_made_go_with_the_last_plugin(place: Place) -> None:
    created = place.install(place.first, "bridge", "loopback")
    assert created["actions"][:3] == [
        f"create directory {place.root}/opt",
        f"create directory {place.root}/opt/cni",
        f"create directory {place.bin}",
    ]
    place.run(False, plugins=["bridge"])
    assert (place.bin / "loopback").exists()
    place.run(False)
    assert not (place.root / "opt").exists()


def test_a_directory_that_others_use_stays(place: Place) -> None:
    place.install(place.first, "bridge")
    place.plant("calico")
    place.run(False)
    assert [path.name for path in place.bin.iterdir()] == ["calico"]


def test_the_directory_keeps_its_mode_and_the_files_get_ours_whatever_the_umask(place: Place) -> None:
    place.bin.mkdir(parents=True)
    place.bin.chmod(0o2711)
    old = os.umask(0o077)
    try:
        place.install(place.first, "bridge")
    finally:
        os.umask(old)
    assert place.bin.stat().st_mode & 0o7777 == 0o2711
    assert (place.bin / "bridge").stat().st_mode & 0o7777 == 0o755


def test_a_foreign_plugin_is_replaced_with_consent_only(place: Place) -> None:
    place.plant("bridge")
    with pytest.raises(
        OptionError, match=f"^bin_dir: {shown(str(place.bin))} already holds bridge, which somebody else put there; "
    ):
        place.install(place.first, "bridge", "host-local")
    done = place.install(place.first, "bridge", replace=True)
    assert "content foreign -> intact" in done["actions"][0]
    assert (place.bin / "bridge").read_bytes() == FIRST["bridge"]


def test_the_same_content_is_still_somebody_elses(place: Place) -> None:
    place.plant("bridge", FIRST["bridge"], 0o755)
    with pytest.raises(OptionError, match="already holds bridge"):
        place.install(place.first, "bridge")


@pytest.mark.parametrize("replace", [True, False])
def test_a_directory_in_the_way_is_refused(replace: bool, place: Place) -> None:
    (place.bin / "bridge").mkdir(parents=True)
    with pytest.raises(PodnetError, match=r"/bridge: is a directory where plugin bridge should be; move it away"):
        place.install(place.first, "bridge", replace=replace)


def test_a_link_is_replaced_and_not_followed(place: Place) -> None:
    elsewhere = place.plant("elsewhere", b"elsewhere")
    (place.bin / "bridge").symlink_to(elsewhere)
    with pytest.raises(OptionError, match="already holds bridge"):
        place.install(place.first, "bridge")
    place.install(place.first, "bridge", replace=True)
    assert elsewhere.read_bytes() == b"elsewhere"
    assert not (place.bin / "bridge").is_symlink()


def test_drift_is_repaired_and_named(place: Place) -> None:
    place.install(place.first, "bridge", "host-local", "loopback")
    place.plant("bridge", b"calico's", 0o755)
    (place.bin / "host-local").chmod(0o4755)
    (place.bin / "loopback").unlink()
    done = place.install(place.first, "bridge", "host-local", "loopback")
    assert done["drifted"] == ["bridge", "host-local", "loopback"]
    assert done["actions"][:2] == [
        f"change plugin {place.bin}/bridge: content replaced -> intact",
        f"change plugin {place.bin}/host-local: mode 4755 -> 0755",
    ]
    assert done["actions"][2].startswith(f"create plugin {place.bin}/loopback")


def test_the_archive_is_needed_only_to_unpack(place: Place) -> None:
    release = {"checksum": place.first["checksum"]}
    with pytest.raises(OptionError, match=r"^archive: null is needed to install bridge; name the release archive"):
        place.install(release, "bridge")
    place.install(place.first, "bridge")
    (place.bin / "bridge").chmod(0o700)
    assert place.install(release, "bridge")["actions"] == [f"change plugin {place.bin}/bridge: mode 0700 -> 0755"]


def test_check_mode_goes_through_before_the_archive_is_there(place: Place) -> None:
    absent = {**place.first, "archive": str(place.root / "later.tgz"), "plugins": ["bridge"]}
    assert converge(place.build(True, **absent), check_mode=True)["changed"]
    with pytest.raises(OptionError, match=r"^archive: .*later\.tgz cannot be read \(No such file or directory\); copy"):
        converge(place.build(True, **absent), check_mode=False)
    assert place.snapshot() == {}


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_missing_plugin_is_said_before_anything_is_written(check_mode: bool, place: Place) -> None:
    with pytest.raises(OptionError, match=r"^plugins: hostlocal is not in .*; did you mean host-local\?"):
        converge(place.build(True, **place.first, plugins=["bridge", "hostlocal"]), check_mode)
    assert place.snapshot() == {}


def test_plugins_that_are_not_wanted_any_more_stay_ours(place: Place) -> None:
    place.install(place.first, "bridge", "loopback")
    done = place.install(place.second, "bridge")
    assert done["installed"] == ["bridge", "loopback"]
    assert (place.bin / "loopback").read_bytes() == FIRST["loopback"]


def test_what_somebody_else_replaced_stays_when_ours_goes(place: Place) -> None:
    place.install(place.first, "bridge", "host-local", "loopback")
    place.plant("bridge", b"calico's")
    (place.bin / "loopback").unlink()
    done = place.run(False)
    assert sorted(done["actions"]) == [
        f"remove plugin {place.bin}/host-local",
        f"remove record of {place.bin}/bridge, which was replaced by somebody else and stays",
        f"remove record of {place.bin}/loopback, which is gone",
    ]
    assert [path.name for path in place.bin.iterdir()] == ["bridge"]


def test_nothing_of_ours_is_nothing_to_remove(place: Place) -> None:
    assert place.run(False)["changed"] is False
    place.plant("bridge")
    assert place.run(False)["changed"] is False
    assert place.run(False, plugins=["bridge", "bridge10"])["changed"] is False


def kill_upgrade(place: Place, writes: int) -> None:
    """Let a run end that replaces one plugin and installs another, after so many files."""
    real, done = _files.write_atomically, []

    def killed(path: str, content: t.Union[str, bytes], mode: int = 0o644) -> None:
        if len(done) == writes:
            Path(path).with_name(".half" + _files.TEMPORARY).write_bytes(b"half")
            raise KeyboardInterrupt
        done.append(path)
        real(path, content, mode)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_files, "write_atomically", killed)
        with pytest.raises(KeyboardInterrupt):
            converge(place.build(True, **place.second, plugins=["bridge", "loopback"]), check_mode=False)


every_write = pytest.mark.parametrize("writes", [0, 1, 2, 3])


@every_write
def test_the_next_run_finishes_what_a_killed_one_began(writes: int, place: Place) -> None:
    place.install(place.first, "bridge")
    kill_upgrade(place, writes)
    for name in ("bridge", "loopback"):
        path = place.bin / name
        assert not path.exists() or path.read_bytes() in (FIRST[name], SECOND[name])
    place.install(place.second, "bridge", "loopback")
    assert {path.name for path in place.bin.iterdir()} == {"bridge", "loopback", manifest.FILE}
    assert all(entry.former is None for entry in manifest.load(str(place.bin)).plugins.values())
    place.run(False)
    assert not (place.root / "opt").exists()


@every_write
def test_what_a_killed_upgrade_left_is_ours_to_remove(writes: int, place: Place) -> None:
    place.install(place.first, "bridge")
    kill_upgrade(place, writes)
    place.run(False)
    assert not (place.root / "opt").exists()


def test_what_an_upgrade_left_that_was_killed_twice_is_ours_to_remove(place: Place) -> None:
    place.install(place.first, "bridge")
    kill_upgrade(place, 1)
    kill_upgrade(place, 1)
    place.run(False)
    assert not (place.root / "opt").exists()


def test_what_somebody_else_puts_there_after_a_killed_upgrade_stays(place: Place) -> None:
    place.install(place.first, "bridge")
    kill_upgrade(place, 1)
    place.plant("bridge", b"calico's")
    place.run(False)
    assert [path.name for path in place.bin.iterdir()] == ["bridge"]


def test_a_whole_upgrade_forgets_what_was_there_before(place: Place) -> None:
    place.install(place.first, "bridge")
    place.install(place.second, "bridge")
    place.plant("bridge", FIRST["bridge"])
    place.run(False)
    assert [path.name for path in place.bin.iterdir()] == ["bridge"]


def test_a_running_binary_is_replaced(place: Place) -> None:
    place.install(place.first, "bridge")
    with (place.bin / "bridge").open("rb") as running:
        place.install(place.second, "bridge")
        assert running.read() == FIRST["bridge"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"bin_dir": "opt/cni/bin"}, "bin_dir: opt/cni/bin is not an absolute path; "),
        ({"plugins": ["bridge", "../bridge"]}, "plugins[1]: ../bridge is not a plugin's name; "),
        ({"plugins": [".podnet-plugins.json"]}, "plugins[0]: .podnet-plugins.json is not a plugin's name; "),
        ({"plugins": [""]}, 'plugins[0]: "" is not a plugin\'s name; '),
        ({"checksum": "abc"}, "checksum: abc is not a checksum; "),
    ],
)
def test_bad_options_are_named(options: dict[str, t.Any], says: str, place: Place) -> None:
    with pytest.raises(OptionError) as caught:
        place.build(True, **{**place.first, **options})
    assert str(caught.value).startswith(says)


def test_a_file_where_a_directory_should_be_is_named(place: Place) -> None:
    (place.root / "opt").write_bytes(b"")
    for check_mode in (True, False):
        with pytest.raises(OptionError, match=rf"^bin_dir: .* cannot be: {place.root}/opt is not a directory; "):
            converge(place.build(True, **place.first, plugins=["bridge"]), check_mode)
    assert place.run(False)["changed"] is False


def test_the_checksum_is_chosen_by_architecture(place: Place) -> None:
    checksums = {archive.architecture(): place.first["checksum"], "vax": "sha256:" + "0" * 64}
    done = place.run(True, archive=place.first["archive"], checksums=checksums, plugins=["bridge"])
    assert done["architecture"] == archive.architecture()


def test_no_plugins_at_all_need_no_directory(place: Place) -> None:
    assert place.install(place.first)["changed"] is False
