# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A network's configuration as a person writes it, and the document that is written for the runtime.  Pure.

There are two forms: a ``.conf`` holds one plugin with its ``type`` at the top, a ``.conflist`` a list of plugins.
Either can be given and either can be written, as far as it can hold what was given.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import ipaddress
import json
import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _json
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import keys
from ansible_collections.mink8s.podnet.plugins.module_utils._cni.schema import (
    Check,
    boolean,
    known_key,
    list_of,
    mapping,
    not_reserved,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError
from ansible_collections.mink8s.podnet.plugins.module_utils._values import suggestion

#: What a CNI file holds, parsed.
Document = t.Dict[str, t.Any]

#: The versions of the CNI specification, oldest first.
VERSIONS = ("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")

#: libcni calls its files like the network, the container (64 characters) and the interface (15): 255 at most.
NAME_MAX = 128

#: The bridge plugin's own default.
DEFAULT_BRIDGE = "cni0"
#: host-local's own default.
DEFAULT_DATA_DIR = "/var/lib/cni/networks"


class Part(t.NamedTuple):
    """One plugin's configuration, and the path of it in what the user wrote."""

    path: str
    keys: t.Dict[str, t.Any]

    @property
    def type(self) -> str:
        return str(self.keys["type"])


class Network(t.NamedTuple):
    """A network that was checked: what is written, and its parts with the paths that sentences name."""

    name: str
    document: Document
    parts: t.List[Part]

    @property
    def versions(self) -> list[str]:
        """Every protocol version that a runtime may choose."""
        return list(dict.fromkeys([self.document["cniVersion"], *self.document.get("cniVersions", [])]))


def network_name(path: str, value: t.Any) -> str:
    """A network's name: libcni loads a file with another one, and then refuses every pod."""
    if not isinstance(value, str) or not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.\-]*", value):
        raise OptionError(
            path, value, "is not a network's name", "use letters, digits, '_', '.' and '-', a letter or digit first"
        )
    if len(value) > NAME_MAX:
        raise OptionError(path, value, "is too long for the names of files", f"use at most {NAME_MAX} characters")
    return value


def _version(path: str, value: t.Any) -> str:
    if not isinstance(value, str) or value not in VERSIONS:
        raise OptionError(path, value, "is not a version of the CNI specification", suggestion(str(value), VERSIONS))
    return value


#: What stands beside the plugins; libcni reads all but the first two only in a list.
ENVELOPE: dict[str, Check] = {
    "cniVersion": _version,
    "name": network_name,
    "cniVersions": list_of(_version),
    "disableCheck": boolean,
    "disableGC": boolean,
    "loadOnlyInlinedPlugins": boolean,
}
BOTH_FORMS = ("cniVersion", "name")


def normalise(name: str, config: t.Any, form: str) -> Network:
    """Check a configuration's keys and types, and bring it into the form (``conf`` or ``conflist``) that is written."""
    network_name("name", name)
    given = _named(name, mapping("config", config))
    parts = _list_parts(given) if "plugins" in given else [_single_part(given)]
    envelope = {key: ENVELOPE[key](f"config.{key}", value) for key, value in given.items() if key in ENVELOPE}
    document = _as_list(given, envelope, parts) if form == "conflist" else _as_single(given, envelope, parts)
    try:
        text(document)
    except ValueError as error:
        raise OptionError("config", name, "has a number that JSON does not know", "leave out .inf and .nan") from error
    return Network(name, document, parts)


def text(document: Document) -> str:
    """The file's text."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def file_name(name: str, form: str, priority: t.Optional[int]) -> str:
    """The name of a network's file: runtimes sort by it, so 5 is written as 05."""
    return f"{name}.{form}" if priority is None else f"{priority:02d}-{name}.{form}"


def _named(name: str, given: Document) -> Document:
    if "cniVersion" not in given:
        raise OptionError("config", sorted(given), "has no cniVersion", f"add one of {', '.join(VERSIONS)}")
    if given.get("name", name) != name:
        raise OptionError("config.name", given["name"], f"is not the option name, {name}", "make them equal")
    if "name" in given:
        return given
    # The order of the keys is the user's; a name that was left out follows the version, as people write it.
    return {"cniVersion": given["cniVersion"], "name": name, **given}


