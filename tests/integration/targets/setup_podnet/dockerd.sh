#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# dockerd.sh start|stop|restart [FLAG…]: the distribution's dockerd, inside of run.sh's namespaces only.  Its programs lie
# in $PODNET_TEST_DEBIAN, unpacked and not installed; it reads /etc/docker/daemon.json, and its state is in /run.
set -eu

if [ "$(tr -s ' ' </proc/self/uid_map)" = " 0 0 4294967295" ]; then
    echo "dockerd.sh works inside of run.sh only, where it cannot touch this machine" >&2
    exit 1
fi
action=$1
shift

stop() {
    [ -e /run/docker.pid ] || return 0
    local pid
    pid=$(cat /run/docker.pid)
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 200); do [ -e "/proc/$pid" ] || return 0; sleep 0.1; done
    echo "dockerd does not stop" >&2
    exit 1
}

start() {
    : >/run/dockerd.log
    export PATH=$PODNET_TEST_DEBIAN/usr/sbin:$PODNET_TEST_DEBIAN/usr/bin:$PATH
    LD_LIBRARY_PATH=$(dirname "$(find "$PODNET_TEST_DEBIAN" -name 'libdevmapper.so*' | head -n 1)") \
        setsid dockerd --data-root /run/docker-data --exec-root /run/docker-exec --pidfile /run/docker.pid \
        --host unix:///run/docker.sock --storage-driver vfs "$@" >/run/dockerd.log 2>&1 </dev/null &
    for _ in $(seq 200); do
        ! grep -q 'API listen on' /run/dockerd.log || exit 0
        kill -0 $! 2>/dev/null || break
        sleep 0.1
    done
    tail -n 5 /run/dockerd.log >&2
    exit 1
}

case $action in
start) start "$@" ;;
stop) stop ;;
restart)
    stop
    start "$@"
    ;;
esac
