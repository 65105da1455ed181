"""Reading contents of one piece, however they are stored: whole, as a delta, as a member of a group.

A form that leans on a base is read together with it, and that one's base, down to a whole content. All forms of
one step are read at once, neighbours in one range. What comes out is verified by its hash, bases included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mic.core import epoch as stored
from mic.core.blob import MAX_WHOLE, blob_size, decode_blob, frame_size, inflate_node
from mic.core.delta import (
    GROUP_HEADER,
    MAX_DEPTH,
    Delta,
    Group,
    decode_delta,
    decode_group,
    member_size,
    open_delta,
    open_group,
    table_bytes,
)
from mic.core.errors import Corrupt, NotFound, TooLarge
from mic.core.ids import content_hash
from mic.core.indexrun import Place
from mic.ledger.effects import GetRange, Protocol
from mic.ledger.objects import Objects, check_length, read_place

# Neighbouring contents are read in one range of at most this size, across gaps of at most GAP.
READ_BYTES = 4 << 20
GAP = 64 << 10
_HEAD = 8  # 'MICB' and the size


def read_small(objects: Objects, hashes: Iterable[bytes], limit: int = MAX_WHOLE) -> Protocol[dict[bytes, bytes]]:
    """Contents of one piece by hash, each of at most `limit` bytes.

    Raises TooLarge before it inflates more, Corrupt when one is missing or damaged, leans on a missing one, or on
    itself by way of others.
    """
    asked = list(dict.fromkeys(hashes))
    while True:
        runs, zeros = objects.all_runs(), objects.zeros
        try:
            return (yield from _read_small(objects, asked, limit))
        except Corrupt:
            # Compaction turns around what leans on what: half a chain from before it and half from behind it can be a
            # ring. Whoever met the change of the index runs reads once more.
            if objects.all_runs() == runs and objects.zeros is zeros:
                raise


def _read_small(objects: Objects, asked: Sequence[bytes], limit: int) -> Protocol[dict[bytes, bytes]]:
    forms: dict[bytes, Form] = {}
    front = asked
    for step in range(MAX_DEPTH + 2):
        front = [object_hash for object_hash in dict.fromkeys(front) if object_hash not in forms]
        if not front:
            break
        if step > MAX_DEPTH:
            raise _too_deep(objects, front[0])
        # What was erased may still be leaned on, for as long as its bytes are there.
        found = yield from _read_forms(objects, front, objects.require_base if step else objects.require)
        forms.update(found)
        front = [form.base for form in found.values() if form.base is not None]
    for object_hash in asked:
        size = forms[object_hash].size(object_hash)
        if size > limit:
            raise TooLarge(f"content {object_hash.hex()} has {size} bytes; the limit here is {limit}", size=size)
    opened: dict[bytes, bytes] = {}
    for object_hash in asked:
        _open_chain(objects, forms, opened, object_hash)
    return {object_hash: opened[object_hash] for object_hash in asked}


def small_size(objects: Objects, place: Place, object_hash: bytes) -> Protocol[int]:
    """The size that the stored form of a content of one piece states, without reading the content."""
    name = _name(object_hash, place)
    if place.kind == stored.GROUP:
        header = yield from read_place(objects, place._replace(length=min(place.length, GROUP_HEADER)), name)
        length = min(table_bytes(header, name), place.length)
        table = yield from read_place(objects, place._replace(length=length), name)
        return member_size(decode_group(table, name), object_hash, name)
    if place.kind == stored.NODE:
        return frame_size((yield from read_place(objects, place, name)), name)
    header = yield from read_place(objects, place._replace(length=min(place.length, 8)), name)
    if header[:4] != (b"MICD" if place.kind == stored.DELTA else b"MICB") or len(header) < 8:
        raise Corrupt(f"{name} is damaged: no content begins like it", object=place.key, offset=place.offset)
    return int.from_bytes(header[4:], "big")


def stated_sizes(objects: Objects, hashes: Iterable[bytes]) -> Protocol[dict[bytes, int]]:
    """The sizes that whole contents state, many in one read: a landing of 100,000 files asks for all of them.

    What is not there, stored otherwise or damaged is left out; `expected_size` says what is wrong with it.
    """
    containers: dict[str, list[tuple[int, bytes]]] = {}
    for object_hash in hashes:
        place = objects.find(object_hash)
        if place is not None and place.kind == stored.BLOB and place.length >= _HEAD:
            containers.setdefault(place.key, []).append((place.offset, object_hash))
    sizes: dict[bytes, int] = {}
    for key, heads in sorted(containers.items()):
        heads.sort()
        at = 0
        while at < len(heads):
            first = end = heads[at][0]
            stop = at
            while stop < len(heads):
                offset = heads[stop][0]
                if offset > end + GAP or offset + _HEAD - first > READ_BYTES:
                    break
                stop, end = stop + 1, offset + _HEAD
            objects.reads += 1
            try:
                raw = yield GetRange(key, first, end - first)
            except NotFound:
                raw = b""
            _read_heads(raw, first, heads[at:stop], sizes)
            at = stop
    return sizes


def _read_heads(raw: bytes, first: int, heads: list[tuple[int, bytes]], sizes: dict[bytes, int]) -> None:
    """The sizes that stored contents state, from the bytes of their container from offset `first` on."""
    for offset, object_hash in heads:
        head = raw[offset - first : offset - first + _HEAD]
        if len(head) == _HEAD and head.startswith(b"MICB"):
            sizes[object_hash] = int.from_bytes(head[4:], "big")


def expected_size(objects: Objects, place: Place, object_hash: bytes, expected: int) -> Protocol[int]:
    """The size of a content of one piece that somebody expects to be `expected`.

    Nothing vouches for the number that a stored form states. Where it is another one, the content itself is read, so
    that damage is Corrupt and never looks like a mistake of whoever expected something.
    """
    if (yield from small_size(objects, place, object_hash)) == expected:
        return expected
    here = Objects(objects.name, below=objects)
    here.recent[object_hash] = place
    return len((yield from read_small(here, [object_hash]))[object_hash])


class Form:
    """The stored bytes at a place, and which contents are wanted of them. Raises Corrupt when they cannot be such."""

    def __init__(self, place: Place, raw: bytes, wanted: Sequence[bytes]) -> None:
        self.name = _name(wanted[0], place)
        self.raw, self.wanted, self.kind = raw, wanted, place.kind
        self.parts: Delta | Group | None = None
        if place.kind == stored.DELTA:
            self.parts = decode_delta(raw, self.name)
        elif place.kind == stored.GROUP:
            self.parts = decode_group(raw, self.name)
        elif place.kind not in (stored.BLOB, stored.NODE, stored.SESSION):
            raise Corrupt(f"{self.name} is damaged: its entry names no content of one piece", object=place.key)

    @property
    def base(self) -> bytes | None:
        """The content that this form leans on; None when it stands alone."""
        return self.parts.base if self.parts else None

    def size(self, object_hash: bytes) -> int:
        """The bytes of one of the wanted contents, as the form states them; raises Corrupt."""
        if self.kind == stored.NODE:
            return frame_size(self.raw, self.name)
        if self.kind == stored.SESSION:
            return len(self.raw)
        if self.parts is None:
            size = blob_size(self.raw, self.name)
            if frame_size(self.raw[8:], self.name) != size:  # else damage could look like a content beyond a limit
                raise Corrupt(
                    f"{self.name} is damaged: it says {size} bytes and holds another number", object=self.name
                )
            return size
        return member_size(self.parts, object_hash, self.name) if isinstance(self.parts, Group) else self.parts.size

    def open(self, base: bytes) -> dict[bytes, bytes]:
        """The wanted contents, verified by their hashes; raises Corrupt. `base` are the bytes of what it leans on."""
        if self.kind == stored.NODE:
            return {self.wanted[0]: inflate_node(self.raw, self.wanted[0], self.name)}
        if self.kind == stored.SESSION:
            if content_hash(self.raw) != self.wanted[0]:
                raise Corrupt(f"{self.name} is damaged: its bytes have another hash", object=self.name)
            return {self.wanted[0]: self.raw}
        if self.parts is None:
            return {self.wanted[0]: decode_blob(self.raw, self.wanted[0], self.name)}
        if isinstance(self.parts, Group):
            return open_group(self.parts, base, self.wanted, self.name)
        return {self.wanted[0]: open_delta(self.parts, base, self.wanted[0], self.name)}


def _read_forms(
    objects: Objects, hashes: Sequence[bytes], require: Callable[[bytes, str], Place]
) -> Protocol[dict[bytes, Form]]:
    wanted: dict[Place, list[bytes]] = {}
    alone: list[tuple[Place, bytes]] = []  # two contents of one range are damage unless it is a group
    for object_hash in hashes:
        place = require(object_hash, "content")
        if place.kind == stored.GROUP:
            wanted.setdefault(place, []).append(object_hash)
        else:
            alone.append((place, object_hash))
    raws = yield from read_places(objects, [*wanted, *(place for place, _ in alone)])
    found = {}
    for place, members in wanted.items():
        form = Form(place, raws[place], members)
        found.update(dict.fromkeys(members, form))
    for place, object_hash in alone:
        found[object_hash] = Form(place, raws[place], [object_hash])
    return found


def _open_chain(objects: Objects, forms: dict[bytes, Form], opened: dict[bytes, bytes], object_hash: bytes) -> None:
    """Open what a content leans on from the bottom up, then itself."""
    chain: list[Form] = []
    at: bytes | None = object_hash
    while at is not None and at not in opened:
        if len(chain) > MAX_DEPTH:
            raise _too_deep(objects, object_hash)
        chain.append(forms[at])
        at = forms[at].base
    for form in reversed(chain):
        # A group is opened once for all that is wanted of it; a chain cannot come back to it but in a ring.
        opened.update(form.open(opened[form.base] if form.base is not None else b""))


def _too_deep(objects: Objects, object_hash: bytes) -> Corrupt:
    return Corrupt(
        f"content {object_hash.hex()} of project {objects.name} is damaged: it leans on more than {MAX_DEPTH} others, "
        "or on itself",
        hint="restore the project's objects from a backup",
        object=object_hash.hex(),
    )


def read_places(objects: Objects, places: Sequence[Place]) -> Protocol[dict[Place, bytes]]:
    """The stored bytes of several places, all reads at once, neighbours in one; raises Corrupt when some are absent."""
    if not places:
        return {}
    if len(places) == 1:
        return {places[0]: (yield from read_place(objects, places[0], "a content"))}
    spans: list[tuple[GetRange, list[Place]]] = []
    for place in sorted(set(places), key=lambda place: (place.key, place.offset)):
        if spans:
            last, members = spans[-1]
            end, beyond = last.start + last.length, max(last.start + last.length, place.offset + place.length)
            if last.key == place.key and place.offset <= end + GAP and beyond - last.start <= READ_BYTES:
                spans[-1] = (last._replace(length=beyond - last.start), [*members, place])
                continue
        spans.append((GetRange(place.key, place.offset, place.length), [place]))
    objects.reads += len(spans)
    try:
        raws = yield tuple(span for span, _ in spans)
    except NotFound as error:
        raise Corrupt(
            f"contents of project {objects.name} are missing: {error.message}",
            hint="restore the project's objects from a backup",
        ) from error
    found = {}
    for (span, members), raw in zip(spans, raws, strict=True):
        for place in members:
            piece = raw[place.offset - span.start : place.offset - span.start + place.length]
            check_length(place, piece, "a content")
            found[place] = piece
    return found


def _name(object_hash: bytes, place: Place) -> str:
    return f"content {object_hash.hex()} in {place.key}"
