# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The lock file: who owns which pod CIDR, as YAML for version control.

All of it is the variables of a group without hosts, because the file may lie in a directory that is an inventory:
Ansible reads every YAML file there, and would warn of each line of anything else.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import os
import re
import stat
import typing as t
from contextlib import contextmanager

from ansible_collections.mink8s.podnet.plugins.module_utils import _files, _locks, _values
from ansible_collections.mink8s.podnet.plugins.module_utils._blocks import PREFIX_OPTIONS
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import OptionError, PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._subnets import Book

try:
    import yaml
except ImportError:  # never on a controller, ansible-core needs it
    yaml = None  # type: ignore[assignment]

HEADER = """\
---
# Which node owns which pod CIDRs.  Written by mink8s.podnet.pod_cidr; keep it in version control.
# Hosts that left the inventory keep theirs until a run with prune.  Comments are not kept.
"""

GROUP = "pod_cidrs"

#: 65,536 nodes with blocks of both families are 4 MiB.
SIZE_LIMIT = 64 * 1024 * 1024

#: Nodes within nodes; a lock file has six.
DEEPEST = 50

#: Another run holds the file for seconds at most.
LOCK_SECONDS = 60.0

#: Words that YAML does not read as text, and names that it would, unquoted.
YAML_WORDS = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"}
PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")

#: A longer text is no key for YAML (1,024 characters with its quotes).
NAME_MAX = 1000

RESTORE = "restore it from version control, or move it away and run with adopt: true (pod_cidr_adopt)"


@contextmanager
def exclusive(path: str, seconds: float = LOCK_SECONDS) -> t.Iterator[None]:
    """Let no other run read, allocate and write at the same time; the directory is locked, so no file is left."""
    directory = os.path.dirname(path)
    try:
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OptionError(
            "lock_file", path, f"has no directory ({error.strerror})", "make it or name another"
        ) from error
    try:
        _wait_for(handle, path, seconds)
        yield
    finally:
        os.close(handle)


def _wait_for(handle: int, path: str, seconds: float) -> None:
    try:
        if _locks.taken(handle, seconds):
            return
    except OSError as error:
        problem = f"cannot be locked ({error.strerror})"
        raise OptionError("lock_file", path, problem, "name one on a local file system") from error
    raise OptionError("lock_file", path, "is used by another run", "wait until that has ended")


def read(path: str) -> t.Optional[str]:
    """Return the file's text, or None where there is none."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OptionError("lock_file", path, f"cannot be read ({error.strerror})", "check its directory") from error
    if stat.S_ISLNK(mode):
        # It would be replaced by a file when it is written.
        raise OptionError("lock_file", path, "is a symbolic link", f"name the file itself, {os.path.realpath(path)}")
    if not stat.S_ISREG(mode):
        raise OptionError("lock_file", path, "is not a file", "move it away or name another")
    return _files.read_text(path, SIZE_LIMIT)


def parse(path: str, text: str) -> Book:
    """Read the lock file's text; whether the blocks fit the cluster is for the allocation to say."""
    content = _load(path, text)
    for key in (GROUP, "vars"):
        if not isinstance(content, dict) or list(content) != [key]:
            raise PodnetError(f"{path}: holds something else than the one key {key}; {RESTORE}")
        content = content[key]
    if not isinstance(content, dict) or not content.keys() >= {"cluster_cidrs", "nodes"}:
        raise PodnetError(f"{path}: lacks cluster_cidrs or nodes; {RESTORE}")
    unknown = content.keys() - {"cluster_cidrs", "nodes", *PREFIX_OPTIONS.values()}
    if unknown:
        raise PodnetError(f"{path}: has the unknown key {min(unknown)}; {RESTORE}")
    return Book(_cluster(path, content), _nodes(path, content["nodes"]))


