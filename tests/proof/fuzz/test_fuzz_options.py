# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of any type, size and spelling, for every module, in check mode: a sentence or a result."""

from __future__ import annotations

import os
import re
import typing as t
from pathlib import Path

import fuzzing
import ground
import pytest
import samples
from ansible.module_utils.common import parameters, validation
from calls import call
from fuzzing import COUNTS, Random, fuzzed

from ansible_collections.mink8s.podnet.plugins.module_utils import _json

PLACE = ground.PLACE
#: Ansible's own refusals that repeat what they were given, however long and odd it is.
ANSIBLES = re.compile(r"^(Unsupported parameters for|Value) | is of type |must be one of")
MODULES = Path(__file__).parents[3] / "plugins/modules"
#: These two run on the controller; test_fuzz_controller.py has them.
ACTIONS = {"pod_cidr", "report_page"}

#: What each module can do something with.
GOOD: dict[str, dict[str, t.Any]] = {
    "bridge": {
        "name": "br1",
        "addresses": ["10.12.1.1/24", "fd12::1/64"],
        "mtu": "1450",
        "mac": "0a:58:0a:0c:01:01",
        "ports": [{"name": "v1", "hairpin": True}],
        "persist": str(PLACE / "bridge"),
    },
    "cni_attachments_info": {"name": "net1", "cache_dirs": ["/var/lib/cni/results"]},
    "cni_gc": {"name": "net1", "lock_timeout": 0},
    "cni_network": {
        "name": "net1",
        "config": samples.CONFLIST,
        "priority": 10,
        "assume_plugins": ["bridge", "host-local", "portmap", "firewall", "tuning", "bandwidth", "calico"],
        "bin_dirs": ["/opt/cni/bin"],
    },
    "cni_network_info": {"name": "net1", "conf_dir": "/etc/cni/net.d"},
    "cni_plugins": {
        "archive": str(PLACE / "a.tgz"),
        "checksums": {"amd64": "sha256:" + "a" * 64, "arm64": "sha256:" + "b" * 64},
        "plugins": ["bridge"],
        "bin_dir": str(PLACE / "bin"),
    },
    "cni_plugins_info": {"bin_dirs": [str(PLACE / "bin")], "plugins": ["bridge"]},
    "cni_probe": {
        "count": 0,
        "name": "net1",
        "addresses": ["192.0.2.11"],
        "targets": [{"kind": "node", "address": "192.0.2.12", "node": "n2"}],
        "node": "n1",
        "tries": 1,
        "timeout": 0.1,
    },
    "cni_runtime": {"network": "net1", "bin_dirs": ["/opt/cni/bin"]},
    "conflicts_info": {
        "pod_cidrs": ["10.12.1.0/24"],
        "cluster_cidrs": ["10.12.0.0/16"],
        "nodes": {"n1": {"pod_cidrs": ["10.12.1.0/24"], "addresses": ["192.0.2.11"]}, "n2": {"addresses": []}},
        "self": "n1",
        "bridge": "br1",
        "addresses": ["10.12.1.1/24"],
        "name": "net1",
        "ignore": ["vpn:wg0"],
    },
    "docker_daemon": {"options": {"bridge": "none"}, "absent": ["mtu"], "without_docker": "write", "restart": "never"},
    "docker_leftovers": {"expected": {"bridge": "none", "iptables": False}},
    "masquerade": {
        "sources": ["10.12.1.0/24", "fd12::/64"],
        "exclude": ["10.12.0.0/16", "192.0.2.11"],
        "bridge": "br1",
        "persist": str(PLACE / "masquerade"),
    },
    "persistence": {"bridge": "br1", "loaders": [["/sbin/ip", "-batch", "/etc/podnet/bridge"]], "interval": 30},
    "routes": {
        "nodes": {
            "n1": {"pod_cidrs": ["10.12.1.0/24"], "addresses": ["192.0.2.11"]},
            "n2": {"pod_cidrs": ["10.12.2.0/24"], "addresses": ["192.0.2.12"]},
        },
        "self": "n1",
        "protocol": 212,
        "on_unreachable": "warn",
        "persist": str(PLACE / "routes"),
    },
    "stale_pods": {"network": "net1", "timeout": 1},
    "sysctls": {"settings": {"net.ipv4.ip_forward": 1, "net/ipv4/conf/lo/rp_filter": "0"}, "modules": ["br_netfilter"]},
    "veth": {
        "pairs": [
            {
                "name": "v1",
                "netns": "pod1",
                "bridge": "br1",
                "addresses": ["10.12.1.11/24"],
                "routes": [{"dst": "0.0.0.0/0", "via": "10.12.1.1"}],
                "mtu": 1450,
            }
        ]
    },
}


@pytest.fixture(autouse=True, scope="module")
def _a_node() -> None:
    ground.new_node()
    os.chdir("/")


def test_every_module_is_here() -> None:
    assert set(GOOD) == {path.stem for path in MODULES.glob("*.py")} - ACTIONS


def some_options(module: str) -> t.Callable[[Random], dict[str, t.Any]]:
    def make(rng: Random) -> dict[str, t.Any]:
        params = dict(GOOD[module])
        for name in rng.sample(sorted(params), rng.choice((1, 1, 1, 2)) if len(params) > 1 else 1):
            params[name] = fuzzing.damaged(rng, params[name]) if rng.random() < 0.8 else fuzzing.value(rng)
        if rng.random() < 0.1:
            params["state"] = rng.choice(("absent", "present"))
        if module == "cni_probe" and rng.random() < 0.5:
            config = fuzzing.damaged(rng, samples.CONFLIST)
            params.update(where="scratch", config=config, name=None, bin_dirs=["/nonexistent"])
        # Halves of characters do not come so far: Ansible itself fails with them.
        return t.cast("dict[str, t.Any]", _json._whole(params))

    return make


def with_infinity_refused() -> None:
    """Ansible itself fails with infinity where it wants an int, before a module of ours begins; let it refuse that."""

    def check(value: t.Any) -> int:
        if value in (float("inf"), float("-inf")):
            raise TypeError(f'"{value!r}" cannot be converted to an int')
        return t.cast(int, validation.check_type_int(value))

    parameters.DEFAULT_TYPE_VALIDATORS["int"] = check


def require_answer(module: str, params: dict[str, t.Any]) -> None:
    """Ansible itself refuses what is of another type; all that comes through to us gives a result or a sentence."""
    COUNTS["inputs"] += 1
    what = f"{module} {params!r}"
    try:
        answer = call(module, params, check=True, arm=with_infinity_refused)
    except AssertionError as error:
        raise AssertionError(f"{error}: {what}") from error
    assert not answer.signal, f"ended by signal {answer.signal}: {what}"
    if answer.failed:
        COUNTS["sentences"] += 1
        assert "exception" not in answer.result, f"{answer.result.get('exception')}: {what}"
        assert "this is a bug" not in answer.sentence, what
        if not ANSIBLES.search(answer.sentence):
            fuzzing.require_sentence(
                answer.sentence.replace("\n", " ") if "argument" in answer.sentence else answer.sentence
            )


def _test(module: str) -> t.Callable[..., None]:
    def options(params: dict[str, t.Any]) -> None:
        require_answer(module, params)

    options.__name__ = options.__qualname__ = f"test_options_of_{module}"
    options.__module__ = __name__
    return fuzzed(some_options(module), batch=1 if os.environ.get("PODNET_PROOF", "proof") == "proof" else 4)(options)


for _name in GOOD:
    globals()[f"test_options_of_{_name}"] = _test(_name)
