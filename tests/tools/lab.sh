#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# lab.sh [TEST…]: whole playbooks on nodes in namespaces.  pytest has a worker for each processor, and each worker is in
# namespaces of its own, where it has the only nodes and nothing outlives it.
set -euo pipefail

tests/tools/debian.sh || true
# What `make cores` runs is not run twice.
if [ $# = 0 ]; then
    set -- tests/lab --ignore tests/lab/test_installed.py -m "not long"
    echo "-- all but the tests that are marked as long, which make soak runs"
fi
exec python -m pytest --verbose --dist worksteal --durations 10 \
    --tx "$(nproc)*popen//python=python molecule/shared/lab.py run --nodes 0 -- python" "$@"
