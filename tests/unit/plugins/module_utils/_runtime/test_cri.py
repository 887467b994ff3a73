# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls over a socket, and what runtimes answer; containerd itself is asked in the integration target cni_runtime."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import cri, grpc
from ansible_collections.mink8s.podnet.tests.unit.plugins.module_utils._runtime.cri_server import STATUS, serving


def inner(number: int, *parts: bytes) -> bytes:
    """A message within a message."""
    body = b"".join(parts)
    return grpc.text_field(number, body.decode())


def sandbox(identifier: str, name: str, *more: bytes) -> bytes:
    names = inner(2, grpc.text_field(1, name), grpc.text_field(2, "uid"), grpc.text_field(3, "dns"))
    return inner(1, grpc.text_field(1, identifier), names, *more)


def test_numbers_and_texts() -> None:
    long = "é" * 300
    message = grpc.number_field(1, 300) + grpc.text_field(2, long) + b"\x19" + b"8" * 8 + b"\x25" + b"4" * 4
    assert grpc.fields(message) == [(1, 300), (2, long.encode()), (3, b"8" * 8), (4, b"4" * 4)]
    assert grpc.texts(message)[2] == long
    for broken in (b"\x08", b"\x0b\x00", b"\xff"):
        with pytest.raises(grpc.GrpcError, match="the answer is no message"):
            grpc.fields(broken)


def test_status(tmp_path: Path) -> None:
    config = {"PluginDirs": ["/opt/cni/bin"]}
    ready = inner(1, grpc.text_field(1, "RuntimeReady"), grpc.number_field(2, 1))
    broken = inner(1, grpc.text_field(1, "NetworkReady"), grpc.text_field(3, "NotReady"), grpc.text_field(4, "no net"))
    info = [
        inner(2, grpc.text_field(1, key), grpc.text_field(2, text))
        for key, text in [("cniconfig", json.dumps(config)), ("last", "OK")]
    ]
    asked = []

    def answer(method: str, message: bytes) -> bytes:
        asked.append((method, message))
        return inner(1, ready, broken) + b"".join(info)

    with serving(tmp_path / "sock", answer):
        found = cri.status(str(tmp_path / "sock"))
    assert asked == [("/runtime.v1.RuntimeService/Status", b"\x08\x01")]
    assert found.conditions == {"RuntimeReady": None, "NetworkReady": "NotReady: no net"}
    assert found.info == {"cniconfig": config, "last": "OK"}


def test_a_runtime_that_knows_only_the_older_version(tmp_path: Path) -> None:
    asked = []

    def answer(method: str, message: bytes) -> bytes | None:
        asked.append(method)
        if not method.startswith("/runtime.v1alpha2."):
            return None
        return sandbox("abc", "one") + sandbox("def", "two", grpc.number_field(3, 1)) if "List" in method else b""

    path = str(tmp_path / "sock")
    with serving(tmp_path / "sock", answer):
        found, problems = cri.sandboxes([path, str(tmp_path / "none")])
        assert problems == []
        assert found == [cri.Sandbox("abc", "dns/one", True, path), cri.Sandbox("def", "dns/two", False, path)]
        cri.remove(found[0], 5)
    assert asked == [
        f"/runtime.{version}.RuntimeService/{method}"
        for method in ("ListPodSandbox", "StopPodSandbox", "RemovePodSandbox")
        for version in ("v1", "v1alpha2")
    ]


def test_a_runtime_that_refuses(tmp_path: Path) -> None:
    with serving(tmp_path / "sock", lambda _method, _message: None):
        with pytest.raises(
            PodnetError, match=r"sock: Status of the container runtime fails \(the call was refused\); see"
        ):
            cri.status(str(tmp_path / "sock"))
        # It may be a runtime that is none of ours: what it has is not known.
        assert cri.sandboxes([str(tmp_path / "sock")]) == ([], [])


def test_a_runtime_that_does_not_answer_is_told(tmp_path: Path) -> None:
    left = str(tmp_path / "left")
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(left)
    with serving(tmp_path / "sock", lambda _method, _message: b"\xff"):
        found = cri.sandboxes([left, str(tmp_path / "sock")])
    assert found.sandboxes == []
    assert [str(problem).partition(" (")[0] for problem in found.problems] == [
        f"{tmp_path}/sock: the container runtime is not understood"
    ]


