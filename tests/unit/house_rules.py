# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of the house that a program can check; test_house.py breaks each of them once, to see that it is noticed.

A rule takes the collection's root and returns complaints, one sentence each.
"""

from __future__ import annotations

import ast
import re
import typing as t
from pathlib import Path

import yaml

Rule = t.Callable[[Path], t.List[str]]

COLLECTION = "ansible_collections.mink8s.podnet."
UTILS = "plugins/module_utils"
#: Lines of a file, with its documentation, and of a function: "some 250", "some 350" and "some dozen" end here.
LONGEST_UTIL, LONGEST_MODULE, LONGEST_FUNCTION = 300, 370, 45
ATTRIBUTES = "mink8s.podnet.attributes"
#: What a room may import besides itself and the files beside the rooms: a probe needs plugins and namespaces, a runtime
#: reads CNI files, what is attached shows in files, links and rules, and conflicts are found everywhere.
UPSTAIRS = {
    "_attached": ("_cni", "_kernel", "_nat"),
    "_conflicts": ("_cni", "_kernel", "_nat"),
    "_probe": ("_cni", "_kernel", "_nat"),
    "_runtime": ("_cni",),
}
#: In pieces, so that this file does not name them itself.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("galaxy", "ansible", "com"),
        ("registry-1", "docker", "io"),
        ("index", "docker", "io"),
        ("quay", "io"),
        ("ghcr", "io"),
        ("gcr", "io"),
        ("registry", "k8s", "io"),
    )
)
HEADERS = {
    UTILS: "# SPDX-License-Identifier: BSD-2-Clause",
    "": "# SPDX-License-Identifier: GPL-3.0-or-later",
}
MISSING = "not there"
NOT_OURS = {".git", ".venv", ".cache", ".ansible", ".hypothesis", "__pycache__", "output", "dist"}


# ---- Python: who imports whom, and how long it is --------------------------------------------------------------------


def imports_point_one_way(root: Path) -> list[str]:
    """A room (_cni, _kernel, …) imports itself and the files beside the rooms; these import no room."""
    complaints = []
    for path in python_files(root, UTILS):
        here = room(root, path.relative_to(root / UTILS).parts)
        for name in imports(path):
            if not name.startswith(COLLECTION):
                continue
            parts = name[len(COLLECTION) :].split(".")
            there = room(root, parts[2:]) if parts[:2] == ["plugins", "module_utils"] else "another room"
            if there not in ("", here, *UPSTAIRS.get(here, ())):
                complaints.append(f"{path.relative_to(root)} imports {name}")
    return complaints


def nothing_imports_itself(root: Path) -> list[str]:
    """There is no ring of imports among the module_utils."""
    graph = {module_name(root, path): sorted(imports(path)) for path in python_files(root, UTILS)}
    complaints = []
    for start, imported in graph.items():
        seen: set[str] = set()
        waiting = list(imported)
        while waiting:
            name = waiting.pop()
            name = name if name in graph else name.rpartition(".")[0]
            if name in graph and name not in seen:
                seen.add(name)
                waiting += graph[name]
        if start in seen:
            complaints.append(f"{start} imports itself, by way of others")
    return complaints


def utils_know_neither_ansible_nor_netlink(root: Path) -> list[str]:
    """At run time module_utils import nothing of ansible, and only _kernel imports pyroute2."""
    complaints = []
    for path in python_files(root, UTILS):
        for name in imports(path):
            package = name.partition(".")[0]
            kernel = path.is_relative_to(root / UTILS / "_kernel")
            if package == "ansible" or (package == "pyroute2" and not kernel):
                complaints.append(f"{path.relative_to(root)} imports {name}")
    return complaints


def files_and_functions_are_short(root: Path) -> list[str]:
    """Files and functions keep to their budgets."""
    complaints = []
    for path in python_files(root, "plugins"):
        text = path.read_text(encoding="utf-8")
        lines = len(text.splitlines())
        longest = LONGEST_UTIL if path.is_relative_to(root / UTILS) else LONGEST_MODULE
        if lines > longest:
            complaints.append(f"{path.relative_to(root)} has {lines} lines, more than {longest}")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno:
                length = node.end_lineno - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    complaints.append(f"{path.relative_to(root)}: {node.name}() has {length} lines")
    return complaints


def only_the_engine_knows_check_mode(root: Path) -> list[str]:
    """No other code looks at check_mode: check mode is the engine stopping after the plan."""
    return [
        f"{path.relative_to(root)}:{node.lineno} looks at check_mode"
        for path in python_files(root, "plugins")
        if path != root / UTILS / "_engine.py" and not path.is_relative_to(root / "plugins/action")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "check_mode"
    ]


def programs_are_run_by_ansible(root: Path) -> list[str]:
    """Modules and module_utils start programs with module.run_command and a list; what a pod runs is in _probe."""
    complaints = []
    for path in [*python_files(root, "plugins/modules"), *python_files(root, UTILS)]:
        if path.is_relative_to(root / UTILS / "_probe"):
            continue
        complaints += [f"{path.relative_to(root)} imports {name}" for name in imports(path) if name == "subprocess"]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in ("shell", "use_unsafe_shell"):
                complaints.append(f"{path.relative_to(root)}:{node.value.lineno} uses a shell")
            if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.system", "os.popen"):
                complaints.append(f"{path.relative_to(root)}:{node.lineno} uses {ast.unparse(node)}")
    return complaints


def python_has_its_licence(root: Path) -> list[str]:
    """module_utils are BSD-2-Clause, so that others may use them; all else is GPL-3.0-or-later."""
    complaints = []
    for path in python_files(root, "plugins", "tests", "molecule"):
        text = path.read_text(encoding="utf-8")
        header = next(header for place, header in HEADERS.items() if path.is_relative_to(root / place))
        if text and header not in text.splitlines()[:5]:
            complaints.append(f"{path.relative_to(root)} lacks the line {header}")
    return complaints


# ---- modules: documentation, action group, integration target --------------------------------------------------------


def the_action_group_has_every_module(root: Path) -> list[str]:
    """module_defaults reach every module, and no name in the group is without a module."""
    runtime = load(root / "meta/runtime.yml")
    listed = runtime["action_groups"]["podnet"]
    names = {f"mink8s.podnet.{path.stem}" for path in modules(root)}
    complaints = [f"meta/runtime.yml: {name} is not in the action group" for name in sorted(names - set(listed))]
    complaints += [f"meta/runtime.yml: {name} is not a module" for name in sorted(set(listed) - names)]
    if listed != sorted(set(listed)):
        complaints.append("meta/runtime.yml: the action group is not sorted")
    return complaints


def every_module_is_tried_on_a_kernel(root: Path) -> list[str]:
    """Each module has an integration target of its name, which runs in namespaces of its own."""
    complaints = []
    for path in modules(root):
        target = root / "tests/integration/targets" / path.stem
        if not (target / "runme.sh").is_file():
            complaints.append(f"{path.stem} has no tests/integration/targets/{path.stem}/runme.sh")
    for runme in sorted((root / "tests/integration/targets").glob("*/runme.sh")):
        aliases = runme.with_name("aliases")
        words = aliases.read_text(encoding="utf-8").split() if aliases.is_file() else []
        if "setup_podnet" in runme.read_text(encoding="utf-8") and "needs/target/setup_podnet" not in words:
            complaints.append(f"{aliases.relative_to(root)} lacks needs/target/setup_podnet")
        if not runme.stat().st_mode & 0o100:
            complaints.append(f"{runme.relative_to(root)} is not executable")
    return complaints


def every_module_documents_what_it_promises(root: Path) -> list[str]:
    """Each module has our attributes, an author, the version it came with, examples, and return values with samples."""
    complaints = []
    for path in modules(root):
        documents = documentation(path)
        doc = documents["DOCUMENTATION"] or {}
        fragments = doc.get("extends_documentation_fragment", [])
        if not any(name in (ATTRIBUTES, f"{ATTRIBUTES}.info") for name in fragments):
            complaints.append(f"{path.stem} does not have the fragment {ATTRIBUTES}")
        complaints += [f"{path.stem} does not document {key}" for key in ("author", "version_added") if key not in doc]
        complaints += [f"{path.stem} has no {name}" for name in ("EXAMPLES", "RETURN") if not documents[name]]
        complaints += [f"{path.stem} has no sample of {name}" for name in without_sample(documents["RETURN"] or {})]
    return complaints


def without_sample(values: dict[str, t.Any]) -> t.Iterator[str]:
    """Yield the names of return values that have neither a sample nor parts with samples."""
    for name, value in values.items():
        if "contains" in value:
            yield from without_sample(value["contains"])
        elif "sample" not in value:
            yield name


# ---- roles and playbooks ---------------------------------------------------------------------------------------------


def roles_say_their_defaults(root: Path) -> list[str]:
    """A role's argument_specs have the variables of its defaults, with the same values, and no others' defaults.

    A default that is a template may stand in defaults alone, as it is neither a dict nor a bool before it is rendered.
    """
    complaints = []
    for role in roles(root):
        defaults = load(role / "defaults/main.yml") or {}
        options = options_of(role)
        for name in sorted(options.keys() | defaults.keys()):
            here, there = (str(source.get(name, MISSING)) for source in (defaults, said(options)))
            template = there == MISSING and name in options and "{{" in here
            if here != there and not template:
                complaints.append(f"{role.name}: {name} is {there} in argument_specs, {here} in defaults")
            if not name.startswith(f"{role.name}_"):
                complaints.append(f"{role.name}: {name} does not begin with {role.name}_")
    return complaints


def roles_have_a_readme_with_every_variable(root: Path) -> list[str]:
    """Each role's README names every variable of its argument_specs, in backquotes."""
    complaints = []
    for role in roles(root):
        readme = role / "README.md"
        text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
        specs = load(role / "meta/argument_specs.yml")["argument_specs"]
        names = {name for spec in specs.values() for name in spec.get("options") or {}}
        complaints += [
            f"{role.name}/README.md does not have `{name}`" for name in sorted(names) if f"`{name}`" not in text
        ]
    return complaints


