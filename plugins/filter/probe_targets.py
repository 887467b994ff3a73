# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what was attached on each node to what every node pings.  Pure."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mink8s.podnet.plugins.module_utils import _shapes

DOCUMENTATION = r"""
name: probe_targets
short_description: What every node should reach
version_added: 1.0.0
author: The mink8s.podnet developers (@mink8s)
description:
  - Makes the O(mink8s.podnet.cni_probe#module:targets) of M(mink8s.podnet.cni_probe) from its results on all nodes.
positional: _input
options:
  _input:
    description: What M(mink8s.podnet.cni_probe) returned on each node, by the node's name.
    type: dict
    required: true
  outside:
    description: Addresses outside of the cluster.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Attach two probe pods
  mink8s.podnet.cni_probe:
    name: podnet
  register: attached

- name: Show what every node should reach
  ansible.builtin.debug:
    msg: "{{ {'node1': attached} | mink8s.podnet.probe_targets(outside=['203.0.113.1']) }}"
"""

RETURN = r"""
_value:
  description: The nodes' addresses, the probe pods' and those outside.
  type: list
  elements: dict
  sample:
    - {kind: node, node: node1, pod: null, address: 192.0.2.11}
    - {kind: pod, node: node1, pod: probe1, address: 10.12.1.2}
    - {kind: outside, node: null, pod: null, address: 203.0.113.1}
"""

#: What is read of a node's answer.
ATTACHED = {"addresses?": [_shapes.TEXT], "pods?": [{"name": _shapes.TEXT, "addresses": [_shapes.TEXT]}]}

Target = t.Dict[str, t.Optional[str]]


def probe_targets(attached: dict[str, dict[str, t.Any]], outside: t.Sequence[str] = ()) -> list[Target]:
    """Return each node's own addresses and those of its pods, node by node, and at last the outside."""
    targets: list[Target] = []
    for node, result in attached.items():
        if not _shapes.fits(result, ATTACHED):
            raise AnsibleFilterError(f"{node}: what it answers is not understood; see whether it runs this version")
        targets += [_target("node", address, node) for address in result.get("addresses") or []]
        for pod in result.get("pods") or []:
            targets += [_target("pod", address, node, pod["name"]) for address in pod["addresses"]]
    return targets + [_target("outside", address) for address in outside]


def _target(kind: str, address: str, node: t.Optional[str] = None, pod: t.Optional[str] = None) -> Target:
    return {"kind": kind, "node": node, "pod": pod, "address": address}


class FilterModule:
    """The filter by its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"probe_targets": probe_targets}
