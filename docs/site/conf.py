# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx's configuration: `make docs` builds the site without a network, and takes each warning for an error."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

if t.TYPE_CHECKING:
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
#: Documentation that is another site's; whoever reads this one offline finds these names as plain text.
ELSEWHERE = "ansible_collections.ansible."
ELSEWHERE_TOO = {"action_plugins", "ansible_configuration_settings", "common_return_values", "ANSIBLE_PIPELINING"}

project = "mink8s.podnet"
author = copyright = "the mink8s.podnet developers"  # noqa: A001
release = version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]

extensions = ["sphinx_antsibull_ext"]
nitpicky = True
smartquotes = False  # commands are for pasting
highlight_language = "text"

html_theme = "furo"
html_title = f"{project} {release}"
html_copy_source = False
html_show_sphinx = False
html_use_index = False
html_static_path = ["static"]
html_css_files = ["podnet.css"]
pygments_style = "friendly"
pygments_dark_style = "github-dark"
# The colours of options' tables; podnet.css gives them those of the theme, but for these.
antsibull_ext_color_scheme = "none"
html_theme_options = {
    "light_css_variables": {"--podnet-type": "#7a1f7a", "--podnet-good": "#1a6b1a", "--podnet-bad": "#b3261e"},
    "dark_css_variables": {"--podnet-type": "#ff93ff", "--podnet-good": "#71d471", "--podnet-bad": "#ff8282"},
}


class InlinePictures(SphinxPostTransform):
    """Our pictures become part of the page, so that they take the colours of its text, light or dark."""

    default_priority = 5
    formats = ("html",)

    def run(self, **_kwargs: t.Any) -> None:
        for image in list(self.document.findall(nodes.image)):
            path = Path(self.env.srcdir, image["uri"])
            if path.suffix == ".svg":
                image.replace_self(nodes.raw("", drawing(path, image["alt"]), format="html"))


def drawing(path: Path, alt: str) -> str:
    """Return the picture for a page, without its licence's lines, and with what it shows in words."""
    text = path.read_text(encoding="utf-8")
    words = nodes.unescape(alt).replace("&", "&amp;").replace('"', "&quot;")
    return text[text.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{words}" class="picture"', 1)


def leave_alone(_app: Sphinx, _env: t.Any, node: pending_xref, content: nodes.Node) -> nodes.Node | None:
    """Let references to Ansible's own documentation be text; all others that lead nowhere are errors."""
    target = node.get("reftarget", "")
    return content if target.startswith(ELSEWHERE) or target in ELSEWHERE_TOO else None


def suit_the_site(_app: Sphinx, page: str, source: list[str]) -> None:
    """Leave out what the theme shows in its own places, a page's contents and the guides; write our name as it is."""
    text = re.sub(r"^\.\. contents::\n(?: +:.*\n)+", "", source[0], flags=re.MULTILINE)
    if page == "collection/index":
        text = text.replace("\nMink8S.Podnet\n", "\nmink8s.podnet\n")
        text = re.sub(r"^    (\w+)_(module|filter|connection|role)$", r"    \1 \2 <\1_\2>", text, flags=re.MULTILINE)
        text = re.sub(r"^Guides\n---.*?(?=^\.\. _plugin_index_for)", "", text, flags=re.MULTILINE | re.DOTALL)
    source[0] = text


def setup(app: Sphinx) -> None:
    app.add_post_transform(InlinePictures)
    app.connect("missing-reference", leave_alone)
    app.connect("source-read", suit_the_site)
