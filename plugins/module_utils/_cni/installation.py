# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Plugin binaries out of a verified archive, as a Resource.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace

from ansible_collections.mink8s.podnet.plugins.module_utils import _files
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import archive, manifest, plugins
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.binaries import MODE, Binaries, Wanted
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Runner

#: What the chains of this collection's networks may name, and loopback, which a runtime needs for itself.
DEFAULT = ("bandwidth", "bridge", "firewall", "host-local", "loopback", "portmap", "tuning")


class Installation(Binaries):
    """Binaries from an archive; what is there and not in the manifest is somebody else's, unless ``replace``."""

    def __init__(self, wanted: Wanted, run: Runner) -> None:
        super().__init__(wanted)
        self.checksum = archive.checksum_of(wanted.checksum, wanted.checksums)
        self.run = run
        self._hashes: dict[str, str] = {}
        self.wanted_names = list(dict.fromkeys(DEFAULT if wanted.plugins is None else wanted.plugins))

    def read(self) -> State:
        ours = self.ours()
        state: State = {f"directory {path}": {} for path in ours.directories if os.path.isdir(path)}
        state.update({f"leftover {path}": {} for path in self.leftovers()})
        files = {name: self.look(name, entry) for name, entry in ours.plugins.items()}
        if self.wanted.replace:
            files.update({name: self.look(name, None) for name in self._foreign(ours)})
        state.update({self.prefix + name: file for name, file in files.items() if file["content"] != "missing"})
        state.update({f"record of what {self.path(name)} was before": {} for name in self._done(ours)})
        return state

    def desired(self, current: State) -> State:
        self._require_free()
        state: State = {key: value for key, value in current.items() if key.startswith("directory ")}
        state.update({f"directory {path}": {} for path in self._missing_directories()})
        state.update({key: value for key, value in current.items() if key.startswith(self.prefix)})
        state.update({self.prefix + name: self.sound(self.checksum) for name in self.wanted_names})
        self._preview([name for name in self.wanted_names if self._is_to_unpack(current.get(self.prefix + name))])
        return state

    def apply(self, changes: list[Change]) -> None:
        files = {change.name: change.before for change in changes if change.name.startswith(self.prefix)}
        unpack = self.names(key for key, before in files.items() if self._is_to_unpack(before))
        if unpack:
            self._unpack(unpack)
        ours = manifest.load(self.bin_dir)
        done = {name: replace(ours.plugins[name], former=None) for name in self._done(ours)}
        if done:
            self._remember(ours, done)
        self.remove_leftovers(changes)
        for name in self.names(files):
            self._own(self.path(name))

    def _done(self, ours: manifest.Manifest) -> list[str]:
        """Return the plugins that are there, and whose entries still say what they replaced."""
        former = {name: entry for name, entry in ours.plugins.items() if entry.former}
        return [name for name, entry in former.items() if self.look(name, entry)["content"] == "intact"]

    def _is_to_unpack(self, before: t.Optional[dict[str, t.Any]]) -> bool:
        return before is None or (before["archive"], before["content"]) != (self.checksum, "intact")

    def _foreign(self, ours: manifest.Manifest) -> list[str]:
        return [name for name in self.wanted_names if name not in ours.plugins and os.path.lexists(self.path(name))]

    def _require_free(self) -> None:
        for name in self.wanted_names:
            if os.path.isdir(self.path(name)) and not os.path.islink(self.path(name)):
                raise PodnetError(f"{self.path(name)}: is a directory where plugin {name} should be; move it away")
        foreign = [] if self.wanted.replace else self._foreign(manifest.load(self.bin_dir))
        if foreign:
            owners = plugins.packages(self.run, [self.path(name) for name in foreign])
            package = f" (package {', '.join(sorted(set(owners.values())))})" if owners else ""
            raise OptionError(
                "bin_dir",
                self.bin_dir,
                f"already holds {', '.join(foreign)}, which somebody else put there{package}",
                "set replace to true to let this module take them over, or choose another bin_dir",
                foreign=foreign,
            )

    def _missing_directories(self) -> list[str]:
        missing: list[str] = []
        path = self.bin_dir
        while self.wanted_names and not os.path.isdir(path):
            if os.path.lexists(path):
                raise OptionError("bin_dir", self.bin_dir, f"cannot be: {path} is not a directory", "move that away")
            missing.insert(0, path)
            path = os.path.dirname(path)
        return missing

    def _preview(self, names: list[str]) -> None:
        """Say now what is wrong with the archive; one that is not there yet may still come before the real run."""
        if names and self.wanted.archive is None:
            raise OptionError(
                "archive", None, f"is needed to install {', '.join(names)}", "name the release archive on the node"
            )
        if names and self.wanted.archive and os.path.lexists(self.wanted.archive):
            with archive.verified(self.wanted.archive, self.checksum) as file:
                self._hashes = archive.hashes(file, names)

    def _unpack(self, names: list[str]) -> None:
        with archive.verified(str(self.wanted.archive), self.checksum) as file:
            hashes = self._hashes or archive.hashes(file, names)
            ours = manifest.load(self.bin_dir)
            ours.directories += self._make_directories()
            entries = {name: manifest.Entry(self.checksum, hashes[name], self._ours_now(name, ours)) for name in names}
            # First the manifest: what a killed run leaves then reads as ours and unfinished, never as somebody else's.
            self._remember(ours, entries)
            for name, content in archive.contents(file, names):
                _files.write_atomically(self.path(name), content, MODE)

    def _ours_now(self, name: str, ours: manifest.Manifest) -> t.Optional[str]:
        """Return the checksum of what is there, if we installed it."""
        file, entry = plugins.inspect(self.path(name)), ours.plugins.get(name)
        return file.sha256 if file and entry and file.sha256 in (entry.sha256, entry.former) else None

    def _remember(self, ours: manifest.Manifest, entries: dict[str, manifest.Entry]) -> None:
        ours.plugins.update(entries)
        manifest.save(self.bin_dir, ours)

    def _own(self, path: str) -> None:
        try:
            # New files need it too: a directory with a setgid bit gives them its group.
            os.chown(path, os.geteuid(), os.getegid())
            os.chmod(path, MODE)
        except OSError as error:
            raise PodnetError(f"{path}: owner and mode cannot be set ({error.strerror}); become root") from error

    def _make_directories(self) -> list[str]:
        made = self._missing_directories()
        try:
            _files.make_directory(self.bin_dir)
        except OSError as error:
            raise PodnetError(f"{error.filename}: cannot be made ({error.strerror}); check bin_dir") from error
        return made
