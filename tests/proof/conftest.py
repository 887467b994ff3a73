# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proofs: random states, kills and bad input; `make proof` a few of each, `make soak` tens of thousands.

PODNET_PROOF names the profile: proof, soak, or first (a failure as it is first found, not the smallest).
"""

from __future__ import annotations

import os
import time
import typing as t

import converging
import faults
import fuzzing
import ground
import pytest
from hypothesis import HealthCheck, Phase, settings

PROFILE = os.environ.get("PODNET_PROOF", "proof")
#: What a soak of everything has to reach, or it fails.
LEAST = {"states": 10_000, "kills": 1_000, "inputs": 100_000}

_COMMON: dict[str, t.Any] = {
    # Explaining a failure takes longer than reading it.
    "phases": [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
}
settings.register_profile("proof", max_examples=10, stateful_step_count=6, derandomize=True, **_COMMON)
settings.register_profile("first", settings.get_profile("proof"), phases=[Phase.generate])
settings.register_profile(
    "soak",
    max_examples=int(os.environ.get("PODNET_EXAMPLES", "200")),
    stateful_step_count=12,
    print_blob=True,
    **_COMMON,
)
settings.load_profile(PROFILE)

_started = time.monotonic()
_counts = dict.fromkeys([*converging.COUNTS, *faults.COUNTS, *fuzzing.COUNTS], 0)


def pytest_configure(config: pytest.Config) -> None:
    ground.require_lab()
    # Whoever only starts processes that test stays as it is: a node within a node has links that lead to themselves.
    if not config.getoption("numprocesses", None):
        ground.become_a_node()


def pytest_sessionfinish(session: t.Any) -> None:
    """Add up what this process has done, or tell the one that started it."""
    own = {**converging.COUNTS, **faults.COUNTS, **fuzzing.COUNTS}
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["counts"] = own
    else:
        _add(own)
        if _too_few(session.config):
            session.exitstatus = 1


def pytest_testnodedown(node: t.Any) -> None:
    _add(getattr(node, "workeroutput", {}).get("counts", {}))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> t.Generator[None, t.Any, t.Any]:
    """What was found may hold halves of characters, which a process of pytest cannot send to the other one."""
    report = yield
    if report.failed:
        report.longrepr = report.longreprtext.encode(errors="backslashreplace").decode()
        report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report


def pytest_runtest_logreport(report: t.Any) -> None:
    """Of a failure in a soak of an hour nobody wants to hear at its end."""
    if PROFILE == "soak" and report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        complaint = next((line for line in report.longreprtext.splitlines() if line.startswith("E ")), "")
        print(f"\n-- {report.nodeid} failed: {complaint[1:].strip()[:2000]}", flush=True)


def _add(counts: dict[str, int]) -> None:
    for key, count in counts.items():
        _counts[key] += count


def _too_few(config: t.Any) -> list[str]:
    if PROFILE != "soak" or config.args != ["tests/proof"]:
        return []
    return [f"{_counts[key]:,} {key} are fewer than {least:,}" for key, least in LEAST.items() if _counts[key] < least]


def pytest_terminal_summary(terminalreporter: t.Any, config: t.Any) -> None:
    """Say how much was tried, from which seed, and in which time."""
    seed = config.getoption("hypothesis_seed")
    terminalreporter.write_line(
        f"-- {_counts['states']} states were asked for in {time.monotonic() - _started:.0f} s, seed {seed}: "
        f"{_counts['changed']} changed the node, {_counts['refused']} were refused"
    )
    seconds = _counts["microseconds"] / 1e6
    rate = f"{_counts['inputs'] / seconds:,.0f} a second of processor time" if seconds else "none"
    terminalreporter.write_line(
        f"-- {_counts['inputs']:,} inputs were read ({rate}), seed {seed}: {_counts['sentences']:,} gave a sentence"
    )
    terminalreporter.write_line(
        f"-- {_counts['kills']} modules were killed, {_counts['pairs']} pairs of them ran at the same time"
    )
    for complaint in _too_few(config):
        terminalreporter.write_line(f"-- {complaint}", red=True)
