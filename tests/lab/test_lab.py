# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab itself, on machines that are not as plain as one thinks."""

from __future__ import annotations

import subprocess
import sys

from conftest import ROOT

#: Somebody else's mounts: below /tmp as an image builder has them, on a file of /etc as a container has them.
MOUNTS = """
mkdir /tmp/$$ && mount -t tmpfs tmpfs /tmp/$$ && mount --bind /etc/hosts /etc/hosts
"$@"
status=$?
umount /tmp/$$ && rmdir /tmp/$$
exit $status
"""


def test_what_is_mounted_already_is_no_hindrance() -> None:
    lab = [sys.executable, str(ROOT / "molecule/shared/lab.py"), "run", "--nodes", "1", "--", "true"]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", MOUNTS, "sh", *lab], text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
