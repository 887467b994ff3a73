# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The plugin binaries in one bin directory that this collection installed: what module cni_plugins is about.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mink8s.podnet.plugins.module_utils import _files
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import archive, manifest, plugins
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Runner

#: What the chains of this collection's networks may name, and loopback, which a runtime needs for itself.
DEFAULT = ("bandwidth", "bridge", "firewall", "host-local", "loopback", "portmap", "tuning")

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
            content = "intact" if file.sha256 == entry.sha256 else "replaced"
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
        self.remove_leftovers(changes)
        for name in self.names(files):
            self._own(self.path(name))

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
            ours.plugins.update({name: manifest.Entry(self.checksum, hashes[name]) for name in names})
            # First the manifest: what a killed run leaves then reads as ours and unfinished, never as somebody else's.
            manifest.save(self.bin_dir, ours)
            for name, content in archive.contents(file, names):
                _files.write_atomically(self.path(name), content, MODE)

    def _own(self, path: str) -> None:
        try:
            # New files need it too: a directory with a setgid bit gives them its group.
            os.chown(path, os.geteuid(), os.getegid())
            os.chmod(path, MODE)
        except OSError as error:
            raise PodnetError(f"{path}: owner and mode cannot be set ({error.strerror}); become root") from error

    def _make_directories(self) -> list[str]:
        made = self._missing_directories()
        for path in made:
            try:
                os.mkdir(path)
                os.chmod(path, MODE)
            except OSError as error:
                raise PodnetError(f"{path}: cannot be made ({error.strerror}); check bin_dir") from error
        return made


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
                if content == "intact":
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
        if content == "intact":
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
