# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""host-local's leases, from directories as it keeps them, and its lock."""

from __future__ import annotations

import fcntl
import os
import pathlib
import time

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import store
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError


def lend(data_dir: pathlib.Path, network: str, address: str, owner: str) -> None:
    (data_dir / network).mkdir(exist_ok=True)
    (data_dir / network / address).write_bytes(owner.encode())


def test_leases_in_the_addresses_order(tmp_path: pathlib.Path) -> None:
    for address, owner in [("10.12.1.10", "b\r\neth0"), ("10.12.1.9", "a\r\neth0"), ("2001:db8::2", "a\r\neth0")]:
        lend(tmp_path, "net", address, owner)
    lend(tmp_path, "net", "10.12.1.11", "old")
    lend(tmp_path, "net", "last_reserved_ip.0", "10.12.1.11")
    lend(tmp_path, "net", "lock", "")
    lend(tmp_path, "net-1", "10.12.2.2", "c\r\neth0")
    found = store.leases("net", str(tmp_path))
    assert [(lease.address, lease.container_id, lease.ifname) for lease in found] == [
        ("10.12.1.9", "a", "eth0"),
        ("10.12.1.10", "b", "eth0"),
        ("10.12.1.11", "old", ""),
        ("2001:db8::2", "a", "eth0"),
    ]
    assert found[0].path == str(tmp_path / "net" / "10.12.1.9")
    assert abs(found[0].since - time.time()) < 60
    assert store.leases("ne", str(tmp_path)) == []


def test_an_empty_store_goes(tmp_path: pathlib.Path) -> None:
    lend(tmp_path, "net", "lock", "")
    lend(tmp_path, "net", "last_reserved_ip.0", "10.12.1.11")
    lend(tmp_path, "net-1", "lock", "")
    assert store.housekeeping("net", str(tmp_path)) == ["last_reserved_ip.0", "lock"]
    store.remove_store("net", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["net-1"]
    assert store.housekeeping("net", str(tmp_path)) is None


@pytest.mark.parametrize("name", ["10.12.1.2", "2001:db8::2", "notes.txt"])
def test_a_store_with_more_in_it_stays(tmp_path: pathlib.Path, name: str) -> None:
    lend(tmp_path, "net", "lock", "")
    lend(tmp_path, "net", name, "a\r\neth0")
    assert store.housekeeping("net", str(tmp_path)) is None
    with pytest.raises(PodnetError, match="a pod got an address in this moment"):
        store.remove_store("net", str(tmp_path))
    assert {path.name for path in (tmp_path / "net").iterdir()} == {"lock", name}


def test_a_store_that_is_a_link_stays(tmp_path: pathlib.Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "net").symlink_to("elsewhere")
    assert store.housekeeping("net", str(tmp_path)) is None


def test_a_store_that_is_locked_stays(tmp_path: pathlib.Path) -> None:
    lend(tmp_path, "net", "lock", "")
    with open(tmp_path / "net" / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(PodnetError, match="run again when no pod starts"):
            store.remove_store("net", str(tmp_path))


def test_leases_that_do_not_say_whose_they_are(tmp_path: pathlib.Path) -> None:
    lend(tmp_path, "net", "10.12.1.2", "")
    lend(tmp_path, "net", "10.12.1.3", "x" * 100000)
    os.mkfifo(tmp_path / "net" / "10.12.1.4")
    (tmp_path / "net" / "10.12.1.5").symlink_to("/etc/passwd")
    (tmp_path / "net" / "10.12.1.6").mkdir()
    assert [(lease.address, lease.container_id) for lease in store.leases("net", str(tmp_path))] == [
        (f"10.12.1.{number}", "") for number in range(2, 7)
    ]


def test_networks_are_directories(tmp_path: pathlib.Path) -> None:
    lend(tmp_path, "net1", "lock", "")
    lend(tmp_path, "net10", "lock", "")
    (tmp_path / "link").symlink_to("net1")
    (tmp_path / "file").write_text("")
    assert store.networks(str(tmp_path)) == ["net1", "net10"]
    assert store.networks(str(tmp_path / "none")) == []


def test_a_lock_is_not_waited_for_for_ever(tmp_path: pathlib.Path) -> None:
    lend(tmp_path, "net", "lock", "")
    lend(tmp_path, "net10", "10.12.1.2", "")
    stores = [str(tmp_path / "net10"), str(tmp_path / "net")]
    with open(tmp_path / "net" / "lock", "w", encoding="utf-8") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        refused = pytest.raises(PodnetError, match=r"was not free within 0\.1 seconds, so nothing was changed")
        with refused, store.locked(stores, 0.1):
            pytest.fail("the lock is another's")
    # That of net10, which was had meanwhile, is free again; and it is what others would wait for.
    taken = pytest.raises(BlockingIOError)
    with store.locked(stores, 0), taken:
        other = os.open(tmp_path / "net10" / "lock", os.O_RDWR)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)
    with open(tmp_path / "net10" / "lock", encoding="utf-8") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("kind", ["fifo", "link", "directory"])
def test_what_is_no_lock(tmp_path: pathlib.Path, kind: str) -> None:
    lend(tmp_path, "net", "10.12.1.2", "a")
    path = tmp_path / "net" / "lock"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.mkdir()
    with pytest.raises(PodnetError, match="net/lock: cannot be locked"), store.locked([str(tmp_path / "net")], 0):
        pytest.fail("that is no lock")
    assert not (tmp_path / "elsewhere").exists()


def test_freed_are_the_addresses_and_nothing_else(tmp_path: pathlib.Path) -> None:
    for address in ("10.12.1.2", "10.12.1.20", "10.12.1.3"):
        lend(tmp_path, "net", address, "a\r\neth0")
    found = store.leases("net", str(tmp_path))
    (tmp_path / "net" / "10.12.1.3").unlink()
    store.free(lease for lease in found if lease.address != "10.12.1.20")
    assert [path.name for path in (tmp_path / "net").iterdir()] == ["10.12.1.20"]
