# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""boot.py UNIT [ExecReload]: run a oneshot service's commands as systemd does, to the first whose failure counts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

key = sys.argv[2] if len(sys.argv) > 2 else "ExecStart"
for line in re.findall(rf"^{key}=(.*)$", Path(sys.argv[1]).read_text(), re.MULTILINE):
    words = [quoted or plain for quoted, plain in re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', line)]
    words = [re.sub(r"\\(.)", r"\1", word).replace("%%", "%").replace("$$", "$") for word in words]
    ignored = words[0].startswith("-")
    status = subprocess.run([words[0].lstrip("-"), *words[1:]], check=False).returncode
    print(f"{line}: {status}", flush=True)
    if status != 0 and not ignored:
        sys.exit(1)
