#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs every linter, also after one has failed, and names at the end those that did.
set -uo pipefail
export NO_COLOR=1

failed=()
passed=0

lint() {
    echo "-- $*"
    if "$@"; then
        passed=$((passed + 1))
    else
        failed+=("$1")
    fi
}

lint ruff check .
lint ruff format --check .
lint mypy
lint yamllint --strict .
lint ansible-lint --profile production --offline
lint antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs all --check-extra-docs-refs .
lint antsibull-changelog lint
lint pre-commit validate-config
lint tests/tools/build.sh .cache/dist

if [ ${#failed[@]} -gt 0 ]; then
    echo "-- not clean: ${failed[*]}"
    exit 1
fi
echo "$passed passed"
