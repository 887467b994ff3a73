# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The browser that all tests here look with."""

from __future__ import annotations

import typing as t

import pytest
from chromium import Page, program


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Page]:
    """A browser that sees only its own profile."""
    if not program():
        pytest.skip("there is no Chromium here; make browser installs it where it may")
    found = Page(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()
