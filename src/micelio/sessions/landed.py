"""A landing as the answer to a session that asks for it again: the same that the first answer said."""

from __future__ import annotations

from mic.core.session import Session
from mic.ledger.project import Landed


def landed_before(position: int, tree: bytes, session: Session) -> Landed:
    """What a session that landed at `position` is told, however often it asks."""
    merged = set(sent_hashes(session))
    return Landed(position, tree, session, tuple(c for c in session.changes if c.path in merged), already=True)


def sent_hashes(session: Session) -> dict[bytes, bytes]:
    """For each path where another content landed than was sent: the hash of what was sent (docs/formats.md)."""
    return {item["path"]: item["sent"] for item in session.metadata.get("merged", ())}
