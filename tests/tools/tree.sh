#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# To be sourced.  ansible-test works only in a directory …/ansible_collections/NAMESPACE/NAME that is no link, lists
# the files with git (and says "All targets skipped", status 0, where git ignores them), and downloads get-pip.py:
#     enter_tree NAME    copies the checkout to a tree of that name, a git repository of its own, and goes there
#     with_test_home …   runs a command with that tree's home directory, so that no two trees share a file

enter_tree() {
    local trees=$PWD/.cache/trees/$1
    local tree=$trees/ansible_collections/mink8s/podnet
    mkdir -p "$tree"
    # All files but its own git directory and ansible-test's caches make way for those of the checkout.
    find "$tree" -mindepth 1 -maxdepth 1 ! -name .git ! -name tests -exec rm -rf {} +
    find "$tree" -mindepth 2 -maxdepth 2 -path '*/tests/*' ! -name output -exec rm -rf {} +
    git ls-files -z --cached --others --exclude-standard --deduplicate |
        while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
        xargs -0 cp --parents --no-dereference -t "$tree"
    prepare_home "$trees/home"
    cd "$tree" || exit
    [ -d .git ] || git init --quiet
    unset ANSIBLE_COLLECTIONS_PATH PYTHONPATH
}

# Makes the home directory for ansible-test, with a stand-in for get-pip.py.
prepare_home() {
    local pip_version place python
    TEST_HOME=$1
    mkdir -p "$TEST_HOME/.ansible/test/cache" "$TEST_HOME/.config"
    # pip's configuration is this user's: only it may say how a package index is reached.
    for place in .config/pip .pip .netrc; do
        [ ! -e "$HOME/$place" ] || ln -sfn "$HOME/$place" "$TEST_HOME/$place"
    done
    pip_version=$(python -c 'from ansible_test._internal.python_requirements import get_venv_packages as packages
from types import SimpleNamespace; print(packages(SimpleNamespace(version=""))["pip"])')
    cp tests/tools/get_pip.py "$TEST_HOME/.ansible/test/cache/get_pip_${pip_version//./_}.py"
    rm -rf "$TEST_HOME/pythons"
    mkdir "$TEST_HOME/pythons"
    for python in $(tests/tools/pythons.sh 3.9 3.10 3.11 3.12 3.13 3.14); do
        ln -s "$python" "$TEST_HOME/pythons/"
    done
}

# With no Python on PATH but the environment's and real ones.
with_test_home() {
    HOME=$TEST_HOME PATH=$(dirname "$(command -v ansible-test)"):$TEST_HOME/pythons:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
