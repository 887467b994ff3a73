# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module cni_network: random configurations of one network, in a directory that others use, with pods attached."""

from __future__ import annotations

import base64
import json
import os
import socket
import typing as t
from pathlib import Path

import ground
import hypothesis.strategies as st
import listings
import odd_files
from calls import Answer
from converging import Converging, mostly
from hypothesis import event
from hypothesis.stateful import initialize, rule
from odd_files import Thing

OURS = "net"
#: Names that contain ours, are contained in it, or differ in their case.
OTHERS = ("net2", "ne", "xnet", "NET", "net-1", "net.d")
CONF_DIR = Path("/etc/cni/net.d")
CACHE = Path("/var/lib/cni/results")
STORES = (Path("/var/lib/cni/networks"), ground.PLACE / "leases")
ALIVE, GONE = "/run/netns-alive", "/run/netns-gone"
OF_THE_PATH = ("uid", "gid", "owner", "group", "mode", "state", "size")
LOADED = (".conf", ".conflist", ".json")
DISABLED = ".disabled-by-podnet"
UPLINK, BRIDGE = "up0", "pods0"
PLUGINS = ["bridge", "host-local", "portmap", "firewall", "tuning", "bandwidth"]


# ---- What is asked for -----------------------------------------------------------------------------------------------

V4 = ("10.12.1.0/24", "10.12.10.0/24", "10.12.1.0/25")
V6 = ("fd12:1::/64", "fd12:10::/64")
CHAINED = (
    {"type": "portmap", "capabilities": {"portMappings": True}},
    {"type": "portmap", "capabilities": {"portMappings": True}, "snat": False},
    {"type": "firewall"},
    {"type": "tuning", "sysctl": {"net.core.somaxconn": "512"}},
    {"type": "bandwidth", "ingressRate": 1000, "ingressBurst": 1000},
)
MISTAKES = ({"isGatway": True}, {"mtu": 9000}, {"bridge": UPLINK}, {"args": {}}, {"mtu": 1000})

keys_of_bridge = st.fixed_dictionaries(
    {},
    optional={
        "bridge": st.sampled_from(["mink8s0", "mink8s01", BRIDGE]),
        "isGateway": st.sampled_from([True, False, "true"]),
        "ipMasq": st.booleans(),
        "mtu": st.sampled_from([0, 1280, 1450, "1400"]),
        "hairpinMode": st.booleans(),
        "capabilities": st.just({"mac": True}),
    },
)
ipams = st.fixed_dictionaries(
    {
        "type": st.just("host-local"),
        "ranges": st.builds(
            lambda v4, v6: [[{"subnet": subnet}] for subnet in (v4, v6) if subnet] or [[{"subnet": V4[0]}]],
            mostly(st.just(V4[0]), st.sampled_from([*V4[1:], None]), times=3),
            mostly(st.none(), st.sampled_from(V6), times=2),
        ),
    },
    optional={
        "routes": st.sampled_from([[], [{"dst": "0.0.0.0/0"}], [{"dst": "10.0.0.0/8"}]]),
        "dataDir": st.sampled_from([str(store) for store in STORES]),
    },
)


def config(
    version: str, plugin: dict[str, t.Any], ipam: dict[str, t.Any], chained: list[dict[str, t.Any]], is_list: bool
) -> dict[str, t.Any]:
    """A configuration in one of its forms."""
    first = {"type": "bridge", **plugin, "ipam": ipam}
    if is_list or chained:
        return {"cniVersion": version, "name": OURS, "plugins": [first, *chained]}
    return {"cniVersion": version, **first}


configs = st.builds(
    config,
    st.sampled_from(["1.0.0", "1.0.0", "0.4.0", "0.3.1"]),
    st.builds(
        lambda plugin, mistake: {**plugin, **mistake}, keys_of_bridge, mostly(st.just({}), st.sampled_from(MISTAKES))
    ),
    ipams,
    st.lists(st.sampled_from(CHAINED), max_size=2),
    st.booleans(),
)
wanted = st.fixed_dictionaries(
    {
        "name": st.just(OURS),
        "config": configs,
        "assume_plugins": mostly(st.just(PLUGINS), st.just([]), times=3),
        "bin_dirs": st.just(["/usr/lib/cni"]),
        "on_conflict": st.sampled_from(["rename", "rename", "ignore", "fail"]),
        "allow_orphans": mostly(st.just(True), st.just(False), times=3),
        "renumber": mostly(st.just(True), st.just(False), times=3),
    },
    optional={
        "format": mostly(st.just("conflist"), st.just("conf"), times=3),
        "priority": mostly(st.just(10), st.sampled_from([5, 99, 100]), times=3),
        "uplink": st.just(UPLINK),
    },
)

