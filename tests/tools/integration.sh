#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# integration.sh [TARGET]: ansible-test integration on the oldest and on the newest ansible-core that the collection
# supports, one target for each processor at a time, each in a tree of its own and, by its runme.sh, in namespaces of
# its own.  Those that speak netlink have the newest pyroute2 where they have the newest ansible-core, else Debian's.
set -euo pipefail
. tests/tools/tree.sh
. tests/tools/core_venvs.sh

wanted=${1:-}
logs=$PWD/.cache/log
pyroute2=$PWD/.cache/pyroute2-newest
tests/tools/setup.sh packages "$pyroute2" python tests/requirements-newest.txt
debian=$PWD/.cache/debian
tests/tools/debian.sh || debian=
kubelet=
[ -z "${PODNET_KUBELET:-}" ] || kubelet=$(python molecule/shared/kubelet.py)

targets=()
for runme in tests/integration/targets/*/runme.sh; do
    target=$(basename "$(dirname "$runme")")
    [ "${wanted:-$target}" != "$target" ] || targets+=("$target")
done
if [ ${#targets[@]} = 0 ]; then
    echo "-- there is no target $wanted in tests/integration/targets"
    exit 1
fi

# run TARGET CORE: its output is shown when it has ended, so that two do not mix.
run() {
    local target=$1 core=$2 name="$1, $2 ansible-core" log=$logs/integration-$1-$2.log status=passed
    local aliases=tests/integration/targets/$target/aliases netlink
    netlink=$(grep -s attributes.pyroute2 "plugins/modules/$target.py" || true)
    enter_tree "$target-$core"
    # ansible-test gives a target no variable of the environment but those of its aliases.
    [ "$core" != newest ] || [ -z "$netlink" ] || echo "env/set/PODNET_TEST_PYTHON/$pyroute2/bin/python" >>"$aliases"
    # Daemons of Debian's, for the targets that start one in their namespaces.
    [ -z "$debian" ] || echo "env/set/PODNET_TEST_DEBIAN/$debian" >>"$aliases"
    [ -z "$kubelet" ] || echo "env/set/PODNET_TEST_KUBELET/$kubelet" >>"$aliases"
    with_test_home ansible-test integration --local --allow-destructive --color no "$target" >"$log" 2>&1 || status=failed
    printf '%s\n' "$(cat "$log")" "1 $status: $name"
    [ $status = passed ] || echo "-- $name: failed"
    [ $status = passed ]
}

trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
waiting=0
for target in "${targets[@]}"; do
    for core in "${cores[@]}"; do
        if [ "$waiting" -ge "$(nproc)" ]; then
            wait -n
            waiting=$((waiting - 1))
        fi
        echo "-- $target, $core ansible-core"
        with_core "$core" run "$target" "$core" &
        waiting=$((waiting + 1))
    done
done
while [ "$waiting" -gt 0 ]; do
    wait -n
    waiting=$((waiting - 1))
done