def tasks_do_not_loop(root: Path) -> list[str]:
    """One module call for all rules, links, routes or files: no task loops, unless to take one host after the other."""
    complaints = []
    for path in task_files(root):
        for task in dictionaries(load(path)):
            asks_hosts = "item" in task.get("delegate_to", "")
            loops = [key for key in task if key in ("loop", "until") or str(key).startswith("with_")]
            # Only an item of its own makes Ansible include a file for one host after the other.
            waits_for_hosts = "include_tasks" in " ".join(task) and task.get("loop") == "{{ [inventory_hostname] }}"
            if loops and not asks_hosts and not waits_for_hosts:
                complaints.append(f"{path.relative_to(root)}: {task.get('name', 'a task')} has {loops[0]}:")
    return complaints


def the_controller_is_asked_as_who_runs_the_playbook(root: Path) -> list[str]:
    """A task for localhost becomes nobody else: the variable wins over the keyword, and may be that of all hosts."""
    complaints = []
    for path in task_files(root):
        for task in dictionaries(load(path)):
            says = (task.get("become"), (task.get("vars") or {}).get("ansible_become"))
            if task.get("delegate_to") == "localhost" and says != (False, False):
                name = f"{path.relative_to(root)}: {task.get('name', 'a task')}"
                complaints.append(f"{name} lacks become: false or vars: ansible_become: false")
    return complaints


