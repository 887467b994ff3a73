# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys and types of a configuration, its two forms, and the text that is written."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest

from ansible_collections.mink8s.podnet.plugins.module_utils._cni import conf
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

#: The last file of the walk-through.
WALKTHROUGH: dict[str, t.Any] = {
    "cniVersion": "0.3.1",
    "name": "mink8s",
    "type": "bridge",
    "bridge": "mink8s0",
    "isGateway": True,
    "ipMasq": True,
    "ipam": {
        "type": "host-local",
        "ranges": [[{"subnet": "10.12.1.0/24"}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    },
}


def in_list(*plugins: dict[str, t.Any], **envelope: t.Any) -> dict[str, t.Any]:
    bridge = {key: value for key, value in WALKTHROUGH.items() if key not in conf.BOTH_FORMS}
    return {"cniVersion": "1.0.0", **envelope, "plugins": [bridge, *plugins]}


def refusal(config: t.Any, form: str = "conflist") -> str:
    with pytest.raises(OptionError) as caught:
        conf.normalise("mink8s", config, form)
    return str(caught.value)


def test_the_walk_through_comes_out_to_the_letter() -> None:
    text = conf.text(conf.normalise("mink8s", WALKTHROUGH, "conf").document)
    assert text == json.dumps(WALKTHROUGH, indent=2) + "\n"
    assert list(json.loads(text)) == list(WALKTHROUGH)


def test_normalising_changes_nothing_of_what_was_given() -> None:
    given = copy.deepcopy(WALKTHROUGH)
    given["mtu"] = "1450"
    before = copy.deepcopy(given)
    conf.normalise("mink8s", given, "conflist")
    assert given == before


def test_one_plugin_becomes_a_list_and_back() -> None:
    listed = conf.normalise("mink8s", WALKTHROUGH, "conflist").document
    assert list(listed) == ["cniVersion", "name", "plugins"]
    assert listed["plugins"][0] == {key: WALKTHROUGH[key] for key in WALKTHROUGH if key not in ("cniVersion", "name")}
    assert conf.normalise("mink8s", listed, "conf").document == WALKTHROUGH


def test_keys_stay_in_the_users_order() -> None:
    given = {"plugins": in_list()["plugins"], "disableCheck": "True", "cniVersion": "1.0.0", "name": "mink8s"}
    document = conf.normalise("mink8s", given, "conflist").document
    assert list(document) == ["plugins", "disableCheck", "cniVersion", "name"]
    assert document["disableCheck"] is True


def test_a_name_that_is_left_out_is_written() -> None:
    document = conf.normalise("mink8s", in_list(), "conflist").document
    assert list(document) == ["cniVersion", "name", "plugins"]
    assert document["name"] == "mink8s"


def test_what_templates_make_text_of_is_put_right() -> None:
    given = copy.deepcopy(WALKTHROUGH)
    given.update({"mtu": "1450", "isGateway": "true", "ipMasq": "False", "hairpinMode": "yes", "vlan": "10"})
    given["ipam"]["routes"][0]["mtu"] = "1400"
    document = conf.normalise("mink8s", given, "conf").document
    assert (document["mtu"], document["isGateway"], document["ipMasq"]) == (1450, True, False)
    assert (document["hairpinMode"], document["vlan"], document["ipam"]["routes"][0]["mtu"]) == (True, 10, 1400)


def test_sysctls_become_text() -> None:
    sysctl = {"net.core.somaxconn": 1024, "net/ipv4/tcp_syncookies": True, "net.ipv4.conf.IFNAME.arp_filter": "1"}
    document = conf.normalise("mink8s", in_list({"type": "tuning", "sysctl": sysctl}), "conflist").document
    assert document["plugins"][1]["sysctl"] == {
        "net.core.somaxconn": "1024",
        "net/ipv4/tcp_syncookies": "1",
        "net.ipv4.conf.IFNAME.arp_filter": "1",
    }


def test_keys_of_unknown_plugins_are_left_alone() -> None:
    own = {"type": "ptp-plus", "mtu": "1450", "anything": [None]}
    assert conf.normalise("mink8s", in_list(own), "conflist").document["plugins"][1] == own


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"ipMasquerade": True},
            "config: ipMasquerade is not a key of the bridge plugin; did you mean ipMasq?",
        ),
        ({"ISGATEWAY": True}, "config: ISGATEWAY is not a key of the bridge plugin; did you mean isGateway?"),
        ({"mtu": "big"}, "config.mtu: big is not a whole number; use a number from 0 to 65535"),
        ({"mtu": True}, "config.mtu: true is not a whole number; use a number from 0 to 65535"),
        ({"mtu": 1450.5}, "config.mtu: 1450.5 is not a whole number; use a number from 0 to 65535"),
        ({"mtu": 60}, "config.mtu: 60 is out of range; use a number from 68 to 65535, or 0"),
        ({"mtu": None}, "config.mtu: null is not a whole number; use a number from 0 to 65535"),
        ({"isGateway": "maybe"}, "config.isGateway: maybe is not a boolean; use true or false"),
        ({"isGateway": 1}, "config.isGateway: 1 is not a boolean; use true or false"),
        ({"vlan": 4095}, "config.vlan: 4095 is out of range; use a number from 0 to 4094"),
        ({"ipMasqBackend": "pf"}, "config.ipMasqBackend: pf is not known; use one of iptables, nftables"),
        ({"bridge": "abcdefghijklmnop"}, "config.bridge: abcdefghijklmnop is longer than 15 characters; "),
        ({"bridge": "br/1"}, "config.bridge: br/1 is not an interface name; "),
        ({"type": "../bridge"}, "config.type: ../bridge is not the name of a CNI plugin; "),
        ({"type": 7}, "config.type: 7 is not the name of a CNI plugin; "),
        ({"ipam": {}}, "config.ipam: {} has no type, so pods would get no address; add type: host-local"),
        ({"ipam": []}, "config.ipam: [] is not a mapping; write keys and values"),
        ({"runtimeConfig": {}}, "config: runtimeConfig is set by the runtime and must not be in a file; "),
        ({"args": {}}, "config: args is set by the runtime and must not be in a file; leave the key out"),
        ({"prevResult": {}}, "config: prevResult is set by the runtime and must not be in a file; "),
        ({"cni.dev/valid-attachments": []}, "config: cni.dev/valid-attachments is set by the runtime and must "),
        ({"disableCheck": True}, "config.disableCheck: true is read only in a list; "),
        ({"capabilities": {"mac": "si"}}, "config.capabilities.mac: si is not a boolean; use true or false"),
        ({"dns": {"nameserver": []}}, "config.dns: nameserver is not a key of dns; did you mean nameservers?"),
        ({"name": "mink8s1"}, "config.name: mink8s1 is not the option name, mink8s; make them equal"),
        ({"cniVersion": "9.9.9"}, "config.cniVersion: 9.9.9 is not a version of the CNI specification; use one of "),
        ({"cniVersion": 1.0}, "config.cniVersion: 1.0 is not a version of the CNI specification; "),
        ({"vlanTrunk": {"id": 1}}, 'config.vlanTrunk: {"id": 1} is not a list; write [ ] around it'),
        ({"vlanTrunk": [{"id": 0}]}, "config.vlanTrunk[0].id: 0 is out of range; use a number from 1 to 4094"),
    ],
)
def test_a_plugins_keys_are_checked(change: dict[str, t.Any], sentence: str) -> None:
    assert refusal({**WALKTHROUGH, **change}).startswith(sentence)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"ranges": [{"subnet": "10.12.1.0/24"}]},
            (
                'config.ipam.ranges[0]: {"subnet": "10.12.1.0/24"} is a range where a list of ranges belongs; '
                "write [ ] around it"
            ),
        ),
        (
            {"ranges": [[{"subnet": "10.12.1.7/24"}]]},
            "config.ipam.ranges[0][0].subnet: 10.12.1.7/24 has host bits set; write 10.12.1.0/24",
        ),
        ({"ranges": [[{"subnet": "10.12.1.0"}]]}, "config.ipam.ranges[0][0].subnet: 10.12.1.0 is not a CIDR; "),
        (
            {"ranges": [[{"subnet": "10.12.1.0/255.255.255.0"}]]},
            "config.ipam.ranges[0][0].subnet: 10.12.1.0/255.255.255.0 has a netmask; ",
        ),
        ({"ranges": [[{"subnets": "x"}]]}, "config.ipam.ranges[0][0]: subnets is not a key of a host-local range; "),
        ({"ranges": [[{"rangeStart": "10.12.1.5/24"}]]}, "config.ipam.ranges[0][0].rangeStart: 10.12.1.5/24 is not "),
        ({"ranges": [[{"gateway": "fe80::1%eth0"}]]}, "config.ipam.ranges[0][0].gateway: fe80::1%eth0 names an "),
        ({"routes": [{"dst": "10.1.0.5/8"}]}, "config.ipam.routes[0].dst: 10.1.0.5/8 has host bits set; write 10.0"),
        ({"routes": [{"dst": "default"}]}, "config.ipam.routes[0].dst: default is not a CIDR; "),
        ({"routes": {"dst": "0.0.0.0/0"}}, 'config.ipam.routes: {"dst": "0.0.0.0/0"} is not a list; '),
        ({"dataDir": "run/cni"}, "config.ipam.dataDir: run/cni is not an absolute path; "),
        ({"range": []}, "config.ipam: range is not a key of the host-local plugin; did you mean ranges?"),
    ],
)
def test_host_locals_keys_are_checked(change: dict[str, t.Any], sentence: str) -> None:
    assert refusal({**WALKTHROUGH, "ipam": {"type": "host-local", **change}}).startswith(sentence)


