#!/bin/sh
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# containerd.sh: the distribution's containerd with an image to make pods of, in namespaces that a test has made.  Its
# programs lie in $PODNET_TEST_DEBIAN, unpacked and not installed.
set -eu

if [ "$(tr -s ' ' </proc/self/uid_map)" = " 0 0 4294967295" ]; then
    echo "containerd.sh works in namespaces only, where it cannot touch this machine" >&2
    exit 1
fi
here=$(dirname "$(realpath "$0")")
export PATH="$PODNET_TEST_DEBIAN/usr/bin:$PODNET_TEST_DEBIAN/usr/sbin:$PATH"
cp "$here/runc.sh" /run/runc
cp "$here/containerd.toml" /etc/containerd/config.toml
unshare --cgroup sh -c 'mount -t cgroup2 -o ro cgroup2 /sys/fs/cgroup; exec setsid containerd' >/run/containerd.log 2>&1 </dev/null &
echo $! >/run/containerd.pid
for _ in $(seq 100); do
    ! grep -q 'containerd successfully booted' /run/containerd.log || break
    sleep 0.1
done
/usr/bin/python3 "$here/image.py" "$PODNET_TEST_DEBIAN/bin/busybox" /run/pause.tar localhost/pause:1
ctr --namespace k8s.io images import /run/pause.tar >/dev/null || {
    tail -n 3 /run/containerd.log >&2
    exit 1
}
