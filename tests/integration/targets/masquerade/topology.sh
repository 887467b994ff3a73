#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# This network namespace is a node, 192.0.2.11, with a pod behind its bridge br1.  The namespace "world" is all
# the rest: another node (192.0.2.12), a pod on it (10.12.2.2), and an address outside the cluster (198.51.100.1).
# It has routes back to the pods, so every packet gets an answer whether it is masqueraded or not, and its echo
# server answers with the source address that it saw.
set -eu
here=$(dirname "$(readlink -f "$0")")
forwarding() {
    "$@" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0
}
forwarding
ip netns add pod
ip netns add world

ip link add br1 type bridge
ip address add 10.12.1.1/24 dev br1
ip address add fd00:12:0:1::1/64 dev br1 nodad
ip link set br1 up
ip link add veth1 type veth peer name eth0 netns pod
ip link set veth1 master br1 up
ip -n pod address add 10.12.1.2/24 dev eth0
ip -n pod address add fd00:12:0:1::2/64 dev eth0 nodad
ip -n pod link set lo up
ip -n pod link set eth0 up
ip -n pod route add default via 10.12.1.1
ip -n pod route add default via fd00:12:0:1::1

ip link add uplink type veth peer name eth0 netns world
ip address add 192.0.2.11/24 dev uplink
ip address add 2001:db8::11/64 dev uplink nodad
ip link set uplink up
forwarding ip netns exec world
ip -n world link set lo up
ip -n world link set eth0 up
ip -n world address add 192.0.2.12/24 dev eth0
ip -n world address add 2001:db8::12/64 dev eth0 nodad
for address in 10.12.2.2/32 198.51.100.1/32 fd00:12:0:2::2/128 2001:db8:ffff::1/128; do
    ip -n world address add "$address" dev lo
done
ip -n world route add 10.12.1.0/24 via 192.0.2.11
ip -n world route add fd00:12:0:1::/64 via 2001:db8::11
ip route add 10.12.2.0/24 via 192.0.2.12
ip route add fd00:12:0:2::/64 via 2001:db8::12
ip route add default via 192.0.2.12
ip route add default via 2001:db8::12

# Marked as kube-proxy marks what it masquerades itself: packets for port 7002.
nft -f - <<'NFT'
table inet marker {
	chain prerouting {
		type filter hook prerouting priority mangle; policy accept;
		udp dport 7002 meta mark set mark or 0x4000
	}
}
NFT

for where in "" "ip netns exec world"; do
    $where python3 "$here/echo.py" serve </dev/null >/dev/null 2>&1 &
done
