# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The node's own programs: how every room finds and starts them, and what a failure of one is about.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

#: Not everybody's PATH has these.
_ALSO = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"

ROOT_REMEDY = "run as root (become: true), in a container with the capabilities SYS_ADMIN and NET_ADMIN"

LOCK_REMEDY = "something else holds the lock of iptables (lslocks shows who), so run this again when it has ended"

#: What to do about a complaint in which these words stand.
REMEDIES = {
    "permitted": ROOT_REMEDY,
    "Permission denied": ROOT_REMEDY,
    "xtables lock": LOCK_REMEDY,
    "xtables.lock": LOCK_REMEDY,
    # Root of a user namespace may not exceed this limit, and iptables sends all its rules in one message.
    "Message too long": "raise the sysctl net.core.wmem_max, exclude fewer CIDRs, or set backend to nftables",
}
OTHER_REMEDY = "check that the kernel has nf_tables and its nat and fib modules"


class Runner(t.Protocol):
    """Starts a program, never a shell, with a text for its standard input; returns status, output and error output."""

    def __call__(self, args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
        """Start it and wait for its end."""


def runner(module: AnsibleModule) -> Runner:
    """Return the module's own run_command with messages in one language, whatever the node's locale is."""

    def run(args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
        environment = {"LC_ALL": "C", "LANGUAGE": "C", "PATH": search_path()}
        args = [which(args[0]) or args[0], *args[1:]]
        for last in (*[False] * 9, True):
            try:
                status, out, err = module.run_command(
                    args, data=data, environ_update=environment, expand_user_and_vars=False, handle_exceptions=last
                )
                break
            except OSError:  # on a busy node a plugin may have answered VERSION, and be gone, before its input came
                continue
        return int(status), str(out), str(err)

    return run


def search_path() -> str:
    """Return where programs are looked for: what is relative would lead into the directory that we are started in."""
    given = os.environ.get("PATH", "").split(":")
    return ":".join([*filter(os.path.isabs, given), _ALSO])


def which(name: str) -> t.Optional[str]:
    """Return a program's path, or None where the node does not have it."""
    return shutil.which(name, path=search_path())


def find(name: str, package: str) -> str:
    """Return a program's path; ``package`` is what to install where it is missing."""
    path = which(name)
    if path is None:
        raise PodnetError(f"{name}: there is no such program on the node; install the package {package}")
    return path


@contextlib.contextmanager
def input_file(text: str) -> t.Iterator[str]:
    """Give a program its input as a file in memory: of a pipe it would take half a line for a whole one if we died."""
    with os.fdopen(os.memfd_create("podnet"), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        yield f"/proc/{os.getpid()}/fd/{file.fileno()}"


@dataclass(frozen=True)
class Host:
    """How programs are found and started on this node."""

    run: Runner
    which: t.Callable[[str], t.Optional[str]]

    def output(self, args: list[str], data: t.Optional[str] = None) -> str:
        """Run a program that must succeed; its first line of complaint becomes part of the sentence."""
        rc, out, err = self.run(args, data)
        if rc != 0:
            raise refusal(args, err)
        return out


def refusal(args: list[str], err: str) -> PodnetError:
    """The sentence for a program that failed."""
    complaint = next((line.strip() for line in err.splitlines() if line.strip()), "no message")
    remedy = next((text for word, text in REMEDIES.items() if word in complaint), OTHER_REMEDY)
    return PodnetError(f"{' '.join(args)} failed ({complaint}); {remedy}")
