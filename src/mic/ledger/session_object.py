"""Reading landed sessions, verified against the hash that they were asked for by."""

from __future__ import annotations

from mic.core import epoch as stored
from mic.core.errors import Corrupt
from mic.core.ids import content_hash
from mic.core.indexrun import Place
from mic.core.session import MAX_BODY_BYTES, Session, decode_session
from mic.ledger.contents import read_blob
from mic.ledger.effects import Protocol
from mic.ledger.objects import Objects, read_place


def read_session(objects: Objects, object_hash: bytes) -> Protocol[Session]:
    """A landed session by the hash of its encoded bytes; what stands in where words of it were erased."""
    if (stand_in := objects.stand_in(object_hash)) is not None:
        place, wanted = stand_in
        raw = yield from read_place(objects, place, "a session that stands in for another")
        return _decoded(raw, wanted, f"what stands in for session object {object_hash.hex()} in {place.key}", place)
    place = objects.require(object_hash, "session object")
    if place.kind == stored.SESSION:
        raw = yield from read_place(objects, place, "a session object")
    else:  # a file has the same bytes, and is stored under the same hash
        raw = yield from read_blob(objects, object_hash, MAX_BODY_BYTES)
    return _decoded(raw, object_hash, f"session object {object_hash.hex()} in {place.key}", place)


def _decoded(raw: bytes, wanted: bytes, name: str, place: Place) -> Session:
    if content_hash(raw) != wanted:
        raise Corrupt(f"{name} is damaged: its bytes have another hash", object=place.key)
    return decode_session(raw, name)
