"""Making a line and following its head: what landed since the last look is taken in.

Opening a line costs the newest index runs and the epochs since; following it costs one small read when
nothing has landed.
"""

from __future__ import annotations

from collections.abc import Sequence

from mic.core.epoch import HEADER_BYTES, Epoch, PackRef, Stored, decode_epoch, meta_bytes
from mic.core.errors import AlreadyExists, Corrupt, NotFound
from mic.core.head import Head, next_hlc
from mic.core.origin import Tie, decode_origin
from mic.core.pack import FOOTER_BYTES, MAX_PACK, decode_toc, toc_bytes
from mic.core.tree import EMPTY_TREE
from mic.ledger.effects import Attempt, Get, GetRange, List, Now, Protocol, PutNew
from mic.ledger.line import Line
from mic.ledger.objects import missing
from mic.ledger.runs import load_runs
from mic.ledger.tip import first_bytes, read_tip
from mic.ledger.tombstones import bury
from mic.store import Listed

# One ranged read of this size usually brings an epoch's records and contents list.
_FIRST_READ = 32 << 10
# Whoever is not further behind reads epoch by epoch; else many at once.
_ALONE = 2
_AT_ONCE = 32
# Forks of forks that read through each other. Each costs a small read whenever the newest one looks at its head.
MAX_DEPTH = 32


def create(line: Line) -> Protocol[Head]:
    """Make the line: position 0, the empty tree. Again changes nothing; Corrupt where only the head is gone."""
    yield from _check_unborn(line)
    head = Head(0, EMPTY_TREE, next_hlc(0, (yield Now())))
    try:
        yield PutNew(line.head_key, first_bytes(line, head))
    except AlreadyExists:
        return (yield from refresh(line))
    return head


def _check_unborn(line: Line) -> Protocol[None]:
    """Raises Corrupt when there is a log and no head: a lost head must not look like a new project."""
    if line.head is None and not (yield List(f"{line.prefix}landing-log/")):
        return
    try:
        yield Get(line.head_key)
    except NotFound as error:
        hint = "landing is stopped for this project; restore the head from a backup"
        raise missing(line.head_key, hint=hint) from error


def refresh(line: Line) -> Protocol[Head]:
    """The head as it is now, with everything that landed since taken in. NotFound when there is no such line."""
    head = yield from _read_head(line)
    if line.origin is not None and (yield from _origin_changed(line)):
        # It has everything itself now: what was read through the origin may be gone soon.
        fresh = Line(line.project, line.cache)
        fresh.far = line.far
        head = yield from advance(fresh, head)
        line.adopt(fresh)
    return (yield from advance(line, head))


def _read_head(line: Line) -> Protocol[Head]:
    try:
        return (yield from read_tip(line))
    except NotFound:
        yield from _check_unborn(line)
        raise


def advance(line: Line, head: Head) -> Protocol[Head]:
    """Take in everything up to a head, which the store or the fork point gave."""
    if head == line.head:
        return head
    if head.position == 0 and head.tree != EMPTY_TREE:
        raise _broken(line, head, "a tree that no landing made")
    if line.head is None:
        yield from _open(line, head)
        if head.position < line.covered.position and not line.depth:
            # A run that reaches beyond the head: written since the head was read, unless the head has gone back.
            head = yield from _read_head(line)
    ahead = head.position > line.covered.position or head == line.covered
    if line.covered.position and not ahead:
        raise _broken(line, head, "another history than its index")
    floor = line.tail[-1].new if line.tail else None
    if floor is not None and head.position <= floor.position and head != floor:
        # Behind or beside what was read: building on it would leave a history that nobody can follow.
        raise _broken(line, head, "another history than the one read before")
    epochs = yield from _walk(line, head, floor.position if floor else max(line.sealed, line.start.position))
    if floor is not None and epochs and epochs[0].prev != floor:
        raise _broken(line, epochs[0].prev, "another history than the one read before")
    if head.position < (line.head.position if line.head else 0):
        raise _broken(line, head, "an older position than before")
    for epoch in epochs:
        if epoch.new.position > line.covered.position:
            yield from _load_packs(line, epoch.packs)
        line.add_epoch(epoch)
    line.head = head
    if any(not record.changes for epoch in epochs for record in epoch.records):
        yield from bury(line)  # each erasure lands like this, so that nobody lands without knowing of it
    return head


def _open(line: Line, head: Head) -> Protocol[None]:
    """The index runs of a line, up to a head, and what it reads through if it is a fork.

    A line whose first position is in a run of its own reads through nothing, so most lines never ask.
    """
    frozen_at = head.position if line.depth else None
    yield from bury(line)
    yield from load_runs(line, frozen_at)
    if line.covered.position or not head.position:
        return
    try:
        tagged = yield Get(line.origin_key)
    except NotFound:
        return
    origin = decode_origin(tagged.data, line.origin_key)
    if origin.tie is not Tie.READS_THROUGH or not origin.head.position:
        return
    below = Line(origin.project, line.cache)
    below.depth = line.depth + 1
    if below.depth > MAX_DEPTH:
        raise Corrupt(f"{line.origin_key} is the last of more than {MAX_DEPTH} forks of forks", object=line.origin_key)
    yield from advance(below, origin.head)
    line.faults += below.faults
    line.begin_at(below, tagged.tag)
    yield from load_runs(line, frozen_at)


