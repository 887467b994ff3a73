# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What real nodes have in the files, listings and answers that are read: where the damage begins."""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

LISTINGS = Path(__file__).parents[1] / "unit/plugins/module_utils/_nat/listings"

#: Of nft 1.0.6 and iptables 1.8.9.
NFT_JSON = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(LISTINGS.glob("*.json"))]
IPTABLES = [path.read_text(encoding="utf-8") for path in sorted(LISTINGS.glob("*.txt"))]
POD_RULES = """\
*nat
:POSTROUTING ACCEPT [0:0]
:CNI-621f24d0435e46fc710d4903 - [0:0]
:CNI-DN-621f24d0435e46fc710d4 - [0:0]
:CNI-HOSTPORT-DNAT - [0:0]
:DOCKER - [0:0]
:PODNET-POSTROUTING - [0:0]
-A POSTROUTING -s 10.12.1.5/32 -m comment --comment "name: \\"net1\\" id: \\"c1\\"" -j CNI-621f24d0435e46fc710d4903
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -m comment --comment "mink8s.podnet: masquerade pods" -j PODNET-POSTROUTING
-A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 8080 -j CNI-DN-621f24d0435e46fc710d4
-A CNI-621f24d0435e46fc710d4903 -d 10.12.1.0/24 -j ACCEPT
-A CNI-621f24d0435e46fc710d4903 ! -d 224.0.0.0/4 -j MASQUERADE
-A CNI-DN-621f24d0435e46fc710d4 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.12.1.5:80
-A PODNET-POSTROUTING -m mark --mark 0x4000/0x4000 -j RETURN
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-USER -j RETURN
COMMIT
"""
NFT_CHAIN = """\
table inet cni_plugins_masquerade {
TABchain masq_checks { # handle 2
TABTABip saddr 10.12.1.5 masquerade comment "INSTANCE, net: net1, if: eth0, id: c1" # handle 7
TABTABip6 saddr fd00::5 counter comment "container" # handle 8
TAB}
}
""".replace("TAB", "\t").replace("INSTANCE", "0123456789abcdef-0123456789abcdef")

BRIDGE: dict[str, t.Any] = {
    "type": "bridge",
    "bridge": "br1",
    "isGateway": True,
    "ipMasq": False,
    "hairpinMode": True,
    "mtu": 1450,
    "vlanTrunk": [{"id": 5}],
    "capabilities": {"portMappings": True},
    "ipam": {
        "type": "host-local",
        "ranges": [
            [{"subnet": "10.12.1.0/24", "rangeStart": "10.12.1.5", "rangeEnd": "10.12.1.99", "gateway": "10.12.1.1"}],
            [{"subnet": "fd00:12:1::/64"}],
        ],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0", "gw": "fd00:12:1::1", "priority": 5}],
        "dataDir": "/var/lib/cni/networks",
    },
    "dns": {"nameservers": ["192.0.2.53"], "search": ["cluster.local"]},
}
CONFLIST: dict[str, t.Any] = {
    "cniVersion": "1.0.0",
    "cniVersions": ["0.4.0", "1.0.0"],
    "name": "net1",
    "disableCheck": False,
    "plugins": [
        BRIDGE,
        {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True, "markMasqBit": 13},
        {"type": "firewall", "backend": "iptables", "ingressPolicy": "same-bridge"},
        {"type": "tuning", "sysctl": {"net.core.somaxconn": "512"}, "mac": "0a:58:0a:0c:01:02"},
        {"type": "bandwidth", "ingressRate": 1000, "ingressBurst": 1000},
        {"type": "calico", "etcd_endpoints": "http://192.0.2.1:2379", "policy": {"type": "k8s"}},
    ],
}
CONF: dict[str, t.Any] = {"cniVersion": "0.3.1", "name": "net1", **BRIDGE}

RESULT: dict[str, t.Any] = {
    "cniVersion": "1.0.0",
    "interfaces": [
        {"name": "br1", "mac": "0a:58:0a:0c:01:01"},
        {"name": "vethc1", "mac": "5a:e1:3c:70:0d:11"},
        {"name": "eth0", "mac": "5a:e1:3c:70:0d:12", "sandbox": "/run/netns/c1"},
    ],
    "ips": [{"interface": 2, "address": "10.12.1.5/24", "gateway": "10.12.1.1"}],
    "routes": [{"dst": "0.0.0.0/0"}],
    "dns": {},
}
OLD_RESULT: dict[str, t.Any] = {"cniVersion": "0.2.0", "ip4": {"ip": "10.12.1.5/24", "gateway": "10.12.1.1"}}


def cached(config: t.Any, result: t.Any) -> dict[str, t.Any]:
    """A file of libcni's cache."""
    return {
        "kind": "cniCacheV1",
        "containerId": "c1",
        "config": base64.b64encode(json.dumps(config).encode()).decode(),
        "ifName": "eth0",
        "networkName": "net1",
        "netns": "/run/netns/c1",
        "cniArgs": [["IgnoreUnknown", "1"], ["K8S_POD_NAMESPACE", "dns"], ["K8S_POD_NAME", "coredns-0"]],
        "capabilityArgs": {"portMappings": [{"hostPort": 8080, "containerPort": 80}]},
        "result": result,
    }


VERSIONS = {"cniVersion": "1.0.0", "supportedVersions": ["0.3.1", "0.4.0", "1.0.0"]}
PLUGIN_ERROR = {"cniVersion": "1.0.0", "code": 11, "msg": "failed to allocate", "details": "no IP addresses available"}
ABOUT = "CNI bridge plugin v1.9.1\nCNI protocol versions supported: 0.1.0, 1.0.0\n"

