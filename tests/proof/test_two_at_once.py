# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs of a module at once, a node that is busy meanwhile, and the locks of others."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import signal
import subprocess
import time
import typing as t
from pathlib import Path

import ground
import listings
import pytest
import scenarios
from calls import Answer, Call
from controller_files import lock_file, report_page
from converging import SENTENCE, require_same
from faults import COUNTS
from scenarios import SCENARIOS, SOAK, Scenario, every_scenario
from test_kills import reference

PAIRS = 20 if SOAK else 1
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
#: Others that make and remove links, rules and tables all the time; nothing of it is left at the end.
NOISE = """
trap 'end=1' TERM
while [ -z "$end" ]; do
  ip link add noise0 type veth peer name noise1
  iptables-nft -w 5 -t nat -A POSTROUTING -s 198.18.0.1 -j ACCEPT
  iptables-legacy -w 5 -t nat -A POSTROUTING -s 198.18.0.1 -j ACCEPT
  ip route add 198.18.1.0/24 via 192.0.2.9 proto 213
  nft add table inet noise
  ip link del noise0
  iptables-nft -w 5 -t nat -D POSTROUTING -s 198.18.0.1 -j ACCEPT
  iptables-legacy -w 5 -t nat -D POSTROUTING -s 198.18.0.1 -j ACCEPT
  ip route del 198.18.1.0/24 via 192.0.2.9 proto 213
  nft delete table inet noise
done
"""

#: What the first rule of such a table makes, and leaves.
EMPTY = (
    "table ip nat {\n\tchain POSTROUTING {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n\t}\n}\n",
)


def require_sentence(answer: Answer) -> None:
    assert not answer.signal
    if answer.failed:
        assert SENTENCE.fullmatch(answer.sentence), answer.sentence
        assert "this is a bug" not in answer.sentence, answer.result


def require_settled(scenario: Scenario, known: t.Optional[listings.Listing]) -> None:
    """One more run changes nothing, or what the faster of two has undone, and the next one plans nothing."""
    finished = scenario.call()
    assert not finished.failed, finished.sentence
    if known is not None:
        assert not finished.changed, finished.result["actions"]
        require_same(known, without_empty_tables(scenarios.lasting(scenarios.listing()), known), "two at once leave")
    again = scenario.call()
    assert not again.failed, again.sentence
    assert not again.changed, again.result["actions"]


def without_empty_tables(found: listings.Listing, known: listings.Listing) -> listings.Listing:
    """Somebody's first rule makes the table, which stays when the rule goes."""
    return {name: value for name, value in found.items() if name in known or not _is_empty(name, value)}


def _is_empty(name: str, value: t.Any) -> bool:
    return name.endswith(" ACCEPT") or value in EMPTY


@every_scenario
def test_two_that_want_the_same(scenario: Scenario) -> None:
    known = reference(scenario).after
    for _number in range(PAIRS):
        scenario.start()
        two = [scenario.begin(), scenario.begin()]
        answers = [call.end() for call in two]
        COUNTS["pairs"] += 1
        assert [answer.failed for answer in answers] == [False, False], [answer.sentence for answer in answers]
        # A report has no lock: both may write the same, each of them as a whole.
        changed = sorted(answer.changed for answer in answers)
        assert changed == [False, True] or (scenario.module is report_page and all(changed))
        require_settled(scenario, known)


@every_scenario
def test_two_that_want_something_else(scenario: Scenario) -> None:
    """Such as one run that makes something, and one that changes or removes what was there before."""
    others = [each for each in SCENARIOS if each.module == scenario.module and each is not scenario]
    for other in others[: PAIRS if SOAK else 1]:
        scenario.start()
        two: list[Call] = [scenario.begin(), scenario.begin(other.params)]
        for call in two:
            require_sentence(call.end())
        COUNTS["pairs"] += 1
        # Where the other one was last, what it made may be in this one's way, and stays.
        answer = scenario.call()
        require_sentence(answer)
        require_settled(other._replace(flavour=scenario.flavour) if answer.failed else scenario, None)


