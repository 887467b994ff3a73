# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Kernel settings: at run time, in one file of ours for the next boot, and as they were before us.

The file of ours is the only record: a comment says what a setting was before it was taken over.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils import _persist, _programs
from ansible_collections.mink8s.podnet.plugins.module_utils._engine import Change, Resource, State
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel import (
    router_advertisements,
    sysctl_back,
    sysctl_files,
    sysctl_options,
)
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.sysctl_files import Record
from ansible_collections.mink8s.podnet.plugins.module_utils._kernel.sysctl_moves import (
    GLOBAL,
    TRACES,
    is_moved_by,
    moved_to,
    one,
    ordered,
)

ROOT = "/proc/sys"

_MODULES_HEADER = "# Kernel modules, kept by Ansible (mink8s.podnet.sysctls)\n"


class Sysctls(Resource):
    """Our settings on one node."""

    def __init__(self, params: dict[str, t.Any], run: _programs.Runner) -> None:
        super().__init__()
        self._run = run
        self._present = params["state"] == "present"
        self._path: str = _persist.absolute("path", params["path"], "/etc/sysctl.d/99-zz-podnet.conf")
        self._modules: list[str] = list(dict.fromkeys(params["modules"])) if self._present else []
        self._modules_path: str = _persist.absolute(
            "modules_path", params["modules_path"], "/etc/modules-load.d/podnet.conf"
        )
        self._given = sysctl_options.settings(params["settings"]) if self._present else {}
        self._settings = self._given
        self._record = Record()
        self._given_back: dict[str, str] = {}
        self._target: dict[str, str] = {}
        #: All that is touched, as it is before the change.
        self._was: dict[str, t.Optional[str]] = {}

    def read(self) -> State:
        text = _persist.own_text("path", self._path, sysctl_files.HEADER)
        self._record = sysctl_files.named_as(sysctl_files.parse(text or ""), self._given)
        advertised = router_advertisements.settings(self._given, self._record, value_of)
        self._settings = sysctl_options.in_order({**self._given, **advertised})
        modules_text = _persist.own_text("modules_path", self._modules_path, _MODULES_HEADER)
        state: State = {}
        if self._modules:
            missing = any(value_of(key) is None for key in self._settings)
            state.update({f"kernel module {name}": {"loaded": not missing or _loaded(name)} for name in self._modules})
        for key in ordered([*self._settings, *self._record.settings, *self._record.before, *self._of_interfaces()]):
            value = value_of(key)
            if value is not None:
                state[_name(key)] = {"value": value}
        files = {self._modules_path: modules_text, self._path: text}
        return {**state, **{f"file {path}": content for path, content in files.items() if content is not None}}

    def desired(self, current: State) -> State:
        self._check_settings()
        before = self._before(current)
        kept = {key: value for key, value in before.items() if key in self._settings or self._is_moved_by_us(key)}
        dropped = [key for key in self._record.before if key not in kept or self._is_dropped(key)]
        there = {key: current[_name(key)]["value"] for key in dropped if _name(key) in current}
        self._given_back = self._unset(there, before)
        self._target = {**self._given_back, **self._settings}
        self._was = {key: value_of(key) for key in (*before, *self._target)}
        state: State = {f"kernel module {name}": {"loaded": True} for name in self._modules}
        # What is neither set nor given back stays as it is.
        stays = {name: there for name, there in current.items() if name.startswith("sysctl ")}
        wanted = {_name(key): {"value": self._target[key]} for key in ordered(self._target)}
        state.update({**wanted, **{name: there for name, there in stays.items() if name not in wanted}})
        if self._modules:
            state[f"file {self._modules_path}"] = _MODULES_HEADER + "".join(f"{name}\n" for name in self._modules)
        if self._settings:
            state[f"file {self._path}"] = sysctl_files.render(Record(self._settings, kept))
            self._warn_of_others()
        return state

    def apply(self, changes: list[Change]) -> None:
        texts = [change for change in changes if change.is_text]
        # What a setting was is in the file for as long as the setting is not as it was.
        _settle(self._given_back)
        _write_files({change.name: change.after for change in texts if change.after is not None})
        try:
            for change in changes:
                if change.name.startswith("kernel module "):
                    self._modprobe([], change.name.split()[2])
            _settle(self._target)
        except PodnetError:
            try:
                # The value that is refused must not wait in the file for the next boot.
                _write_files({change.name: change.before for change in texts})
            finally:
                was = {key: was for key, was in self._was.items() if was is not None}
                _settle(sysctl_back.without_traces(was, {}, value_of, _interfaces))
            raise
        _write_files({change.name: None for change in texts if change.after is None})

    def result(self, state: State) -> dict[str, t.Any]:
        return {
            "settings": {_spelled(key): state[_name(key)]["value"] for key in self._settings if _name(key) in state}
        }

    # What should be there

    def _before(self, current: State) -> dict[str, t.Optional[str]]:
        """Return what each setting was before us: as recorded, or as it is now when it is taken over."""
        before = dict(self._record.before)
        for key, value in self._settings.items():
            if key not in self._record.settings:
                there = current.get(_name(key))
                before.setdefault(key, there["value"] if there else None)
            # One that we have already may get another value now, and move others then.
            for other, was in sysctl_back.lost(key, value, value_of, _interfaces).items():
                before.setdefault(other, was)
        return before

    def _is_dropped(self, key: str) -> bool:
        return key in self._record.settings and key not in self._settings

    def _unset(self, dropped: dict[str, str], before: t.Mapping[str, t.Optional[str]]) -> dict[str, str]:
        """Return what settings that are dropped, with their values of now, are given back as."""
        words = sysctl_files.words_of_others(self._path) if dropped else {}
        found: dict[str, str] = {}
        for key, has in dropped.items():
            moved, word = self._moved_to(key, before), words.get(one(key))
            value = sysctl_back.value(key, has, self._record, word) if moved is None else moved
            found.update({} if value is None else {key: value})
        found = sysctl_back.without_traces(found, self._settings, value_of, _interfaces)
        return {**found, **dict.fromkeys(router_advertisements.stay(found, self._record, value_of), "2")}

    def _moved_to(self, key: str, before: t.Mapping[str, t.Optional[str]]) -> t.Optional[str]:
        """Return what one of ours that stays makes of a setting that is dropped."""
        for other, value in self._settings.items():
            moved = moved_to(key, other, value)
            if moved is not None and before.get(other) != value:
                return moved
        return None

    def _of_interfaces(self) -> list[str]:
        """Return what may be given back to each interface, see sysctl_back.without_traces."""
        dropped = [key for key in TRACES if key in self._record.before and key not in self._settings]
        return [GLOBAL[key].format(name) for key in dropped for name in _interfaces(key)]

    def _is_moved_by_us(self, key: str) -> bool:
        return any(is_moved_by(key, each) for each in self._settings)

    def _check_settings(self) -> None:
        for key in self._settings:
            path = f"settings.{_spelled(key)}"
            if not os.path.exists(f"{ROOT}/{key}"):
                if all(_loaded(name) for name in self._modules):
                    remedy = "check the spelling, or name the kernel module that brings it in modules"
                    raise OptionError(path, f"{ROOT}/{key}", "is not there", remedy)
                self._probe_modules()
            elif value_of(key) is None:
                raise OptionError(path, f"{ROOT}/{key}", "is not one readable value", "name a single setting")

    def _probe_modules(self) -> None:
        for name in self._modules:
            if not _loaded(name):
                self._modprobe(["--dry-run"], name)

    def _warn_of_others(self) -> None:
        for other in sysctl_files.later(self._path, self._settings):
            # systemd does not read that one by itself.
            when = "whenever sysctl --system is run" if other.path == sysctl_files.LAST else "at the next boot"
            warning = (
                f"{other.path} sets {_spelled(other.key)} to {other.value} and is loaded after {self._path}: "
                f"it wins {when}; remove that line"
            )
            if warning not in self.warnings:
                self.warnings.append(warning)

    # Changes

    def _modprobe(self, options: list[str], name: str) -> None:
        status, _out, err = self._run([_programs.find("modprobe", "kmod"), *options, name], None)
        if status != 0:
            reason = err.strip().splitlines()[0] if err.strip() else f"status {status}"
            raise PodnetError(f"modules: {name} cannot be loaded ({reason}); use a kernel that has it, or leave it out")


