# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""containerd: which directories it uses, and the keys of its configuration that say so.

What is in force ``containerd config dump`` tells, of the file as it is and of the file as it would be; so the file's
own text has to be understood only where a key is changed.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import tempfile
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _programs, _units
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import cri, goflags, reader, toml
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime.reader import HEADER, Places, Reader

NAME, UNIT, CONFIG = "containerd", "containerd.service", "/etc/containerd/config.toml"

#: The plugin that serves the CRI, by the version of a configuration.
PLUGINS = {2: "io.containerd.grpc.v1.cri", **dict.fromkeys((3, 4), "io.containerd.cri.v1.runtime")}

#: What stands for a file that is not there; every containerd that serves the CRI knows this version.
_EMPTY = "version = 2\n"

#: Sections that say where the socket is.
_ADDRESSES = ("grpc", 'plugins."io.containerd.server.v1.grpc"')

DISABLED = ("cri", "io.containerd.grpc.v1.cri", *PLUGINS.values())


class Dump(t.NamedTuple):
    """What containerd would be, by its own words."""

    version: int
    disabled: bool
    keys: t.Dict[str, t.Any]
    socket: str

    @property
    def places(self) -> dict[str, t.Any]:
        """The directories in force: the old key wins over the new one, as containerd has it."""
        one, many = self.keys.get("bin_dir"), self.keys.get("bin_dirs")
        listed = many if isinstance(many, list) else []
        return {
            "conf_dir": reader.plain(self.keys.get("conf_dir", "")),
            "bin_dirs": [reader.plain(each) for each in ([one] if one else listed)],
        }


class Daemon(t.NamedTuple):
    """The program, and the file that it reads."""

    program: str
    path: str
    run: _programs.Runner

    def dump(self, text: t.Optional[str]) -> Dump:
        """Ask it what a text of that file means."""
        # What it imports it finds beside its own path only.
        if text is not None and _files.read_text(self.path) == text:
            return self._dump(self.path)
        # A file, for a containerd since 2.0 reads one with an unknown key twice, which it could not with a pipe.
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".podnet-tmp") as file:
            file.write(_EMPTY if text is None else text)
            file.flush()
            return self._dump(file.name)

    def _dump(self, path: str) -> Dump:
        status, out, err = self.run([self.program, "--config", path, "config", "dump"], None)
        if status != 0:
            reason = (err.strip().splitlines() or [f"status {status}"])[-1].replace(path, self.path)
            raise PodnetError(f"{self.path}: containerd refuses it ({reason}); correct the file")
        return _parsed(out)


def find(run: _programs.Runner, places: Places, others: t.Optional[str], present: bool = True) -> t.Optional[Reader]:
    """Return containerd as it is on this node; ``others`` says why it has nothing to read here, if that is so.

    Where its former settings are all that is wanted (not ``present``), no change has to be possible.
    """
    if _units.find([UNIT]) is None:
        return None
    unit = _units.load(UNIT)
    path = goflags.value(unit.arguments, "--config") or goflags.value(unit.arguments, "-c") or CONFIG
    daemon = Daemon(_program(unit), path, run)
    original = _original(_files.read_text(path))
    dump = daemon.dump(original)
    kept = Reader(NAME, UNIT, False, "", dump.places, path=path, original=original, socket=dump.socket)
    if dump.disabled:
        return kept._replace(reason=f"does not serve the CRI, by {path}")
    if others:
        return kept._replace(reason=others)
    wanted: dict[str, t.Any] = {"conf_dir": places.conf_dir, "bin_dirs": places.bin_dirs}
    text = _text(daemon, original, dump, wanted) if present else original
    return kept._replace(reads=True, reason="serves the CRI", wanted=wanted, text=text)


def running(socket: str) -> t.Optional[dict[str, t.Any]]:
    """Return the directories that the running containerd uses, by its own words; None where it does not say."""
    try:
        config = cri.status(socket).info.get("cniconfig")
    except PodnetError:
        return None
    if not isinstance(config, dict) or not isinstance(config.get("PluginDirs"), list):
        return None
    return {
        "conf_dir": reader.plain(config.get("PluginConfDir", "")),
        "bin_dirs": [reader.plain(each) for each in config["PluginDirs"]],
    }


def _program(unit: _units.Unit) -> str:
    program = unit.arguments[0]
    if os.path.basename(program) != NAME or not os.access(program, os.X_OK):
        raise PodnetError(
            f"{unit.name}: ExecStart starts {program}, which is no containerd; install it, or remove the unit"
        )
    return program


def _original(text: t.Optional[str]) -> t.Optional[str]:
    """The file before us; None where we made it."""
    if text is None:
        return None
    restored = toml.restore(text)
    if restored.startswith(HEADER) and len(restored[len(HEADER) :].splitlines()) <= 1:
        return None
    return restored


