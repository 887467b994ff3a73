# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The systemd units that bring the pod network back: their texts, and where they are enabled.  Pure.

podnet.service loads all files at boot.  Each file counts in one unit: routes can fail because of an uplink or
a neighbour, and a unit that failed is not restarted with the firewall, so they count in podnet-routes.service.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._boot.options import Command, Options

SERVICE, ROUTES, TIMER = "podnet.service", "podnet-routes.service", "podnet-routes.timer"
UNITS = (SERVICE, ROUTES, TIMER)
#: Who wants a unit; a unit that is not here is started by another one.
WANTED_BY = {SERVICE: "multi-user.target", TIMER: "timers.target"}

#: What attaches pods, or would let them in before their network is there.
RUNTIMES = (
    *("docker.service", "containerd.service", "crio.service", "cri-o.service"),
    *("cri-docker.service", "cri-dockerd.service", "kubelet.service"),
)
#: What removes all rules, ours too, when it is stopped, restarted or, some of them, reloaded.
FIREWALLS = ("nftables.service", "firewalld.service", "netfilter-persistent.service")
BEFORE_US = ("network-online.target", "systemd-sysctl.service", "systemd-modules-load.service", *FIREWALLS)

HEADER = "# Made by Ansible (mink8s.podnet.persistence), changes will be lost.\n"
_SERVICE = """\
[Unit]
Description=Pod network: bridge, NAT and routes
Wants=network-online.target
After={after}
Before={before}
PartOf={firewalls}
ReloadPropagatedFrom={firewalls}

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=60
# First each file whatever becomes of the others, then once more, and now a failure counts.  Loading twice is harmless;
# what begins with "-" may say that something is there already, or that there is no second one.
{start}
{reload}

[Install]
WantedBy=multi-user.target
"""
_ROUTES = """\
[Unit]
Description=Routes to the other nodes' pods, which a link loses when it goes down
After=podnet.service

[Service]
Type=oneshot
TimeoutStartSec=60
{start}
# Of each run only what went wrong, and not for ever.
SyslogLevel=warning
LogLevelMax=warning
LogRateLimitIntervalSec=600
LogRateLimitBurst=20
"""
_TIMER = """\
[Unit]
Description=Routes to the other nodes' pods, every {interval} s

[Timer]
OnActiveSec={interval}
OnUnitInactiveSec={interval}
AccuracySec=1

[Install]
WantedBy=timers.target
"""


def texts(options: Options) -> dict[str, str]:
    """Return the units' texts by name."""
    loads = twice(options.loaders, options.repeated)
    found = {
        SERVICE: _SERVICE.format(
            after=" ".join(BEFORE_US),
            before=" ".join(RUNTIMES),
            firewalls=" ".join(FIREWALLS),
            start=_lines("ExecStart", loads),
            reload=_lines("ExecReload", loads),
        )
    }
    if options.repeated:
        found[ROUTES] = _ROUTES.format(start=_lines("ExecStart", options.repeated))
        found[TIMER] = _TIMER.format(interval=options.interval)
    return {name: HEADER + text for name, text in found.items()}


def twice(loaders: t.Sequence[Command], repeated: t.Sequence[Command]) -> list[Command]:
    """Return all commands as such that may fail, and then those again whose failure counts."""
    all_of_them = [(f"-{words[0].lstrip('-')}", *words[1:]) for words in (*loaders, *repeated)]
    return [*all_of_them, *loaders]


def _lines(key: str, commands: t.Sequence[Command]) -> str:
    # Without any command a service is refused; true does nothing.
    return "\n".join(f"{key}={_line(words)}" for words in commands or [("/bin/true",)])


def _line(words: Command) -> str:
    return " ".join([words[0], *(_quoted(word) for word in words[1:])])


def _quoted(word: str) -> str:
    """Return a word as systemd reads it: specifiers, variables, quotes and escapes mean themselves."""
    plain = word.replace("%", "%%").replace("$", "$$")
    if re.fullmatch(r"[^\s\"'\\;]+", plain):
        return plain
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
