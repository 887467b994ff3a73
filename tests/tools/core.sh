#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What each ansible-core is tried with, by cores.sh, beside the integration tests: all unit tests, and all playbooks of
# the installed archive.
set -euo pipefail
. tests/tools/tree.sh

(
    enter_tree "core-$CORE"
    echo "-- ansible-test units"
    with_test_home ansible-test units --local --color no --python "$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
)
echo "-- the installed archive"
# In namespaces, where nothing outlives it.
python molecule/shared/lab.py run --nodes 0 -- python -m pytest --verbose tests/lab/test_installed.py
