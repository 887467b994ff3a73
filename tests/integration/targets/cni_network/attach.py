# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attach a pod as a runtime does, with the real plugins and nothing of ours: an independent proof.

attach.py FILE POD          attach a new namespace POD, and remember it as libcni does
attach.py FILE POD detach   detach it again and forget it
attach.py FILE POD refuse   FILE holds a list of configurations: print why each fails, and fail where one does not
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import typing as t

BIN_DIR = "/usr/lib/cni"
CACHE = "/var/lib/cni/results"


def call(verb: str, pod: str, conf: dict[str, t.Any]) -> dict[str, t.Any]:
    environment = {
        "CNI_COMMAND": verb,
        "CNI_CONTAINERID": pod,
        "CNI_NETNS": f"/run/netns/{pod}",
        "CNI_IFNAME": "eth0",
        "CNI_PATH": BIN_DIR,
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    }
    done = subprocess.run(
        [f"{BIN_DIR}/{conf['type']}"],
        input=json.dumps(conf),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{conf['type']}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout) if done.stdout.strip() else {}


def chain(document: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    envelope = {"name": document["name"], "cniVersion": document["cniVersion"]}
    return [{**plugin, **envelope} for plugin in document.get("plugins", [document])]


def add(document: dict[str, t.Any], pod: str) -> dict[str, t.Any]:
    result: dict[str, t.Any] = {}
    for conf in chain(document):
        result = call("ADD", pod, {**conf, "prevResult": result} if result else conf)
    return result


def delete(document: dict[str, t.Any], pod: str) -> None:
    for conf in reversed(chain(document)):
        call("DEL", pod, conf)


def cache(document: dict[str, t.Any], pod: str) -> str:
    return f"{CACHE}/{document['name']}-{pod}-eth0"


def remember(document: dict[str, t.Any], pod: str, text: str, result: dict[str, t.Any]) -> None:
    entry = {
        "kind": "cniCacheV1",
        "containerId": pod,
        "config": base64.b64encode(text.encode()).decode(),
        "ifName": "eth0",
        "networkName": document["name"],
        "netns": f"/run/netns/{pod}",
        "result": result,
    }
    os.makedirs(CACHE, mode=0o700, exist_ok=True)
    with open(cache(document, pod), "w", encoding="utf-8") as file:
        json.dump(entry, file)


def clean(document: dict[str, t.Any], pod: str) -> None:
    """Give back what was made before a plugin failed; a plugin that does not take its configuration made nothing."""
    for conf in reversed(chain(document)):
        with contextlib.suppress(SystemExit):
            call("DEL", pod, conf)


def refuse(documents: list[dict[str, t.Any]], prefix: str) -> None:
    taken = []
    for number, document in enumerate(documents):
        # A namespace and an identifier of its own for each, so that none fails because of the one before.
        pod = f"{prefix}{number}"
        subprocess.run(["ip", "netns", "add", pod], check=True)
        try:
            add(document, pod)
        except SystemExit as error:
            print(" ".join(str(error).split()))
            clean(document, pod)
        else:
            taken.append(document)
        finally:
            subprocess.run(["ip", "netns", "del", pod], check=True)
            subprocess.run(["ip", "link", "delete", "br2"], stderr=subprocess.DEVNULL, check=False)
    if taken:
        raise SystemExit(f"the plugins take {json.dumps(taken)}")


def main() -> None:
    path, pod, verb = [*sys.argv[1:], "attach"][:3]
    with open(path, encoding="utf-8") as file:
        text = file.read()
    document = json.loads(text)
    if verb == "refuse":
        refuse(document, pod)
    elif verb == "attach":
        subprocess.run(["ip", "netns", "add", pod], check=True)
        result = add(document, pod)
        remember(document, pod, text, result)
        print(json.dumps(result))
    else:
        delete(document, pod)
        subprocess.run(["ip", "netns", "del", pod], check=True)
        os.unlink(cache(document, pod))


if __name__ == "__main__":
    main()