def test_only_a_call_that_is_not_known_means_that_nobody_serves_the_cri(tmp_path: Path) -> None:
    """cri-dockerd answers so while dockerd is down; its pods are there all the same."""
    path = str(tmp_path / "sock")
    with serving(tmp_path / "sock", lambda method, _message: 14 if ".v1." in method else None):
        found = cri.sandboxes([path])
    assert found.sandboxes == []
    (problem,) = found.problems
    assert str(problem).startswith(
        f"{path}: ListPodSandbox of the container runtime fails (its answer is gRPC status 14, unavailable); see "
    )


def test_what_the_version_that_is_served_says_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def call(_path: str, method: str, _message: bytes, _timeout: float) -> bytes:
        raise grpc.GrpcError("no answer") if "v1alpha2" in method else grpc.UnservedError("the call was refused")

    monkeypatch.setattr(grpc, "call", call)
    with pytest.raises(PodnetError, match=r"fails \(no answer\)") as caught:
        cri.status("/sock")
    assert not isinstance(caught.value, cri.UnservedError)


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(PodnetError, match=r"none: Status of .* fails \(No such file or directory\)"):
        cri.status(str(tmp_path / "none"))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "deaf"))
        listening.listen()
        with pytest.raises(grpc.GrpcError, match="no answer within 0 seconds"):
            grpc.call(str(tmp_path / "deaf"), "/a/b", b"", timeout=0.1)


def test_a_sandbox_whose_network_cannot_be_taken_down_at_first_is_asked_twice(tmp_path: Path) -> None:
    asked = []

    def answer(method: str, message: bytes) -> bytes | None:
        asked.append(method.rpartition("/")[2])
        return None if asked.count("StopPodSandbox") <= len(cri.VERSIONS) else b""

    with serving(tmp_path / "sock", answer):
        cri.remove(cri.Sandbox("abc", "dns/one", True, str(tmp_path / "sock")), 5)
    assert asked == ["StopPodSandbox"] * 3 + ["RemovePodSandbox"]


def over(data: bytes) -> bytes:
    """What a runtime's bytes mean."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(1)
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        return grpc._answer(ours, time.monotonic() + 1)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (grpc._frame(grpc.DATA, grpc.PADDED | grpc.END_STREAM, 1, b""), None),
        (b"\x00\x40\x01" + bytes(6), "is not HTTP/2"),
        (b"", "was closed"),
        (grpc._frame(grpc.HEADERS, grpc.END_STREAM, 1, b"\x88" + STATUS + b"\x0213"), "status 13, internal"),
        (
            grpc._frame(
                grpc.HEADERS,
                grpc.END_STREAM | grpc.PADDED | grpc.PRIORITY,
                1,
                b"\2" + bytes(5) + STATUS + b"\x012" + b"\0\0",
            ),
            "status 2, unknown",
        ),
        # It has not answered all of it.
        (
            grpc._frame(grpc.DATA, 0, 1, bytes(5)) + grpc._frame(grpc.HEADERS, grpc.END_STREAM, 1, STATUS + b"\x018"),
            "status 8, resource exhausted",
        ),
    ],
)
def test_frames_that_no_runtime_sends(data: bytes, says: str | None) -> None:
    if says is None:
        assert over(data) == b""
        return
    with pytest.raises(grpc.GrpcError, match=says):
        over(data)


@pytest.mark.parametrize("message", [b"\x80" * 4_000_000, b"\x0a\x05abc", b"\x0f", b"\x08"])
def test_what_is_no_message(message: bytes) -> None:
    with pytest.raises(grpc.GrpcError, match="no message"):
        grpc.fields(message)
    with (
        pytest.raises(PodnetError, match=r"^/run/x.sock: the container runtime is not understood"),
        cri._understood("/run/x.sock"),
    ):
        cri._status(message)


def test_an_answer_that_says_neither_a_message_nor_a_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = grpc._answer
    monkeypatch.setattr(grpc, "_answer", lambda *args: answer(*args)[:0])
    with serving(tmp_path / "sock", lambda _method, _message: b""):
        assert [str(each).partition("(")[2][:24] for each in cri.sandboxes([str(tmp_path / "sock")]).problems] == [
            "the answer is no message"
        ]


def test_a_runtime_that_sends_a_byte_now_and_then_is_not_waited_for() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"\0" * 5)
        ours.settimeout(10)
        with pytest.raises(socket.timeout):  # TimeoutError itself from Python 3.10 on
            grpc._receive(ours, 9, time.monotonic() - 1)
