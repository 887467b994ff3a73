# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the page is written if nobody says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.action import report_page
from ansible_collections.mink8s.podnet.plugins.action.report_page import _path, _plain
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import converge


@pytest.mark.parametrize(
    ("directory", "sources", "page"),
    [
        ("/home/me/my-cluster", ["/home/me/my-cluster/hosts.yml"], "/home/me/my-cluster/podnet-report.html"),
        ("/home/me/my-cluster", ["/home/me/my-cluster"], "/home/me/podnet-report-my-cluster.html"),
        ("/home/me/my-cluster", ["my-cluster/"], "/home/me/podnet-report-my-cluster.html"),
        ("/home/me/all/my-cluster", ["/home/me/all"], "/home/me/podnet-report-all.html"),
        ("/home/me/my-cluster", ["/home/me/my", "node1,"], "/home/me/my-cluster/podnet-report.html"),
        ("/home/me/my-cluster", [], "/home/me/my-cluster/podnet-report.html"),
        ("None", ["node1,"], "/home/me/podnet-report.html"),
    ],
)
def test_ansible_does_not_read_the_page_as_an_inventory(
    directory: str, sources: list[str], page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getcwd", lambda: "/home/me")
    variables = {"inventory_dir": directory, "ansible_inventory_sources": sources}
    assert _path(None, variables) == page
    assert _path("/srv/a.html", variables) == "/srv/a.html"


def test_without_sources(tmp_path: Path) -> None:
    assert _path(None, {"inventory_dir": str(tmp_path)}) == str(tmp_path / "podnet-report.html")


def test_a_report_that_is_larger_than_an_old_one_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was written, failed when it was read again, and stood in the way of every later one."""
    monkeypatch.setattr(report_page, "LARGE", 10)
    path = str(tmp_path / "report.json")
    for text in ("a" * 30, "a" * 20, "a" * 5):
        assert converge(report_page.Report({path: text}), check_mode=False)["changed"]
        assert not converge(report_page.Report({path: text}), check_mode=False)["changed"]


def test_what_is_no_json_is_null() -> None:
    assert _plain({"a": [float("nan"), float("inf"), -float("inf"), 1.5], "b": Path("/x")}) == {
        "a": [None, None, None, 1.5],
        "b": "/x",
    }