@pytest.mark.parametrize(
    ("plugin", "sentence"),
    [
        ({}, "config.plugins[1]: [] has no type; "),
        ("portmap", "config.plugins[1]: portmap is not a mapping; "),
        ({"type": "portmap", "name": "x"}, "config.plugins[1]: name is not a key of the portmap plugin; "),
        ({"type": "portmap", "markMasqBit": 32}, "config.plugins[1].markMasqBit: 32 is out of range; "),
        ({"type": "portmap", "backend": "pf"}, "config.plugins[1].backend: pf is not known; "),
        ({"type": "portmap", "conditionsV4": "-j"}, "config.plugins[1].conditionsV4: -j is not a list; "),
        ({"type": "portmap", "externalSetMarkChain": "a b"}, 'config.plugins[1].externalSetMarkChain: "a b" is not '),
        ({"type": "firewall", "backend": "nftables"}, "config.plugins[1].backend: nftables is not known; "),
        ({"type": "firewall", "ingressPolicy": "deny"}, "config.plugins[1].ingressPolicy: deny is not known; "),
        (
            {"type": "tuning", "sysctl": {"kernel.shmmax": "1"}},
            "config.plugins[1].sysctl: kernel.shmmax is not a sysctl of a pod's network; use one that begins with net.",
        ),
        ({"type": "tuning", "sysctl": {"net/../kernel": "1"}}, "config.plugins[1].sysctl: net/../kernel is not a "),
        (
            {"type": "tuning", "sysctl": {"net.core.somaxconn": "1", "net/core/somaxconn": "2"}},
            "config.plugins[1].sysctl: net/core/somaxconn is the same sysctl as net.core.somaxconn; ",
        ),
        ({"type": "tuning", "sysctl": {"net.a": [1]}}, "config.plugins[1].sysctl.net.a: [1] is not a sysctl's value; "),
        ({"type": "tuning", "mac": "01:00:5e:00:00:01"}, "config.plugins[1].mac: 01:00:5e:00:00:01 is not a MAC "),
        ({"type": "bandwidth", "ingressRate": -1}, "config.plugins[1].ingressRate: -1 is out of range; "),
        ({"type": "loopback", "mtu": 1}, "config.plugins[1]: mtu is not a key of the loopback plugin; "),
        ({"type": "mine", "prevResult": 1}, "config.plugins[1]: prevResult is set by the runtime "),
        ({"type": "mine", "ipam": {"type": "dhcp", "args": 1}}, "config.plugins[1].ipam: args is set by the runtime "),
        (
            {"type": "mine", "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.1.1/24"}]]}},
            "config.plugins[1].ipam.ranges[0][0].subnet: 10.1.1.1/24 has host bits set; ",
        ),
    ],
)
def test_a_lists_plugins_are_checked(plugin: t.Any, sentence: str) -> None:
    assert refusal(in_list(plugin)).startswith(sentence)


