# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules are asked for while something goes wrong: for each a node with things of others, and a change to it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import tarfile
import tempfile
import time
import typing as t
from pathlib import Path

import ground
import listings
import pytest
import samples
from calls import Answer, Arm, Call, Module, begin, call, unarmed
from controller_files import lock_file, report_page

Params = t.Dict[str, t.Any]

UPLINK = ("up0", "192.0.2.11/24", "2001:db8::11/64")
CONF_DIR, LEASES, CACHE = Path("/etc/cni/net.d"), Path("/var/lib/cni/networks"), Path("/var/lib/cni/results")
BATCH, RULES, ROUTES = "/etc/podnet/bridge", "/etc/podnet/masquerade", "/etc/podnet/routes"
DAEMON, RECORD = "/etc/docker/daemon.json", "/var/lib/podnet/docker_daemon.json"
BIN_DIR = ground.PLACE / "opt/cni/bin"
MANIFEST = f"file {BIN_DIR}/.podnet-plugins.json"
#: A node with systemd, whatever this machine has.
ROOT = ground.PLACE / "node"
#: Where the command `iptables` is that of one flavour.
FLAVOURS = ground.PLACE / "flavours"
#: What a module that is killed leaves in the directory for such files must not stay on this machine.
TEMPORARY_FILES = Path("/run/tmp")
TOOLS = [f"{name}-{flavour}" for name in ("iptables", "ip6tables") for flavour in ("nft", "legacy")]
POD_NAMESPACES = ("pod1", "pod10")
SYSCTLS = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv4/conf/all/rp_filter")

#: What is not the same on two nodes on which the same was done.
_FLEETING = {"ifindex", "link_index", "link_netnsid"}
_BACKUP = re.compile(r"\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~$")


class Scenario(t.NamedTuple):
    """A node as somebody has left it, and what is asked for."""

    module: Module
    what: str
    params: Params
    plant: t.Callable[[], None]
    #: What was asked for, and made, before.
    before: t.Sequence[Params] = ()
    #: The flavour of the command iptables.
    flavour: str = "nft"

    @property
    def name(self) -> str:
        module = self.module if isinstance(self.module, str) else self.module.__name__
        return f"{module} {self.what}"

    def start(self) -> listings.Listing:
        """Have a new node, and return what is on it."""
        ground.new_node()
        _clean()
        self.plant()
        for params in self.before:
            made = self.call(params)
            assert not made.failed, made.sentence
        return listing()

    def call(self, params: t.Optional[Params] = None, arm: Arm = unarmed, check: bool = False) -> Answer:
        return call(self.module, self.params if params is None else params, check, self._armed(arm))

    def begin(self, params: t.Optional[Params] = None) -> Call:
        return begin(self.module, self.params if params is None else params, arm=self._armed(unarmed))

    def _armed(self, arm: Arm) -> Arm:
        def armed() -> None:
            os.environ["PATH"] = f"{FLAVOURS / self.flavour}:{os.environ['PATH']}"
            tempfile.tempdir = str(TEMPORARY_FILES)
            arm()

        return armed


def listing() -> listings.Listing:
    """Everything on the node, what is in the namespaces of pods, and some settings."""
    found = {**listings.network(), **listings.packet_filter(), **listings.files(*ground.OWN, *_locks())}
    for name in (name for name in POD_NAMESPACES if Path("/run/netns", name).exists()):
        found.update(listings.network(name))
    for key in SYSCTLS:
        found[f"sysctl {key}"] = Path("/proc/sys", key).read_text()
    return found


def lasting(found: listings.Listing) -> listings.Listing:
    """What of a listing is the same on every node on which the same was done."""
    return {_BACKUP.sub("TIME~", name): _lasting(value) for name, value in found.items()}


