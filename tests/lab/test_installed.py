# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's archive, installed into an empty directory: all playbooks from there.  `make cores` runs it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, Lab

#: What ansible-core says of what it will refuse some day; `make cores` asks the newest one.
COMPLAINTS = ("[DEPRECATION WARNING]", "[ERROR]")


@pytest.fixture
def installed(lab: Lab) -> Lab:
    """A controller that has nothing but the archive's content."""
    home, collections = lab.directory / "home", lab.directory / "collections"
    home.mkdir()
    build = [str(ROOT / "tests/tools/build.sh"), str(lab.directory)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    del lab.environment["ANSIBLE_COLLECTIONS_PATH"]
    lab.environment |= {"HOME": str(home), "ANSIBLE_COLLECTIONS_PATH": str(collections)}
    lab.environment.pop("PYTHONPATH", None)
    lab.start, lab.playbooks = home, "mink8s.podnet.{}"
    archive = str(next(lab.directory.glob("mink8s-podnet-*.tar.gz")))
    done = lab.command("ansible-galaxy", "collection", "install", "--offline", "-p", str(collections), archive)
    assert done.returncode == 0, done.stdout + done.stderr
    return lab


def test_all_playbooks(installed: Lab) -> None:
    installed.create(2)
    nodes = installed.snapshot()
    for playbook, args, changes in (
        ("site", ["--check", "--diff"], True),
        ("site", [], True),
        ("site", [], False),
        ("verify", [], False),
        ("drift", [], False),
        ("report", [], False),
        ("reset", [], True),
    ):
        played = installed.play(playbook, *args)
        assert played.status == 0, played.output
        assert all((counts["changed"] > 0) is changes for counts in played.recap.values()), played.output
        assert [word for word in COMPLAINTS if word in played.output] == [], played.output
        assert {"node1", "node2"} == played.recap.keys() - {"localhost"}, played.output
    installed.require(nodes)


def test_each_module_can_be_read_about(installed: Lab) -> None:
    """As a newcomer does it, from the list to a page."""
    listed = installed.command("ansible-doc", "--list", "mink8s.podnet")
    modules = sorted(line.split()[0] for line in listed.stdout.splitlines())
    assert modules == sorted(f"mink8s.podnet.{path.stem}" for path in Path(ROOT, "plugins/modules").glob("*.py"))
    pages = installed.command("ansible-doc", *modules)
    assert pages.returncode == 0, pages.stderr
    assert pages.stdout.count("EXAMPLES:") == len(modules)
