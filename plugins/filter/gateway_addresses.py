# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a node's pod CIDRs to the addresses of its bridge.  Pure."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.mink8s.podnet.plugins.module_utils import _values
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError

DOCUMENTATION = r"""
name: gateway_addresses
short_description: The gateway's address in each of a node's pod CIDRs
version_added: 1.0.0
author: The mink8s.podnet developers (@mink8s)
description:
  - The first address after the network's own, with the prefix length, as host-local chooses a gateway.
positional: _input
options:
  _input:
    description: The node's pod CIDRs.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show the addresses of the bridge
  ansible.builtin.debug:
    msg: "{{ ['10.12.1.0/24', 'fd00:12:1::/64'] | mink8s.podnet.gateway_addresses }}"
"""

RETURN = r"""
_value:
  description: One address with its prefix length for each pod CIDR.
  type: list
  elements: str
  sample: [10.12.1.1/24, "fd00:12:1::1/64"]
"""


def gateway_addresses(pod_cidrs: list[str]) -> list[str]:
    """Return one address with its prefix length for each pod CIDR."""
    try:
        return [_gateway(f"pod_network_pod_cidrs[{index}]", cidr) for index, cidr in enumerate(pod_cidrs)]
    except OptionError as error:
        raise AnsibleFilterError(str(error)) from error


def _gateway(path: str, cidr: str) -> str:
    network = _values.network(path, cidr)
    if network.prefixlen > network.max_prefixlen - 2:
        raise OptionError(path, cidr, "has no room for pods", f"give at least a /{network.max_prefixlen - 2}")
    return f"{network[1]}/{network.prefixlen}"


class FilterModule:
    """The filter by its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"gateway_addresses": gateway_addresses}
