# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The runtime's directory as one network sees it: its own files, those that are in its way, those that were displaced.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import stat
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import conf, loader
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError

#: A file that we took out of the runtime's sight ends like this.
DISABLED = ".disabled-by-podnet"


class Request(t.NamedTuple):
    """What the module was asked for; ``network`` is None where the network shall not be."""

    name: str
    conf_dir: str
    path: str
    network: t.Optional[conf.Network]
    on_conflict: str
    allow_orphans: bool
    renumber: bool


class Directory:
    """What is there at one moment.

    ``ours`` has the file that is, or will be, the network's first, then others that carry its name, as one of before.
    Where the network goes, its files go that were displaced when the node had another one.
    """

    def __init__(self, request: Request) -> None:
        _require_place(request)
        self._request = request
        files = loader.read_directory(request.conf_dir)
        self.displaced = self._read_displaced()
        at_path = [entry for entry in files if request.network and entry.path == request.path]
        own = [entry for entry in [*files, *self.displaced] if self.is_own(entry) and entry not in at_path]
        self.ours = at_path + own
        self.rivals = self._rivals(files) if request.network else []

    def is_own(self, entry: loader.File) -> bool:
        """Whether a file is the network's."""
        request = self._request
        if os.path.dirname(entry.path) != request.conf_dir:
            return False
        if request.network is None:
            return entry.network == request.name
        # A link to our file is none of another network, also while that is yet to be written.
        ours = entry.network == request.name or os.path.realpath(entry.path) == os.path.realpath(request.path)
        return ours and not entry.path.endswith(DISABLED)

    def _rivals(self, files: t.Sequence[loader.File]) -> list[loader.File]:
        """Foreign files that are read before ours, and those that libcni adds to our plugins."""
        request = self._request
        found = [entry for entry in loader.ahead(files, request.path) if entry not in self.ours]
        if request.network and not request.network.document.get("loadOnlyInlinedPlugins"):
            found += loader.injected(request.conf_dir, request.name)
        return found

    def _read_displaced(self) -> list[loader.File]:
        """Nobody displaces what no runtime loads."""
        directories = (self._request.conf_dir, os.path.join(self._request.conf_dir, self._request.name))
        paths = [path for directory in directories for path in _listed(directory) if path.endswith(DISABLED)]
        return [loader.read_file(path) for path in paths if loader.is_loaded_name(path[: -len(DISABLED)])]


def _require_place(request: Request) -> None:
    """The directory is one or can be made, and the file is a plain file or can become one."""
    if not request.conf_dir.startswith("/"):
        raise OptionError("conf_dir", request.conf_dir, "is not an absolute path", "write it from the root")
    if os.path.islink(request.conf_dir) and not os.path.exists(request.conf_dir):
        raise OptionError("conf_dir", request.conf_dir, "is a link to nothing", "remove the link, or make its target")
    try:
        kind = os.lstat(request.path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if request.network and not stat.S_ISREG(kind):
        what = "a symbolic link" if stat.S_ISLNK(kind) else "a directory" if stat.S_ISDIR(kind) else "no plain file"
        raise PodnetError(f"{request.path}: is {what}, so it cannot be written safely; move it away")


def _listed(directory: str) -> list[str]:
    # A link that leads in circles is no directory either, as the runtimes see it.
    if not os.path.isdir(directory):
        return []
    with os.scandir(directory) as entries:
        return sorted(entry.path for entry in entries if not entry.is_dir(follow_symlinks=False))
