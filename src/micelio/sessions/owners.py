"""A list of owners lands only when it can be read: what it keeps out must not hang on a slip of the pen."""

from __future__ import annotations

from collections.abc import Iterable

from mic.core.blob import decode_blob
from mic.core.errors import InvalidOwners
from mic.core.session import Op
from mic.ledger.project import LandRequest, Project
from micelio.owners.refuse import require_readable
from micelio.owners.rules import MAX_BYTES, PATH

_REGULAR = 0o100000 >> 12


def refuse_unreadable_owners(ledger: Project, request: LandRequest) -> None:
    """Raises InvalidOwners for a list of owners that a session brings along and nobody could go by."""
    own = next((change for change in request.session.changes if change.path == PATH), None)
    if own is None or own.op == Op.DELETED:
        return
    if own.mode >> 12 != _REGULAR:
        raise InvalidOwners(f"{PATH.decode()} must be a regular file.", hint="Put the list itself there.")
    content = b""
    for piece in _pieces(ledger, request, own.hash):
        content += piece
        if len(content) > MAX_BYTES:
            raise InvalidOwners(
                f"{PATH.decode()} has more than {MAX_BYTES:,} bytes, the most that there may be.",
                hint="Use wider patterns.",
            )
    require_readable(content)


def _pieces(ledger: Project, request: LandRequest, name: bytes) -> Iterable[bytes]:
    raw = request.contents.get(name)
    return ledger.sent_pieces(request, name) if raw is None else [decode_blob(raw, name, "a content")]
