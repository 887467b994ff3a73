# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad CNI files, configurations, caches, leases, manifests, and answers of plugins."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import itertools
import json
import os
import shutil
import tarfile
import typing as t
from pathlib import Path

import fuzzing
import ground
import samples
from fuzzing import Random, feed, fuzzed

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine, _options
from ansible_collections.mink8s.podnet.plugins.module_utils._attached import verdict
from ansible_collections.mink8s.podnet.plugins.module_utils._cni import (
    archive,
    attachments,
    changes,
    conf,
    consent,
    invoke,
    loader,
    manifest,
    node,
    overview,
    plugins,
    rules,
    store,
    survey,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._probe import expectations, pods, records
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import cri, loaded

PLACE = ground.PLACE / "fuzz"


def no_obstacle(kind: str, version: str) -> t.Optional[str]:
    return None if kind == "bridge" else f"plugin {kind} is not installed"


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


# ---- files of the runtime's directory


def a_file(rng: Random) -> tuple[str, bytes]:
    name, sample = rng.choice((("10-net1.conflist", samples.CONFLIST), ("net1.conf", samples.CONF)))
    content = fuzzing.encoded(fuzzing.damaged_json(rng, sample))
    return name, fuzzing.damaged_bytes(rng, content) if rng.random() < 0.1 else content


def all_of_a_file(given: tuple[str, bytes]) -> t.Any:
    name, content = given
    entry = loader.read_file(str(put(PLACE / name, content)))
    document = entry.document
    found = [
        overview._file(entry),
        loader.containerd([entry]),
        loader.kubelet([entry], no_obstacle),
        loader.crio([entry], no_obstacle, "net1"),
        loader.rivalry("/etc/cni/net.d", entry),
        consent.data_dirs([document]),
    ]
    if document is not None:
        found += [changes.classify(document, samples.CONFLIST), changes.classify(samples.CONF, document)]
    if document is not None and entry.error is None:
        found += [expectations.untried(document), expectations.unheard(document)]
        if expectations.untried(document) is None:
            found += [
                expectations.moved(expectations.heard(document), "/run/x"),
                expectations.resolver_files(document),
                expectations.maps_ports(document),
                expectations.targets(document, "node1", [("probe1", samples.RESULT)]),
            ]
    return found


@fuzzed(a_file)
def test_files_of_networks(given: tuple[str, bytes]) -> None:
    feed(all_of_a_file, given)


# ---- configurations that the module writes


def a_configuration(rng: Random) -> tuple[t.Any, str]:
    return fuzzing.damaged(rng, rng.choice((samples.CONFLIST, samples.CONF))), rng.choice(("conf", "conflist"))


LINK = node.Link("br1", "bridge", 1450, ["10.12.1.1/24"], ["veth1"])


def all_of_a_configuration(given: tuple[t.Any, str]) -> t.Any:
    _options.require_text(given[0])
    network = conf.normalise("net1", *given)
    text = conf.text(network.document).encode()
    rules.check(network)
    node.check_binaries(network, lambda _kind: ["0.4.0", "1.0.0"], ["/opt/cni/bin"], [])
    found = node.check_node(network, node.Node({"br1": LINK, "up0": LINK}, "up0"), False)
    # What is written must be what a runtime reads.
    entry = loader.read_file(str(put(PLACE / "net1.conflist", text)))
    assert entry.document == json.loads(text), entry
    assert entry.error is None or given[1] == "conf", entry.error
    return found


@fuzzed(a_configuration)
def test_configurations(given: tuple[t.Any, str]) -> None:
    feed(all_of_a_configuration, given)


# ---- libcni's cache


def an_entry(rng: Random) -> bytes:
    config = rng.choice((samples.CONFLIST, samples.CONF))
    entry = samples.cached(
        fuzzing.damaged(rng, config) if rng.random() < 0.5 else config, rng.choice((samples.RESULT, samples.OLD_RESULT))
    )
    if rng.random() < 0.3:
        text = fuzzing.damaged_json(rng, config)
        entry["config"] = base64.b64encode(fuzzing.encoded(text)).decode()
    return fuzzing.encoded(fuzzing.damaged_json(rng, entry))


def all_of_an_entry(content: bytes) -> t.Any:
    put(PLACE / "cache/net1-c1-eth0", content)
    found = attachments.cache([str(PLACE / "cache")])
    for entry in found.entries:
        verdict.pairs(entry), verdict.is_alone(entry), [verdict.bare(each) for each in entry.addresses]
        consent.data_dirs([entry.config])
    stale = attachments.stale(found.entries, samples.CONFLIST)
    return found, stale, attachments.in_use(found.entries, []), verdict.judge(_case(found), _scene(found))


def _case(found: attachments.Cache) -> verdict.Case:
    case = verdict.Case("net1", "c1", entries=found.entries)
    case.addresses.update(verdict.bare(each) for entry in found.entries for each in entry.addresses)
    return case


def _scene(found: attachments.Cache) -> verdict.Scene:
    view = verdict.View([verdict.Wire("vethc1", "", 1450, "br1", False, False, 1, ["10.12.1.5"])], {}, ["br1"])
    return verdict.Scene(view, {}, {}, {"net1": {"bridge"}}, ["br1"], [], 1e9, 60)


@fuzzed(an_entry)
def test_cache_of_libcni(content: bytes) -> None:
    feed(all_of_an_entry, content)


# ---- host-local's stores


def a_store(rng: Random) -> list[tuple[bytes, bytes]]:
    names = [
        b"10.12.1.5",
        b"10.12.1.10",
        b"fd00::5",
        b"fe80::1%eth0",
        b"lock",
        b"last_reserved_ip.0",
        b"\xff\xfe",
        b"1",
    ]
    return [
        (
            rng.choice(names) if rng.random() < 0.8 else fuzzing.encoded(fuzzing.damaged_text(rng, "10.12.1.5")),
            fuzzing.damaged_bytes(rng, b"c1\r\neth0"),
        )
        for _file in range(rng.randrange(1, 5))
    ]


def all_of_a_store(files: list[tuple[bytes, bytes]]) -> t.Any:
    directory = os.fsencode(PLACE / "networks/net1")
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    for name, content in files:
        if name and len(name) < 256 and name not in (b".", b"..") and not {b"/"[0], 0} & set(name):
            with open(os.path.join(directory, name), "wb") as file:
                file.write(content)
    data_dir = str(PLACE / "networks")
    found = store.leases("net1", data_dir)
    return found, store.networks(data_dir), store.housekeeping("net1", data_dir), attachments.in_use([], found)


@fuzzed(a_store)
def test_stores_of_host_local(files: list[tuple[bytes, bytes]]) -> None:
    feed(all_of_a_store, files)


# ---- the manifest


@fuzzed(lambda rng: fuzzing.encoded(fuzzing.damaged_json(rng, samples.MANIFEST)))
def test_manifests(content: bytes) -> None:
    put(PLACE / "bin" / manifest.FILE, content)

    def read(directory: str) -> t.Any:
        found = manifest.load(directory)
        # What is in it decides what is removed: never anything outside.
        assert all(os.path.dirname(os.path.join(directory, name)) == directory for name in found.plugins)
        assert all(directory == each or directory.startswith(each.rstrip("/") + "/") for each in found.directories)
        return found.plugins, found.directories

    feed(read, str(PLACE / "bin"))


# ---- answers of plugins


class Answers:
    """A plugin that says what it is told to say."""

    def __init__(self, rng: Random) -> None:
        json_of = rng.choice((samples.RESULT, samples.OLD_RESULT, samples.VERSIONS, samples.PLUGIN_ERROR))
        self.out = (
            fuzzing.damaged_json(rng, json_of) if rng.random() < 0.9 else fuzzing.damaged_text(rng, samples.ABOUT)
        )
        self.err = rng.choice(("", fuzzing.damaged_text(rng, samples.ABOUT)))
        self.status = rng.choice((0, 0, 0, 1, 124, -11))

    def run(self, args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
        return self.status, self.out, self.err

    def __repr__(self) -> str:
        return f"status {self.status}, {self.out!r}, {self.err!r}"


def all_of_answers(given: Answers) -> t.Any:
    binary = PLACE / "answers/bridge"
    if not binary.exists():
        for kind in ("bridge", "portmap", "firewall", "tuning", "bandwidth", "calico"):
            put(binary.with_name(kind), b"").chmod(0o755)
    attachment = invoke.Attachment(samples.CONFLIST, [str(binary.parent)], "c1", "/run/netns/c1")
    obstacle = loader.obstacles(loader.speaker(given.run, [str(binary.parent)]))
    # What a plugin complains of is told as the plugin says it.
    found: list[t.Any] = [
        obstacle("bridge", "1.0.0"),
        plugins.release(given.run, str(binary)),
        [fuzzing.require_sentence(_engine.sentence(each)) for each in invoke.delete(given.run, attachment, {})],
        survey._describe(given.run, str(binary), None),
    ]
    result = invoke.add(given.run, attachment)
    found += [invoke.addresses(result), invoke.gateways(result), invoke.mac(result)]
    found += [invoke.check(given.run, attachment, result), invoke.delete(given.run, attachment, result)]
    found += [expectations.targets(samples.CONFLIST, "node1", [("probe1", result)])]
    return found


@fuzzed(Answers)
def test_answers_of_plugins(given: Answers) -> None:
    feed(all_of_answers, given)


@fuzzed(lambda rng: fuzzing.damaged_text(rng, samples.OS_RELEASE))
def test_os_release(text: str) -> None:
    feed(survey.package, text)


# ---- records of probe pods


@fuzzed(lambda rng: fuzzing.encoded(fuzzing.damaged_json(rng, samples.PROBE)))
def test_records_of_probe_pods(content: bytes) -> None:
    put(Path(records.DIRECTORY, "probe1.json"), content)
    feed(
        lambda _content: [(pods._described(each), each.returned(), each.attachment) for each in records.records()],
        content,
    )


# ---- what containerd tells of the networks that it has loaded

INFO = {
    "cniconfig": {
        "PluginDirs": ["/opt/cni/bin"],
        "PluginConfDir": "/etc/cni/net.d",
        "Networks": [
            {"Config": {"Name": "cni-loopback", "Source": "{}"}, "IFName": "lo"},
            {"Config": {"Name": "net1", "Source": json.dumps(samples.CONFLIST)}, "IFName": "eth0"},
        ],
    },
    "lastCNILoadStatus": "OK",
}


@fuzzed(lambda rng: fuzzing.damaged(rng, INFO))
def test_what_containerd_tells(info: t.Any) -> None:
    feed(lambda given: loaded.told(cri.Status({}, given if isinstance(given, dict) else {}), samples.CONFLIST), info)


# ---- release archives


def an_archive(kind: str, form: int) -> bytes:
    """A small release."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{kind}", format=form) as tar:
        for name, content in (
            ("./", None),
            ("./bridge", b"b" * 700),
            ("./" + "a" * 120, b"a"),
            ("x", b""),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.mode = (tarfile.DIRTYPE if content is None else tarfile.REGTYPE), 0o755
            member.size = len(content or b"")
            tar.addfile(member, io.BytesIO(content or b""))
    return buffer.getvalue()


ARCHIVES = [an_archive(*each) for each in itertools.product(("", "gz", "xz"), (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))]


def damaged_archive(rng: Random) -> bytes:
    """Damaged where tar has its fields, or where the packing has them."""
    data = fuzzing.damaged_bytes(rng, rng.choice(ARCHIVES))
    if rng.random() < 0.6:
        plain = bytearray(rng.choice(ARCHIVES[:2]))
        for _field in range(rng.choice((1, 2, 3))):
            block = rng.randrange(len(plain) // 512) * 512
            at, length = rng.choice(
                ((0, 100), (100, 8), (124, 12), (148, 8), (156, 1), (157, 100), (257, 8), (345, 155))
            )
            words = (b"../x", b"/x", b"0004755", b"0000644", b"1", b"2", b"7", b"x", b"L", b"S", b"\x80" + b"\xff" * 11)
            plain[block + at : block + at + length] = rng.choice(words)[:length].ljust(length, b"\0")
            if rng.random() < 0.9:
                header = bytes(plain[block : block + 148]) + b" " * 8 + bytes(plain[block + 156 : block + 512])
                plain[block + 148 : block + 156] = b"%06o\0 " % sum(header)
        data = bytes(plain) if rng.random() < 0.5 else gzip.compress(bytes(plain), 1)
    return data


def unpacked(content: bytes) -> t.Any:
    path = put(PLACE / "release.tgz", content)
    with archive.verified(str(path), "sha256:" + hashlib.sha256(content).hexdigest()) as file:
        found = archive.hashes(file, ["bridge"])
        contents = dict(archive.contents(file, ["bridge"]))
    assert {name: hashlib.sha256(each).hexdigest() for name, each in contents.items()} == found
    assert list(contents) == ["bridge"]
    return found


@fuzzed(damaged_archive)
def test_archives(content: bytes) -> None:
    feed(unpacked, content)
