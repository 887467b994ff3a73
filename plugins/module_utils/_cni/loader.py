# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a runtime would load from a directory of CNI files: which file, in which order, and why not the others.

All loaders sort by file name.  containerd stops at the first file that is wrong; CRI-O, cri-dockerd and the kubelet
of old pass over files that are wrong, or whose plugins are missing or too old.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _json
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import plugins as binaries
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.conf import Document, plugins_of
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError, shown
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Runner

EXTENSIONS = (".conf", ".conflist", ".json")

#: A version that is left out means this one.
DEFAULT_VERSION = "0.1.0"


class File(t.NamedTuple):
    """One file of the directory; ``document`` is None where it could not be parsed, ``error`` says why it is wrong."""

    path: str
    text: t.Optional[str]
    document: t.Optional[Document]
    error: t.Optional[str]

    @property
    def network(self) -> t.Optional[str]:
        """The network's name in the file."""
        name = (self.document or {}).get("name")
        return name if isinstance(name, str) else None


class Verdict(t.NamedTuple):
    """What one loader makes of one file."""

    path: str
    loaded: bool
    reason: str


#: Why a plugin cannot be run with a version; None where it can.
Obstacle = t.Callable[[str, str], t.Optional[str]]


def read_directory(directory: str) -> list[File]:
    """Read every file that a loader would look at, in the loaders' order."""
    try:
        with os.scandir(directory) as entries:
            # A directory is passed over, but a link to one is not.
            names = [entry.name for entry in entries if not entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        raise OptionError(
            "conf_dir", directory, "is, or is below, a file", "move the file away or use another directory"
        ) from None
    except OSError as error:
        raise PodnetError(f"conf_dir: {directory} cannot be listed ({error.strerror}); check its mode") from error
    return [read_file(os.path.join(directory, name)) for name in _sorted(names) if is_loaded_name(name)]


def is_loaded_name(name: str) -> bool:
    """Whether loaders look at a file of this name: the text after the last dot decides, hidden or not."""
    return name.endswith(EXTENSIONS)


def sort_key(path: str) -> bytes:
    """The loaders' order: byte by byte."""
    return os.fsencode(os.path.basename(path))


def _sorted(names: t.Iterable[str]) -> list[str]:
    return sorted(names, key=sort_key)


def read_file(path: str) -> File:
    """Read one file; whatever is wrong with it is told, not raised."""
    try:
        text = _files.read_text(path)
    except PodnetError as error:
        return File(path, None, None, str(error).partition(": ")[2].partition(";")[0])
    if text is None:
        return File(path, None, None, "leads to no file")
    try:
        document = _json.parse(text)
    except ValueError as error:
        return File(path, text, None, str(error))
    if not isinstance(document, dict):
        return File(path, text, None, "is not a JSON object")
    return File(path, text, document, _fault(path, document))


def _fault(path: str, document: Document) -> t.Optional[str]:
    """Why libcni refuses a document (libcni/conf.go)."""
    version = document.get("cniVersion", "")
    if not isinstance(version, str):
        return f"has the cniVersion {shown(version)}, which is not a text"
    if not path.endswith(".conflist"):
        if "plugins" in document and "type" not in document:
            return "holds a list of plugins, which only a .conflist may"
        return None if _has_type(document) else "has no type"
    if not isinstance(document.get("name"), str):
        return "has no name"
    plugins = document.get("plugins")
    if not isinstance(plugins, list) or not plugins:
        return "has no list of plugins"
    wrong = [index for index, entry in enumerate(plugins) if not isinstance(entry, dict) or not _has_type(entry)]
    return f"has a plugin without type (plugins[{wrong[0]}])" if wrong else None


def can_be_run(document: t.Any) -> bool:
    """Whether a document that was parsed elsewhere has all that plugins are told."""
    if not isinstance(document, dict) or not isinstance(document.get("cniVersion"), str):
        return False
    path = EXTENSIONS[1] if "plugins" in document else EXTENSIONS[0]
    return isinstance(document.get("name"), str) and _fault(path, document) is None


def _has_type(entry: Document) -> bool:
    return isinstance(entry.get("type"), str) and entry["type"] != ""


def containerd(files: t.Sequence[File], maximum: int = 1) -> list[Verdict]:
    """containerd: the first ``max_conf_num`` files; a wrong one among them fails the whole load."""
    verdicts = []
    broken = next((entry for entry in files[:maximum] if entry.error), None)
    for index, entry in enumerate(files):
        if index >= maximum:
            verdicts.append(
                Verdict(entry.path, False, f"comes after {_base(files[maximum - 1])}, the last that is read")
            )
        elif entry.error:
            verdicts.append(Verdict(entry.path, False, f"{entry.error}, so nothing at all is loaded"))
        elif broken:
            verdicts.append(Verdict(entry.path, False, f"{_base(broken)} is wrong, so nothing at all is loaded"))
        else:
            verdicts.append(Verdict(entry.path, True, "is the first file"))
    return verdicts


def kubelet(files: t.Sequence[File], obstacle: Obstacle) -> list[Verdict]:
    """cri-dockerd, and the kubelet up to Kubernetes 1.23: the first file that is right and can be run."""
    return _first_usable(files, obstacle, "")


def crio(files: t.Sequence[File], obstacle: Obstacle, default: str = "") -> list[Verdict]:
    """CRI-O: the file of its ``cni_default_network``, or the first that is right and can be run."""
    return _first_usable(files, obstacle, default)


def _first_usable(files: t.Sequence[File], obstacle: Obstacle, default: str) -> list[Verdict]:
    verdicts: list[Verdict] = []
    chosen: t.Optional[File] = None
    for entry in files:
        problem = entry.error or unusable(entry, obstacle)
        if problem:
            verdicts.append(Verdict(entry.path, False, f"is passed over: {problem}"))
        elif default and entry.network != default:
            verdicts.append(Verdict(entry.path, False, f"is not the default network, {default}"))
        elif chosen:
            verdicts.append(Verdict(entry.path, False, f"comes after {_base(chosen)}"))
        else:
            chosen = entry
            verdicts.append(Verdict(entry.path, True, "is the first that can be used"))
    return verdicts


def speaker(run: Runner, bin_dirs: t.Sequence[str]) -> t.Callable[[str], t.Optional[list[str]]]:
    """Return what tells the cniVersions that a plugin's binary speaks (None: there is none), asking each one once."""
    known: dict[str, t.Optional[list[str]]] = {}

    def speaks(kind: str) -> t.Optional[list[str]]:
        if kind not in known:
            path = binaries.find(kind, bin_dirs)
            known[kind] = binaries.supported_versions(run, path) if path else None
        return known[kind]

    return speaks


def obstacles(speaks: t.Callable[[str], t.Optional[list[str]]]) -> Obstacle:
    """Return what tells why a plugin cannot be run with a version, as CRI-O and the kubelet find out."""

    def obstacle(kind: str, version: str) -> t.Optional[str]:
        try:
            spoken = speaks(kind)
        except PodnetError as error:
            return str(error)
        if spoken is None:
            return f"plugin {kind} is not installed"
        return None if version in spoken else f"plugin {kind} does not speak version {version}"

    return obstacle


def unusable(entry: File, obstacle: Obstacle) -> t.Optional[str]:
    """Why the plugins that are installed cannot run a file."""
    document = entry.document or {}
    version = str(document.get("cniVersion") or DEFAULT_VERSION)
    problems = [obstacle(str(plugin.get("type")), version) for plugin in plugins_of(document)]
    return next((problem for problem in problems if problem), None)


def ahead(files: t.Sequence[File], path: str) -> list[File]:
    """The files that are read before a path; each of them is loaded instead, or may fail the load."""
    return [entry for entry in files if sort_key(entry.path) < sort_key(path)]


def rivalry(directory: str, entry: File) -> str:
    """What a file that competes with ours, in a runtime's directory or below it, does there."""
    if os.path.dirname(entry.path) != directory:
        return "is added to the plugins by libcni 1.3 and newer, unless loadOnlyInlinedPlugins is true"
    if entry.error:
        return f"{entry.error}, so that containerd loads nothing"
    return f"network {entry.network}" if entry.network else "is read first"


def injected(directory: str, network: str) -> list[File]:
    """The files that libcni 1.3 and newer append to a network's plugins, from a directory named like it."""
    path = os.path.join(directory, network)
    if not os.path.isdir(path):
        return []
    return [entry for entry in read_directory(path) if entry.path.endswith(".conf")]


def _base(entry: File) -> str:
    return os.path.basename(entry.path)
