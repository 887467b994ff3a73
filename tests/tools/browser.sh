#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The report in a real browser, which root gets from the distribution.
set -euo pipefail

if ! command -v chromium-headless-shell chromium >/dev/null; then
    if [ "$(id -u)" != 0 ]; then
        echo "-- skipped: there is no Chromium here; apt-get install chromium-headless-shell makes one"
        exit
    fi
    tests/tools/setup.sh browser
fi
echo "-- pytest tests/browser ($("$(command -v chromium-headless-shell || command -v chromium)" --version 2>/dev/null))"
exec python molecule/shared/lab.py run --nodes 0 -- python -m pytest tests/browser --verbose
