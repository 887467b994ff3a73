# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The threat model is one page, and each of its claims names tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/docsite/rst/security.rst"
TEST = re.compile(r"``([a-z0-9_/]+\.py)::(\w+)``")
#: A page has no more words.
WORDS = 1000


def claims(text: str) -> dict[int, str]:
    """The numbered claims of the page."""
    part = text.partition("What is protected\n")[2].partition("What is not protected\n")[0]
    return {int(number): words for number, words in re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", part, re.M | re.S)}


def names(path: Path) -> set[str]:
    """What pytest collects of a file, but for what is skipped: functions, classes, and classes that were assigned."""
    return collected(path.read_text(encoding="utf-8")) if path.name.startswith("test_") else set()


def collected(text: str) -> set[str]:
    """The names of the tests of such a file."""
    found = set()
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            prefix = "test_" if isinstance(node, ast.FunctionDef) else "Test"
            skipped = any("skip" in ast.unparse(each) for each in node.decorator_list)
            found |= {node.name} if node.name.startswith(prefix) and not skipped else set()
        elif isinstance(node, ast.Assign) and ast.unparse(node.value).endswith(".TestCase"):
            found |= {each.id for each in node.targets if isinstance(each, ast.Name) and each.id.startswith("Test")}
    return found


CLAIMS = claims(PAGE.read_text(encoding="utf-8"))


def test_they_are_numbered_from_one_on() -> None:
    assert list(CLAIMS) == list(range(1, len(CLAIMS) + 1))
    assert len(CLAIMS) >= 9


@pytest.mark.parametrize("number", CLAIMS)
def test_each_names_tests_that_there_are(number: int) -> None:
    tests = TEST.findall(CLAIMS[number])
    assert tests
    for path, name in tests:
        assert name in names(ROOT / "tests" / path), f"{path} has no {name}"


def test_what_is_not_protected_is_told() -> None:
    assert PAGE.read_text(encoding="utf-8").partition("What is not protected\n")[2].count("\n* ") >= 5


def test_it_is_one_page() -> None:
    text = TEST.sub("", PAGE.read_text(encoding="utf-8").partition("Security\n")[2])
    assert len(text.split()) < WORDS


def test_what_pytest_does_not_collect_is_no_test() -> None:
    text = """
class Machine: pass
TestMachine = Machine.TestCase
Other = Machine.TestCase
TestNumber = 5
class TestPlain: pass
def test_it(): pass
def helper(): pass
@pytest.mark.skip
def test_later(): pass
"""
    assert collected(text) == {"TestMachine", "TestPlain", "test_it"}
    assert names(ROOT / "tests/unit/house_rules.py") == set()


def test_a_claim_without_a_test_is_noticed() -> None:
    found = claims("What is protected\n-----\n\n1. **a** b.\n   ``x/y.py::test_z``\n2. c.\n\nWhat is not protected\n")
    assert {number: TEST.findall(words) for number, words in found.items()} == {1: [("x/y.py", "test_z")], 2: []}
