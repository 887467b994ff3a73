# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What is in a runtime's directory, what each runtime makes of it, and who is attached: for module cni_network_info.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import attachments, conf, consent, loader, store

#: What is told of an attachment; module cni_attachments_info tells more.
ATTACHMENT = ("container_id", "pod", "ifname", "netns", "alive", "addresses")


def overview(conf_dir: str, name: t.Optional[str], obstacle: loader.Obstacle) -> dict[str, t.Any]:
    """Everything about a directory, and about one network of it."""
    files = loader.read_directory(conf_dir)
    loaders = {
        "containerd": loader.containerd(files),
        "crio": loader.crio(files, obstacle),
        "kubelet": loader.kubelet(files, obstacle),
    }
    found = {
        "files": [_file(entry) for entry in files],
        "loaders": {runtime: _loader(verdicts) for runtime, verdicts in loaders.items()},
    }
    return found if name is None else {**found, **_network(conf_dir, name, files)}


def _file(entry: loader.File) -> dict[str, t.Any]:
    return {
        "path": entry.path,
        "name": entry.network,
        "cni_version": (entry.document or {}).get("cniVersion"),
        "plugins": [plugin.get("type") for plugin in conf.plugins_of(entry.document)],
        "pod_cidrs": conf.pod_cidrs(entry.document),
        "valid": entry.error is None,
        "error": entry.error,
    }


def _loader(verdicts: t.Sequence[loader.Verdict]) -> dict[str, t.Any]:
    return {
        "loads": [verdict.path for verdict in verdicts if verdict.loaded],
        "files": [verdict._asdict() for verdict in verdicts],
    }


def _network(conf_dir: str, name: str, files: t.Sequence[loader.File]) -> dict[str, t.Any]:
    ours = [entry.document for entry in files if entry.network == name]
    lent = [lease for data_dir in consent.data_dirs(ours) for lease in store.leases(name, data_dir)]
    found = attachments.attachments(name)
    return {
        "pod_cidrs": list(dict.fromkeys(cidr for document in ours for cidr in conf.pod_cidrs(document))),
        "leases": len(lent),
        "attachments": [
            {key: getattr(entry, key) for key in ATTACHMENT}
            for entry in sorted(found, key=lambda entry: (entry.container_id, entry.ifname))
        ],
        "injected": [entry.path for entry in loader.injected(conf_dir, name)],
    }
