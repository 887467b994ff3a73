# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad units, environment files, help texts, TOML, and answers over the sockets of runtimes and of dockerd."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import threading
import time
import typing as t
from pathlib import Path

import fuzzing
import ground
import pytest
import samples
from fuzzing import Random, feed, fuzzed

from ansible_collections.mink8s.podnet.plugins.module_utils import _units, _words
from ansible_collections.mink8s.podnet.plugins.module_utils._docker import api, checks, options
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import (
    containerd,
    cri,
    flagged,
    goflags,
    grpc,
    reader,
    survey,
    toml,
)

PLACE = ground.PLACE / "fuzz-runtime"
PLACES = reader.Places("/etc/cni/net.d", ["/opt/cni/bin"])
SECTION = 'plugins."io.containerd.grpc.v1.cri".cni'


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(fuzzing.encoded(text))
    return path


@pytest.fixture(autouse=True)
def _units_are_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_units, "UNIT_DIRS", (str(PLACE / "units"),))
    monkeypatch.setattr(flagged, "ETC", str(PLACE / "units"))
    for name in ("kubelet", "containerd", "cri-dockerd"):
        put(PLACE / "bin" / name, "").chmod(0o755)


# ---- units and what is started with them


def a_node(rng: Random) -> dict[str, str]:
    unit = samples.UNIT.replace("/usr/bin", str(PLACE / "bin")).replace("/etc/default", str(PLACE))
    texts = {"unit": unit, "drop-in": samples.UNIT, "environment": samples.ENVIRONMENT, "help": samples.HELP}
    for name in rng.sample(sorted(texts), rng.choice((1, 1, 2))):
        texts[name] = fuzzing.damaged_text(rng, texts[name])
    if rng.random() < 0.7:
        del texts["drop-in"]
    return texts


