# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what was collected on each node to the report that machines read; the page is made of it too.  Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _shapes as shapes
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import foreign
from ansible_collections.mink8s.podnet.plugins.plugin_utils._report import reachability

#: What happened to a node: it was asked, some question failed, it could not be reached, or the run left it out.
ASKED, FAILED, UNREACHABLE, LEFT_OUT = "asked", "failed", "unreachable", "left_out"
GRADES = ("stops", "warns", "informs")
#: The problem of a node that the run lost on its way.
LOST = "it did not answer to the end; see what the run printed of it"
#: Differences to the configuration of today that pods do not notice.
UNNOTICED = ("none", "live_safe")

#: The problem of a node whose answer no module of ours has made.
GARBLED = "what it answers is not understood; see whether it runs this version, and who has it"

Data = t.Dict[str, t.Any]

_THINGS = [{shapes.OTHERS: shapes.PLAIN}]
_POD = {"addresses?": [shapes.PLAIN], "changed_keys?": [shapes.PLAIN], "config?": shapes.ANYTHING}
#: What the page shows of them; a node need not say all of it.
BRIDGE: Data = {"name": None, "addresses": [], "mtu": None}
ROUTE: Data = dict.fromkeys(("dst", "via", "node"))
#: What a node may say.
NODE: Data = {
    **shapes.PLANS,
    "bridge?": {"addresses?": [shapes.PLAIN], "ports?": [shapes.PLAIN], shapes.OTHERS: shapes.PLAIN},
    "routes?": _THINGS,
    "attached?": {
        "attachments?": [{**_POD, shapes.OTHERS: shapes.PLAIN}],
        "leaks?": _THINGS,
        "unknown?": _THINGS,
    },
    "conflicts?": _THINGS,
    "foreign?": [dict.fromkeys(("where", "rule", "effect", "remedy"), shapes.PLAIN)],
    "competing?": _THINGS,
    "matrix?": [shapes.ROW],
}


def understood(nodes: t.Mapping[str, t.Any]) -> dict[str, Data]:
    """Return what can be told of; a node of which nothing can has that for a problem, and spoils no other's."""
    return {str(name): said if shapes.fits(said, NODE) else {"problems": [GARBLED]} for name, said in nodes.items()}


def all_ways(nodes: t.Mapping[str, Data]) -> list[reachability.Way]:
    """Return the lines of the matrices of all nodes."""
    return reachability.ways(row for collected in nodes.values() for row in (collected or {}).get("matrix") or [])


def report(
    nodes: t.Mapping[str, Data], controller: Data, found_ways: list[reachability.Way], *, title: str, generated: str
) -> Data:
    """Return the whole report; ``nodes`` is what each node of the run said, ``controller`` who owns which pod CIDR."""
    allocated: Data = controller.get("nodes") or {}
    said = {name: collected or {"problems": [LOST]} for name, collected in nodes.items()}
    names = list(dict.fromkeys([*nodes, *allocated]))
    found = {name: node(said.get(name) or {}, allocated.get(name) or {}) for name in names}
    ways = reachability.summary(found_ways)
    lock = {
        "lock_file": controller.get("lock_file"),
        "cluster_cidrs": list(controller.get("cluster_cidrs") or []),
        "drift": list(controller.get("actions") or []),
        "problem": controller.get("problem") or None,
    }
    return {
        "schema": 1,
        "title": title,
        "generated": generated,
        "summary": summary(found, ways, lock),
        "controller": lock,
        "nodes": found,
        "reachability": ways,
    }


