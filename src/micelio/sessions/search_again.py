"""The search of what has landed, by rules that are newer than those it landed under.

What is found is a row for the project's admins; words are not shown any more from the moment that the newer rules run
(`redaction.as_shown`). A landing that today's rules have seen is passed over. A run ends after so many seconds and the
next one goes on where it stopped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from uuid import UUID

from mic.core.errors import Corrupt, MicError, NotFound
from mic.core.paths import display
from mic.core.record import Record
from mic.core.scanning import RULES_VERSION, Finding, Scan, scan_many
from mic.core.session import Session
from mic.core.tree import BLOB, CHUNKED
from mic.ledger.project import Project
from micelio.findings.actions import mark_searched, note_found
from micelio.findings.found import Found
from micelio.findings.queries import searched, searched_to
from micelio.projects.ledgers import open_ledger
from micelio.projects.queries import all_project_ids, view_of
from micelio.sessions.models import Landing, storable
from micelio.sessions.redaction import as_shown, words
from micelio.sessions.secrets import landed_list

_log = logging.getLogger("micelio.scanning")

# Landings between two notes of how far it got.
_STEP = 50


def search_again(seconds: float) -> int:
    """Look through what today's rules have not seen, for so many seconds; how many findings are new."""
    until = time.monotonic() + seconds
    done, total = searched(), 0
    for project_id in all_project_ids():
        if project_id in done:
            continue
        if time.monotonic() >= until:
            break
        try:
            total += _search(project_id, until)
        except (Corrupt, NotFound) as error:
            _log.error("project %s cannot be searched for secrets: %s", project_id, error.message)
    return total


def _search(project_id: UUID, until: float) -> int:
    project = view_of(project_id)
    if project is None:
        return 0  # deleted meanwhile
    ledger = open_ledger(project_id)
    position, head, total = searched_to(project_id), ledger.head().position, 0
    allowed = _allowed(ledger)
    while position < head and time.monotonic() < until:
        for record in ledger.records(position + 1, min(head, position + _STEP)):
            session = ledger.session_of(record)
            found = [item for item in _look(ledger, record, session) if _name(item) not in allowed]
            total += note_found(project, found, session.id)
            if any(not item.path for item in found):
                shown = storable(as_shown(session).goal)
                Landing.objects.filter(project_id=project_id, position=record.position).update(goal=shown)
            position = record.position
            if time.monotonic() >= until:
                break
        mark_searched(project_id, position, done=False)
    if position >= head:
        mark_searched(project_id, position)
    return total


def _look(ledger: Project, record: Record, session: Session) -> Iterator[Found]:
    scanned = session.metadata.get("scanned")
    if isinstance(scanned, dict) and scanned.get("rules") == RULES_VERSION:
        return
    said = [text.encode("utf-8", "surrogatepass") for text in words(session)]
    said.append(session.metadata.get("git", {}).get("raw", b""))
    for _, findings in scan_many(enumerate(said)):
        yield from (Found(record.position, b"", item) for item in findings)
    yield from (Found(record.position, path, item) for path, item in _contents(ledger, record))


def _contents(ledger: Project, record: Record) -> Iterator[tuple[bytes, Finding]]:
    entries = [change.entry for change in record.changes if change.entry is not None]
    erased = ledger.tombstones(entry.hash for entry in entries)
    entries = [entry for entry in entries if entry.hash not in erased]
    small = ((entry.path, ledger.blob(entry.hash)) for entry in entries if entry.kind == BLOB)
    for path, findings in scan_many(small):
        yield from ((path, item) for item in findings)
    for entry in entries:
        if entry.kind == CHUNKED:
            stream = Scan()
            for piece in ledger.pieces(entry.hash):
                stream.feed(piece)
            yield from ((entry.path, item) for item in stream.finish())


def _allowed(ledger: Project) -> set[tuple[str, str]]:
    try:
        return {(entry.fingerprint, entry.path) for entry in landed_list(ledger)}
    except MicError as error:
        _log.error("project %s: its list of allowed findings cannot be read: %s", ledger.line.project, error.message)
        return set()


def _name(item: Found) -> tuple[str, str]:
    return item.finding.fingerprint, display(item.path)
