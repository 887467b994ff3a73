#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# unit.sh [TESTS]: unit tests, and once more those of module_utils with the oldest Python that a node may have, if it is
# here; or some of the tests, once.
set -euo pipefail

if [ $# -gt 0 ]; then
    echo "-- pytest $*"
    exec python -m pytest "$@"
fi

echo "-- pytest tests/unit ($(python --version))"
python -m pytest tests/unit --numprocesses 2

oldest=$(tests/tools/pythons.sh 3.9)
if [ -z "$oldest" ]; then
    echo "-- skipped on Python 3.9, the oldest of a node: there is none here"
    exit
fi
venv=.cache/python3.9
tests/tools/setup.sh packages "$venv" "$oldest" tests/requirements-oldest.txt
echo "-- pytest tests/unit/plugins/module_utils ($("$venv/bin/python" --version))"
"$venv/bin/python" -m pytest tests/unit/plugins/module_utils
