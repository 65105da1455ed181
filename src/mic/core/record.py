"""Records: one landing in the log, with the exact list of paths it changed.

    u32 length | u64 position | 16B session | 32B session_object | u64 base_position | u64 hlc | 32B root_after
    u32 count | count x change
    change: u8 op (0 added, 1 modified, 2 deleted) | u8 kind << 4 | mode code | varint shared | varint length | suffix
            [u16 raw mode when the code is 4] [varint size | 32B hash unless deleted]

Paths are sorted and front-coded: `shared` bytes are those of the path before. Mode, kind and size stand
here so that the tree at any position can be made again from the records alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, overload

from mic.core.codec import Reader, varint
from mic.core.session import Op
from mic.core.tree.node import MAX_KEY, MODE_CODES, MODES, OTHER_MODE, Entry

FIXED_BYTES = 8 + 16 + 32 + 8 + 8 + 32 + 4
# A record with more changes keeps them as they are stored: 42 bytes each, where objects take 300 and 5 us (measured).
FEW = 1_000
_BLOCK = 256


class PathChange(NamedTuple):
    """What a landing did to one path; `entry` is the new file, None when deleted."""

    path: bytes
    op: int
    entry: Entry | None


class Record(NamedTuple):
    """One landing: `session_object` is the hash of the encoded session, `root_after` the tree with it."""

    position: int
    session: bytes
    session_object: bytes
    base_position: int
    hlc: int
    root_after: bytes
    changes: Sequence[PathChange]


class PackedChanges(Sequence[PathChange]):
    """The changes of a record that has many, decoded when they are looked at. The record's checksum is right.

    One is found by its number within the block that it is in; the first time, the beginnings of blocks are noted. What
    is malformed raises Corrupt then.
    """

    __slots__ = ("_count", "_last", "_marks", "_name", "_raw")

    def __init__(self, raw: bytes, count: int, name: str) -> None:
        self._raw, self._count, self._name = raw, count, name
        self._marks: list[tuple[int, bytes]] = []  # where each block begins, and the path before it
        # The block that was looked at last, and its number: one value, since threads look at the same record.
        self._last: tuple[int, tuple[PathChange, ...]] = -1, ()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[PathChange]:
        reader = Reader(self._raw, self._name)
        yield from _read_changes(reader, self._count, b"")
        if reader.pos != reader.end:
            raise reader.fail("a record has another length than it says")

    @overload
    def __getitem__(self, at: int) -> PathChange: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[PathChange]: ...
    def __getitem__(self, at: int | slice) -> PathChange | Sequence[PathChange]:
        if isinstance(at, slice):
            return tuple(self)[at]
        number = at + self._count if at < 0 else at
        if not 0 <= number < self._count:
            raise IndexError(at)
        block, within = divmod(number, _BLOCK)
        return self._block(block)[within]

    def first_from(self, path: bytes) -> int:
        """As the function of this name."""
        if not path:
            return 0
        block = bisect_left(self._begins(), path, key=lambda mark: mark[1]) - 1
        return block * _BLOCK + bisect_left(self._block(block), path, key=_path)

    def _block(self, number: int) -> tuple[PathChange, ...]:
        last = self._last
        if last[0] != number:
            start, before = self._begins()[number]
            changes = _read_changes(Reader(self._raw, self._name, start), self._count - number * _BLOCK, before)
            self._last = last = number, tuple(islice(changes, _BLOCK))
        return last[1]

    def _begins(self) -> list[tuple[int, bytes]]:
        if not self._marks:
            try:
                self._marks = _begin_blocks(self._raw, self._count)
            except (IndexError, ValueError):
                tuple(self)  # which says what is wrong, and where
                raise
        return self._marks

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PackedChanges):
            return self._raw == other._raw and self._count == other._count
        return isinstance(other, tuple) and len(other) == self._count and tuple(self) == other

    __hash__ = None  # type: ignore[assignment]  # as of what is compared by what it holds


def first_from(changes: Sequence[PathChange], path: bytes) -> int:
    """The number of the first change that is not before a path, as in a list that `bisect_left` searches."""
    return changes.first_from(path) if isinstance(changes, PackedChanges) else bisect_left(changes, path, key=_path)


def _path(change: PathChange) -> bytes:
    return change.path


def _begin_blocks(raw: bytes, count: int) -> list[tuple[int, bytes]]:
    """Where each block of so many changes begins, and the path before it: an eighth of the time of reading them.

    Raises IndexError or ValueError when anything is malformed that this has to know.
    """
    marks, at, before = [], 0, b""
    for number in range(count):
        if number % _BLOCK == 0:
            marks.append((at, before))
        op, form, shared = raw[at], raw[at + 1], raw[at + 2]
        at += 3
        if shared > 127:
            shared, at = _varint(raw, at - 1)
        extra = raw[at]
        at += 1
        if extra > 127:
            extra, at = _varint(raw, at - 1)
        path = before[:shared] + raw[at : at + extra]
        at += extra
        if path <= before or len(path) != shared + extra:
            raise ValueError
        if op != Op.DELETED:
            if form & 15 == OTHER_MODE:
                at += 2
            while raw[at] > 127:
                at += 1
            at += 33
        before = path
    if at != len(raw):
        raise ValueError
    return marks


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """A number of several bytes, and where it ends."""
    value = shift = 0
    while raw[at] > 127:
        value |= (raw[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if shift > 63:
            raise ValueError
    return value | raw[at] << shift, at + 1


def _shared(left: bytes, right: bytes) -> int:
    limit = min(len(left), len(right))
    if left[:limit] == right[:limit]:
        return limit
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if left[:middle] == right[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def encode_record(record: Record) -> bytes:
    """The bytes, with their length in front."""
    parts = [
        record.position.to_bytes(8, "big"),
        record.session,
        record.session_object,
        record.base_position.to_bytes(8, "big"),
        record.hlc.to_bytes(8, "big"),
        record.root_after,
        len(record.changes).to_bytes(4, "big"),
    ]
    before = b""
    for path, op, entry in record.changes:
        shared = _shared(before, path)
        code = MODE_CODES.get(entry.mode, OTHER_MODE) if entry else 0
        kind = entry.kind if entry else 0
        parts += (bytes((op, kind << 4 | code)), varint(shared), varint(len(path) - shared), path[shared:])
        if entry:
            if code == OTHER_MODE:
                parts.append(entry.mode.to_bytes(2, "big"))
            parts += (varint(entry.size), entry.hash)
        before = path
    body = b"".join(parts)
    return len(body).to_bytes(4, "big") + body


def read_record(reader: Reader) -> Record:
    """The next record; raises Corrupt."""
    length = reader.u32()
    stop = reader.pos + length
    if stop > reader.end:
        raise reader.fail("a record is longer than what is left")
    position, session, session_object = reader.u64(), reader.take(16), reader.take(32)
    base, hlc, root = reader.u64(), reader.u64(), reader.take(32)
    count = reader.count(reader.u32(), 4)
    changes: Sequence[PathChange]
    if count > FEW:
        changes = PackedChanges(reader.take(stop - reader.pos), count, reader.name)
    else:
        changes = tuple(_read_changes(reader, count, b""))
    if reader.pos != stop:
        raise reader.fail("a record has another length than it says")
    return Record(position, session, session_object, base, hlc, root, changes)


def packed(record: Record, raw: bytes) -> Record:
    """A record as it is read from `raw`, its encoded form: with its changes packed when they are many."""
    if len(record.changes) <= FEW:
        return record
    return read_record(Reader(raw, f"landing @{record.position}"))


def _read_changes(reader: Reader, count: int, before: bytes) -> Iterator[PathChange]:
    """So many changes, the first of them behind the path `before`."""
    for _ in range(count):
        change = _read_change(reader, before)
        if change.path <= before:
            raise reader.fail("paths are not sorted")
        before = change.path
        yield change


def _read_change(reader: Reader, before: bytes) -> PathChange:
    op, packed = reader.u8(), reader.u8()
    shared, extra = reader.varint(), reader.varint()
    if op not in Op._value2member_map_ or shared > len(before) or not 0 < shared + extra <= MAX_KEY:
        raise reader.fail("a path change is malformed")
    path = before[:shared] + reader.take(extra)
    code, kind = packed & 15, packed >> 4
    if op == Op.DELETED:
        return PathChange(path, op, None)
    if code > OTHER_MODE:
        raise reader.fail(f"mode code {code} is unknown")
    mode = reader.u16() if code == OTHER_MODE else MODES[code]
    return PathChange(path, op, Entry(path, mode, kind, reader.varint(), reader.take(32)))
