#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Rules, tables and links of others, in all four kinds of iptables.
set -eu
ip link add docker01 type bridge
nft -f - <<'NFT'
table ip docker-bridges10 {
  chain filter-FORWARD { type filter hook forward priority filter; policy accept; iifname "docker0" accept; }
}
NFT
for tool in iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy; do
    net=10.12.0.0/16
    pod=10.12.1.7/32
    case $tool in ip6*)
        net=fd12::/48
        pod=fd12::7/128
        ;;
    esac
    $tool-restore --noflush <<RULES
*filter
:DOCKER10 - [0:0]
:DOCKER-USERS - [0:0]
:KUBE-FORWARD - [0:0]
-A INPUT -i docker0 -j ACCEPT
-A FORWARD -m comment --comment "not Docker's: -j DOCKER-USER" -j DOCKER-USERS
-A FORWARD -j DOCKER10
-A FORWARD -o docker01 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i docker01 ! -o docker01 -j ACCEPT
-A FORWARD -i docker0 ! -o docker01 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -m comment --comment "an admin's" -j ACCEPT
-A FORWARD -i br-lan -o br-lan -j ACCEPT
-A FORWARD -i docker+ -o docker+ -j ACCEPT
-A FORWARD -s $net -j ACCEPT
-A DOCKER10 -o docker0 -j DROP
COMMIT
*nat
:CNI-HOSTPORT-DNAT - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A POSTROUTING -s $net ! -o docker01 -j MASQUERADE
-A POSTROUTING -s $net ! -o docker0 -m comment --comment "an admin's" -j MASQUERADE
-A POSTROUTING -s $pod -d $pod -p tcp -m tcp --dport 80 -j MASQUERADE
-A POSTROUTING -s $net ! -o br-lan -j MASQUERADE
COMMIT
*raw
-A PREROUTING -d $pod ! -i br-lan -j DROP
COMMIT
RULES
done
