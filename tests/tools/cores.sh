#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# cores.sh COMMAND…: runs it on the oldest and on the newest ansible-core that the collection supports, both at the same
# time, each in an environment of its own with a Python that it supports.  COMMAND finds in $CORE which of them it is.
# Where there is no such Python it says so, but one of the two must have run.
set -euo pipefail

declare -A pythons=([oldest]="3.11 3.12 3.13" [newest]="3.14 3.13 3.12")

# run CORE VENV COMMAND…: each step that is said has the core's name, so that two do not mix.
run() {
    local core=$1 venv=$2
    shift 2
    CORE=$core PATH=$venv/bin:$PATH "$@" 2>&1 | sed -u "s/^-- /-- $core: /"
}

ran=()
for core in oldest newest; do
    requirements=tests/requirements-core-$core.txt
    release=$(grep '^ansible-core==' "$requirements")
    # shellcheck disable=SC2086
    python=$(tests/tools/pythons.sh ${pythons[$core]} | sed -n 1p)
    if [ -z "$python" ]; then
        echo "-- skipped on $release: it needs one of Python ${pythons[$core]}, and none of them is here"
        continue
    fi
    venv=$PWD/.cache/core-$core
    tests/tools/setup.sh packages "$venv" "$python" "$requirements"
    echo "-- $core: $release, $("$venv/bin/python" --version)"
    run "$core" "$venv" "$@" &
    ran+=($!)
done

status=0
for each in "${ran[@]}"; do
    wait "$each" || status=1
done
[ ${#ran[@]} -gt 0 ] || status=1
exit $status
