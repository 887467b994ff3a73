# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Attach a network namespace to a CNI network and detach it again, as a runtime does: with the node's own plugins.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _json, _values
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import plugins
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.conf import capabilities_of
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError, shown
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Runner

#: What a file in /etc/cni/net.d holds, parsed.
Document = t.Dict[str, t.Any]

#: An ADD takes some 50 ms; a plugin that waits for something that never comes (a DHCP server) must not hang us.
SECONDS = 20


class Attachment(t.NamedTuple):
    """What a runtime tells the plugins about one pod; the same for ADD and for DEL."""

    document: Document
    bin_dirs: t.Sequence[str]
    container_id: str
    netns: str
    ifname: str = "eth0"
    #: What a runtime hands to plugins that say they are capable of it: ``{"portMappings": […]}``.
    capability_args: t.Mapping[str, t.Any] = {}


def require_plugins(document: Document, bin_dirs: t.Sequence[str]) -> None:
    """Refuse a chain without a right version, or of which a plugin is not installed, before any of it is called."""
    _version(document)
    for conf in _chain(Attachment(document, bin_dirs, "", "")):
        _path(conf["type"], bin_dirs)


def add(run: Runner, attachment: Attachment) -> dict[str, t.Any]:
    """Call every plugin of the chain and return the last one's result; after a failure nothing is left behind."""
    result: dict[str, t.Any] = {}
    try:
        for conf in _chain(attachment):
            result = _call(run, "ADD", attachment, conf, result) or result
    except PodnetError:
        delete(run, attachment, result)
        raise
    return result


def can_check(document: Document) -> bool:
    """Whether the configuration's version has CHECK, and it is not switched off."""
    return _version(document) >= (0, 4, 0) and str(document.get("disableCheck", "")).lower() != "true"


def check(run: Runner, attachment: Attachment, result: dict[str, t.Any]) -> list[tuple[str, str]]:
    """Ask every plugin whether all is as ADD made it; return the type of each that complains, and its complaint."""
    failed = []
    for conf in _chain(attachment):
        try:
            _call(run, "CHECK", attachment, conf, result)
        except PodnetError as error:
            failed.append((str(conf["type"]), str(error)))
    return failed


def delete(run: Runner, attachment: Attachment, result: dict[str, t.Any]) -> list[str]:
    """Call every plugin in the reverse order, each whether the others succeed or not; return what failed."""
    failed = []
    # libcni hands the result of the ADD to DEL since version 0.4.0 of the specification.
    known = result if _version(attachment.document) >= (0, 4, 0) else {}
    for conf in reversed(_chain(attachment)):
        try:
            _call(run, "DEL", attachment, conf, known)
        except PodnetError as error:
            failed.append(str(error))
    return failed


def addresses(result: dict[str, t.Any]) -> list[str]:
    """The pod's addresses without their prefix lengths, from the result of an ADD."""
    entries = [entry.get("address") for entry in _json.objects(result.get("ips"))]
    entries += [entry.get("ip") for entry in _of_old(result)]
    return [bare for bare in (str(entry).partition("/")[0] for entry in entries) if _values.is_address(bare)]


def gateways(result: dict[str, t.Any]) -> list[str]:
    """The gateways of the pod's addresses, from the result of an ADD."""
    entries = [entry.get("gateway") for entry in (*_json.objects(result.get("ips")), *_of_old(result))]
    return [str(entry) for entry in entries if _values.is_address(str(entry))]


def mac(result: dict[str, t.Any]) -> t.Optional[str]:
    """The MAC address of the pod's end, from the result of an ADD."""
    inside = [entry for entry in _json.objects(result.get("interfaces")) if entry.get("sandbox")]
    return next((str(entry["mac"]) for entry in inside if entry.get("mac")), None)


def _of_old(result: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Before 0.3.0 a result had one address of each family."""
    return _json.objects([result.get(key) for key in ("ip4", "ip6")])


def _chain(attachment: Attachment) -> list[Document]:
    """Each plugin's own configuration; a ``.conf`` is a chain of one."""
    document = attachment.document
    envelope = {"name": document["name"], "cniVersion": document["cniVersion"]}
    return [
        {**plugin, **envelope, **_runtime_config(plugin, attachment.capability_args)}
        for plugin in document.get("plugins") or [document]
    ]


def _runtime_config(plugin: Document, args: t.Mapping[str, t.Any]) -> Document:
    capable = capabilities_of(plugin)
    found = {name: value for name, value in args.items() if capable.get(name)}
    return {"runtimeConfig": found} if found else {}


def _path(plugin_type: str, bin_dirs: t.Sequence[str]) -> str:
    path = plugins.find(plugin_type, bin_dirs)
    if path is None:
        raise PodnetError(f"CNI plugin {plugin_type}: is not in {', '.join(bin_dirs)}; install it (role cni_plugins)")
    return path


def _version(document: Document) -> tuple[int, ...]:
    version = document["cniVersion"]
    try:
        return tuple(int(part) for part in str(version).split("."))
    except ValueError:
        remedy = "write it like 1.0.0"
        raise PodnetError(f"network {document['name']}: cniVersion {shown(version)} is no version; {remedy}") from None


def _call(run: Runner, verb: str, attachment: Attachment, conf: Document, result: dict[str, t.Any]) -> dict[str, t.Any]:
    path = _path(conf["type"], attachment.bin_dirs)
    environment = {
        "CNI_COMMAND": verb,
        "CNI_CONTAINERID": attachment.container_id,
        "CNI_NETNS": attachment.netns,
        "CNI_IFNAME": attachment.ifname,
        "CNI_PATH": ":".join(attachment.bin_dirs),
        # Plugins call iptables, which is not on everybody's PATH.
        "PATH": os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin",
    }
    words = [f"{key}={value}" for key, value in environment.items()]
    data = json.dumps({**conf, "prevResult": result} if result else conf)
    status, out, err = run(["timeout", "-k", "1", str(SECONDS), "env", *words, path], data)
    if status != 0:
        raise PodnetError(
            f"CNI plugin {conf['type']}: {verb} of {attachment.container_id} failed: {_reason(status, out, err)}"
        )
    return _parsed(out)


def _parsed(out: str) -> dict[str, t.Any]:
    try:
        return _json.mapping(_json.parse(out))
    except ValueError:
        return {}


def _reason(status: int, out: str, err: str) -> str:
    if status in (124, 137):
        return f"no answer within {SECONDS} seconds"
    error = _parsed(out)
    if "msg" in error:
        details = f" ({error['details']})" if error.get("details") else ""
        return f"{error['msg']}{details}, code {error.get('code')}"
    return (err or out).strip() or f"status {status}"
