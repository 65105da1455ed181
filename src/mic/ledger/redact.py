"""Erasing what was said in sessions, and who is named there: the bytes go, and something stands in their place.

    1 redaction        numbered, create-only: of each session what stands in. From here on nobody reads the words
    2 landing          without changes, in the project and in every fork that reads the sessions through it
    3 displaced        which ranges go: every copy of the sessions, also in epochs that lost their race, and what
                       stood in for them before
    4 zeros            over those ranges
    5 loose copies     kept states, pushes and promises of the same sessions
    6 gone             once nothing is left to do

A session is found by its id, never by one hash: each attempt to land it has made another object. Numbers make
redactions follow each other: each begins with what those before it have left.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from mic.core import epoch as stored
from mic.core.errors import AlreadyExists, Busy, InvalidInput, MicError, NotFound, TooLarge
from mic.core.ids import content_hash, ulid_text
from mic.core.indexrun import Place
from mic.core.redaction import Redaction, encode_redaction
from mic.core.session import HEADER_BYTES, MAGIC, Session, encode_session
from mic.core.stand_in import Edit
from mic.core.tombstone import Displaced, Range, encode_displaced
from mic.ledger.announce import announce, telling
from mic.ledger.effects import Attempt, Delete, GetRange, List, Protocol, PutNew
from mic.ledger.follow import refresh
from mic.ledger.fork import forks
from mic.ledger.line import Line
from mic.ledger.log import records
from mic.ledger.nodes import NodeCache
from mic.ledger.objects import Objects
from mic.ledger.session_object import read_session
from mic.ledger.survey import entries, naming
from mic.ledger.tombstones import bury, read_graves
from mic.ledger.zeros import write_zeros
from mic.store.port import Listed

_ATTEMPTS = 64
_CACHE = 4 << 20
_AT_ONCE = 64
# Of one redaction: what stands in for them is held in memory.
MOST = 1_000
MOST_BYTES = 64 << 20
_PARTS = re.compile(r"[/.-]")
_ID = slice(8, 24)  # of a session, in its object


class Redacted(NamedTuple):
    """What became of it. `sessions` are those that something stands in for since; `keys` were written over."""

    sessions: tuple[bytes, ...]
    projects: tuple[str, ...]
    keys: tuple[str, ...]


def reading_forks(project: str, sessions: Collection[bytes]) -> Protocol[list[str]]:
    """The forks that read one of the sessions through the project. Raises as `redact` for what cannot be erased."""
    line = yield from _open(project)
    _, lines = yield from _reading(line, sessions)
    return [each.project for each in lines]


def redact(
    project: str, wanted: Redaction, sessions: Sequence[bytes], edit: Edit, *, with_forks: bool = False
) -> Protocol[Redacted]:
    """Let `edit` of each session stand in for it, or go on where that was stopped; `wanted.name` is the request's.

    Sessions that `edit` leaves as they are stay. Raises NotFound for one that did not land here, InvalidInput for one
    that was read from an origin, for more than 1,000, or naming the forks that read them, without `with_forks`.
    """
    if len(sessions) > MOST:
        raise InvalidInput(f"{len(sessions)} sessions at once; the limit is {MOST}", hint="in several redactions")
    line = yield from _open(project)
    made = yield from _known(line, wanted.name)
    if made is None:
        _, lines = yield from _reading(line, sessions)
        if lines and not with_forks:
            raise InvalidInput(
                f"{len(lines)} forks of the project read the sessions through it",
                hint="erase it in them too (--with-forks); nothing was changed",
                forks=[each.project for each in lines],
            )
        made = yield from _write(line, wanted, sessions, edit)
        if made is None:
            return Redacted((), (), ())
    ids = tuple(item.session for item in made.stand_ins)
    # Behind the redaction: a fork that begins later has it from its origin.
    line, lines = yield from _reading(line, ids)
    lines.insert(0, line)
    if made.name in (yield from read_graves(line)).gone:
        return Redacted(ids, tuple(each.project for each in lines), ())
    for each in lines:
        yield from _announce(each, made)
    for at, each in enumerate(lines):
        lines[at] = yield from _open(each.project)
    keys: list[str] = []
    for each in lines:
        yield from _displace(each, made.name, frozenset(ids))
        keys += yield from write_zeros(each)
        keys += yield from _drop_loose(each, ids)
    for each in reversed(lines):
        with contextlib.suppress(AlreadyExists):
            yield PutNew(f"{each.erased_prefix}{made.name.hex()}.gone", b"")
    return Redacted(ids, tuple(each.project for each in lines), tuple(keys))


def silence(project: str, session: bytes, name: bytes) -> Protocol[list[str]]:
    """Keep nothing of a session that has not landed; the objects that went or were written over. Again, it goes on.

    `name` is the request's. Raises InvalidInput when the session has landed.
    """
    line = yield from _open(project)
    if line.find_session(session) is not None:
        raise InvalidInput(f"session {ulid_text(session)} has landed", hint="erase its words; nothing was changed")
    done = yield from _drop_loose(line, [session])
    yield from _displace(line, name, frozenset((session,)))
    return done + (yield from write_zeros(line))


def sweep_words(project: str) -> Protocol[list[str]]:
    """Look once more for copies of what was erased: attempts to land that were under way. The objects written over."""
    line = yield from _open(project)
    for _, _, redaction in (yield from read_graves(line)).redactions:
        yield from _displace(line, redaction.name, frozenset(item.session for item in redaction.stand_ins))
    return (yield from write_zeros(line))


def announcement(project: str, redaction: Redaction, base: int, hlc: int) -> Session:
    """The session that tells of a redaction."""
    said = {
        "sessions": [item.session for item in redaction.stand_ins],
        "parts": int(redaction.parts),
        "class": redaction.reason.name.lower(),
    }
    return telling(b"redaction", project, redaction.name, redaction.text, redaction.at, redaction.by, said, base, hlc)


def _announce(line: Line, redaction: Redaction) -> Protocol[None]:
    yield from announce(line, lambda base, hlc: announcement(line.project, redaction, base, hlc))


def _open(project: str) -> Protocol[Line]:
    line = Line(project, NodeCache(_CACHE))
    yield from refresh(line)
    return line


def _known(line: Line, name: bytes) -> Protocol[Redaction | None]:
    for _, _, redaction in (yield from read_graves(line)).redactions:
        if redaction.name == name:
            return redaction
    return None


def _reading(line: Line, sessions: Collection[bytes]) -> Protocol[tuple[Line, list[Line]]]:
    """The line, and every fork that reads one of the sessions through it, forks of forks included."""
    positions = [_position(line, session) for session in sessions]
    first = min(positions, default=0)
    found: list[Line] = []
    todo = yield from forks(line)
    while todo:
        name = todo.pop()
        try:
            each = yield from _open(name)
        except NotFound:
            continue  # registered, and never finished
        if each.origin is None or each.start.position < first:
            continue
        found.append(each)
        todo += yield from forks(each)
    return line, found


def _position(line: Line, session: bytes) -> int:
    position = line.find_session(session)
    if position is None:
        raise NotFound(f"session {ulid_text(session)} has not landed in project {line.project}")
    if position <= line.start.position:
        assert line.origin is not None
        raise InvalidInput(
            f"session {ulid_text(session)} is read from the project that this one was forked from",
            hint="erase it there, with its forks; nothing was changed",
            origin=line.origin.project,
        )
    return position


def _write(line: Line, wanted: Redaction, sessions: Sequence[bytes], edit: Edit) -> Protocol[Redaction | None]:
    """Write what stands in for the sessions; None where nothing would."""
    for _ in range(_ATTEMPTS):
        yield from refresh(line)
        yield from bury(line)
        made: list[tuple[bytes, bytes, bytes]] = []
        size = 0
        for session in dict.fromkeys(sessions):
            position = _position(line, session)
            (record,) = yield from records(line, position, position)
            now = yield from read_session(line.objects, record.session_object)
            then = edit(now, wanted)
            if then != now:
                made.append((session, record.session_object, encode_session(then)))
                size += len(made[-1][2])
        if size > MOST_BYTES:
            raise TooLarge(f"what is left of the sessions has {size} bytes; the limit is {MOST_BYTES}")
        if not made:
            return None
        if users := (yield from naming(line, {item[1] for item in made})):
            raise InvalidInput(
                f"{len(users)} files have the bytes of the object of such a session",
                hint="it cannot be erased without losing them; nothing was changed",
            )
        graves = yield from read_graves(line)
        number = max((each for each, _, _ in graves.redactions), default=0) + 1
        if line.graves != graves.names:
            continue  # another redaction came meanwhile: this one begins with what that has left
        with contextlib.suppress(AlreadyExists):
            yield PutNew(f"{line.erased_prefix}words/{number:08x}-{line.project}", encode_redaction(wanted, made))
        # Ours, when the answer was lost or the write came twice; another's, and then this begins again.
        if (known := (yield from _known(line, wanted.name))) is not None:
            return known
    raise Busy("others erase words in the project all the time", hint="repeat it")


def _displace(line: Line, name: bytes, sessions: frozenset[bytes]) -> Protocol[None]:
    """Write down which ranges go, until a look behind the writing finds nothing more."""
    for _ in range(_ATTEMPTS):
        yield from refresh(line)
        yield from bury(line)
        places = yield from _copies(line, sessions)
        places += yield from _superseded(line, name, sessions)
        if not places:
            return
        ranges = tuple(Range(each.key.removeprefix(line.prefix), each.offset, each.length) for each in sorted(places))
        raw = encode_displaced(Displaced(name, ranges, ()))
        with contextlib.suppress(AlreadyExists):  # named by its content: the same
            yield PutNew(f"{line.erased_prefix}{name.hex()}.{content_hash(raw).hex()[:16]}", raw)
    raise Busy("what was erased comes in anew all the time", hint="repeat it; the erasure goes on where it is")


def _copies(line: Line, sessions: frozenset[bytes]) -> Protocol[list[Place]]:
    """Every session object of one of the ids that a container of the line lists, named by the log or not."""
    places = [item.place for item in (yield from entries(line)) if item.place.kind == stored.SESSION]
    found: list[Place] = []
    for start in range(0, len(places), _AT_ONCE):
        some = places[start : start + _AT_ONCE]
        heads = yield tuple(Attempt(GetRange(each.key, each.offset, min(each.length, HEADER_BYTES))) for each in some)
        for each, raw in zip(some, heads, strict=True):
            if isinstance(raw, NotFound):
                continue  # nobody named it, and it was collected
            if isinstance(raw, MicError):
                raise raw
            if raw[:4] == MAGIC and raw[_ID] in sessions:
                found.append(each)
    return found


def _superseded(line: Line, name: bytes, sessions: frozenset[bytes]) -> Protocol[list[Place]]:
    """What stood in for the sessions before."""
    found: list[Place] = []
    for _, key, redaction in (yield from read_graves(line)).redactions:
        if redaction.name == name:
            break
        places = [
            Place(key, stored.SESSION, item.offset, item.length)
            for item in redaction.stand_ins
            if item.session in sessions
        ]
        found += [each for each in places if not _is_zero(line.objects, each)]
    return found


def _is_zero(objects: Objects, place: Place) -> bool:
    return (place.key, place.offset) in objects.zeros


def _drop_loose(line: Line, sessions: Sequence[bytes]) -> Protocol[list[str]]:
    """Remove what else the store keeps of the sessions, which have landed long ago."""
    names = {session.hex() for session in sessions}
    done: list[str] = []
    for folder in ("sessions/", "pushed/", "intents/", "set-aside/intents/"):
        listed: list[Listed] = yield List(line.prefix + folder)
        for item in listed:
            if not names.isdisjoint(_PARTS.split(item.key.removeprefix(line.prefix))):
                yield Delete(item.key)
                done.append(item.key)
    return done
