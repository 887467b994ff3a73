# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several tests of the kernel's objects stand on."""

from __future__ import annotations

import pytest


@pytest.fixture
def node_with_ip(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that has the program ip, and IPv6."""
    monkeypatch.setattr("shutil.which", lambda name, **_: f"/sbin/{name}")
    monkeypatch.setattr("os.path.isdir", lambda _: True)
