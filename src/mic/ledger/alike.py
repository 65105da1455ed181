"""Which file that a landing took away one that it added resembles: asked where the record says nothing (ADR 78)."""

from __future__ import annotations

from typing import NamedTuple

from mic.core.errors import TooLarge
from mic.core.likeness import ENOUGH, likeness
from mic.core.linediff import is_binary
from mic.core.record import Record
from mic.core.session import Session
from mic.ledger.effects import Protocol
from mic.ledger.objects import Objects
from mic.ledger.small import read_small

# A larger text is not compared. Of files that went away so many are, those of the same name first.
MAX_BYTES = 1 << 20
MAX_COMPARED = 32
_TYPE, _REGULAR = 0o170000, 0o100000


class _Gone(NamedTuple):
    path: bytes
    content: bytes


def alike(objects: Objects, record: Record, session: Session, path: bytes, data: bytes) -> Protocol[bytes]:
    """The path, in the tree that the session began from, of the file that went away and is most like `data`.

    b"" when none is enough like it. Of several that are the same, one of the same name, else the first by path.
    """
    if not data or len(data) > MAX_BYTES:
        return b""
    gone = _gone(objects, record, session, path, len(data))
    texts = yield from _read(objects, list(dict.fromkeys(each.content for each in gone)), 2 * len(data))
    best, source = 0.0, b""
    for each in gone:
        text = texts.get(each.content)
        if text is None or is_binary(text):
            continue
        found = likeness(data, text)
        if found >= ENOUGH and found > best:
            best, source = found, each.path
    return source


def _gone(objects: Objects, record: Record, session: Session, path: bytes, size: int) -> list[_Gone]:
    """The files that may be it: those of the same name first, then those of the same kind."""
    went = {change.path for change in record.changes if change.entry is None}
    found = []
    for change in session.changes:
        if change.path not in went or change.base_mode & _TYPE != _REGULAR:
            continue
        place = objects.find(change.base_hash)
        # What is stored is not larger than the content, but for a few bytes.
        if place is not None and place.length <= 2 * size + 64:
            found.append(_Gone(change.path, change.base_hash))
    return sorted(found, key=lambda each: (*_differs(each.path, path), each.path))[:MAX_COMPARED]


def _differs(one: bytes, other: bytes) -> tuple[bool, bool]:
    """Whether two paths have different names, and different endings."""
    name, its = one.rpartition(b"/")[2], other.rpartition(b"/")[2]
    return name != its, name.rpartition(b".")[2] != its.rpartition(b".")[2]


def _read(objects: Objects, hashes: list[bytes], most: int) -> Protocol[dict[bytes, bytes]]:
    """Those of the contents that have at most so many bytes."""
    try:
        return (yield from read_small(objects, hashes, most))
    except TooLarge:
        if len(hashes) == 1:
            return {}
    found: dict[bytes, bytes] = {}
    for each in hashes:
        found |= yield from _read(objects, [each], most)
    return found