def forgiven(found: listings.Listing) -> listings.Listing:
    """A listing without the one thing that a kill leaves for good: empty directories that we have made for plugins.

    What tells whose they are is the manifest in the innermost one, which is written after and removed before them.
    """
    directories = [f"file {path}" for path in (BIN_DIR, *BIN_DIR.parents)]
    rest = {name: value for name, value in found.items() if name not in directories}
    if MANIFEST in rest:
        rest[MANIFEST] = json.loads(rest[MANIFEST][3])["plugins"]
    return rest


def _lasting(value: t.Any) -> t.Any:
    if not isinstance(value, dict):
        return value
    rest = {key: item for key, item in value.items() if key not in _FLEETING}
    if value.get("kind") == "veth":
        rest.pop("address", None)
    return rest


def _locks() -> list[Path]:
    return [path for path in Path("/run").glob("*.lock") if path.name != "xtables.lock"]


def _clean() -> None:
    """What a new node does not do: namespaces of pods, and locks of those that were killed."""
    for path in Path("/run/netns").glob("*"):
        listings.run("ip", "netns", "del", path.name)
    for path in _locks():
        path.unlink()
    TEMPORARY_FILES.mkdir(exist_ok=True)
    for flavour in ("nft", "legacy"):
        (FLAVOURS / flavour).mkdir(parents=True)
        for name in ("iptables", "ip6tables"):
            (FLAVOURS / flavour / name).symlink_to(f"/usr/sbin/{name}-{flavour}")


def _plant_uplink() -> None:
    name, *addresses = UPLINK
    ground.batch(
        f"link add {name} mtu 1450 address 02:00:00:00:00:01 type veth peer name up1 address 02:00:00:00:00:02",
        *[f"address add {address} dev {name}" for address in addresses],
        f"link set {name} up",
        "link set up1 up",
        "route add default via 192.0.2.254",
    )


# ---- links, routes, rules --------------------------------------------------------------------------------------------

BRIDGE = {
    "name": "br1",
    "addresses": ["10.12.1.1/24", "fd12::1/64"],
    "mtu": "1400",
    "ports": [{"name": "v1", "hairpin": True}],
    "persist": BATCH,
}


def plant_bridges() -> None:
    """Bridges of others, and cables that are to be plugged in."""
    _plant_uplink()
    ground.batch(
        "link add name br10 address 02:00:00:00:00:10 type bridge",
        "address add 10.99.0.1/24 dev br10",
        "link set br10 up",
        *[f"link add name {name} type veth peer name {name}p" for name in ("v1", "v10")],
    )


def _bridges() -> t.Iterator[Scenario]:
    changed = {**BRIDGE, "mtu": "9000", "stp": True, "addresses": ["10.12.1.2/24", "fd12::1/64"]}
    yield Scenario("bridge", "create", BRIDGE, plant_bridges)
    change = {**changed, "exclusive_addresses": True, "ports": [{"name": "v10", "isolated": True}]}
    yield Scenario("bridge", "change", change, plant_bridges, [BRIDGE])
    gone = {"name": "br1", "state": "absent", "ports": BRIDGE["ports"], "persist": BATCH}
    yield Scenario("bridge", "remove", gone, plant_bridges, [BRIDGE])
    yield Scenario("bridge", "adopt", {**changed, "name": "br10"}, plant_bridges)


PAIR = {
    "name": "veth1",
    "netns": "pod1",
    "bridge": "br1",
    "addresses": ["10.12.1.11/24", "fd12::11/64"],
    "routes": [{"dst": "0.0.0.0/0", "via": "10.12.1.1"}, {"dst": "::/0", "via": "fd12::1"}],
    "mtu": 1400,
}
OTHER_PAIR = {"name": "veth10", "peer": "lab0", "netns": "pod10", "addresses": ["10.12.1.12/24"]}