@pytest.mark.parametrize(
    ("config", "form", "sentence"),
    [
        ("cniVersion: 1.0.0", "conflist", 'config: "cniVersion: 1.0.0" is not a mapping; '),
        ({"name": "mink8s"}, "conflist", 'config: ["name"] has no cniVersion; add one of 0.1.0, '),
        ({"cniVersion": "1.0.0"}, "conflist", 'config: ["cniVersion", "name"] has no type; add the plugin\'s name'),
        (in_list(type="bridge"), "conflist", "config: type is not a key of a list of plugins; "),
        (in_list(DisableCheck=True), "conflist", "config: DisableCheck is not a key of a list of plugins; did you "),
        (in_list(disableGC="x"), "conflist", "config.disableGC: x is not a boolean; "),
        (in_list(loadOnlyInlinedPlugins=1), "conflist", "config.loadOnlyInlinedPlugins: 1 is not a boolean; "),
        (in_list(cniVersions=["2.0.0"]), "conflist", "config.cniVersions[0]: 2.0.0 is not a version of the CNI "),
        (in_list(**{"cni.dev/x": 1}), "conflist", "config: cni.dev/x is set by the runtime "),
        ({"cniVersion": "1.0.0", "plugins": []}, "conflist", "config.plugins: [] is not a list of plugins; "),
        ({"cniVersion": "1.0.0", "plugins": {}}, "conflist", "config.plugins: {} is not a list of plugins; "),
        (in_list({"type": "mine"}), "conf", "format: conf cannot hold 2 plugins; use format: conflist"),
        (in_list(disableCheck=True), "conf", "format: conf cannot hold disableCheck; use format: conflist, or "),
    ],
)
def test_the_envelope_is_checked(config: t.Any, form: str, sentence: str) -> None:
    assert refusal(config, form).startswith(sentence)


