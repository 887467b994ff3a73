# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manifest decides what is removed, so it believes nothing that it cannot have written itself."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import manifest
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

SUM = "a" * 64
ENTRY = {"archive": f"sha256:{SUM}", "sha256": SUM}


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    saved = manifest.Manifest(
        {"bridge": manifest.Entry(f"sha256:{SUM}", SUM, "b" * 64)}, [str(tmp_path.parent), str(tmp_path)]
    )
    manifest.save(str(tmp_path), saved)
    assert manifest.load(str(tmp_path)) == saved
    assert (tmp_path / manifest.FILE).stat().st_mode & 0o777 == 0o644


def test_no_manifest_is_an_empty_one(tmp_path: Path) -> None:
    assert manifest.load(str(tmp_path)) == manifest.load(str(tmp_path / "nowhere")) == manifest.Manifest()


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        "text",
        {"plugins": {}},
        {"plugins": [], "directories": []},
        {"plugins": {}, "directories": "/"},
        {"plugins": {}, "directories": ["/etc"]},
        {"plugins": {}, "directories": ["{0}0"]},
        {"plugins": {"bridge": {}}, "directories": []},
        {"plugins": {"bridge": None}, "directories": []},
        {"plugins": {"bridge": {**ENTRY, "more": 1}}, "directories": []},
        {"plugins": {"bridge": {**ENTRY, "sha256": SUM + "a"}}, "directories": []},
        {"plugins": {"bridge": {**ENTRY, "archive": SUM}}, "directories": []},
        {"plugins": {"bridge": {**ENTRY, "sha256": 5}}, "directories": []},
        {"plugins": {"bridge": {**ENTRY, "former": "a"}}, "directories": []},
        {"plugins": {"../bridge": ENTRY}, "directories": []},
        {"plugins": {".podnet-plugins.json": ENTRY}, "directories": []},
        {"plugins": {"": ENTRY}, "directories": []},
    ],
)
def test_what_it_cannot_have_written_is_refused(data: t.Any, tmp_path: Path) -> None:
    path = tmp_path / manifest.FILE
    path.write_text(json.dumps(data).replace("{0}", str(tmp_path)), encoding="utf-8")
    with pytest.raises(PodnetError) as caught:
        manifest.load(str(tmp_path))
    assert str(caught.value).startswith(f"{path}: is not a manifest that this collection wrote; move it away")


def test_half_a_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / manifest.FILE).write_text('{"plugins": {"bridge"', encoding="utf-8")
    with pytest.raises(PodnetError, match="is not a manifest"):
        manifest.load(str(tmp_path))


@pytest.mark.parametrize(
    "text", ['{"plugins": {}, "directories": [[]]}', "[" * 100_000, '{"plugins": {"\\ud800": {}}}']
)
def test_what_nobody_expected_is_refused(text: str, tmp_path: Path) -> None:
    Path(manifest.path_in(str(tmp_path))).write_text(text)
    with pytest.raises(PodnetError, match="is not a manifest that this collection wrote"):
        manifest.load(str(tmp_path))
