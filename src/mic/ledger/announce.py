"""Landing the session that tells of an erasure: whoever lands meanwhile loses the swap, looks, and knows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from mic.core import epoch as stored
from mic.core.epoch import make_epoch
from mic.core.errors import AlreadyExists, Busy
from mic.core.head import Head, next_hlc
from mic.core.ids import content_hash
from mic.core.record import Record
from mic.core.session import Author, Session, State, encode_session
from mic.ledger.effects import Now, Protocol, PutNew, Random, Sleep
from mic.ledger.follow import refresh
from mic.ledger.line import Line
from mic.ledger.swap import swap

_ATTEMPTS = 64


def telling(
    what: bytes, project: str, name: bytes, goal: str, at: int, by: str, said: dict[str, Any], base: int, hlc: int
) -> Session:
    """The session that tells of an erasure; its id is a function of `what`, project and name, so that it lands once.

    `at` is Unix ms, `said` what its metadata say under "erased".
    """
    digest = hashlib.sha256(what + project.encode() + name).digest()
    return Session(
        id=min(at, (1 << 48) - 1).to_bytes(6, "big") + digest[:10],
        goal=goal,
        state=int(State.LANDED),
        base_position=base,
        hlc_created=hlc,
        hlc_updated=hlc,
        owner=bytes(16),
        author=Author(by, ""),
        metadata={"erased": said},
    )


def announce(line: Line, session_of: Callable[[int, int], Session]) -> Protocol[None]:
    """Land a session without changes, made of a base position and a clock. Its id is always the same: it lands once."""
    session_id = session_of(0, 0).id
    met = 0
    for attempt in range(_ATTEMPTS):
        head = yield from refresh(line)
        if line.find_session(session_id) is not None:
            return
        hlc = next_hlc(head.hlc, (yield Now())) + met
        raw = encode_session(session_of(head.position, hlc))
        record = Record(head.position + 1, session_id, content_hash(raw), head.position, hlc, head.tree, ())
        new = Head(record.position, head.tree, hlc)
        _, data = make_epoch(head, new, line.lander, [record], [], [(record.session_object, stored.SESSION, raw)])
        try:
            yield PutNew(line.epoch_key(new), data)
        except AlreadyExists:
            met += 1  # of an attempt that stopped, or our own: another clock value names another object
            continue
        if (yield from swap(line, head, new, [record])):
            return
        yield Sleep(min(0.4, 0.01 * (attempt + 1)) * int.from_bytes((yield Random(2)), "big") / 65536)
    raise Busy(f"{_ATTEMPTS} landings were faster", hint="repeat it; the erasure goes on where it is")
