# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is refused before daemon.json is touched, one sentence each.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import os
import tempfile
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _programs, _units
from ansible_collections.mink8s.podnet.plugins.module_utils._docker import options, service
from ansible_collections.mink8s.podnet.plugins.module_utils._docker.document import Document
from ansible_collections.mink8s.podnet.plugins.module_utils._docker.processes import Process
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError


def wanted(given: dict[str, t.Any], absent: list[str]) -> dict[str, t.Optional[str]]:
    """Return the keys with their values as JSON in one form, None for those that must not be there."""
    found: dict[str, t.Optional[str]] = {}
    for key, value in given.items():
        path = f"options.{key}"
        if not isinstance(key, str) or not key.strip():
            raise OptionError(path, key, "is not a key", "write it like bridge")
        if value is None:
            raise OptionError(path, value, "is not a value", "name the key in absent to remove it")
        if str(value).lower() in ("true", "false") and not isinstance(value, bool):
            raise OptionError(path, value, "is a text, which dockerd refuses", "write it without quotes")
        try:
            found[key] = json.dumps(value, sort_keys=True, allow_nan=False)
        except (ValueError, TypeError) as error:
            raise OptionError(path, str(value), "cannot be written as JSON", "use plain values") from error
    for index, key in enumerate(absent):
        if key in given:
            raise OptionError(f"absent[{index}]", key, "is in options, too", "leave one of them out")
        found[key] = None
    return found


def document(path: str, text: t.Optional[str]) -> Document:
    """Return daemon.json, which dockerd lets be empty."""
    try:
        return Document.of_file(text)
    except ValueError as error:
        raise PodnetError(f"path: {path} {error}; correct it, or move it away") from error


def unit() -> t.Optional[_units.Unit]:
    """Return Docker's unit, None where there is none or it is masked."""
    return _units.load(service.UNIT) if _units.find([service.UNIT]) else None


def flags(installed: t.Optional[_units.Unit], process: t.Optional[Process]) -> dict[str, options.Flag]:
    """Return the flags that dockerd is started with: by its unit, which must have a command, or else as it runs."""
    if installed:
        return options.flags(installed.words)
    return process.flags if process else {}


def require_right_file(path: str, given: dict[str, options.Flag]) -> None:
    """Refuse to write what dockerd does not read."""
    read = options.config_file(given)
    if os.path.normpath(read) != os.path.normpath(path):
        place = f" ({given['config-file'].shown} in {given['config-file'].path})" if "config-file" in given else ""
        raise OptionError("path", path, f"is not what dockerd reads{place}", f"set it to {read}")


def require_no_doubles(
    path: str, data: dict[str, t.Any], given: dict[str, options.Flag], ours: t.Container[str]
) -> None:
    """Refuse a key that is a flag, too: dockerd would not start."""
    for key in options.doubled(data, given):
        flag = given[key]
        where = f"options.{key}" if key in ours else f"{path}: {key}"
        raise PodnetError(
            f"{where}: {json.dumps(data[key])} is also given by the flag {flag.shown} in {flag.path}, and dockerd does "
            "not start with both; remove one of them"
        )


def validate(run: _programs.Runner, path: str, text: str) -> None:
    """Let dockerd look at the new file, where it can (Docker 23 and newer)."""
    dockerd = _programs.find("dockerd", "docker.io")
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".podnet-tmp") as file:
            file.write(text)
            file.flush()
            status, out, err = run([dockerd, "--validate", "--config-file", file.name], None)
    except OSError as error:
        raise PodnetError(
            f"validate: dockerd cannot try the new {path}, as no temporary file can be written ({error.strerror}); "
            "make room for one, or set validate to false"
        ) from error
    complaint = next((line.strip() for line in (err or out).splitlines() if line.strip()), f"status {status}")
    if status != 0 and "unknown flag: --validate" not in err + out:
        sentence = complaint.replace(file.name, path)
        raise PodnetError(f"options: dockerd refuses the new {path} ({sentence}); correct the options")


def containers(found: list[str], lives: bool, keys: list[str], restart: str) -> str:
    """Refuse a restart that hurts running containers without consent, or return a warning."""
    if not found:
        return ""
    ids = ", ".join([each[:12] for each in found[:3]] + ["…"] * (len(found) > 3))
    who = f"{len(found)} running container{'s' if len(found) > 1 else ''} ({ids})"
    network = [key for key in keys if key in options.OF_THE_NETWORK]
    if lives and network:
        warning = (
            f"{who} would live through the restart of dockerd (live-restore), and until their end it keeps the old "
            f"network, whatever {', '.join(network)} say"
        )
        if restart != "allowed":
            raise PodnetError(f"restart: {warning}; stop them first, or set restart to allowed")
        return warning
    if not lives and restart != "allowed":
        raise PodnetError(
            f"restart: dockerd has to be restarted for {', '.join(keys)}, which would stop {who}; stop them first, "
            "or set restart to allowed"
        )
    return ""