@every_scenario
def test_while_the_node_is_busy(scenario: Scenario) -> None:
    if not SOAK and scenario.module not in ("bridge", "routes", "masquerade"):
        pytest.skip("only make soak has the time")
    known = reference(scenario).after
    for _number in range(PAIRS):
        scenario.start()
        with noise():
            answer = scenario.call()
        assert not answer.failed, answer.sentence
        require_settled(scenario, known)


@contextlib.contextmanager
def noise() -> t.Iterator[None]:
    with subprocess.Popen(["sh", "-c", NOISE], stderr=subprocess.DEVNULL) as process:
        time.sleep(0.05)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)


def test_two_lock_files_are_one() -> None:
    """No host loses its block, whoever comes first."""
    path = str(ground.PLACE / "pod_cidrs.lock.yml")
    ground.new_node()
    hosts: set[str] = set()
    for number in range(PAIRS * 2):
        names = [[f"a{number}", f"b{number}"], [f"c{number}"]]
        two = [Scenario(lock_file, "", {"path": path, "nodes": each}, ground.new_node).begin() for each in names]
        assert [call.end().failed for call in two] == [False, False]
        hosts.update(*names)
    found = dict(re.findall(r"^ {6}(\w+): \[(\S+)\]$", Path(path).read_text(), re.MULTILINE))
    assert found.keys() == hosts
    assert len(set(found.values())) == len(hosts)


# ---- locks -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def held(path: Path) -> t.Iterator[None]:
    """Have somebody else's lock until the end of the block."""
    handle = os.open(path, os.O_RDONLY | (0 if path.is_dir() else os.O_CREAT), 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        # A module that was forked meanwhile has the handle, too.
        fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


@pytest.mark.parametrize(
    ("name", "lock"),
    [
        ("masquerade create by iptables (legacy)", Path("/run/xtables.lock")),
        ("bridge create", Path("/run/podnet.bridge.lock")),
        ("cni_gc free", scenarios.LEASES / "net1/lock"),
        ("cni_network remove", scenarios.LEASES / "net1/lock"),
        ("lock_file create", ground.PLACE),
    ],
)
def test_a_lock_is_waited_for(name: str, lock: Path) -> None:
    scenario = BY_NAME[name]
    known = reference(scenario)
    before = scenario.start()
    with held(lock):
        running = scenario.begin()
        time.sleep(1)
        meanwhile = scenarios.listing()
        ended = os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    answer = running.end()
    assert ended is None, answer.result
    assert not answer.failed, answer.sentence
    changed = {each for each in listings.differences(before, meanwhile) if not each.endswith("lock")}
    assert not changed, f"{changed} did not wait"
    require_same(known.after, scenarios.lasting(scenarios.listing()), "after the wait there is")


def test_the_lock_of_iptables_is_not_waited_for_for_ever() -> None:
    scenario = BY_NAME["masquerade create by iptables (legacy)"]
    before = scenario.start()
    with held(Path("/run/xtables.lock")):
        began = time.monotonic()
        answer = scenario.call()
        seconds = time.monotonic() - began
    assert answer.failed
    require_sentence(answer)
    assert "something else holds the lock of iptables" in answer.sentence
    assert seconds >= 5
    require_same(before, scenarios.listing(), "what was refused changed")


def test_an_address_that_is_lent_again_meanwhile_is_not_freed() -> None:
    scenario = BY_NAME["cni_gc free"]
    scenario.start()
    lease = scenarios.LEASES / "net1/10.12.1.20"
    with held(lease.parent / "lock"):
        running = scenario.begin()
        time.sleep(1)
        lease.write_text("new1\r\neth0")
    answer = running.end()
    assert not answer.failed, answer.sentence
    assert lease.read_bytes() == b"new1\r\neth0"
    assert not (lease.parent / "10.12.1.21").exists()
    assert f"lease {lease}" not in answer.result["freed"]
