# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an example must not say: options, variables, playbooks and flags that do not exist, and values of a wrong type.

A check returns complaints, one sentence each.  Nothing here runs an example; test_examples.py does.
"""

from __future__ import annotations

import ast
import functools
import importlib
import json
import re
import shlex
import typing as t

import yaml
from ansible.cli.adhoc import AdHocCLI
from ansible.cli.galaxy import GalaxyCLI
from ansible.cli.playbook import PlaybookCLI
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.splitter import parse_kv
from examples import FOREIGN, INVENTORY, LOCK_FILE, PLAYBOOK, ROOT, TASKS, VARIABLES, Block

from ansible_collections.mink8s.podnet.plugins.module_utils import _lockfile
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

Spec = t.Dict[str, t.Any]

COLLECTION = "mink8s.podnet."
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
#: Variables that are neither a role's nor a mistake: playbooks', Ansible's, and other software's in a guide about it.
ELSEWHERE = re.compile(r"podnet_(hosts|become|serial|max_fail_percentage)|ansible_\w+|node_ip|kube_\w+")
OF_ROLES = re.compile(rf"(?:{'|'.join(ROLES)}|podnet)_\w+")
#: What a role sets for others.
FACTS = {"pod_cidr_decided", "cni_plugins_plan", "cni_plugins_planned", "pod_network_plan", "docker_plan"}
FACTS |= {"kubelet_plan", "drift_plan", "drift_found", "verify_reachability"}
#: Variables that ``-e name=true`` sets, though what stands there is a text; tests/lab/test_guides.py does it.
BOOLEAN_BY_TEXT = {"pod_network_renumber", "kubelet_recycle_pods", "pod_cidr_prune", "pod_cidr_adopt"}
SAMPLES: dict[str, t.Any] = {"list": [], "dict": {}, "bool": True, "int": 1, "float": 1.0}


# ---- what exists -----------------------------------------------------------------------------------------------------


class _CaughtError(Exception):
    """Carries what a module would give to AnsibleModule."""

    def __init__(self, arguments: dict[str, t.Any]) -> None:
        super().__init__()
        self.arguments = arguments


@functools.cache
def module_rules(name: str) -> dict[str, t.Any]:
    """Return what a module really checks its options by: all that it gives to AnsibleModule, or its action's."""
    action = ROOT / f"plugins/action/{name}.py"
    if action.is_file():
        found = importlib.import_module(f"ansible_collections.{COLLECTION}plugins.action.{name}")
        return {"argument_spec": found.ARGUMENTS}
    module = importlib.import_module(f"ansible_collections.{COLLECTION}plugins.modules.{name}")

    def catch(**arguments: t.Any) -> None:
        raise _CaughtError(arguments)

    was, module.AnsibleModule = module.AnsibleModule, catch
    try:
        module.main()
    except _CaughtError as caught:
        return {key: value for key, value in caught.arguments.items() if key != "supports_check_mode"}
    finally:
        module.AnsibleModule = was
    raise AssertionError(f"{name} makes no AnsibleModule")


@functools.cache
def role_variables() -> Spec:
    """Return the variables of all roles, each with its specification."""
    found: Spec = {}
    for role in ROLES:
        text = (ROOT / f"roles/{role}/meta/argument_specs.yml").read_text(encoding="utf-8")
        for entry in yaml.safe_load(text)["argument_specs"].values():
            found.update({name: {"type": "str", **spec} for name, spec in (entry.get("options") or {}).items()})
    return found


# ---- values ----------------------------------------------------------------------------------------------------------


def is_template(value: t.Any) -> bool:
    """Whether a value is known only when it runs."""
    return isinstance(value, str) and "{{" in value


def fill(spec: Spec, value: t.Any) -> t.Any:
    """Return a value that can be checked: where a template stands, something of the right type."""
    kind = spec.get("type", "str")
    if is_template(value):
        return spec["choices"][0] if "choices" in spec else SAMPLES.get(kind, "sample")
    if kind == "dict" and "options" in spec and isinstance(value, dict):
        return fill_all(spec["options"], value)
    if kind == "list" and isinstance(value, list):
        element = {"type": spec.get("elements", "str"), "options": spec.get("options", {})}
        return [fill(element, item) for item in value]
    return value


