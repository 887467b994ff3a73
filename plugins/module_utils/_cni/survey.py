# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Every executable in the bin directories: what module cni_plugins_info returns.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _files
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import archive, manifest, plugins
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Runner

#: The distributions' packages of plugins and where they put them, by ID or ID_LIKE of os-release.
_DEBIAN = {"name": "containernetworking-plugins", "manager": "apt", "bin_dir": "/usr/lib/cni"}
_FEDORA = {"name": "containernetworking-plugins", "manager": "dnf", "bin_dir": "/usr/libexec/cni"}
PACKAGES = {"debian": _DEBIAN, "fedora": _FEDORA, "rhel": _FEDORA}


def survey(run: Runner, bin_dirs: t.Sequence[str], names: t.Optional[t.Sequence[str]]) -> dict[str, t.Any]:
    """Look at every executable, or at those of the given names."""
    directories = [directory for directory in dict.fromkeys(bin_dirs) if os.path.isdir(directory)]
    manifests = {directory: manifest.load(os.path.normpath(directory)) for directory in directories}
    paths = [path for directory in directories for path in _executables(directory, names)]
    owners = plugins.packages(run, paths)
    found: list[dict[str, t.Any]] = []
    for path in paths:
        directory, name = os.path.split(path)
        entry = manifests[directory].plugins.get(name)
        used = name not in [other["name"] for other in found]
        found.append(
            {"name": name, "path": path, "used": used, "package": owners.get(path), **_describe(run, path, entry)}
        )
    return {"plugins": found, "architecture": archive.architecture(), "package": package(_os_release())}


def package(os_release: str) -> t.Optional[dict[str, str]]:
    """Return the distribution's package of CNI plugins and where it puts them, from the text of os-release."""
    lines = dict(re.findall(r"""^(ID|ID_LIKE)=["']?([^"'\n]*)""", os_release, re.MULTILINE))
    words = f"{lines.get('ID', '')} {lines.get('ID_LIKE', '')}".split()
    return next((PACKAGES[word] for word in words if word in PACKAGES), None)


def _executables(directory: str, names: t.Optional[t.Sequence[str]]) -> list[str]:
    there = sorted(os.listdir(directory))  # noqa: PTH208  # plain names, not paths
    wanted = [name for name in there if names is None or name in names]
    paths = [os.path.join(directory, name) for name in wanted if not name.endswith(_files.TEMPORARY)]
    return [path for path in paths if plugins.is_executable(path)]


def _describe(run: Runner, path: str, entry: t.Optional[manifest.Entry]) -> dict[str, t.Any]:
    file = plugins.inspect(path, follow=True)
    versions: list[str] = []
    release = error = None
    try:
        versions = plugins.supported_versions(run, path)
        # Only what has answered as a plugin does is started in this other way, too.
        release = plugins.release(run, path)
    except PodnetError as problem:
        error = str(problem)
    return {
        "size": file.size if file else None,
        "mode": file.mode if file else None,
        "owner": file.owner if file else None,
        "sha256": file.sha256 if file else None,
        "release": release,
        "cni_versions": versions,
        "ours": entry is not None,
        "archive": entry.archive if entry else None,
        "drifted": entry is not None and (file is None or file.sha256 != entry.sha256),
        "error": error,
    }


def _os_release() -> str:
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        text = _files.read_text(path)
        if text is not None:
            return text
    return ""
