"""Reading landed sessions, verified against the hash that they were asked for by."""

from __future__ import annotations

from mic.core.errors import Corrupt
from mic.core.ids import content_hash
from mic.core.session import Session, decode_session
from mic.ledger.effects import Protocol
from mic.ledger.objects import Objects, read_place


def read_session(objects: Objects, object_hash: bytes) -> Protocol[Session]:
    """A landed session by the hash of its encoded bytes."""
    place = objects.require(object_hash, "session object")
    raw = yield from read_place(objects, place, "a session object")
    name = f"session object {object_hash.hex()} in {place.key}"
    if content_hash(raw) != object_hash:
        raise Corrupt(f"{name} is damaged: its bytes have another hash", object=place.key)
    return decode_session(raw, name)
