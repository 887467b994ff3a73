# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every row of `make bench` can be measured; with sizes that say nothing about how long anything takes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from bench import ROWS
from conftest import ROOT, Lab

#: These play whole sites.
PLAYS = ("site", "scale")


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.long if name in PLAYS else ()) for name in ROWS])
def test_a_row_can_be_measured(lab: Lab, name: str) -> None:
    words = [sys.executable, str(ROOT / "tests/benchmarks/bench.py"), "--tiny", "--repeat", "1", name]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()
