# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the plans of all nodes to one line for each.  Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _shapes

DOCUMENTATION = r"""
name: drift
short_description: Which nodes differ from what is declared
version_added: 1.0.0
author: The mink8s.podnet developers (@mink8s)
description:
  - Makes one line for each node, and the same for a monitor, from what the plans of the roles say.
positional: _input
options:
  _input:
    description:
      - What was found on each node, by the node's name. The keys are C(plans) (the actions of each role), C(problems)
        (sentences) and C(unreachable); a node without anything was not asked.
    type: dict
    required: true
  controller:
    description:
      - What module P(mink8s.podnet.pod_cidr#module) returned, whose C(actions) are what the lock file lacks; or
        C(problem), the sentence with which it failed.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show which nodes have drifted
  ansible.builtin.debug:
    msg: "{{ ({'node1': {'plans': {'pod_network': ['create route 10.12.2.0/24']}}} | mink8s.podnet.drift).lines }}"
"""

RETURN = r"""
_value:
  description: What is shown, and what is written for a monitor.
  type: dict
  contains:
    lines:
      description: One line for each node, and before them one for the controller if its lock file is to change.
      type: list
      elements: str
      sample: ["node1  as declared", "node2  DRIFTED: create route 10.12.3.0/24 (via 192.0.2.13, device eth0)"]
    troubles:
      description: The nodes that are not as declared.
      type: list
      elements: str
      sample: [node2]
    report:
      description: What a monitor wants to know. C(status) is V(same), V(drifted), V(failed) or V(unreachable).
      type: dict
      sample:
        schema: 1
        drifted: true
        status: {node1: same, node2: drifted}
        actions: {node2: [{role: pod_network, action: create route 10.12.3.0/24}]}
        problems: {}
"""

Data = t.Dict[str, t.Any]
#: So many actions stand in a node's line; the others are counted.
SHOWN = 3
SAME = "same"
DRIFTED = "drifted"
FAILED = "failed"
UNREACHABLE = "unreachable"
CONTROLLER = "the controller"
GARBLED = "what it answers is not understood"


def drift(found: t.Mapping[str, Data], controller: t.Optional[Data] = None) -> Data:
    """Return the lines, those of them that are trouble, and the report."""
    controller = controller or {}
    lock = {
        "plans": {"pod_cidr": controller.get("actions") or []},
        "problems": [controller["problem"]] if controller.get("problem") else [],
    }
    ends = {CONTROLLER: lock} if _status(lock) != SAME else {}
    ends.update({name: _understood(one) for name, one in found.items()})
    status = {name: _status(one) for name, one in ends.items()}
    width = max((len(name) for name in ends), default=0)
    lines = {name: f"{name:{width}}  {_words(one)}" for name, one in ends.items()}
    return {
        "lines": list(lines.values()),
        "troubles": [name for name in lines if status[name] != SAME],
        "report": {
            "schema": 1,
            "drifted": any(state != SAME for state in status.values()),
            "status": status,
            "actions": {name: actions for name, one in ends.items() if (actions := _actions(one))},
            "problems": {name: one["problems"] for name, one in ends.items() if one.get("problems")},
        },
    }


def _understood(one: t.Any) -> Data:
    """What a node said, unless it said something else."""
    return (one or {}) if _shapes.fits(one, _shapes.PLANS) else {"problems": [GARBLED]}


def _status(one: Data) -> str:
    if not one or one.get("unreachable"):
        return UNREACHABLE
    return FAILED if one.get("problems") else DRIFTED if _actions(one) else SAME


def _actions(one: Data) -> list[Data]:
    return [
        {"role": role, "action": action} for role, actions in (one.get("plans") or {}).items() for action in actions
    ]


def _words(one: Data) -> str:
    status = _status(one)
    if status == SAME:
        return "as declared"
    if status == UNREACHABLE:
        return "UNREACHABLE"
    if status == FAILED:
        return f"NOT KNOWN: {'; '.join(one['problems'])}"
    sentences = [str(action["action"]) for action in _actions(one)]
    more = f"; and {len(sentences) - SHOWN} more" if len(sentences) > SHOWN else ""
    return f"DRIFTED: {'; '.join(sentences[:SHOWN])}{more}"


class FilterModule:
    """The filter by its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"drift": drift}
