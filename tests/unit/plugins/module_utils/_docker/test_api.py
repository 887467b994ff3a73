# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a dockerd says of itself over its socket; or none, or something else that listens there."""

from __future__ import annotations

import http.server
import socketserver
import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._docker import api


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one question."""

    answer = b""
    asked: t.ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.answer)

    def address_string(self) -> str:
        return "socket"

    def log_message(self, *_args: t.Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("answer", "found"),
    [(b'{"LiveRestoreEnabled": true}', {"LiveRestoreEnabled": True}), (b"[1]", {}), (b"<html>", {}), (b"\xff", {})],
)
def test_what_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, found: t.Any) -> None:
    monkeypatch.setattr(api, "SOCKET", str(tmp_path / "s"))
    monkeypatch.setattr(Handler, "answer", answer)
    with socketserver.UnixStreamServer(str(tmp_path / "s"), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert api.info() == found
    assert Handler.asked[-1] == "/info"


def test_nobody_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "SOCKET", str(tmp_path / "s"))
    assert api.info() == {}
    (tmp_path / "s").write_text("a file")
    assert api.info() == {}
