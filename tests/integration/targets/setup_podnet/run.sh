#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs the calling target's test.yml in namespaces of its own: network, mounts and processes end with it, and
# the directories that our modules write to are empty ones that only this run sees.  A target's runme.sh is
#     exec ../setup_podnet/run.sh "$@"
set -eu

if [ "${1:-}" != --inside ]; then
    exec unshare --user --map-root-user --net --mount --pid --fork --kill-child --mount-proc "$0" --inside "$@"
fi
shift

# A tmpfs over the directory, with links to all that was in it; the directories named after it are real and empty.
own_view() {
    directory=$1
    shift
    mkdir -p "/mnt$directory"
    mount --rbind "$directory" "/mnt$directory"
    mount -t tmpfs -o mode=755 tmpfs "$directory"
    find "/mnt$directory" -mindepth 1 -maxdepth 1 -exec ln -s -t "$directory" {} +
    for own in "$@"; do
        rm -f "${directory:?}/$own"
        mkdir "$directory/$own"
    done
}

mount -t tmpfs tmpfs /mnt
own_view /etc cni containerd crio podnet sysctl.d modules-load.d systemd docker NetworkManager nftables.d sysconfig
own_view /var/lib cni containerd podnet
mount -t tmpfs -o mode=755 tmpfs /opt
mount -t tmpfs -o mode=755 tmpfs /run
# What the role leaves there for a moment has the host's name, which another run has, too.
mount -t tmpfs -o mode=1777 tmpfs /var/tmp
mkdir /run/netns
mount -t sysfs sysfs /sys
ip link set lo up

inventory=/run/inventory.yml
cat >"$inventory" <<YAML
all:
  hosts:
    localhost:
      ansible_connection: local
      ansible_python_interpreter: ${PODNET_TEST_PYTHON:-/usr/bin/python3}
YAML
ANSIBLE_INJECT_FACT_VARS=false ansible-playbook -i "$inventory" test.yml "$@"
