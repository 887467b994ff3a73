# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input for all that is read: valid samples, damaged where it hurts, some thousand a second.

Hypothesis chooses the seeds and remembers those that failed; the damage is done here, as its own strategies for nested
values take milliseconds each.  What an input must give is a result that Ansible can show, or one sentence.
"""

from __future__ import annotations

import json
import os
import random
import signal
import traceback
import typing as t

import hypothesis.strategies as st
from hypothesis import Phase, given, settings

from ansible_collections.mink8s.podnet.plugins.module_utils import _engine
from ansible_collections.mink8s.podnet.plugins.module_utils._errors import PodnetError

#: How many inputs were tried in this process, how many of them gave a sentence, and how long that took.
COUNTS = {"inputs": 0, "sentences": 0, "microseconds": 0}

#: Inputs of one example.
BATCH = 30

#: Seconds of processor time that one input may take.
LONGEST = 5.0

#: Seconds that one may take by the clock: whoever waits for something needs no processor, and so does a busy machine.
PATIENCE = 60.0

Random = random.Random
Json = t.Any

#: Texts that have harmed somebody before.
TEXTS = (
    "",
    " ",
    "\0",
    "\n",
    "a\nb",
    "\x1b[31m",
    "\u2028",
    "\ud800",
    "\udcff",
    "\U0001f980",
    "..",
    "../../etc/passwd",
    "/etc/shadow",
    "/",
    "**",
    "-",
    "--",
    "%s",
    "${X}",
    "$X",
    '"',
    "'",
    "\\",
    "[[",
    "]]",
    "#",
    "=",
    "@",
    "*",
    "true",
    "None",
    "br1",
    "br10",
    "10.12.1.0/24",
    "10.12.1.7/24",
    "0.0.0.0/0",
    "::/0",
    "fd00::1",
    "fe80::1%eth0",
    "1.0.0",
    "٣",
    "0x",
    "1e999",
    "a" * 300,
    "a" * 5000,
)

#: Tokens of JSON that a decoder of Python takes, and others do not, or the other way round.
TOKENS = (
    "NaN",
    "-Infinity",
    "1e999",
    "-0",
    "9" * 5000,
    '"\\ud800"',
    '"\\udc00\\ud800"',
    "[" * 3000,
    "{}" * 2,
    "\\",
    ",",
)

CHARACTERS = "\0\t\n\r \"#$%'()*+,-./0123456789:;<=>?@AZ[\\]^_`az{|}~\x7f\x85\u2028é\ufeff"


def deep(levels: int) -> Json:
    """A list in a list in a list."""
    found: Json = []
    for _level in range(levels):
        found = [found]
    return found


VALUES: tuple[Json, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**64,
    -(2**63),
    1.5,
    1e308,
    float("inf"),
    float("nan"),
    [],
    {},
    [[]],
    [None],
    {"": ""},
    {"type": []},
    {"a": {"b": {"c": [1, "2", None]}}},
    [{}] * 20,
    deep(60),
)


#: As texts, as each use has a value of its own.
_VALUES = tuple(json.dumps(each) for each in VALUES)


def value(rng: Random) -> Json:
    """Something that nobody expected."""
    return rng.choice(TEXTS) if rng.random() < 0.5 else json.loads(rng.choice(_VALUES))


def damaged(rng: Random, sample: Json) -> Json:
    """A copy of a document in which some nodes are something else, somewhere else, twice or gone."""
    document = json.loads(json.dumps(sample))
    for _change in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        nodes = list(_nodes(document))
        if not nodes:
            return value(rng)
        _damage(rng, nodes, *rng.choice(nodes))
    return document if rng.random() > 0.01 else value(rng)


def _nodes(document: Json) -> t.Iterator[tuple[t.Any, t.Any]]:
    """Every place in a document: the list or mapping, and the index or key in it."""
    waiting = [document]
    while waiting:
        here = waiting.pop()
        for key in list(here) if isinstance(here, dict) else range(len(here)) if isinstance(here, list) else ():
            yield here, key
            waiting.append(here[key])


def _damage(rng: Random, nodes: list[tuple[t.Any, t.Any]], here: t.Any, key: t.Any) -> None:
    how = rng.random()
    if how < 0.45:
        here[key] = value(rng)
    elif how < 0.6:
        other, place = rng.choice(nodes)
        # A copy: a document does not contain itself.
        here[key] = json.loads(json.dumps(other[place])) if len(nodes) < 2000 else None
    elif how < 0.75:
        del here[key]
    elif how < 0.85 and isinstance(here, dict):
        here[rng.choice(TEXTS)] = here.pop(key)
    elif how < 0.92:
        here[key] = rng.choice(([here[key]], {"a": here[key]}, [[here[key]]]))
    elif isinstance(here, list):
        here.insert(key, here[key])
    elif isinstance(here[key], str):
        here[key] = damaged_text(rng, here[key])


def damaged_json(rng: Random, sample: Json) -> str:
    """The text of a damaged document, and sometimes the text is damaged, too."""
    document = damaged(rng, sample)
    text = json.dumps(document, indent=rng.choice((None, 2)), ensure_ascii=rng.random() < 0.5)
    how = rng.random()
    if how < 0.1:
        text = damaged_text(rng, text)
    elif how < 0.15:
        spots = [index for index, character in enumerate(text) if character in "[{,:"]
        at = rng.choice(spots) + 1 if spots else 0
        text = text[:at] + rng.choice(TOKENS) + text[at:]
    elif how < 0.2:
        # Twice the same key.
        text = text.replace("{", '{"type": 1, "name": "a", ', 1)
    return text


def damaged_text(rng: Random, text: str) -> str:
    """A text with other lines, words or characters."""
    for _change in range(rng.choice((1, 1, 2, 3, 6))):
        text = rng.choice(_CHANGES)(rng, text)
    return text


def _other_line(rng: Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at, how = rng.randrange(len(lines)), rng.random()
    if how < 0.3:
        del lines[at]
    elif how < 0.6:
        lines.insert(rng.randrange(len(lines)), lines[at])
    elif how < 0.8:
        lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
    else:
        lines[at] = lines[at].rstrip("\n") + rng.choice(TEXTS) + "\n"
    return "".join(lines)


def _other_word(rng: Random, text: str) -> str:
    words = text.split(" ")
    at, how = rng.randrange(len(words)), rng.random()
    if how < 0.4:
        words[at] = rng.choice(TEXTS)
    elif how < 0.6:
        words[at] = rng.choice(words)
    elif how < 0.8:
        del words[at]
    else:
        words.insert(at, rng.choice(words))
    return " ".join(words)


def _other_characters(rng: Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    end = at + rng.choice((0, 0, 1, 1, 2, 8))
    return text[:at] + "".join(rng.choices(CHARACTERS, k=rng.choice((0, 1, 1, 2, 4)))) + text[end:]


def _cut(rng: Random, text: str) -> str:
    return text[: rng.randrange(len(text) + 1)]


_CHANGES = (_other_line, _other_line, _other_word, _other_word, _other_word, _other_characters, _other_characters, _cut)


def damaged_bytes(rng: Random, data: bytes) -> bytes:
    """Bytes of which some are others, more or fewer."""
    found = bytearray(data)
    for _change in range(rng.choice((1, 1, 2, 4, 8))):
        at = rng.randrange(len(found) + 1)
        length = rng.choice((1, 1, 2, 4, 8, 64, 512))
        how = rng.random()
        if how < 0.4 and at < len(found):
            found[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, found[at] ^ (1 << rng.randrange(8))))
        elif how < 0.55:
            found[at : at + length] = bytes([rng.choice((0, 0xFF))]) * length
        elif how < 0.7:
            del found[at : at + length]
        elif how < 0.85:
            found[at:at] = found[at : at + length] or b"\0"
        else:
            found[at:at] = rng.randbytes(length)
    return bytes(found) if rng.random() > 0.05 else bytes(found[: rng.randrange(len(found) + 1)])


def encoded(text: str) -> bytes:
    """The bytes of a file; what no UTF-8 can say becomes bytes that are none."""
    return text.encode("utf-8", "surrogatepass")


def printed(text: str) -> str:
    """What run_command makes of a program's output: bytes that are no UTF-8 become halves of characters."""
    return encoded(text).decode(errors="surrogateescape")


