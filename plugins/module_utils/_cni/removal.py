# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The plugin binaries that are ours taken away again, as a Resource.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.mink8s.podnet.plugins.module_utils import _files
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import manifest
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.binaries import Binaries
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, State

#: How a binary looks that we installed and nobody replaced.
OURS = ("intact", "former")


class Removal(Binaries):
    """Only what is still as we installed it is removed; of what somebody else replaced, only the record goes."""

    def read(self) -> State:
        ours = self.ours()
        state: State = {f"directory {path}": {} for path in ours.directories if os.path.isdir(path)}
        state.update({f"leftover {path}": {} for path in self.leftovers()})
        for name, entry in ours.plugins.items():
            file = self.look(name, entry)
            state[self._key(name, file["content"])] = file
        return state

    def desired(self, current: State) -> State:
        ours = self.ours()
        stays = (
            [] if self.wanted.plugins is None else [name for name in ours.plugins if name not in self.wanted.plugins]
        )
        keys = {self._key(name, self.look(name, ours.plugins[name])["content"]) for name in stays}
        if not stays:
            keys.update(f"directory {path}" for path in ours.directories if path not in self._emptied(ours, current))
        else:
            keys.update(f"directory {path}" for path in ours.directories)
        return {key: value for key, value in current.items() if key in keys}

    def apply(self, changes: list[Change]) -> None:
        ours = manifest.load(self.bin_dir)
        self.remove_leftovers(changes)
        keys = {change.name for change in changes}
        for name, entry in list(ours.plugins.items()):
            content = self.look(name, entry)["content"]
            if self._key(name, content) in keys:
                if content in OURS:
                    _files.remove(self.path(name))
                del ours.plugins[name]
        if ours.plugins:
            manifest.save(self.bin_dir, ours)
        elif os.path.isdir(self.bin_dir):
            _files.remove(manifest.path_in(self.bin_dir))
        for path in reversed(ours.directories):
            if f"directory {path}" in keys:
                os.rmdir(path)

    def _key(self, name: str, content: str) -> str:
        if content in OURS:
            return self.prefix + name
        why = "is gone" if content == "missing" else "was replaced by somebody else and stays"
        return f"record of {self.path(name)}, which {why}"

    def _emptied(self, ours: manifest.Manifest, current: State) -> list[str]:
        """Return the directories that we made and that will be empty when all of ours has gone."""
        going = {manifest.path_in(self.bin_dir), *self.leftovers(), *map(self.path, self.names(current))}
        emptied = []
        for path in reversed(ours.directories):
            if os.path.isdir(path) and {str(entry) for entry in Path(path).iterdir()} <= going:
                emptied.append(path)
                going.add(path)
        return emptied
