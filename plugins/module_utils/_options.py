# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What every module asks of its options beyond their types, before it looks at the node.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _json
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, shown

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def require_text(options: t.Mapping[str, t.Any]) -> None:
    """Refuse options with what no file, program or kernel takes: zero bytes, and halves of characters."""
    # All at once first: there may be tens of thousands, and where one stands only matters when it is refused.
    if not _json.is_plain(options):
        _require_text("", options)


def _require_text(path: str, value: t.Any) -> None:
    if isinstance(value, str):
        if "\0" in value or value.encode(errors="replace").decode() != value:
            raise OptionError(path, value, "has a character that is none", "write it without")
    elif isinstance(value, dict):
        for key, item in value.items():
            here = f"{path}.{shown(key)}" if path else shown(key)
            _require_text(here, key)
            _require_text(here, item)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _require_text(f"{path}[{index}]", item)


def require_given(module: AnsibleModule) -> None:
    """Refuse null where an option is required, which Ansible takes for given."""
    missing = [option for option, spec in module.argument_spec.items() if spec.get("required")]
    for key, value, options, *rest in module.required_if or ():
        wanted = module.params.get(key) == value
        one_is_enough = any(rest) and any(module.params.get(option) is not None for option in options)
        missing += options if wanted and not one_is_enough else []
    for option in missing:
        if module.params.get(option) is None:
            raise OptionError(option, None, "is not given", "give it a value, or see where its template gets it from")


def require_absolute(module: AnsibleModule) -> None:
    """Refuse a path that would lead elsewhere when the module is started in another directory."""
    for option, spec in module.argument_spec.items():
        value = module.params.get(option)
        if spec.get("type") == "path" and value is not None and not os.path.isabs(value):
            raise OptionError(option, value, "is not an absolute path", "write it from the root")
        if spec.get("elements") == "path":
            for index, each in enumerate(value or ()):
                if not os.path.isabs(each):
                    raise OptionError(f"{option}[{index}]", each, "is not an absolute path", "write it from the root")
