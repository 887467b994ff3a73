# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changing keys where they stand and giving them back byte for byte; a real parser says what the texts mean."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import toml

#: Python has it since 3.11, and a node may have 3.9.
tomllib = pytest.importorskip("tomllib")

V2, V3 = 'plugins."io.containerd.grpc.v1.cri".cni', 'plugins."io.containerd.cri.v1.runtime".cni'

DEBIAN = """\
version = 2

[plugins]
  [plugins."io.containerd.grpc.v1.cri"]
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.internal.v1.opt"]
    path = "/var/lib/containerd/opt"
"""

VERSION_3 = """\
version = 3
root = '/var/lib/containerd'  # as it was
[plugins.'io.containerd.cri.v1.runtime'.cni]  # CNI
  bin_dirs = ['/opt/cni/bin', "/usr/libexec/cni"]  # both \t
  bin_dirs_10 = 'ten'
[plugins.'io.containerd.cri.v1.runtime'.cni10]
  bin_dirs = ['/ten']
"""

TEXTS = [
    (DEBIAN, V2),
    (VERSION_3, V3),
    ("version = 2\n", V2),
    ("version = 2", V2),
    ("version = 2\n\n\n", V2),
    ('version = 2\n[plugins."io.containerd.grpc.v1.cri".cni]\n', V2),
    ('version = 2\n[debug]\nlevel = "[plugins]"\n[grpc]\n', V2),
    ("version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".cni]\nmax_conf_num = 1\n\n[[x]]\nbin_dir = '/x'\n", V2),
]


def path_to(document: dict[str, t.Any], section: str) -> dict[str, t.Any]:
    _plugins, plugin, cni = [part.strip('".') for part in section.split('"')]
    found: dict[str, t.Any] = document["plugins"][plugin][cni]
    return found


@pytest.mark.parametrize(("text", "section"), TEXTS)
@pytest.mark.parametrize(
    "keys", [{"bin_dir": "/x"}, {"bin_dirs": ["/x", "/y"]}, {"bin_dirs": ["/x"], "conf_dir": "/etc/cni/y"}]
)
def test_what_is_changed_is_given_back(text: str, section: str, keys: dict[str, t.Any]) -> None:
    new = toml.edit(text, section, keys)
    before, after = tomllib.loads(text), tomllib.loads(new)
    there = path_to(after, section)
    assert {key: there[key] for key in keys} == keys
    for key in keys:
        del there[key]
    if section.rpartition(".")[0] in toml.sections(text) or toml.normal(section) in toml.sections(text):
        left = path_to(before, section)
        assert there == {key: value for key, value in left.items() if key not in keys}
    assert toml.is_edited(new)
    assert not toml.is_edited(text)
    assert toml.restore(new) == text
    assert toml.restore(text) == text


def test_what_others_add_to_our_section_stays() -> None:
    new = toml.edit("version = 2\n", V2, {"bin_dir": "/x"})
    assert toml.restore(f'{new}max_conf_num = 3\n\n[debug]\nlevel = "info"\n') == (
        f'version = 2\n\n[{V2}]\nmax_conf_num = 3\n\n[debug]\nlevel = "info"\n'
    )
    assert toml.restore(f'{new}\n[debug]\nlevel = "info"\n') == 'version = 2\n\n[debug]\nlevel = "info"\n'


@pytest.mark.parametrize("below", ["max_conf_num = 2\n", '[debug]\nlevel = "info"\n', "\n# theirs\n", ""])
@pytest.mark.parametrize("former", ["", 'bin_dir = "/usr/lib/cni"\n'])
def test_what_stands_below_a_mark_whose_line_was_deleted_stays(below: str, former: str) -> None:
    text = f"version = 2\n[{V2}]\n{former}{below}"
    edited = toml.edit(text, V2, {"bin_dir": "/x"})
    assert toml.restore(edited.replace('bin_dir = "/x"\n', "")) == text


@pytest.mark.parametrize("deleted", ["bin_dir", "conf_dir"])
@pytest.mark.parametrize("former", ["", 'bin_dir = "/usr/lib/cni"\n'])
def test_a_mark_stands_for_one_key(deleted: str, former: str) -> None:
    text = f"version = 2\n[{V2}]\n{former}max_conf_num = 2\n"
    edited = toml.edit(text, V2, {"bin_dir": "/x", "conf_dir": "/x"})
    assert toml.restore(edited.replace(f'{deleted} = "/x"\n', "")) == text


def test_a_key_of_theirs_below_a_mark_stays_even_if_it_could_be_ours() -> None:
    text = f'version = 2\n[{V2}]\nconf_dir = "/theirs"\n'
    edited = toml.edit(text, V2, {"bin_dir": "/x"})
    assert toml.restore(edited.replace('bin_dir = "/x"\n', "")) == text


