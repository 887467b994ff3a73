#!/usr/bin/env bash
# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# To be sourced.

# together COMMAND NAME…: runs the command with each of the names, all at the same time; fails if one of them has failed.
together() {
    local what=$1 each status=0 running=()
    shift
    for each in "$@"; do
        "$what" "$each" &
        running+=($!)
    done
    for each in "${running[@]}"; do
        wait "$each" || status=1
    done
    return $status
}
