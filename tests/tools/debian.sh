#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# debian.sh: real daemons for the tests, the files of Debian packages below .cache/debian.  They are not installed, as that
# would start them on this machine; tests start them in namespaces.  Says so, and fails, where they cannot be had.
set -euo pipefail

directory=$PWD/.cache/debian
set -- docker.io containerd runc libdevmapper1.02.1 busybox-static
[ "$(cat "$directory/.packages" 2>/dev/null)" != "$*" ] || exit 0
if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
    echo "-- no apt-get here: $* cannot be had"
    exit 1
fi
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
