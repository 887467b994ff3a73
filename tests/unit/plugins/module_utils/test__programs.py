# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _programs
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError


class Busy:
    """A module on a node that is too busy, some times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.options: dict[str, t.Any] = {}

    def run_command(self, args: list[str], **options: t.Any) -> tuple[int, str, str]:
        self.options = options
        self.times -= 1
        if self.times >= 0 and not options["handle_exceptions"]:
            raise BrokenPipeError
        return 0, " ".join(args), ""


@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_program_that_is_gone_before_its_input_came_is_asked_again(times: int) -> None:
    module = Busy(times)
    assert _programs.runner(t.cast("t.Any", module))(["plugin", "$HOME"], "{}") == (0, "plugin $HOME", "")
    assert module.options["data"] == "{}"
    assert module.options["environ_update"]["LC_ALL"] == "C"
    # A path with a dollar sign or a tilde is that path.
    assert module.options["expand_user_and_vars"] is False


def test_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert _programs.find("sh", "dash") in ("/usr/bin/sh", "/bin/sh")
    assert _programs.which("sh.") is None
    with pytest.raises(PodnetError, match=r"^shh: there is no such program on the node; install the package dash$"):
        _programs.find("shh", "dash")


def test_a_program_reads_its_input_whole() -> None:
    text = "0123456789\n" * 20000
    with _programs.input_file(text) as path:
        assert subprocess.run(["cat", path], capture_output=True, text=True, check=True).stdout == text
    assert not Path(path).exists()


@pytest.mark.parametrize(
    "complaint",
    [
        "Another app is currently holding the xtables lock; waiting for it to exit...",
        "Can't lock /run/xtables.lock: Resource temporarily unavailable",
    ],
)
def test_a_lock_of_others_is_not_taken_for_a_missing_kernel_module(complaint: str) -> None:
    error = _programs.refusal(["iptables-restore"], complaint)
    assert str(error).endswith("(lslocks shows who), so run this again when it has ended")


def test_a_directory_that_we_are_started_in_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nft").touch(0o755)
    monkeypatch.chdir(tmp_path)
    for path in (".", "", ":.:", "bin"):
        monkeypatch.setenv("PATH", path)
        assert _programs.which("nft") != "./nft"
        assert all(each.startswith("/") for each in _programs.search_path().split(":"))
        module = Busy(0)
        assert _programs.runner(module)(["sh", "-c"])[1].startswith("/")  # type: ignore[arg-type]
        assert module.options["environ_update"]["PATH"] == _programs.search_path()
    monkeypatch.setenv("PATH", f"{tmp_path}:.")
    assert _programs.which("nft") == str(tmp_path / "nft")
