# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What dockerd makes of its options: flags and keys of daemon.json, and which of them need a restart.  Pure.

Docker Engine 20.10 to 29: its flags are declared in daemon/command/config*.go, what a reload takes over stands in
daemon/reload*.go.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils._words import Word

CONFIG_FILE = "/etc/docker/daemon.json"

#: Keys of daemon.json whose flag has another name.
KEY_OF_FLAG = {
    "add-runtime": "runtimes",
    "insecure-registry": "insecure-registries",
    **{
        flag: f"{flag}s"
        for flag in (
            "authorization-plugin",
            "cdi-spec-dir",
            "cluster-store-opt",
            "default-address-pool",
            "default-network-opt",
            "default-ulimit",
            "dns-opt",
            "exec-opt",
            "feature",
            "host",
            "host-gateway-ip",
            "label",
            "log-opt",
            "node-generic-resource",
            "registry-mirror",
            "storage-opt",
        )
    },
}

SHORT_FLAGS = {
    "b": "bridge",
    "D": "debug",
    "G": "group",
    "H": "host",
    "l": "log-level",
    "p": "pidfile",
    "r": "restart",
    "s": "storage-driver",
}

#: Flags that take no word after them.
SWITCHES = {
    "allow-direct-routing",
    "cri-containerd",
    "debug",
    "experimental",
    "help",
    "icc",
    "init",
    "ip-forward",
    "ip-forward-no-drop",
    "ip-masq",
    "ip6tables",
    "iptables",
    "ipv6",
    "live-restore",
    "no-new-privileges",
    "raw-logs",
    "restart",
    "rootless",
    "selinux-enabled",
    "tls",
    "tlsverify",
    "userland-proxy",
    "validate",
    "version",
}

#: dockerd takes these from both places.
ALLOWED_TWICE = {"runtimes"}

#: Keys whose new value a reload (SIGHUP) takes over.
RELOADED = {
    "authorization-plugins",
    "debug",
    "default-cgroupns-mode",
    "default-ipc-mode",
    "default-runtime",
    "default-shm-size",
    "default-stop-timeout",
    "features",
    "insecure-registries",
    "labels",
    "live-restore",
    "max-concurrent-downloads",
    "max-concurrent-uploads",
    "max-download-attempts",
    "network-diagnostic-port",
    "nri-opts",
    "registry-mirrors",
    "runtimes",
    "shutdown-timeout",
}

#: Those of them that a reload sets back to their defaults when they are gone; the others stay as they were.
RESET_BY_RELOAD = {
    "authorization-plugins",
    "features",
    "max-concurrent-downloads",
    "max-concurrent-uploads",
    "max-download-attempts",
    "network-diagnostic-port",
    "nri-opts",
}

#: Keys that dockerd leaves as they were for as long as containers live through its restarts.
OF_THE_NETWORK = {
    "bip",
    "bip6",
    "bridge",
    "default-address-pools",
    "default-gateway",
    "default-gateway-v6",
    "firewall-backend",
    "fixed-cidr",
    "fixed-cidr-v6",
    "icc",
    "ip",
    "ip-forward",
    "ip-masq",
    "ip6tables",
    "iptables",
    "ipv6",
    "mtu",
    "userland-proxy",
}


@dataclass(frozen=True)
class Flag:
    """A flag as it was given, its value, and the file in which it stands."""

    shown: str
    value: str
    path: str


def flags(words: t.Sequence[Word]) -> dict[str, Flag]:
    """Return the flags of a command, by the keys of daemon.json that say the same."""
    found: dict[str, Flag] = {}
    waiting = iter(words[1:])
    for word in waiting:
        name, value = _flag(word.text)
        if not name:
            continue
        shown = word.text
        following = next(waiting, None) if value is None and name not in SWITCHES else None
        if following is not None:
            value = following.text
            shown = f"{word.text} {value}"
        found[KEY_OF_FLAG.get(name, name)] = Flag(shown, "true" if value is None else value, word.path)
    return found


def _flag(text: str) -> tuple[str, t.Optional[str]]:
    """Return a flag's long name and the value in the same word, if there is one."""
    if text.startswith("--"):
        name, equals, value = text[2:].partition("=")
        return name, value if equals else None
    if len(text) > 1 and text.startswith("-"):
        rest = text[2:].lstrip("=")
        return SHORT_FLAGS.get(text[1], ""), rest or None
    return "", None


def config_file(given: dict[str, Flag]) -> str:
    """Return which file these flags make dockerd read."""
    return given["config-file"].value if "config-file" in given else CONFIG_FILE


def doubled(data: dict[str, t.Any], given: dict[str, Flag]) -> list[str]:
    """Return the keys that are flags, too; dockerd does not start with one of them."""
    return [key for key in data if key in given and key not in ALLOWED_TWICE]


def needs_restart(key: str, after: t.Optional[str]) -> bool:
    """Whether a changed key needs more than a reload; ``after`` is None where it is gone."""
    return key not in RELOADED or (after is None and key not in RESET_BY_RELOAD)


def in_force(key: str, data: dict[str, t.Any], given: dict[str, Flag]) -> t.Any:
    """Return an option's value from a flag or from daemon.json, or None where neither says any."""
    if key not in given:
        return data.get(key)
    value = given[key].value
    return json.loads(value) if value in ("true", "false") else value
