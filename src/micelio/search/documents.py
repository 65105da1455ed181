"""What of a file and of a session can be searched, as rows that are not written yet."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from mic.core.errors import Erased
from mic.core.head import hlc_ms
from mic.core.linediff import is_binary
from mic.core.paths import display
from mic.core.record import Record
from mic.core.session import Decision, Session
from mic.core.tree import CHUNKED, CONFLICT, Entry
from mic.ledger.project import Project
from micelio.search.languages import language_of
from micelio.search.models import Document, Kind

# Bytes of the largest file whose text is searched. Beyond it nearly everything was made by a program, and a page of
# results reads some of what it looks at whole.
LARGEST = 256 * 1024
# Characters of a goal or a decision: the longest commit messages are half a megabyte.
LONGEST = 20_000
_REGULAR = (0o100644, 0o100755)
_LATEST = 253_402_300_799_000


def key_of(kind: Kind, path: bytes = b"", position: int = 0, number: int = 0) -> bytes:
    """What a document is known by within its project."""
    return hashlib.sha256(b"%d\0%d\0%d\0%s" % (kind, position, number, path)).digest()


def file_document(ledger: Project, project_id: UUID, entry: Entry, *, open_shelf: bool, room: int) -> Document:
    """A file, with its text where it has one of at most `room` characters."""
    text = text_of(ledger, entry) if entry.size <= min(LARGEST, room) else ""
    return Document(
        project_id=project_id,
        key=key_of(Kind.CODE, entry.path),
        kind=Kind.CODE,
        open=open_shelf,
        path=entry.path,
        name=display(entry.path).replace("\x00", "\ufffd"),
        language=language_of(entry.path),
        content=entry.hash,
        size=len(text),
        text=text,
    )


def text_of(ledger: Project, entry: Entry) -> str:
    """The text of a file, "" where it has none; of at most LARGEST bytes."""
    if entry.mode not in _REGULAR or entry.kind in (CHUNKED, CONFLICT):
        return ""
    try:
        data = ledger.blob(entry.hash, LARGEST)
    except Erased:
        return ""
    return "" if is_binary(data) else data.decode("utf-8", "replace").replace("\x00", "\ufffd")


def session_documents(project_id: UUID, record: Record, session: Session, *, open_shelf: bool) -> list[Document]:
    """A landed session's goal and its decisions; `session` as it may be shown."""
    git: dict[str, Any] = session.metadata.get("git", {})
    # As lists of landings have it: what Git knows was written when its author says so.
    ms = git.get("authored_ms", hlc_ms(session.hlc_created)) if git else hlc_ms(record.hlc)
    at = datetime.fromtimestamp(min(max(ms, 0), _LATEST) / 1000, UTC)

    def made(kind: Kind, number: int, text: str) -> Document:
        text = _storable(text[:LONGEST])
        return Document(
            project_id=project_id,
            key=key_of(kind, position=record.position, number=number),
            kind=kind,
            open=open_shelf,
            position=record.position,
            number=number,
            author=_storable(session.author.name),
            owner_id=None if session.owner == bytes(16) or git else UUID(bytes=session.owner),
            agent=_storable(session.agent),
            at=at,
            size=len(text),
            text=text,
        )

    found = [made(Kind.SESSION, 0, session.goal)] if session.goal.strip() else []
    return found + [made(Kind.DECISION, n, _said(each)) for n, each in enumerate(session.decisions, 1)]


def _said(decision: Decision) -> str:
    """What was decided on the first line, then why, then the roads not taken, one a line."""
    what = " ".join(decision.what.split())
    roads = [" – ".join(filter(None, (road.what, road.why_not))) for road in decision.alternatives]
    return "\n".join(filter(None, (what, decision.why, *roads)))


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd")
