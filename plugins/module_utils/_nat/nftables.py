# Copyright (c) 2026, the mink8s.podnet developers
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The nftables backend: one table, replaced in one transaction.

This module util is PRIVATE to the collection.  It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError
from ansible_collections.mink8s.podnet.plugins.module_utils._nat import nft_json
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.host import scratch_namespace
from ansible_collections.mink8s.podnet.plugins.module_utils._nat.ruleset import KUBE_PROXY_MARK, Family, RuleSet
from ansible_collections.mink8s.podnet.plugins.module_utils._programs import Host, input_file, refusal

TABLE_KEY = ("inet", "podnet")
TABLE = " ".join(TABLE_KEY)
STATE_NAME = f"nftables table {TABLE}"

#: The keywords of each family: set type, and the protocol of saddr and daddr.
WORDS = {4: ("ipv4_addr", "ip"), 6: ("ipv6_addr", "ip6")}

#: The kernel counts rules in 64 bits.
_HANDLE = re.compile("[0-9]{1,20}")

PACKAGES = "install nftables >= 1.0 (Debian, Ubuntu: apt install nftables; Fedora, RHEL: dnf install nftables)"


def script(rules: RuleSet) -> str:
    """Return the input of ``nft -f`` that makes or replaces our table in one transaction."""
    # The empty table is there so that the deletion always finds one.
    return f"table {TABLE} {{}}\ndelete table {TABLE}\n{_table(rules)}"


def _table(rules: RuleSet) -> str:
    sets = [text for family in rules.families for text in _sets(family)]
    lines = [_rule(rules, family) for family in rules.families]
    mark = f"{KUBE_PROXY_MARK:#x}"
    return "\n".join(
        [
            f"table {TABLE} {{",
            *sets,
            "\tchain postrouting {",
            # Before the priority at which kube-proxy and others masquerade.
            "\t\ttype nat hook postrouting priority srcnat - 10; policy accept;",
            f'\t\tmeta mark & {mark} == {mark} return comment "kube-proxy masquerades these"',
            *lines,
            "\t}",
            "}\n",
        ]
    )


def _sets(family: Family) -> list[str]:
    contents = {"pods": family.sources, "not_masqueraded": family.excluded}
    return [
        f"\tset {name}_ipv{family.version} {{\n"
        f"\t\ttype {WORDS[family.version][0]}\n"
        "\t\tflags interval\n"
        f"\t\telements = {{ {', '.join(map(str, networks))} }}\n"
        "\t}\n"
        for name, networks in contents.items()
    ]


def _rule(rules: RuleSet, family: Family) -> str:
    version, protocol = family.version, WORDS[family.version][1]
    outside = f' oifname != "{rules.bridge}"' if rules.bridge else ""
    how = " fully-random" if rules.random_fully else ""
    return (
        f"\t\t{protocol} saddr @pods_ipv{version} {protocol} daddr != @not_masqueraded_ipv{version}"
        f" fib daddr type != local{outside} counter masquerade{how}"
    )


class Nftables:
    """Our table on this node."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.nft = host.which("nft")
        self.speaks_json = True

    def ruleset(self) -> list[dict[str, t.Any]]:
        """Return all that nft lists, as its JSON objects; nothing where nft or the kernel's part is missing."""
        if self.nft is None:
            return []
        args = [self.nft, "-j", "list", "ruleset"]
        rc, out, err = self.host.run(args, None)
        if rc != 0 and "permitted" in err:
            raise refusal(args, err)
        self.speaks_json = "JSON" not in err
        return nft_json.parse(out)

    def live(self) -> t.Optional[str]:
        """Return our table as it is in the kernel."""
        if self.nft is None:
            return None
        rc, out, _err = self.host.run(self._list(), None)
        return out if rc == 0 else None

    def canonical(self, text: str) -> str:
        """Return the table as this node's nft and kernel list it, once loaded."""
        if self.nft is None:
            raise PodnetError(f"nft is not on this node; {PACKAGES}, or set backend to iptables")
        with scratch_namespace():
            self.host.output([self.nft, "-f", "-"], text)
            return self.host.output(self._list())

    def load(self, text: str) -> None:
        """Load a script; all of it, or nothing."""
        with input_file(text) as path:
            rc, _out, err = self.host.run([str(self.nft), "-f", path], None)
        if rc != 0:
            raise refusal([str(self.nft), "-f", "-"], err.replace(path, "-"))

    def chain_texts(self, family: str, table: str, chain: str) -> dict[int, str]:
        """Return the rules of a chain as text, by their handles."""
        rc, out, _err = self.host.run([str(self.nft), "-a", "-s", "list", "chain", family, table, chain], None)
        parts = [line.rpartition(" # handle ") for line in out.split("\n")] if rc == 0 else []
        return {
            int(handle): text.strip() for text, _mark, handle in parts if text.strip() and _HANDLE.fullmatch(handle)
        }

    def _list(self) -> list[str]:
        return [str(self.nft), "-s", "list", "table", *TABLE_KEY]


REMOVAL = f"delete table {TABLE}\n"


def version(ruleset: list[dict[str, t.Any]]) -> tuple[int, ...]:
    """Return the version of nft, as its own listing says."""
    about = next(iter(nft_json.each(ruleset, "metainfo")), {})
    text = str(about.get("version", ""))
    return tuple(int(part) for part in re.findall(r"[0-9]{1,9}", text)[:3])


def has_chain(ruleset: list[dict[str, t.Any]], family: str, table: str, name: str) -> bool:
    """Whether a chain is in a table; the names are exact."""
    chains = nft_json.each(ruleset, "chain")
    return (family, table, name) in [(chain["family"], chain["table"], chain["name"]) for chain in chains]


def has_table(ruleset: list[dict[str, t.Any]]) -> bool:
    """Whether our table is there; the name is exact."""
    return TABLE_KEY in [(table["family"], table["name"]) for table in nft_json.each(ruleset, "table")]