class Slow(BaseException):
    """An input that takes too long; no reader's own ``except`` may take it for an answer."""


def _too_slow(number: int, _frame: t.Any) -> t.NoReturn:
    raise Slow(f"{PATIENCE} s by the clock" if number == signal.SIGALRM else f"{LONGEST} s of processor time")


TIMERS = (
    (signal.SIGPROF, signal.ITIMER_PROF, lambda: LONGEST),
    (signal.SIGALRM, signal.ITIMER_REAL, lambda: PATIENCE),
)

T = t.TypeVar("T")


def feed(read: t.Callable[[T], t.Any], what: T, *refusals: type[Exception]) -> None:
    """Give an input to a reader, and require a result, or one of the errors that it is known to raise."""
    COUNTS["inputs"] += 1
    for number, timer, seconds in TIMERS:
        signal.signal(number, _too_slow)
        signal.setitimer(timer, seconds())
    try:
        try:
            result = read(what)
            json.dumps(_engine.printable(result), default=str).encode()
        finally:
            for _number, timer, _seconds in TIMERS:
                signal.setitimer(timer, 0)
    except PodnetError as error:
        COUNTS["sentences"] += 1
        require_sentence(_engine.sentence(str(error)))
    except refusals:
        COUNTS["sentences"] += 1
    except Slow as error:
        where = traceback.extract_tb(error.__traceback__)[-4:]
        raise AssertionError(f"no answer within {error} at {where} to {_shown(what)}") from None
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}; the input was {_shown(what)}") from error


def require_sentence(text: str) -> None:
    """One line, not empty, not endless, and no bug."""
    assert text.strip(), "an empty sentence"
    assert text.isprintable(), f"not one plain line: {text!r}"
    assert "this is a bug" not in text, text
    assert len(text) <= _engine.LONGEST_SENTENCE, f"{len(text)} characters: {text[:200]}"


def _shown(what: t.Any) -> str:
    text = repr(what)
    return text if len(text) < 20_000 else f"{text[:10_000]} … {text[-10_000:]}"


def fuzzed(
    make: t.Callable[[Random], T], batch: int = BATCH
) -> t.Callable[[t.Callable[[T], None]], t.Callable[..., None]]:
    """Make a test of a function that takes one input: each example of Hypothesis is a seed for a batch of them."""

    def decorate(test: t.Callable[[T], None]) -> t.Callable[..., None]:
        @settings(phases=[Phase.reuse, Phase.generate])  # A seed does not become simpler.
        @given(rng=st.randoms(use_true_random=True))
        def run(rng: Random) -> None:
            started = os.times()
            for _input in range(batch):
                test(make(rng))
            ended = os.times()
            COUNTS["microseconds"] += int((ended.user - started.user + ended.system - started.system) * 1e6)

        # Hypothesis remembers what failed by these names.
        run.__name__, run.__qualname__, run.__module__ = test.__name__, test.__qualname__, test.__module__
        run.__doc__ = test.__doc__
        return run

    return decorate
