# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether somebody's saved rules will drop what is forwarded, after a boot."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._nat import boot_rules

DROP = """\
*nat
:FORWARD DROP [0:0]
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [12:3456]
:DOCKER - [0:0]
COMMIT
"""


@pytest.fixture
def enabled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files that netfilter-persistent loads, and where its unit is enabled."""
    monkeypatch.setattr(boot_rules, "SAVED", {4: str(tmp_path / "rules.v4"), 6: str(tmp_path / "rules.v6")})
    monkeypatch.setattr(boot_rules, "ENABLED", str(tmp_path / "*.wants/netfilter-persistent.service"))
    unit = tmp_path / "multi-user.target.wants/netfilter-persistent.service"
    unit.parent.mkdir()
    unit.symlink_to("/lib/systemd/system/netfilter-persistent.service")
    return unit


def test_a_policy_that_was_saved(enabled: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(DROP)
    (tmp_path / "rules.v6").write_text(DROP.replace(":FORWARD DROP [12", ":FORWARD ACCEPT [12"))
    assert boot_rules.drops(4)
    assert not boot_rules.drops(6)
    enabled.rename(enabled.with_name("netfilter-persistent10.service"))
    assert not boot_rules.drops(4)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\n*nat\n:FORWARD DROP [0:0]\nCOMMIT\n", b"*filter\n:FORWARD10 DROP [0:0]\n"]
)
@pytest.mark.usefixtures("enabled")
def test_other_files_drop_nothing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_bytes(content)
    assert not boot_rules.drops(4)


@pytest.mark.usefixtures("enabled")
def test_what_is_no_file_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "rules.v4").mkdir()
    assert not boot_rules.drops(4)
    assert not boot_rules.drops(6)
