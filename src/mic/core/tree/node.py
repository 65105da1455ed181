"""Tree nodes: the stored bytes, read in place.

    leaf   'MICT' u8 version u8 0     u16 n | u32 key_bytes | u16 key_length[n] | keys
           | u8 mode[n] | u8 kind[n] | varint size[n] | 32B hash[n] | u16 raw_mode[k]
    inner  'MICT' u8 version u8 level u16 n | u32 key_bytes | u16 key_length[n] | last_key[n]
           | u64 files[n] | u64 bytes[n] | 32B child[n]

`raw_mode` holds one value for each entry whose mode code is 4, in order. The identity of a node is the
SHA-256 of these bytes. In memory a node is those bytes and the offsets of its keys (and sizes), 2 or 4
bytes each: no Python object is kept for an entry. The stretch start..stop of every column, in the order
of the layout, is what `columns` gives; a node is a header and its columns one behind the other, so new
nodes are made by joining stretches of old ones.
"""

from __future__ import annotations

import hashlib
import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate, compress, islice, pairwise
from typing import NamedTuple

from mic.core.codec import varint

MAGIC = b"MICT"
VERSION = 1
MAX_KEY = 16_384
# A node ends at 700 entries; a decoder refuses anything beyond what a writer can make.
MAX_NODE_ENTRIES = 700

BLOB, CHUNKED, CONFLICT = 0, 1, 2
DIRECTORY = 255  # only in listings, never stored

MODE_CODES = {0o100644: 0, 0o100755: 1, 0o120000: 2, 0o160000: 3}
MODES = (0o100644, 0o100755, 0o120000, 0o160000)
OTHER_MODE = 4

HEADER = struct.Struct(">4sBBHI")
# A sum of sizes stops here: contents are shared, so crafted entries may claim more than 64 bits together.
MAX_TOTAL = (1 << 64) - 1

# For each byte of a varint column: 0 more follows, 1 the last of a number, 2 a last byte that adds nothing.
VARINT_CLASSES = bytes([2]) + bytes([1]) * 127 + bytes(128)

_DIGITS = bytes(range(128)) * 2
_LAST = bytes([255]) * 128 + bytes(128)
_MORE = bytes(128) + bytes([255]) * 128

# The object, its slots and the collector's header: what a node costs beside its bytes and offsets.
_OBJECT_BYTES = 160
_BYTES_OBJECT = 33
_ARRAY_OBJECT = 80

# Every 16th key is kept as an object once a node is searched: the halving between them is what a search costs.
_FENCE = 16

Columns = tuple[bytes, ...]


class Entry(NamedTuple):
    """One file of a tree. `mode` is Git's, `kind` one of BLOB, CHUNKED, CONFLICT (DIRECTORY in listings)."""

    path: bytes
    mode: int
    kind: int
    size: int
    hash: bytes


class Child(NamedTuple):
    """What an inner node knows of a node below it: its last key, its files and their bytes, its name."""

    key: bytes
    files: int
    size: int
    hash: bytes


def offsets_array(offsets: Iterable[int], longest: int) -> array[int]:
    """Offsets up to `longest`, packed: 2 bytes each in nodes below 64 KiB, which is nearly all, else 4."""
    return array("H" if longest <= 0xFFFF else "I", list(offsets))


