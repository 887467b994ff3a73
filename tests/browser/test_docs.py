# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation site as a person sees it, where `make docs` has built it: what it saw is in .cache/docs/seen."""

from __future__ import annotations

from pathlib import Path

import chromium
import pytest

browser = chromium.browser
ROOT = Path(__file__).resolve().parents[2]
HTML, SEEN = ROOT / ".cache/docs/html", ROOT / ".cache/docs/seen"
GUIDES = sorted(path.stem for path in (ROOT / "docs/docsite/rst").glob("*.rst"))
#: Of the other pages: the first one, a module, a role and a playbook.
OTHERS = ["index", "bridge_module", "pod_network_role", "site"]
#: Pictures that cannot be shown, and text that is wider than the window and cannot be scrolled.
BROKEN = "[...document.images].filter((each) => !each.naturalWidth).map((each) => each.src)"
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TITLE = "document.querySelector('h1')?.textContent ?? ''"


@pytest.mark.parametrize("name", [*GUIDES, *OTHERS])
def test_a_page_is_whole(browser: chromium.Page, name: str) -> None:
    pages = sorted(HTML.rglob(f"{name}.html"), key=lambda path: len(path.parts))
    if not pages:
        pytest.skip("make docs has not built the site")
    SEEN.mkdir(exist_ok=True)
    for width, scheme in ((1280, "light"), (400, "dark")):
        browser.open(pages[0].as_uri(), width, scheme)
        assert [each for each in browser.requests if not each.startswith(("file:", "data:"))] == []
        assert browser.complaints == []
        assert browser.run(TITLE)
        assert browser.run(BROKEN) == []
        assert browser.run(WIDE) <= 0, f"{width} pixels are too few"
        browser.picture(SEEN / f"{name}-{width}-{scheme}.png")
