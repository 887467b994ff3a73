# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the plugins are told; the real ones are called by cni_probe's integration target."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import invoke
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

RESULT = {"cniVersion": "1.0.0", "ips": [{"address": "10.12.1.2/24"}, {"address": "fd12::2/64"}]}


class Calls:
    """Stands for run_command: keeps what plugins were told, and answers as they would."""

    def __init__(self, failing: str = "", status: int = 1, out: str = "") -> None:
        self.failing, self.status, self.out = failing, status, out
        self.calls: list[tuple[str, str, dict[str, t.Any]]] = []

    def __call__(self, args: list[str], data: str | None = None) -> tuple[int, str, str]:
        variables = dict(word.split("=", 1) for word in args if "=" in word)
        call = (variables["CNI_COMMAND"], Path(args[-1]).name, json.loads(data or ""))
        self.calls.append(call)
        if f"{call[0]} {call[1]}" == self.failing:
            return self.status, self.out, ""
        return 0, json.dumps(RESULT) if call[0] == "ADD" else "", ""

    @property
    def names(self) -> list[str]:
        return [f"{verb} {plugin}" for verb, plugin, _data in self.calls]


def attachment(tmp_path: Path, version: str = "1.0.0") -> invoke.Attachment:
    for plugin in ("bridge", "portmap"):
        (tmp_path / plugin).touch(mode=0o755)
    document = {
        "cniVersion": version,
        "name": "br1",
        "plugins": [{"type": "bridge", "name": "br10"}, {"type": "portmap"}],
    }
    return invoke.Attachment(document, [str(tmp_path)], "podnet-probe1-00", "/proc/1/ns/net")


def test_a_chain_hands_its_result_on(tmp_path: Path) -> None:
    calls = Calls()
    assert invoke.add(calls, attachment(tmp_path)) == RESULT
    assert calls.names == ["ADD bridge", "ADD portmap"]
    assert calls.calls[0][2] == {"type": "bridge", "name": "br1", "cniVersion": "1.0.0"}
    assert calls.calls[1][2] == {"type": "portmap", "name": "br1", "cniVersion": "1.0.0", "prevResult": RESULT}


@pytest.mark.parametrize(("version", "known"), [("0.3.1", False), ("0.4.0", True), ("1.0.0", True)])
def test_a_chain_is_taken_down_in_the_reverse_order(tmp_path: Path, version: str, known: bool) -> None:
    calls = Calls("DEL portmap", out='{"code": 5, "msg": "input/output"}')
    failed = invoke.delete(calls, attachment(tmp_path, version), RESULT)
    assert calls.names == ["DEL portmap", "DEL bridge"]
    assert failed == ["CNI plugin portmap: DEL of podnet-probe1-00 failed: input/output, code 5"]
    assert ["prevResult" in data for _verb, _plugin, data in calls.calls] == [known, known]


@pytest.mark.parametrize(
    ("status", "out", "reason"),
    [
        (1, '{"code": 11, "msg": "try again", "details": "no address"}', "try again (no address), code 11"),
        (124, "", "no answer within 20 seconds"),
        (2, "panic", "panic"),
        (2, "", "status 2"),
    ],
)
def test_what_a_failed_add_left_is_detached(tmp_path: Path, status: int, out: str, reason: str) -> None:
    calls = Calls("ADD portmap", status, out)
    with pytest.raises(PodnetError) as caught:
        invoke.add(calls, attachment(tmp_path))
    assert str(caught.value) == f"CNI plugin portmap: ADD of podnet-probe1-00 failed: {reason}"
    assert calls.names == ["ADD bridge", "ADD portmap", "DEL portmap", "DEL bridge"]


def test_a_conf_is_a_chain_of_one(tmp_path: Path) -> None:
    calls = Calls()
    conf = {"cniVersion": "0.3.1", "name": "br1", "type": "bridge"}
    invoke.add(calls, attachment(tmp_path)._replace(document=conf))
    assert [data for _verb, _plugin, data in calls.calls] == [conf]