# ---- What else is there ----------------------------------------------------------------------------------------------

TEXTS = {**odd_files.NO_OBJECT, **odd_files.OTHER_OBJECT}


def network(name: str, subnet: str = V4[0], data_dir: t.Any = str(STORES[0]), is_list: bool = True) -> bytes:
    """A file of a network as somebody else writes it."""
    plugin = {"type": "bridge", "ipam": {"type": "host-local", "subnet": subnet, "dataDir": data_dir}}
    document = {"cniVersion": "0.4.0", "name": name}
    return json.dumps({**document, "plugins": [plugin]} if is_list else {**document, **plugin}).encode()


names = st.sampled_from(
    [
        b"00-first.conf",
        b"05-podman.conflist",
        b"10-net.conflist",
        b"10-net.conf",
        b"10-net.conflist.bak",
        b"10-net2.conflist",
        b"net.conflist",
        b"net.json",
        b"net2.conflist",
        b"zz.json",
        b".hidden.conflist",
        b".conf",
        b"README",
        b"two\nlines.conf",
        b"\xff.conflist",
        b"net",
        b"net/10-inside.conf",
        b"net/README.conf",
        b"net2/10-inside.conf",
        b"00-first.conf" + DISABLED.encode(),
        b"05-podman.conflist" + DISABLED.encode(),
        b"net/10-inside.conf" + DISABLED.encode(),
        b"README" + DISABLED.encode() * 2,
        b".cut-short.podnet-tmp",
        b"cut-short.podnet-tmp",
    ]
)
contents = st.one_of(
    st.builds(network, st.sampled_from([*OTHERS]), st.sampled_from(V4), is_list=st.booleans()),
    st.builds(
        network,
        st.just(OURS),
        st.sampled_from([*V4, "2001:db8::/64", "no subnet"]),
        st.sampled_from([*map(str, STORES), "relative", "", "/a\0b", "/\ud800", 5, None]),
        st.booleans(),
    ),
    st.sampled_from([*TEXTS]).map(lambda name: TEXTS[name]),
)
things = st.one_of(
    st.builds(odd_files.text, contents, st.sampled_from([0o644, 0o644, 0o600, 0o4755])),
    st.sampled_from([*odd_files.ODD, Thing("link", b"10-net.conflist"), Thing("link", b"/run/elsewhere.conflist")]),
)
lent = st.one_of(
    st.builds(odd_files.text, st.sampled_from([b"c1\r\neth0", b"c2", b"", b"\xff"])), st.sampled_from(odd_files.ODD)
)


def attachment(name: str, container: str, netns: str, configuration: bytes) -> Thing:
    """A file of libcni's cache."""
    entry = {
        "kind": "cniCacheV1",
        "containerId": container,
        "config": base64.b64encode(configuration).decode(),
        "ifName": "eth0",
        "networkName": name,
        "netns": netns,
        "result": {"ips": [{"address": "10.12.1.7/24"}], "interfaces": [{"name": "eth0", "sandbox": netns}]},
    }
    return odd_files.text(json.dumps(entry).encode(), 0o600)


entries = st.tuples(names.map(lambda name: CONF_DIR / os.fsdecode(name)), things)
leases = st.tuples(
    st.builds(
        Path,
        st.sampled_from(STORES),
        st.sampled_from([OURS, OURS, *OTHERS]),
        st.sampled_from(["10.12.1.7", "10.12.10.7", "fd12:1::7", "lock", "last_reserved_ip.0", "notes"]),
    ),
    lent,
)
attachments = st.builds(
    lambda name, container, netns, text: (
        CACHE / f"{name}-{container}-eth0",
        attachment(name, container, netns, text),
    ),
    st.sampled_from([OURS, OURS, *OTHERS]),
    st.sampled_from(["c1", "c2", "1-c1"]),
    st.sampled_from([ALIVE, GONE, ""]),
    contents,
)
own_files = st.sampled_from([CONF_DIR / "net.conflist", CONF_DIR / "10-net.conflist", CONF_DIR / "10-net.conf"])
directories = st.sampled_from([*STORES, CACHE, CONF_DIR / OURS, CONF_DIR])
#: A path and what somebody else does there: puts something, changes a mode, or removes all.
disturbances = mostly(
    entries,
    leases,
    attachments,
    st.tuples(own_files, st.sampled_from([0o600, 0o666, 0o4755])),
    st.tuples(directories, st.none()),
    times=2,
)


