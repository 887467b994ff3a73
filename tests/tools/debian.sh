#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# debian.sh DIRECTORY PACKAGE...: the files of Debian packages below a directory, for tests that need a real program which
# must not be installed (its package would start a daemon).  Says so, and fails, where they cannot be had.
set -euo pipefail

directory=$(realpath -m "$1")
shift
[ "$(cat "$directory/.packages" 2>/dev/null)" != "$*" ] || exit 0
command -v apt-get >/dev/null && command -v dpkg >/dev/null || {
    echo "-- no apt-get here: $* cannot be had"
    exit 1
}
mkdir -p "$(dirname "$directory")"
new=$(mktemp -d "$directory.XXXXXX")
trap 'rm -rf "$new"' EXIT
mkdir "$new/debs" "$new/root"
log=$new/log
cd "$new/debs"
if ! apt-get download "$@" >"$log" 2>&1 && ! { apt-get update && apt-get download "$@"; } >"$log" 2>&1; then
    echo "-- apt-get download $* failed: $(tail -n 1 "$log")"
    exit 1
fi
for deb in ./*.deb; do
    dpkg -x "$deb" "$new/root"
done
echo "$*" >"$new/root/.packages"
rm -rf "$directory"
mv "$new/root" "$directory"