def fill_all(options: Spec, values: dict[str, t.Any]) -> dict[str, t.Any]:
    """Fill every option that there is; the others are complained about later."""
    return {name: fill(options.get(name, {}), value) for name, value in values.items()}


def converted(where: str, options: Spec, values: dict[str, t.Any], lists: bool = False) -> list[str]:
    """Ansible makes text of anything, and who reads an example would not expect that of a list.

    With ``lists``: a list of a text, but only where a module asks for it; in a role a text stays one.
    """
    complaints = []
    for name, value in values.items():
        spec = options.get(name, {})
        kind = spec.get("type", "str")
        if kind in ("str", "path") and name in options and isinstance(value, (list, dict)):
            complaints.append(f"{where}: {name} is a text, not {json.dumps(value)}")
        if lists and kind in ("list", "dict") and not is_template(value) and isinstance(value, str):
            complaints.append(f"{where}: {name} is a {kind}, not the text {value}")
        for item in value if kind == "list" and isinstance(value, list) else [value]:
            if isinstance(item, dict) and spec.get("options"):
                complaints += converted(where, spec["options"], item)
    return complaints


def options(where: str, rules: dict[str, t.Any], values: dict[str, t.Any]) -> list[str]:
    """Check options as Ansible does before a module runs."""
    spec = rules["argument_spec"]
    more = {key: value for key, value in rules.items() if key != "argument_spec"}
    found = ArgumentSpecValidator(spec, **more).validate(fill_all(spec, values))
    return [f"{where}: {message}" for message in found.error_messages] + converted(where, spec, values)


def variables(where: str, values: dict[str, t.Any], strict: bool = True) -> list[str]:
    """Check variables of an inventory, a play or a command; ``strict`` allows no names but those that are known."""
    known = role_variables()
    ours = {name: value for name, value in values.items() if name in known}
    unknown = [name for name in values if name not in known and not ELSEWHERE.fullmatch(name)]
    complaints = [f"{where}: {name} is no variable of a role" for name in unknown if strict or OF_ROLES.fullmatch(name)]
    spec = {name: known[name] for name in ours}
    return complaints + options(where, {"argument_spec": spec}, ours) + converted(where, spec, ours, lists=True)


# ---- YAML ------------------------------------------------------------------------------------------------------------


def yaml_block(block: Block) -> list[str]:
    """Check an example by what it is."""
    try:
        kind = block.kind
    except (ValueError, yaml.YAMLError) as error:
        return [f"{block}: {error}"]
    checks = {
        PLAYBOOK: plays,
        TASKS: tasks,
        INVENTORY: groups,
        LOCK_FILE: lock_file,
        VARIABLES: variables,
        FOREIGN: lambda _where, _data: [],
    }
    return checks[kind](str(block), block.text if kind == LOCK_FILE else block.data)


def plays(where: str, data: list[dict[str, t.Any]]) -> list[str]:
    """Check the plays of a playbook."""
    complaints = []
    for play in data:
        complaints += variables(where, play.get("vars", {}), strict=False)
        complaints += tasks(where, play.get("tasks", []))
        for role in play.get("roles", []):
            named = role if isinstance(role, dict) else {"role": role}
            complaints += role_name(where, named["role"]) + variables(where, named.get("vars", {}), strict=False)
    return complaints


def role_name(where: str, name: str) -> list[str]:
    """A role of ours is there."""
    known = [COLLECTION + role for role in ROLES]
    return [] if name in known else [f"{where}: {name} is no role; there are {', '.join(known)}"]


def tasks(where: str, data: list[dict[str, t.Any]]) -> list[str]:
    """Check the tasks that call a module or a role of ours; Ansible itself knows the others."""
    complaints = []
    for task in data:
        here = f"{where}: task {task.get('name', '')!r}"
        complaints += variables(here, task.get("vars", {}), strict=False)
        complaints += tasks(where, [inner for key in ("block", "rescue", "always") for inner in task.get(key, [])])
        for action, values in task.items():
            if action.startswith(COLLECTION):
                complaints += module(here, action, values or {})
            elif action.endswith(("import_role", "include_role")):
                complaints += role_name(here, values["name"])
    return complaints


def module(where: str, action: str, values: t.Any) -> list[str]:
    """Check one call of a module."""
    name = action[len(COLLECTION) :]
    if name not in MODULES:
        return [f"{where}: {action} is no module"]
    return [] if is_template(values) else options(where, module_rules(name), values)