class _Keyed:
    """What leaves and inner nodes share: sorted keys, found in place."""

    __slots__ = ("_fences", "_offsets", "count", "hash", "keys_end", "level", "raw")

    def __init__(self, raw: bytes, node_hash: bytes | None, offsets: array[int] | None) -> None:
        self.level: int = raw[5]
        self.count: int = raw[6] << 8 | raw[7]
        key_bytes = int.from_bytes(raw[8:12], "big")
        self.raw = raw
        self.keys_end = HEADER.size + 2 * self.count + key_bytes
        self.hash = hashlib.sha256(raw).digest() if node_hash is None else node_hash
        self._offsets = offsets
        self._fences: list[bytes] | None = None

    @property
    def offsets(self) -> array[int]:
        """Where each key begins in `raw`, and where the last one ends."""
        if self._offsets is None:
            lengths = struct.unpack_from(f">{self.count}H", self.raw, HEADER.size)
            self._offsets = offsets_array(accumulate(lengths, initial=HEADER.size + 2 * self.count), self.keys_end)
        return self._offsets

    def key(self, index: int) -> bytes:
        """Key number `index`."""
        offsets = self._offsets or self.offsets
        return self.raw[offsets[index] : offsets[index + 1]]

    @property
    def last_key(self) -> bytes:
        """The largest key; b"" in the empty leaf. Needs no offsets."""
        if not self.count:
            return b""
        at = HEADER.size + 2 * self.count
        return self.raw[self.keys_end - int.from_bytes(self.raw[at - 2 : at], "big") : self.keys_end]

    def find(self, key: bytes, low: int = 0) -> int:
        """The index of the first key >= `key`, from `low` on; the number of keys when there is none."""
        raw, offsets, fences = self.raw, self._offsets or self.offsets, self._fences
        if fences is None:
            fences = self._fences = [raw[offsets[at] : offsets[at + 1]] for at in range(_FENCE - 1, self.count, _FENCE)]
        block = bisect_left(fences, key)
        first = block * _FENCE
        high = first + _FENCE - 1 if block < len(fences) else self.count
        if low < first:
            low = first
        while low < high:
            middle = (low + high) >> 1
            if raw[offsets[middle] : offsets[middle + 1]] < key:
                low = middle + 1
            else:
                high = middle
        return low

    def keys(self, start: int = 0, stop: int = MAX_NODE_ENTRIES) -> list[bytes]:
        """Keys start..stop as objects: for algorithms that walk them all."""
        raw = self.raw
        return [raw[at:end] for at, end in pairwise(self.offsets[start : stop + 1])]

    def same_keys(self, other: Node) -> bool:
        """Whether another node has the same keys, and as many levels below it."""
        return self is other or (
            self.raw[: HEADER.size] == other.raw[: HEADER.size]
            and self.raw[HEADER.size : self.keys_end] == other.raw[HEADER.size : other.keys_end]
        )

    def _weight(self, offset_columns: int) -> int:
        width = 2 if len(self.raw) <= 0xFFFF else 4
        arrays = offset_columns * (_ARRAY_OBJECT + width * (self.count + 1))
        fences = 64 + (self.count * (_BYTES_OBJECT + 15) + self.keys_end - HEADER.size) // _FENCE
        return _OBJECT_BYTES + _BYTES_OBJECT + len(self.raw) + arrays + fences


