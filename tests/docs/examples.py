# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example that somebody could paste: the blocks of the guides and READMEs, and EXAMPLES of all plugins."""

from __future__ import annotations

import ast
import re
import textwrap
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ROOT / "docs/docsite/rst"
READMES = ("README.md", "CONTRIBUTING.md", "roles/*/README.md")

_RST_BLOCK = re.compile(r"^( *)\.\. code-block:: (\w+)$")
_FENCE = re.compile(r"^```(\w*)$")
_COMMAND = re.compile(r"^ {4}((?:ansible|make|kubectl)[a-z-]* .*)$")

#: What a block can be, by its data.
PLAYBOOK, TASKS, INVENTORY, LOCK_FILE, VARIABLES, FOREIGN = (
    "playbook",
    "tasks",
    "inventory",
    "lock file",
    "variables",
    "of others",
)


@dataclass(frozen=True)
class Block:
    """One example, and where it stands."""

    path: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path.name}:{self.line}"

    @property
    def data(self) -> t.Any:
        """What the YAML says."""
        return yaml.safe_load(self.text)

    @property
    def kind(self) -> str:
        """What it is an example of."""
        data = self.data
        if isinstance(data, list):
            return PLAYBOOK if any("hosts" in item or "import_playbook" in item for item in data) else TASKS
        if not isinstance(data, dict):
            raise ValueError(f"{self}: is neither a list nor a mapping")
        if "apiVersion" in data:
            return FOREIGN
        groups = [value for value in data.values() if isinstance(value, dict)]
        if len(groups) == len(data) and all(value.keys() <= {"hosts", "vars", "children"} for value in groups):
            return LOCK_FILE if list(data) == ["pod_cidrs"] else INVENTORY
        return VARIABLES


def blocks(language: str) -> list[Block]:
    """Return all examples in one language, ``yaml`` or ``bash``."""
    found = [block for path in sorted(GUIDES.glob("*.rst")) for block in of_rst(path)]
    found += [block for pattern in READMES for path in sorted(ROOT.glob(pattern)) for block in of_markdown(path)]
    found += [block for path in plugins() if (block := of_plugin(path))]
    return [block for block in found if block.language == language]


def of_rst(path: Path) -> list[Block]:
    """Return the code blocks of a guide."""
    lines, found = path.read_text(encoding="utf-8").splitlines(), []
    for number, line in enumerate(lines):
        match = _RST_BLOCK.match(line)
        if match:
            body = _deeper(lines[number + 1 :], len(match[1]))
            found.append(Block(path, number + 1, match[2], textwrap.dedent("\n".join(body)).strip("\n") + "\n"))
    return found


def _deeper(lines: list[str], indent: int) -> t.Iterator[str]:
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            return
        yield line


def of_markdown(path: Path) -> list[Block]:
    """Return the fenced blocks of a README, and its indented lines that are commands."""
    found, inside, start = [], "", 0
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        fence, command = _FENCE.match(line), _COMMAND.match(line)
        if fence and not inside:
            inside, start = fence[1] or "text", number
        elif fence:
            found.append(Block(path, start, inside, "\n".join(lines[start : number - 1]) + "\n"))
            inside = ""
        elif command and not inside:
            found.append(Block(path, number, "bash", f"{command[1]}\n"))
    return found


def plugins() -> list[Path]:
    """Return the files of all plugins that have documentation of their own."""
    kinds = ("modules", "filter", "connection")
    return [path for kind in kinds for path in sorted((ROOT / "plugins" / kind).glob("*.py"))]


def of_plugin(path: Path) -> Block | None:
    """Return EXAMPLES of a module or a filter, None where it has none."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXAMPLES":
            return Block(path, node.lineno, "yaml", ast.literal_eval(node.value))
    return None
