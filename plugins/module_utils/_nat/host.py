# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The node's own programs, and a throw-away network namespace to try rules in.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import typing as t
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Runner

CLONE_NEWNET = 0x40000000

ROOT_REMEDY = "run as root (become: true), in a container with the capabilities SYS_ADMIN and NET_ADMIN"

#: What to do about a complaint in which these words stand.
REMEDIES = {
    "permitted": ROOT_REMEDY,
    "Permission denied": ROOT_REMEDY,
    # Root of a user namespace may not exceed this limit, and iptables sends all its rules in one message.
    "Message too long": "raise the sysctl net.core.wmem_max, exclude fewer CIDRs, or set backend to nftables",
}
OTHER_REMEDY = "check that the kernel has nf_tables and its nat and fib modules"


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


@contextlib.contextmanager
def scratch_namespace() -> t.Iterator[None]:
    """Let every program started within see an empty network namespace, which is gone afterwards.

    The kernel drops the namespace with its last process, so nothing has to be cleaned up, even when we are killed.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as home:
        if libc.unshare(CLONE_NEWNET) != 0:
            reason = os.strerror(ctypes.get_errno())
            raise PodnetError(f"the rules cannot be tried in a scratch network namespace ({reason}); {ROOT_REMEDY}")
        try:
            yield
        finally:
            if libc.setns(home.fileno(), CLONE_NEWNET) != 0:
                reason = os.strerror(ctypes.get_errno())
                raise PodnetError(f"the scratch network namespace cannot be left ({reason}); nothing was changed")