class Leaf(_Keyed):
    """Files, sorted by path."""

    __slots__ = ("_size_offsets", "_total", "hashes_at")

    def __init__(
        self,
        raw: bytes,
        node_hash: bytes | None = None,
        offsets: array[int] | None = None,
        size_offsets: array[int] | None = None,
        size: int | None = None,
    ) -> None:
        """A leaf of bytes that are known to be well-formed: made here, or checked by `decode_node`."""
        super().__init__(raw, node_hash, offsets)
        others = raw.count(OTHER_MODE, self.keys_end, self.keys_end + self.count)
        self.hashes_at = len(raw) - 32 * self.count - 2 * others
        self._size_offsets = size_offsets
        self._total = size

    @property
    def files(self) -> int:
        return self.count

    @property
    def total(self) -> int:
        """The sizes of all files together, at most MAX_TOTAL."""
        if self._total is None:
            self._total = min(varint_sum(self.raw[self.keys_end + 2 * self.count : self.hashes_at]), MAX_TOTAL)
        return self._total

    @property
    def size_offsets(self) -> array[int]:
        """Where each size begins in `raw`, and where the last one ends."""
        if self._size_offsets is None:
            start = self.keys_end + 2 * self.count
            ends = varint_ends(self.raw, start, self.hashes_at, self.count)
            self._size_offsets = offsets_array((start, *ends), self.hashes_at)
        return self._size_offsets

    @property
    def weight(self) -> int:
        """The bytes of memory that this node takes once all its offsets have been asked for."""
        return self._weight(2)

    def size(self, index: int) -> int:
        """The size of file number `index`, in bytes."""
        raw, offsets = self.raw, self._size_offsets or self.size_offsets
        at, end = offsets[index], offsets[index + 1] - 1
        value = raw[end]
        while at < end:
            end -= 1
            value = value << 7 | raw[end] & 0x7F
        return value

    def size_of(self, start: int, stop: int) -> int:
        """The sizes of files start..stop together, in bytes."""
        offsets = self._size_offsets or self.size_offsets
        return varint_sum(self.raw[offsets[start] : offsets[stop]])

    def entry(self, index: int) -> Entry:
        """Entry number `index`."""
        raw, modes, offsets = self.raw, self.keys_end, self._offsets or self.offsets
        code = raw[modes + index]
        mode = MODES[code] if code != OTHER_MODE else self._raw_mode(index)
        at, path = self.hashes_at + 32 * index, raw[offsets[index] : offsets[index + 1]]
        return Entry(path, mode, raw[modes + self.count + index], self.size(index), raw[at : at + 32])

    def holds(self, index: int, content: bytes, mode: int) -> bool:
        """Whether entry number `index` has this content and mode."""
        code = self.raw[self.keys_end + index]
        at = self.hashes_at + 32 * index
        return self.raw[at : at + 32] == content and mode == (
            MODES[code] if code != OTHER_MODE else self._raw_mode(index)
        )

    def alike(self, index: int, other: Leaf, at: int) -> bool:
        """Whether entry number `index` and entry number `at` of another leaf have one mode and one content."""
        mine, theirs = self.hashes_at + 32 * index, other.hashes_at + 32 * at
        code = self.raw[self.keys_end + index]
        return (
            self.raw[mine : mine + 32] == other.raw[theirs : theirs + 32]
            and code == other.raw[other.keys_end + at]
            and (code != OTHER_MODE or self._raw_mode(index) == other._raw_mode(at))
        )

    def _raw_mode(self, index: int) -> int:
        before = self.raw.count(OTHER_MODE, self.keys_end, self.keys_end + index)
        at = self.hashes_at + 32 * self.count + 2 * before
        return int.from_bytes(self.raw[at : at + 2], "big")

    def entries(self, start: int = 0, stop: int = MAX_NODE_ENTRIES) -> list[Entry]:
        """Entries start..stop as objects: for algorithms that walk them all."""
        stop = min(stop, self.count)
        if start >= stop:
            return []
        _, _, modes, kinds, sizes, hashes, others = self.columns(start, stop)
        each: Iterable[int] = map(MODES.__getitem__, modes)
        if others:
            odd = iter(struct.unpack(f">{len(others) // 2}H", others))
            each = [next(odd) if code == OTHER_MODE else MODES[code] for code in modes]
        names = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
        return list(map(Entry, self.keys(start, stop), each, kinds, varints(sizes), names))

    def columns(self, start: int, stop: int) -> Columns:
        """Stretch start..stop of: key lengths, keys, modes, kinds, sizes, hashes, raw modes."""
        raw, modes, hashes = self.raw, self.keys_end, self.hashes_at
        kinds, end = modes + self.count, hashes + 32 * self.count
        if start == 0 and stop == self.count:
            sizes = raw[kinds + stop : hashes]
            keys = raw[HEADER.size + 2 * stop : modes]
        else:
            at, size_at = self._offsets or self.offsets, self._size_offsets or self.size_offsets
            sizes = raw[size_at[start] : size_at[stop]]
            keys = raw[at[start] : at[stop]]
        others = b""
        if end < len(raw):
            before = raw.count(OTHER_MODE, modes, modes + start)
            mine = raw.count(OTHER_MODE, modes + start, modes + stop)
            others = raw[end + 2 * before : end + 2 * (before + mine)]
        return (
            raw[HEADER.size + 2 * start : HEADER.size + 2 * stop],
            keys,
            raw[modes + start : modes + stop],
            raw[kinds + start : kinds + stop],
            sizes,
            raw[hashes + 32 * start : hashes + 32 * stop],
            others,
        )

    def replaced(self, hits: Sequence[tuple[int, Entry]]) -> Leaf | None:
        """The leaf with new values under the same keys, `hits` sorted; None where odd modes take part."""
        if self.hashes_at + 32 * self.count < len(self.raw):
            return None
        raw, modes, hashes, sizes = bytearray(self.raw), self.keys_end, self.hashes_at, self.size_offsets
        for at, entry in hits:
            code = MODE_CODES.get(entry.mode)
            if code is None:
                return None
            raw[modes + at] = code
            raw[modes + self.count + at] = entry.kind
            raw[hashes + 32 * at : hashes + 32 * at + 32] = entry.hash
        total = self.total
        for at, entry in reversed(hits):  # from behind: a size of another length moves what follows
            total += entry.size - self.size(at)
            raw[sizes[at] : sizes[at + 1]] = varint(entry.size)
        known = total if self.total < MAX_TOTAL and total <= MAX_TOTAL else None
        return Leaf(bytes(raw), offsets=self._offsets, size=known)


