"""A pushed pack before it counts: read, checked, and joined to what is here; then kept as a pack of our own."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from itertools import islice
from typing import BinaryIO

from mic.core.errors import Corrupt, InvalidInput
from mic.git.objects import EMPTY_TREE_OID, commit_line, tag_target
from mic.git.packentry import BLOB, COMMIT, NAMES, OFS_DELTA, PACK_HEADER, REF_DELTA, TAG, TREE, entry_header, ofs_base
from mic.git.packentry import read_header as header_of
from mic.git.packindex import CommitLine, Packed
from mic.git.packs import Pack, Packs
from mic.git.packscan import NAME, Limits, scan_pack
from mic.git.packtable import PackTable
from mic.git.packwrite import PackWriter, WrittenPack
from mic.git.snapshot import Snapshot
from mic.git.tree_entries import kinds_in, kinds_of
from mic.git.tree_windows import Made, Window, Windows

# Judges an object: id, type and bytes, and of a tree perhaps where it differs from one that was judged before; raises
# InvalidInput for one that is refused.
Check = Callable[[bytes, int, bytes, Window | None], None]
# What is written as one pack is listed in memory, 400 bytes an object.
_OBJECTS = 200_000
# To say who names what was not sent, so many objects are read again.
_LOOKED_AT = 10_000


class Quarantine:
    """The objects of a push before the objects of the project. Nothing of it is kept before `write`.

    Raises InvalidInput for what is no pack, what `check` refuses, or an object that names one that is neither in the
    pack nor here; TooLarge beyond `limits`.
    """

    def __init__(self, file: BinaryIO | None, snapshot: Snapshot, here: Packs, check: Check, limits: Limits) -> None:
        self.lines: list[CommitLine] = []
        self._here, self._check = here, check
        self._named: dict[bytes, int] = {}  # id -> type that it must have
        self._windows = Windows()
        self._table = PackTable()
        self._raw = memoryview(b"")
        self._passing: set[bytes] = set()
        packs = list(snapshot.packs)
        if file is not None:
            self._raw = _mapped(file)
            try:
                scan_pack(self._raw, self._external, self._visit, limits, self._table)
            except Corrupt as error:
                raise InvalidInput(error.message, hint="Push again; `git fsck` checks your side.") from error
            self._table.lines = self.lines
            packs.insert(0, Pack(NAME, self._table, lambda offset, length: self._raw[offset : offset + length]))
        self.graph = snapshot.graph.with_more(self.lines)
        self.packs = Packs(packs, here.content)
        self._connected()

    def _external(self, oid: bytes) -> tuple[int, bytes] | None:
        return self._here.read(oid) if self._here.has(oid) else None

    def _visit(self, oid: bytes, kind: int, data: bytes, made: Made | None) -> None:
        window = self._windows.over(oid, data, made) if kind == TREE and made is not None else None
        self._check(oid, kind, data, window)
        said = self._named.pop(oid, kind)
        if said != kind:
            raise _mistaken(oid, kind, said)
        if kind == COMMIT:
            line = commit_line(oid, data)
            self.lines.append(line)
            self._name(line.tree, TREE)
            for parent in line.parents:
                self._name(parent, COMMIT)
        elif kind == TREE:
            named = self._named
            kinds, parts = kinds_of(data, oid) if window is None else kinds_in(window.fresh, oid)
            for digits, _, entry in parts:
                # Versions of a tree name nearly the same.
                if (entry_kind := kinds[digits]) and named.get(entry) != entry_kind:
                    self._name(entry, entry_kind)
        elif kind == TAG:
            self._name(*tag_target(oid, data))

    def _name(self, oid: bytes, kind: int) -> None:
        """Note what an object has to be; one that was read already is looked at now."""
        number = self._table.find(oid)
        found = self._table.kind(number) if number is not None else self._named.setdefault(oid, kind)
        if found != kind:
            raise _mistaken(oid, found, kind)

    def _connected(self) -> None:
        """Every object that a new one names and that was not sent is here, and what it is said to be."""
        for oid, kind in self._named.items():
            found = self._here.find(oid)
            if found is None and oid != EMPTY_TREE_OID:
                raise InvalidInput(
                    f"The {NAMES[kind].decode()} {oid.hex()}{self._namer(oid)} was not sent.",
                    hint="Push again; `git fsck` checks your side. A shallow clone has to be deepened first.",
                )
            if found is not None and found.kind != kind:
                raise _mistaken(oid, found.kind, kind)
        self._named.clear()

    def _namer(self, named: bytes) -> str:
        """Which object of the pack names another one, in words; "" where looking for it would take long."""
        for item in islice(self._table.objects(), _LOOKED_AT):
            if item.kind != BLOB:
                data = self.packs.read(item.oid)[1]
                if named in data or named.hex().encode() in data:
                    return f", which {item.oid.hex()[:12]} names,"
        return ""

    def follow(self, snapshot: Snapshot, here: Packs) -> None:
        """What is here has moved on: look at what was sent beside a newer snapshot."""
        own = [pack for pack in self.packs.packs if pack.name == NAME]
        self.graph = snapshot.graph.with_more(self.lines)
        self.packs = Packs([*own, *snapshot.packs], here.content)
        self._here = here

    def rebase(self, here: Packs) -> None:
        """What is here has grown: the next `write` leaves that out too."""
        self._here = here

    def leave_out(self, oids: set[bytes]) -> None:
        """These objects are read and not kept, but for those that others lean on."""
        self._passing = oids
        bases = {item.oid: item.base for item in self._table.objects()}
        todo = [base for oid, base in bases.items() if base and oid not in oids]
        while todo:
            base = todo.pop()
            if base in self._passing:
                self._passing.discard(base)
                todo += [bases[base]] if bases.get(base) else []

    @property
    def empty(self) -> bool:
        """Whether nothing was sent that is to be kept and not here already."""
        return all(oid in self._passing or self._here.has(oid) for oid in self._table.oids())

    def write(self, out: BinaryIO) -> WrittenPack:
        """A pack of what is new, in the order in which it was sent. What is here already is left out."""
        writer = PackWriter(out)
        places: dict[bytes, int] = {}
        for item in self._table.objects():
            if item.oid not in self._passing and not self._here.has(item.oid):
                places[item.oid] = writer.copy(item, b"".join(self._entry(item, places, writer.size)))
        for line in self.lines:
            if line.oid in places:
                writer.commit(line)
        return writer.finish()

    def write_all(self, make: Callable[[], BinaryIO], limit: int) -> Iterator[tuple[WrittenPack, BinaryIO]]:
        """Packs of about `limit` bytes of what is new, each in a file that `make` gives, in the order as sent."""
        lines = {line.oid: line for line in self.lines}
        places: dict[bytes, int] = {}
        writer = PackWriter(out := make())
        for item in self._table.objects():
            if self._here.has(item.oid):
                continue
            places[item.oid] = writer.copy(item, b"".join(self._entry(item, places, writer.size)))
            if item.kind == COMMIT:
                writer.commit(lines[item.oid])
            if writer.size >= limit or writer.objects >= _OBJECTS:
                yield writer.finish(), out
                writer, places = PackWriter(out := make()), {}
        if writer.objects:
            yield writer.finish(), out

    def _entry(self, item: Packed, places: dict[bytes, int], at: int) -> Iterator[bytes | memoryview]:
        raw = self._raw[item.offset : item.offset + item.stored]
        header = header_of(raw, 0, NAME)
        if header.kind == OFS_DELTA and item.base in places:
            yield entry_header(OFS_DELTA, header.size) + ofs_base(at - places[item.base])
        elif header.kind in (OFS_DELTA, REF_DELTA):
            yield entry_header(REF_DELTA, header.size) + item.base
        else:
            yield raw
            return
        yield raw[header.data :]


def _mistaken(oid: bytes, kind: int, said: int) -> InvalidInput:
    what = f"{oid.hex()}, a {NAMES[kind].decode()}"
    return InvalidInput(f"An object that was sent takes {what}, for a {NAMES[said].decode()}.")


def _mapped(file: BinaryIO) -> memoryview:
    """What is left of the file: commands and options may stand before the pack."""
    start = file.tell()
    file.seek(0, 2)
    if file.tell() - start < PACK_HEADER:
        raise InvalidInput("What was sent is no Git pack.", hint="Push again with git.")
    file.flush()
    try:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))[start:]
    except OSError:  # no file of the system
        file.seek(start)
        return memoryview(file.read())
