#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# integration.sh [TARGET]: ansible-test integration, one target for each processor at a time, each in a tree of its
# own and, by its runme.sh, in namespaces of its own.  Those that speak netlink run once more with the newest pyroute2.
set -euo pipefail
. tests/tools/tree.sh

wanted=${1:-}
logs=$PWD/.cache/log
newest=$PWD/.cache/pyroute2-newest
tests/tools/setup.sh packages "$newest" python tests/requirements-newest.txt
debian=$PWD/.cache/debian
tests/tools/debian.sh || debian=
kubelet=
[ -z "${PODNET_KUBELET:-}" ] || kubelet=$(python molecule/shared/kubelet.py)

# What is to run, as TARGET or, with the newest pyroute2, TARGET-newest.
runs=()
for runme in tests/integration/targets/*/runme.sh; do
    target=$(basename "$(dirname "$runme")")
    [ -z "$wanted" ] || [ "$wanted" = "$target" ] || continue
    runs+=("$target")
    ! grep -qs attributes.pyroute2 "plugins/modules/$target.py" || runs+=("$target-newest")
done
if [ ${#runs[@]} = 0 ]; then
    echo "-- there is no target $wanted in tests/integration/targets"
    exit 1
fi

label() {
    case $1 in
    *-newest) echo "${1%-newest}, with the newest pyroute2" ;;
    *) echo "$1" ;;
    esac
}

# run NAME: one target; its output is shown when it has ended, so that two do not mix.
run() {
    local target=${1%-newest} log=$logs/integration-$1.log status=passed
    enter_tree "$1"
    # ansible-test gives a target no variable of the environment but those of its aliases.
    [ "$target" = "$1" ] || echo "env/set/PODNET_TEST_PYTHON/$newest/bin/python" >>"tests/integration/targets/$target/aliases"
    # Daemons of Debian's, for the targets that start one in their namespaces.
    [ -z "$debian" ] || echo "env/set/PODNET_TEST_DEBIAN/$debian" >>"tests/integration/targets/$target/aliases"
    [ -z "$kubelet" ] || echo "env/set/PODNET_TEST_KUBELET/$kubelet" >>"tests/integration/targets/$target/aliases"
    with_test_home ansible-test integration --local --allow-destructive --color no "$target" >"$log" 2>&1 || status=failed
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