def plant_pods() -> None:
    """Namespaces of pods, with links of others in them."""
    _plant_uplink()
    for name in POD_NAMESPACES:
        listings.run("ip", "netns", "add", name)
        for key in ("accept_dad", "addr_gen_mode"):
            path = f"/proc/sys/net/ipv6/conf/default/{key}"
            listings.run("ip", "netns", "exec", name, "sh", "-c", f"echo {ground.SYSCTLS[path[10:]]} >{path}")
    ground.batch(
        "link add name br1 address 02:00:00:00:00:20 type bridge",
        "link set br1 up",
        "link add veth100 type veth peer name eth1 netns pod1",
        "link set veth100 up alias somebody",
    )


def _veths() -> t.Iterator[Scenario]:
    both: Params = {"pairs": [PAIR, OTHER_PAIR]}
    moved = {**OTHER_PAIR, "peer": "eth0", "routes": [{"dst": "192.0.2.1/32"}]}
    changed = {
        **PAIR,
        "addresses": ["10.12.7.11/24"],
        "routes": [{"dst": "0.0.0.0/0", "via": "10.12.7.1"}],
        "mtu": 1300,
    }
    yield Scenario("veth", "create", both, plant_pods)
    yield Scenario("veth", "change", {"pairs": [changed, moved]}, plant_pods, [both])
    yield Scenario("veth", "remove", {**both, "state": "absent"}, plant_pods, [both])


def _node(number: int, address: int) -> Params:
    return {
        "pod_cidrs": [f"10.12.{number}.0/24", f"fd12:0:0:{number}::/64"],
        "addresses": [f"192.0.2.{address}", f"2001:db8::{address}"],
    }


NODES = {"node1": _node(1, 11), "node2": _node(2, 12), "node3": _node(3, 13)}
NODES_CHANGED = {"node1": _node(1, 11), "node3": _node(3, 23), "node4": _node(4, 14)}


def plant_routes() -> None:
    """Routes of others."""
    _plant_uplink()
    ground.batch(
        "route add 10.12.0.0/16 via 192.0.2.2 proto 213",
        "route add 10.12.20.0/24 via 192.0.2.2 proto static",
        "route add 10.12.2.0/24 via 192.0.2.3 proto 212 table 100",
        "route add fd12:0:0:20::/64 via 2001:db8::2 proto 213",
    )


def _routes() -> t.Iterator[Scenario]:
    made: Params = {"nodes": NODES, "self": "node1", "persist": ROUTES}
    yield Scenario("routes", "create", made, plant_routes)
    yield Scenario("routes", "change", {**made, "nodes": NODES_CHANGED}, plant_routes, [made])
    yield Scenario("routes", "remove", {"persist": ROUTES, "state": "absent"}, plant_routes, [made])
    many = {
        "node1": NODES["node1"],
        "node2": {
            "pod_cidrs": [f"10.{13 + n // 256}.{n % 256}.0/24" for n in range(2000)],
            "addresses": ["192.0.2.12"],
        },
    }
    yield Scenario("routes", "create many", {**made, "nodes": many}, plant_routes)


NAT = {
    "sources": ["10.12.1.0/24", "fd12:0:0:1::/64"],
    "exclude": ["10.12.0.0/16", "fd12::/48", "192.0.2.11"],
    "bridge": "br1",
    "persist": RULES,
}


def plant_rules() -> None:
    """Rules of others in all tools, and policies that drop, so that pods need our chain in FORWARD, too."""
    _plant_uplink()
    listings.run("nft", "add table inet podnet1; add chain inet podnet1 c; add rule inet podnet1 c counter")
    for tool in TOOLS:
        net = "fd12::/48" if tool.startswith("ip6") else "10.12.0.0/16"
        text = f"""*nat
:PODNET-POSTROUTING10 - [0:0]
-A POSTROUTING -s {net} -j PODNET-POSTROUTING10
COMMIT
*filter
:FORWARD DROP [0:0]
:PODNET-FORWARD10 - [0:0]
-A FORWARD -j PODNET-FORWARD10
COMMIT
"""
        listings.run(f"{tool}-restore", "--noflush", "-w", "5", text=text)


