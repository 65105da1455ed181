"""A pack for a client, made of entries that are kept as they are sent: copied, not compressed again."""

from __future__ import annotations

import hashlib
import zlib
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from mic.git.packentry import OFS_DELTA, PACK_HEADER, PACK_TRAILER, REF_DELTA, entry_header, ofs_base
from mic.git.packindex import ELSEWHERE, Packed
from mic.git.packs import Found, Pack, Packs
from mic.git.packwrite import LEVEL, PackWriter
from mic.git.select import select
from mic.git.serving import FetchRequest
from mic.git.snapshot import Snapshot

_PIECE = 1 << 20
_LARGE = 1 << 16
_TRAILERS = 16


class Trailers:
    """Checksums of packs that were sent whole, by the names of the kept packs that they are made of."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, ...], bytes] = OrderedDict()

    def of(self, packs: Sequence[Pack]) -> bytes | None:
        """The checksum of these packs, None when it is not known."""
        return self._known.get(tuple(pack.name for pack in packs))

    def learn(self, packs: Sequence[Pack], trailer: bytes) -> None:
        """What the bytes of these packs have turned out to be."""
        self._known[tuple(pack.name for pack in packs)] = trailer
        while len(self._known) > _TRAILERS:
            self._known.popitem(last=False)


def _framed(
    count: int, parts: Iterable[bytes | memoryview], trailer: bytes | None = None
) -> Generator[bytes | memoryview, None, bytes]:
    """A pack file of `count` entries, in pieces of about 64 KiB and more; its trailer, unless that was given."""
    head = b"PACK" + (2).to_bytes(4, "big") + count.to_bytes(4, "big")
    digest = hashlib.sha1(head) if trailer is None else None  # noqa: S324 - a pack's trailer
    waiting, size = [head], len(head)
    for part in parts:
        if digest is not None:
            digest.update(part)
        if len(part) >= _LARGE:  # as it is: what is kept is copied once, into what is sent
            if waiting:
                yield b"".join(waiting)
                waiting, size = [], 0
            yield part
            continue
        waiting.append(bytes(part))
        size += len(part)
        if size >= _LARGE:
            yield b"".join(waiting)
            waiting, size = [], 0
    end = trailer if digest is None else digest.digest()
    assert end is not None, "given or counted"
    yield b"".join([*waiting, end])
    return end


def _whole(
    count: int, packs: Sequence[Pack], bodies: Iterable[bytes | memoryview], trailers: Trailers
) -> Iterator[bytes | memoryview]:
    """A pack file of these kept packs: what they hold never changes, so its checksum is counted once.

    Where their bytes have, the client finds that they are not those of the checksum.
    """
    known = trailers.of(packs)
    trailer = yield from _framed(count, bodies, known)
    if known is None:
        trailers.learn(packs, trailer)


def _loose(packs: Packs, found: Found) -> Iterator[bytes]:
    """The entry of a content that is kept outside of packs."""
    place = found.pack.index.place(found.number)
    yield entry_header(found.kind, found.size)
    deflater = zlib.compressobj(LEVEL)
    for piece in packs.content(found.pack.index.other(place[1])):
        yield deflater.compress(piece)
    yield deflater.flush()


def send_all(packs: Packs, trailers: Trailers) -> tuple[int, Iterator[bytes | memoryview]]:
    """(objects, pack) of everything: the packs one behind the other. No object may be in two of them."""
    count = sum(pack.index.count for pack in packs.packs)
    return count, _whole(count, packs.packs, _bodies(packs), trailers)


def send_parts(
    packs: Packs, parts: Sequence[Pack], oids: Sequence[bytes], trailers: Trailers
) -> tuple[int, Iterator[bytes | memoryview]]:
    """(objects, pack) of all that `parts` hold, and of these objects of `packs` behind them."""
    whole = Packs(parts, packs.content)
    if not oids:
        return send_all(whole, trailers)
    ordered = _as_they_lie(packs, oids)
    wanted = set(oids)

    def usable(base: bytes) -> bool:
        return base in wanted or whole.has(base)

    # A distance to a base counts from the entry, so the entries may be told a beginning of their own.
    behind = _entries(packs, ordered, usable, True)
    count = sum(part.index.count for part in parts) + len(ordered)
    return count, _framed(count, chain(_bodies(whole), behind))


def copy_entries(packs: Packs, oids: Sequence[bytes], before: Sequence[Pack], writer: PackWriter) -> None:
    """Write these objects as a part that stands for itself behind the parts `before`."""
    earlier = Packs(before, packs.content)
    wanted = set(oids)
    places: dict[bytes, int] = {}
    for found, oid in _as_they_lie(packs, oids):
        place = found.pack.index.place(found.number)
        if found.elsewhere:
            writer.elsewhere(found.kind, oid, found.size, found.pack.index.other(place[1]))
            continue
        base = packs.base_of(found) or b""
        if base and base not in wanted and not earlier.has(base):
            base = b""
        entry = _entry(packs, found, oid, base, writer.size - places[base] if base in places else 0)
        places[oid] = writer.copy(Packed(oid, found.kind, 0, len(entry), found.size, base), entry)


def _bodies(packs: Packs) -> Iterator[bytes | memoryview]:
    for pack in packs.packs:
        end = pack.index.pack_bytes - PACK_TRAILER
        for start in range(PACK_HEADER, end, _PIECE):
            yield pack.read(start, min(_PIECE, end - start))
        if pack.index.others:
            for number, oid in enumerate(pack.index.oids()):
                if pack.index.place(number)[0] & ELSEWHERE:
                    yield from _loose(packs, packs.require(oid))


def send_history(snapshot: Snapshot, packs: Packs, tip: bytes, out: BinaryIO) -> None:
    """Write a pack of a commit and all that is behind it."""
    chosen = select(packs, snapshot.graph, FetchRequest(wants=(tip,)), {})
    _, data = send(packs, chosen.oids, set(), thin=False, ofs_delta=True)
    for piece in data:
        out.write(piece)


def send(
    packs: Packs, oids: Sequence[bytes], held: set[bytes], *, thin: bool, ofs_delta: bool
) -> tuple[int, Iterator[bytes | memoryview]]:
    """(objects, pack) of these objects. Deltas stay deltas where the base is sent too, or `held` and the pack thin."""
    ordered = _as_they_lie(packs, oids)
    wanted = set(oids)

    def usable(base: bytes) -> bool:
        return base in wanted or (thin and base in held)

    return len(ordered), _framed(len(ordered), _entries(packs, ordered, usable, ofs_delta))


def _as_they_lie(packs: Packs, oids: Sequence[bytes]) -> list[tuple[Found, bytes]]:
    """In the order in which they lie, bases come before what leans on them, and reading goes forward."""
    order = {id(pack): at for at, pack in enumerate(packs.packs)}
    found = [(packs.require(oid), oid) for oid in oids]
    return sorted(found, key=lambda item: (order[id(item[0].pack)], _offset(item[0])))


def _offset(found: Found) -> int:
    kind, offset, _, _, _ = found.pack.index.place(found.number)
    return offset if not kind & ELSEWHERE else 1 << 62


def _entries(
    packs: Packs, ordered: Sequence[tuple[Found, bytes]], usable: Callable[[bytes], bool], ofs_delta: bool
) -> Iterator[bytes]:
    places: dict[bytes, int] = {}
    at = PACK_HEADER
    for found, oid in ordered:
        places[oid] = at
        if found.elsewhere:
            for part in _loose(packs, found):
                at += len(part)
                yield part
            continue
        base = packs.base_of(found) or b""
        if base and not usable(base):
            base = b""
        entry = _entry(packs, found, oid, base, at - places[base] if ofs_delta and base in places else 0)
        at += len(entry)
        yield entry


def _entry(packs: Packs, found: Found, oid: bytes, base: bytes, distance: int) -> bytes:
    """An entry as it is kept, leaning on `base`: so far before it, or named (0); whole when there is none."""
    header, raw = packs.entry(found)
    if header.kind not in (OFS_DELTA, REF_DELTA):
        return bytes(raw)
    if not base:
        kind, data = packs.read(oid)
        return entry_header(kind, len(data)) + zlib.compress(data, LEVEL)
    lead = entry_header(OFS_DELTA, header.size) + ofs_base(distance) if distance else b""
    return (lead or entry_header(REF_DELTA, header.size) + base) + bytes(raw[header.data :])