def test_a_missing_plugin_is_named_before_any_is_called(tmp_path: Path) -> None:
    document = {"cniVersion": "1.0.0", "name": "br1", "plugins": [{"type": "bridge"}, {"type": "bridge10"}]}
    with pytest.raises(PodnetError, match=r"^CNI plugin bridge10: is not in"):
        invoke.require_plugins(document, attachment(tmp_path).bin_dirs)


def test_a_check_asks_every_plugin_and_tells_who_complains(tmp_path: Path) -> None:
    calls = Calls("CHECK bridge", out='{"code": 999, "msg": "no such link"}')
    complaints = invoke.check(calls, attachment(tmp_path), RESULT)
    assert calls.names == ["CHECK bridge", "CHECK portmap"]
    assert complaints == [("bridge", "CNI plugin bridge: CHECK of podnet-probe1-00 failed: no such link, code 999")]
    assert all(data["prevResult"] == RESULT for _verb, _plugin, data in calls.calls)


@pytest.mark.parametrize(
    ("document", "can"),
    [
        ({"cniVersion": "0.3.1"}, False),
        ({"cniVersion": "0.4.0"}, True),
        ({"cniVersion": "1.0.0", "disableCheck": True}, False),
        ({"cniVersion": "1.0.0", "disableCheck": "False"}, True),
    ],
)
def test_a_check_needs_a_version_that_has_it(document: dict[str, t.Any], can: bool) -> None:
    assert invoke.can_check(document) is can


def test_only_capable_plugins_are_told_of_ports(tmp_path: Path) -> None:
    calls, ports = Calls(), [{"hostPort": 8080, "containerPort": 80}]
    told = attachment(tmp_path)._replace(capability_args={"portMappings": ports})
    told.document["plugins"][1]["capabilities"] = {"portMappings": True}
    invoke.add(calls, told)
    assert [data.get("runtimeConfig") for _verb, _plugin, data in calls.calls] == [None, {"portMappings": ports}]


@pytest.mark.parametrize(
    ("result", "gateways"),
    [
        ({"ips": [{"address": "10.12.1.2/24", "gateway": "10.12.1.1"}, {"address": "fd12::2/64"}]}, ["10.12.1.1"]),
        ({"ip4": {"ip": "10.12.1.2/24", "gateway": "10.12.1.1"}}, ["10.12.1.1"]),
        ({}, []),
    ],
)
def test_gateways_of_every_form_of_a_result(result: dict[str, t.Any], gateways: list[str]) -> None:
    assert invoke.gateways(result) == gateways


@pytest.mark.parametrize(
    ("result", "addresses"),
    [
        (RESULT, ["10.12.1.2", "fd12::2"]),
        ({"ip4": {"ip": "10.12.1.2/24"}}, ["10.12.1.2"]),
        ({}, []),
        ({"ips": None}, []),
    ],
)
def test_addresses_of_every_form_of_a_result(result: dict[str, t.Any], addresses: list[str]) -> None:
    assert invoke.addresses(result) == addresses


def test_the_mac_is_that_of_the_pods_end() -> None:
    ends = [
        {"name": "veth1", "mac": "0a:00:00:00:00:01"},
        {"name": "eth0", "mac": "0a:00:00:00:00:02", "sandbox": "/x"},
    ]
    assert invoke.mac({"interfaces": ends}) == "0a:00:00:00:00:02"
    assert invoke.mac({"interfaces": ends[:1]}) is None


@pytest.mark.parametrize(
    "result",
    [
        {"ips": 7, "interfaces": "x", "ip4": None, "ip6": []},
        {"ips": [None, {}, {"address": None}, {"address": "x"}], "interfaces": [[], {"sandbox": "/x"}]},
        {"ip4": {"ip": ["10.12.1.2"], "gateway": {}}},
    ],
)
def test_what_a_plugin_need_not_have_answered(result: dict[str, t.Any]) -> None:
    assert invoke.addresses(result) == []
    assert invoke.gateways(result) == []
    assert invoke.mac(result) is None