class Files(Converging):
    """One network of ours, in a directory with files of others, and with pods that come and go."""

    module = "cni_network"

    def listing(self) -> listings.Listing:
        found = listings.files(Path("/etc/cni"), Path("/var/lib/cni"), ground.PLACE)
        for name in list(found):
            path = Path(name.removeprefix("file "))
            if path.is_symlink() and path.is_relative_to(CONF_DIR):
                # A link is the file of the network that is at its end.
                found[f"end of {path}"] = path.read_bytes() if _is_file(path) else None
        return found

    def lasting(self, answer: Answer, params: dict[str, t.Any]) -> dict[str, t.Any]:
        """Ansible itself adds what is at `path` when a module ends: there may be nothing yet, or the old file."""
        return {key: value for key, value in answer.result.items() if key not in OF_THE_PATH}

    def is_ours(self, name: str, params: dict[str, t.Any]) -> bool:
        return name in (f"file {CONF_DIR}", f"file {_target(params)}") or name.startswith("end of ")

    def require_made(self, params: dict[str, t.Any], before: listings.Listing, after: listings.Listing) -> None:
        target, absent = f"file {_target(params)}", params.get("state") == "absent"
        left = [name for name, value in after.items() if _is_leftover(name, value)]
        left += [name for name in after if _carries_our_name(name, after, absent)]
        if absent:
            assert not left, f"there still is {left}"
            return
        # A link that leads to our file is one more name of it.
        left = [name for name in left if name != target and not _leads_to(name, after[name], _target(params))]
        assert not left, f"there still is {left}"
        assert target in after, f"there is no {target}"
        mode, _owner, _group, content = after[target]
        assert mode == "-rw-r--r--"
        assert json.loads(content) == _document(params), content

    def foreign(self, listing: listings.Listing, params: dict[str, t.Any]) -> listings.Listing:
        """What does not carry our name; whether a displaced file has its name or its other one does not matter."""
        found: dict[str, t.Any] = {}
        absent = params.get("state") == "absent"
        own_stores = _own_stores(listing) if absent else []
        for name, value in listing.items():
            ours = self.is_ours(name, params) or _carries_our_name(name, listing, absent) or _is_leftover(name, value)
            ours = ours or (not absent and _leads_to(name, value, _target(params)))
            if not ours and name not in own_stores:
                moves = _may_move(name, params)
                found.setdefault(name.removesuffix(DISABLED) if moves else name, []).append(value)
        return {name: sorted(values, key=repr) for name, values in found.items()}

    @initialize(there=st.booleans())
    def begin(self, there: bool) -> None:
        """A node with an uplink, and a bridge that has pods on it; its links are always the same."""
        if not _has_links():
            ground.new_node()
            ground.batch(
                f"link add {UPLINK} mtu 1450 type veth peer name up1",
                f"address add 192.0.2.11/24 dev {UPLINK}",
                f"link set {UPLINK} up",
                f"link add {BRIDGE} type bridge",
                f"address add 10.12.1.1/24 dev {BRIDGE}",
                f"link set up1 master {BRIDGE}",
                "route add default via 192.0.2.254",
            )
        ground.no_files()
        Path(ALIVE).touch()
        Path("/run/elsewhere.conflist").write_bytes(network(OURS))
        if there:
            CONF_DIR.mkdir()
        self.now = self.listing()
        self.put: listings.Listing = {}

    def disturb(self, before: list[tuple[Path, t.Any]]) -> None:
        """Be somebody else, and remember what there has to be at the end."""
        was = self.listing()
        for path, thing in before:
            _disturb(path, thing)
        for name, (_old, new) in listings.differences(was, self.listing()).items():
            bare = name.removesuffix(DISABLED)
            for other in {bare, bare + DISABLED} - was.keys():
                self.put.pop(other, None)  # what was put there has its other name by now, and that is changed here
            self.put[name] = new

    @rule(params=wanted, before=st.lists(disturbances, max_size=3))
    def make(self, params: dict[str, t.Any], before: list[tuple[Path, t.Any]]) -> None:
        """Somebody asks for a network, after somebody else did something."""
        self.disturb(before)
        answer = self.ask(**params)
        self.tell(answer)
        if not answer.failed:
            # Whatever was at our path is ours, and has been written over; a link to it is one more name of it.
            target = _target(params)
            own = [name for name, value in self.put.items() if _leads_to(name, value, target)]
            for name in (f"file {target}", *own):
                self.put.pop(name, None)

    @rule(allow_orphans=st.booleans(), before=st.lists(disturbances, max_size=2))
    def remove(self, allow_orphans: bool, before: list[tuple[Path, t.Any]]) -> None:
        """Somebody asks for no network."""
        self.disturb(before)
        self.tell(self.ask(name=OURS, state="absent", allow_orphans=allow_orphans))

    def tell(self, answer: Answer) -> None:
        """Count what happened."""
        if answer.failed:
            event("refused: " + answer.sentence.partition(":")[0].partition("[")[0][:40])
        else:
            event("class " + answer.result["change_class"])
            for action in answer.result["actions"]:
                event(" ".join(action.split("/")[0].split()[:2]) + (" displaced" if DISABLED in action else ""))

    def teardown(self) -> None:
        """All that was ours goes; files of others are all there, and have their own names again."""
        if not hasattr(self, "now"):
            return
        answer = self.ask(name=OURS, state="absent", allow_orphans=True)
        assert not answer.failed, answer.sentence
        put = {name: value for name, value in self.put.items() if value is not None}
        expected, found = (self.foreign(each, {"state": "absent"}) for each in (put, self.now))
        for name, values in expected.items():
            assert [value for value in values if value in found.get(name, ())] == values, f"{name} of others is gone"
        for name, value in self.now.items():
            displaced = _may_move(name, {"state": "absent"}) and name.endswith(DISABLED) and value[0][0] != "d"
            assert not displaced or name.removesuffix(DISABLED) in self.now, f"{name} was not given back"