def all_of_a_kubelet(texts: dict[str, str]) -> t.Any:
    unit = PLACE / "units/kubelet.service"
    put(unit, texts["unit"])
    drop_in = PLACE / "units/kubelet.service.d/10-kubeadm.conf"
    put(drop_in, texts["drop-in"]) if "drop-in" in texts else drop_in.unlink(missing_ok=True)
    put(PLACE / "kubelet", texts["environment"])

    def run(args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
        return 0, texts["help"], ""

    loaded = _units.load("kubelet.service")
    found = flagged.find(flagged.KUBELET, run, PLACES)
    return found, flagged.endpoint(run), [flag.value for flag in options.flags(loaded.words).values()]


@fuzzed(a_node)
def test_units_of_the_kubelet(texts: dict[str, str]) -> None:
    feed(all_of_a_kubelet, texts)


@fuzzed(lambda rng: fuzzing.damaged_text(rng, samples.UNIT + samples.ENVIRONMENT))
def test_words_and_variables(text: str) -> None:
    def read(given: str) -> t.Any:
        variables = {name: _words.Word(value, "x") for name, value in _words.variables(given).items()}
        words = [_words.Word(word, "x") for word in _words.split(given)]
        return list(_units.settings(given)), _words.expand(words, variables), goflags.of_help(given)

    feed(read, text)


# ---- TOML


def some_toml(rng: Random) -> str:
    return fuzzing.damaged_text(rng, samples.CONTAINERD)


def all_of_toml(text: str) -> t.Any:
    before = toml.restore(text)
    found = [toml.sections(text), toml.is_edited(text), containerd._original(text), containerd._parsed(text)]
    edited = toml.edit(before, SECTION, {"bin_dirs": ["/a", "/b"], "conf_dir": "/c"})
    if not toml.is_edited(before):
        assert toml.restore(edited) == before, "what is edited is not given back"
    return found, edited


@fuzzed(some_toml)
def test_toml(text: str) -> None:
    feed(all_of_toml, text, toml.TomlError)


def all_of_containerd(given: tuple[str, str]) -> t.Any:
    text, dump = given
    put(
        PLACE / "units/containerd.service",
        f"[Service]\nExecStart={PLACE}/bin/containerd --config {PLACE}/config.toml\n",
    )
    put(PLACE / "config.toml", text)

    def run(args: list[str], data: t.Optional[str] = None) -> tuple[int, str, str]:
        return 0, dump, ""

    return containerd.find(run, PLACES, None)


@fuzzed(lambda rng: (some_toml(rng), rng.choice((samples.CONTAINERD, some_toml(rng)))))
def test_containerd(given: tuple[str, str]) -> None:
    feed(all_of_containerd, given)


@fuzzed(lambda rng: fuzzing.damaged_text(rng, samples.CRIO))
def test_crio(text: str) -> None:
    feed(survey.crio_keys, text)


# ---- the container runtime interface


def _bytes(number: int, data: bytes) -> bytes:
    return grpc._varint(number << 3 | 2) + grpc._varint(len(data)) + data


CONDITION = _bytes(1, b"NetworkReady") + grpc.number_field(2, 0) + _bytes(3, b"NotReady") + _bytes(4, b"no network")
CNI = json.dumps({"PluginDirs": ["/opt/cni/bin"], "PluginConfDir": "/etc/cni/net.d", "Networks": None}).encode()
STATUS = _bytes(1, _bytes(1, CONDITION)) + _bytes(2, _bytes(1, b"cniconfig") + _bytes(2, CNI))
SANDBOX = _bytes(1, b"c1") + _bytes(2, _bytes(1, b"coredns-0") + _bytes(3, b"dns")) + grpc.number_field(3, 0)
PODS = _bytes(1, SANDBOX) * 3


def frames(message: bytes) -> bytes:
    """An answer as a runtime sends it: settings, headers, data, trailers."""
    body = b"\0" + struct.pack("!I", len(message)) + message
    return b"".join(
        (
            grpc._frame(grpc.SETTINGS, 0, 0, b""),
            grpc._frame(grpc.SETTINGS, grpc.ACK, 0, b""),
            grpc._frame(grpc.PING, 0, 0, b"12345678"),
            grpc._frame(grpc.HEADERS, grpc.END_HEADERS, 1, b"\x88"),
            grpc._frame(grpc.DATA, 0, 1, body),
            grpc._frame(grpc.HEADERS, grpc.END_HEADERS | grpc.END_STREAM, 1, b"\x88"),
        )
    )


class Connection:
    """A socket whose other end has said all that it will say."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def recv(self, length: int) -> bytes:
        found, self.data = self.data[:length], self.data[length:]
        return found

    def sendall(self, _data: bytes) -> None:
        """It does not listen."""


def an_answer(rng: Random) -> bytes:
    message = rng.choice((STATUS, PODS))
    message = fuzzing.damaged_bytes(rng, message) if rng.random() < 0.7 else message
    return fuzzing.damaged_bytes(rng, frames(message)) if rng.random() < 0.5 else frames(message)


def all_of_an_answer(data: bytes) -> t.Any:
    body = grpc._answer(t.cast(socket.socket, Connection(data)), time.monotonic() + 5)
    message = body[5:]
    with cri._understood("/run/x.sock"):
        found = cri._status(message)
        items = [value for number, value in grpc.fields(message) if number == 1 and isinstance(value, bytes)]
        return found, [cri._sandbox(item, "/run/x.sock") for item in items]


@fuzzed(an_answer)
def test_answers_of_runtimes(data: bytes) -> None:
    feed(all_of_an_answer, data, grpc.GrpcError)


# ---- whoever listens at a socket may say anything, at any time


@contextlib.contextmanager
def listening(path: Path, say: t.Callable[[socket.socket], None]) -> t.Iterator[None]:
    """Listen at a path, and say something to everybody who comes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = server.accept()
                with connection, contextlib.suppress(OSError):
                    say(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def for_ever(piece: bytes, pause: float = 0.0) -> t.Callable[[socket.socket], None]:
    def say(connection: socket.socket) -> None:
        while True:
            connection.sendall(piece)
            time.sleep(pause)

    return say


ENDLESS = {
    "settings": for_ever(grpc._frame(grpc.SETTINGS, 0, 0, b"")),
    "data of another stream": for_ever(grpc._frame(grpc.DATA, 0, 3, b"x" * 16000)),
    "data": for_ever(grpc._frame(grpc.DATA, 0, 1, b"x" * 16000)),
    "a byte now and then": for_ever(b"\0", 0.02),
    "a frame that is too long": for_ever(b"\xff\xff\xff\0\0\0\0\0\1" + b"x" * 60000),
    "nothing": lambda _connection: time.sleep(2),
}


@pytest.mark.parametrize("how", ENDLESS)
def test_a_runtime_that_does_not_come_to_an_end(how: str) -> None:
    path = PLACE / "cri.sock"
    with listening(path, ENDLESS[how]):
        started = time.monotonic()
        with pytest.raises(grpc.GrpcError):
            grpc.call(str(path), "/runtime.v1.RuntimeService/Status", b"", timeout=0.5)
        assert time.monotonic() - started < 10


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DOCKERDS = {
    "a body without an end": lambda connection: (
        connection.sendall(HEAD + b"\r\n"),
        for_ever(b" " * 60000)(connection),
    ),
    "chunks": lambda connection: (
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
        for_ever(b"a\r\n0123456789\r\n")(connection),
    ),
    "a long length": lambda connection: connection.sendall(HEAD + b"Content-Length: 99999999999999\r\n\r\n{}"),
    "deep": lambda connection: connection.sendall(HEAD + b"\r\n" + b"[" * 100000),
    "headers": for_ever(b"HTTP/1.1 200 OK\r\nA: b\r\n"),
    "a line": for_ever(b"x" * 60000),
    "a byte now and then": lambda connection: (connection.sendall(HEAD + b"\r\n"), for_ever(b" ", 0.02)(connection)),
}


@pytest.mark.parametrize("how", DOCKERDS)
def test_a_dockerd_that_says_anything(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = PLACE / "docker.sock"
    monkeypatch.setattr(api, "SOCKET", str(path))
    monkeypatch.setattr(api, "TIMEOUT", 0.5)
    with listening(path, DOCKERDS[how]):
        started = time.monotonic()
        assert api.info() == {}
        assert time.monotonic() - started < 10


class Reply:
    """What http.client reads from."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def makefile(self, _mode: str) -> t.Any:
        import io  # noqa: PLC0415

        return io.BytesIO(self.data)


@fuzzed(lambda rng: fuzzing.damaged_bytes(rng, HEAD + b'Content-Length: 27\r\n\r\n{"LiveRestoreEnabled": true}'))
def test_answers_of_dockerd(data: bytes) -> None:
    def read(given: bytes) -> t.Any:
        response = http.client.HTTPResponse(t.cast(t.Any, Reply(given)))
        response.begin()
        return api._json.parse(api._body(response, time.monotonic() + 1))

    feed(read, data, http.client.HTTPException, ValueError)


def test_the_unit_of_docker_is_read_as_others_are() -> None:
    put(
        PLACE / "units/docker.service",
        "[Service]\nExecStart=/usr/bin/dockerd -H fd:// $OPTS\nEnvironment=OPTS=--icc=false\n",
    )
    assert checks.flags(checks.unit(), None)["icc"].value == "false"
