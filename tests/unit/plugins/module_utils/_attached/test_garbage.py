# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told and what is freed, on a node of directories and listings; the links alone are made up."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._attached import survey
from ansible_collections.mink8s.podnet.plugins.module_utils._attached.garbage import Garbage
from ansible_collections.mink8s.podnet.plugins.module_utils._attached.listing import listing
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.wires import Space, View, Wire
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.cni_rules import chain_name, instance_hash
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Host


class Node:
    """A node with networks net1 and net10, whose stores are below one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.view = View([], {}, ["br1", "br10"])
        self.chains: dict[str, tuple[str, str, str]] = {}
        self.nft = ""
        self.loaded: list[str] = []
        self.fails = False
        for name, bridge in (("net1", "br1"), ("net10", "br10")):
            (root / "conf").mkdir(exist_ok=True)
            (root / "conf" / f"{name}.conflist").write_text(json.dumps(self.document(name, bridge)))

    def document(self, name: str, bridge: str) -> dict[str, t.Any]:
        ipam = {"type": "host-local", "dataDir": str(self.root / "networks")}
        return {"cniVersion": "1.0.0", "name": name, "plugins": [{"type": "bridge", "bridge": bridge, "ipam": ipam}]}

    def lend(self, network: str, address: str, container: str, age: int = 600) -> Path:
        path = self.root / "networks" / network / address
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{container}\r\neth0".encode())
        os.utime(path, (time.time() - age,) * 2)
        return path

    def remember(self, network: str, container: str, address: str, alive: bool = False) -> Path:
        document = json.dumps(self.document(network, "br1")).encode()
        entry = {
            "kind": "cniCacheV1",
            "containerId": container,
            "config": base64.b64encode(document).decode(),
            "ifName": "eth0",
            "networkName": network,
            "netns": f"/run/netns/{container}",
            "result": {
                "ips": [{"address": f"{address}/24"}],
                "interfaces": [{"name": "br1"}, {"name": f"v{container}"}],
            },
        }
        if alive:
            number = len(self.view.wires)
            self.view.wires.append(Wire(f"v{container}", "", 1450, "br1", True, False, number, [address]))
            self.view.spaces[f"/run/netns/{container}"] = Space(True, number)
        path = self.root / "cache" / f"{network}-{container}-eth0"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(entry))
        return path

    def run(self, args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
        program = os.path.basename(args[0])
        if program == "iptables-nft-save":
            return 0, self.saved(), ""
        if program == "iptables-nft-restore" or args[1:2] == ["-f"]:
            if self.fails:
                return 1, "", "it does not want to"
            self.loaded.append(data or Path(args[2]).read_text())
            self.chains = {name: rule for name, rule in self.chains.items() if f"-X {name}\n" not in (data or "")}
            if program == "nft":
                self.nft = ""
            return 0, "", ""
        if program == "nft" and args[-1] == "masq_checks":
            return 0, self.nft, ""
        return 1, "", "there is none"

    def saved(self) -> str:
        lines = [f":{name} - [0:0]" for name in self.chains]
        for name, (network, container, address) in self.chains.items():
            comment = f'-m comment --comment "name: \\"{network}\\" id: \\"{container}\\""'
            lines += [f"-A POSTROUTING -s {address}/32 {comment} -j {name}", f"-A {name} {comment} -j MASQUERADE"]
        return "\n".join(["*nat", ":POSTROUTING ACCEPT [0:0]", *lines, "COMMIT", ""])

    def masquerade(self, network: str, container: str, address: str) -> str:
        name = chain_name(network, container)
        self.chains[name] = (network, container, address)
        return f"iptables-nft chain {name}"

    @property
    def host(self) -> Host:
        there = ("iptables-nft-save", "iptables-nft-restore", "nft")
        return Host(self.run, lambda name: f"/sbin/{name}" if name in there else None)

    @property
    def places(self) -> survey.Places:
        return survey.Places(str(self.root / "conf"), [str(self.root / "cache")], 60)

    def collect(self, network: str = "net1", check_mode: bool = False) -> dict[str, t.Any]:
        return _engine.converge(Garbage(self.host, network, self.places, 0), check_mode)

    def listed(self, network: t.Optional[str] = None) -> dict[str, t.Any]:
        return listing(survey.look(self.host, self.places), network)


@pytest.fixture(name="node")
def _node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    node = Node(tmp_path)
    monkeypatch.setattr(survey.wires, "look", lambda _paths: node.view)
    monkeypatch.setattr(survey.conf, "DEFAULT_DATA_DIR", str(tmp_path / "default"))
    monkeypatch.setattr(survey.consent.conf, "DEFAULT_DATA_DIR", str(tmp_path / "default"))
    return node


def test_all_of_a_dead_container_goes_and_nothing_else(node: Node) -> None:
    dead = [node.remember("net1", "dead", "10.12.1.2"), node.lend("net1", "10.12.1.2", "dead")]
    chain = node.masquerade("net1", "dead", "10.12.1.2")
    alive = [node.remember("net1", "alive", "10.12.1.3", alive=True), node.lend("net1", "10.12.1.3", "alive")]
    node.masquerade("net1", "alive", "10.12.1.3")
    other = [node.remember("net10", "dead", "10.12.10.2"), node.lend("net10", "10.12.10.2", "dead")]
    node.masquerade("net10", "dead", "10.12.10.2")
    names = [f"cache entry {dead[0]}", f"lease {dead[1]}", chain]

    predicted = node.collect(check_mode=True)
    assert (predicted["freed"], predicted["kept"], node.loaded) == (names, [], [])
    assert predicted["actions"] == [f"remove {name}" for name in reversed(names)]
    freed = node.collect()
    assert freed == predicted
    assert [path.exists() for path in dead + alive + other] == [False, False, True, True, True, True]
    assert sorted(node.chains) == sorted([chain_name("net1", "alive"), chain_name("net10", "dead")])
    assert len(node.loaded) == 1
    assert node.collect()["changed"] is False


def test_all_chains_go_in_one_transaction(node: Node) -> None:
    for number in range(2, 10):
        node.masquerade("net1", f"dead{number}", f"10.12.1.{number}")
    assert len(node.collect()["freed"]) == 8
    assert len(node.loaded) == 1
    assert node.chains == {}


def test_a_chain_that_may_be_of_two_stays_while_one_lives(node: Node) -> None:
    lease = node.lend("net1", "10.12.1.2", "0twin")
    node.lend("net10", "10.12.10.2", "twin")
    node.remember("net10", "twin", "10.12.10.2", alive=True)
    node.masquerade("net1", "0twin", "10.12.1.2")
    assert node.collect()["freed"] == [f"lease {lease}"]
    assert len(node.chains) == 1


def test_rules_of_nftables_go_with_their_container(node: Node) -> None:
    dead, alive = (instance_hash("net1", "eth0", container) for container in ("dead", "alive"))
    node.nft = (
        "table inet cni_plugins_masquerade {\n"
        f'  ip saddr 10.12.1.2 masquerade comment "{dead}, net: net1, if: eth0, id: de" # handle 4\n'
        f'  ip saddr 10.12.1.3 masquerade comment "{alive}" # handle 5\n'
        "}\n"
    )
    node.lend("net1", "10.12.1.2", "dead")
    node.remember("net1", "alive", "10.12.1.3", alive=True)
    assert node.collect()["freed"][1:] == ["nft rule inet cni_plugins_masquerade masq_checks handle 4"]
    assert node.loaded == ["delete rule inet cni_plugins_masquerade masq_checks handle 4\n"]


def test_what_may_be_alive_is_kept_and_named(node: Node) -> None:
    young = node.lend("net1", "10.12.1.2", "young", age=1)
    (node.root / "cache").mkdir()
    (node.root / "cache" / "net1-broken-eth0").write_text("{")
    (node.root / "cache" / "net10-broken-eth0").write_text("{")
    broken = node.lend("net1", "10.12.1.3", "broken")
    result = node.collect()
    assert (result["changed"], result["freed"]) == (False, [])
    assert [leak["name"] for leak in result["kept"]] == [
        f"cache entry {node.root}/cache/net1-broken-eth0",
        f"lease {young}",
        f"lease {broken}",
    ]
    assert result["kept"][2]["reason"] == "libcni's file net1-broken-eth0 cannot be read"


def test_a_pod_that_comes_in_between_is_spared(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    lease, other = node.lend("net1", "10.12.1.2", "comes"), node.lend("net1", "10.12.1.3", "dead")
    resource = Garbage(node.host, "net1", node.places, 0)
    apply = resource.apply

    def late(changes: list[_engine.Change]) -> None:
        node.view.wires.append(Wire("v1", "", 1450, "br1", True, False, 0, ["10.12.1.2"]))
        apply(changes)

    monkeypatch.setattr(resource, "apply", late)
    result = _engine.converge(resource, False)
    assert (result["changed"], result["freed"], result["actions"]) == (
        True,
        [f"lease {other}"],
        [f"remove lease {other}"],
    )
    assert lease.exists()
    assert not other.exists()


def test_what_is_in_doubt_only_under_the_lock_is_named(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = node.lend("net1", "10.12.1.2", "dead")
    resource = Garbage(node.host, "net1", node.places, 0)
    apply = resource.apply

    def late(changes: list[_engine.Change]) -> None:
        node.view.wires.append(Wire("v1", "", 1450, "br1", True, False, 0, []))
        apply(changes)
        node.view.wires.clear()

    monkeypatch.setattr(resource, "apply", late)
    result = _engine.converge(resource, False)
    assert (result["changed"], result["freed"], result["actions"], result["diff"]) == (False, [], [], [])
    assert [leak["name"] for leak in result["kept"]] == [f"lease {lease}"]
    assert lease.exists()


def test_where_rules_cannot_be_removed_the_rest_stays(node: Node) -> None:
    lease = node.lend("net1", "10.12.1.2", "dead")
    cache = node.remember("net1", "dead", "10.12.1.2")
    node.masquerade("net1", "dead", "10.12.1.2")
    node.fails = True
    with pytest.raises(PodnetError, match="iptables-nft-restore"):
        node.collect()
    assert lease.exists()
    assert cache.exists()


def test_a_lock_that_another_one_has(node: Node) -> None:
    lease = node.lend("net1", "10.12.1.2", "dead")
    with open(lease.parent / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(PodnetError, match="was not free within 0 seconds, so nothing was changed"):
            node.collect()
        # Check mode does not need it.
        assert node.collect(check_mode=True)["freed"] == [f"lease {lease}"]
    assert lease.exists()


def test_attachments_with_their_links_and_what_has_changed(node: Node) -> None:
    node.remember("net1", "alive", "10.12.1.3", alive=True)
    node.remember("net1", "dead", "10.12.1.2")
    node.remember("gone", "old", "10.12.3.2", alive=True)
    document = node.document("net1", "br1")
    document["plugins"][0]["mtu"] = 1400
    (node.root / "conf" / "net1.conflist").write_text(json.dumps(document))
    found = {entry["container_id"]: entry for entry in node.listed()["attachments"]}
    assert list(found) == ["old", "alive", "dead"]
    alive = found["alive"]
    assert (alive["verdict"], alive["veth"], alive["bridge"], alive["mtu"]) == ("alive", "valive", "br1", 1450)
    assert (alive["hairpin"], alive["isolated"], alive["link_netnsid"]) == (True, False, 0)
    assert (alive["change_class"], alive["changed_keys"]) == ("new_pods_only", ["bridge.mtu"])
    assert (found["dead"]["verdict"], found["dead"]["veth"], found["dead"]["mtu"]) == ("dead", None, None)
    assert (found["old"]["change_class"], found["old"]["changed_keys"]) == ("refuse", ["name"])
    assert [entry["container_id"] for entry in node.listed("net1")["attachments"]] == ["alive", "dead"]


def test_the_lo_of_a_pod_is_no_attachment_to_a_network(node: Node) -> None:
    node.remember("net1", "alive", "10.12.1.3", alive=True)
    lo = {"cniVersion": "0.3.1", "name": "cni-loopback", "plugins": [{"type": "loopback"}]}
    node.view.spaces["/proc/4711/ns/net"] = Space(True, 0)
    entries = {
        "alive": ("/run/netns/alive", lo),
        "used": ("/proc/4711/ns/net", lo),
        "dead": ("/run/netns/dead", lo),
        # Of these two nobody knows that they are nothing but lo.
        "more": ("/run/netns/alive", {**lo, "plugins": [*lo["plugins"], {"type": "loopback1"}]}),
        "none": ("/run/netns/alive", {**lo, "plugins": []}),
    }
    for container, (netns, config) in entries.items():
        cache = node.remember("cni-loopback", container, "127.0.0.1")
        entry = json.loads(cache.read_text())
        entry.update(netns=netns, config=base64.b64encode(json.dumps(config).encode()).decode())
        cache.write_text(json.dumps(entry))
    found = node.listed()
    assert [entry["container_id"] for entry in found["attachments"]] == ["more", "none", "alive"]
    assert [leak["container_id"] for leak in found["leaks"]] == ["dead"]
    assert found["unknown"] == []
    # Its container has rules only by its other network, as of portmap, whose comment has no more than the container.
    looked = survey.look(node.host, node.places)
    assert {key[0] for keys in looked.by_hash.values() for key in keys if key[1] == "alive"} == {"net1"}


def test_ports_that_no_pod_is_known_for(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.remember("net1", "alive", "10.12.1.3", alive=True)
    node.lend("net1", "10.12.1.4", "uncached")
    for name, bridge, nsid, inside in (
        ("both", "br1", None, None),
        ("held", "br1", 7, ["10.12.1.77"]),
        ("lost", "br1", 8, ["10.12.1.88"]),
        ("lent", "br1", 9, ["10.12.1.4"]),
        ("foreign", "docker0", 10, ["172.17.0.2"]),
        ("other", "br10", None, None),
    ):
        node.view.wires.append(Wire(name, "", 1500, bridge, False, False, nsid, inside))
    monkeypatch.setattr(survey.wires, "held", lambda: {7})
    unknown = node.listed("net1")["unknown"]
    assert [(leak["name"], leak["reason"].split()[0]) for leak in unknown] == [
        ("veth both", "both"),
        ("veth held", "somebody"),
        ("veth lost", "neither"),
    ]
    assert node.collect()["kept"] == unknown


@pytest.mark.parametrize("path", ["/run/netns/dead", "/proc/4711/ns/net"])
@pytest.mark.parametrize("address", ["10.12.1.2", "10.12.1.4"])
def test_a_path_that_leads_to_another_pod_by_now_is_no_claim(node: Node, path: str, address: str) -> None:
    # "uncached" lives in the namespace that the path of a dead one leads to, as after its process id was used again.
    lease = node.lend("net1", "10.12.1.4", "uncached")
    cache = node.remember("net1", "dead", address)
    cache.write_text(cache.read_text().replace("/run/netns/dead", path))
    node.view.spaces[path] = Space(True, 5)
    node.view.wires.append(Wire("v5", "", 1500, "br1", False, False, 5, ["10.12.1.4"]))
    dead = path.startswith("/proc/") and address == "10.12.1.2"
    assert node.collect()["freed"] == ([f"cache entry {cache}"] if dead else [])
    assert lease.exists()


def test_seconds_are_checked() -> None:
    for value in (0, 3601, -5):
        with pytest.raises(OptionError, match=f"min_age: {value} is out of range; use 1 to 3600 seconds"):
            survey.places({"conf_dir": "/", "cache_dirs": [], "min_age": value})
