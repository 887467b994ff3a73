# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock file: written, read, broken in every way, and used by two at once."""

from __future__ import annotations

import typing as t
from multiprocessing import get_context
from pathlib import Path

import pytest
import yaml

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _lockfile
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._subnets import Book

BOOK = Book(
    [("10.12.0.0/16", 24), ("fd00:12::/48", 64)],
    {"node1": ["10.12.0.0/24", "fd00:12::/64"], "node10": ["10.12.1.0/24", "fd00:12:0:1::/64"]},
)

TEXT = """\
pod_cidrs:
  vars:
    cluster_cidrs: [10.12.0.0/16, "fd00:12::/48"]
    node_prefix: 24
    node_prefix_ipv6: 64
    nodes:
      node1: [10.12.0.0/24, "fd00:12::/64"]
      node10: [10.12.1.0/24, "fd00:12:0:1::/64"]
"""


def test_one_host_per_line() -> None:
    assert _lockfile.render(BOOK) == _lockfile.HEADER + TEXT


def test_what_was_written_is_read() -> None:
    assert _lockfile.parse("/l", _lockfile.render(BOOK)) == BOOK


@pytest.mark.parametrize(
    "name",
    [
        "yes",
        "Null",
        "1",
        "1e3",
        "10.0.0.1",
        "fd00::1",
        "a b",
        "ä",
        '"',
        "~",
        "n",
        "a:b",
        "-",
        "#",
        "h" * 1000,
        '\\"',
        "😀",
    ],
)
def test_every_host_name_is_text_to_every_yaml_reader(name: str) -> None:
    book = Book([("10.12.0.0/16", 24)], {name: ["10.12.0.0/24"]})
    text = _lockfile.render(book)
    assert _lockfile.parse("/l", text) == book
    assert yaml.safe_load(text)["pod_cidrs"]["vars"]["nodes"] == book.nodes


@pytest.mark.parametrize("name", ["h1\u2028", "h1\x7f", "h1\x85", "h" * 1001, "\ud800"])
def test_a_host_name_that_yaml_would_not_give_back_is_refused(name: str) -> None:
    with pytest.raises(PodnetError, match=r"^hosts: .* is a name that no lock file can hold; use up to 1000 "):
        _lockfile.render(Book([("10.12.0.0/16", 24)], {name: ["10.12.0.0/24"]}))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "holds something else than the one key pod_cidrs"),
        ("[1]", "holds something else than the one key pod_cidrs"),
        ("pod_cidrs: {}", "holds something else than the one key vars"),
        ("all: {hosts: {node1: }}", "holds something else than the one key pod_cidrs"),
        ("pod_cidrs: {vars: {nodes: {}}}", "lacks cluster_cidrs or nodes"),
        (TEXT + "    node_prefixes: 3\n", "has the unknown key node_prefixes"),
        (TEXT.replace(" 24", " x"), "has no number as node_prefix"),
        (TEXT.replace("    node_prefix_ipv6: 64\n", ""), "has no number as node_prefix_ipv6"),
        (TEXT.replace("10.12.0.0/16", "10.12.0.0/15.5"), "cluster_cidrs[0]: 10.12.0.0/15.5 is not a CIDR"),
        (TEXT.replace("[10.12.1.0/24", "[{a: b}"), "nodes.node10 is not a list of CIDRs"),
        (TEXT.split("    nodes:", 1)[0] + "    nodes: node1\n", "nodes is not a mapping"),
        (TEXT.replace("node10:", "node1:"), "is not YAML (node1 is there twice, line 8)"),
        (TEXT[:-5], "is not YAML ("),
        ("pod_cidrs: \t}", "is not YAML ("),
        ("? [a]\n: b\n", "is not YAML ("),
        ("a: &a [*a]\n", "is not YAML ("),
        ("pod_cidrs: !!python/object/apply:os.system [id]", "holds something else than the one key vars"),
        ("--- a\n--- b\n", "is not YAML ("),
        ("\x07", "is not YAML ("),
        # libyaml 0.2.5, which knows no limit, would end the process; later ones may refuse it before we do.
        *[(text * 100_000, "is not YAML (") for text in ("[", "{a: ", "- ", "? ")],
        (TEXT.replace("      node10", "<<<<<<< HEAD\n      node10"), "has the marks of a merge that is not finished"),
    ],
)
def test_a_broken_lock_file_is_said_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(PodnetError) as error:
        _lockfile.parse("/l", text)
    assert str(error.value).startswith(f"/l: {sentence}")
    assert "; " in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pod_cidrs.lock.yml"
    assert _lockfile.read(str(path)) is None
    path.mkdir()
    with pytest.raises(PodnetError, match="is not a file; move it away or name another"):
        _lockfile.read(str(path))
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(PodnetError, match=f"is a symbolic link; name the file itself, {path}"):
        _lockfile.read(str(link))
    with pytest.raises(PodnetError, match="has no directory"), _lockfile.exclusive(str(tmp_path / "no" / "file")):
        pass
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(PodnetError, match="is not UTF-8 text"):
        _lockfile.read(str(tmp_path / "binary"))


def test_the_lock_leaves_no_file(tmp_path: Path) -> None:
    with _lockfile.exclusive(str(tmp_path / "f")):
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(PodnetError, match="is used by another run"), _lockfile.exclusive(str(tmp_path / "f"), 0.1):
            pass
    with _lockfile.exclusive(str(tmp_path / "f"), 0):
        pass


def _add(path: str, host: str) -> None:
    with _lockfile.exclusive(path):
        text = _lockfile.read(path)
        nodes = dict(_lockfile.parse(path, text).nodes) if text else {}
        nodes[host] = [f"10.12.{len(nodes)}.0/24"]
        _files.write_atomically(path, _lockfile.render(Book([("10.12.0.0/16", 24)], nodes)))


def test_two_runs_at_once_lose_no_entry(tmp_path: Path) -> None:
    path = str(tmp_path / "f")
    context: t.Any = get_context("fork")
    runs = [context.Process(target=_add, args=(path, f"node{number}")) for number in range(12)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    nodes = _lockfile.parse(path, _lockfile.read(path) or "").nodes
    assert sorted(cidr for cidrs in nodes.values() for cidr in cidrs) == sorted(f"10.12.{n}.0/24" for n in range(12))
    assert [file.name for file in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize("prefix", ["٢٤", "9" * 5000, "-1", ""])
def test_a_prefix_is_a_number_of_few_digits(prefix: str) -> None:
    with pytest.raises(PodnetError, match="has no number as node_prefix;"):
        _lockfile.parse("/lock.yml", TEXT.replace("node_prefix: 24", f'node_prefix: "{prefix}"'))


def test_a_key_that_is_a_mapping_of_mappings_takes_no_memory() -> None:
    """Each of these would be printed twice as long as the one before."""
    bomb = "a0: &a0 {x: y}\n" + "".join(f"a{n}: &a{n} {{x: *a{n - 1}, y: *a{n - 1}}}\n" for n in range(1, 60))
    with pytest.raises(PodnetError, match="a key is no text"):
        _lockfile.parse("/lock.yml", f"{bomb}? *a59\n: z\n")
