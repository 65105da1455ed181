"""The newest head of a line: read and moved, in one of two ways, which the object `head` itself tells.

    swap       `head` holds 48 bytes and is replaced by compare-and-swap
    sequence   the next commit point is created: whoever creates number n + 1 has committed

A sequence needs nothing but create-only writes of ever new keys, so it carries landings where a store knows no
conditional updates, or takes one write a second of an object. `head` is then a commit point of some time ago.

Old commit points are removed. Who slept meanwhile must neither take an old one for the newest nor create one anew
and believe it: a boundary is written before anything below it is removed, and looked at after every reading that
found nothing newer and after every creation.
"""

from __future__ import annotations

import contextlib

from mic.core.commit_point import CommitPoint, decode_commit_point, is_commit_point, number_name, parse_number
from mic.core.errors import AlreadyExists, Corrupt, NotFound, PreconditionFailed, Unavailable
from mic.core.head import Head, decode_head
from mic.ledger.effects import Delete, Get, List, Protocol, Put, PutIf, PutNew
from mic.ledger.line import Line
from mic.store import Listed, Tagged

# Commit points that stay. A line is tidied when as many again have come, so one list shows all of them.
POINTS_KEPT = 250
# Each time round somebody else has removed what was about to be read.
_ROUNDS = 20
# A store that knows no conditional updates says so with one of these.
_NO_UPDATES = (405, 501)


def first_bytes(line: Line, head: Head) -> bytes:
    """What the object `head` of a line holds that begins at this head."""
    return CommitPoint(0, head).encode() if line.sequenced else head.encode()


def read_tip(line: Line) -> Protocol[Head]:
    """The newest head, and in `line` what `move_tip` needs. Raises NotFound when there is no line, Corrupt."""
    point = line.point
    if point is None:
        tagged = yield Get(line.head_key)
        if not is_commit_point(tagged.data):
            line.tag = tagged.tag
            return decode_head(tagged.data, line.head_key)
        begin = decode_commit_point(tagged.data, line.head_key)
        line.tidied = max(begin.number - POINTS_KEPT, 0)  # it was brought up to date when that was done
        point = yield from _newest(line, begin)
    else:
        try:
            point = yield from _read(line.point_key(point.number + 1))
        except NotFound:
            pass
        else:
            point = yield from _newest(line, point)
    for _ in range(_ROUNDS):
        beyond = yield from _boundary(line, point.number)
        if beyond is None:
            line.point = point
            return point.head
        point = yield from _newest(line, beyond)
    raise Unavailable(f"the commit points of {line.head_key} are removed faster than they can be read")


def _newest(line: Line, known: CommitPoint) -> Protocol[CommitPoint]:
    """The highest commit point from a known one on."""
    for _ in range(_ROUNDS):
        listed: list[Listed] = yield List(line.points_prefix, line.point_key(known.number))
        numbers = [number for item in listed if (number := parse_number(item.key.rsplit("/", 1)[1])) is not None]
        if not numbers:
            return known
        try:
            return (yield from _read(line.point_key(numbers[-1])))
        except NotFound:
            continue  # removed meanwhile, so there are newer ones
    raise Unavailable(f"the commit points of {line.head_key} are removed faster than they can be read")


def _read(key: str) -> Protocol[CommitPoint]:
    tagged: Tagged = yield Get(key)
    point = decode_commit_point(tagged.data, key)
    if number_name(point.number) != key.rsplit("/", 1)[1]:
        raise Corrupt(
            f"{key} is damaged: it says that it is number {point.number}",
            hint="landing is stopped for this project; `micelio repair` puts it on the newest complete landing",
            object=key,
        )
    return point


def _boundary(line: Line, number: int) -> Protocol[CommitPoint | None]:
    """The boundary when it lies beyond a number: everything below it may have been removed.

    Raises NotFound when the line is gone: its head is the first thing of it that is removed.
    """
    listed, _ = yield (List(line.boundaries_prefix, line.boundary_key(number)), Get(line.head_key))
    if not listed:
        return None
    key = listed[-1].key
    try:
        return (yield from _read(key))
    except NotFound:
        # Only a boundary further on lets one be removed.
        return (yield from _boundary(line, number))


