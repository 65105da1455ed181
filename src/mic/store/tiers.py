"""Tiers in front of a bucket: memory, then a disk, then an edge network, then the bucket itself.

Only objects that never change are kept, as blocks of fixed size: whatever range is asked for, neighbours come
along, and the next range of the same object is often there already. A block that is asked for by many at once
is read once.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from mic.core.errors import MicError, Unavailable
from mic.store.disk_cache import DiskCache
from mic.store.patience import HURRIED_SECONDS, hurried, in_a_hurry
from mic.store.port import Listed, ObjectStore, Tagged
from mic.store.prefetch import Prefetcher
from mic.store.ram import RamCache

BLOCK = 64 << 10
# Ranges above this go straight to the bucket: an object of the store is at most a pack of 64 MiB.
MAX_RANGE = 65 << 20
# A reading of more than this is a stream, such as a clone: it takes from memory what is there and leaves nothing.
MAX_IN_RAM = 1 << 20
# Nobody waits longer for another thread's read than any store takes to time out.
_PATIENCE = 300.0
_MAX_DOUBTED = 1024
# Smaller objects are read rather than mapped.
MAP_FROM = 256 << 10
_WHOLE = -1  # in place of a block's number: the object in one file of the cache
# The classes of the disk tier.
KINDS = ("blobs", "trees", "logs")

_IMMUTABLE = re.compile(
    r"projects/[0-9a-zA-Z_-]+/(?:lines/[^/]+/)?"
    r"(?:(?P<logs>landing-log/tail/[^/]+|landing-log/[0-9]{12}\.log|landing-log/bloom-index/[^/]+/[0-9]{12}\.bloom|packs/index/[^/]+\.run)"
    r"|(?P<blobs>packs/[0-9a-f]{64}\.pack|blobs/[0-9a-f]{2}/[0-9a-f]{64})"
    r"|(?P<trees>trees/[0-9a-f]{2}/[0-9a-f]{64}\.bin))"
)

# The class below has a method of the name `list`.
_Numbers = list[int]
_Blocks = list[bytes]
_Flights = list[tuple[int, "Future[bytes]"]]
# Reads a range of an object from an edge network: exactly what the bucket would give, or None for "ask the bucket".
EdgeRead = Callable[[str, int, int], bytes | None]


def kind_of(key: str) -> str | None:
    """The class of an object that never changes once it is there; None for every other key.

    Heads, registry entries, open sessions, beacons and whatever this version does not know are None.
    """
    found = _IMMUTABLE.fullmatch(key)
    return found.lastgroup if found is not None else None


class Range(NamedTuple):
    """A range of an object."""

    key: str
    start: int
    length: int


@dataclass
class Tier:
    """What one tier did: blocks found, blocks asked for in vain, bytes given. Racing threads may lose a count."""

    hits: int = 0
    misses: int = 0
    bytes: int = 0

    def hit(self, size: int) -> None:
        """One found."""
        self.hits += 1
        self.bytes += size


@dataclass
class Tiers:
    """All counters of a store. `bucket.hits` are reads that reached the bucket."""

    ram: Tier = field(default_factory=Tier)
    disk: Tier = field(default_factory=Tier)
    edge: Tier = field(default_factory=Tier)
    bucket: Tier = field(default_factory=Tier)


class _Abandoned(Exception):
    """The thread that was reading ended for a reason of its own; whoever waited reads for itself."""


def _told(error: BaseException) -> BaseException:
    """What those are told who waited for a read that failed. That one in a hurry gave up says nothing to others."""
    if isinstance(error, MicError) and not (isinstance(error, Unavailable) and in_a_hurry()):
        return error
    return _Abandoned()


def _patience() -> float:
    return HURRIED_SECONDS if in_a_hurry() else _PATIENCE


class TieredStore:
    """An `ObjectStore` before another one, `bucket`. A tier that is None is not there.

    `prefetch_threads` fetch in the background what `prefetch` is told; 0 where a read of the bucket costs nothing.
    """

    def __init__(
        self,
        bucket: ObjectStore,
        *,
        ram: RamCache | None = None,
        disk: DiskCache | None = None,
        edge: EdgeRead | None = None,
        prefetch_threads: int = 0,
    ) -> None:
        self.bucket = bucket
        self.counts = Tiers()
        self._ram, self._disk, self._edge = ram, disk, edge
        self._flights: dict[tuple[str, int], Future[bytes]] = {}
        self._doubted: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        self._prefetcher = Prefetcher(self._bring, prefetch_threads) if prefetch_threads else None

    # ------------------------------------------------------------ the eight calls

    def get(self, key: str) -> Tagged:
        kind = kind_of(key)
        if kind is None:
            return self.bucket.get(key)
        blocks: _Blocks = []
        while (data := self._kept(kind, key, len(blocks))) is not None:
            blocks.append(data)
            if len(data) < BLOCK:
                return Tagged(b"".join(blocks), "")  # nobody swaps an object that never changes
        return Tagged(self._whole(kind, key), "")

    def get_range(self, key: str, start: int, length: int) -> bytes:
        kind = kind_of(key)
        if kind is None or start < 0 or not 0 < length <= MAX_RANGE:
            return self.bucket.get_range(key, start, length)
        first, last = start // BLOCK, (start + length - 1) // BLOCK
        offset = start - first * BLOCK
        if first == last:
            data = self._kept(kind, key, first)
            if data is not None:
                return data[offset : offset + length]
        blocks = self._blocks(kind, key, first, last)
        return b"".join(blocks[number] for number in sorted(blocks))[offset : offset + length]

    def put(self, key: str, data: bytes) -> None:
        self.bucket.put(key, data)
        if kind_of(key) is not None:
            self.forget(key)

    def put_file(self, key: str, file: BinaryIO) -> None:
        self.bucket.put_file(key, file)
        if kind_of(key) is not None:
            self.forget(key)

    def put_new(self, key: str, data: bytes) -> None:
        self.bucket.put_new(key, data)
        # What has just landed is what is asked for next.
        if self._ram is not None and len(data) <= MAX_IN_RAM and kind_of(key) is not None:
            for number in range(len(data) // BLOCK + 1):
                self._ram.put(key, number, data[number * BLOCK : (number + 1) * BLOCK])

    def put_if(self, key: str, data: bytes, tag: str) -> str:
        new = self.bucket.put_if(key, data, tag)
        if kind_of(key) is not None:
            self.forget(key)
        return new

    def list(self, prefix: str, start_after: str = "") -> Iterator[Listed]:
        return self.bucket.list(prefix, start_after)

    def delete(self, key: str) -> None:
        self.bucket.delete(key)
        if kind_of(key) is not None:
            self.forget(key)

    # ------------------------------------------------------------ beside the seven

    @property
    def reads_ahead(self) -> bool:
        """Whether `prefetch` does anything."""
        return self._prefetcher is not None

    def map(self, key: str) -> bytes | memoryview:
        """The whole of an object that never changes: mapped from the disk where it fits there, else its bytes."""
        kind = kind_of(key)
        if kind is None or self._disk is None:
            return self.get(key).data
        name = _name(key, _WHOLE)
        found = self._disk.map(kind, name)
        if found is not None:
            self.counts.disk.hit(len(found))
            return found
        data = self.get(key).data
        if len(data) < MAP_FROM:
            return data
        self._disk.put(kind, name, data)
        mapped = self._disk.map(kind, name)
        if mapped is None:  # too large for the cache, a full disk, or too much mapped already
            return data
        for number in range(len(data) // BLOCK + 1):  # once is enough
            self._disk.remove(kind, _name(key, number))
        return mapped

    def prefetch(self, ranges: Sequence[Range]) -> None:
        """Say what will probably be asked for soon; returns at once. Does nothing where reading costs nothing."""
        if self._prefetcher is not None and ranges:
            self._prefetcher.ask([item for item in ranges if kind_of(item.key) is not None])

    def forget(self, key: str) -> None:
        """Drop what is kept of an object, and ask only the bucket for it from now on.

        For what is deleted, and for what its reader found damaged: the next reading then sees the bucket's bytes.
        """
        with self._lock:
            self._doubted[key] = None
            while len(self._doubted) > _MAX_DOUBTED:
                self._doubted.popitem(last=False)
        if self._ram is not None:
            self._ram.forget(key)
        if self._disk is not None and (kind := kind_of(key)) is not None:
            for number in range(_WHOLE, MAX_RANGE // BLOCK):
                self._disk.remove(kind, _name(key, number))

    def close(self) -> None:
        """End the background's work; what it was doing is dropped."""
        if self._prefetcher is not None:
            self._prefetcher.close()

    # ------------------------------------------------------------ blocks

    def _kept(self, kind: str, key: str, number: int) -> bytes | None:
        """A block from memory or the disk."""
        if self._ram is not None:
            data = self._ram.get(key, number)
            if data is not None:
                self.counts.ram.hit(len(data))
                return data
            self.counts.ram.misses += 1
        if self._disk is not None:
            data = self._disk.get(kind, _name(key, number))
            if data is not None and len(data) <= BLOCK:
                self.counts.disk.hit(len(data))
                if self._ram is not None:
                    self._ram.put(key, number, data)
                return data
            self.counts.disk.misses += 1
        return None

    def _blocks(self, kind: str, key: str, first: int, last: int) -> dict[int, bytes]:
        """Blocks first..last as far as the object goes, each read below at most once for all who ask."""
        found: dict[int, bytes] = {}
        missing: _Numbers = []
        for number in range(first, last + 1):
            data = self._kept(kind, key, number)
            if data is None:
                missing.append(number)
            else:
                found[number] = data
                if len(data) < BLOCK:
                    break
        in_ram = (last - first + 1) * BLOCK <= MAX_IN_RAM
        while missing:
            mine, others = self._claim(key, missing)
            found.update(self._read_claimed(kind, key, mine, in_ram))
            missing = []
            for number, flight in others:
                try:
                    found[number] = flight.result(_patience())
                except _Abandoned:
                    missing.append(number)
                except TimeoutError:
                    raise Unavailable(f"{key} could not be read: another reader of it does not answer") from None
                except MicError as error:
                    raise type(error)(error.message, hint=error.hint, **error.details) from error
        return found

    def _claim(self, key: str, numbers: Sequence[int]) -> tuple[_Numbers, _Flights]:
        """The blocks that are now this thread's to read, and the ones that others are reading."""
        mine: _Numbers = []
        others: _Flights = []
        with self._lock:
            for number in numbers:
                flight = self._flights.get((key, number))
                if flight is None:
                    self._flights[key, number] = Future()
                    mine.append(number)
                else:
                    others.append((number, flight))
        return mine, others

    def _read_claimed(self, kind: str, key: str, mine: _Numbers, in_ram: bool) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        try:
            unread = []
            for number in mine:
                # Somebody may have brought it between the look and the claim.
                data = self._kept(kind, key, number)
                if data is None:
                    unread.append(number)
                else:
                    found[number] = data
            for first, count in _runs(unread):
                raw = self._below(key, first * BLOCK, count * BLOCK)
                for number in range(first, first + count):
                    data = raw[(number - first) * BLOCK : (number - first + 1) * BLOCK]
                    found[number] = data
                    if (number - first) * BLOCK <= len(raw):  # the block behind a full last one is empty, and kept
                        self._keep(kind, key, number, data, in_ram)
        except BaseException as error:
            self._settle(key, mine, found, _told(error))
            raise
        self._settle(key, mine, found, _Abandoned())
        return found

    def _settle(self, key: str, mine: Sequence[int], found: dict[int, bytes], error: BaseException) -> None:
        """Tell everybody who waits what became of the blocks that this thread had claimed."""
        with self._lock:
            flights = [(number, self._flights.pop((key, number))) for number in mine]
        for number, flight in flights:
            if number in found:
                flight.set_result(found[number])
            else:
                flight.set_exception(error)

    def _keep(self, kind: str, key: str, number: int, data: bytes, in_ram: bool) -> None:
        if self._ram is not None and in_ram:
            self._ram.put(key, number, data)
        if self._disk is not None:
            self._disk.put(kind, _name(key, number), data)

    def _whole(self, kind: str, key: str) -> bytes:
        """An object of unknown length, read at once and kept as blocks."""
        mine, others = self._claim(key, [-1])
        if not mine:
            try:
                return others[0][1].result(_patience())
            except MicError as error:
                raise type(error)(error.message, hint=error.hint, **error.details) from error
            except (_Abandoned, TimeoutError):
                return self.bucket.get(key).data
        found: dict[int, bytes] = {}
        try:
            data = self._from_edge(key, 0, MAX_RANGE)
            if data is None or len(data) == MAX_RANGE:
                data = self.bucket.get(key).data
                self.counts.bucket.hit(len(data))
            found[-1] = data
            for number in range(len(data) // BLOCK + 1):
                block = data[number * BLOCK : (number + 1) * BLOCK]
                self._keep(kind, key, number, block, len(data) <= MAX_IN_RAM)
        except BaseException as error:
            self._settle(key, mine, found, _told(error))
            raise
        self._settle(key, mine, found, _Abandoned())
        return data

    # ------------------------------------------------------------ below

    def _below(self, key: str, start: int, length: int) -> bytes:
        data = self._from_edge(key, start, length)
        if data is None:
            data = self.bucket.get_range(key, start, length)
            self.counts.bucket.hit(len(data))
        return data

    def _from_edge(self, key: str, start: int, length: int) -> bytes | None:
        if self._edge is None or key in self._doubted:
            return None
        data = self._edge(key, start, length)
        if data is None or len(data) > length:
            self.counts.edge.misses += 1
            return None
        self.counts.edge.hit(len(data))
        return data

    def _bring(self, ranges: Sequence[Range]) -> None:
        """Fetch blocks that ranges lie in, neighbours at once, unless they are at hand."""
        wanted: dict[str, set[int]] = {}
        for item in ranges:
            numbers = range(item.start // BLOCK, (item.start + max(item.length, 1) - 1) // BLOCK + 1)
            wanted.setdefault(item.key, set()).update(numbers)
        for key, blocks in wanted.items():
            kind = kind_of(key)
            assert kind is not None
            for first, count in _runs(sorted(blocks), MAX_IN_RAM // BLOCK):
                with hurried():  # nobody is told that it failed
                    self._blocks(kind, key, first, first + count - 1)


def _name(key: str, number: int) -> bytes:
    return f"{key} {number}".encode("ascii")


def _runs(numbers: Sequence[int], most: int = MAX_RANGE // BLOCK) -> Iterator[tuple[int, int]]:
    """Consecutive numbers as (first, count)."""
    first = count = 0
    for number in numbers:
        if count and number == first + count and count < most:
            count += 1
            continue
        if count:
            yield first, count
        first, count = number, 1
    if count:
        yield first, count