def _masquerades() -> t.Iterator[Scenario]:
    for backend, flavour in (("nftables", "nft"), ("iptables", "nft"), ("iptables", "legacy")):
        made = {**NAT, "backend": backend}
        changed = {**made, "exclude": ["10.12.0.0/16"], "random_fully": False, "bridge": None}
        what = f"by {backend} ({flavour})"
        yield Scenario("masquerade", f"create {what}", made, plant_rules, flavour=flavour)
        yield Scenario("masquerade", f"change {what}", changed, plant_rules, [made], flavour)
        gone = {"state": "absent", "persist": RULES}
        yield Scenario("masquerade", f"remove {what}", gone, plant_rules, [made], flavour)
    old = {**NAT, "backend": "nftables"}
    yield Scenario("masquerade", "another backend", {**NAT, "backend": "iptables"}, plant_rules, [old])


def plant_docker() -> None:
    """What a Docker leaves behind, beside what looks like it."""
    _plant_uplink()
    ground.batch("link add docker0 type bridge", "link add docker01 address 02:00:00:00:00:30 type bridge")
    for tool in ("iptables-nft", "iptables-legacy"):
        text = """*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
:DOCKER10 - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A FORWARD -j DOCKER10
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
COMMIT
"""
        listings.run(f"{tool}-restore", "--noflush", "-w", "5", text=text)


# ---- files -----------------------------------------------------------------------------------------------------------

NETWORK = {
    "cniVersion": "0.4.0",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "br1",
            "isGateway": True,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.12.1.0/24"}]]},
        }
    ],
}


def plant_networks() -> None:
    """Networks of others: one that a runtime would load instead of ours, and others that it would not."""
    _plant_uplink()
    CONF_DIR.mkdir(parents=True)
    other = {"cniVersion": "0.4.0", "name": "net10", "type": "loopback"}
    (CONF_DIR / "05-other.conf").write_text(json.dumps(other))
    (CONF_DIR / "99-net10.conf").write_text(json.dumps(other))
    (CONF_DIR / "10-net1.conflist.bak").write_text("{")
    (LEASES / "net1").mkdir(parents=True)
    (LEASES / "net1/last_reserved_ip.0").write_text("10.12.1.7")


def _networks() -> t.Iterator[Scenario]:
    made = {"name": "net1", "config": NETWORK, "priority": 10, "bin_dirs": ["/usr/lib/cni"], "on_conflict": "rename"}
    mtu = {**NETWORK, "plugins": [{**NETWORK["plugins"][0], "mtu": 1400}]}  # type: ignore[index]
    yield Scenario("cni_network", "create", made, plant_networks)
    changed = {**made, "config": mtu, "priority": 4}
    yield Scenario("cni_network", "change", changed, plant_networks, [made])
    yield Scenario("cni_network", "remove", {"name": "net1", "state": "absent"}, plant_networks, [made])


def plant_daemon() -> None:
    """A file as a person writes it."""
    text = '{ "hosts": ["unix:///run/docker.sock"],\n\t"log-opts": {"max-file": "3"}, "mtu" : 1.450e3,\n\t"labels": []}'
    Path(DAEMON).write_text(text)
    Path(DAEMON).chmod(0o600)
    Path(DAEMON + "1").write_text("{,}")
    Path(RECORD + "10").write_text("other")


def _daemons() -> t.Iterator[Scenario]:
    made: Params = {"options": {"bridge": "none", "iptables": False}, "without_docker": "write"}
    changed = {**made, "options": {"bridge": "none", "log-opts": {"max-size": "100m"}}, "absent": ["labels"]}
    yield Scenario("docker_daemon", "create", {**made, "backup": True}, plant_daemon)
    yield Scenario("docker_daemon", "change", changed, plant_daemon, [made])
    yield Scenario("docker_daemon", "remove", {"state": "absent", "without_docker": "write"}, plant_daemon, [made])


