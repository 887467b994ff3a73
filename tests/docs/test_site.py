# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The built site: a page for everything, no link that leads nowhere, and nothing asked for from elsewhere."""

from __future__ import annotations

import html.parser
import typing as t
import urllib.parse
from pathlib import Path

import pytest
from examples import GUIDES, ROOT, plugins

SITE = ROOT / ".cache/docs/html"
#: Attributes whose address a browser fetches by itself.
FETCHED = {("img", "src"), ("script", "src"), ("link", "href"), ("iframe", "src"), ("object", "data")}
KINDS = {"modules": "module", "filter": "filter", "connection": "connection"}


class Page(html.parser.HTMLParser):
    """The anchors of a page, where its links lead, and what it fetches."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.words = path, path.read_text(encoding="utf-8")
        self.anchors: set[str] = {""}
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.pictures = 0
        self.feed(self.words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        self.anchors |= {given[key] for key in ("id", "name") if key in given}
        self.fetched += [given[key] for name, key in FETCHED if name == tag and key in given]
        self.links += [given["href"]] if tag == "a" and "href" in given else []
        self.pictures += tag == "svg" and given.get("class") == "picture" and bool(given["aria-label"])


@pytest.fixture(scope="module")
def pages() -> dict[Path, Page]:
    """All pages, by their paths."""
    if not SITE.is_dir():
        pytest.skip("there is no site; make docs builds it")
    return {path: Page(path) for path in sorted(SITE.rglob("*.html"))}


def test_everything_has_a_page(pages: dict[Path, Page]) -> None:
    wanted = [f"collection/{path.stem}_{KINDS[path.parent.name]}" for path in plugins()]
    wanted += [f"collection/{path.name}_role" for path in (ROOT / "roles").iterdir()]
    wanted += [f"collection/docsite/{path.stem}" for path in GUIDES.glob("*.rst")]
    wanted += [f"playbooks/{path.stem}" for path in (ROOT / "playbooks").glob("*.yml")]
    assert len(wanted) > 40
    assert [name for name in ["index", *wanted] if SITE / f"{name}.html" not in pages] == []


def test_no_link_leads_nowhere(pages: dict[Path, Page]) -> None:
    assert [entry for page in pages.values() for entry in dead(page, pages)] == []


def dead(page: Page, pages: dict[Path, Page]) -> t.Iterator[str]:
    """Yield the links to pages or anchors that are not there."""
    for link in page.links:
        parts = urllib.parse.urlsplit(link)
        if parts.scheme:
            continue
        target = (page.path.parent / parts.path).resolve() if parts.path else page.path
        there = pages.get(target)
        if there is None or urllib.parse.unquote(parts.fragment) not in there.anchors:
            yield f"{page.path.relative_to(SITE)}: {link}"


def test_nothing_is_asked_for_from_elsewhere(pages: dict[Path, Page]) -> None:
    """Pages and style sheets can be read without a network."""
    asked = [url for page in pages.values() for url in page.fetched if "//" in url]
    styles = [path.read_text(encoding="utf-8") for path in (SITE / "_static").rglob("*.css")]
    assert asked == []
    assert [text for text in styles if "url(http" in text or "url(//" in text or "@import" in text] == []


def test_no_page_has_contents_twice(pages: dict[Path, Page]) -> None:
    """The theme shows them beside the page, and scolds whoever has them in it, too."""
    assert [path.name for path, page in pages.items() if 'class="contents' in page.words] == []


def test_pictures_are_part_of_their_pages(pages: dict[Path, Page]) -> None:
    found = {path.stem: page.pictures for path, page in pages.items() if page.pictures}
    assert found == {"index": 1, "how_it_works": 5, "architecture": 1, "benchmarks": 1}


def test_a_dead_link_is_noticed(tmp_path: Path) -> None:
    """Else the test above would pass whatever stands in a page."""
    text = "<a href='#there'></a><a href='#gone'></a><a href='gone.html'></a><p id='there'><img src='//a/b'>"
    path = SITE / "dead.html"
    (tmp_path / "dead.html").write_text(text, encoding="utf-8")
    page = Page(tmp_path / "dead.html")
    page.path = path
    assert list(dead(page, {path: page})) == ["dead.html: #gone", "dead.html: gone.html"]
    assert page.fetched == ["//a/b"]
