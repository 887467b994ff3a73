#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# ansible-test sanity, without any ignore file; it must really have run.  cores.sh runs it on two releases of ansible-core;
# only the newest has something to say of every Python that is here.
set -euo pipefail
. tests/tools/tree.sh

if ls tests/sanity/ignore* 2>/dev/null; then
    echo "-- there are ignore files in tests/sanity; the collection has none"
    exit 1
fi
enter_tree "sanity-$CORE"
[ "$CORE" = newest ] || set -- --python "$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')" "$@"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
pip_talk='^( *Downloading|Collecting|Processing|Looking in|Installing collected|Successfully installed|WARNING: Location| *━)'
if ! with_test_home ansible-test sanity --color no "$@" 2>&1 |
    tee "$log" | sed -uE -e 's/^Running sanity test /-- sanity test /' -e "/$pip_talk/d"; then
    echo "-- $(sed '1,/^FATAL/d' "$log" | tr '\n' ' ')"
    exit 1
fi
ran=$(grep -c '^Running sanity test ' "$log" || true)
if [ "$ran" -lt 20 ] || grep -q '^WARNING: .*[Aa]ll targets skipped' "$log"; then
    echo "-- ansible-test ran only $ran tests: it found no files to test"
    exit 1
fi
echo "$ran passed"
