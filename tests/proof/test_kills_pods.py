# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SIGKILL of stale_pods while it ends pods of a real containerd, which somebody makes again as a kubelet does.

It is no scenario, as what it makes is no state to compare: sandboxes with random names, and a daemon that goes on.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import ground
import listings
import pytest
import scenarios
from calls import call
from converging import require_same
from faults import COUNTS, Points
from scenarios import CACHE, LEASES, Scenario
from test_kills import chosen, every_fault, killed_after, killed_at, random_times
from whole import require_no_lock

from ansible_collections.mink8s.podnet.plugins.module_utils._runtime import cri

ROOT = Path(__file__).resolve().parents[2]
#: Debian's containerd and more, unpacked by `make proof`.
PACKAGES = ROOT / ".cache/debian"
TARGET = ROOT / "tests/integration/targets/stale_pods"
#: Where the collection is found by those whom we start.
COLLECTIONS = str(Path(cri.__file__).parents[6])
PODS = ["dns/one", "dns/two10"]
#: One after another, what new pods get.
MTUS = itertools.cycle((1400, 1500))
RECREATE = Scenario("stale_pods", "recreate", {"network": "net1", "timeout": 30}, ground.no_files)


@pytest.fixture(scope="module", autouse=True)
def _containerd() -> t.Iterator[None]:
    """A node with a containerd that has two pods, and what another network has."""
    if not (PACKAGES / ".packages").exists():
        pytest.skip("there are no packages of containerd: tests/tools/debian.sh says why")
    ground.new_node()
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    CACHE.mkdir(parents=True)
    scenarios.plant_pod("net10", "gone1", "10.12.10.2")
    new_mtu(next(MTUS))
    environment = {**os.environ, "PODNET_TEST_DEBIAN": str(PACKAGES), "PYTHONPATH": COLLECTIONS}
    subprocess.run([TARGET / "containerd.sh"], env=environment, check=True)
    with subprocess.Popen([sys.executable, TARGET / "pods.py", "keep", "one", "two10"], env=environment) as kubelet:
        try:
            wait_for_pods()
            yield
        finally:
            kubelet.kill()
            for sandbox in cri.sandboxes().sandboxes:
                cri.remove(sandbox, 30)
            pid = int(Path("/run/containerd.pid").read_text())
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
            Path(cri.SOCKETS[0]).unlink(missing_ok=True)


def new_mtu(mtu: int) -> None:
    """Change what new pods get."""
    (plugin,) = scenarios.NETWORK["plugins"]
    config = {"cniVersion": "0.4.0", "plugins": [{**plugin, "mtu": mtu}]}
    params = {"name": "net1", "priority": 10, "bin_dirs": ["/usr/lib/cni"], "config": config}
    written = call("cni_network", params)
    assert written.changed, written.sentence


def others() -> listings.Listing:
    """What another network has."""
    return listings.files(LEASES / "net10", *CACHE.glob("net10-*"))


def wait_for_pods() -> None:
    """Wait until each pod has a sandbox that is ready, and one lease and one cable, which the runtime remembers."""
    deadline = time.monotonic() + 30
    while True:
        ready = [each for each in cri.sandboxes().sandboxes if each.ready]
        remembered = {path.name for path in CACHE.glob("net1-*")}
        lent = {path.read_text().split()[0] for path in (LEASES / "net1").glob("10.*")}
        whole = remembered == {f"net1-{each.id}-eth0" for each in ready} and lent == {each.id for each in ready}
        if whole and sorted(each.pod for each in ready) == PODS:
            return
        assert time.monotonic() < deadline, f"there are {ready}, {remembered} and {lent}"
        time.sleep(0.1)


def undisturbed() -> Points:
    """Recreate the pods, and return the points on the way."""
    points = Points()
    answer = RECREATE.call(arm=points.arm)
    assert len(answer.result["actions"]) == len(PODS), answer.result
    return points


def require_whole_again(mtu: int, before: listings.Listing, what: str) -> None:
    """Nothing is locked, nothing of others is touched, and one more run finishes it."""
    require_no_lock()
    finished = RECREATE.call()
    assert not finished.failed, f"{what}: the next run failed: {finished.sentence}"
    again = RECREATE.call()
    assert not again.changed, f"{what}: the run after the next plans {again.result['actions']}"
    wait_for_pods()
    cables = json.loads(listings.run("ip", "-json", "link", "show", "master", "br1"))
    assert [cable["mtu"] for cable in cables] == [mtu, mtu], f"{what}: {cables}"
    require_same(before, others(), f"{what}: of others there is")


def test_at_every_point() -> None:
    new_mtu(next(MTUS))
    points = undisturbed()
    names = points.names()
    points.close()
    assert [name.split()[1] for name in names if name.startswith("call ")] == ["StopPodSandbox", "RemovePodSandbox"] * 2
    before = others()
    for fault in chosen(RECREATE, every_fault(names)):
        mtu = next(MTUS)
        new_mtu(mtu)
        what = killed_at(RECREATE, fault, names)
        COUNTS["kills"] += 1
        require_whole_again(mtu, before, what)


def test_at_any_time(pytestconfig: pytest.Config) -> None:
    new_mtu(next(MTUS))
    began = time.monotonic()
    undisturbed().close()
    seconds = time.monotonic() - began
    before = others()
    for delay in random_times(RECREATE, pytestconfig, seconds):
        mtu = next(MTUS)
        new_mtu(mtu)
        if killed_after(RECREATE, delay):
            COUNTS["kills"] += 1
        require_whole_again(mtu, before, f"killed after {delay:.3f} of {seconds:.3f} s")


def test_two_at_once() -> None:
    mtu, before = next(MTUS), others()
    new_mtu(mtu)
    both = [RECREATE.begin(), RECREATE.begin()]
    COUNTS["pairs"] += 1
    for answer in [each.end() for each in both]:
        assert not answer.failed, answer.sentence
    require_whole_again(mtu, before, "two at once")
