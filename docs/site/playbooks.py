# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write a page for each playbook, which antsibull-docs does not: ``playbooks.py DIRECTORY``.

All of a page comes from the playbook itself: the comment at its top, its plays, their roles, tags and variables.
"""

from __future__ import annotations

import re
import sys
import textwrap
import typing as t
from pathlib import Path

import yaml

PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
VARIABLE = re.compile(r"\{\{ (podnet_\w+) \| default\(([^)]*)\) \}\}")
#: A playbook's own variables; one that is not here is an error.
MEANINGS = {
    "podnet_hosts": "The nodes: a group or another host pattern.",
    "podnet_become": "Whether Ansible becomes root on the nodes.",
    "podnet_serial": "How many nodes are changed at a time, as a number or in per cent.",
    "podnet_max_fail_percentage": "The run stops when more nodes than this fail, in per cent of those at a time.",
}


def page(path: Path) -> str:
    """Return a playbook's page."""
    text = path.read_text(encoding="utf-8")
    plays = yaml.safe_load(text)
    return "\n\n".join(
        [
            f".. _ansible_collections.mink8s.podnet.{path.stem}_playbook:",
            title(f"mink8s.podnet.{path.stem} playbook", "="),
            " ".join(re.findall(r"^# (.*)$", text.partition("\n- ")[0], re.MULTILINE)),
            ".. code-block:: bash",
            f"   ansible-playbook -i my-cluster mink8s.podnet.{path.stem}",
            title("Its plays", "-"),
            "\n".join(f"#. {described(play)}" for play in plays),
            title("Its variables", "-"),
            table(sorted(set(VARIABLE.findall(text)))),
            "Besides these it takes the variables of its roles.",
            title("Its text", "-"),
            ".. code-block:: yaml",
            textwrap.indent(text, "   "),
        ]
    )


def title(text: str, line: str) -> str:
    """Return a heading."""
    return f"{text}\n{line * len(text)}"


def described(play: dict[str, t.Any]) -> str:
    """Return one play in words."""
    words = f"**{play['name']}**"
    tags = play.get("tags", [])
    words += f" (tag {', '.join(f'``{tag}``' for tag in tags)})" if tags else ""
    named = ", ".join(f":ansplugin:`{name}#role`" for name in roles(play))
    return f"{words}: role {named}" if named else words


def roles(data: t.Any) -> list[str]:
    """Return the names of the roles, in their order."""
    if isinstance(data, list):
        return [name for item in data for name in roles(item)]
    if not isinstance(data, dict):
        return []
    named = [data[key]["name"] for key in data if str(key).endswith(("import_role", "include_role"))]
    return named + ([data["role"]] if "role" in data else []) + [name for item in data.values() for name in roles(item)]


def table(variables: list[tuple[str, str]]) -> str:
    """Return the variables with their defaults and meanings."""
    lines = [".. list-table::", "   :header-rows: 1", "", "   * - variable", "     - default", "     - meaning"]
    for name, default in variables:
        lines += [f"   * - ``{name}``", "     - ``{}``".format(default.strip("'")), f"     - {MEANINGS[name]}"]
    return "\n".join(lines)


def main(directory: Path) -> None:
    """Write all pages."""
    directory.mkdir(parents=True, exist_ok=True)
    for path in sorted(PLAYBOOKS.glob("*.yml")):
        (directory / f"{path.stem}.rst").write_text(page(path) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
