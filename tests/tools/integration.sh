#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# integration.sh [TARGET]: ansible-test integration, one target for each processor at a time, as each target makes
# namespaces of its own (see its runme.sh).  Those that speak netlink run once more with the newest pyroute2.
set -euo pipefail
. tests/tools/tree.sh

wanted=${1:-}
logs=$PWD/.cache/log
newest=$PWD/.cache/pyroute2-newest
tests/tools/setup.sh packages "$newest" python tests/requirements-newest.txt
(enter_tree tree)
(enter_tree tree-newest)

# What is to run, as TREE/TARGET.
runs=()
for runme in tests/integration/targets/*/runme.sh; do
    target=$(basename "$(dirname "$runme")")
    [ -z "$wanted" ] || [ "$wanted" = "$target" ] || continue
    runs+=("tree/$target")
    if grep -qs attributes.pyroute2 "plugins/modules/$target.py"; then
        runs+=("tree-newest/$target")
        # ansible-test gives a target no variable of the environment but those of its aliases.
        echo "env/set/PODNET_TEST_PYTHON/$newest/bin/python" \
            >>".cache/tree-newest/ansible_collections/mink8s/podnet/tests/integration/targets/$target/aliases"
    fi
done
if [ ${#runs[@]} = 0 ]; then
    echo "-- there is no target $wanted in tests/integration/targets"
    exit 1
fi

label() {
    case $1 in
    tree-newest/*) echo "${1#*/}, with the newest pyroute2" ;;
    *) echo "${1#*/}" ;;
    esac
}

# run TREE/TARGET: one target; its output is shown when it has ended, so that two do not mix.
run() {
    local log=$logs/integration-${1//\//-}.log status=passed
    cd ".cache/${1%/*}/ansible_collections/mink8s/podnet" || exit
    with_test_home ansible-test integration --local --allow-destructive --color no "${1#*/}" >"$log" 2>&1 || status=failed
    printf '%s\n' "$(cat "$log")" "1 $status: $(label "$1")"
    [ $status = passed ] || echo "-- $(label "$1") failed"
    [ $status = passed ]
}

trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
waiting=0
for each in "${runs[@]}"; do
    if [ "$waiting" -ge "$(nproc)" ]; then
        wait -n
        waiting=$((waiting - 1))
    fi
    echo "-- $(label "$each")"
    run "$each" &
    waiting=$((waiting + 1))
done
while [ "$waiting" -gt 0 ]; do
    wait -n
    waiting=$((waiting - 1))
done
