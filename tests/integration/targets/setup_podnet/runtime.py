# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A container runtime as far as CNI goes: the node's real plugins, and libcni's cache, with nothing of ours.

runtime.py FILE add POD...        make namespaces, attach them, and remember them as libcni does
runtime.py FILE del POD...        detach them, forget them, and remove the namespaces
runtime.py FILE blind POD...      the same, but the plugins are not told the namespace, as after a reboot or by ctr
runtime.py FILE renamed POD...    the same, but with today's FILE, which may have another name than the cache

PORTS=8080:80 in the environment maps a port of the node to one of the pod, for each further pod the next.
OLD makes the cache that of libcni before 1.2, which did not write the namespace down.
CACHE is where the cache is (default: libcni's own place).
IFNAME is the pod's interface (default: eth0), and NETNS its namespace's path, where it is there already.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import typing as t

BIN_DIR = "/usr/lib/cni"
CACHE = os.environ.get("CACHE", "/var/lib/cni/results")
IFNAME = os.environ.get("IFNAME", "eth0")

Document = t.Dict[str, t.Any]


def call(verb: str, pod: str, netns: str, conf: Document) -> Document:
    environment = {
        "CNI_COMMAND": verb,
        "CNI_CONTAINERID": pod,
        "CNI_NETNS": netns,
        "CNI_IFNAME": IFNAME,
        "CNI_PATH": BIN_DIR,
        "CNI_ARGS": ";".join("=".join(pair) for pair in words(pod)),
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
        raise SystemExit(f"{conf['type']} {verb} {pod}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout) if done.stdout.strip() else {}


def words(pod: str) -> list[list[str]]:
    return [["IgnoreUnknown", "1"], ["K8S_POD_NAMESPACE", "default"], ["K8S_POD_NAME", f"pod-{pod}"]]


def chain(document: Document, number: int) -> list[Document]:
    envelope = {"name": document["name"], "cniVersion": document["cniVersion"]}
    found = [{**plugin, **envelope} for plugin in document.get("plugins", [document])]
    for conf in found:
        if "PORTS" in os.environ and conf.get("capabilities", {}).get("portMappings"):
            outside, inside = map(int, os.environ["PORTS"].split(":"))
            mapping = {"hostPort": outside + number, "containerPort": inside, "protocol": "tcp"}
            conf["runtimeConfig"] = {"portMappings": [mapping]}
    return found


def add(document: Document, text: str, pod: str, number: int) -> None:
    netns = os.environ.get("NETNS", f"/run/netns/{pod}")
    if not os.path.exists(netns):
        subprocess.run(["ip", "netns", "add", pod], check=True)
    result: Document = {}
    for conf in chain(document, number):
        result = call("ADD", pod, netns, {**conf, "prevResult": result} if result else conf) or result
    entry = {
        "kind": "cniCacheV1",
        "containerId": pod,
        "config": base64.b64encode(text.encode()).decode(),
        "ifName": IFNAME,
        "networkName": document["name"],
        "netns": netns,
        "cniArgs": words(pod),
        "result": result,
    }
    if "OLD" in os.environ:
        del entry["netns"]
    os.makedirs(CACHE, mode=0o700, exist_ok=True)
    with open(f"{CACHE}/{document['name']}-{pod}-{IFNAME}", "w", encoding="utf-8") as file:
        json.dump(entry, file)
    print(pod, *(ip["address"].partition("/")[0] for ip in result["ips"]))


def delete(document: Document, pod: str, number: int, verb: str) -> None:
    netns = "" if verb == "blind" else f"/run/netns/{pod}"
    for conf in reversed(chain(document, number)):
        try:
            call("DEL", pod, netns, conf)
        except SystemExit:
            if verb != "renamed":
                raise
            # Plugins before 1.2 fail where iptables-nft does not have the chain, and runtimes then try again.
            call("DEL", pod, netns, conf)
    # libcni looks for its file by the name of the network that it is given, and finds none of a former name.
    path = f"{CACHE}/{document['name']}-{pod}-{IFNAME}"
    if os.path.exists(path):
        os.unlink(path)
    subprocess.run(["ip", "netns", "del", pod], check=True)


def main() -> None:
    path, verb, *pods = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        text = file.read()
    document = json.loads(text)
    for number, pod in enumerate(pods):
        if verb == "add":
            add(document, text, pod, number)
        else:
            delete(document, pod, number, verb)


if __name__ == "__main__":
    main()