def plant_settings() -> None:
    """Settings of others."""
    _plant_uplink()
    Path("/etc/sysctl.d/50-other.conf").write_text("net.ipv4.conf.all.rp_filter = 2\n")


def _sysctls() -> t.Iterator[Scenario]:
    forwarding = {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1}
    made: Params = {"settings": {**forwarding, "net.ipv4.conf.all.rp_filter": 0}, "modules": ["bridge"]}
    changed: Params = {"settings": {"net.ipv4.ip_forward": 1, "net.ipv4.conf.all.rp_filter": 1}, "modules": []}
    yield Scenario("sysctls", "create", made, plant_settings)
    yield Scenario("sysctls", "change", changed, plant_settings, [made])
    yield Scenario("sysctls", "remove", {"state": "absent"}, plant_settings, [made])


def plant_systemd() -> None:
    """A systemd, networkd and NetworkManager, with files of others."""
    units = ROOT / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    for name in ("systemd-networkd", "systemd-udevd", "NetworkManager"):
        (units / f"{name}.service").touch()
    (ROOT / "usr/lib/systemd/systemd").touch()
    wants = ROOT / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / "podnet1.service").symlink_to("../podnet1.service")
    (ROOT / "etc/systemd/system/podnet1.service").write_text("[Service]\nExecStart=/bin/true\n")


def _units() -> t.Iterator[Scenario]:
    bridge = [["-/usr/sbin/ip", "-batch", f"{BATCH}.create"], ["/usr/sbin/ip", "-force", "-batch", BATCH]]
    made: Params = {"bridge": "br1", "loaders": bridge, "root": str(ROOT)}
    routes = [["/usr/sbin/ip", "-force", "-batch", ROUTES]]
    changed = {**made, "bridge": "br10", "repeated_loaders": routes, "interval": 5}
    yield Scenario("persistence", "create", made, plant_systemd)
    yield Scenario("persistence", "change", changed, plant_systemd, [made])
    yield Scenario("persistence", "remove", {"state": "absent", "root": str(ROOT)}, plant_systemd, [changed])


PLUGINS = ("bridge", "host-local", "loopback")
ARCHIVE = {version: ground.PLACE / f"plugins-{version}.tgz" for version in ("v1", "v2")}


def archive(version: str) -> bytes:
    """A release archive, as small as can be."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in PLUGINS:
            content = f"#!/bin/sh\n# {name} {version}\n".encode() * 200
            member = tarfile.TarInfo(f"./{name}")
            member.size, member.mode = len(content), 0o755
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def plant_archives() -> None:
    """Archives of two releases."""
    for version, path in ARCHIVE.items():
        path.write_bytes(archive(version))


def plant_plugins() -> None:
    """A plugin of somebody else, too."""
    plant_archives()
    BIN_DIR.mkdir(parents=True)
    (BIN_DIR / "bridge1").write_text("#!/bin/sh\n")


def _plugins() -> t.Iterator[Scenario]:
    def installed(version: str) -> Params:
        checksum = "sha256:" + hashlib.sha256(archive(version)).hexdigest()
        path = str(ARCHIVE[version])
        return {"archive": path, "checksum": checksum, "plugins": list(PLUGINS), "bin_dir": str(BIN_DIR)}

    gone = {"state": "absent", "bin_dir": str(BIN_DIR)}
    yield Scenario("cni_plugins", "install where nothing is", installed("v1"), plant_archives)
    yield Scenario("cni_plugins", "install", installed("v1"), plant_plugins)
    yield Scenario("cni_plugins", "upgrade", installed("v2"), plant_plugins, [installed("v1")])
    yield Scenario("cni_plugins", "remove", gone, plant_archives, [installed("v1")])


UNITS = Path("/etc/systemd/system")
RUNTIME = ground.PLACE / "bin"
CONTAINERD = """\
version = 2 # by hand

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/opt/cni/bin"
  max_conf_num = 1
