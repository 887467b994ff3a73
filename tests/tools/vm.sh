#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# vm.sh SCENARIO…: runs scenarios of virtual machines, all at the same time: what Ansible does on a machine takes one
# processor.  They are in namespaces of their own, as the lab is, and end with them; what comes from elsewhere is
# fetched before.
set -euo pipefail
. tests/tools/together.sh
logs=$PWD/.cache/log
mkdir -p "$logs"

python molecule/shared/images.py debian12 debian13
PODNET_KUBELET_BINARY=$(python molecule/shared/kubelet.py)
export PODNET_KUBELET_BINARY

# run SCENARIO: shows what it is at and what passed, each line with its name, and all of it when it has failed.
run() {
    local log=$logs/vm-$1.log
    if python molecule/shared/lab.py run --nodes 0 -- tests/tools/molecule.sh "$1" 2>&1 |
        tee "$log" | sed -un -e "s/^-- /-- $1: /p" -e "s/^=* *\([0-9]* passed.*[^ =]\) *=*$/$1: \1/p" -e "s/^SKIPPED /-- $1: skipped: /p"; then
        return
    fi
    # What it was at, it has said already.
    sed 's/^-- //' "$log" | tail -n 120
    echo "-- $1 failed"
    return 1
}

together run "$@"
