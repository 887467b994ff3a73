# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A throw-away network namespace to try rules in.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import ROOT_REMEDY

CLONE_NEWNET = 0x40000000


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