def _parsed(out: str) -> Dump:
    sections = toml.sections(out)
    top = sections[""]
    names = [toml.normal(_section(version)) for version in sorted(PLUGINS, reverse=True)]
    keys = next((sections[name] for name in names if name in sections), None)
    without = top.get("disabled_plugins")
    disabled = keys is None or (isinstance(without, list) and any(each in DISABLED for each in without))
    addresses = [sections.get(name, {}).get("address") for name in _ADDRESSES]
    address = next((each for each in addresses if each and isinstance(each, str)), cri.SOCKETS[0])
    return Dump(_version(top, 0), disabled, keys or {}, address)


def _version(top: t.Mapping[str, t.Any], otherwise: int) -> int:
    """A file's version; what is no number is none that is known here."""
    found = top.get("version", otherwise)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def _text(daemon: Daemon, original: t.Optional[str], dump: Dump, wanted: dict[str, t.Any]) -> t.Optional[str]:
    """Return the file as it is to be: as it was before us, or as it is, where that will do."""
    if dump.places == wanted:
        return original
    current = _files.read_text(daemon.path)
    if current is not None and current != original and daemon.dump(current).places == wanted:
        return current
    return _changed(daemon, original, dump, wanted)


def _changed(daemon: Daemon, text: t.Optional[str], dump: Dump, wanted: dict[str, t.Any]) -> str:
    """Return the file with the keys that differ; containerd itself says whether it means what is wanted."""
    if text is not None:
        _require_understood(daemon.path, text, dump, wanted)
    base = f"{HEADER}version = {_newest(dump)}\n" if text is None else text
    sections = toml.sections(base)
    section = _section(_version(sections[""], 0))
    keys = _keys(daemon.path, sections.get(toml.normal(section), {}), dump, wanted)
    try:
        new = toml.edit(base, section, keys)
    except toml.TomlError as error:
        raise PodnetError(f"{daemon.path}: {error}, which is not changed here; {_by_hand(wanted)}") from error
    after = daemon.dump(new).places
    if after != wanted:
        differing = ", ".join(f"{key} {after[key]}" for key in wanted if after[key] != wanted[key])
        raise PodnetError(f"{daemon.path}: would still mean {differing} after the change; {_by_hand(wanted)}")
    return new


def _require_understood(path: str, text: str, dump: Dump, wanted: dict[str, t.Any]) -> None:
    version = _version(toml.sections(text)[""], 1)
    if version not in PLUGINS:
        known = f"{min(PLUGINS)} to {max(PLUGINS)}"
        raise PodnetError(
            f"{path}: is of version {version}, and only versions {known} are changed here; write it anew as version "
            f"{_newest(dump)}, or {_by_hand(wanted)}"
        )
    if _imports(path, text):
        raise PodnetError(
            f"{path}: imports other files, which may say it too, and is not changed here; {_by_hand(wanted)}"
        )


def _newest(dump: Dump) -> int:
    return max(version for version in PLUGINS if version <= max(dump.version, min(PLUGINS)))


def _imports(path: str, text: str) -> bool:
    """Whether a file imports others; patterns that no file fits, as in containerd's own default, import nothing."""
    given = toml.sections(text)[""].get("imports", [])
    if not isinstance(given, list):
        return True
    patterns = [os.path.join(os.path.dirname(path), str(each)) for each in given]
    return any(_files.matching(each) for each in patterns)


def _keys(path: str, own: dict[str, t.Any], dump: Dump, wanted: dict[str, t.Any]) -> dict[str, t.Any]:
    keys: dict[str, t.Any] = {}
    if dump.places["bin_dirs"] != wanted["bin_dirs"]:
        many = "bin_dirs" in dump.keys and ("bin_dirs" in own or "bin_dir" not in own)
        if not many and len(wanted["bin_dirs"]) > 1:
            raise PodnetError(
                f"bin_dirs: {', '.join(wanted['bin_dirs'])} are more than one directory, and {path} can name one only; "
                "have all plugins in one"
            )
        keys["bin_dirs" if many else "bin_dir"] = wanted["bin_dirs"] if many else wanted["bin_dirs"][0]
    if dump.places["conf_dir"] != wanted["conf_dir"]:
        keys["conf_dir"] = wanted["conf_dir"]
    return keys


def _by_hand(wanted: dict[str, t.Any]) -> str:
    listed = ", ".join(wanted["bin_dirs"])
    return f"set conf_dir {wanted['conf_dir']} and bin_dir {listed} for its CRI plugin yourself"


def _section(version: int) -> str:
    return f'plugins."{PLUGINS[version]}".cni'