def _disturb(path: Path, thing: t.Union[Thing, int, None]) -> None:
    if isinstance(thing, Thing):
        if path.parent.parent == CONF_DIR and not path.parent.is_dir():
            odd_files.clear(path.parent)
        odd_files.put(path, thing)
    elif thing is None:
        odd_files.clear(path)
    elif path.is_file() and not path.is_symlink():
        path.chmod(thing)


def _target(params: dict[str, t.Any]) -> str:
    priority = params.get("priority")
    prefix = "" if priority is None else f"{priority:02d}-"
    return f"{CONF_DIR}/{prefix}{OURS}.{params.get('format', 'conflist')}"


def _document(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """What is to be in the file: numbers and booleans are no texts, and a list has one plugin at least."""
    text = json.dumps({"name": OURS, **params["config"]})
    given = json.loads(text.replace('"true"', "true").replace('"1400"', "1400"))
    beside = {key: given.pop(key) for key in ("cniVersion", "name")}
    plugins = given.get("plugins", [given])
    return {**beside, **plugins[0]} if params.get("format") == "conf" else {**beside, "plugins": plugins}


def _has_links() -> bool:
    return BRIDGE in [name for _index, name in socket.if_nameindex()]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _carries_our_name(name: str, listing: listings.Listing, absent: bool) -> bool:
    """Whether it is a file that a runtime would take for our network's, or would have, before it was displaced."""
    path = name.removeprefix("file ")
    content = listing[name][3] if name.startswith("file ") else None
    if Path(path).parent != CONF_DIR or not path.removesuffix(DISABLED if absent else "").endswith(LOADED):
        return False
    content = listing.get(f"end of {path}", content)
    try:
        document = json.loads(content.decode(), parse_constant=int) if isinstance(content, bytes) else None
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("name") == OURS


def _leads_to(name: str, value: t.Any, target: str) -> bool:
    """Whether it is a link that a runtime would follow to a file, which need not be there yet."""
    path = Path(name.removeprefix("file "))
    follows = path.parent == CONF_DIR and path.name.endswith(LOADED) and isinstance(value, tuple) and value[0][0] == "l"
    return follows and os.path.join(CONF_DIR, value[3]) == target


def _is_leftover(name: str, value: t.Any) -> bool:
    path = Path(name.removeprefix("file "))
    # We write none but plain files.
    is_file = isinstance(value, tuple) and value[0].startswith("-")
    return is_file and path.parent == CONF_DIR and path.name.startswith(".") and path.name.endswith(".podnet-tmp")


def _may_move(name: str, params: dict[str, t.Any]) -> bool:
    """Whether a foreign file may be displaced, or be given back."""
    path = Path(name.removeprefix("file "))
    bare = path.name.removesuffix(DISABLED)
    if path.parent not in (CONF_DIR, CONF_DIR / OURS) or not bare.endswith(LOADED):
        return False
    if params.get("state") == "absent":
        return True
    ahead = os.fsencode(bare) < os.fsencode(os.path.basename(_target(params)))
    return params["on_conflict"] == "rename" and (bare.endswith(".conf") if path.parent.name == OURS else ahead)


def _own_stores(listing: listings.Listing) -> list[str]:
    """The stores of our network from which no address is lent, with what is in them."""
    found: list[str] = []
    for store in STORES:
        top = f"file {store}/{OURS}"
        inside = [name for name in listing if name.startswith(f"{top}/")]
        plain = [name for name in inside if listing[name][0].startswith("-")]
        if {name.removeprefix(f"{top}/") for name in inside} <= {"lock", "last_reserved_ip.0"} and plain == inside:
            found += [top, *inside]
    return found


TestFiles = Files.TestCase
