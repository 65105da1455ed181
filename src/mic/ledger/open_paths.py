"""Which paths sessions change that have not landed, as far as the store keeps it."""

from __future__ import annotations

from collections.abc import Sequence

from mic.core.errors import MicError, NotFound
from mic.core.session import decode_session
from mic.ledger.effects import Attempt, Get, Protocol
from mic.ledger.line import Line


def open_paths(line: Line, sessions: Sequence[bytes]) -> Protocol[dict[bytes, list[bytes]]]:
    """The changed paths of each session, by its id; one of which nothing is kept is left out. Raises Corrupt."""
    keys = [line.session_key(session) for session in sessions]
    answers = yield tuple(Attempt(Get(key)) for key in keys)
    found = {}
    for session, key, answer in zip(sessions, keys, answers, strict=True):
        if isinstance(answer, NotFound):
            continue
        if isinstance(answer, MicError):
            raise answer
        found[session] = [change.path for change in decode_session(answer.data, key).changes]
    return found
