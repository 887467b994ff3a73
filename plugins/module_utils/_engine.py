# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The one lifecycle of every module that changes something: read, plan, apply, read again.

A Resource reads what of ours is on the node and says what should be there; both are a State, so the
plan is a comparison that this file makes for everybody.  Check mode is the same code stopped after the
plan, and diff, ``actions`` and ``changed`` are rendered from the plan, so none of them can lie.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import traceback
import typing as t
from abc import ABC, abstractmethod
from dataclasses import dataclass

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _json, _locks, _options
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError, shown

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

#: A sentence is for people: whatever a program or a file has put into it, it has not more characters.
LONGEST_SENTENCE = 4096

#: What is, or should be, on the node: an object's name as a person says it ("bridge mink8s0",
#: "route 10.12.2.0/24") to its attributes (a dict of plain values) or, for a file, its whole text.
#: The order is the order in which objects are created; they are removed in the reverse order.
State = t.Dict[str, t.Any]


@dataclass(frozen=True)
class Change:
    """One step from what is to what should be; ``None`` on a side means that it is not there."""

    name: str
    before: t.Any
    after: t.Any

    @property
    def action(self) -> str:
        """The change as a sentence: ``change bridge mink8s0: mtu 1500 -> 1450``."""
        if self.before is None:
            return f"create {self.name}{_details(self.after)}"
        if self.after is None:
            return f"remove {self.name}"
        return f"change {self.name}{_differences(self.before, self.after)}"

    @property
    def is_text(self) -> bool:
        """Whether it is about a file's text; a file that is not readable on one side is an object."""
        return all(isinstance(side, str) for side in (self.before, self.after) if side is not None)


class Resource(ABC):
    """One kind of object on one node; what a module is about."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    @abstractmethod
    def read(self) -> State:
        """Return everything of ours that is on the node, and nothing that is not ours."""

    @abstractmethod
    def desired(self, current: State) -> State:
        """Return what should be there instead; must give the same answer before and after the change."""

    @abstractmethod
    def apply(self, changes: list[Change]) -> None:
        """Make the changes, in their order unless the kernel offers something atomic."""

    def touches(self, changes: list[Change]) -> list[str]:
        """Return the paths of all that changes in the file system; the names of such objects end in them."""
        return [f"/{change.name.partition(' /')[2]}" for change in changes if " /" in change.name]

    def shown(self, name: str, text: str) -> str:  # noqa: ARG002
        """Return what of a file's text may stand in a diff, which ends in logs that more people read than the file."""
        return text

    def result(self, state: State) -> dict[str, t.Any]:  # noqa: ARG002
        """Return the module's own return values, from the state that is (or, in check mode, would be)."""
        return {}


def plan(current: State, desired: State) -> list[Change]:
    """Compare two states: removals first, last created first, then what is created or changed."""
    gone = [Change(name, current[name], None) for name in reversed(list(current)) if name not in desired]
    rest = [
        Change(name, current.get(name), after)
        for name, after in desired.items()
        if name not in current or current[name] != after
    ]
    return gone + rest


def converge(resource: Resource, check_mode: bool) -> dict[str, t.Any]:
    """Run the lifecycle; in check mode stop after the plan and report the state it leads to."""
    current = resource.read()
    state = resource.desired(current)
    changes = plan(current, state)
    for path in resource.touches(changes):
        _files.require_writable(path)
    # Told by what was known before the change, as in check mode.
    told = render(changes, resource.shown)
    if changes and not check_mode:
        resource.apply(changes)
        state = resource.read()
        _require_converged(plan(state, resource.desired(state)))
    return {"changed": bool(changes), **told, **resource.result(state)}


def render(changes: list[Change], show: t.Callable[[str, str], str] = lambda _name, text: text) -> dict[str, t.Any]:
    """Render a plan as ``actions`` (sentences) and ``diff`` (texts one by one, all the rest together)."""
    texts = [change for change in changes if change.is_text]
    objects = [change for change in changes if change not in texts]
    diff: list[dict[str, t.Any]] = [
        {
            "before_header": change.name,
            "after_header": change.name,
            "before": show(change.name, change.before or ""),
            "after": show(change.name, change.after or ""),
        }
        for change in texts
    ]
    if objects:
        diff.append(
            {
                "before": {
                    each.name: _side(each.name, each.before, show) for each in objects if each.before is not None
                },
                "after": {each.name: _side(each.name, each.after, show) for each in objects if each.after is not None},
            }
        )
    return {"actions": [sentence(change.action) for change in changes], "diff": diff}


