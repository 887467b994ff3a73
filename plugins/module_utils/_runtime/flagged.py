# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Readers that are told by flags: the kubelet up to Kubernetes 1.23, which has a Docker shim, and cri-dockerd.

Which flags a program has, and their defaults, its own ``--help`` tells: a kubelet of another build may not know its
version, and one since 1.24 does not have the flags.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _programs, _units, _words
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import goflags, reader
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime.reader import Places, Reader

DROP_IN = "99-zz-podnet.conf"

#: Where the drop-in is.
ETC = "/etc/systemd/system"

NETWORK, CONF_DIR, BIN_DIR = "--network-plugin", "--cni-conf-dir", "--cni-bin-dir"

#: A variable that units of kubeadm's kind expand for the node's administrator.
VARIABLE = "KUBELET_EXTRA_ARGS"

KUBELET, CRI_DOCKERD = "kubelet", "cri-dockerd"

#: The units of these names that packages bring.
UNITS = {KUBELET: ("kubelet.service",), CRI_DOCKERD: ("cri-docker.service", "cri-dockerd.service")}

SOCKETS = {KUBELET: "/run/dockershim.sock", CRI_DOCKERD: "/run/cri-dockerd.sock"}


def find(name: str, run: _programs.Runner, places: Places, present: bool = True) -> t.Optional[Reader]:
    """Return the kubelet, or cri-dockerd, as it is on this node; None where there is none."""
    unit_name = _units.find(UNITS[name])
    if unit_name is None:
        return None
    path = os.path.join(ETC, f"{unit_name}.d", DROP_IN)
    _require_ours(path)
    unit = _units.load(unit_name, {path: None})
    flags = _flags(name, unit, run)
    if NETWORK not in flags:
        why = "is of Kubernetes 1.24 or newer: its container runtime reads"
        return Reader(name, unit_name, False, why, path=path)
    if name == KUBELET and _setting("--container-runtime", unit.arguments, flags) == "remote":
        why = "uses another container runtime: that one reads"
        return Reader(name, unit_name, False, why, path=path)
    now = used(unit.arguments, flags)
    wanted = {"network_plugin": "cni", "conf_dir": places.conf_dir, "bin_dirs": places.bin_dirs}
    text = None if now == wanted or not present else _drop_in(unit, path, flags, now, wanted)
    why = "has a Docker shim" if name == KUBELET else "is the kubelet's way to Docker"
    return Reader(name, unit_name, True, why, now, wanted, path, None, text, _socket(name, unit.arguments))


def endpoint(run: _programs.Runner) -> t.Optional[str]:
    """Return the CRI socket that the kubelet of this node uses, None where there is no kubelet or it does not say."""
    unit_name = _units.find(UNITS[KUBELET])
    if unit_name is None:
        return None
    unit = _units.load(unit_name)
    flags = _flags(KUBELET, unit, run)
    if "--container-runtime" in flags and _setting("--container-runtime", unit.arguments, flags) != "remote":
        return SOCKETS[KUBELET]
    given = goflags.value(unit.arguments, "--container-runtime-endpoint")
    config = goflags.value(unit.arguments, "--config")
    text = _files.read_text(config) if config else None
    in_file = re.search(r"^containerRuntimeEndpoint:[ \t]*[\"']?([^\"'\s]+)", text or "", re.MULTILINE)
    found = given or (in_file[1] if in_file else "") or flags.get("--container-runtime-endpoint", "")
    return socket_path(found) if found else None


def socket_path(found: str) -> str:
    """A socket's path without ``unix://`` and by its name of today."""
    path = found[len("unix://") :] if found.startswith("unix://") else found
    return path.replace("/var/run/", "/run/", 1) if path.startswith("/var/run/") else path


def used(arguments: t.Sequence[str], flags: t.Mapping[str, str]) -> dict[str, t.Any]:
    """Return what a command line means, in the words of the module's options."""
    bin_dirs = _setting(BIN_DIR, arguments, flags).split(",")
    return {
        "network_plugin": _setting(NETWORK, arguments, flags),
        "conf_dir": reader.plain(_setting(CONF_DIR, arguments, flags)),
        "bin_dirs": [reader.plain(each) for each in bin_dirs if each],
    }


def running(name: str, run: _programs.Runner, unit_name: str, pid: int) -> t.Optional[dict[str, t.Any]]:
    """Return what the running process was started with; None where it has gone."""
    content = _cmdline(pid)
    if not content:
        return None
    return used(content, _flags(name, _units.load(unit_name), run))


def _cmdline(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]
    except OSError:
        return []


def _setting(name: str, arguments: t.Sequence[str], flags: t.Mapping[str, str]) -> str:
    given = goflags.value(arguments, name)
    return flags.get(name, "") if given is None else given


def _socket(name: str, arguments: t.Sequence[str]) -> str:
    given = goflags.value(arguments, "--container-runtime-endpoint") or ""
    return socket_path(given) if given.startswith(("unix://", "/")) else SOCKETS[name]


def _flags(name: str, unit: _units.Unit, run: _programs.Runner) -> dict[str, str]:
    program = unit.arguments[0]
    if os.path.basename(program) != name:
        raise PodnetError(
            f"{unit.name}: ExecStart starts {program}, not {name}, so that its flags are not known; "
            f"give {name} the flags {NETWORK}, {CONF_DIR} and {BIN_DIR} yourself, and set kubelet_state to ignored"
        )
    if not os.access(program, os.X_OK):
        raise PodnetError(
            f"{unit.name}: ExecStart starts {program}, which is no program; install it, or remove the unit"
        )
    status, out, err = run([program, "--help"], None)
    found = goflags.of_help(out + err)
    if not found:
        raise PodnetError(f"{program}: --help names no flags (status {status}); install {name} again")
    return found


def _require_ours(path: str) -> None:
    text = _files.read_text(path)
    if text is not None and not text.startswith(reader.HEADER):
        raise PodnetError(f"{path}: is there and is not ours; move it away")


def _drop_in(
    unit: _units.Unit, path: str, flags: t.Mapping[str, str], now: dict[str, t.Any], wanted: dict[str, t.Any]
) -> str:
    """Return the drop-in with the flags that are not yet right; what follows it must not take them back."""
    added = [
        f"{flag}={','.join(value) if isinstance(value, list) else value}"
        for flag, (key, value) in zip((NETWORK, CONF_DIR, BIN_DIR), wanted.items())
        if now[key] != value
    ]
    for text in _variants(unit, added):
        changed = _units.load(unit.name, {path: text})
        if used(changed.arguments, flags) == wanted:
            return text
    raise PodnetError(
        f"{path}: would be without effect, as a drop-in that is read after it sets ExecStart; "
        f"add {' '.join(added)} there, or rename it to come first"
    )


def _variants(unit: _units.Unit, added: t.Sequence[str]) -> t.Iterator[str]:
    """By the variable for such flags, if nothing else sets it later; else by the whole command."""
    former = unit.environment[VARIABLE].text if VARIABLE in unit.environment else ""
    if f"${VARIABLE}" in _words.split(unit.command.text) and not re.search(r"[\"'\\%$\n]", former):
        value = " ".join([*former.split(), *added])
        yield f'{reader.HEADER}[Service]\nEnvironment="{VARIABLE}={value}"\n'
    yield f"{reader.HEADER}[Service]\nExecStart=\nExecStart={unit.command.text} {' '.join(added)}\n"
