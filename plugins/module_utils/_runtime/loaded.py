# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Whether a runtime has loaded our file: by its own words, or by a pod that was attached with it; else nobody knows.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _json
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import attachments, changes, loader
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import cri
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime.reader import Reader

YES, NO, UNKNOWN = "yes", "no", "unknown"


def ours(conf_dir: str, network: str) -> t.Optional[loader.File]:
    """The network's file, the first if there are more."""
    return next((entry for entry in loader.read_directory(conf_dir) if entry.network == network), None)


def stale(network: str, file: t.Optional[loader.File]) -> list[dict[str, t.Any]]:
    """The pods that were attached under another configuration; none where, as it is wrong, none could be made anew."""
    if file is None or file.document is None or file.error:
        return []
    return attachments.stale(attachments.attachments(network), file.document)


def look(each: Reader, network: str, file: t.Optional[loader.File]) -> dict[str, str]:
    """What is known of one reader."""
    if file is None:
        verdict, reason = NO, f"there is no file of network {network}"
    elif file.error:
        verdict, reason = NO, f"{file.path} {file.error}"
    else:
        verdict, reason = _look(each, network, file, file.document)
    return {"reader": each.name, "loaded": verdict, "reason": reason}


def _look(each: Reader, network: str, file: loader.File, document: t.Any) -> tuple[str, str]:
    try:
        status = cri.status(each.socket or "")
    except PodnetError as error:
        reason = str(error).partition(";")[0]
    else:
        by_itself = told(status, document)
        if by_itself:
            return by_itself
        problem = status.conditions.get("NetworkReady", "")
        reason = f"{each.name} does not tell which network it has loaded"
        reason += f", but that none is ready ({problem})" if problem else ", only that one is ready"
    pod = _attached(network, file.path, document)
    return (YES, f"pod {pod} was attached with it") if pod else (UNKNOWN, reason)


def told(status: cri.Status, document: t.Any) -> t.Optional[tuple[str, str]]:
    """What containerd tells: the text of every configuration that it has loaded."""
    config = status.info.get("cniconfig")
    if not isinstance(config, dict) or "Networks" not in config:
        return None
    names = []
    entries = config["Networks"] if isinstance(config["Networks"], list) else []
    for entry in entries:
        known = entry.get("Config") if isinstance(entry, dict) and entry.get("IFName") != "lo" else None
        if not isinstance(known, dict):
            continue
        source = known.get("Source")
        if isinstance(source, str) and changes.classify(_parsed(source), document).kind == changes.NONE:
            return YES, "it tells so, with the text of the file"
        names.append(str(known.get("Name")))
    problem = status.info.get("lastCNILoadStatus")
    if names:
        return NO, f"it has loaded another text, of network {', '.join(names)}"
    return NO, f"it has loaded nothing ({problem})"


def _attached(network: str, path: str, document: t.Any) -> t.Optional[str]:
    """A pod of Kubernetes that was attached since the file was written, and with the same configuration."""
    written = _changed(path)
    for entry in attachments.attachments(network):
        same = changes.classify(entry.config, document).kind == changes.NONE
        attached = _changed(entry.path)
        if entry.pod and entry.alive and same and written is not None and attached is not None and attached >= written:
            return entry.pod
    return None


def _changed(path: str) -> t.Optional[float]:
    """When a file was changed; None where it is gone, as of a pod that was detached meanwhile."""
    try:
        return os.stat(path).st_mtime
    except OSError:
        return None


def _parsed(text: str) -> t.Any:
    try:
        return _json.parse(text)
    except ValueError:
        return None
