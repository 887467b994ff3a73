#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What `make` sets up before anything else:
#     setup.sh venv DIRECTORY [PYTHON]     a virtual environment with the pinned packages of requirements-dev.txt
#     setup.sh system                      the system packages that the lab and the integration targets need
#     setup.sh machines                    the system packages that virtual machines need besides
#     setup.sh browser                     a Chromium, which only the report's pictures need
#     setup.sh packages DIRECTORY PYTHON FILE    another virtual environment, with the pinned packages of FILE
set -euo pipefail

say() { printf '   -- %s\n' "$*"; }
die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Installs Debian packages, or says the one command that does.
need_packages() {
    local command="apt-get install --yes --no-install-recommends $*"
    command -v apt-get >/dev/null || die "These are missing, install them with this system's package manager: $*"
    [ "$(id -u)" = 0 ] || die "System packages are missing; this command installs them: sudo $command"
    say "installing $*"
    local log
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    if ! { $command || { apt-get update && $command; }; } >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        die "This command failed: $command"
    fi
    rm -f "$log"
}

# Prints a Python that ansible-core runs on: python3 if it is new enough, else the newest that really starts.
find_python() {
    local candidate
    for candidate in python3 python3.13 python3.14 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    die "No python3 of version 3.11 or newer was found on PATH; name one: make PYTHON=/path/to/python3"
}

venv() {
    local directory=$1 python=${2:-}
    [ -n "$python" ] || python=$(find_python)
    if ! "$directory/bin/python" -c '' 2>/dev/null; then
        say "virtual environment $directory with $("$python" --version)"
        if ! "$python" -c 'import ensurepip, venv; ensurepip.version()' 2>/dev/null; then
            need_packages python3-venv
        fi
        "$python" -m venv --clear "$directory"
    fi
    say "packages of requirements-dev.txt"
    local pip=("$directory/bin/python" -m pip --disable-pip-version-check)
    "${pip[@]}" --version >/dev/null 2>&1 || "$directory/bin/python" -m ensurepip >/dev/null
    "${pip[@]}" install --quiet "$(grep '^uv==' requirements-dev.txt)"
    install "$directory/bin/python" "$directory/bin/python" requirements-dev.txt
}

# uv is ten times faster than pip; where it does not get through to the package index, pip may.
install() {
    local python=$1 target=$2 requirements=$3
    "$python" -m uv pip install --quiet --compile-bytecode --python "$target" -r "$requirements" 2>/dev/null ||
        "$python" -m pip --disable-pip-version-check --python "$target" install --quiet -r "$requirements"
}

packages() {
    local directory=$1 python=$2 requirements=$3
    if cmp -s "$requirements" "$directory/.ready"; then
        return
    fi
    say "virtual environment $directory with the packages of $requirements"
    "$python" -m venv --clear --without-pip "$directory"
    install python "$directory/bin/python" "$requirements"
    cp "$requirements" "$directory/.ready"
}

have() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ]; }

system() {
    local missing=()
    have ip || missing+=(iproute2)
    have ping || missing+=(iputils-ping)
    have nft || missing+=(nftables)
    have iptables || missing+=(iptables)
    have unshare || missing+=(util-linux)
    have sysctl || missing+=(procps)
    [ -x /usr/lib/cni/bridge ] || missing+=(containernetworking-plugins)
    [ -x /usr/bin/python3 ] || missing+=(python3)
    /usr/bin/python3 -c 'import pyroute2' 2>/dev/null || missing+=(python3-pyroute2)
    [ ${#missing[@]} = 0 ] || need_packages "${missing[@]}"
    unshare --user --map-root-user --net true 2>/dev/null || die "$(how_to_allow_namespaces)"
}

machines() {
    local missing=()
    have qemu-system-x86_64 || missing+=(qemu-system-x86)
    have mmdebstrap || missing+=(mmdebstrap)
    have mkfs.ext4 || missing+=(e2fsprogs)
    have ssh || missing+=(openssh-client)
    [ "$(id -u)" = 0 ] || have newuidmap || missing+=(uidmap)
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
    [ ${#missing[@]} = 0 ] || need_packages "${missing[@]}"
    [ -r /dev/net/tun ] && [ -w /dev/net/tun ] ||
        die "The machines' network needs /dev/net/tun, which this user may not use; this makes it: sudo modprobe tun"
}

# Only what `make browser` needs; Debian's Chromium without a window is the smaller one.
browser() {
    need_packages chromium-headless-shell fonts-liberation
}

how_to_allow_namespaces() {
    local setting=user.max_user_namespaces=10000
    [ "$(sysctl -n kernel.unprivileged_userns_clone 2>/dev/null)" != 0 ] || setting=kernel.unprivileged_userns_clone=1
    [ "$(sysctl -n kernel.apparmor_restrict_unprivileged_userns 2>/dev/null)" != 1 ] ||
        setting=kernel.apparmor_restrict_unprivileged_userns=0
    echo "This user may not make namespaces, where all tests and the demo run; this allows it: sudo sysctl $setting"
}

action=$1
shift
case $action in
venv | system | machines | browser | packages) "$action" "$@" ;;
*) die "setup.sh: unknown action $action" ;;
esac