def _origin_changed(line: Line) -> Protocol[bool]:
    """Whether this fork, or one that it reads through, became independent since it was opened.

    The nearest is asked first: once it is independent, those behind it may be gone.
    """
    at: Line | None = line
    while at is not None and at.origin is not None:
        try:
            tagged = yield Get(at.origin_key)
        except NotFound as error:
            raise missing(at.origin_key, f"; project {line.project} reads through it") from error
        if tagged.tag != at.origin_tag:
            return True
        at = at.origin
    return False


def _walk(line: Line, head: Head, floor: int) -> Protocol[list[Epoch]]:
    """Epochs from just above position `floor` up to `head`, oldest first, following prev links."""
    out: list[Epoch] = []
    ahead = _Ahead(line, floor)
    at = head
    while at.position > floor:
        raw = (yield from ahead.get(at)) if line.far and len(out) >= _ALONE else None
        epoch = yield from read_epoch(line, at, raw)
        if epoch.prev.position == line.covered.position and epoch.prev != line.covered and line.covered.position:
            raise _broken(line, epoch.prev, "another history than its index")
        out.append(epoch)
        at = epoch.prev
    if out and at.position <= line.start.position and line.origin is not None and at != line.start:
        raise _broken(line, at, "another history than the one it was forked from")
    out.reverse()
    return out


class _Ahead:
    """Beginnings of the epochs of a far store, read many at once by their names: each alone costs a journey.

    A name tells nothing but where to look. Whoever follows the links still follows them, and epochs that lost their
    race are read in vain.
    """

    def __init__(self, line: Line, floor: int) -> None:
        self._line = line
        self._prefix = f"{line.prefix}landing-log/tail/"
        # Behind every name of that position.
        self._after = f"{self._prefix}{floor:016x}_"
        self._keys: list[str] | None = None  # oldest first, those that were not read yet
        self._read: dict[str, bytes] = {}

    def get(self, head: Head) -> Protocol[bytes | None]:
        """The beginning of the epoch that made a head; None when it was not found in this way."""
        key = self._line.epoch_key(head)
        if self._keys is None:
            listed: list[Listed] = yield List(self._prefix, self._after)
            self._keys = [item.key for item in listed if item.key <= key]
        while key not in self._read and self._keys and self._keys[-1] >= key:
            some, self._keys = self._keys[-_AT_ONCE:], self._keys[:-_AT_ONCE]
            found = yield tuple(Attempt(GetRange(each, 0, _FIRST_READ)) for each in some)
            self._read = {each: raw for each, raw in zip(some, found, strict=True) if isinstance(raw, bytes)}
        return self._read.pop(key, None)


def read_epoch(line: Line, head: Head, begun: bytes | None = None) -> Protocol[Epoch]:
    """The epoch that made a head: everything but its data. `begun` are its first bytes, if somebody has read them."""
    key = line.epoch_key(head)
    try:
        raw = begun if begun is not None else (yield GetRange(key, 0, _FIRST_READ))
        if len(raw) >= HEADER_BYTES and len(raw) < (needed := meta_bytes(raw, key)):
            raw = yield GetRange(key, 0, needed)
    except NotFound as error:
        raise Corrupt(
            f"the head of project {line.project} names {key}, which is missing",
            hint="landing is stopped for this project; restore the object from a backup",
            object=key,
        ) from error
    if len(raw) < HEADER_BYTES:
        raise Corrupt(f"{key} is damaged: {len(raw)} bytes are less than its header", object=key)
    epoch = decode_epoch(raw, key)
    if epoch.new != head:
        raise Corrupt(f"{key} is damaged: it made another head than its name says", object=key)
    return epoch


def take_in(line: Line, head: Head) -> Protocol[None]:
    """Take in the epoch that made a head, which follows the newest one known and is part of the history."""
    epoch = yield from read_epoch(line, head)
    yield from _load_packs(line, epoch.packs)
    line.add_epoch(epoch)
    line.head = head


def _load_packs(line: Line, packs: Sequence[PackRef]) -> Protocol[None]:
    for pack in packs:
        line.objects.add(line.pack_key(pack.hash), 0, (yield from read_pack_toc(line, pack)))


def read_pack_toc(line: Line, pack: PackRef) -> Protocol[tuple[Stored, ...]]:
    """The contents list of a pack of known size; raises Corrupt when the pack has another one.

    A content can be bytes that look like the end of a pack: one byte more is asked for, which must not be there.
    """
    key = line.pack_key(pack.hash)
    if not FOOTER_BYTES <= pack.size <= MAX_PACK:
        raise Corrupt(f"{key} is damaged: what names it says that it has {pack.size} bytes", object=key)
    try:
        footer = yield GetRange(key, pack.size - FOOTER_BYTES, FOOTER_BYTES + 1)
        if len(footer) != FOOTER_BYTES:
            raise Corrupt(f"{key} is damaged: it has not the {pack.size} bytes that what names it says", object=key)
        length = toc_bytes(footer, key)
        start = pack.size - FOOTER_BYTES - length
        if start < 0:
            raise Corrupt(f"{key} is damaged: its contents list is longer than the pack", object=key)
        tail = yield GetRange(key, start, length + FOOTER_BYTES)
    except NotFound as error:
        raise missing(key) from error
    return decode_toc(tail, pack.size, key)


def _broken(line: Line, head: Head, why: str) -> Corrupt:
    return Corrupt(
        f"{line.head_key} is damaged: it leads to {why} (position {head.position})",
        hint="landing is stopped for this project; restore the head from a backup",
        object=line.head_key,
    )
