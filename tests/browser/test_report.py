# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as a person sees it: `make browser`.  What the browser saw is in .cache/report."""

from __future__ import annotations

import typing as t
from pathlib import Path

import chromium
import pytest
import report_samples

from ansible_collections.mink8s.podnet.plugins.plugin_utils._report import findings, page

browser = chromium.browser
PICTURES = Path(__file__).resolve().parents[2] / ".cache/report"
#: The contrast that text needs to its background, and the lightness of a colour (WCAG 2.2, 1.4.3).
CONTRAST = """
(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = (colour) => [...rgba(colour)].slice(0, 3).map((part) => part / 255)
    .map((part) => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [.2126, .7152, .0722][index], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (rgba(colour)[3] > 250) return colour;
    }
  };
  return [...document.querySelectorAll("h1, h2, h3, p, li, td, th, span, code, b, footer, summary")]
    .filter((element) => [...element.childNodes].some((node) => node.nodeType == 3 && node.data.trim()))
    .filter((element) => element.getClientRects().length && !element.closest("svg"))
    .map((element) => {
      const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
      const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
      return [ratio, element.outerHTML.slice(0, 120)];
    })
    .sort((a, b) => a[0] - b[0])[0];
})()
"""
#: The boxes of elements, and whether something else lies over their middles.
BOXES = """
[...document.querySelectorAll({selector!r})].map((element) => {{
  element.scrollIntoView({{block: "center", inline: "center"}});
  const box = element.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const text = element.textContent.trim();
  const icons = element.querySelectorAll("svg, path").length;
  return {{width: box.width, height: box.height, seen: element.contains(top), text: text, icons: icons}};
}})
"""
BACKGROUND = (
    "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0) / 765"
)
LOOKS = [(width, scheme) for width in (1280, 400) for scheme in ("light", "dark")]


def write(path: Path, nodes: dict[str, t.Any], controller: dict[str, t.Any]) -> str:
    ways = findings.all_ways(nodes)
    report = findings.report(nodes, controller, ways, title=report_samples.EVIL, generated="2026-11-25T10:00:00Z")
    path.write_text(page.render(report, ways, "podnet-report.json"), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    directory = tmp_path_factory.mktemp("pages")
    return {
        "3": write(directory / "3.html", *report_samples.troubled(3, pods=2)),
        "15": write(directory / "15.html", *report_samples.troubled(15, pods=2)),
        "200": write(directory / "200.html", *report_samples.troubled(200)),
        "well": write(directory / "well.html", *report_samples.inventory(3)),
        "empty": write(directory / "empty.html", {}, {}),
    }


def test_the_browser_sees_requests_and_complaints(browser: chromium.Page, tmp_path: Path) -> None:
    """Else the other tests would pass whatever a page does."""
    evil = tmp_path / "evil.html"
    evil.write_text("<img src=http://192.0.2.1/x><script>nothing.there</script>")
    browser.open(evil.as_uri())
    assert "http://192.0.2.1/x" in browser.requests
    assert any("nothing is not defined" in complaint for complaint in browser.complaints)


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize("name", ["3", "15", "200", "well", "empty"])
def test_page(browser: chromium.Page, pages: dict[str, str], name: str, width: int, scheme: str) -> None:
    """Nothing is asked for, nothing is wrong, nothing hangs over the edge, and all text can be read."""
    browser.open(pages[name], width, scheme)
    PICTURES.mkdir(parents=True, exist_ok=True)
    browser.picture(PICTURES / f"{name}-{width}-{scheme}.png")
    assert browser.requests == [pages[name]]
    assert browser.complaints == []
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("document.scripts.length + document.images.length") == 0
    assert "pwned" not in browser.run("document.title").partition("<")[0]
    assert (browser.run(BACKGROUND) > 0.5) == (scheme == "light")
    ratio, where = browser.run(CONTRAST)
    assert ratio >= 4.5, where


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize(
    ("name", "cells", "count"),
    [
        ("3", "td.failed", 9),  # three ends of node1 to three of node2
        ("15", "td.failed", 1),  # of a table with a cell for each pair of nodes
        ("200", ".cell-failed", 1),
    ],
)
def test_what_is_wrong_is_seen(  # noqa: PLR0917
    browser: chromium.Page, pages: dict[str, str], name: str, cells: str, count: int, width: int, scheme: str
) -> None:
    browser.open(pages[name], width, scheme)
    found = browser.run(BOXES.format(selector=cells))
    assert len(found) == count
    for cell in found:
        # Colour is never the only sign: there is a cross, too.
        assert cell["seen"], cell
        assert cell["icons"] >= 1, cell
        assert min(cell["width"], cell["height"]) >= (16 if width == 1280 else 5), cell
    for selector, words in {
        "#failures li": "node1 → node2",
        "li.drifted": report_samples.ACTION,
        "li.stale": "default/web-1",
        "li.leaked": report_samples.LEASE["name"],
        "li.conflict": "wg0: route 10.12.1.0/24",
        "#problems li": "cannot be reached",
        ".verdict": "1 node cannot be reached",
    }.items():
        boxes = browser.run(BOXES.format(selector=selector))
        assert any(words in box["text"] and box["width"] > 100 and box["height"] > 10 for box in boxes), selector


def test_where_all_is_well_the_page_says_so(browser: chromium.Page, pages: dict[str, str]) -> None:
    browser.open(pages["well"])
    assert (
        browser.run("document.querySelector('.verdict').textContent").strip()
        == "All is well: 3 of 3 nodes asked, 36 ways work"
    )
    assert browser.run("document.querySelectorAll('td.failed, .tag.bad, .tag.warn').length") == 0
