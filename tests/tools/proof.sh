#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# proof.sh [OPTION…]: random states, kills and bad input, in namespaces that nothing outlives; options are pytest's.
set -euo pipefail

tests/tools/debian.sh || true
exec python molecule/shared/lab.py run --nodes 0 -- pytest tests/proof --numprocesses 2 --dist worksteal "$@"
