#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# pythons.sh VERSION…: prints the path of a Python of each version that is here and can make virtual environments.
# What is found on PATH may be the shim of a version manager, which starts nothing: so each one is tried.
set -euo pipefail
shopt -s nullglob

for version in "$@"; do
    for candidate in $(type -ap "python$version") "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/"python$version"; do
        if found=$("$candidate" -c 'import ensurepip, os, sys; print(os.path.realpath(sys.executable))' 2>/dev/null); then
            echo "$found"
            break
        fi
    done
done
