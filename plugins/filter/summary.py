# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run has done, in one line for each node.  Pure."""

from __future__ import annotations

import typing as t

DOCUMENTATION = r"""
name: summary
short_description: What a run has done, in one line for each node
version_added: 1.0.0
author: The mink8s.podnet developers (@mink8s)
description:
  - Makes one line for each node of what its tasks have registered. Three actions stand there as they are, more are
    counted by stage.
positional: _input, stages, alive, others, planned
options:
  _input:
    description: The variables of each node.
    type: list
    elements: dict
    required: true
  stages:
    description: The variables that hold what each stage did, a list of sentences or a result with C(actions).
    type: dict
    required: true
  alive:
    description: The nodes that have come to the end of the run.
    type: list
    elements: str
    required: true
  others:
    description: Results for nodes that the run was not for, as a loop over their names registers them.
    type: list
    elements: dict
    default: []
  planned:
    description: Whether the actions are only planned.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Say what was done
  ansible.builtin.debug:
    msg: "{{ [{'inventory_hostname': 'node1', 'bridge': {'actions': ['create bridge podnet0']}}]
      | mink8s.podnet.summary({'network': ['bridge']}, ['node1']) }}"
"""

RETURN = r"""
_value:
  description: One line for each node.
  type: list
  elements: str
  sample: ["node1  nothing to do", "node2  done: create route 10.12.3.0/24 (via 192.0.2.13, device eth0)"]
"""

Data = t.Mapping[str, t.Any]
#: So many actions stand in a node's line; if there are more, they are counted.
SHOWN = 3
FAILED = "FAILED; what was done before that stays until it is run again"


def summary(
    nodes: t.Iterable[Data],
    stages: t.Mapping[str, list[str]],
    alive: t.Container[str],
    others: t.Sequence[Data] = (),
    planned: bool = False,
) -> list[str]:
    """Return the lines: the nodes of the run, then those that only got something of it."""
    told = {}
    for node in nodes:
        name = node["inventory_hostname"]
        done = {stage: [action for key in keys for action in _actions(node, key)] for stage, keys in stages.items()}
        told[name] = _words(done, planned) if name in alive else FAILED
    for result in others:
        told[result["item"]] = _of_another(result, planned)
    width = max(map(len, told), default=0)
    return [f"{name:{width}}  {words}" for name, words in told.items()]


def _actions(node: Data, key: str) -> list[str]:
    value = node.get(key, [])
    return list(value) if isinstance(value, list) else list(value.get("actions", []))


def _words(done: dict[str, list[str]], planned: bool) -> str:
    actions = [action for some in done.values() for action in some]
    if not actions:
        return "nothing to do"
    if len(actions) <= SHOWN:
        words = "; ".join(actions)
    else:
        counted = ", ".join(f"{stage} {len(some)}" for stage, some in done.items() if some)
        words = f"{len(actions)} changes ({counted})"
    return f"{'would be done' if planned else 'done'}: {words}"


def _of_another(result: Data, planned: bool) -> str:
    if result.get("unreachable") or result.get("failed"):
        return f"is not of this run, and did not get its routes: {result.get('msg', 'it cannot be asked')}"
    return f"is not of this run; {_words({'routes': list(result.get('actions', []))}, planned)}"


class FilterModule:
    """The filter by its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"summary": summary}