def node(collected: Data, allocated: Data) -> Data:
    """Return what is known of one node."""
    attached = collected.get("attached") or {}
    pods = [pod(attachment) for attachment in attached.get("attachments") or []]
    return {
        "status": status(collected),
        "problems": list(collected.get("problems") or []),
        "addresses": list(allocated.get("addresses") or []),
        "pod_cidrs": list(allocated.get("pod_cidrs") or []),
        "bridge": {**BRIDGE, **collected["bridge"]} if collected.get("bridge") else None,
        "routes": [{**ROUTE, **route} for route in collected.get("routes") or []],
        "pods": pods,
        "drift": [
            {"role": role, "action": str(action)}
            for role, actions in (collected.get("plans") or {}).items()
            for action in actions or []
        ],
        "stale": [found for found in pods if found["stale"]],
        "leaks": [leak(found) for found in attached.get("leaks") or []],
        "unknown": [leak(found) for found in attached.get("unknown") or []],
        "conflicts": conflicts(collected),
    }


def status(collected: Data) -> str:
    """Return what happened to a node."""
    if not collected:
        return LEFT_OUT
    if collected.get("unreachable"):
        return UNREACHABLE
    return FAILED if collected.get("problems") else ASKED


def pod(attachment: Data) -> Data:
    """Return a pod's attachment; stale is one that lives under another configuration than today's."""
    found = {
        key: attachment.get(key)
        for key in ("container_id", "pod", "pod_namespace", "network", "ifname", "mac", "mtu", "veth", "bridge")
    }
    change = attachment.get("change_class") or "none"
    dead = attachment.get("verdict") == "dead"
    return {
        **found,
        "addresses": list(attachment.get("addresses") or []),
        "verdict": attachment.get("verdict"),
        "change_class": change,
        "changed_keys": list(attachment.get("changed_keys") or []),
        "stale": not dead and change not in UNNOTICED,
    }


def leak(found: Data) -> Data:
    """Return something that is left behind."""
    return {key: found.get(key) for key in ("kind", "name", "network", "container_id", "reason")}


def conflicts(collected: Data) -> list[Data]:
    """Return all that is in the way, the worst first; foreign rules and competing files tell those whom they hinder."""
    rules = [
        {"kind": "foreign_rule", "object": rule.get("where"), "what": foreign.sentence(rule)}
        for rule in collected.get("foreign") or []
    ]
    consented = collected.get("on_conflict") == "ignore"
    competing = [
        {
            "grade": "warns" if consented else "stops",
            "kind": "competing_file",
            "object": file.get("path"),
            "what": f"{file.get('path')}: {file.get('reason')}",
        }
        for file in collected.get("competing") or []
    ]
    found = [conflict(one) for one in [*(collected.get("conflicts") or []), *rules, *competing]]
    return sorted(found, key=lambda one: GRADES.index(one["grade"]))


def conflict(found: Data) -> Data:
    """Return something in the way; a grade that is not known counts as a warning."""
    grade = found.get("grade")
    kept = {key: found.get(key) for key in ("kind", "object", "what")}
    return {"grade": grade if grade in GRADES else "warns", **kept}


def summary(nodes: t.Mapping[str, Data], ways: Data, controller: Data) -> Data:
    """Return the numbers that a person, or a monitor, looks at first."""
    grades = [found["grade"] for one in nodes.values() for found in one["conflicts"]]
    result: Data = {
        "nodes": len(nodes),
        "asked": sum(one["status"] in (ASKED, FAILED) for one in nodes.values()),
        **{state: [name for name, one in nodes.items() if one["status"] == state] for state in (UNREACHABLE, FAILED)},
        "left_out": sum(one["status"] == LEFT_OUT for one in nodes.values()),
        "ways": ways["ways"],
        "ways_failed": ways["failed"],
        "drifted": [name for name, one in nodes.items() if one["drift"]],
        "controller_drifted": bool(controller["drift"]),
        **{kind: sum(len(one[kind]) for one in nodes.values()) for kind in ("pods", "stale", "leaks", "unknown")},
        "conflicts": {grade: grades.count(grade) for grade in GRADES},
    }
    bad = (UNREACHABLE, FAILED, "ways_failed", "drifted", "controller_drifted", "stale", "leaks")
    conflicts = result["conflicts"]["stops"] + result["conflicts"]["warns"]
    result["well"] = bool(nodes) and not (any(result[key] for key in bad) or conflicts or controller["problem"])
    return result
