# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A variable that is a list, or text with commas, as modules take their options.  Pure."""

from __future__ import annotations

import typing as t

DOCUMENTATION = r"""
name: as_list
short_description: A list of text, from a list or from text with commas
version_added: 1.0.0
author: The mink8s.podnet developers (@mink8s)
description:
  - Modules take V(a,b) for a list option, and C(-e name=a,b) can say it in no other way.
  - With this filter a role reads its variables like them, instead of taking such text character by character.
positional: _input
options:
  _input:
    description: Text with commas, or a list of it, in which lists may be. What is empty is left out.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Show the list
  ansible.builtin.debug:
    msg: "{{ ['10.12.0.0/16,fd00:12::/48', ['192.0.2.0/24']] | mink8s.podnet.as_list }}"
"""

RETURN = r"""
_value:
  description: The items in the order in which they stand, without spaces around them.
  type: list
  elements: str
  sample: [10.12.0.0/16, "fd00:12::/48", 192.0.2.0/24]
"""


def as_list(value: t.Any) -> list[str]:
    """Return the items of a list or of text with commas."""
    if value is None:
        return []
    if isinstance(value, (list, tuple, set)):
        return [item for each in value for item in as_list(each)]
    return [item.strip() for item in str(value).split(",") if item.strip()]


class FilterModule:
    """The filter by its name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filter by its name."""
        return {"as_list": as_list}