@pytest.mark.parametrize("name", ["", "my net", "-net", "net\n", "net/1", ".net", "nétz", 7, None])
def test_names_that_libcni_refuses(name: t.Any) -> None:
    with pytest.raises(OptionError):
        conf.network_name("name", name)


@pytest.mark.parametrize("name", ["a", "net-1", "Net_1.x", "9"])
def test_names_that_libcni_takes(name: str) -> None:
    assert conf.network_name("name", name) == name


def test_priorities_sort_as_numbers() -> None:
    assert conf.file_name("net", "conflist", 5) == "05-net.conflist"
    assert conf.file_name("net", "conf", 10) == "10-net.conf"
    assert conf.file_name("net", "conflist", None) == "net.conflist"


@pytest.mark.parametrize("document", [None, [], "x", {}, {"plugins": 1}, {"plugins": [1]}, {"plugins": [{"ipam": 1}]}])
def test_foreign_files_may_hold_anything(document: t.Any) -> None:
    assert conf.pod_cidrs(document) == []


def test_pod_cidrs_of_both_forms_and_of_the_old_one() -> None:
    assert conf.pod_cidrs(WALKTHROUGH) == ["10.12.1.0/24"]
    old = {"type": "bridge", "ipam": {"type": "host-local", "subnet": "10.12.2.0/24", "ranges": [[{"subnet": "X"}]]}}
    assert conf.pod_cidrs({"plugins": [old]}) == ["10.12.2.0/24"]
    both = {"type": "host-local", "ranges": [[{"subnet": "10.12.1.0/24"}], [{"subnet": "2001:DB8:1::/64"}]]}
    assert conf.pod_cidrs({"type": "ptp", "ipam": both}) == ["10.12.1.0/24", "2001:db8:1::/64"]


def test_a_name_must_leave_room_for_the_names_of_files() -> None:
    assert conf.network_name("name", "a" * 128) == "a" * 128
    with pytest.raises(OptionError, match="is too long for the names of files; use at most 128 characters"):
        conf.network_name("name", "a" * 129)


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_a_number_that_is_none_is_not_written(number: float) -> None:
    with pytest.raises(OptionError, match="has a number that JSON does not know"):
        conf.normalise("mink8s", {"cniVersion": "1.0.0", "type": "other", "x": [number]}, "conflist")


@pytest.mark.parametrize("ranges", [7, "x", {"a": 1}, [7, [7, None]], None])
def test_ranges_that_others_wrote_may_be_anything(ranges: t.Any) -> None:
    assert conf.ranges_of({"type": "host-local", "ranges": ranges}) == []
    assert conf.capabilities_of({"capabilities": ranges if not isinstance(ranges, dict) else []}) == {}