class Inner(_Keyed):
    """Nodes of the level below, by their last key."""

    __slots__ = ("_keys",)

    def __init__(self, raw: bytes, node_hash: bytes | None = None, offsets: array[int] | None = None) -> None:
        """An inner node of bytes that are known to be well-formed: made here, or checked by `decode_node`."""
        super().__init__(raw, node_hash, offsets)
        self._keys: list[bytes] | None = None

    @property
    def all_keys(self) -> list[bytes]:
        """All keys as objects, kept: inner nodes are few, and a session of many files asks each for many."""
        if self._keys is None:
            self._keys = self.keys()
        return self._keys

    @property
    def files(self) -> int:
        """The files below, all together."""
        return self.files_of(0, self.count)

    @property
    def total(self) -> int:
        """The sizes of all files below together, at most MAX_TOTAL."""
        return min(self.size_of(0, self.count), MAX_TOTAL)

    @property
    def weight(self) -> int:
        """The bytes of memory that this node takes once all its offsets have been asked for."""
        return self._weight(1) + 64 + self.count * (_BYTES_OBJECT + 15) + self.keys_end - HEADER.size

    def files_of(self, start: int, stop: int) -> int:
        """The files below children start..stop, at most MAX_TOTAL."""
        column: tuple[int, ...] = struct.unpack_from(f">{stop - start}Q", self.raw, self.keys_end + 8 * start)
        return min(sum(column), MAX_TOTAL)

    def size_of(self, start: int, stop: int) -> int:
        """The bytes of the files below children start..stop."""
        at = self.keys_end + 8 * (self.count + start)
        column: tuple[int, ...] = struct.unpack_from(f">{stop - start}Q", self.raw, at)
        return sum(column)

    def child_at(self, index: int) -> int:
        """Where the name of child number `index` begins in `raw`."""
        return self.keys_end + 16 * self.count + 32 * index

    def child(self, index: int) -> bytes:
        """The name of child number `index`."""
        at = self.child_at(index)
        return self.raw[at : at + 32]

    def children(self, start: int = 0, stop: int = MAX_NODE_ENTRIES) -> list[bytes]:
        """The names of children start..stop as objects."""
        raw = self.raw
        return [raw[at : at + 32] for at in range(self.child_at(start), self.child_at(min(stop, self.count)), 32)]

    def entries(self) -> list[Child]:
        """All children as objects: for algorithms that walk them all."""
        column = struct.unpack_from(f">{2 * self.count}Q", self.raw, self.keys_end)
        return list(map(Child, self.keys(), column, column[self.count :], self.children()))

    def columns(self, start: int, stop: int) -> Columns:
        """Stretch start..stop of: key lengths, keys, files, bytes, children."""
        raw, offsets, files, n = self.raw, self._offsets or self.offsets, self.keys_end, self.count
        sizes, children = files + 8 * n, files + 16 * n
        return (
            raw[HEADER.size + 2 * start : HEADER.size + 2 * stop],
            raw[offsets[start] : offsets[stop]],
            raw[files + 8 * start : files + 8 * stop],
            raw[sizes + 8 * start : sizes + 8 * stop],
            raw[children + 32 * start : children + 32 * stop],
        )

    def replaced(self, hits: Sequence[tuple[int, Child]]) -> Inner:
        """The node with new children under the same keys."""
        raw, files = bytearray(self.raw), self.keys_end
        sizes, children = files + 8 * self.count, files + 16 * self.count
        for at, child in hits:
            raw[files + 8 * at : files + 8 * at + 8] = child.files.to_bytes(8, "big")
            raw[sizes + 8 * at : sizes + 8 * at + 8] = child.size.to_bytes(8, "big")
            raw[children + 32 * at : children + 32 * at + 32] = child.hash
        return Inner(bytes(raw), offsets=self._offsets)