def _write_files(texts: dict[str, t.Optional[str]]) -> None:
    for name, text in texts.items():
        _persist.put(name.partition(" ")[2], text)


def value_of(key: str) -> t.Optional[str]:
    """Return a setting's value with single spaces, or None where there is no such setting or it is not readable."""
    try:
        with open(f"{ROOT}/{key}", encoding="utf-8") as file:
            return " ".join(file.read().split())
    except (OSError, ValueError):  # not text, or a name that no file has
        return None


def _settle(target: dict[str, str]) -> None:
    """Set more than the changes: one setting may move others.  A write of the same value may, too, so none is made."""
    for key in ordered(target):
        if value_of(key) != target[key]:
            _write(key, target[key])


def _write(key: str, value: str) -> None:
    try:
        with open(f"{ROOT}/{key}", "w", encoding="utf-8") as file:
            # An empty value would be no write at all.
            file.write(f"{value}\n")
    except OSError as error:
        raise PodnetError(
            f"settings.{_spelled(key)}: the kernel refuses {value} ({error.strerror}); correct the value, "
            "or run this where the setting may be changed"
        ) from error


def _interfaces(key: str) -> list[str]:
    """Return the interfaces, all and default among them, that a setting for all of them is about."""
    try:
        return sorted(entry.name for entry in os.scandir(f"{ROOT}/{GLOBAL[key].split('/{}')[0]}"))
    except FileNotFoundError:  # no IPv6
        return []


def _name(key: str) -> str:
    return f"sysctl {_spelled(key)}"


def _spelled(key: str) -> str:
    return sysctl_files.spelled(key)


def _loaded(name: str) -> bool:
    return os.path.isdir(f"/sys/module/{name.replace('-', '_')}")