def _list_parts(given: Document) -> list[Part]:
    for key in given:
        if key != "plugins":
            known_key("config", key, "a list of plugins", [*ENVELOPE, "plugins"])
    plugins = given["plugins"]
    if not isinstance(plugins, list) or not plugins:
        raise OptionError("config.plugins", plugins, "is not a list of plugins", "write at least one, with its type")
    return [_part(f"config.plugins[{index}]", entry, ()) for index, entry in enumerate(plugins)]


def _single_part(given: Document) -> Part:
    for key in given:
        if key in ENVELOPE and key not in BOTH_FORMS:
            raise OptionError(f"config.{key}", given[key], "is read only in a list", "put the plugin into plugins: [ ]")
    return _part("config", given, BOTH_FORMS)


def _part(path: str, value: t.Any, beside: t.Sequence[str]) -> Part:
    entry = mapping(path, value)
    if "type" not in entry:
        raise OptionError(path, sorted(entry), "has no type", "add the plugin's name, as in type: bridge")
    kind = keys.plugin_type(f"{path}.type", entry["type"])
    return Part(path, _checked(path, kind, {key: item for key, item in entry.items() if key not in beside}))


def _checked(path: str, kind: str, entry: Document) -> Document:
    known = keys.PLUGINS.get(kind)
    checked = {}
    for key, item in entry.items():
        if known is None:
            not_reserved(path, key)
        else:
            known_key(path, key, f"the {kind} plugin", known)
        # host-local's part is checked whichever plugin calls it.
        check = (known or {"ipam": keys.ipam}).get(key)
        checked[key] = check(f"{path}.{key}", item) if check else item
    return checked


def _as_list(given: Document, envelope: Document, parts: list[Part]) -> Document:
    plugins = [part.keys for part in parts]
    if "plugins" not in given:
        return {**envelope, "plugins": plugins}
    return {key: plugins if key == "plugins" else envelope[key] for key in given}


def _as_single(given: Document, envelope: Document, parts: list[Part]) -> Document:
    if len(parts) != 1:
        raise OptionError("format", "conf", f"cannot hold {len(parts)} plugins", "use format: conflist")
    for key in envelope:
        if key not in BOTH_FORMS:
            raise OptionError("format", "conf", f"cannot hold {key}", "use format: conflist, or leave the key out")
    if "plugins" in given:
        return {**envelope, **parts[0].keys}
    return {key: envelope[key] if key in envelope else parts[0].keys[key] for key in given}


def plugins_of(document: t.Any) -> list[Document]:
    """The plugins of a file of either form that somebody else may have written; what is none is left out."""
    if not isinstance(document, dict):
        return []
    entries = document.get("plugins", [document] if "type" in document else [])
    return _json.objects(entries)


def capabilities_of(plugin: Document) -> Document:
    """What a plugin of such a file says that it is capable of."""
    return _json.mapping(plugin.get("capabilities"))


def ranges_of(ipam: t.Any) -> list[Document]:
    """All ranges of a host-local configuration, the old form (at the top) first."""
    if not isinstance(ipam, dict) or ipam.get("type") != "host-local":
        return []
    sets = ipam.get("ranges")
    lists = [entries for entries in sets if isinstance(entries, list)] if isinstance(sets, list) else []
    nested = [entry for entries in lists for entry in entries]
    flat = [ipam] if "subnet" in ipam else []
    return [entry for entry in [*flat, *nested] if isinstance(entry, dict)]


def pod_cidrs(document: t.Any) -> list[str]:
    """The CIDRs that host-local hands out addresses of, in their order."""
    found = (entry.get("subnet") for plugin in plugins_of(document) for entry in ranges_of(plugin.get("ipam")))
    return list(dict.fromkeys(cidr for cidr in map(_plain_cidr, found) if cidr))


def _plain_cidr(subnet: t.Any) -> t.Optional[str]:
    try:
        return str(ipaddress.ip_network(subnet, strict=False)) if isinstance(subnet, str) else None
    except ValueError:
        return None
