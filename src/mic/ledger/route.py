"""Where a landing goes, step by step: to the preferred front end, here, to whoever was faster, here in the end.

An answer that was lost is asked for again, where it was asked for before: a session lands once. Who lands here loses
to one that lands for all others, and learns from the epochs it has lost to which one that is. It asks that one
next, and so does whoever forwarded to it: it is told the name, nothing is forwarded on.

Like the protocols, these are generators that never wait for anything themselves. They do not run in a line's turn: each
step may be shared with other landings. `Project` takes the steps in the thread that lands.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, TypeVar

from mic.core.errors import MicError
from mic.ledger.land import Outcome, Overtaken
from mic.ledger.request import LandRequest

T = TypeVar("T")

# How often a landing goes elsewhere before it stays here, however many others are faster.
ROUNDS = 3
# Calls in a row: an answer may be lost, or name another front end; after two that were lost the next one is asked.
CALLS = 3


class Lists(NamedTuple):
    """-> the request, and where what it uploaded lies; errors as `mic.ledger.request.check_lists`"""

    request: LandRequest


class Elsewhere(NamedTuple):
    """-> what the preferred front end says; None when it says nothing that counts, or this one is preferred"""

    request: LandRequest


class Here(NamedTuple):
    """-> list of Outcome, with whoever else lands here now; an error that concerns all is raised

    What they say of who wins (`mic.ledger.forward.note`) is kept in mind.
    """

    requests: tuple[LandRequest, ...]


class Look(NamedTuple):
    """-> None: look for the other front ends, unless one is known to win; when that fails, what was known stays"""


Step = Lists | Elsewhere | Here | Look
Route = Generator[Step, Any, T]


def route(request: LandRequest) -> Route[Outcome]:
    """A landing that came to this front end, where others are known. Its last step is always here."""
    request = yield Lists(request)
    for _ in range(ROUNDS):
        for _ in range(CALLS):
            outcome: Outcome | None = yield Elsewhere(request)
            if outcome is not None:
                return outcome
        found: Outcome = (yield Here((request._replace(may_move=True),)))[0]
        if not isinstance(found, Overtaken):
            return found
        yield Look()
    outcome = yield Elsewhere(request)
    return outcome if outcome is not None else (yield Here((request,)))[0]


def take(requests: Sequence[LandRequest]) -> Route[list[Outcome]]:
    """Landings that another front end forwarded: here, and nowhere else. What is wrong with one is its own outcome.

    Where others are faster the outcome says who: whoever forwarded it asks there.
    """
    outcomes: list[Outcome | None] = [None] * len(requests)
    ready: dict[int, LandRequest] = {}
    for at, request in enumerate(requests):
        try:
            ready[at] = (yield Lists(request))._replace(may_move=True)
        except MicError as error:
            outcomes[at] = error
    if ready:
        for at, outcome in zip(ready, (yield Here(tuple(ready.values()))), strict=True):
            outcomes[at] = outcome
    return [outcome for outcome in outcomes if outcome is not None]
