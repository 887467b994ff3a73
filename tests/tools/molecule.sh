#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# molecule.sh [SCENARIO]: inside of `lab.py run --nodes 0`, runs the scenario and says which step it is at.
set -euo pipefail
export NO_COLOR=1 ANSIBLE_FORCE_COLOR=0 PY_COLORS=0 PYTEST_ADDOPTS="--verbose -r s"
# What molecule remembers of the nodes ends with them.
export MOLECULE_EPHEMERAL_DIRECTORY=/run/molecule

# Until the scenario has made the nodes the inventory is empty.
mkdir -p "$(dirname "$PODNET_LAB_INVENTORY")"
echo '{}' >"$PODNET_LAB_INVENTORY"

# After a failure only the clean-up follows: the step that failed stays the last one said.
molecule test --scenario-name "${1:-default}" 2>&1 | sed -uE \
    -e 's/^INFO +\[[a-z]+ > ([a-z_]+)\] Executing$/-- \1/' \
    -e 's/^PLAY \[(.*)\] \*+$/-- \1/' \
    -e '/^ERROR +\[.*\] .*Executed: Failed/ { :rest n; b rest }'