def _load(path: str, text: str) -> t.Any:
    if text.startswith("<<<<<<<") or "\n<<<<<<<" in text:
        raise PodnetError(f"{path}: has the marks of a merge that is not finished; finish it")
    # Nothing but text, lists and dicts comes from this loader: no dates, numbers or objects.
    base = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        return yaml.load(text, Loader=_strict(base))
    except (yaml.YAMLError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = "" if line is None else f", line {line + 1}"
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise PodnetError(f"{path}: is not YAML ({problem}{where}); {RESTORE}") from error


def _strict(base: t.Any) -> t.Any:
    """Return the loader with two more checks.

    A merge must not leave a host twice, the last one would win.  And libyaml nests as deeply as the text, until the
    stack is full and the process dies.
    """
    depth = 0

    def descend_resolver(_loader: t.Any, parent: t.Any, _index: t.Any) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem="it is nested too deeply", problem_mark=parent.start_mark)

    def ascend_resolver(_loader: t.Any) -> None:
        nonlocal depth
        depth -= 1

    def construct_mapping(loader: t.Any, node: t.Any, deep: bool = False) -> dict[t.Any, t.Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            if not isinstance(key.value, str):
                raise yaml.MarkedYAMLError(problem="a key is no text", problem_mark=key.start_mark)
            name = key.value
            if name in seen:
                raise yaml.MarkedYAMLError(problem=f"{name} is there twice", problem_mark=key.start_mark)
            seen.add(name)
        mapping: dict[t.Any, t.Any] = base.construct_mapping(loader, node, deep)
        return mapping

    checks = (construct_mapping, descend_resolver, ascend_resolver)
    return type("StrictLoader", (base,), {check.__name__: check for check in checks})


def _cluster(path: str, content: dict[str, t.Any]) -> list[tuple[str, int]]:
    cluster = []
    for index, cidr in enumerate(_texts(path, "cluster_cidrs", content["cluster_cidrs"])):
        network = _values.network(f"{path}: cluster_cidrs[{index}]", cidr)
        option = PREFIX_OPTIONS[network.version]
        prefix = content.get(option)
        if not (isinstance(prefix, str) and re.fullmatch("[0-9]{1,3}", prefix)):
            raise PodnetError(f"{path}: has no number as {option}; {RESTORE}")
        cluster.append((str(network), int(prefix)))
    return cluster


def _nodes(path: str, nodes: t.Any) -> dict[str, list[str]]:
    if not isinstance(nodes, dict):
        raise PodnetError(f"{path}: nodes is not a mapping of hosts to their pod CIDRs; {RESTORE}")
    return {host: _texts(path, f"nodes.{host}", cidrs) for host, cidrs in nodes.items()}


def _texts(path: str, key: str, value: t.Any) -> list[str]:
    if not (isinstance(value, list) and value and all(isinstance(item, str) for item in value)):
        raise PodnetError(f"{path}: {key} is not a list of CIDRs; {RESTORE}")
    return value


def render(book: Book) -> str:
    """Write the lock file's text: one host per line, so that two runs' changes merge line by line."""
    prefixes = [f"    {PREFIX_OPTIONS[6 if ':' in cidr else 4]}: {prefix}\n" for cidr, prefix in book.cluster]
    hosts = [f"      {_name(host)}: {_list(cidrs)}\n" for host, cidrs in book.nodes.items()]
    head = f"{GROUP}:\n  vars:\n    cluster_cidrs: {_list([cidr for cidr, _prefix in book.cluster])}\n"
    return "".join([HEADER, head, *prefixes, "    nodes:\n", *hosts])


def _name(host: str) -> str:
    if len(host) > NAME_MAX or not host.isprintable():
        remedy = f"use up to {NAME_MAX} characters that can be printed"
        raise OptionError("hosts", host, "is a name that no lock file can hold", remedy)
    plain = PLAIN_NAME.fullmatch(host) and host.lower() not in YAML_WORDS
    return host if plain else json.dumps(host, ensure_ascii=False)


def _list(cidrs: t.Sequence[str]) -> str:
    return f"[{', '.join(json.dumps(cidr) if ':' in cidr else cidr for cidr in cidrs)}]"
