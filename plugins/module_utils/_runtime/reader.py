# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a reader of CNI configurations is: a program on the node that loads the file and starts the plugins.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

#: The first line of every file that is all ours.
HEADER = "# Made by Ansible (mink8s.podnet.cni_runtime), which removes it again with state absent.\n"


class Places(t.NamedTuple):
    """Where configurations and plugins are."""

    conf_dir: str
    bin_dirs: t.List[str]


class Reader(t.NamedTuple):
    """One program as it is found; ``reads`` is False where it takes no part on this node, or only tells."""

    name: str
    unit: t.Optional[str]
    reads: bool
    reason: str
    #: What it uses by its files, without any change of ours; None where that is not known.
    now: t.Optional[t.Dict[str, t.Any]] = None
    #: What it would use then.
    wanted: t.Optional[t.Dict[str, t.Any]] = None
    #: The file that we change: where it is, how it was before us (None: was not there), how it is to be.
    path: t.Optional[str] = None
    original: t.Optional[str] = None
    text: t.Optional[str] = None
    #: Where its CRI socket is, if it has one.
    socket: t.Optional[str] = None


def places(conf_dir: str, bin_dirs: t.Sequence[str]) -> Places:
    """Check the directories: they stand in flags, unit files and TOML, where other characters mean something."""
    for path, value in [("conf_dir", conf_dir), *((f"bin_dirs[{index}]", each) for index, each in enumerate(bin_dirs))]:
        if not re.fullmatch(r"/[A-Za-z0-9._+/-]*", value):
            remedy = "use an absolute path of letters, digits and . _ + -"
            raise OptionError(path, value, "cannot be written into a runtime's settings", remedy)
    if not bin_dirs:
        raise OptionError("bin_dirs", [], "names no directory", "name the one with the CNI plugins")
    return Places(_plain(conf_dir), [_plain(each) for each in bin_dirs])


def plain(directory: t.Any) -> str:
    """A directory without the slash at its end, so that two spellings are one."""
    return _plain(str(directory))


def _plain(directory: str) -> str:
    return directory.rstrip("/") or directory
