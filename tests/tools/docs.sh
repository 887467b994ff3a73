#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The documentation site, in .cache/docs/html, built without a network; each warning is an error.  First its examples are
# tried, and at the end its links.
set -euo pipefail

echo "-- pytest tests/docs: the examples"
python -m pytest tests/docs --ignore tests/docs/test_site.py

pages=.cache/docs/rst
site=.cache/docs/html
mkdir -p "$pages/collection"
# antsibull-docs wants its directory to be nobody else's.
chmod go-w "$pages" "$pages/collection"

echo "-- the pages of modules, plugins and roles"
antsibull-docs --config-file docs/site/antsibull-docs.cfg collection --use-current --squash-hierarchy --fail-on-error \
    --cleanup everything --dest-dir "$pages/collection" mink8s.podnet
echo "-- the pages of playbooks, and the pictures"
rm -rf "$pages/playbooks" "$pages/pictures"
python docs/site/playbooks.py "$pages/playbooks"
cp -r docs/docsite/rst/pictures "$pages/collection/docsite/"
cp -r docs/docsite/rst/pictures docs/site/index.rst "$pages/"

echo "-- the site ($(sphinx-build --version))"
rm -rf "$site"
sphinx-build -q -E -W --keep-going -c docs/site -d .cache/docs/doctrees -b html "$pages" "$site"

echo "-- pytest tests/docs/test_site.py: pages and links"
python -m pytest tests/docs/test_site.py
