"""When the work of an open session was pushed last, as its session object says it."""

from __future__ import annotations

from mic.core.session import Session

# In the metadata of a session, in Unix milliseconds.
PUSHED_AT = "pushed_at"


def pushed_at(session: Session) -> int:
    """When a session's work was pushed last, in Unix milliseconds; 0 for never."""
    at = session.metadata.get(PUSHED_AT, 0)
    return at if isinstance(at, int) and not isinstance(at, bool) and 0 < at < 1 << 62 else 0
