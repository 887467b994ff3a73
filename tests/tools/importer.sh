#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Imports the collection's archive as Galaxy does, in an environment of its own; a warning or an
# error of the importer's is a failure.  So is a package that an execution environment would get: none is needed.
set -euo pipefail

venv=.cache/importer
tests/tools/setup.sh packages "$venv" "$(command -v python)" tests/requirements-importer.txt
mkdir -p .cache/dist/importer
tests/tools/build.sh .cache/dist/importer

echo "-- galaxy-importer"
log=galaxy-importer.log
export PATH=$PWD/$venv/bin:$PATH ANSIBLE_COLLECTIONS_PATH=$PWD/.cache/none
cd .cache/dist/importer # where it writes its result
python -m galaxy_importer.main mink8s-podnet-*.tar.gz 2>&1 | tee "$log"
if grep -E '^(WARNING|ERROR|CRITICAL)' "$log"; then
    exit 1
fi

echo "-- ansible-builder introspect"
tree=collections/ansible_collections/mink8s/podnet
rm -rf collections
mkdir -p "$tree"
tar -xzf mink8s-podnet-*.tar.gz -C "$tree"
ansible-builder introspect collections --sanitize | tee builder.log
if [ "$(grep -vcE "^(#|$)" builder.log)" != 3 ] || ! grep -qxF 'python: []' builder.log || ! grep -qxF 'system: []' builder.log; then
    echo "-- an execution environment would get packages that nothing here needs"
    exit 1
fi
echo "2 passed"
