# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as one HTML page that asks for nothing: no script, no font, no picture from elsewhere.

Every value is escaped where it stands in the page, and the page's own policy forbids all but its one style sheet: a pod
may call itself what it likes.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import typing as t
from pathlib import Path

import jinja2
from markupsafe import Markup

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.plugin_utils._report import findings, heatmap, reachability

HERE = Path(__file__).parent
#: More nodes than this are a table instead of cards; more pods are counted.
CARDS, PODS = 12, 12
#: More failures than this are folded away; more lines than this are in the JSON only.
FIRST, LINES = 12, 200
#: More failed cells than this are no longer drawn larger than they are.
FEW = 60
WHY_SILENT = {
    findings.UNREACHABLE: "not asked, the node cannot be reached",
    findings.LEFT_OUT: "not asked, this run left the node out",
}
STATES = {
    findings.UNREACHABLE: ("bad", "unreachable"),
    findings.FAILED: ("bad", "not known"),
    findings.LEFT_OUT: ("", "not asked"),
}
TAGS = {"stops": "bad", "warns": "warn", "informs": ""}

Data = t.Dict[str, t.Any]


def render(report: Data, ways: list[reachability.Way], json_name: str) -> str:
    """Return the page of a report."""
    style = (HERE / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string((HERE / "page.html.j2").read_text(encoding="utf-8"))
    return template.render(
        report=report,
        page=view(report, ways),
        json_name=json_name,
        pod_name=pod_name,
        style=Markup(style),  # noqa: S704  # our own, and the policy has its checksum
        style_hash=Markup(f"sha256-{digest}"),  # noqa: S704
    )


def view(report: Data, ways: list[reachability.Way]) -> Data:
    """Return what the template shows beside the report itself."""
    nodes: dict[str, Data] = report["nodes"]
    failures = reachability.sentences(ways)
    drift, left = _drift(report), _left(nodes)
    states = {name: _state(node) for name, node in nodes.items()}
    conflicts = _conflicts(nodes)
    counts = _counts(conflicts)
    grade, words = verdict(report)
    asked = sum(node["status"] == findings.ASKED for node in nodes.values())
    where = (
        "" if asked == len(nodes) else f" on the {asked} {'node that was' if asked == 1 else 'nodes that were'} asked"
    )
    order = {"bad": 0, "warn": 1, "": 2, "good": 3}
    return {
        "asked": asked,
        "grade": grade,
        "verdict": words,
        "mark": {"good": "✓", "warn": "!", "bad": "✕"}[grade],
        "tiles": _tiles(report["summary"], counts),
        "ways": f"{len(ways):,}",
        "problems": _problems(report),
        "pictures": heatmap.pictures(ways, _silent(nodes, ways)),
        "legend": heatmap.legend(),
        "failures": failures[:FIRST],
        "failures_folded": failures[FIRST:LINES],
        "failures_left": len(failures[LINES:]),
        "few_fail": len({(way.of, way.to) for way in ways if not way.ok}) <= FEW,
        "drift": drift,
        "no_drift": f"Nothing differs{where}.",
        "left": left[:LINES],
        "left_more": len(left[LINES:]),
        "no_left": f"Nothing is stale, and nothing has leaked{where}.",
        "conflicts": conflicts,
        "no_conflicts": f"Nothing is in the way{where}.",
        "cidrs": [_blocks(whole, nodes) for cidr in report["controller"]["cluster_cidrs"] if (whole := _network(cidr))],
        "cards": len(nodes) <= CARDS,
        "most_pods": PODS,
        "states": states,
        "worst_first": sorted(nodes, key=lambda name: order[states[name]["grade"]]),
    }


def pod_name(pod: Data) -> str:
    """Return a pod's name as Kubernetes says it, or what the runtime calls its sandbox."""
    words = [pod["pod_namespace"], pod["pod"]] if pod["pod"] else [str(pod["container_id"] or "?")[:12]]
    return "/".join(str(word) for word in words if word)


def verdict(report: Data) -> tuple[str, str]:
    """Return the grade and the one sentence that says it all; a conflict of several nodes is counted once."""
    found, conflicts = report["summary"], _counts(_conflicts(report["nodes"]))
    bad = [
        (len(found["unreachable"]), "node cannot be reached", "nodes cannot be reached"),
        (len(found["failed"]), "node could not be asked everything", "nodes could not be asked everything"),
        (found["ways_failed"], f"of {found['ways']:,} ways fails", f"of {found['ways']:,} ways fail"),
        (conflicts["stops"], "conflict stops pods", "conflicts stop pods"),
    ]
    mild = [
        (len(found["drifted"]), "node has drifted", "nodes have drifted"),
        (int(found["controller_drifted"]), "change of the lock file is due", ""),
        (found["stale"], "pod is stale", "pods are stale"),
        (found["leaks"], "thing has leaked", "things have leaked"),
        (conflicts["warns"], "warning", "warnings"),
    ]
    problem = report["controller"]["problem"]
    if not (found["nodes"] or problem):
        return "warn", "The inventory has no nodes"
    words = [f"{count:,} {one if count == 1 else many}" for count, one, many in [*bad, *mild] if count]
    words = [*(["the pod CIDRs are not known"] if problem else []), *words]
    if not words:
        ways = f", {found['ways']:,} ways work" if found["ways"] else ""
        return "good", f"All is well: {found['asked']} of {found['nodes']} nodes asked{ways}"
    grade = "bad" if problem or any(count for count, _one, _many in bad) else "warn"
    return grade, "; ".join(words)


def _tiles(found: Data, conflicts: dict[str, int]) -> list[Data]:
    lost = len(found["unreachable"]) + len(found["failed"])
    left = found["stale"] + found["leaks"]
    grades = "stops" if conflicts["stops"] else "warns" if conflicts["warns"] else ""
    drifted = len(found["drifted"])
    asked = f"{found['asked'] - len(found['failed'])}/{found['nodes']}"
    return [
        _tile("topology", "bad" if lost else "good", asked, "nodes asked"),
        _ways_tile(found["ways"], found["ways_failed"]),
        _tile("drift", "warn" if drifted or found["controller_drifted"] else "good", str(drifted), "nodes drifted"),
        _tile("left", "warn" if left else "good", str(left), f"stale or leaked, {found['pods']:,} pods"),
        _tile("conflicts", TAGS.get(grades, "good"), str(conflicts["stops"] + conflicts["warns"]), "conflicts"),
    ]


def _ways_tile(ways: int, failed: int) -> Data:
    if not ways:
        return _tile("reachability", "", "0", "ways were tried")
    if failed:
        return _tile("reachability", "bad", f"{failed:,} fail" if failed > 1 else "1 fails", f"of {ways:,} ways")
    return _tile("reachability", "good", f"{ways:,}", "ways, all of them work")


def _tile(to: str, grade: str, number: str, words: str) -> Data:
    return {"to": to, "grade": grade, "number": number, "words": words}


def _problems(report: Data) -> list[Data]:
    controller = report["controller"]["problem"]
    return [
        *([{"node": "the controller", "words": controller}] if controller else []),
        *(
            {"node": name, "words": words}
            for name, node in report["nodes"].items()
            for words in node["problems"] or (["cannot be reached"] if node["status"] == findings.UNREACHABLE else [])
        ),
    ]


def _silent(nodes: t.Mapping[str, Data], ways: list[reachability.Way]) -> dict[str, str]:
    """The nodes that pinged nothing, with the reason."""
    heard = {way.of for way in ways}
    return {name: WHY_SILENT.get(node["status"], "pinged nothing") for name, node in nodes.items() if name not in heard}


def _state(node: Data) -> Data:
    grade, words = STATES.get(node["status"], ("good", "as declared"))
    if node["status"] == findings.ASKED:
        worst = [found["grade"] for found in node["conflicts"]]
        if node["drift"]:
            grade, words = "warn", "drifted"
        elif node["stale"] or node["leaks"]:
            grade, words = "warn", "stale" if node["stale"] else "leaked"
        if "stops" in worst or ("warns" in worst and grade == "good"):
            grade, words = TAGS[worst[0]], "conflict"
    return {"grade": grade, "words": words}


def _drift(report: Data) -> list[Data]:
    """Each node with its changes; of many nodes they are folded away."""
    found = [{"node": name, "changes": node["drift"]} for name, node in report["nodes"].items() if node["drift"]]
    lock = [{"role": "pod_cidr", "action": action} for action in report["controller"]["drift"]]
    found = [*([{"node": "the controller", "changes": lock}] if lock else []), *found]
    return [{**one, "folded": len(found) > CARDS} for one in found]


def _left(nodes: t.Mapping[str, Data]) -> list[Data]:
    lines = []
    for name, node in nodes.items():
        for pod in node["stale"]:
            keys = f" ({', '.join(map(str, pod['changed_keys']))})" if pod["changed_keys"] else ""
            words = f"attached with another configuration{keys}; create it again"
            lines.append({"node": name, "kind": "stale", "grade": "warn", "name": f"pod {pod_name(pod)}", "why": words})
        for kind, grade in (("leaks", "warn"), ("unknown", "")):
            word = "leaked" if kind == "leaks" else "unknown"
            lines += [
                {"node": name, "kind": word, "grade": grade, "name": leak["name"], "why": leak["reason"] or ""}
                for leak in node[kind]
            ]
    return sorted(lines, key=lambda line: line["kind"] == "unknown")


def _conflicts(nodes: t.Mapping[str, Data]) -> list[Data]:
    """The same conflict of several nodes is one line."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for name, node in nodes.items():
        for found in node["conflicts"]:
            grouped.setdefault((found["grade"], str(found["what"])), []).append(name)
    lines = sorted(grouped.items(), key=lambda item: findings.GRADES.index(item[0][0]))
    return [
        {"grade": grade, "tag": TAGS[grade], "what": what, "nodes": several(names)} for (grade, what), names in lines
    ]


def _counts(conflicts: list[Data]) -> dict[str, int]:
    return {grade: sum(found["grade"] == grade for found in conflicts) for grade in findings.GRADES}


def several(names: list[str]) -> str:
    """Return names as a person says them: all of few, the first of many."""
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _network(cidr: str) -> t.Optional[_values.Network]:
    """Return a CIDR, or None for what is none: why it cannot be used is told elsewhere in the page."""
    try:
        return ipaddress.ip_network(str(cidr), strict=False)
    except ValueError:
        return None


def _blocks(whole: _values.Network, nodes: t.Mapping[str, Data]) -> Data:
    """Where the nodes' blocks lie in a cluster CIDR, in thousandths of it."""
    blocks = []
    for name, node in nodes.items():
        for given in node["pod_cidrs"]:
            block = _network(given)
            if block and block.version == whole.version and block.network_address in whole:
                x = (int(block.network_address) - int(whole.network_address)) * 1000 / whole.num_addresses
                width = max(block.num_addresses * 1000 / whole.num_addresses, 1.5)
                blocks.append({"x": round(x, 2), "width": round(width, 2), "title": f"{name} {given}"})
    return {"cidr": str(whole), "blocks": blocks}
