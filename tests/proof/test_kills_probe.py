# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SIGKILL of cni_probe at every point: the next run has its pods, and nothing of those that the dead one attached.

It is no scenario, as what it makes is no state to compare: processes that outlive it, and pods with random names.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
import typing as t
from pathlib import Path

import ground
import listings
import pytest
import scenarios
from calls import Answer
from converging import require_same
from faults import COUNTS, Points
from scenarios import CONF_DIR, LEASES, UPLINK, Scenario
from test_kills import chosen, every_fault, killed_after, killed_at, random_times
from whole import require_no_lock

RECORDS = Path("/run/podnet-probe")
PODS: dict[str, t.Any] = {"bin_dirs": ["/usr/lib/cni"], "count": 2, "lifetime": 3600}
NONE = {**PODS, "state": "absent"}
NETWORK = {**scenarios.NETWORK, "name": "net1"}
#: What host-local keeps to go on from, and its lock.
REMEMBERED = re.compile(rf"file {LEASES}/net1/(last_reserved_ip\.0|lock)")


def plant() -> None:
    """A network, its bridge, an address that another pod has, and a record's neighbour."""
    name, *addresses = UPLINK
    ground.batch(f"link add {name} type bridge", *[f"address add {each} dev {name}" for each in addresses])
    ground.batch("link add br1 address 02:00:00:00:00:20 type bridge", "address add 10.12.1.1/24 dev br1")
    ground.batch("link add br10 type bridge", "link set br1 up")
    CONF_DIR.mkdir(parents=True)
    (CONF_DIR / "10-net1.conflist").write_text(json.dumps(NETWORK))
    (LEASES / "net1").mkdir(parents=True)
    (LEASES / "net1/10.12.1.2").write_text("other\r\neth0")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


SCENARIOS = (
    Scenario("cni_probe", "attach", PODS, plant),
    Scenario("cni_probe", "attach anew", {**PODS, "count": 1, "port": 9472}, plant, [PODS]),
    Scenario("cni_probe", "detach", NONE, plant, [PODS]),
)


every_probe = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


def without_remembered(found: listings.Listing) -> listings.Listing:
    """Return a listing without what host-local remembers for the next pods."""
    return {name: value for name, value in found.items() if not REMEMBERED.fullmatch(name)}


def attached(answer: Answer) -> set[str]:
    """Return the addresses of the pods, which must be all that is lent, plugged in and written down."""
    assert not answer.failed, answer.sentence
    pods = answer.result["pods"]
    lent = {path.name for path in (LEASES / "net1").glob("10.*")} - {"10.12.1.2"}
    assert lent == {address for pod in pods for address in pod["addresses"]}
    assert len(json.loads(listings.run("ip", "-json", "link", "show", "master", "br1"))) == len(pods)
    written = {path.stem for path in RECORDS.glob("*")} - {"host"}
    assert written == {pod["name"] for pod in pods}
    return lent


def begin(scenario: Scenario) -> listings.Listing:
    """Have the scenario's node, and return what there was on it before any probe pod."""
    empty = scenario._replace(before=()).start()
    for params in scenario.before:
        attached(scenario.call(params))
    return without_remembered(empty)


def end(scenario: Scenario, empty: listings.Listing) -> None:
    """Detach what is attached, and require that nothing is left; a kill may leave an empty directory until a reboot."""
    attached(scenario.call(NONE))
    require_same(empty, without_remembered(scenarios.listing()), "after the last pod was detached there is")
    assert not list(RECORDS.glob("*"))


def wait_for_plugins() -> None:
    """A plugin runs below timeout(1), which is a group of its own: it outlives the module, and ends by itself."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            name, _bracket, rest = path.read_text().rpartition(") ")
            if name.endswith("(timeout") and int(rest.split()[1]) == os.getpid():
                os.waitpid(int(path.parent.name), 0)


def require_whole_again(scenario: Scenario, empty: listings.Listing, what: str) -> None:
    """After a kill: nothing is locked, and one more run finishes it; then all of it can go."""
    COUNTS["kills"] += 1
    wait_for_plugins()
    require_no_lock()
    attached(scenario.call())
    again = scenario.call()
    attached(again)
    assert not again.changed, f"{what}: the run after the next plans {again.result['actions']}"
    end(scenario, empty)


@every_probe
def test_at_every_point(scenario: Scenario) -> None:
    points = Points()
    empty = begin(scenario)
    attached(scenario.call(arm=points.arm))
    names = points.names()
    points.close()
    end(scenario, empty)
    assert {name.split()[0] for name in names} >= {"start", "unlink" if scenario.params == NONE else "write"}
    for fault in chosen(scenario, every_fault(names)):
        empty = begin(scenario)
        what = killed_at(scenario, fault, names)
        require_whole_again(scenario, empty, what)


@every_probe
def test_at_any_time(scenario: Scenario, pytestconfig: pytest.Config) -> None:
    empty = begin(scenario)
    began = time.monotonic()
    attached(scenario.call())
    seconds = time.monotonic() - began
    end(scenario, empty)
    for delay in random_times(scenario, pytestconfig, seconds):
        empty = begin(scenario)
        if killed_after(scenario, delay):
            require_whole_again(scenario, empty, f"killed after {delay:.3f} of {seconds:.3f} s")
        else:
            end(scenario, empty)
