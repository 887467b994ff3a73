# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Who reads CNI configurations on this node, found by units and programs of exactly their names.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _programs, _units
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import containerd, cri, flagged, reader
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime.reader import Places, Reader

CRIO, CRIO_UNITS = "crio", ("crio.service", "cri-o.service")
CRIO_DIR = "/etc/crio"
PODMAN = "podman"

#: Docker's own daemon; containerd works for it then.
DOCKER = ("docker.service", "docker.socket")


def survey(run: _programs.Runner, places: Places, present: bool = True) -> list[Reader]:
    """Return every reader that there is, in the order in which they are to be restarted."""
    docker_shim = flagged.find(flagged.KUBELET, run, places, present)
    cri_dockerd = flagged.find(flagged.CRI_DOCKERD, run, places, present)
    found = [
        containerd.find(run, places, _others(run, docker_shim, cri_dockerd), present),
        _crio(),
        cri_dockerd,
        docker_shim,
        _podman(),
    ]
    return [each for each in found if each is not None]


def _others(run: _programs.Runner, docker_shim: t.Optional[Reader], cri_dockerd: t.Optional[Reader]) -> t.Optional[str]:
    """Why containerd does not read for the kubelet: a restart for nothing may take Docker down with it."""
    endpoint = flagged.endpoint(run)
    if _units.find([containerd.UNIT]) is None or (endpoint or "").endswith("/containerd.sock"):
        return None
    instead = next((each for each in (docker_shim, cri_dockerd) if each is not None and each.reads), None)
    if instead is not None:
        return f"works for Docker: {instead.name} reads"
    if endpoint is not None:
        return f"is not the kubelet's runtime, which is at {endpoint}"
    if _units.find(DOCKER) is not None:
        return "works for Docker, and there is no kubelet that uses it"
    return None


def _crio() -> t.Optional[Reader]:
    unit = _units.find(CRIO_UNITS)
    if unit is None:
        return None
    now: dict[str, t.Any] = {"conf_dir": "/etc/cni/net.d", "bin_dirs": ["/opt/cni/bin"]}
    # CRI-O goes into directories, too.
    drop_ins = sorted(path for path in Path(CRIO_DIR, "crio.conf.d").rglob("*") if not path.is_dir())
    for path in [Path(CRIO_DIR, "crio.conf"), *drop_ins]:
        now.update(crio_keys(_files.read_text(str(path)) or ""))
    why = "is reported only: its settings are network_dir and plugin_dirs in /etc/crio/crio.conf.d"
    return Reader(CRIO, unit, True, why, now, socket=cri.SOCKETS[1])


def crio_keys(text: str) -> dict[str, t.Any]:
    """The directories that a file of CRI-O names; lists in it often have several lines."""
    found: dict[str, t.Any] = {}
    conf_dir = re.search(r'^[ \t]*network_dir[ \t]*=[ \t]*"([^"\n]*)"', text, re.MULTILINE)
    bin_dirs = re.search(r"^[ \t]*plugin_dirs[ \t]*=[ \t]*\[([^\[\]]*)\]", text, re.MULTILINE)
    if conf_dir:
        found["conf_dir"] = reader.plain(conf_dir[1])
    if bin_dirs:
        lines = [line for line in bin_dirs[1].splitlines() if not line.strip().startswith("#")]
        found["bin_dirs"] = [reader.plain(each) for each in re.findall(r'"([^"]*)"', "\n".join(lines))]
    return found


def _podman() -> t.Optional[Reader]:
    if _programs.which(PODMAN) is None:
        return None
    why = "is reported only: it reads where its network_backend is cni, when a container starts"
    return Reader(PODMAN, None, False, why)
