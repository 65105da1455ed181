"""Small kept packs become one: their entries one behind the other, as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from mic.git.packentry import PACK_HEADER
from mic.git.packindex import FAR_BASE
from mic.git.packs import Found, Pack, Packs
from mic.git.packwrite import PackWriter, WrittenPack

# A pack is merged with those behind it while they together are at least half its size, so there are few of any size.
_FACTOR = 2
_AT_ONCE = 6
MAX_MERGED = 192 << 20


def due_to_merge(sizes: Sequence[int]) -> int:
    """How many of the newest packs are to become one, 0 for none. `sizes` from the oldest to the newest."""
    at, total = len(sizes) - 1, sizes[-1] if sizes else 0
    while at > 0 and sizes[at - 1] < _FACTOR * total and total + sizes[at - 1] <= MAX_MERGED:
        at -= 1
        total += sizes[at]
    count = len(sizes) - at
    return count if count >= _AT_ONCE else 0


def merge_packs(parts: Sequence[Pack], packs: Packs, out: BinaryIO) -> WrittenPack:
    """Write a pack of all that `parts` hold. `packs` knows where else their bases are."""
    writer = PackWriter(out)
    for pack in parts:
        items = []
        for number, item in enumerate(pack.index.objects()):
            if item.other:
                writer.elsewhere(item.kind, item.oid, item.size, item.other)
                continue
            if pack.index.place(number)[3] == FAR_BASE:
                base = packs.base_of(Found(pack, number, item.kind, item.size, False))
                item = item._replace(base=base or b"")
            items.append(item)
        # In the order in which they lie, so that a distance to a base stays what it is.
        items.sort(key=lambda item: item.offset)
        at = PACK_HEADER
        for item in items:
            assert item.offset == at, f"{pack.name} has a gap"
            writer.copy(item, pack.read(item.offset, item.stored))
            at += item.stored
        for line in pack.index.commits():
            writer.commit(line)
    return writer.finish()
