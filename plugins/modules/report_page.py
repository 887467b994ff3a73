#!/usr/bin/python
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documents the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report_page
version_added: 1.0.0
short_description: Write what is known of all nodes as one HTML page, and as JSON
description:
  - Makes one page of what was collected on the nodes. It shows who reaches whom with the times, what differs from what
    is declared, stale pods, what has leaked, conflicts, and the topology.
  - The page is one file that asks for nothing else. It has no script, no font and no picture from elsewhere, and its
    own policy forbids them. Every value is escaped, whatever a pod calls itself.
  - The same is written for machines, as JSON beside the page.
  - This runs on the controller, once for the whole inventory; use it with C(run_once). It connects to no node.
extends_documentation_fragment:
  - mink8s.podnet.attributes
  - ansible.builtin.action_common_attributes
  - ansible.builtin.action_common_attributes.conn
  - ansible.builtin.action_common_attributes.flow
attributes:
  action:
    support: full
  async:
    support: none
  become:
    support: none
  bypass_host_loop:
    support: none
    details:
      - Without C(run_once) the same page is written for every host anew.
  connection:
    support: none
  delegation:
    support: none
    details:
      - It always runs on the controller.
  diff_mode:
    support: none
    details:
      - Two whole files would be shown.
  idempotent:
    support: partial
    details:
      - The time stands in the page, and a report of another second is another one.
  platform:
    platforms: posix
options:
  nodes:
    description:
      - What was collected on each node of the run, by the node's name. A node without anything did not answer to
        the end; one that only O(controller) knows was left out of the run.
      - The keys that a node may have are C(unreachable) (whether it could not be reached), C(problems) (sentences),
        C(plans) (the actions of each role), C(bridge) and C(routes) (as M(mink8s.podnet.bridge) and
        M(mink8s.podnet.routes) return them), C(attached) (what M(mink8s.podnet.cni_attachments_info) returned),
        C(conflicts) (what is in the way, each with C(grade), C(kind), C(object) and C(what)), C(foreign) (that of
        M(mink8s.podnet.masquerade)), C(competing) (that of M(mink8s.podnet.cni_network)), C(on_conflict) (its
        option; competing files stop pods, unless it is V(ignore)) and C(matrix) (that of
        M(mink8s.podnet.cni_probe)).
    type: dict
    required: true
  controller:
    description:
      - What is known on the controller. C(nodes), C(actions) and C(lock_file) are those of M(mink8s.podnet.pod_cidr),
        C(cluster_cidrs) what it was given, and C(problem) the sentence with which it failed.
    type: dict
    default: {}
  path:
    description:
      - The page's file on the controller, which ends with C(.html). The JSON file has the same name with C(.json).
      - Without it C(podnet-report.html) beside the inventory, or in the current directory where the inventory is no
        file. Beside an inventory that is a directory it is C(podnet-report-NAME.html) with that directory's name, as
        Ansible would take it for a part of the inventory if it lay inside.
    type: path
  title:
    description: The page's title.
    type: str
    default: Pod network
author:
  - The mink8s.podnet developers (@mink8s)
seealso:
  - module: mink8s.podnet.cni_probe
  - module: mink8s.podnet.pod_cidr
"""

EXAMPLES = r"""
- name: Write the report
  mink8s.podnet.report_page:
    nodes: "{{ dict(hosts | zip(hosts | map('extract', hostvars, 'what_was_found'))) }}"
    controller: "{{ pod_cidr_decided }}"
    path: /var/www/podnet-report.html
  run_once: true
  vars:
    hosts: "{{ ansible_play_hosts_all }}"
"""

RETURN = r"""
actions:
  description: What was written, or would be in check mode, as sentences.
  returned: success
  type: list
  elements: str
  sample: [create file /home/me/podnet-report-my-cluster.html]
path:
  description: The page.
  returned: success
  type: str
  sample: /home/me/podnet-report-my-cluster.html
json_path:
  description: The same for machines.
  returned: success
  type: str
  sample: /home/me/podnet-report-my-cluster.json
verdict:
  description: What the page says first.
  returned: success
  type: str
  sample: 1 of 81 ways fails; 1 node has drifted
summary:
  description: The numbers behind it, and whether all is well, as in the JSON file.
  returned: success
  type: dict
  sample: {well: false, nodes: 3, asked: 3, ways: 81, ways_failed: 1, drifted: [node2]}
"""
