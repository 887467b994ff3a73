# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module of the collection promises, said once."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragments; a module names the ones that it keeps."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/mink8s.podnet.podnet) in C(module_defaults) to set defaults for this module.
    support: full
    details:
      - A default must be an option of each module of the group that a task names; the others fail with it.
    membership:
      - mink8s.podnet.podnet
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
    support: full
  diff_mode:
    description: Returns details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
      - This assumes that the system controlled or queried by the module has not changed in a relevant way.
    support: full
  platform:
    description: Target OS that can be operated against.
    support: full
    platforms: linux
"""

    INFO = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/mink8s.podnet.podnet) in C(module_defaults) to set defaults for this module.
    support: full
    details:
      - A default must be an option of each module of the group that a task names; the others fail with it.
    membership:
      - mink8s.podnet.podnet
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
    support: full
    details:
      - This module does not change anything.
  diff_mode:
    description: Returns details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: N/A
    details:
      - This module does not change anything.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
      - This assumes that the system controlled or queried by the module has not changed in a relevant way.
    support: full
  platform:
    description: Target OS that can be operated against.
    support: full
    platforms: linux
"""

    PYROUTE2 = r"""
options: {}
requirements:
  - Python >= 3.9
  - pyroute2 >= 0.7.2 (the distribution's python3-pyroute2, or a wheel)
"""
