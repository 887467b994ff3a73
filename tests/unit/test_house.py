# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection keeps the rules of the house, and each rule notices when it is broken."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.mink8s.podnet.tests.unit import house_rules as house

ROOT = Path(__file__).resolve().parents[2]
UTILS = f"from {house.COLLECTION}plugins.module_utils"
BSD, GPL = (f"{header}\n" for header in house.HEADERS.values())

#: A small house that keeps every rule.
CLEAN = {
    "plugins/modules/bridge.py": GPL
    + f"DOCUMENTATION = '{{author: us, version_added: 1.0.0, extends_documentation_fragment: [{house.ATTRIBUTES}]}}'\n"
    + "EXAMPLES = 'a: 1'\nRETURN = 'a: {contains: {b: {sample: 1}}}'\n",
    "plugins/module_utils/_engine.py": BSD + f"{UTILS}._errors import E\nstop = module.check_mode\n",
    "plugins/module_utils/_errors.py": BSD,
    "plugins/module_utils/_cni/conf.py": BSD + f"{UTILS}._cni import rules\n{UTILS} import _errors\n",
    "plugins/module_utils/_cni/rules.py": BSD + "if t.TYPE_CHECKING:\n    from ansible.module_utils.basic import A\n",
    "plugins/module_utils/_kernel/bridge.py": BSD + "import pyroute2\n",
    "plugins/module_utils/_cni/__init__.py": "",
    "meta/runtime.yml": "requires_ansible: '>=2.18.0'\naction_groups: {podnet: [mink8s.podnet.bridge]}",
    "tests/integration/targets/bridge/runme.sh": "exec ../setup_podnet/run.sh",
    "tests/integration/targets/bridge/aliases": "destructive\nneeds/target/setup_podnet\n",
    "roles/net/defaults/main.yml": "net_name: a\nnet_on: '{{ other_on }}'",
    "roles/net/meta/argument_specs.yml": "argument_specs: {main: {options: {net_name: {default: a}, net_on: }}}",
    "roles/net/README.md": "`net_name` and `net_on`",
    "roles/net/tasks/main.yml": "- mink8s.podnet.bridge: {name: br1}",
    "roles/net/tasks/ask.yml": "- {ping: , delegate_to: '{{ item }}', loop: '{{ groups.all }}'}",
    "roles/net/tasks/here.yml": "- {ping: , delegate_to: localhost, become: false, vars: {ansible_become: false}}",
    "playbooks/site.yml": "- hosts: all",
    "requirements-dev.txt": "ansible-core==2.19.14 ; python_full_version < '3.12'\nyamllint==1.38.0\n",
    "tests/requirements-core-oldest.txt": "ansible-core==2.18.0\n",
    "tests/requirements-newest.txt": "# newest\npyroute2==0.9.7\n",
    "pyproject.toml": 'dev = [\n  "yamllint==1.38.0",\n]',
    ".ci/run": "make test\nmake demo\n",
    "README.md": "    make test     # all\n    make demo\nTested with ansible-core 2.18.0, and pyroute2 0.9.7.\n",
    "Makefile": "test: lint\ndemo:\n",
}

