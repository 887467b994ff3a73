# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module that the page about the architecture adds is put into a copy of the house, keeps its rules, and works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from examples import GUIDES, ROOT

from ansible_collections.mink8s.podnet.tests.unit import house_rules as house

FILE = re.compile(
    r"``([\w/.]+/[\w.]+)``(?:, which must be executable)?:\n\n\.\. code-block:: [\w+]+\n\n((?: {3}.*\n|\n)+)"
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the house with the page's module in it."""
    home = tmp_path_factory.mktemp("c") / "ansible_collections/mink8s/podnet"
    skip = shutil.ignore_patterns(*house.NOT_OURS, "*_cache")
    shutil.copytree(ROOT, home, ignore=skip)
    page = (GUIDES / "architecture.rst").read_text(encoding="utf-8")
    written = FILE.findall(page)
    assert len(written) == page.count(".. code-block::") - 1  # the last one is for a shell
    for name, text in written:
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).strip("\n") + "\n", encoding="utf-8")
        path.chmod(0o755 if text.lstrip().startswith("#!") and name.endswith(".sh") else 0o644)
    runtime = home / "meta/runtime.yml"
    text = runtime.read_text(encoding="utf-8")
    runtime.write_text(
        text.replace("    - mink8s.podnet.persistence", "    - mink8s.podnet.note\n    - mink8s.podnet.persistence"),
        encoding="utf-8",
    )
    return home


def run(tree: Path, *words: str, cwd: Path | None = None) -> str:
    """Run a program that finds the copy, and no other house."""
    collections = str(tree.parents[2])
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections, "PYTHONPATH": collections}
    done = subprocess.run(words, cwd=cwd or tree, env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_keeps_the_rules(tree: Path) -> None:
    assert [complaint for rule in house.RULES for complaint in rule(tree)] == []
    files = [str(path) for path in tree.rglob("*note*.py")]
    assert len(files) == 3
    run(tree, "ruff", "check", "--no-cache", *files)
    run(tree, "ruff", "format", "--check", "--no-cache", *files)


def test_its_unit_tests_pass(tree: Path) -> None:
    said = run(
        tree, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/unit/plugins/module_utils/test__note.py"
    )
    assert "2 passed" in said


def test_it_can_be_read_about(tree: Path) -> None:
    said = run(tree, "ansible-doc", "mink8s.podnet.note")
    assert "Say who looks after this node" in said
    assert "check_mode" in said


def test_it_passes_the_six_steps(tree: Path) -> None:
    target = tree / "tests/integration/targets/note"
    said = run(tree, "./runme.sh", cwd=target)
    assert re.search(r"localhost +: ok=[1-9]\d* .*failed=0", said)
