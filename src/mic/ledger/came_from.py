"""What a file that a landing added was before, as the record says it and no further (ADR 66)."""

from __future__ import annotations

from mic.core.record import Record, first_from
from mic.core.session import Op, Session


def came_from(record: Record, session: Session, path: bytes) -> bytes:
    """The path at `base_of(record)` that a new file goes on from, b"" for none.

    It is what the session calls `copied_from`; without that, the one file of this very content that the landing took
    away, when it added it once.
    """
    copied = next((change.copied_from for change in session.changes if change.path == path), b"")
    if copied:
        return copied
    at = first_from(record.changes, path)
    entry = record.changes[at].entry if at < len(record.changes) and record.changes[at].path == path else None
    if entry is None:
        return b""
    before = [change.path for change in session.changes if change.base_hash == entry.hash]
    if not before:
        return b""
    added = sum(
        change.entry is not None and change.entry.hash == entry.hash and change.op == Op.ADDED
        for change in record.changes
    )
    gone = {change.path for change in record.changes if change.entry is None}
    before = [path for path in before if path in gone]
    return before[0] if added == len(before) == 1 else b""


def base_of(record: Record) -> int:
    """The position of the tree that a landing began from, as far as its line has it."""
    return min(record.base_position, record.position - 1)
