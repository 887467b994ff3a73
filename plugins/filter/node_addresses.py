# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a host's variables to its addresses, by the rule of module pod_cidr.  Pure."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mink8s.podnet.plugins.module_utils import _hosts
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

DOCUMENTATION = r"""
name: node_addresses
short_description: A node's own addresses, as its host variables say them
version_added: 1.0.0
author: The mink8s.podnet developers (@mink8s)
description:
  - Follows the rule of M(mink8s.podnet.pod_cidr), which is C(pod_cidr_addresses), or else the first of C(node_ip),
    C(ansible_host) and C(inventory_hostname) that holds an IP address other than loopback.
  - Nothing is returned where none of them holds one.
positional: _input
options:
  _input:
    description: The host's variables.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show this node's addresses
  ansible.builtin.debug:
    msg: "{{ hostvars[inventory_hostname] | mink8s.podnet.node_addresses }}"
"""

RETURN = r"""
_value:
  description: The addresses, unchecked where C(pod_cidr_addresses) says them.
  type: list
  elements: str
  sample: [192.0.2.11]
"""


def node_addresses(variables: t.Mapping[str, t.Any]) -> list[t.Any]:
    """Return the addresses that a host's variables say."""
    try:
        return _hosts.given_addresses(str(variables.get("inventory_hostname")), variables)
    except OptionError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter by its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"node_addresses": node_addresses}