#: What breaks which rule: the rule, a file, and its new text.
BROKEN: list[tuple[house.Rule, str, str]] = [
    (house.imports_point_one_way, "plugins/module_utils/_cni/conf.py", BSD + f"{UTILS}._kernel import bridge"),
    (house.imports_point_one_way, "plugins/module_utils/_cni/conf.py", BSD + f"{UTILS}._kernel.bridge import make"),
    (house.imports_point_one_way, "plugins/module_utils/_errors.py", BSD + f"{UTILS}._cni.conf import model"),
    (
        house.imports_point_one_way,
        "plugins/module_utils/_errors.py",
        BSD + f"import {house.COLLECTION}plugins.modules.bridge",
    ),
    (house.nothing_imports_itself, "plugins/module_utils/_errors.py", BSD + f"{UTILS}._engine import run"),
    (house.utils_know_neither_ansible_nor_netlink, "plugins/module_utils/_errors.py", BSD + "import ansible.constants"),
    (
        house.utils_know_neither_ansible_nor_netlink,
        "plugins/module_utils/_errors.py",
        BSD + "from pyroute2 import IPRoute",
    ),
    (
        house.utils_know_neither_ansible_nor_netlink,
        "plugins/module_utils/_cni/conf.py",
        BSD + "def f():\n    import pyroute2",
    ),
    (house.files_and_functions_are_short, "plugins/module_utils/_errors.py", BSD + "a = 1\n" * 300),
    (
        house.files_and_functions_are_short,
        "plugins/modules/bridge.py",
        CLEAN["plugins/modules/bridge.py"] + "a = 1\n" * 370,
    ),
    (house.files_and_functions_are_short, "plugins/module_utils/_errors.py", BSD + "def f():\n" + "    a = 1\n" * 45),
    (house.only_the_engine_knows_check_mode, "plugins/modules/bridge.py", GPL + "if module.check_mode:\n    pass"),
    (house.programs_are_run_by_ansible, "plugins/module_utils/_errors.py", BSD + "import subprocess"),
    (house.programs_are_run_by_ansible, "plugins/modules/bridge.py", GPL + "import os\nos.system('reboot')"),
    (
        house.programs_are_run_by_ansible,
        "plugins/modules/bridge.py",
        GPL + "module.run_command('a', use_unsafe_shell=True)",
    ),
    (house.python_has_its_licence, "plugins/modules/bridge.py", "a = 1"),
    (house.python_has_its_licence, "plugins/module_utils/_errors.py", GPL),
    (house.the_action_group_has_every_module, "plugins/modules/bridge1.py", GPL),
    (
        house.the_action_group_has_every_module,
        "meta/runtime.yml",
        "action_groups: {podnet: [mink8s.podnet.bridge, m.p.x]}",
    ),
    (house.every_module_is_tried_on_a_kernel, "plugins/modules/bridge1.py", GPL),
    (house.every_module_is_tried_on_a_kernel, "tests/integration/targets/bridge/aliases", "destructive\n"),
    (house.every_module_documents_what_it_promises, "plugins/modules/bridge.py", GPL + "DOCUMENTATION = 'author: us'"),
    (
        house.every_module_documents_what_it_promises,
        "plugins/modules/bridge.py",
        CLEAN["plugins/modules/bridge.py"].replace("sample", "simple"),
    ),
    (house.roles_say_their_defaults, "roles/net/defaults/main.yml", "net_name: b"),
    (house.roles_say_their_defaults, "roles/net/defaults/main.yml", "net_name: a\nnet_more: 1"),
    (house.roles_say_their_defaults, "roles/net/defaults/main.yml", "{}"),
    (house.roles_say_their_defaults, "roles/net/defaults/main.yml", "net_name: a\nnet_on: true"),
    (
        house.roles_say_their_defaults,
        "roles/net/meta/argument_specs.yml",
        "argument_specs: {main: {options: {name: {}}}}",
    ),
    (house.roles_have_a_readme_with_every_variable, "roles/net/README.md", "`net_on` and `net_name_b`"),
    (house.tasks_do_not_loop, "roles/net/tasks/main.yml", "- block:\n    - mink8s.podnet.bridge:\n      loop: [1, 2]"),
    (house.tasks_do_not_loop, "roles/net/tasks/main.yml", "- include_tasks: one.yml\n  loop: [1, 2]"),
    (house.tasks_do_not_loop, "playbooks/site.yml", "- hosts: all\n  tasks: [{ping: , with_items: [1]}]"),
    (
        house.the_controller_is_asked_as_who_runs_the_playbook,
        "roles/net/tasks/here.yml",
        "- {block: [{ping: }], delegate_to: localhost, become: false}",
    ),
    (
        house.the_controller_is_asked_as_who_runs_the_playbook,
        "playbooks/site.yml",
        "- {hosts: all, tasks: [{ping: , delegate_to: localhost, vars: {ansible_become: false}}]}",
    ),
    (house.drift_looks_at_every_plan, "roles/net/tasks/plan.yml", "- mink8s.podnet.bridge: {name: br1}"),
    (house.requirements_are_pinned, "tests/requirements-newest.txt", "pyroute2>=0.9.7"),
    (house.requirements_are_pinned, "requirements-dev.txt", "yamllint==1.38.1"),
    (house.the_oldest_core_is_tried, "meta/runtime.yml", "requires_ansible: '>=2.18.00'"),
    (house.the_readme_says_what_is_tested, "tests/requirements-newest.txt", "pyroute2==0.9.8\n"),
    (house.the_readme_says_what_is_tested, "README.md", CLEAN["README.md"].replace("2.18.0", "2.18.01")),
    (house.no_registry_is_named, "README.md", CLEAN["README.md"] + f"See https://{house.REGISTRIES[0]}/simple."),
    (house.sanity_has_no_ignore_file, "tests/sanity/ignore-2.19.txt", ""),
    (house.ci_runs_what_the_readme_says, ".ci/run", "make test\n"),
    (house.ci_runs_what_the_readme_says, "README.md", "make test\nmake demo\nmake coffee\n"),
]


@pytest.fixture
def small_house(tmp_path: Path) -> Path:
    """A directory with the small house in it."""
    for name, text in CLEAN.items():
        write(tmp_path / name, text)
    (tmp_path / "tests/integration/targets/bridge/runme.sh").chmod(0o755)
    return tmp_path


def write(path: Path, text: str) -> None:
    """Write a file, and its directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("rule", house.RULES)
def test_the_collection_keeps_the_rule(rule: house.Rule) -> None:
    complaints = rule(ROOT)
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("rule", house.RULES)
def test_a_clean_house_has_no_complaint(rule: house.Rule, small_house: Path) -> None:
    assert rule(small_house) == []


@pytest.mark.parametrize(("rule", "name", "text"), BROKEN)
def test_a_broken_rule_is_noticed(rule: house.Rule, name: str, text: str, small_house: Path) -> None:
    write(small_house / name, text)
    assert rule(small_house) != []


def test_every_rule_was_broken_once() -> None:
    broken: t.Iterable[house.Rule] = [rule for rule, _name, _text in BROKEN]
    assert [rule for rule in house.RULES if rule not in broken] == []
