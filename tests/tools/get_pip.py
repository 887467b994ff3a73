# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the get-pip.py that ansible-test would download: this Python's own pip installs the one it asks for."""

from __future__ import annotations

import ensurepip
import os
import subprocess
import sys

if __name__ == "__main__":
    environment = dict(os.environ)  # ensurepip makes pip forget its configuration
    ensurepip.bootstrap(default_pip=True)
    wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
    sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", "--quiet", *wanted], env=environment))
