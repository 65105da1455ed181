"""Having the preferred front end land: one hop, and whatever comes of it, this front end can land by itself.

A session that is landed twice lands once, whoever does it. So an answer that does not come, or one that is no
judgement about the session, means no more than that it is landed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mic.core.epoch import LANDER_BYTES
from mic.core.errors import Conflicted, InvalidInput, Unavailable
from mic.ledger.effects import Forward, Protocol
from mic.ledger.front_ends import FrontEnds
from mic.ledger.land import Landed, Outcome, Overtaken
from mic.ledger.request import LandRequest


def note(front_ends: FrontEnds, project: str, front_end: bytes, outcomes: Iterable[Outcome]) -> None:
    """Keep in mind what the outcomes of a front end say: whoever wins stays the one that lands the project."""
    for outcome in outcomes:
        if isinstance(outcome, Landed) and not outcome.already:
            front_ends.follow(project, front_end[:LANDER_BYTES], outcome.position)
        elif isinstance(outcome, Overtaken):
            front_ends.follow(project, outcome.winner, outcome.position)


def forward(front_ends: FrontEnds, project: str, requests: Sequence[LandRequest]) -> Protocol[list[Outcome | None]]:
    """What the preferred front end answers; None for each request of which it says nothing that counts.

    Where it says that another one is faster, that one is preferred from now on.
    """
    peer = front_ends.preferred(project)
    nothing: list[Outcome | None] = [None] * len(requests)
    if peer is None:
        return nothing
    try:
        outcomes: list[Outcome] = yield Forward(peer.address, project, tuple(requests))
    except Unavailable:
        front_ends.failed(peer)
        return nothing
    if len(outcomes) != len(requests):
        front_ends.suspect(peer)
        return nothing
    front_ends.answered(peer)
    note(front_ends, project, peer.front_end, outcomes)
    # Damage or a store that does not answer may be the other's alone.
    return [outcome if isinstance(outcome, Landed | Conflicted | InvalidInput) else None for outcome in outcomes]