@pytest.mark.parametrize("key", ["bin_dir", "bin_dirs", "conf_dir", "max_conf_num"])
def test_a_mark_of_the_first_release_does_not_name_its_key(key: str) -> None:
    line = f'  {key} = "/x"\n'
    kept = line if key == "max_conf_num" else ""
    text = f"[{V2}]\n  # podnet: was not there\n{line}"
    assert toml.is_edited(text)
    assert toml.restore(text) == f"[{V2}]\n{kept}"


@pytest.mark.parametrize("below", ['[debug]\n\nlevel = "info"\n', '[debug]\n# of ten\nlevel = "info"\n', "a = 1\n", ""])
def test_what_stands_below_the_mark_of_a_section_that_was_deleted_stays(below: str) -> None:
    assert toml.restore(f"version = 2\n\n{toml.SECTION}\n{below}") == f"version = 2\n{below}"


def test_what_follows_our_section_is_not_glued_to_a_line_that_had_no_end() -> None:
    edited = toml.edit("version = 2", V2, {"bin_dir": "/x"})
    assert toml.restore(f'{edited}[debug]\nlevel = "info"\n') == 'version = 2\n[debug]\nlevel = "info"\n'


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("bin_dirs = [\n  '/a',\n]\n", "has a bin_dirs that is not on one line"),
        ('bin_dirs = "\\u002f"\n', "has a bin_dirs that is not on one line"),
        ("x = '''\nbin_dirs = 1\n'''\n", "has texts of several lines"),
    ],
)
def test_what_is_not_understood_is_refused(body: str, problem: str) -> None:
    with pytest.raises(toml.TomlError, match=problem):
        toml.edit(f"version = 3\n[{V3}]\n{body}", V3, {"bin_dirs": ["/x"]})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"/a" # b', "/a"),
        ("'/a#b'", "/a#b"),
        ("12", 12),
        ("-1", -1),
        ("true", True),
        ("[]", []),
        ("['/a', \"/b\",]", ["/a", "/b"]),
        ("['']", [""]),
        ("[1]", None),
        ("[['a']]", None),
        ("{a = 1}", None),
        ('"a\\tb"', None),
        ("[", None),
        ("1979-05-27", None),
        ("", None),
    ],
)
def test_values(text: str, value: t.Any) -> None:
    assert toml.value(text) == value


def test_sections_by_one_spelling() -> None:
    text = "a = 1\n[ x ]\nb = 2\n  [x.'y.z'.\"w\"]  # c\nc = 3\n[[d]]\nb = 4\n"
    assert toml.sections(text) == {"": {"a": 1}, "x": {"b": 2}, 'x."y.z".w': {"c": 3}}


@pytest.mark.parametrize("end", ["", " ", "\n", "\n\n ", f"[{V2}]", f'[{V2}]\nbin_dir = "/a"', f"[{V2}]\nx = 1\n"])
def test_the_end_of_a_file_is_given_back_with_or_without_its_line_end(end: str) -> None:
    text = f"version = 2\n\n{end}"
    edited = toml.edit(text, V2, {"bin_dir": "/usr/lib/cni", "conf_dir": "/etc/cni"})
    assert toml.sections(edited)[V2]["bin_dir"] == "/usr/lib/cni"
    assert toml.restore(edited) == text


def test_a_number_is_one_of_64_bits() -> None:
    assert toml.value("9" * 5000) is None
    assert toml.value("-9223372036854775807") is None or toml.value("-922337203685477580") == -922337203685477580


def test_what_is_shown_of_a_file_are_our_section_and_the_names_of_keys() -> None:
    others = '[plugins.registry.auth]\n  password = "secret"\n  list = [\n    "secret"\n  ]\n'
    others += "[[x]]\ntoken = 'secret'\n# secret\n"
    shown = toml.shown(f'version = 2\n[{V2}]\n  bin_dir = "/a"\n{others}')
    assert "secret" not in shown
    lines = shown.splitlines()
    assert lines[:5] == [
        "version = 2",
        f"[{V2}]",
        '  bin_dir = "/a"',
        "[plugins.registry.auth]",
        "  password = …",
    ]
    assert len(lines) == 11


@pytest.mark.parametrize("odd", ["\u2028", "\x0c", "\x1d", "\x85"])
def test_only_a_line_feed_ends_a_line(odd: str) -> None:
    text = f'[cni]{odd}\nconf_dir = "/a" # {odd} bin_dir = "/b"\n'
    edited = toml.edit(text, "cni", {"conf_dir": "/c"})
    assert toml.restore(edited) == text
    assert toml.sections(edited)["cni"] == {"conf_dir": "/c"}
