"""Where a content lies among the objects of a line, in every copy, and what would be lost with its bytes.

Nothing is taken from an index: what compaction has left behind, what was uploaded and not landed, and epochs that lost
their race hold copies too. What cannot be read stops the search: nobody could say that no copy is left.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from mic.core import epoch as stored
from mic.core import segment
from mic.core.chunklist import Chunk, decode_list
from mic.core.delta import DELTA_HEADER, GROUP_HEADER, MEMBER_BYTES, decode_delta, decode_group, table_bytes
from mic.core.epoch import HEADER_BYTES, PackRef, Stored, decode_epoch, meta_bytes
from mic.core.errors import Corrupt, MicError, NotFound, Unavailable
from mic.core.indexrun import Place
from mic.ledger.chunked import read_page
from mic.ledger.collect import EPOCH_NAME, PACK_NAME
from mic.ledger.effects import Attempt, Fresh, GetRange, List, Protocol
from mic.ledger.follow import read_pack_toc
from mic.ledger.line import Line
from mic.ledger.log import may_name, records
from mic.ledger.objects import read_place
from mic.store.port import Listed

_FIRST_READ = 32 << 10
_AT_ONCE = 64


class Held(NamedTuple):
    """An entry of a contents list, at the place that it names."""

    hash: bytes
    place: Place


class Leaning(NamedTuple):
    """A stored form that leans on another content: its place, its base, and the contents that it holds."""

    place: Place
    base: bytes
    holds: tuple[bytes, ...]


class Named(NamedTuple):
    """A landing that gave a path a content."""

    project: str
    position: int
    path: bytes


def entries(line: Line) -> Protocol[list[Held]]:
    """All that the epochs and packs below the line's own prefix say they hold, but for what holds zeros."""
    found: list[Held] = []
    for prefix, form in ((f"{line.prefix}landing-log/tail/", EPOCH_NAME), (f"{line.prefix}packs/", PACK_NAME)):
        listed: list[Listed] = yield List(prefix)
        keys = [item for item in listed if form.fullmatch(item.key.removeprefix(line.prefix))]
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            if form is EPOCH_NAME:
                begun = yield tuple(Attempt(GetRange(item.key, 0, _FIRST_READ)) for item in some)
            else:
                begun = [None] * len(some)
            for item, raw in zip(some, begun, strict=True):
                base, objects = yield from _contents(line, item, raw)
                for hash_, kind, offset, length in objects:
                    if (item.key, base + offset) not in line.objects.zeros:
                        found.append(Held(hash_, Place(item.key, kind, base + offset, length)))
    return found


def _contents(line: Line, item: Listed, begun: bytes | MicError | None) -> Protocol[tuple[int, Sequence[Stored]]]:
    """Where offsets of a container count from, and its contents list; empty when it was collected meanwhile."""
    try:
        if begun is None:
            name = bytes.fromhex(item.key.rsplit("/", 1)[1].removesuffix(".pack"))
            return 0, (yield from read_pack_toc(line, PackRef(name, item.size)))
        if isinstance(begun, MicError):
            raise begun
        raw: bytes = begun
        if len(raw) < HEADER_BYTES:
            raise Corrupt(f"{item.key} is damaged: {len(raw)} bytes are less than its header", object=item.key)
        if len(raw) < (needed := meta_bytes(raw, item.key)):
            raw = yield GetRange(item.key, 0, needed)
        epoch = decode_epoch(raw, item.key)
        return epoch.data_start, epoch.objects
    except NotFound:
        return 0, ()
    except Corrupt as error:
        if isinstance(error.__cause__, NotFound):
            return 0, ()
        raise


def leaning(line: Line, held: Sequence[Held]) -> Protocol[list[Leaning]]:
    """The deltas and groups among them, each once."""
    places = sorted({item.place for item in held if item.place.kind in (stored.DELTA, stored.GROUP)})
    owners = {item.place: item.hash for item in held if item.place.kind == stored.DELTA}
    found: list[Leaning] = []
    for start in range(0, len(places), _AT_ONCE):
        some = places[start : start + _AT_ONCE]
        # Nothing vouches for a base but two readings: what leans on what goes, and was misread, would be lost.
        heads = yield tuple(Attempt(GetRange(place.key, place.offset, _head_bytes(place))) for place in some)
        again = yield tuple(Attempt(Fresh(place.key, place.offset, _head_bytes(place))) for place in some)
        for place, raw, other in zip(some, heads, again, strict=True):
            if isinstance(raw, NotFound) or isinstance(other, NotFound):
                continue  # nobody named it, and it was collected
            for one in (raw, other):
                if isinstance(one, MicError):
                    raise one
            if raw != other:
                raise Unavailable(f"two readings of {place.key} differ", hint="repeat it; the erasure goes on")
            name = f"what lies at {place.offset} in {place.key}"
            if place.kind == stored.DELTA:
                found.append(Leaning(place, decode_delta(raw, name).base, (owners[place],)))
                continue
            if len(raw) < (needed := min(table_bytes(raw, name), place.length)):
                raw = yield GetRange(place.key, place.offset, needed)
                if raw != (yield Fresh(place.key, place.offset, needed)):
                    raise Unavailable(f"two readings of {place.key} differ", hint="repeat it; the erasure goes on")
            group = decode_group(raw, name)
            found.append(Leaning(place, group.base, tuple(member.hash for member in group.members)))
    return found


def _head_bytes(place: Place) -> int:
    most = DELTA_HEADER if place.kind == stored.DELTA else GROUP_HEADER + 256 * MEMBER_BYTES
    return min(place.length, most)


def parts_of(line: Line, place: Place) -> Protocol[list[bytes]]:
    """The pages and chunks of a large content whose list lies at a place, as far as the pages can be read."""
    name = f"a chunk list in {place.key}"
    listed = decode_list((yield from read_place(line.objects, place, name)), name)
    parts = [entry.hash for entry in listed.entries]
    if listed.paged:
        for page in listed.entries:
            if line.objects.find(page.hash) is not None:
                parts += [chunk.hash for chunk in (yield from _chunks(line, page))]
    return parts


def _chunks(line: Line, page: Chunk) -> Protocol[list[Chunk]]:
    return (yield from read_page(line.objects, page))


def lists_of(line: Line, held: Sequence[Held], but: Collection[bytes]) -> Protocol[dict[bytes, set[bytes]]]:
    """Which large contents consist of each page and chunk, those of `but` left out."""
    users: dict[bytes, set[bytes]] = {}
    for object_hash, place in held:
        if place.kind == stored.CHUNK_LIST and object_hash not in but:
            for part in (yield from parts_of(line, place)):
                users.setdefault(part, set()).add(object_hash)
    return users


def naming(line: Line, contents: Collection[bytes]) -> Protocol[list[tuple[Named, bytes]]]:
    """The landings of the line's own log that gave a path one of these contents, oldest first; and which one."""
    assert line.head is not None
    found: list[tuple[Named, bytes]] = []
    at, last = line.start.position + 1, line.head.position
    while at <= last:
        stop = min(last, segment.segment_start(at) + segment.SEGMENT - 1)
        if (yield from may_name(line, at, contents)):
            for record in (yield from records(line, at, stop)):
                for change in record.changes:
                    if change.entry is not None and change.entry.hash in contents:
                        found.append((Named(line.project, record.position, change.path), change.entry.hash))
        at = stop + 1
    return found