def _side(name: str, side: t.Any, show: t.Callable[[str, str], str]) -> t.Any:
    return show(name, side) if isinstance(side, str) else side


def run(module: AnsibleModule, build: t.Callable[[], Resource]) -> None:
    """Build the resource, converge it and leave the module with its result, or with one sentence."""

    def work() -> dict[str, t.Any]:
        # Two runs that read and write at the same time would each undo, or do twice, what the other one does.
        with contextlib.nullcontext() if module.check_mode else _locks.alone(_name(module)):
            resource = build()
            _options.require_absolute(module)
            try:
                return converge(resource, module.check_mode)
            finally:
                for warning in resource.warnings:
                    module.warn(sentence(warning))

    _leave(module, work)


def report(module: AnsibleModule, read: t.Callable[[], dict[str, t.Any]]) -> None:
    """Leave the module with what ``read`` returns, or with one sentence; for modules that only read."""

    def work() -> dict[str, t.Any]:
        _options.require_absolute(module)
        return read()

    _leave(module, work)


def _leave(module: AnsibleModule, work: t.Callable[[], dict[str, t.Any]]) -> None:
    try:
        _options.require_text(module.params)
        _options.require_given(module)
        result = work()
    except PodnetError as error:
        module.fail_json(msg=sentence(str(error)), **printable(error.facts))
    except RecursionError:
        module.fail_json(msg=f"{module._name}: an option, or a file on the node, is nested too deeply; correct it")
    except OSError as error:
        # Nobody foresaw it, but it is the node's doing: a name that is too long, a disk that fails, no permission.
        where = shown(str(error.filename)) if error.filename is not None else module._name
        module.fail_json(msg=sentence(f"{where}: {error.strerror or error}; check that path, its mode and its disk"))
    except Exception as error:
        module.fail_json(
            msg=sentence(
                f"{module._name}: unexpected {type(error).__name__}: {error}; this is a bug, please report it"
            ),
            exception=traceback.format_exc(),
        )
    module.exit_json(**printable({"changed": False, **result}))


def sentence(text: str) -> str:
    """Return a text as one line that a terminal takes for nothing else, whatever names and complaints are in it."""
    line = "".join(each if each.isprintable() else " " if each.isspace() else _escaped(each) for each in text.strip())
    return line if len(line) <= LONGEST_SENTENCE else f"{line[: LONGEST_SENTENCE - 1]}…"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def printable(value: t.Any) -> t.Any:
    """Return a value without what Ansible takes for broken text: the bytes of file names that are not UTF-8."""
    return value if _json.is_plain(value) else _printable(value)


def _printable(value: t.Any) -> t.Any:
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {_printable(key): _printable(item) for key, item in value.items()}
    return [_printable(item) for item in value] if isinstance(value, (list, tuple)) else value


def _name(module: AnsibleModule) -> str:
    return str(module._name).rpartition(".")[2]


def _require_converged(left: list[Change]) -> None:
    if left:
        raise PodnetError(
            "after the change the node still differs: "
            + ", ".join(change.action for change in left)
            + "; something else may be changing it, run with -vvv and --diff",
            left=[change.action for change in left],
        )


def _details(after: t.Any) -> str:
    if not isinstance(after, dict):
        return ""
    shown = [f"{key} {_value(value)}" for key, value in after.items() if value not in (None, False, [], {})]
    return f" ({', '.join(shown)})" if shown else ""


def _differences(before: t.Any, after: t.Any) -> str:
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return ""
    keys = list(dict.fromkeys([*after, *before]))
    shown = [
        f"{key} {_value(before.get(key))} -> {_value(after.get(key))}"
        for key in keys
        if before.get(key) != after.get(key)
    ]
    return f": {', '.join(shown)}"


def _value(value: t.Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return str(value)
