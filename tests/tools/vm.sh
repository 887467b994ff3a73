#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# vm.sh SCENARIO: runs a scenario of virtual machines.  They are in namespaces, as the lab is, and end with them;
# what comes from elsewhere is fetched before.
set -euo pipefail

python molecule/shared/images.py debian12 debian13
PODNET_KUBELET_BINARY=$(python molecule/shared/kubelet.py)
export PODNET_KUBELET_BINARY
exec python molecule/shared/lab.py run --nodes 0 -- tests/tools/molecule.sh "$1"
