"""Work of open sessions that is on the forge without having landed (ADR 71).

`pushed/{session}/{ms}-{wish}.bin`, in the form of an intent without contents: the session with its changes, and the
packs that hold what is not in the line. One object a session; a newer one comes before an older one goes, so that a
crash leaves two, and the newest counts. Collection takes what they name as promised.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mic.core.epoch import PackRef
from mic.core.errors import AlreadyExists, TooLarge
from mic.core.ids import content_hash
from mic.core.indexrun import Place
from mic.core.intent import MAX_INTENT, Intent, encode_intent
from mic.core.session import Session, encode_session
from mic.ledger.effects import Delete, List, Now, Protocol, PutNew
from mic.ledger.follow import read_pack_toc
from mic.ledger.intents import read_wish
from mic.ledger.leavings import refuse_leaving, require_there
from mic.ledger.line import Line
from mic.store.port import Listed

# Of one session. Each push adds a pack, and those that nothing needs any more are left out of the next.
MAX_PACKS = 1_000
_NAME = re.compile(r"([0-9a-f]{32})/([0-9a-f]{12})-([0-9a-f]{32})\.bin")


class Pushed(NamedTuple):
    """A push in the store. `at_ms` is Unix time, `wish` the first 16 bytes of the SHA-256 of the object."""

    key: str
    session: bytes
    at_ms: int
    wish: bytes


def pushes(line: Line, session_id: bytes = b"") -> Protocol[list[Pushed]]:
    """The pushes of a project, or of one session, by session and age. A key of another form is left alone."""
    prefix = f"{line.prefix}pushed/"
    listed: Sequence[Listed] = yield List(f"{prefix}{session_id.hex()}/" if session_id else prefix)
    found = []
    for item in listed:
        name = _NAME.fullmatch(item.key.removeprefix(prefix))
        if name is not None:
            session, at, wish = name.groups()
            found.append(Pushed(item.key, bytes.fromhex(session), int(at, 16), bytes.fromhex(wish)))
    return sorted(found, key=lambda item: (item.session, item.at_ms, item.wish))


def read_push(item: Pushed) -> Protocol[Intent | None]:
    """What a push holds; None when it is gone. Raises Corrupt."""
    return read_wish(item.key, item.session, item.wish)


def newest_push(line: Line, session_id: bytes) -> Protocol[Intent | None]:
    """The newest push of a session, None when there is none."""
    for item in reversed((yield from pushes(line, session_id))):
        intent = yield from read_push(item)
        if intent is not None:
            return intent
    return None


def places(line: Line, packs: Iterable[PackRef]) -> Protocol[dict[bytes, Place]]:
    """Where the contents of packs lie."""
    found: dict[bytes, Place] = {}
    for pack in packs:
        key = line.pack_key(pack.hash)
        for item in (yield from read_pack_toc(line, pack)):
            found[item.hash] = Place(key, item.kind, item.offset, item.length)
    return found


def keep_push(line: Line, session: Session, packs: Sequence[PackRef]) -> Protocol[None]:
    """Keep a session's work: durable when this returns, and what was pushed of it before is let go.

    Raises Expired for packs that are on their way out, TooLarge.
    """
    raw = encode_intent(encode_session(session), packs, {})
    if len(packs) > MAX_PACKS or len(raw) > MAX_INTENT:
        raise TooLarge(
            f"a push of {len(raw)} bytes and {len(packs)} packs; the limits are {MAX_INTENT} and {MAX_PACKS}",
            hint="land what is done, and go on in another session",
        )
    before = yield from pushes(line, session.id)
    # Right before they are named, as a landing does: what is condemned now is not named by anybody any more.
    yield from refuse_leaving(line, packs)
    yield from require_there(line, packs)
    now = yield Now()
    # Behind whatever was there, should the clock have gone back.
    at = max([now, *(item.at_ms + 1 for item in before)])
    key = f"{line.prefix}pushed/{session.id.hex()}/{at:012x}-{content_hash(raw)[:16].hex()}.bin"
    with contextlib.suppress(AlreadyExists):
        yield PutNew(key, raw)
    for item in before:
        yield Delete(item.key)


def drop_pushes(line: Line, session_id: bytes) -> Protocol[None]:
    """Let the pushes of a session go: it has landed, or was given up."""
    for item in (yield from pushes(line, session_id)):
        yield Delete(item.key)