"""
#: What a containerd says that reads a file: its own defaults, and the two keys that are in it.
DUMP = """\
#!/bin/sh
echo 'version = 2'
echo '[plugins."io.containerd.grpc.v1.cri".cni]'
for key in bin_dir conf_dir; do
  value=$(sed -n "s/^ *$key = //p" "$2")
  [ -n "$value" ] || case $key in bin_dir) value='"/opt/cni/bin"' ;; *) value='"/etc/cni/net.d"' ;; esac
  echo "$key = $value"
done
"""
HELP = f"#!/bin/sh\ncat <<'END'\n{samples.HELP}END\n"


def plant_programs() -> None:
    """No runtime, whatever this machine has, no systemd that could restart one, and a unit of another name."""
    RUNTIME.mkdir()
    UNITS.mkdir()
    for name in ("containerd", "kubelet", "docker", "cri-docker", "cri-dockerd", "crio", "cri-o"):
        (UNITS / f"{name}.service").symlink_to("/dev/null")
    (UNITS / "docker.socket").symlink_to("/dev/null")
    (UNITS / "kubelet10.service").write_text("[Service]\nExecStart=/bin/false\n")
    (UNITS / "kubelet10.service.d").mkdir()
    (UNITS / "kubelet10.service.d/99-zz-podnet.conf").write_text("# of ten\n")


def _plant_program(name: str, text: str, arguments: str) -> None:
    (RUNTIME / name).write_text(text)
    (RUNTIME / name).chmod(0o755)
    (UNITS / f"{name}.service").unlink()
    (UNITS / f"{name}.service").write_text(f"[Service]\nExecStart={RUNTIME / name} {arguments}\n")


def plant_containerd() -> None:
    """A containerd with a file that somebody else may not read, and another file beside it."""
    plant_programs()
    _plant_program("containerd", DUMP, "")
    Path("/etc/containerd/config.toml").write_text(CONTAINERD)
    Path("/etc/containerd/config.toml").chmod(0o600)
    Path("/etc/containerd/config.toml10").write_text("version = 10\n")


def plant_kubelet() -> None:
    """A kubelet with a Docker shim, as kubeadm sets it up."""
    plant_programs()
    _plant_program("kubelet", HELP, "$KUBELET_EXTRA_ARGS")
    (UNITS / "kubelet.service.d").mkdir()
    (UNITS / "kubelet.service.d/10-kubeadm.conf").write_text("[Service]\nEnvironment=A=b\n")


def _runtimes() -> t.Iterator[Scenario]:
    made: Params = {"network": "net1", "bin_dirs": ["/usr/lib/cni"]}
    changed = {**made, "bin_dirs": ["/usr/local/cni"], "conf_dir": "/etc/cni/other.d"}
    gone = {"network": "net1", "state": "absent"}
    for what, plant in (("of containerd", plant_containerd), ("of a kubelet", plant_kubelet)):
        yield Scenario("cni_runtime", f"create {what}", made, plant)
        yield Scenario("cni_runtime", f"change {what}", changed, plant, [made])
        yield Scenario("cni_runtime", f"remove {what}", gone, plant, [made])


def plant_leaks() -> None:
    """A network, and what pods without namespaces have left of it and of another one."""
    plant_networks()
    document = {"name": "net1", **NETWORK}
    (CONF_DIR / "10-net1.conflist").write_text(json.dumps(document))
    CACHE.mkdir()
    ground.batch("link add br1 address 02:00:00:00:00:20 type bridge")
    lines = []
    for number, (network, pod) in enumerate((("net1", "gone1"), ("net1", "gone2"), ("net10", "gone1")), 20):
        plant_pod(network, pod, f"10.12.1.{number}")
        chain = "CNI-" + hashlib.sha512(f"{network}{pod}".encode()).hexdigest()[:24]
        comment = f'-m comment --comment "name: \\"{network}\\" id: \\"{pod}\\""'
        lines += [f":{chain} - [0:0]", f"-A {chain} -d 10.12.1.0/24 {comment} -j ACCEPT"]
        lines += [f"-A {chain} ! -d 224.0.0.0/4 {comment} -j MASQUERADE"]
        lines += [f"-A POSTROUTING -s 10.12.1.{number}/32 {comment} -j {chain}"]
    text = "\n".join(["*nat", *sorted(lines, key=lambda line: line[0] == "-"), "COMMIT\n"])
    listings.run("iptables-nft-restore", "--noflush", "-w", "5", text=text)


def plant_pod(network: str, pod: str, address: str) -> None:
    """What libcni and host-local remember of a pod that is gone for long."""
    entry = {
        "kind": "cniCacheV1",
        "containerId": pod,
        "config": base64.b64encode(json.dumps({"name": network, **NETWORK}).encode()).decode(),
        "ifName": "eth0",
        "networkName": network,
        "netns": f"/run/netns/{pod}",
        "result": {
            "cniVersion": "0.4.0",
            "interfaces": [{"name": "br1"}, {"name": "veth01234567"}, {"name": "eth0", "sandbox": f"/run/netns/{pod}"}],
            "ips": [{"version": "4", "interface": 2, "address": f"{address}/24", "gateway": "10.12.1.1"}],
        },
    }
    (CACHE / f"{network}-{pod}-eth0").write_text(json.dumps(entry))
    lease = LEASES / network / address
    lease.parent.mkdir(parents=True, exist_ok=True)
    lease.write_text(f"{pod}\r\neth0")
    long_ago = time.time() - 600
    os.utime(lease, (long_ago, long_ago))


def plant_lock_file() -> None:
    """A file whose name contains the lock file's."""
    Path(ground.PLACE / "pod_cidrs.lock.yml1").write_text("---\n")


