#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Networks net1 and net10 with pods that live, pods that are gone in every way that is known to leak, and what is foreign.
# All by the node's real plugins; only the rules of ipMasq's and portmap's nftables backends (plugins 1.6 and newer, which
# are not on every node) are planted as text, in the form that those plugins write.
#
# Prints the pods' addresses as JSON.
set -eu

here=$(dirname "$0")
runtime() { python3 "$here/runtime.py" "$@" >/dev/null; }

# network NAME BRIDGE SUBNET
network() {
    cat >"/etc/cni/net.d/10-$1.conflist" <<JSON
{"cniVersion": "1.0.0", "name": "$1", "plugins": [
  {"type": "bridge", "bridge": "$2", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$3"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
JSON
}

mkdir -p /etc/cni/net.d
network net1 br1 10.12.1.0/24
network net10 br10 10.12.10.0/24
net1=/etc/cni/net.d/10-net1.conflist
net10=/etc/cni/net.d/10-net10.conflist

# Pods that live; one of them is remembered where cri-dockerd has its cache, as an older libcni wrote it.
PORTS=8080:80 runtime $net1 add alive1 alive2
OLD=1 CACHE=/var/lib/cni/cache/results runtime $net1 add alive3
PORTS=8180:80 runtime $net10 add alive10

# A pod whose namespace went without a DEL: it leaks all there is.
PORTS=8280:80 runtime $net1 add killed1
PORTS=8380:80 runtime $net10 add killed10
# A pod that the plugins were asked to detach without its namespace: they free the address, and leak the chain.
runtime $net1 add blind1
blind=$(grep -l blind1 /var/lib/cni/networks/net1/*)
runtime $net1 blind blind1
# Another pod has its address now.
echo -n 10.12.1.$((${blind##*.} - 1)) >/var/lib/cni/networks/net1/last_reserved_ip.0
runtime $net1 add heir1
grep -q heir1 "$blind"
# A pod of a network that was renamed under it.
sed 's/"net1"/"was1"/; s/br1/brwas1/; s/10.12.1.0/10.12.2.0/' $net1 >/run/was1.conflist
runtime /run/was1.conflist add renamed1
runtime $net1 renamed renamed1
# Two pods whose chains have one name, as the hash is of net1 + 0twin and of net10 + twin.
runtime $net1 add 0twin
runtime $net10 add twin
# A pod whose namespace has lost its file, and lives.
runtime $net1 add held1
ip netns exec held1 sleep 1000 >/dev/null 2>&1 &
until [ "$(ip netns pids held1)" ]; do sleep 0.1; done
# The lo of pods, which runtimes attach as a network without a file: containerd, and cri-dockerd by the path of a process.
echo '{"cniVersion": "0.3.1", "name": "cni-loopback", "plugins": [{"type": "loopback"}]}' >/run/loopback.conflist
IFNAME=lo runtime /run/loopback.conflist add alive1 killed1
process=$(ip netns pids held1)
IFNAME=lo OLD=1 CACHE=/var/lib/cni/cache/results NETNS=/proc/$process/ns/net runtime /run/loopback.conflist add held1
ip netns del held1
ip netns del killed1
ip netns del killed10
ip netns del 0twin
# A reservation that was never followed by a pod, one that may be in this moment, and one that does not say whose it is.
printf 'never1\r\neth0' >/var/lib/cni/networks/net1/10.12.1.200
printf 'soon1\r\neth0' >/var/lib/cni/networks/net1/10.12.1.201
touch /var/lib/cni/networks/net1/10.12.1.202

# The same by the plugins' nftables backends: of a pod that lives, of one that is gone, of one that nobody remembers, and of
# net10.  hash KIND TEXT: the first half of what the plugins write.
hash() { printf %s "$1" | sha512sum | cut -c-16; }
instance() { echo "$(hash "$1")-$(hash "eth0:$2"), net: $1, if: eth0, id: $2"; }
nft -f - <<NFT
table inet cni_plugins_masquerade {
    comment "Masquerading for plugins from github.com/containernetworking/plugins"
    chain masq_checks {
        comment "Masquerade traffic from certain IPs to any (non-multicast) IP outside their subnet"
        ip saddr == $(grep -l alive1 /var/lib/cni/networks/net1/10* | xargs basename) ip daddr != 10.12.1.0/24 masquerade comment "$(instance net1 alive1)"
        ip saddr == $(grep -l killed1 /var/lib/cni/networks/net1/10* | xargs basename) ip daddr != 10.12.1.0/24 masquerade comment "$(instance net1 killed1)"
        ip saddr == 10.12.1.222 ip daddr != 10.12.1.0/24 masquerade comment "$(instance net1 nobody1)"
        ip saddr == 10.12.10.222 ip daddr != 10.12.10.0/24 masquerade comment "$(instance net10 nobody10)"
    }
    chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        ip daddr == 224.0.0.0/4 return
        ip6 daddr == ff00::/8 return
        goto masq_checks
    }
}
table ip cni_hostport {
    comment "CNI portmap plugin"
    chain hostports {
        tcp dport 9080 dnat to 10.12.1.2:80 comment "alive1"
        tcp dport 9081 dnat to 10.12.1.6:80 comment "killed1"
        tcp dport 9082 dnat to 10.12.1.7:80 comment "stranger1"
    }
}
NFT

# What is foreign.
iptables -t nat -N CNI-0123456789abcdef01234567
iptables -t nat -A CNI-0123456789abcdef01234567 -d 10.12.1.0/24 -j ACCEPT
iptables -t nat -A POSTROUTING -s 10.12.1.250 -j MASQUERADE
iptables -N CNI-ADMIN
echo mine >/var/lib/cni/networks/net1/notes.txt
cd /var/lib/cni/results
echo '{' >net1-broken-eth0
mkfifo net1-fifo-eth0
ln -s /etc/passwd net1-link-eth0
truncate -s 100M net1-huge-eth0
mkdir net1-directory-eth0
sed 's/"containerId": "killed1"/"containerId": "..\/..\/killed1"/' net1-killed1-eth0 >net1-climbs-eth0
sed 's/"config": "[^"]*"/"config": "***"/; s/alive2/other1/g' net1-alive2-eth0 >net1-other1-eth0

touch -d '10 minutes ago' /var/lib/cni/networks/*/*
touch /var/lib/cni/networks/net1/10.12.1.201

cd /var/lib/cni/networks
for lease in net1/10.*; do
    pod=$(tr -d '\r' <"$lease" | head -n 1)
    [ -z "$pod" ] || printf '"%s": "%s"\n' "$pod" "${lease##*/}"
done >/run/addresses
printf '"alive10": "%s"\n' "$(basename "$(grep -l alive10 net10/10.*)")" >>/run/addresses
echo "{$(paste -sd , /run/addresses)}"
