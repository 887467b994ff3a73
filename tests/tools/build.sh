#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# build.sh DIRECTORY: builds the collection's archive there, and looks that only what belongs in it is in it.
set -euo pipefail

rm -f "$1"/mink8s-podnet-*.tar.gz
ansible-galaxy collection build --output-path "$1" . >/dev/null
archive=$(echo "$1"/mink8s-podnet-*.tar.gz)
belongs='^(FILES\.json|MANIFEST\.json|LICENSE|LICENSES|README\.md|CHANGELOG\.(md|rst)|CONTRIBUTING\.md|requirements\.txt|changelogs|docs|inventories|meta|playbooks|plugins|roles)(/|$)'
foreign=$(tar -tzf "$archive" | grep -Ev "$belongs" || true)
if [ -n "$foreign" ]; then
    printf 'build_ignore in galaxy.yml lets these into the archive:\n%s\n' "$foreign" >&2
    exit 1
fi
echo "$archive: $(tar -tzf "$archive" | grep -vc '/$') files, $(stat -c %s "$archive") bytes"
