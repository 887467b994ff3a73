#!/bin/sh
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Prints what others have on a node; see prepare.yml.
set -eu
ip -o -d link show podnet00 | sed -E 's/[a-z_]*timer +[0-9.]+//g'
ip -o address show podnet00
ip route show proto 21
ip route show proto static
nft list table inet podnet2
cat /etc/cni/net.d/20-podnet2.conflist /etc/sysctl.d/99-zz-podnet2.conf
ls -l --time-style=full-iso /etc/cni/net.d/20-podnet2.conflist /etc/sysctl.d/99-zz-podnet2.conf