def _lock_files() -> t.Iterator[Scenario]:
    made: Params = {"path": str(ground.PLACE / "pod_cidrs.lock.yml"), "nodes": ["node1", "node2"]}
    changed = {**made, "nodes": [f"node{number}" for number in range(3, 200)]}
    yield Scenario(lock_file, "create", made, plant_lock_file)
    yield Scenario(lock_file, "change", changed, plant_lock_file, [made])


def _reports() -> t.Iterator[Scenario]:
    made: Params = {"path": str(ground.PLACE / "podnet-report.html"), "title": "The network"}
    yield Scenario(report_page, "create", made, plant_lock_file)
    yield Scenario(report_page, "change", {**made, "title": "Another network"}, plant_lock_file, [made])


#: Two modules that change something are not here, as what they make is no state to compare: test_kills_probe.py kills
#: cni_probe, and test_kills_pods.py stale_pods.
SCENARIOS = (
    *_bridges(),
    *_veths(),
    *_routes(),
    *_masquerades(),
    Scenario("docker_leftovers", "remove", {}, plant_docker),
    *_networks(),
    *_daemons(),
    *_sysctls(),
    *_units(),
    *_plugins(),
    Scenario("cni_gc", "free", {"name": "net1"}, plant_leaks),
    *_runtimes(),
    *_lock_files(),
    *_reports(),
)

SOAK = os.environ.get("PODNET_PROOF") == "soak"


def _chosen() -> list[Scenario]:
    """Return all of them, or for the quick profile one of each module: a change, if there is one."""
    if SOAK:
        return list(SCENARIOS)
    found = {scenario.module: scenario for scenario in reversed(SCENARIOS)}
    changes = {scenario.module: scenario for scenario in SCENARIOS if scenario.what.startswith(("change", "upgrade"))}
    return list({**found, **changes}.values())


every_scenario = pytest.mark.parametrize("scenario", _chosen(), ids=lambda scenario: scenario.name)
