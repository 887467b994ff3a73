# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The plugins in one bin directory that this collection installed; their installation and removal are beside it.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils import _files
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import archive, manifest, plugins
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

MODE = 0o755


@dataclass(frozen=True)
class Wanted:
    """The module's options; ``plugins`` None means the default ones to install, or all of ours to remove."""

    bin_dir: str
    plugins: t.Optional[t.Sequence[str]] = None
    archive: t.Optional[str] = None
    checksum: t.Optional[str] = None
    checksums: t.Optional[t.Mapping[str, t.Any]] = None
    replace: bool = False

    def __post_init__(self) -> None:
        if not os.path.isabs(self.bin_dir):
            raise OptionError("bin_dir", self.bin_dir, "is not an absolute path", "write it like /opt/cni/bin")
        for index, name in enumerate(self.plugins or ()):
            if not plugins.is_plugin_name(name) or name.startswith("."):
                raise OptionError(f"plugins[{index}]", name, "is not a plugin's name", "use one such as host-local")


class Binaries(Resource):
    """What the installation and the removal have in common: looking at a bin directory and its manifest."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__()
        self.wanted = wanted
        self.bin_dir = os.path.normpath(wanted.bin_dir)
        self.prefix = f"plugin {self.bin_dir}/"
        #: Names of plugins of ours that were not as we had left them; None until they were looked at.
        self.drifted: t.Optional[list[str]] = None

    def result(self, state: State) -> dict[str, t.Any]:
        return {
            "installed": sorted(self.names(state)),
            "drifted": sorted(self.drifted or []),
            "architecture": archive.architecture(),
        }

    def names(self, keys: t.Iterable[str]) -> list[str]:
        """Return the plugins' names among the keys of a state."""
        return [key[len(self.prefix) :] for key in keys if key.startswith(self.prefix)]

    def path(self, name: str) -> str:
        return os.path.join(self.bin_dir, name)

    def ours(self) -> manifest.Manifest:
        """Return the manifest; on the first call also remember what is not as it says."""
        ours = manifest.load(self.bin_dir)
        if self.drifted is None:
            sound = self.sound("")
            found = {name: self.look(name, entry) for name, entry in ours.plugins.items()}
            self.drifted = [name for name, file in found.items() if {**file, "archive": ""} != sound]
        return ours

    def sound(self, checksum: str) -> dict[str, t.Any]:
        """Return what a plugin of an archive looks like just after its installation."""
        owner = plugins.owner(os.geteuid(), os.getegid())
        return {"archive": checksum, "content": "intact", "mode": f"{MODE:04o}", "owner": owner}

    def look(self, name: str, entry: t.Optional[manifest.Entry]) -> dict[str, t.Any]:
        """Return what a plugin is now, beside its entry in the manifest (a foreign one has none)."""
        file = plugins.inspect(self.path(name))
        if entry is None:
            content = "foreign"
        elif file is None:
            content = "replaced" if os.path.lexists(self.path(name)) else "missing"
        else:
            # The former one of ours is there where a run that was to replace it was killed.
            content = {entry.former: "former", entry.sha256: "intact"}.get(file.sha256, "replaced")
        return {
            "archive": entry.archive if entry else None,
            "content": content,
            "mode": file.mode if file else None,
            "owner": file.owner if file else None,
        }

    def leftovers(self) -> list[str]:
        """Return the temporary files of a run that was killed."""
        return _files.leftovers(self.bin_dir)

    def remove_leftovers(self, changes: list[Change]) -> None:
        for change in changes:
            if change.name.startswith("leftover "):
                _files.remove_leftover(change.name[len("leftover ") :])
