# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The addresses that host-local has lent: one file for each, named like it, in a directory for each network.

host-local takes flock(2) on a file beside them while it lends; whoever changes a store takes it too.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import stat
import time
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _locks, _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

#: What host-local keeps beside the addresses.
LOCK = "lock"
HOUSEKEEPING = (LOCK, "last_reserved_ip.")

#: A plugin has the lock for milliseconds, many one after the other for seconds.
PATIENCE = 10.0

#: A lease is two short lines; a larger file is none.
_LIMIT = 4096


class Lease(t.NamedTuple):
    """One address that host-local has lent; ``ifname`` is empty in stores of very old releases."""

    address: str
    container_id: str
    ifname: str
    #: Where it is written, and since when (seconds since 1970).
    path: str = ""
    since: float = 0.0


def leases(network: str, data_dir: str) -> list[Lease]:
    """Return the addresses that host-local has lent to a network's pods, in the addresses' order."""
    store = os.path.join(data_dir, network)
    found = [lease for name in names(store) if _values.is_address(name) for lease in _lease(store, name)]
    return sorted(found, key=lambda lease: (":" in lease.address, int(ipaddress.ip_address(lease.address))))


def networks(data_dir: str) -> list[str]:
    """Return the networks that have a store in a directory; a link is none."""
    return [name for name in names(data_dir) if _is_store(os.path.join(data_dir, name))]


def housekeeping(network: str, data_dir: str) -> t.Optional[list[str]]:
    """Return what is in a network's store if that is no address; None where there is no store or more is in it."""
    store = os.path.join(data_dir, network)
    if not _is_store(store):
        return None
    found = names(store)
    ours = all(name == HOUSEKEEPING[0] or name.startswith(HOUSEKEEPING[1]) for name in found)
    return found if ours and all(_is_plain(os.path.join(store, name)) for name in found) else None


def remove_store(network: str, data_dir: str) -> None:
    """Remove a network's empty store, under the lock that host-local takes, so that no lease is lost in between."""
    store = os.path.join(data_dir, network)
    try:
        with locked([store], PATIENCE):
            found = housekeeping(network, data_dir)
            if found is None:
                raise PodnetError(f"{store}: a pod got an address in this moment; remove the pods and run again")
            for name in found:
                os.unlink(os.path.join(store, name))
            os.rmdir(store)
    except OSError as error:
        raise PodnetError(f"{store}: cannot be removed ({error.strerror}); run again when no pod starts") from error


@contextlib.contextmanager
def locked(stores: t.Sequence[str], seconds: float) -> t.Iterator[None]:
    """Have the locks that host-local takes until the end of the block; wait for them, but not for ever."""
    deadline = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        for place in stores:
            handle = _open_lock(os.path.join(place, LOCK))
            stack.callback(os.close, handle)
            if not _lock(handle, deadline - time.monotonic()):
                raise PodnetError(
                    f"{place}: host-local's lock was not free within {seconds:g} seconds, so nothing was changed; "
                    "run again when no pod starts, or see who has it with lslocks"
                )
        yield


def free(lent: t.Iterable[Lease]) -> None:
    """Give addresses back, durably; the lock is the caller's."""
    places = set()
    for lease in lent:
        try:
            os.unlink(lease.path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise PodnetError(f"{lease.path}: cannot be removed ({error.strerror}); check its directory") from error
        places.add(os.path.dirname(lease.path))
    for place in places:
        _files.sync_directory(place)


def names(directory: str) -> list[str]:
    """Return what is in a directory, which need not be there."""
    try:
        with os.scandir(directory) as entries:
            return sorted(entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise PodnetError(f"{directory}: cannot be listed ({error.strerror}); check its mode") from error


def _lease(store: str, name: str) -> list[Lease]:
    path = os.path.join(store, name)
    try:
        status = os.lstat(path)
        plain = stat.S_ISREG(status.st_mode)
        content = (_files.read_bytes(path, _LIMIT) if plain else None) or b""
    except FileNotFoundError:
        return []  # it was given back in this moment
    except PodnetError:
        content = b""
    owner = content.decode(errors="replace").replace("\r", "").split("\n")
    # host-local itself takes whatever has the name for a lease, so do we; whose it is may remain unknown.
    return [Lease(name, owner[0].strip(), owner[1].strip() if len(owner) > 1 else "", path, status.st_mtime)]


def _open_lock(path: str) -> int:
    try:
        # As host-local opens it; neither a link nor a FIFO may lead us elsewhere or make us wait.
        handle = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise PodnetError(f"{path}: cannot be locked ({error.strerror}); check the file's type and mode") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise PodnetError(f"{path}: cannot be locked, as it is no regular file; move it away")
    return handle


def _lock(handle: int, seconds: float) -> bool:
    try:
        return _locks.taken(handle, seconds)
    except OSError as error:
        raise PodnetError(f"flock failed ({error.strerror}); is the store on a file system without locks?") from error


def _is_store(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _is_plain(path: str) -> bool:
    return os.path.isfile(path) and not os.path.islink(path)