Node = Leaf | Inner


def varints(column: bytes) -> list[int]:
    """The numbers of a well-formed varint column."""
    out: list[int] = []
    append = out.append
    value = shift = 0
    for byte in column:
        if byte > 0x7F:
            value |= (byte & 0x7F) << shift
            shift += 7
        elif shift:
            append(value | byte << shift)
            value = shift = 0
        else:
            append(byte)
    return out


def varint_sum(column: bytes) -> int:
    """The sum of `varints(column)`, by one sum over the bytes of each place value: a third of the time."""
    length = len(column)
    digits = int.from_bytes(column.translate(_DIGITS), "little")
    more = int.from_bytes(column.translate(_MORE), "little")
    # 255 at each byte of the place value in turn: a number begins behind the last byte of another.
    place = int.from_bytes(b"\xff" + column.translate(_LAST)[:-1], "little") if column else 0
    total = shift = 0
    while place:
        total += sum((digits & place).to_bytes(length, "little")) << shift
        place = (place & more) << 8
        shift += 7
    return total


def varint_ends(raw: bytes, start: int, stop: int, count: int) -> list[int]:
    """Where each of the first `count` varints from `start` on ends; fewer when `stop` comes before."""
    flags = raw[start:stop].translate(VARINT_CLASSES)
    return list(islice(compress(range(start + 1, stop + 1), flags), count))


def leaf_columns(entries: Sequence[Entry]) -> Columns:
    """The columns of entries, as `Leaf.columns` gives them; a mode that no code stands for must fit 16 bits."""
    paths, modes, kinds, sizes, hashes = zip(*entries, strict=True)
    others = b""
    codes = list(map(MODE_CODES.get, modes))
    if None in codes:
        odd = [mode for mode, code in zip(modes, codes, strict=True) if code is None]
        codes = [OTHER_MODE if code is None else code for code in codes]
        others = struct.pack(f">{len(odd)}H", *odd)
    return (
        struct.pack(f">{len(paths)}H", *map(len, paths)),
        b"".join(paths),
        bytes(codes),  # type: ignore[arg-type]  # no None is left in them
        bytes(kinds),
        b"".join(map(varint, sizes)),
        b"".join(hashes),
        others,
    )


def inner_columns(children: Sequence[Child]) -> Columns:
    """The columns of children, as `Inner.columns` gives them."""
    keys, files, sizes, hashes = zip(*children, strict=True)
    n = len(keys)
    return (
        struct.pack(f">{n}H", *map(len, keys)),
        b"".join(keys),
        struct.pack(f">{n}Q", *files),
        struct.pack(f">{n}Q", *sizes),
        b"".join(hashes),
    )


def join_columns(level: int, count: int, stretches: Sequence[Columns]) -> bytes:
    """The bytes of a node of `count` entries from stretches of columns, one behind the other."""
    key_bytes = sum(len(stretch[1]) for stretch in stretches)
    header = HEADER.pack(MAGIC, VERSION, level, count, key_bytes)
    if len(stretches) == 1:
        return b"".join((header, *stretches[0]))
    return b"".join((header, *(part for column in zip(*stretches, strict=True) for part in column)))


EMPTY_LEAF = Leaf(HEADER.pack(MAGIC, VERSION, 0, 0, 0))
EMPTY_TREE = EMPTY_LEAF.hash


def leaf(entries: Sequence[Entry]) -> Leaf:
    """The leaf of at most 700 entries, which must be sorted by path."""
    if not entries:
        return EMPTY_LEAF
    total = min(sum(entry[3] for entry in entries), MAX_TOTAL)
    return Leaf(join_columns(0, len(entries), (leaf_columns(entries),)), size=total)


def inner(level: int, children: Sequence[Child]) -> Inner:
    """The inner node of 1 to 700 children, which must be sorted by key."""
    return Inner(join_columns(level, len(children), (inner_columns(children),)))
