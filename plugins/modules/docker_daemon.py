#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_daemon
short_description: Options of Docker's daemon, beside those of others
version_added: 1.0.0
description:
  - Sets keys of Docker's C(daemon.json) and makes the running daemon take them over.
  - Only the keys that are named are touched. All others stay as they are, to the byte and in their order; so do the
    file's mode and owner. New keys come last, indented like the others.
  - What a key was before is recorded in O(record), and given back when the key is not named any more or with
    O(state=absent), unless somebody else has changed it since. A file that was not there before is removed.
  - Nothing is changed where the file is not one JSON object, has a key twice or is a symbolic link, where dockerd
    itself refuses the new file (Docker 23 and newer), or where a key of it is also a flag in the ExecStart of
    C(docker.service), its drop-ins or the files of environment that it names, since dockerd does not start with both.
extends_documentation_fragment:
  - mink8s.podnet.attributes
author:
  - The mink8s.podnet developers (@mink8s)
requirements:
  - systemd, to restart dockerd
options:
  options:
    description:
      - Keys and their values.
      - A value is replaced as a whole, also that of a key like C(log-opts), which has keys of its own.
    type: dict
    default: {}
  absent:
    description: Keys that must not be there.
    type: list
    elements: str
    default: []
  path:
    description: The file; it must be the one that dockerd reads.
    type: path
    default: /etc/docker/daemon.json
  record:
    description: File for what the keys were before; only root can read it.
    type: path
    default: /var/lib/podnet/docker_daemon.json
  validate:
    description: Whether dockerd is asked about the new file, where it can tell.
    type: bool
    default: true
  backup:
    description: Whether a copy of the file is kept beside it before it is changed.
    type: bool
    default: false
  restart:
    description:
      - Whether a running dockerd is restarted when an option changes that it takes over by that alone. For others, like
        C(labels), it is told to reload. If it does not run, nothing is done.
      - V(auto) restarts it, but refuses to change anything if that would stop containers, or if they would live through
        it (C(live-restore)) and keep the old network.
      - V(allowed) restarts it whatever runs.
      - V(never) leaves it alone; RV(restart_needed) tells what is left to do.
      - If it does not start again, the old file comes back, it is started with that, and the module fails with what
        dockerd complained about.
    type: str
    choices: [auto, allowed, never]
    default: auto
  without_docker:
    description:
      - What happens where there is no dockerd. V(fail) refuses, V(skip) does nothing, V(write) writes the file for a
        Docker that is about to be installed.
    type: str
    choices: [fail, skip, write]
    default: fail
  state:
    description: Whether the options are set. V(absent) gives back all that are in O(record).
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mink8s.podnet.docker_leftovers
"""

EXAMPLES = r"""
- name: Docker without a network of its own
  mink8s.podnet.docker_daemon:
    options:
      bridge: none
      iptables: false
      ip-masq: false

- name: Other options, no proxy, and a restart whatever runs
  mink8s.podnet.docker_daemon:
    options:
      log-driver: json-file
      log-opts:
        max-size: 100m
    absent: [http-proxy]
    restart: allowed

- name: All as it was
  mink8s.podnet.docker_daemon:
    state: absent
"""

RETURN = r"""
actions:
  description: What was changed, or would be in check mode, one sentence each.
  type: list
  elements: str
  returned: success
  sample:
    - create file /var/lib/podnet/docker_daemon.json
    - change file /etc/docker/daemon.json
    - 'change dockerd by a restart: bridge not set -> "none", iptables not set -> false'
options:
  description: The keys in O(options) and their values as they are in the file, or would be in check mode.
  type: dict
  returned: success
  sample:
    bridge: none
    iptables: false
in_force:
  description:
    - What a running dockerd has of the options of its network, or would have after what check mode plans. It comes from
      its flags and its file; what neither says is null.
    - Where the file was changed since dockerd was started, what others have in it is left out, for it may not be in
      force.
  type: dict
  returned: success
  sample:
    bridge: none
    iptables: false
    firewall-backend: null
restart_needed:
  description: Whether dockerd has yet to be restarted, with O(restart=never).
  type: bool
  returned: success
  sample: false
installed:
  description: Whether there is a dockerd on the node.
  type: bool
  returned: success
  sample: true
backup_file:
  description: The copy that was made.
  type: str
  returned: when a copy was made
  sample: /etc/docker/daemon.json.2026-11-25@09:13:02~
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._docker.daemon import Daemon
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import runner


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "options": {"type": "dict", "default": {}},
            "absent": {"type": "list", "elements": "str", "default": []},
            "path": {"type": "path", "default": "/etc/docker/daemon.json"},
            "record": {"type": "path", "default": "/var/lib/podnet/docker_daemon.json"},
            "validate": {"type": "bool", "default": True},
            "backup": {"type": "bool", "default": False},
            "restart": {"type": "str", "choices": ["auto", "allowed", "never"], "default": "auto"},
            "without_docker": {"type": "str", "choices": ["fail", "skip", "write"], "default": "fail"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    _engine.run(module, lambda: Daemon(module.params, runner(module)))


if __name__ == "__main__":
    main()
