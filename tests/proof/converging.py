# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module that changes something promises, as a state machine that tries it in random order.

A machine plants foreign objects, disturbs ours, and asks a module for random states.  Each request is made four times,
`check mode`, `for real`, `again`, and at the end `all gone`, and compared with listings of all that is on the node.
What a module says of itself is not believed: each machine looks into the listing for what was asked for.
"""

from __future__ import annotations

import re
import typing as t

import hypothesis.strategies as st
from calls import Answer, call
from hypothesis import event
from hypothesis.stateful import RuleBasedStateMachine
from listings import Listing, differences

#: One sentence: no line break, something to do about it, no bug.
SENTENCE = re.compile(r"[^\n]+: [^\n]+; [^\n]+")


#: How many states were asked for in this process, and what became of them.
COUNTS = {"states": 0, "changed": 0, "refused": 0}


class Converging(RuleBasedStateMachine):
    """A node on which one module makes what is asked for."""

    module: str
    #: Refusals that only the real run knows, as what is missing may be made by an earlier task.
    only_for_real: t.Optional[t.Pattern[str]] = None
    #: The last listing.
    now: Listing

    def listing(self) -> Listing:
        """Everything on the node."""
        raise NotImplementedError

    def is_ours(self, name: str, params: t.Dict[str, t.Any]) -> bool:
        """Whether the module may touch an object, when it is called with these options."""
        raise NotImplementedError

    def foreign(self, listing: Listing, params: t.Dict[str, t.Any]) -> Listing:
        """All that the module must leave as it is."""
        return {name: value for name, value in listing.items() if not self.is_ours(name, params)}

    def require_made(self, params: t.Dict[str, t.Any], before: Listing, after: Listing) -> None:
        """Look into the listing, and at no answer, whether what was asked for is there, and nothing else of ours."""
        raise NotImplementedError

    def require_foretold(self, params: t.Dict[str, t.Any], foretold: Answer, after: Listing) -> None:
        """Compare what check mode said of the kernel's objects with the listing, where a machine can."""

    def ask(self, /, **params: t.Any) -> Answer:
        """Ask for a state, and require all that is promised."""
        before = self.listing()
        foretold = self.call(params, check=True)
        require_same(before, self.listing(), "check mode changed")
        done = self.call(params)
        after = self.now = self.listing()
        COUNTS["states"] += 1
        if done.failed:
            self._require_refusal(foretold, done, before, after)
        else:
            self._require_convergence(params, foretold, done, before, after)
            self.require_made(params, before, after)
            self.require_foretold(params, foretold, after)
        require_same(self.foreign(before, params), self.foreign(after, params), "what is not ours was changed")
        return done

    def lasting(self, answer: Answer, params: t.Dict[str, t.Any]) -> t.Dict[str, t.Any]:
        """What of a result check mode must foretell: everything, unless a machine says otherwise."""
        return dict(answer.result)

    def call(self, params: t.Dict[str, t.Any], check: bool = False) -> Answer:
        """Call the module."""
        return call(self.module, params, check)

    def _require_refusal(self, foretold: Answer, done: Answer, before: Listing, after: Listing) -> None:
        COUNTS["refused"] += 1
        event("refused")
        assert SENTENCE.fullmatch(done.sentence), done.sentence
        assert "this is a bug" not in done.sentence, done.result
        if not (self.only_for_real and self.only_for_real.search(done.sentence)):
            assert foretold.failed, f"check mode did not foretell: {done.sentence}"
            assert foretold.sentence == done.sentence
        require_same(before, after, f"what was refused ({done.sentence}) changed")

    def _require_convergence(
        self, params: t.Dict[str, t.Any], foretold: Answer, done: Answer, before: Listing, after: Listing
    ) -> None:
        assert not foretold.failed, f"check mode foretold a failure: {foretold.sentence}"
        expected, found = self.lasting(foretold, params), self.lasting(done, params)
        require_same(expected, found, "check mode foretold something else:")
        COUNTS["changed"] += done.changed
        event("changed" if done.changed else "as it was")
        assert done.changed == bool(done.result["actions"])
        assert done.changed == bool(differences(before, after)), (done.result, differences(before, after))
        again = self.call(params)
        assert not again.failed, f"the second run failed: {again.sentence}"
        assert not again.changed, f"the second run plans {again.result['actions']}"
        require_same(after, self.listing(), "the second run changed")


def mostly(usual: t.Any, *others: t.Any, times: int = 8) -> st.SearchStrategy[t.Any]:
    """One of some strategies, the first one ``times`` as often as each other; `one_of` draws of all alike."""
    strategies = [*others, usual]
    indexes = [*range(len(others)), *[len(others)] * times]
    return st.sampled_from(indexes).flatmap(lambda index: strategies[index])


def require_same(before: t.Mapping[str, t.Any], after: t.Mapping[str, t.Any], what: str) -> None:
    """Fail with what differs."""
    found = differences(dict(before), dict(after))
    assert not found, f"{what} " + "; ".join(f"{name}: {old} -> {new}" for name, (old, new) in found.items())