def groups(where: str, data: dict[str, t.Any]) -> list[str]:
    """Check the variables of an inventory's groups and hosts."""
    complaints = []
    for group in data.values():
        complaints += variables(where, (group or {}).get("vars") or {})
        for host in ((group or {}).get("hosts") or {}).values():
            complaints += variables(where, host or {})
        complaints += groups(where, (group or {}).get("children") or {})
    return complaints


def lock_file(where: str, text: str) -> list[str]:
    """Check a lock file as the module does that reads it."""
    try:
        _lockfile.parse(where, text)
    except PodnetError as error:
        return [str(error)]
    return []


# ---- commands and words ----------------------------------------------------------------------------------------------


def command(where: str, line: str) -> list[str]:
    """Check one command line, as far as it is one of Ansible's or of make."""
    words = shlex.split(line, comments=True)
    checks: dict[str, t.Callable[[str, list[str]], list[str]]] = {
        "ansible-playbook": _playbook,
        "ansible": _adhoc,
        "ansible-galaxy": lambda where, words: _parsed(where, GalaxyCLI, words)[1],
        "make": _make,
    }
    return checks[words[0]](where, words) if words and words[0] in checks else []


def _parsed(where: str, kind: t.Any, words: list[str]) -> tuple[t.Any, list[str]]:
    cli = kind(words)
    cli.init_parser()
    try:
        return cli.parser.parse_args(words[1:]), []
    except SystemExit:
        return None, [f"{where}: {words[0]} does not understand {shlex.join(words[1:])}"]


def _playbook(where: str, words: list[str]) -> list[str]:
    given, complaints = _parsed(where, PlaybookCLI, words)
    if complaints:
        return complaints
    for name in given.args:
        known = name.startswith(COLLECTION) and name[len(COLLECTION) :] in PLAYBOOKS
        complaints += [] if known else [f"{where}: {name} is no playbook"]
    for text in given.extra_vars:
        said = _said(text)
        complaints += variables(where, said)
        if not text.startswith("{"):
            complaints += [f"{where}: {name} would be a text; write JSON" for name in said if not _may_be_text(name)]
    return complaints


def _may_be_text(name: str) -> bool:
    return role_variables().get(name, {}).get("type") != "bool" or name in BOOLEAN_BY_TEXT


def _said(text: str | None) -> dict[str, t.Any]:
    return json.loads(text) if (text or "").startswith("{") else parse_kv(text or "")


def _adhoc(where: str, words: list[str]) -> list[str]:
    given, complaints = _parsed(where, AdHocCLI, words)
    if complaints or not given.module_name.startswith(COLLECTION):
        return complaints
    return module(where, given.module_name, _said(given.module_args))


def _make(where: str, words: list[str]) -> list[str]:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    asked = [word for word in words[1:] if "=" not in word]
    return [f"{where}: make knows no {word}" for word in asked if word not in targets]


def literals(where: str, text: str) -> list[str]:
    """Check the words in double backquotes that look like a variable of ours, and the values beside them."""
    complaints = []
    for word in re.findall(r"``([^`]+)``", text):
        match = re.fullmatch(rf"({OF_ROLES.pattern})(?:(?:: |=)(.+))?", word)
        if not match or match[1] in {*MODULES, *FACTS}:
            continue
        value = {} if match[2] is None else {match[1]: yaml.safe_load(match[2])}
        complaints += variables(where, value or {match[1]: "{{ something }}"})
    return complaints


@functools.cache
def sentences() -> tuple[str, ...]:
    """Return all texts of the plugins, with an ellipsis for each value in them."""
    found = []
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append(
                    "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return tuple(found)


def quotes(where: str, text: str, of_others: t.Container[str]) -> list[str]:
    """What a guide quotes is what some module says; an ellipsis stands for any value."""
    plain = re.sub(r"``[^`]*``|^( *)\.\. code-block::.*\n(?:\n|\1 +.*\n)*", "", text, flags=re.MULTILINE)
    complaints = []
    for quote in re.findall(r'"([^"\n]+)"', plain):
        pattern = re.compile(".*".join(re.escape(part) for part in quote.split("…")))
        if quote not in of_others and not any(pattern.search(sentence) for sentence in sentences()):
            complaints.append(f"{where}: nobody says {quote!r}")
    return complaints
