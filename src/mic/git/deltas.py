"""Writing objects that are versions of one another: as deltas, where that saves something."""

from __future__ import annotations

from collections.abc import Callable

from mic.git.packentry import make_delta
from mic.git.packs import Packs
from mic.git.packwrite import PackWriter

# As deep as Git makes chains of deltas.
MAX_DEPTH = 50


class DeltaWriter:
    """Adds objects to a pack that are neither there nor in `packs`."""

    def __init__(self, packs: Packs, writer: PackWriter) -> None:
        self._packs, self._writer = packs, writer
        self._depths: dict[bytes, int] = {}

    def here(self, oid: bytes) -> bool:
        """Whether an object is there already."""
        return self._writer.holds(oid) or self._packs.has(oid)

    def add(self, kind: int, oid: bytes, data: bytes, before: bytes, read: Callable[[bytes], bytes]) -> None:
        """As a delta on the version `before` (b"" for none) where that is here, not too deep, and saves something."""
        if before and before != oid and len(data) > 200 and self.here(before):
            depth = self._depth(before) + 1
            if depth <= MAX_DEPTH:
                delta = make_delta(read(before), data)
                if delta is not None:
                    self._writer.add(kind, oid, data, before, delta)
                    self._depths[oid] = depth
                    return
        self._writer.add(kind, oid, data)
        self._depths[oid] = 0

    def _depth(self, oid: bytes) -> int:
        """How many deltas an object stands on; counted no further than matters."""
        depth = 0
        while depth <= MAX_DEPTH:
            if oid in self._depths:
                return depth + self._depths[oid]
            found = self._packs.find(oid)
            base = self._packs.base_of(found) if found is not None else None
            if base is None:
                return depth
            oid, depth = base, depth + 1
        return depth
