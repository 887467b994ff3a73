# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What other software's files say, as far as it matters to pods.  Pure.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _json
from ansible_collections.mink8s.podnet.plugins.module_utils._values import Address, Network

# resolv.conf


def name_servers(text: str) -> list[Address]:
    """Return the name servers of a resolv.conf that are not on the node itself."""
    found = []
    for word in re.findall(r"^[ \t]*nameserver[ \t]+([^\s%]+)", text, re.MULTILINE):
        try:
            address = ipaddress.ip_address(word)
        except ValueError:
            continue
        if not address.is_loopback:
            found.append(address)
    return found


# Docker's daemon.json


class Pool(t.NamedTuple):
    """A network that Docker takes its own from; ``chosen`` is one that somebody has written down."""

    key: str
    network: Network
    chosen: bool


#: What Docker cuts its networks from where daemon.json names no pools.
_DEFAULT_POOLS = (*(f"172.{second}.0.0/16" for second in range(17, 32)), "192.168.0.0/16")


def docker_pools(text: str) -> list[Pool]:
    """Return the networks that a daemon.json lets Docker take; an empty one names none."""
    try:
        document = _json.parse(text or "{}")
    except ValueError:
        document = {}  # Docker does not start with it either
    options = _json.mapping(document)
    no_bridge = options.get("bridge") == "none"
    keys = () if no_bridge else ("bip", "fixed-cidr", "bip6", "fixed-cidr-v6")
    given = [(key, options.get(key), True) for key in keys]
    pools = options.get("default-address-pools")
    if isinstance(pools, list):
        given += [("default-address-pools", pool.get("base"), True) for pool in pools if isinstance(pool, dict)]
    elif not no_bridge:
        given += [("default-address-pools", pool, False) for pool in _DEFAULT_POOLS]
    found = ((key, _network(value), chosen) for key, value, chosen in given)
    return [Pool(key, network, chosen) for key, network, chosen in found if network]


def _network(value: t.Any) -> t.Optional[Network]:
    try:
        return ipaddress.ip_interface(value).network if isinstance(value, str) else None
    except ValueError:
        return None


# nft's scripts

#: Flushing the rules of another family leaves ours.
_FLUSH = re.compile(r"(?:^|[;\n{])[ \t]*flush[ \t]+ruleset(?:[ \t]+(?:inet|ip6?))?[ \t]*(?=[;\n}]|$)")


def flushes(script: str) -> bool:
    """Whether a script of nft removes all rules, ours too."""
    return _FLUSH.search(_without_comments(script)) is not None


def includes(script: str) -> list[str]:
    """Return the files, maybe with wildcards, that a script of nft includes; relative ones are below /etc."""
    found = re.findall(r"(?:^|[;\n])[ \t]*include[ \t]+[\"']([^\"'\n]+)[\"']", _without_comments(script))
    return [path if path.startswith("/") else f"/etc/{path}" for path in found]


def _without_comments(script: str) -> str:
    # A quoted text may have a # in it; as it may not go over several lines, neither does the pattern.
    return re.sub(r"(\"[^\"\n]*\")|#[^\n]*", lambda match: match.group(1) or "", script)


# NetworkManager's configuration


def unmanaged_devices(texts: t.Iterable[str]) -> list[str]:
    """Return what NetworkManager shall leave alone by [keyfile] unmanaged-devices, from its files in their order."""
    found: list[str] = []
    for text in texts:
        section = ""
        for line in (each.strip() for each in text.split("\n")):
            if line.startswith("["):
                section = line.strip("[]")
            match = re.fullmatch(r"unmanaged-devices\s*([+-]?)=\s*(.*)", line)
            if not match or section != "keyfile":
                continue
            entries = [entry.strip() for entry in re.split(r"[;,]", match.group(2)) if entry.strip()]
            kept = found if match.group(1) else []
            found = [each for each in kept if each not in entries] if match.group(1) == "-" else [*kept, *entries]
    return found


def is_unmanaged(specs: t.Sequence[str], name: str, kind: str) -> bool:
    """Whether specs like ``interface-name:veth*;except:type:bridge`` are about a link; names without * are exact."""
    excepted = [spec[len("except:") :] for spec in specs if spec.startswith("except:")]
    listed = [spec for spec in specs if not spec.startswith("except:")]
    return any(_is_about(spec, name, kind) for spec in listed) and not any(
        _is_about(spec, name, kind) for spec in excepted
    )


def _is_about(spec: str, name: str, kind: str) -> bool:
    key, _colon, value = spec.partition(":")
    if key == "interface-name":
        return name == value[1:] if value.startswith("=") else fnmatch.fnmatchcase(name, value.lstrip("~"))
    return spec == "*" or (key in ("type", "driver") and value == kind)


# firewalld's zones


def trusted(zones: t.Iterable[str]) -> tuple[list[Network], list[str]]:
    """Return the sources and the interfaces of those zones (XML) that accept everything."""
    sources: list[Network] = []
    interfaces: list[str] = []
    for zone in zones:
        text = _without_xml_comments(zone)
        if "ACCEPT" in _attributes(text, "zone", "target"):
            found = map(_network, _attributes(text, "source", "address"))
            sources += [network for network in found if network]
            interfaces += _attributes(text, "interface", "name")
    return sources, interfaces


def _attributes(text: str, tag: str, name: str) -> list[str]:
    return re.findall(rf"<{tag}\b[^<>]*\b{name}=[\"']([^\"'<>]+)[\"']", text)


def _without_xml_comments(text: str) -> str:
    """Cut them out one by one; a pattern would look for the end of each that has none."""
    first, *rest = text.split("<!--")
    return first + "".join(part.partition("-->")[2] for part in rest)
