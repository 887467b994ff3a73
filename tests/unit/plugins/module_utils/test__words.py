# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Words and variables of a unit's command, as systemd takes them."""

from __future__ import annotations

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils import _words
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._words import Word


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a  b\tc", ["a", "b", "c"]),
        ("", []),
        ("'a b' \"c d\"e ''", ["a b", "c de", ""]),
        (r"a\ b c\sd \"e\" \\", [r"a\ b", "c d", '"e"', "\\"]),
        ('"it\'s" \'a "b"\'', ["it's", 'a "b"']),
        ("'open end", ["open end"]),
        ('"KUBELET_EXTRA_ARGS=--a=1 --b=2" X=3', ["KUBELET_EXTRA_ARGS=--a=1 --b=2", "X=3"]),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert _words.split(text) == found


def test_variables_are_words_or_texts() -> None:
    environment = {"ARGS": Word("--a=1 '--b=x y'", "/env"), "DIR": Word("/v w", "/env"), "ARG": Word("no", "/env")}
    command = ["-/usr/bin/kubelet", "$ARGS", "--dir=${DIR}", "x$ARGS", "$$ARGS", "$MISSING", "${MISSING}"]
    expanded = ["/usr/bin/kubelet", "--a=1", "--b=x y", "--dir=/v w", "x$ARGS", "$ARGS", ""]
    found = _words.expand([Word(text, "/unit") for text in command], environment)
    assert [word.text for word in found] == expanded
    assert [word.path for word in found] == ["/unit", "/env", "/env", "/unit", "/unit", "/unit", "/unit"]


@pytest.mark.parametrize("prefix", ["-", "@", "+", "!!", "-+", ":"])
def test_what_stands_before_a_command(prefix: str) -> None:
    command = [Word(f"{prefix}/usr/bin/kubelet", "/unit"), Word("-v", "/unit")]
    assert _words.expand(command, {}) == [Word("/usr/bin/kubelet", "/unit"), Word("-v", "/unit")]


def test_environment_files() -> None:
    text = """
# KUBELET_EXTRA_ARGS=--no
; X=1
KUBELET_EXTRA_ARGS="--a=1 --b='2 3'"
QUOTED='it'
ESCAPED="a \\"b\\" \\$c"
LONG=a \\
b
PLAIN= a b\x20
nonsense
EMPTY=
"""
    assert _words.variables(text) == {
        "KUBELET_EXTRA_ARGS": "--a=1 --b='2 3'",
        "QUOTED": "it",
        "ESCAPED": 'a "b" $c',
        "LONG": "a b",
        "PLAIN": "a b",
        "EMPTY": "",
    }


def test_a_long_word_takes_no_time_that_grows_with_its_square() -> None:
    assert _words.split("a" * 2_000_000) == ["a" * 2_000_000]


@pytest.mark.parametrize("command", ["${A}" * 100_000, "$A " * 100_000, "a\0b"])
def test_what_the_kernel_would_not_take_fills_no_memory(command: str) -> None:
    environment = {"A": Word("a" * 100_000, "x")}
    with pytest.raises(PodnetError, match="no command that the kernel takes"):
        _words.expand([Word(each, "x") for each in _words.split(command)], environment)
