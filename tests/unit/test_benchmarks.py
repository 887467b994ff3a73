# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmarks' page says of what was measured."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import page
import pytest
from measure import Budget, Row, Sample, run

SLOW, FAST = [Sample(3.0, 0.5), Sample(2.0, 0.4), Sample(9.0, 0.6)], [Sample(1.0, 1.0)]


@pytest.mark.parametrize(
    ("row", "busy", "holds"),
    [
        (Row("a", SLOW, {}, Budget(3.0)), False, True),
        (Row("a", SLOW, {}, Budget(2.9)), False, False),
        (Row("a", SLOW, {}, Budget(0.5)), True, True),
        (Row("a", SLOW, {}, Budget(0.4)), True, False),
        (Row("a", SLOW, {"b": FAST}, Budget(1.0, True)), False, False),
        (Row("a", SLOW, {"b": FAST}, Budget(0.5, True)), True, True),
        (Row("a", SLOW, {"b": FAST, "c": SLOW}, Budget(1.0, True)), False, False),
        (Row("a", SLOW, {}, Budget(1.0, True)), False, None),
        (Row("a", SLOW, {"b": FAST}), False, None),
        (Row("a", [Sample(12, 0)], {}, Budget(12), "tasks"), True, True),
        (Row("a", [Sample(13, 0)], {}, Budget(12), "tasks"), True, False),
    ],
)
def test_whether_a_promise_is_kept(row: Row, busy: bool, holds: bool | None) -> None:
    assert row.holds(busy) is holds


def test_a_broken_promise_is_said_loudly() -> None:
    row = Row("routes", SLOW, {"by <hand> & foot": FAST}, Budget(0.5))
    assert page.cells(row, False) == ("3.00 s (500 ms)", "1.00 s: by <hand> & foot", "3.00", "≤ 0.5 s: **no**")
    assert page.cells(row._replace(budget=None), False)[3] == ""


def test_a_row_comes_back_from_its_process() -> None:
    row = Row("pods", SLOW, {"b": FAST}, Budget(0.5, True), "/s")
    assert Row.load(json.loads(json.dumps(row._asdict()))) == row


def test_the_page_has_every_row_and_the_plot_those_with_something_beside_them() -> None:
    rows = [Row("alone", SLOW), Row("both", SLOW, {"by <hand> & foot": FAST})]
    text = page.page(rows, True, "Measured somewhere.", 3)
    assert "\n  * - alone\n    - 3.00 s (500 ms)\n" in text
    assert "median of 3 runs" in text
    assert "the processor's seconds" in text
    drawn = ET.fromstring(page.plot(rows))  # noqa: S314
    words = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "both" in words
    assert "alone" not in words
    assert "1.00 s  by <hand> & foot" in words


def test_a_program_that_fails_ends_it_and_its_output_is_not_lost() -> None:
    with pytest.raises(SystemExit, match=r"(?s)false nothing: status 1.*oh no"):
        run(["sh", "-c", 'echo "oh no"; exit 1', "false nothing"])
    done = run(["cat"], "text")
    assert done.output == "text"
    assert done.sample.value > 0
