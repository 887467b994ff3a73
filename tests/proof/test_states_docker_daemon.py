# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module docker_daemon: random keys in files that people wrote by hand, and that others change in between.

There is no dockerd here; what it makes of its file is in the integration target and on the virtual machines.
"""

from __future__ import annotations

import json
import shutil
import typing as t
from pathlib import Path

import ground
import hypothesis.strategies as st
import listings
import odd_files
from calls import Answer
from converging import Converging, mostly
from hypothesis import event
from hypothesis.stateful import initialize, rule
from odd_files import Thing

PATH = Path("/etc/docker/daemon.json")
RECORD = Path("/var/lib/podnet/docker_daemon.json")
UNIT = Path("/etc/systemd/system/docker.service")

PLACES = (PATH.parent, RECORD.parent)
ASIDE = ground.PLACE / "aside"

Members = t.Dict[str, str]

# ---- What is asked for -----------------------------------------------------------------------------------------------

#: Keys that contain one another.
KEYS = ("bridge", "bridge0", "iptables", "ip6tables", "log-opts", "labels", "é")
values = st.one_of(
    st.sampled_from(["none", "", "é☃\u2028", True, False, 1450, 0, 1.5, 2**70, [], {}]),
    st.sampled_from([["a=1", "b"], {"max-size": "10m", "a": {"b": [1, None]}}, [[{}]]]),
)
mistakes = st.sampled_from([None, "True"])
some = st.dictionaries(st.sampled_from(KEYS), mostly(values, mistakes, times=20), min_size=1, max_size=3)
wanted = st.fixed_dictionaries(
    {
        "without_docker": st.sampled_from(["write"] * 15 + ["fail", "skip"]),
        "options": mostly(some, st.just({}), times=5),
    },
    optional={
        "absent": st.lists(st.sampled_from(KEYS), max_size=2, unique=True),
        "restart": st.sampled_from(["auto", "allowed", "never"]),
        "backup": st.booleans(),
        "validate": st.booleans(),
    },
)
#: Another path for the same file, which the record is not about.
alias = wanted.map(lambda params: {**params, "path": "/etc/docker/../docker/daemon.json"})

# ---- What people write -----------------------------------------------------------------------------------------------

#: A key and its value, in spellings that no program of ours would choose.
MEMBERS = (
    ('"data-root"', '"/srv/docker"'),
    ('"data-root"', '"\\/srv\\u002fdocker"'),
    ('"bridge"', '"docker1"'),
    ('"\\u0062ridge"', '"none"'),
    ('"bridge0"', "null"),
    ('"iptables"', "false"),
    ('"iptables"', '"false"'),
    ('"ip6tables"', "1E+2"),
    ('"mtu"', "1450.0"),
    ('"mtu"', "-0"),
    ('"log-opts"', '{"max-size":"10m" ,\n\t"max-file" : "3"}'),
    ('"labels"', '[ "a=1" ,"}", "\\"{" ]'),
    ('"labels"', "[]"),
    ('"é"', '"\\ud83d\\ude00"'),
    ('"\\ud800"', "[[[[1]]]]"),
    ('""', "{ }"),
)
#: After the bracket, around the commas and colons, before the last bracket, and after all.
STYLES = (
    ("\n  ", "", "\n  ", "", " ", "\n", "\n"),
    ("\n    ", "", "\n    ", "", " ", "\n", ""),
    ("\n\t", "", "\n\t", "", " ", "\n", "\n\n"),
    ("\r\n  ", "", "\r\n  ", "", " ", "\r\n", "\r\n"),
    ("", "", "", "", "", "", ""),
    ("", "", " ", "", " ", "", "\n"),
    (" ", " ", " ", " ", " ", " ", " "),
    ("\n", "\n", "\n", "\t", "\t", "\n", "\n"),
    ("\n  ", "\n  ", " ", " ", "", "\n", "\n"),
)


def written(members: t.Iterable[tuple[str, str]], style: tuple[str, ...], end: str = "") -> bytes:
    """A file of these members in a style."""
    first, before_comma, after_comma, before_colon, after_colon, last, after = style
    text = f"{before_comma},{after_comma}".join(f"{key}{before_colon}:{after_colon}{value}" for key, value in members)
    return f"{{{first}{text}{end}{last}}}{after}".encode()


members = st.lists(st.sampled_from(MEMBERS), max_size=4, unique_by=lambda member: json.loads(member[0]))
bodies = mostly(
    st.builds(written, members, st.sampled_from(STYLES)), st.sampled_from([b"", b" \n", b"{}", b"{ \n\n}"]), times=6
)
BROKEN = {
    **odd_files.NO_OBJECT,
    "comma at the end": written(MEMBERS[:1], STYLES[0], ","),
    "twice": written(MEMBERS[2:4], STYLES[0]),
    "comment": b'{\n  // no\n  "bridge": "none"\n}\n',
}
modes = st.sampled_from([0o644, 0o644, 0o600, 0o664, 0o4711])
files = st.builds(odd_files.text, bodies, modes)

ABOUT = {"about": "", "path": str(PATH), "original": None, "keys": {"bridge": {"ours": '"none"', "before": None}}}
RECORDS = {
    **odd_files.NO_OBJECT,
    **odd_files.OTHER_OBJECT,
    "other path": json.dumps({**ABOUT, "path": "/etc/docker/daemon.json.d"}).encode(),
    "original is a number": json.dumps({**ABOUT, "original": 5}).encode(),
    "original is no JSON": json.dumps({**ABOUT, "original": "{"}).encode(),
    "keys is a list": json.dumps({**ABOUT, "keys": []}).encode(),
    "before is a number": json.dumps({**ABOUT, "keys": {"bridge": {"ours": '"none"', "before": 5}}}).encode(),
    "before is no JSON": json.dumps({**ABOUT, "keys": {"bridge": {"ours": '"none"', "before": "{"}}}).encode(),
    "before is two": json.dumps({**ABOUT, "keys": {"bridge": {"ours": '"none"', "before": '1, "x": 2'}}}).encode(),
    "in_force is a list": json.dumps({**ABOUT, "in_force": [1]}).encode(),
}
#: The unit with its flags; `bridge` may not be in both places, and the file may be another one.
UNITS = ("", "--bridge=br0", "-H fd:// --label a=1", "--config-file /etc/docker/other.json", "--ip6tables", "$OPTIONS")
units = st.sampled_from(UNITS).map(
    lambda flags: odd_files.text(f"[Service]\nExecStart=/usr/bin/dockerd {flags}\n".encode())
)


def texts(contents: t.Mapping[str, bytes]) -> st.SearchStrategy[Thing]:
    """One of some files that have names."""
    return st.sampled_from([*contents]).map(lambda name: odd_files.text(contents[name]))


#: What others do: write another file, change a key or the mode, write all anew, or remove it.
edits = st.tuples(st.sampled_from(KEYS), values)
disturbances = mostly(edits, files, st.sampled_from([0o600, 0o666, "anew"]), st.none(), times=4)
#: What nobody can work with.
obstacles = st.one_of(
    st.tuples(st.just(PATH), mostly(texts(BROKEN), st.sampled_from(odd_files.ODD), times=2)),
    st.tuples(st.just(RECORD), mostly(texts(RECORDS), st.sampled_from(odd_files.ODD), times=2)),
    st.tuples(st.just(UNIT), units),
    st.tuples(st.just(PATH.parent), st.sampled_from([Thing("link", b"nowhere"), odd_files.text(b"")])),
)


class Keys(Converging):
    """Some keys of ours in a file of others, and what they were before us."""

    module = "docker_daemon"
    #: By key: its text before us, and what we made of it, both None where there is no such key.
    was: dict[str, t.Optional[str]]
    made: dict[str, t.Optional[str]]
    #: The file before us, as long as nobody else has changed it since.
    original: t.Any = None
    untouched: bool

    def listing(self) -> listings.Listing:
        found = listings.files(PATH.parent, RECORD.parent, UNIT.parent, ground.PLACE)
        return {name: value for name, value in found.items() if name != f"file {RECORD.parent}"}

    def is_ours(self, name: str, params: dict[str, t.Any]) -> bool:
        return name in (f"file {PATH}", f"file {RECORD}") or (name.startswith(f"file {PATH}.2") and name.endswith("~"))

    def lasting(self, answer: Answer, params: dict[str, t.Any]) -> dict[str, t.Any]:
        """The name of a copy is the time at which it is made."""
        return {key: value for key, value in answer.result.items() if key != "backup_file"}

    def require_made(self, params: dict[str, t.Any], before: listings.Listing, after: listings.Listing) -> None:
        """The keys, as a reader of JSON sees them; `require` goes into their texts, and what was before us."""
        if params.get("without_docker") == "skip":
            return
        if params.get("state") == "absent":
            # A link that somebody made, and that leads nowhere, is read as nothing.
            record = after.get(f"file {RECORD}")
            assert record is None or record[3] == "nowhere" or "path" in params, "the record is still there"
            return
        there = json.loads(after[f"file {PATH}"][3].decode().strip() or "{}") if f"file {PATH}" in after else {}
        asked = params["options"]
        assert {key: there.get(key) for key in asked} == asked
        assert not there.keys() & {*params.get("absent", ())} - asked.keys()

    @initialize(file=st.one_of(st.none(), files))
    def begin(self, file: t.Optional[Thing]) -> None:
        """A node on which somebody may have set up Docker."""
        ground.no_files()
        UNIT.parent.mkdir()
        if file:
            odd_files.put(PATH, file)
        self.forget()

    def forget(self) -> None:
        """There is no record, so what is there now is what was before us."""
        self.was, self.made, self.untouched = {}, {}, True
        self.original = self.listing().get(f"file {PATH}")

    @rule(params=wanted, before=st.lists(disturbances, max_size=2))
    def make(self, params: dict[str, t.Any], before: list[t.Any]) -> None:
        """Somebody asks for some keys, after somebody else did something."""
        for disturbance in before:
            self.disturb(disturbance)
        given = params.get("options", {})
        self.require(params, {**dict.fromkeys(params.get("absent", ())), **given})

    @rule(key=st.sampled_from(KEYS), value=values, more=st.booleans(), before=st.lists(disturbances, max_size=1))
    def more_or_less(self, key: str, value: t.Any, more: bool, before: list[t.Any]) -> None:
        """Somebody asks for one key more, or less, than before."""
        for disturbance in before:
            self.disturb(disturbance)
        options = {name: json.loads(made) for name, made in self.made.items() if made is not None}
        if more or not options:
            options[key] = value
        else:
            options.popitem()
        self.require({"options": options, "without_docker": "write"}, options)

    @rule(before=st.lists(disturbances, max_size=1))
    def remove(self, before: list[t.Any]) -> None:
        """Somebody asks for no keys."""
        for disturbance in before:
            self.disturb(disturbance)
        self.require({"state": "absent"}, {})

    @rule(obstacle=obstacles, params=st.one_of(wanted, st.just({"state": "absent"}), alias))
    def obstruct(self, obstacle: tuple[Path, Thing], params: dict[str, t.Any]) -> None:
        """Somebody asks for some keys while something is in the way, and puts all back as it was."""
        for number, directory in enumerate(PLACES):
            shutil.copytree(directory, ASIDE / str(number))
        odd_files.put(*obstacle)
        answer = self.ask(**params)
        event(f"{obstacle[0].name} in the way: {'refused' if answer.failed else 'no matter'}")
        odd_files.clear(UNIT)
        for number, directory in enumerate(PLACES):
            odd_files.clear(directory)
            shutil.move(ASIDE / str(number), directory)

    @rule(file=files)
    def begin_anew(self, file: Thing) -> None:
        """Somebody loses the record."""
        odd_files.clear(RECORD)
        odd_files.put(PATH, file)
        self.forget()

    def disturb(self, what: t.Any) -> None:
        """Be somebody else."""
        if isinstance(what, Thing):
            odd_files.put(PATH, what)
        elif what is None:
            odd_files.clear(PATH)
        elif PATH.exists():
            data = json.loads(PATH.read_text().strip() or "{}")
            if isinstance(what, int):
                PATH.chmod(what)
            elif what == "anew":
                PATH.write_text(json.dumps(data, indent=3))
            else:
                PATH.write_text(json.dumps({**data, what[0]: what[1]}, indent=2))
        if isinstance(what, int):
            entry = self.listing().get(f"file {PATH}")
            if entry and self.original:
                self.original = (entry[0], *self.original[1:])
        else:
            self.untouched = False

    def require(self, params: dict[str, t.Any], keys: dict[str, t.Any]) -> None:
        """Ask, and compare each key of the file with what it must be now."""
        if not self.was:
            self.forget()
        before, recorded = self.listing().get(f"file {PATH}"), RECORD.exists()
        answer = self.ask(**params)
        after = self.now.get(f"file {PATH}")
        if answer.failed:
            event("refused: " + answer.sentence.partition(":")[2].strip()[:50])
            return
        if params.get("without_docker") == "skip" or (params.get("state") == "absent" and not recorded):
            assert not answer.changed
            return
        assert (answer.result["restart_needed"], answer.result["in_force"]) == (False, {})
        if "backup_file" in answer.result:
            event("copied")
            assert self.now[f"file {answer.result['backup_file']}"] == before
        if f"file {RECORD}" in self.now and answer.changed:
            assert self.now[f"file {RECORD}"][0] == "-rw-------"
        self.require_keys(_members_of(before), _members_of(after), keys)
        if before and after:
            assert before[:3] == after[:3], "mode or owner changed"
        if not self.was:
            assert f"file {RECORD}" not in self.now
            event("given back")
            if self.untouched:
                event("given back untouched")
                assert after == self.original, "the file is not what it was before us"

    def require_keys(self, before: Members, after: Members, keys: dict[str, t.Any]) -> None:
        """Require each key's text, and the order of those that are not ours."""
        expected: dict[str, t.Optional[str]] = {**before}
        for key in [key for key in self.was if key not in keys]:
            if _plain(before.get(key)) == self.made[key]:
                expected[key] = self.was[key]
            del self.was[key], self.made[key]
        for key, value in keys.items():
            made = None if value is None else json.dumps(value, sort_keys=True)
            if (made, self.was.setdefault(key, before.get(key))) == (None, None):
                del self.was[key]
                self.made.pop(key, None)
            else:
                self.made[key] = made
            expected[key] = before[key] if key in before and _plain(before[key]) == made else made
        expected = {key: raw for key, raw in expected.items() if raw is not None}
        assert expected.keys() == after.keys()
        for key, raw in expected.items():
            exact = key not in keys or raw == before.get(key)
            assert after[key] == raw if exact else _plain(after[key]) == raw, f"{key}: {raw} -> {after[key]}"
        foreign = [key for key in before if key in after and key not in keys and before[key] == expected[key]]
        assert [key for key in after if key in foreign] == foreign or self.untouched, "keys of others changed places"

    def teardown(self) -> None:
        """All that was ours is given back."""
        if not hasattr(self, "was"):
            return
        odd_files.clear(UNIT)
        before = RECORD.is_file()
        self.require({"state": "absent"}, {})
        if self.untouched and before:
            assert self.now.get(f"file {PATH}") == self.original


def _members_of(entry: t.Any) -> Members:
    members = _members(entry[3]) if entry else {}
    assert members is not None, entry
    return members


def _members(content: bytes) -> t.Optional[Members]:
    """Each key with its value as it is written; None where it is not one object."""
    if not content.strip():
        return {}
    decoder, found = json.JSONDecoder(), {}
    try:
        text = content.decode()
        if not isinstance(json.loads(text), dict):
            return None
        rest = text.strip()[1:].lstrip()
        while rest != "}":
            key, end = decoder.raw_decode(rest)
            rest = rest[end:].lstrip()[1:].lstrip()
            end = decoder.raw_decode(rest)[1]
            found[key], rest = rest[:end], rest[end:].lstrip().removeprefix(",").lstrip()
    except (ValueError, RecursionError):
        return None
    return found


def _plain(raw: t.Optional[str]) -> t.Optional[str]:
    return None if raw is None else json.dumps(json.loads(raw), sort_keys=True)


TestKeys = Keys.TestCase
