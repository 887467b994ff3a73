# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be in a directory besides what one expects there: FIFOs, sockets, links to nothing, texts that are none."""

from __future__ import annotations

import os
import shutil
import stat
import typing as t
from pathlib import Path


class Thing(t.NamedTuple):
    """A file with its bytes and mode, a link with the place that it leads to, or another kind of entry."""

    kind: str
    content: bytes = b""
    mode: int = 0o644

    def __repr__(self) -> str:
        """Hypothesis prints each one of each strategy."""
        return f"<{self.kind} {self.mode:o} {self.content[:60]!r}>"


#: Whoever opens one of these waits, gets nothing, or runs in circles.
ODD = (
    Thing("fifo"),
    Thing("socket"),
    Thing("directory"),
    Thing("link", b"nowhere"),
    Thing("link", b"loop-1"),
    Thing("link", b"/dev/zero"),
    Thing("link", b"."),
)

#: Texts that are no JSON, or not what one looks for; deep ones exhaust Python's stack.
NO_OBJECT = {
    "empty": b"",
    "space": b" \t\r\n",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "mark": b"\xef\xbb\xbf{}",
    "zero": b"\0",
    "cut short": b"{",
    "comma": b'{"a": 1,}',
    "quotes": b"{'a': 1}",
    "two": b'{"a": 1} {"b": 2}',
    "deep": b"[" * 100_000,
    "no number": b'{"a": NaN}',
    "long number": b'{"a": ' + b"9" * 5_000 + b"}",
    "Latin-1": b'{"a": "\xe9"}',
    "null": b"null",
    "list": b"[]",
    "text": b'"text"',
    "number": b"1e999",
}
OTHER_OBJECT = {
    "no key": b"{}",
    "other types": b'{"name": 5, "plugins": {"type": 1}}',
    "half a character": b'{"\\ud800": "\\ud800", "name": "\\ud800"}',
}


def text(content: bytes, mode: int = 0o644) -> Thing:
    """A file."""
    return Thing("file", content, mode)


def put(path: Path, thing: Thing) -> None:
    """Put something in place of what is there."""
    if not path.parent.is_dir():
        clear(path.parent)
        path.parent.mkdir(parents=True)
    clear(path)
    if thing.kind == "file":
        path.write_bytes(thing.content)
        path.chmod(thing.mode)
    elif thing.kind == "link":
        target = os.fsencode(path.name) if thing.content == b"loop-1" else thing.content
        os.symlink(target, os.fsencode(path))  # noqa: PTH211
    elif thing.kind == "directory":
        path.mkdir()
        (path / "inside").touch()
    else:
        os.mknod(path, (stat.S_IFIFO if thing.kind == "fifo" else stat.S_IFSOCK) | thing.mode)


def clear(path: Path) -> None:
    """Remove whatever is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