def move_tip(line: Line, head: Head, new: Head) -> Protocol[None]:
    """Make `new` the newest head where `head`, read last, still is; PreconditionFailed otherwise. Unavailable."""
    if line.point is None and not line.sequenced:
        line.tag = yield PutIf(line.head_key, new.encode(), line.tag)
        return
    known = line.point or (yield from _begin_sequence(line, head))
    if known.head != head:
        raise PreconditionFailed(f"{line.head_key} has moved on to @{known.head.position}")
    point = CommitPoint(known.number + 1, new)
    key = line.point_key(point.number)
    try:
        yield PutNew(key, point.encode())
    except AlreadyExists as error:
        raise PreconditionFailed(f"{key} was created by somebody else") from error
    try:
        beyond = yield from _boundary(line, point.number)
    except NotFound:
        yield Delete(key)
        raise
    if beyond is not None:
        # It was there once and has been removed. Nobody reads below the boundary; whoever tidies next removes it.
        raise PreconditionFailed(f"{key} was removed long ago")
    line.point = point


def _begin_sequence(line: Line, head: Head) -> Protocol[CommitPoint]:
    """From a head that was swapped to a sequence. Whoever still swaps finds no head that it knows, and goes on here."""
    point = CommitPoint(0, head)
    try:
        yield from replace(line.head_key, point.encode(), line.tag)
    except PreconditionFailed:
        # Somebody else may have begun it there, or a retry below us: a head that nobody moved counts.
        found: Tagged = yield Get(line.head_key)
        if not is_commit_point(found.data) or decode_commit_point(found.data, line.head_key) != point:
            raise
    line.point = point
    return point


def replace(key: str, data: bytes, tag: str) -> Protocol[None]:
    """Replace an object whose tag this is, where it does not matter which of the writers was last.

    Without the condition where a store knows none. Raises PreconditionFailed, Unavailable.
    """
    try:
        yield PutIf(key, data, tag)
    except Unavailable as error:
        if error.details.get("status") not in _NO_UPDATES:
            raise
        yield Put(key, data)


def points(line: Line) -> Protocol[list[Listed]]:
    """The commit points and boundaries that are there, the commit points first, each by number."""
    found: list[Listed] = []
    for prefix in (line.points_prefix, line.boundaries_prefix):
        found += yield List(prefix)
    return [item for item in found if parse_number(item.key.rsplit("/", 1)[1]) is not None]


def put_tip(line: Line, head: Head) -> Protocol[None]:
    """Let a head be the newest, whatever was there. Nobody else may write to the line meanwhile."""
    numbers = [parse_number(item.key.rsplit("/", 1)[1]) or 0 for item in (yield from points(line))]
    if not numbers:
        yield Put(line.head_key, first_bytes(line, head))
        return
    # A number that nobody has seen, and a boundary at it: nothing below it counts any more.
    point = CommitPoint(max(numbers) + 1, head)
    yield PutNew(line.point_key(point.number), point.encode())
    yield PutNew(line.boundary_key(point.number), point.encode())
    yield Put(line.head_key, point.encode())


def due_to_tidy(line: Line) -> bool:
    """Whether `tidy` has something to do, as of the last look at the head."""
    return line.point is not None and line.point.number >= line.tidied + 2 * POINTS_KEPT


def tidy(line: Line) -> Protocol[int]:
    """Bring `head` up to date and remove commit points that nobody needs; the boundary, 0 when there is none yet.

    Any number of front ends may do it at once, and stop anywhere. Raises NotFound when the line is gone.
    """
    point = line.point
    if point is None or point.number < 2 * POINTS_KEPT:
        return 0
    # With a condition where the store knows one: a project that is erased meanwhile gets no head again.
    found: Tagged = yield Get(line.head_key)
    with contextlib.suppress(PreconditionFailed):  # another front end brought it up to date
        yield from replace(line.head_key, point.encode(), found.tag)
    number = point.number - POINTS_KEPT
    try:
        kept = yield from _read(line.point_key(number))
    except NotFound:
        return line.tidied  # another front end is further
    with contextlib.suppress(AlreadyExists):
        yield PutNew(line.boundary_key(number), kept.encode())
    for prefix, name in ((line.points_prefix, line.point_key), (line.boundaries_prefix, line.boundary_key)):
        for item in (yield List(prefix)):
            if item.key >= name(number):
                break
            yield Delete(item.key)
    line.tidied = number
    return number
