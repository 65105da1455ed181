"""Where the immutable objects of a line lie, and reading their stored bytes.

An object that a reachable object names and that cannot be found is damage, never an empty answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mic.core import epoch as stored
from mic.core.errors import Corrupt, NotFound
from mic.core.indexrun import IndexRun, Place
from mic.core.redaction import Redaction
from mic.core.tombstone import Displaced, Tombstone
from mic.ledger.effects import GetRange, Protocol
from mic.ledger.pins import Pins


class Objects:
    """Where the objects of one line lie: index runs for the sealed past, a dictionary for what came since.

    `reads` counts ranged reads, for the cost line at the foot of a page.
    """

    def __init__(self, name: str, below: Objects | None = None) -> None:
        self.name = name  # of the project, for messages
        self.runs: list[IndexRun] = []
        self.recent: dict[bytes, Place] = {}
        self.pins = Pins()
        self.below = below
        self.reads = 0
        # What was erased, and what that displaced. Most lines have none of it. Replaced as a whole, never changed.
        self.erased: Mapping[bytes, Tombstone] = {}
        self.moved: Mapping[bytes, Place] = {}
        self.zeros: frozenset[tuple[str, int]] = frozenset()
        # Of sessions whose words were erased, what stands in: where it lies, and its hash.
        self.redactions: tuple[Redaction, ...] = ()
        self.stand_ins: Mapping[bytes, tuple[Place, bytes]] = {}

    def find(self, object_hash: bytes) -> Place | None:
        if self.erased or self.zeros:
            return self._find_beside(object_hash)
        place = self.recent.get(object_hash)
        if place is None:
            for run in reversed(self.runs):
                if (place := run.find(object_hash)) is not None:
                    break
        if place is None and self.below is not None:
            return self.below.find(object_hash)
        return place

    def _find_beside(self, object_hash: bytes) -> Place | None:
        """As `find`, where something was erased: what holds zeros is no place."""
        return None if self.tombstone(object_hash) is not None else self.find_bytes(object_hash)

    def find_bytes(self, object_hash: bytes) -> Place | None:
        """Where the bytes of a content lie, also of one that was erased and is still to go."""
        place = self._find_own(object_hash)
        return self.below.find_bytes(object_hash) if place is None and self.below is not None else place

    def _find_own(self, object_hash: bytes) -> Place | None:
        """Where the bytes of a content lie that the project has itself."""
        place = self.moved.get(object_hash) or self.recent.get(object_hash)
        if place is not None and (place.key, place.offset) not in self.zeros:
            return place
        for run in reversed(self.runs):
            place = run.find(object_hash)
            if place is not None and (place.key, place.offset) not in self.zeros:
                return place
        return None

    def bare(self) -> Objects:
        """The same without tombstones: for whoever moves what is still leaned on."""
        found = Objects(self.name, self.below.bare() if self.below is not None else None)
        found.runs, found.recent, found.moved, found.zeros = self.runs, self.recent, self.moved, self.zeros
        return found

    def tombstone(self, object_hash: bytes) -> Tombstone | None:
        """What is left of a content that was erased here, or in what lies below; None for any other.

        A fork that has landed it by itself has it, whatever became of its origin's.
        """
        found = self.erased.get(object_hash)
        if found is not None or self.below is None:
            return found
        found = self.below.tombstone(object_hash)
        return None if found is None or self._find_own(object_hash) is not None else found

    def any_erased(self) -> bool:
        """Whether any content was erased, here or in what lies below."""
        return bool(self.erased) or (self.below is not None and self.below.any_erased())

    def stand_in(self, session_object: bytes) -> tuple[Place, bytes] | None:
        """What stands in the place of a session object, and its hash; None for most of them."""
        found = self.stand_ins.get(session_object)
        return self.below.stand_in(session_object) if found is None and self.below is not None else found

    def refuse_erased(self, hashes: Iterable[bytes]) -> None:
        """Raises Erased when one of the contents may not be stored here again."""
        at: Objects | None = self
        while at is not None and not at.erased:
            at = at.below
        if at is None:
            return
        for object_hash in hashes:
            if (tombstone := at.tombstone(object_hash)) is not None:
                raise tombstone.error()

    def bury(self, prefix: str, tombstones: Iterable[Tombstone], displaced: Iterable[Displaced]) -> None:
        """Take in all that was erased of the project with this prefix, beside what was taken in of others."""
        items = list(displaced)
        zeros = self.zeros.union((prefix + name, offset) for item in items for name, offset, _ in item.ranges)
        moved = dict(self.moved)
        for item in items:
            for object_hash, kind, name, offset, length in item.moved:
                if (prefix + name, offset) not in zeros:  # a later erasure may have gone through an earlier one's pack
                    moved[object_hash] = Place(prefix + name, kind, offset, length)
        self.erased = {**self.erased, **{tombstone.content: tombstone for tombstone in tombstones}}
        self.moved = {each: place for each, place in moved.items() if (place.key, place.offset) not in zeros}
        self.zeros = zeros

    def is_zero(self, place: Place) -> bool:
        """Whether what lay at a place has gone with something that was erased."""
        if (place.key, place.offset) in self.zeros:
            return True
        return self.below is not None and self.below.is_zero(place)

    def all_runs(self) -> list[IndexRun]:
        """The index runs by which contents are found now, those of what lies below included."""
        return [*self.runs, *(self.below.all_runs() if self.below is not None else ())]

    def holds(self, object_hash: bytes) -> bool:
        """Whether there is a content of this hash: not only a tree node or a session of the same bytes."""
        place = self.find(object_hash)
        return place is not None and place.kind in stored.CONTENTS

    def add(self, key: str, base: int, objects: Iterable[stored.Stored]) -> None:
        """Objects of a container whose offsets count from byte `base`."""
        for item in objects:
            self.recent[item.hash] = Place(key, item.kind, base + item.offset, item.length)

    def require(self, object_hash: bytes, what: str) -> Place:
        """Where an object lies that something names; raises Erased, Corrupt."""
        place = self.find(object_hash)
        if place is None:
            self.refuse_erased([object_hash])
            raise self._missing(object_hash, what)
        return place

    def require_base(self, object_hash: bytes, what: str) -> Place:
        """As `require`, of what another content leans on: erased or not."""
        place = self.find_bytes(object_hash)
        if place is None:
            raise self._missing(object_hash, what)
        return place

    def _missing(self, object_hash: bytes, what: str) -> Corrupt:
        return Corrupt(
            f"{what} {object_hash.hex()} of project {self.name} is missing from the store",
            hint="restore the project's objects from a backup",
            object=object_hash.hex(),
        )


def read_place(objects: Objects, place: Place, what: str) -> Protocol[bytes]:
    """The stored bytes at a place; raises Corrupt when the container is absent or too short."""
    objects.reads += 1
    try:
        raw = yield GetRange(place.key, place.offset, place.length)
    except NotFound as error:
        raise missing(place.key, f"; it holds {what} of project {objects.name}") from error
    check_length(place, raw, what)
    return raw  # type: ignore[no-any-return]


def missing(key: str, more: str = "", hint: str = "restore the object from a backup") -> Corrupt:
    """The error for an object that something else names; `more` goes on with its sentence."""
    return Corrupt(f"{key} is missing from the store{more}", hint=hint, object=key)


def check_length(place: Place, raw: bytes, what: str) -> None:
    """Raises Corrupt when fewer bytes came than the place holds."""
    if len(raw) != place.length:
        raise Corrupt(
            f"{place.key} is cut short: {what} needs {place.length} bytes at {place.offset}, {len(raw)} are there",
            hint="restore the object from a backup",
            object=place.key,
            offset=place.offset,
        )
