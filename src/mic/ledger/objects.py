"""Where the immutable objects of a line lie, and reading their stored bytes.

An object that a reachable object names and that cannot be found is damage, never an empty answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from mic.core import epoch as stored
from mic.core.errors import Corrupt, NotFound
from mic.core.indexrun import IndexRun, Place
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

    def find(self, object_hash: bytes) -> Place | None:
        place = self.recent.get(object_hash)
        if place is None:
            for run in reversed(self.runs):
                if (place := run.find(object_hash)) is not None:
                    break
        if place is None and self.below is not None:
            return self.below.find(object_hash)
        return place

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
        place = self.find(object_hash)
        if place is None:
            raise Corrupt(
                f"{what} {object_hash.hex()} of project {self.name} is missing from the store",
                hint="restore the project's objects from a backup",
                object=object_hash.hex(),
            )
        return place


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
