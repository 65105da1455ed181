"""Landings that were promised: accepted with one durable write, carried out later, removed when that is done.

The name of an intent says when it was accepted, by which session, and what the wish is. So listing them tells all
that accepting another one needs to know, and the same wish sent twice is kept once. Removing an intent is the last
step: a crash before it only means that the landing is asked for again, which a session's id makes harmless.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from typing import NamedTuple

from mic.core.errors import AlreadyExists, Corrupt, NotFound, QueueFull, TooLarge
from mic.core.ids import content_hash
from mic.core.intent import MAX_INTENT, MAX_PACKS, Intent, decode_intent, encode_intent
from mic.core.session import encode_session
from mic.ledger.effects import Delete, Get, List, Now, Protocol, Put, PutNew
from mic.ledger.line import Line
from mic.ledger.request import LandRequest
from mic.store.port import Listed

# Of one project. One page of a bucket's list has 1,000 keys.
MAX_WAITING = 1_000
MAX_WAITING_BYTES = 256 << 20
_NAME = re.compile(r"([0-9a-f]{12})-([0-9a-f]{32})-([0-9a-f]{32})\.bin")


class Waiting(NamedTuple):
    """An intent in the store. `accepted_ms` is Unix time, `wish` the first 16 bytes of the SHA-256 of the object."""

    key: str
    accepted_ms: int
    session: bytes
    wish: bytes
    size: int


def waiting(line: Line) -> Protocol[list[Waiting]]:
    """The intents of a project, the oldest first. A key of another form is left alone."""
    prefix = f"{line.prefix}intents/"
    listed: Sequence[Listed] = yield List(prefix)
    found = []
    for item in listed:
        name = _NAME.fullmatch(item.key.removeprefix(prefix))
        if name is not None:
            accepted, session, wish = name.groups()
            found.append(Waiting(item.key, int(accepted, 16), bytes.fromhex(session), bytes.fromhex(wish), item.size))
    return found


def accept(line: Line, request: LandRequest, *, claimed: bool) -> Protocol[Waiting]:
    """Promise a landing: durable when this returns. The same wish of a session that waits already is that one.

    The session is kept as it is now, which forgets an earlier refusal; `claimed` when the caller just did so.

    Raises TooLarge for one intent that is, QueueFull when too many wait or they are too large together.
    """
    if len(request.packs) > MAX_PACKS:
        raise TooLarge(f"a landing that waits has {len(request.packs)} packs; the limit is {MAX_PACKS}")
    session = encode_session(request.session)
    raw = encode_intent(session, request.packs, request.contents)
    if len(raw) > MAX_INTENT:
        raise TooLarge(
            f"a landing that waits has {len(raw)} bytes; the limit is {MAX_INTENT}", hint="land it without --async"
        )
    wish = content_hash(raw)[:16]
    found = yield from waiting(line)
    for item in found:
        if (item.session, item.wish) == (request.session.id, wish):
            return item
    size = sum(item.size for item in found)
    if len(found) >= MAX_WAITING or size + len(raw) > MAX_WAITING_BYTES:
        raise QueueFull(
            f"{len(found)} landings of {size >> 20} MiB wait for this project; the limit is {MAX_WAITING} of "
            f"{MAX_WAITING_BYTES >> 20} MiB together",
            hint="nothing was accepted; land without --async, or repeat later",
        )
    if not claimed:
        # Before the intent: whoever carries that out writes what became of it to the same place, and comes later.
        yield Put(line.session_key(request.session.id), session)
    now = yield Now()
    key = f"{line.prefix}intents/{now:012x}-{request.session.id.hex()}-{wish.hex()}.bin"
    with contextlib.suppress(AlreadyExists):  # named by what it holds: this very wish
        yield PutNew(key, raw)
    return Waiting(key, now, request.session.id, wish, len(raw))


def read(item: Waiting) -> Protocol[Intent | None]:
    """What an intent holds; None when it is done and gone. Raises Corrupt."""
    return read_wish(item.key, item.session, item.wish)


def read_wish(key: str, session: bytes, wish: bytes) -> Protocol[Intent | None]:
    """A wish under a key that names its session and what it holds; None when it is gone. Raises Corrupt."""
    try:
        raw = (yield Get(key)).data
    except NotFound:
        return None
    intent = decode_intent(raw, key)
    if content_hash(raw)[:16] != wish or intent.session.id != session:
        raise Corrupt(f"{key} is damaged: it holds another wish than its name says", object=key)
    return intent


def remove(item: Waiting) -> Protocol[None]:
    """Take an intent away whose outcome is kept."""
    yield Delete(item.key)


def set_aside(line: Line, item: Waiting) -> Protocol[None]:
    """Move an intent that cannot be read to where nobody looks for intents; its bytes are kept."""
    try:
        raw = (yield Get(item.key)).data
    except NotFound:
        return
    yield Put(f"{line.prefix}set-aside/{item.key.removeprefix(line.prefix)}", raw)
    yield Delete(item.key)
