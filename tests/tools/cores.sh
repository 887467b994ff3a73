#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# cores.sh COMMAND…: runs it on the oldest and on the newest ansible-core that the collection supports, both at the same
# time.  COMMAND finds in $CORE which of them it is.
set -euo pipefail
. tests/tools/core_venvs.sh
. tests/tools/together.sh

words=("$@")
run() {
    # Each step that is said has the core's name, so that two do not mix.
    with_core "$1" "${words[@]}" 2>&1 | sed -u "s/^-- /-- $1: /"
}
together run "${cores[@]}"