def drift_looks_at_every_plan(root: Path) -> list[str]:
    """Role drift, and with it role report, asks every role that has a plan."""
    places = (root / "roles/drift/tasks" / name for name in ("plan.yml", "roles.yml"))
    text = "".join(place.read_text(encoding="utf-8") for place in places if place.is_file())
    return [
        f"roles/drift/tasks does not plan {role.name}"
        for role in roles(root)
        if role.name != "drift" and (role / "tasks/plan.yml").is_file()
        if not (
            re.search(rf"name: mink8s\.podnet\.{role.name}$", text, re.MULTILINE)
            and re.search(rf"\b{role.name}_plan\b", text)
        )
    ]


# ---- the repository --------------------------------------------------------------------------------------------------


def requirements_are_pinned(root: Path) -> list[str]:
    """Every requirement has an exact version, and what pyproject.toml asks for is in a file of requirements."""
    complaints = []
    files = sorted([*root.glob("requirements*.txt"), *root.glob("tests/requirements*.txt")])
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith(("#", " ")) and not re.match(r"[A-Za-z0-9._-]+==[0-9][^ ]*( ;|$)", line):
                complaints.append(f"{path.relative_to(root)}: {line} is not pinned")
    pins = "".join(path.read_text(encoding="utf-8") for path in files).lower()
    asked = re.findall(
        r'^  "([A-Za-z0-9-]+==[^";]+)', (root / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    complaints += [f"no file of requirements has {pin}; run make pins" for pin in asked if pin.lower() not in pins]
    return complaints


def the_oldest_core_is_tried(root: Path) -> list[str]:
    """The oldest ansible-core that users may have is the one that is pinned for the tests."""
    allowed = str(load(root / "meta/runtime.yml").get("requires_ansible", "")).removeprefix(">=")
    pins = (root / "tests/requirements-core-oldest.txt").read_text(encoding="utf-8").splitlines()
    return [] if f"ansible-core=={allowed}" in pins else [f"meta/runtime.yml allows {allowed}, which is not pinned"]


def the_readme_says_what_is_tested(root: Path) -> list[str]:
    """README.md names each ansible-core and each pyroute2 that the tests have pinned for themselves."""
    readme = (root / "README.md").read_text(encoding="utf-8")
    files = [*root.glob("tests/requirements-core-*.txt"), root / "tests/requirements-newest.txt"]
    pins = "".join(path.read_text(encoding="utf-8") for path in files)
    tested = sorted(set(re.findall(r"^(ansible-core|pyroute2)==(\S+)", pins, re.MULTILINE)))
    return [
        f"README.md does not say that {name} {release} is tested"
        for name, release in tested
        if not re.search(rf"(?<![\d.]){re.escape(release)}(?![\d.]*\d)", readme)
    ]


def no_registry_is_named(root: Path) -> list[str]:
    """Where packages come from is the machine's business, not the repository's."""
    return [
        f"{path.relative_to(root)} names {host}"
        for path in text_files(root)
        for host in REGISTRIES
        if host in path.read_text(encoding="utf-8")
    ]


def sanity_has_no_ignore_file(root: Path) -> list[str]:
    """ansible-test sanity passes as it is."""
    return [f"{path.relative_to(root)} is there" for path in sorted((root / "tests/sanity").glob("ignore*"))]


def ci_runs_what_the_readme_says(root: Path) -> list[str]:
    """.ci/run calls the commands that README.md names, each of them a target of the Makefile."""
    ci = (root / ".ci/run").read_text(encoding="utf-8")
    readme = (root / "README.md").read_text(encoding="utf-8")
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    complaints = [
        f"{command} is not in {name}"
        for command in ("make test", "make demo")
        for name, text in ((".ci/run", ci), ("README.md", readme))
        if command not in text
    ]
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    asked = set(re.findall(r"\bmake ([a-z-]+)\b(?= *(?:#|$|`|&))", ci + readme, re.MULTILINE))
    return complaints + [f"make {target} is not in the Makefile" for target in sorted(asked - targets)]


# ---- reading ---------------------------------------------------------------------------------------------------------


def python_files(root: Path, *places: str) -> list[Path]:
    """Our Python files below some directories."""
    return [path for place in places for path in sorted((root / place).rglob("*.py")) if ours(root, path)]


def text_files(root: Path) -> list[Path]:
    """Every text file of the repository."""
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink() and ours(root, path)]
    return [path for path in found if b"\0" not in path.read_bytes()]


def ours(root: Path, path: Path) -> bool:
    """Whether a path is not in something that is made, or comes, from elsewhere."""
    parts = path.relative_to(root).parts
    return not NOT_OURS.intersection(parts) and not any(part.endswith("_cache") for part in parts)


def modules(root: Path) -> list[Path]:
    """The modules; an action without a module's code has a module file too, with its documentation."""
    return [path for path in sorted((root / "plugins/modules").glob("*.py")) if path.stem != "__init__"]


def task_files(root: Path) -> list[Path]:
    """The files of the roles and playbooks that have tasks."""
    places = ("roles/*/tasks/**/*.yml", "roles/*/handlers/*.yml", "playbooks/**/*.yml")
    return sorted(path for place in places for path in root.glob(place))


def roles(root: Path) -> list[Path]:
    """The directories of the roles."""
    return sorted(path for path in (root / "roles").iterdir() if path.is_dir())


def options_of(role: Path) -> dict[str, dict[str, t.Any]]:
    """All options of all entry points in a role's argument_specs."""
    specs = load(role / "meta/argument_specs.yml")["argument_specs"]
    return {name: option or {} for spec in specs.values() for name, option in (spec.get("options") or {}).items()}


def said(options: dict[str, dict[str, t.Any]]) -> dict[str, t.Any]:
    """The defaults of some options."""
    return {name: option["default"] for name, option in options.items() if "default" in option}


def room(root: Path, parts: t.Sequence[str]) -> str:
    """The room of a module_utils file, or '' for a file beside the rooms."""
    return parts[0] if parts and (root / UTILS / parts[0]).is_dir() else ""


def module_name(root: Path, path: Path) -> str:
    """The dotted name under which a file is imported."""
    return COLLECTION + ".".join(path.relative_to(root).with_suffix("").parts)


def imports(path: Path) -> list[str]:
    """What a file imports when it runs; for ``from a import b`` that is a.b, as b may be a module."""
    found: list[str] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.extend(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def documentation(path: Path) -> dict[str, t.Any]:
    """DOCUMENTATION, EXAMPLES and RETURN of a module."""
    found: dict[str, t.Any] = dict.fromkeys(("DOCUMENTATION", "EXAMPLES", "RETURN"))
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in found:
            found[node.targets[0].id] = yaml.safe_load(ast.literal_eval(node.value))
    return found


def dictionaries(data: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """All dictionaries in some data."""
    if isinstance(data, dict):
        yield data
    for item in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from dictionaries(item)


def load(path: Path) -> t.Any:
    """The data of a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


RULES: list[Rule] = [
    imports_point_one_way,
    nothing_imports_itself,
    utils_know_neither_ansible_nor_netlink,
    files_and_functions_are_short,
    only_the_engine_knows_check_mode,
    programs_are_run_by_ansible,
    python_has_its_licence,
    the_action_group_has_every_module,
    every_module_is_tried_on_a_kernel,
    every_module_documents_what_it_promises,
    roles_say_their_defaults,
    roles_have_a_readme_with_every_variable,
    tasks_do_not_loop,
    the_controller_is_asked_as_who_runs_the_playbook,
    drift_looks_at_every_plan,
    requirements_are_pinned,
    the_oldest_core_is_tried,
    the_readme_says_what_is_tested,
    no_registry_is_named,
    sanity_has_no_ignore_file,
    ci_runs_what_the_readme_says,
]
