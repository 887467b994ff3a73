# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For all unit tests, whoever runs them: pytest itself, or ansible-test, which reads no configuration of ours."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import hypothesis
import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _errors

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1] / "benchmarks")]
#: Some tests start Python programs of their own, which shall find the collection where these have found it.
os.environ["PYTHONPATH"] = str(Path(_errors.__file__).parents[5])

# How long one example takes says how busy the machine is, and nothing of the code.
hypothesis.settings.register_profile("unit", deadline=None)
hypothesis.settings.load_profile("unit")


def pytest_configure(config: pytest.Config) -> None:
    """Let paths of tests be short, as they stand in sentences whole; xdist tells its workers."""
    if not config.option.basetemp:
        directory = tempfile.mkdtemp(prefix="u")
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        config.option.basetemp = f"{directory}/t"
