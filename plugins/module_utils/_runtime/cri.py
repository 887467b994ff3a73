# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The Container Runtime Interface of the node: what a runtime says of itself, its pods, and how one is ended.

containerd, CRI-O, cri-dockerd and the Docker shim of old kubelets all serve it, each on a socket of its own.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _json
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import grpc

#: Newest first; the messages that are used here are the same in both.
VERSIONS = ("runtime.v1", "runtime.v1alpha2")

#: Where runtimes listen unless they are told otherwise.
SOCKETS = (
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
    "/run/dockershim.sock",
)


class UnservedError(PodnetError):
    """A socket with nobody, or somebody else, behind it."""


class Status(t.NamedTuple):
    """What a runtime says of itself: its conditions by type (a reason where one is not true), and its details."""

    conditions: t.Dict[str, t.Optional[str]]
    info: t.Dict[str, t.Any]


class Sandbox(t.NamedTuple):
    """A pod as a runtime knows it: the sandbox that is attached to the network."""

    id: str
    pod: str
    ready: bool
    socket: str


def status(socket: str) -> Status:
    """Ask a runtime how it is, with details."""
    answer = _call(socket, "Status", grpc.number_field(1, 1))
    with _understood(socket):
        return _status(answer)


def _status(answer: bytes) -> Status:
    conditions: dict[str, t.Optional[str]] = {}
    info: dict[str, t.Any] = {}
    for number, value in grpc.fields(answer):
        if number == 1 and isinstance(value, bytes):
            conditions = dict(_condition(entry) for _one, entry in grpc.fields(value) if isinstance(entry, bytes))
        elif number == 2 and isinstance(value, bytes):
            pair = grpc.texts(value)
            info[pair.get(1, "")] = _parsed(pair.get(2, ""))
    return Status(conditions, info)


class Listing(t.NamedTuple):
    """The pods of every runtime that has answered, and why others have not."""

    sandboxes: t.List[Sandbox]
    problems: t.List[PodnetError]


def sandboxes(sockets: t.Iterable[str] = SOCKETS) -> Listing:
    """Ask every runtime that listens for its pods; where nobody serves the CRI, there are none."""
    found = Listing([], [])
    for socket in filter(os.path.exists, sockets):
        try:
            found.sandboxes.extend(_sandboxes(socket))
        except UnservedError:
            continue
        except PodnetError as error:
            found.problems.append(error)
    return found


def _sandboxes(socket: str) -> list[Sandbox]:
    with _understood(socket):
        answer = grpc.fields(_call(socket, "ListPodSandbox", b""))
        items = [value for number, value in answer if number == 1 and isinstance(value, bytes)]
        return [_sandbox(item, socket) for item in items]


def remove(sandbox: Sandbox, timeout: float) -> None:
    """End a pod: its containers, its attachment to the network, and what is left of it."""
    which = grpc.text_field(1, sandbox.id)
    try:
        _call(sandbox.socket, "StopPodSandbox", which, timeout)
    except PodnetError:
        # A Docker shim detaches by the configuration of now, and a plugin may not find what that pod never had, such
        # as the chain of ipMasq.  The sandbox is stopped all the same, and asked again there is nothing to detach.
        _call(sandbox.socket, "StopPodSandbox", which, timeout)
    _call(sandbox.socket, "RemovePodSandbox", which, timeout)


def _call(socket: str, method: str, message: bytes, timeout: float = 10.0) -> bytes:
    problems: list[grpc.GrpcError] = []
    for version in VERSIONS:
        try:
            return grpc.call(socket, f"/{version}.RuntimeService/{method}", message, timeout)
        except grpc.GrpcError as error:
            problems.append(error)
    # Who knows one version only refuses the other one.
    served = [error for error in problems if not isinstance(error, grpc.UnservedError)]
    reason = [*served, *problems][0]
    raise (PodnetError if served else UnservedError)(
        f"{socket}: {method} of the container runtime fails ({reason}); see the runtime's journal"
    )


@contextlib.contextmanager
def _understood(socket: str) -> t.Iterator[None]:
    """Turn what is no message into a sentence."""
    try:
        yield
    except grpc.GrpcError as error:
        raise PodnetError(f"{socket}: the container runtime is not understood ({error}); see its journal") from error


def _condition(message: bytes) -> tuple[str, t.Optional[str]]:
    words = grpc.texts(message)
    true = any(number == 2 and value for number, value in grpc.fields(message))
    return words.get(1, ""), None if true else f"{words.get(3, '')}: {words.get(4, '')}"


def _sandbox(message: bytes, socket: str) -> Sandbox:
    parts = dict(grpc.fields(message))
    metadata = parts.get(2, b"")
    names = grpc.texts(metadata) if isinstance(metadata, bytes) else {}
    return Sandbox(
        id=grpc.texts(message).get(1, ""),
        pod=f"{names.get(3, '')}/{names.get(1, '')}",
        # SANDBOX_READY is 0, which is left out of a message.
        ready=parts.get(3, 0) == 0,
        socket=socket,
    )


def _parsed(text: str) -> t.Any:
    try:
        return _json.parse(text)
    except ValueError:
        return text
