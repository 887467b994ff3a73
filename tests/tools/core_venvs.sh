#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# To be sourced: makes an environment of its own, with a Python that it supports, for the oldest and for the newest
# ansible-core that the collection supports.  Those that there are then are in $cores; with_core runs a command with one.

cores=()

# make_core NAME PYTHON…: the environment, with the first of these releases of Python that is here.
make_core() {
    local core=$1 requirements=tests/requirements-core-$1.txt release python
    shift
    release=$(grep '^ansible-core==' "$requirements")
    python=$(tests/tools/pythons.sh "$@" | sed -n 1p)
    if [ -z "$python" ]; then
        echo "-- skipped on $release: it needs one of Python $*, and none of them is here"
        return
    fi
    tests/tools/setup.sh packages "$PWD/.cache/core-$core" "$python" "$requirements"
    echo "-- $core: $release, $("$PWD/.cache/core-$core/bin/python" --version)"
    cores+=("$core")
}

# with_core NAME COMMAND…
with_core() {
    local core=$1
    shift
    CORE=$core PATH=$PWD/.cache/core-$core/bin:$PATH "$@"
}

make_core oldest 3.11 3.12 3.13
make_core newest 3.14 3.13 3.12
if [ ${#cores[@]} = 0 ]; then
    echo "-- there is no Python that the oldest or the newest ansible-core supports"
    exit 1
fi
