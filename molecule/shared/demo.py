# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make demo` shows, in the lab: the network made, nothing left to change, and everybody reaching everybody."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOKS = ROOT / "playbooks"
#: The nodes vanish, this stays.
PAGE = ROOT / ".cache/podnet-report.html"
STEPS = 4
#: A line of the recap that ansible-playbook ends with.
RECAP = re.compile(r"^(?P<host>\S+) +: ok=\d+ +changed=(?P<changed>\d+) ", re.MULTILINE)
#: The recap is read, so it must look the same whatever the user's settings are.
SETTINGS = {
    "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
    "ANSIBLE_FORCE_COLOR": "false",
    "ANSIBLE_NOCOLOR": "1",
}


def main() -> None:
    inventory = os.environ["PODNET_LAB_INVENTORY"]
    nodes = list(json.loads(Path(inventory).read_text())["kube_node"]["hosts"])
    began = time.monotonic()
    print(f"==> the lab is up: {', '.join(nodes)}, a switch and an outside, all of them namespaces", flush=True)

    play(1, "playbooks/site.yml gives every node its pod network", inventory, "site.yml")
    recap = play(2, "playbooks/site.yml again has nothing to change", inventory, "site.yml")
    changed = {node: recap.get(node) for node in nodes if recap.get(node) != 0}
    if changed:
        sys.exit(f"==> step 2 failed: the second run must say changed=0 for every node, but says {changed}")
    print(f"==> changed=0 on {', '.join(nodes)}", flush=True)
    play(3, "playbooks/verify.yml: who reaches whom", inventory, "verify.yml")
    play(4, "playbooks/report.yml: all of it on one page", inventory, "report.yml", f"report_path={PAGE}")
    print(f"==> done in {time.monotonic() - began:.0f} s: all of it works, and ends with this process")
    print(f"==> the page that stays: {PAGE}")


def play(number: int, title: str, inventory: str, playbook: str, *variables: str) -> dict[str, int]:
    """Run a playbook, show its output as it comes, and return how much it changed on each host."""
    print(f"\n==> {number}/{STEPS} {title}", flush=True)
    lines = []
    extra = [word for variable in variables for word in ("--extra-vars", variable)]
    with subprocess.Popen(
        ["ansible-playbook", "--inventory", inventory, *extra, str(PLAYBOOKS / playbook)],
        env={**os.environ, **SETTINGS},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode != 0:
        sys.exit(f"==> step {number} failed: ansible-playbook playbooks/{playbook} ended with {process.returncode}")
    return {found["host"]: int(found["changed"]) for found in RECAP.finditer("".join(lines))}


if __name__ == "__main__":
    main()
