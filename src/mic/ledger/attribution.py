"""What a session says about the lines of its files: checked as it comes, said of what lands, read for a blame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from mic.core.attribution import LINES, NOTHING, Attribution, FileLines, parse, stored, without_messages
from mic.core.errors import Corrupt, InvalidInput, MicError
from mic.core.paths import display
from mic.core.record import Record
from mic.core.session import Session
from mic.core.tree import Entry
from mic.ledger.effects import Protocol
from mic.ledger.objects import Objects
from mic.ledger.session_object import read_session
from mic.ledger.together import together

# Sessions that are read at once.
_AT_ONCE = 32


def check(session: Session) -> Attribution:
    """What a session says that is to land; raises InvalidInput, also when it is about a content that is not its own."""
    said = parse(session.attribution)
    if said.files:
        has = {change.path: change.hash for change in session.changes}
        for path, file in said.files.items():
            if has.get(path) != file.content:
                raise InvalidInput(
                    f"lines of {display(path)[:200]} are attributed in a content that the session does not make of it",
                    hint="name each content that is attributed as the changes name it",
                )
    return said


def landed(session: Session, edits: Mapping[bytes, Entry | None], others: Mapping[bytes, FileLines]) -> Session:
    """A session as it is kept: what it says of contents that landed, `others` in the place of those that were merged.

    What it says of any other content is left out: that has changed no line.
    """
    if LINES not in session.attribution:
        return session
    said = parse(session.attribution)
    files = {}
    for path, file in said.files.items():
        entry = edits.get(path)
        file = others.get(path, file)
        if entry is not None and entry.hash == file.content:
            files[path] = file
    others_say = {name: value for name, value in session.attribution.items() if name != LINES}
    return replace(session, attribution=others_say | stored(Attribution(said.writers, files)))


def attributions(objects: Objects, records: Sequence[Record]) -> Protocol[dict[int, Attribution]]:
    """What the sessions of some landings say, by position. Raises Corrupt where one cannot be read."""
    found: dict[int, Attribution] = {}
    for start in range(0, len(records), _AT_ONCE):
        some = records[start : start + _AT_ONCE]
        read = yield from together([read_session(objects, record.session_object) for record in some])
        for record, session in zip(some, read, strict=True):
            if isinstance(session, MicError):
                raise session
            found[record.position] = _of_landing(record, session)
    return found


def _of_landing(record: Record, session: Session) -> Attribution:
    """A landed session says nothing of another content than its landing made of the path."""
    if LINES not in session.attribution:
        return NOTHING
    where = f"what landing @{record.position} says about who wrote its lines"
    try:
        said = parse(session.attribution)
    except InvalidInput as error:
        raise Corrupt(f"{where} cannot be read: {error.message}", hint=error.hint) from error
    made = {change.path: change.entry.hash for change in record.changes if change.entry is not None}
    for path, file in said.files.items():
        if made.get(path) != file.content:
            raise Corrupt(f"{where} is about a content of {display(path)[:200]} that it did not make")
    # Which message of a conversation that is kept apart wrote a line is a part of that conversation.
    return without_messages(said) if session.transcript else said
