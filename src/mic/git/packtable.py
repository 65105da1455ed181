"""What a pack that was sent holds, while it is read and judged: rows of numbers, some sixty bytes an object.

A tuple with an id of its own took ten times as much, and the memory of an import grew with its history.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from mic.git.packindex import FAR_BASE, NO_BASE, CommitLine, Packed

_FIRST_SLOTS = 1 << 10


class PackTable:
    """Objects by their number, which is that of their entry, and by id. It is read as the index of a pack is.

    `lines` are what its commits name, as whoever reads them says.
    """

    def __init__(self) -> None:
        self.offsets = array("Q")  # of the entries, rising; behind the last one, where it ends
        self.lines: Sequence[CommitLine] = ()
        self.count = 0
        self.others = 0
        self._kinds = bytearray()  # 0: not known yet, or the object stands in an earlier entry
        self._sizes = array("I")
        self._bases = array("I")
        self._oids = bytearray()
        self._far: dict[int, bytes] = {}
        # By id: numbers from 1, each in the first free place behind the one that its hash gives.
        self._slots = array("I", bytes(4 * _FIRST_SLOTS))

    # ------------------------------------------------------------ making

    def entry(self, offset: int) -> int:
        """The next entry of the pack; its number."""
        number = len(self._kinds)
        self.offsets.append(offset)
        self._kinds.append(0)
        self._sizes.append(0)
        self._bases.append(NO_BASE)
        self._oids += bytes(20)
        return number

    def end(self, offset: int) -> None:
        """Where the last entry ends."""
        self.offsets.append(offset)

    def settle(self, number: int, kind: int, oid: bytes, size: int) -> int:
        """Say what an entry is; the number of the first one of that id, which is another where it is there twice."""
        self._oids[20 * number : 20 * number + 20] = oid
        slots, mask = self._slots, len(self._slots) - 1
        slot = hash(oid) & mask
        while slots[slot]:
            first = slots[slot] - 1
            if self._oids[20 * first : 20 * first + 20] == oid:
                return first
            slot = slot + 1 & mask
        slots[slot] = number + 1
        self._kinds[number], self._sizes[number] = kind, size
        self.count += 1
        if 2 * self.count > mask:
            self._grow()
        return number

    def lean(self, number: int, base: int) -> None:
        """Say that an entry is a delta on another one."""
        self._bases[number] = base

    def lean_far(self, number: int, base: bytes) -> None:
        """Say that an entry is a delta on an object that is not in the pack."""
        self._bases[number], self._far[number] = FAR_BASE, base

    def _grow(self) -> None:
        slots = array("I", bytes(8 * len(self._slots)))
        mask = len(slots) - 1
        for taken in self._slots:
            if taken:
                slot = hash(self.oid(taken - 1)) & mask
                while slots[slot]:
                    slot = slot + 1 & mask
                slots[slot] = taken
        self._slots = slots

    # ------------------------------------------------------------ reading

    @property
    def pack_bytes(self) -> int:
        """Up to the end of the last entry."""
        return self.offsets[-1]

    def find(self, oid: bytes) -> int | None:
        """The number of an object, None when it is not in the pack."""
        slots, mask, oids = self._slots, len(self._slots) - 1, self._oids
        slot = hash(oid) & mask
        while taken := slots[slot]:
            if oids[20 * taken - 20 : 20 * taken] == oid:
                return taken - 1
            slot = slot + 1 & mask
        return None

    def oid(self, number: int) -> bytes:
        """The id of an object by its number."""
        return bytes(self._oids[20 * number : 20 * number + 20])

    def kind(self, number: int) -> int:
        """The type of an object, 0 for an entry that was not made yet or whose object stands earlier."""
        return self._kinds[number]

    def place(self, number: int) -> tuple[int, int, int, int, int]:
        """(type, offset, stored bytes, base, size) of an object, as the index of a pack has it."""
        offset = self.offsets[number]
        stored = self.offsets[number + 1] - offset
        return self._kinds[number], offset, stored, self._bases[number], self._sizes[number]

    def other(self, number: int) -> bytes:
        """Nothing of a pack that was sent is stored elsewhere."""
        raise AssertionError(number)

    def oids(self) -> Iterator[bytes]:
        """All ids, in the order of the pack."""
        return (self.oid(number) for number, kind in enumerate(self._kinds) if kind)

    def objects(self) -> Iterator[Packed]:
        """All objects with the ids of their bases, in the order of the pack."""
        for number, kind in enumerate(self._kinds):
            if kind:
                _, offset, stored, base, size = self.place(number)
                leant = self.oid(base) if base < FAR_BASE else self._far.get(number, b"")
                yield Packed(self.oid(number), kind, offset, stored, size, leant)

    def commits(self) -> Iterator[CommitLine]:
        """What each commit of the pack names."""
        return iter(self.lines)