MANIFEST = {
    "directories": ["/opt/cni/bin", "/opt/cni"],
    "plugins": {"bridge": {"archive": "sha256:" + "a" * 64, "sha256": "b" * 64}},
}

DAEMON: dict[str, t.Any] = {
    "bridge": "docker0",
    "bip": "172.17.0.1/16",
    "iptables": True,
    "live-restore": True,
    "log-opts": {"max-size": "10m"},
    "default-address-pools": [{"base": "172.30.0.0/16", "size": 24}],
    "proxies": {"http-proxy": "http://user:secret@192.0.2.7:3128"},
    "mtu": 1450,
}
RECORD = {
    "about": "kept by Ansible (mink8s.podnet.docker_daemon): what these keys were before",
    "path": "/etc/docker/daemon.json",
    "original": '{"bridge": "docker0"}\n',
    "keys": {"bridge": {"ours": '"none"', "before": '"docker0"'}, "iptables": {"ours": "false", "before": None}},
    "in_force": {"bridge": '"docker0"', "iptables": None},
}

CONTAINERD = """\
version = 2
root = "/var/lib/containerd" # comment
imports = ["/etc/containerd/conf.d/*.toml"]
disabled_plugins = []

[grpc]
  address = "/run/containerd/containerd.sock"
  uid = 0

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "pause:3.9"

  [plugins."io.containerd.grpc.v1.cri".cni]
    # podnet: was bin_dir = "/opt/cni/bin"
    bin_dir = "/usr/lib/cni"
    # podnet: was not there
    conf_dir = "/etc/cni/net.d"
    max_conf_num = 1

  [plugins."io.containerd.grpc.v1.cri".registry.configs."r".auth]
    password = "secret"

[[timeouts]]
  "io.containerd.timeout.bolt.open" = '0s'
"""
CRIO = """\
[crio.network]
network_dir = "/etc/cni/net.d/"
plugin_dirs = [
  # "/usr/libexec/cni",
  "/opt/cni/bin/",
]
"""
UNIT = """\
[Unit]
Description=kubelet
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--kubeconfig=/etc/kubernetes/kubelet.conf" A=b
Environment=
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=/etc/default/kube*
ExecStart=
ExecStart=-/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS ${A} \\
  # comment
  --config="/var/lib/kubelet/config.yaml" --cni-bin-dir=/opt/cni/bin,/usr/lib/cni $KUBELET_EXTRA_ARGS $$
Restart=always
"""
ENVIRONMENT = """\
# kubeadm
KUBELET_EXTRA_ARGS="--network-plugin=cni --cni-conf-dir=/etc/cni/net.d"
A='b c' \\
D=e
"""
HELP = """\
Flags:
      --cni-bin-dir string             <Warning: Alpha feature> (default "/opt/cni/bin")
      --cni-conf-dir string            The directory (default "/etc/cni/net.d")
      --network-plugin string          The name of the plugin
      --container-runtime string       The container runtime to use (default "docker")
      --container-runtime-endpoint string  The endpoint (default "unix:///var/run/dockershim.sock")
  -v, --v Level                        number (default 0)
"""

SYSCTLS = """\
# Kernel settings for the pod network, kept by Ansible (mink8s.podnet.sysctls)
# net.ipv4.ip_forward was 0
# net/ipv4/conf/eth0.100/rp_filter was not there
-net.ipv4.ip_forward = 1
net/ipv4/conf/eth0.100/forwarding=1
; comment
net.ipv4.tcp_rmem = 4096	131072 6291456
"""

LOCK = """\
---
pod_cidrs:
  vars:
    cluster_cidrs: [10.12.0.0/16, "fd00:12::/48"]
    node_prefix: 24
    node_prefix_ipv6: 64
    nodes:
      node1: [10.12.0.0/24, "fd00:12::/64"]
      node2: [10.12.1.0/24, "fd00:12:0:1::/64"]
      "yes": [10.12.2.0/24, "fd00:12:0:2::/64"]
"""

RESOLV = "# by hand\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\n  nameserver 127.0.0.53\nsearch example.org\n"
NFT_SCRIPT = '#!/usr/sbin/nft -f\nflush ruleset\ninclude "/etc/nftables.d/*.nft"\ntable inet filter { # "a\n}\n'
KEYFILE = "[main]\nplugins=keyfile\n[keyfile]\nunmanaged-devices+=interface-name:veth*;except:type:bridge,driver:veth\n"
ZONE = """\
<?xml version="1.0"?>
<zone target="ACCEPT"><!-- <zone target="DROP"> -->
  <source address="10.12.0.0/16"/><interface name="br1"/>
</zone>
"""
OS_RELEASE = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nID_LIKE="rhel fedora"\n'
IPV6_ROUTE = (
    "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 "
    "00000400 00000001 00000000 00450003     eth0\n"
)
STAT = "4711 (docker) d) S 1 4711 4711 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 12 0 123456 1 2 3\n"
LINKS = [
    {"ifindex": 3, "ifname": "docker0", "flags": ["UP"], "linkinfo": {"info_kind": "bridge"}},
    {"ifindex": 4, "ifname": "veth1", "master": "docker0", "linkinfo": {"info_kind": "veth"}},
]
PROBE = {
    "name": "probe1",
    "pid": 2**22 + 7,
    "started": 123,
    "port": 9471,
    "stale": 1e9,
    "container_id": "podnet-probe1-1",
    "document": CONFLIST,
    "bin_dirs": ["/opt/cni/bin"],
    "result": RESULT,
}
