"""Contents that lean on others: read back whole, with few reads, or damage that is named."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from ledgers import damage_of
from mic.core.blob import encode_blob
from mic.core.chunklist import Chunk, encode_chunk_list
from mic.core.delta import encode_delta, encode_group
from mic.core.epoch import BLOB, CHUNK_LIST, DELTA, GROUP
from mic.core.errors import Corrupt, TooLarge
from mic.core.ids import content_hash
from mic.core.indexrun import Place
from mic.ledger.contents import read_blob
from mic.ledger.download import read_frames
from mic.ledger.driver import Driver
from mic.ledger.frame import plain
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache
from mic.ledger.small import read_small, small_size
from mic.store import MemoryStore

# Versions of a file of 60 lines: each changes one line of the one before.
_NOISE = random.Random(11).randbytes(100 * 12)
_LINES = [_NOISE[at * 12 : at * 12 + 12].hex().encode() + b"\n" for at in range(100)]
V = [b"".join(_LINES[at : 60 + at]) for at in range(40)]
H = [content_hash(data) for data in V]


class Shelf:
    """A line with nothing but objects, put where a test wants them."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.driver = Driver(self.store)
        self.line = Line("p", NodeCache())
        self.objects = self.line.objects

    def put(self, key: str, *objects: tuple[list[bytes], int, bytes]) -> None:
        """A container of (hashes, kind, stored bytes), each found under all of its hashes."""
        raw = b"junk"
        for hashes, kind, data in objects:
            for object_hash in hashes:
                self.objects.recent[object_hash] = Place(key, kind, len(raw), len(data))
            raw += data
        self.store.put(key, raw)

    def read(self, *hashes: bytes) -> dict[bytes, bytes]:
        return self.driver.run(read_small(self.objects, hashes))

    def size(self, object_hash: bytes) -> int:
        return self.driver.run(small_size(self.objects, self.objects.require(object_hash, "content"), object_hash))


@pytest.fixture
def shelf() -> Shelf:
    """Version 0 whole; 1..8 each a delta of the one before; 10..19 a group over 0; 20 a delta of a member."""
    shelf = Shelf()
    shelf.put("k/whole", ([H[0]], BLOB, encode_blob(V[0])))
    chain = [([H[at]], DELTA, encode_delta(H[at - 1], V[at - 1], at, V[at])) for at in range(1, 9)]
    shelf.put("k/chain", *chain)
    shelf.put("k/group", (H[10:20], GROUP, encode_group(H[0], V[0], 1, list(zip(H[10:20], V[10:20], strict=True)))))
    shelf.put("k/over", ([H[20]], DELTA, encode_delta(H[15], V[15], 2, V[20])))
    return shelf


def test_every_form_comes_back(shelf: Shelf) -> None:
    wanted = [0, *range(1, 9), *range(10, 21)]
    assert shelf.read(*(H[at] for at in wanted)) == {H[at]: V[at] for at in wanted}
    for at in wanted:
        assert shelf.read(H[at]) == {H[at]: V[at]}
        assert shelf.driver.run(read_blob(shelf.objects, H[at], 9999)) == V[at]
        assert shelf.size(H[at]) == len(V[at]) == 1500


def test_one_step_of_a_chain_is_one_read_and_a_group_is_read_once(shelf: Shelf) -> None:
    shelf.read(*H[10:20])
    assert shelf.objects.reads == 2  # the group, its base
    shelf.read(*H[1:9])
    assert shelf.objects.reads == 2 + 2  # eight neighbours in one range, their base
    shelf.read(H[8])
    assert shelf.objects.reads == 4 + 9  # nothing said before what it leans on


def test_forms_of_several_kinds_in_one_container(shelf: Shelf) -> None:
    """In whatever order they lie: a group before what is whole, a delta between."""
    group = encode_group(H[0], V[0], 1, [(H[21], V[21]), (H[22], V[22])])
    delta = encode_delta(H[0], V[0], 1, V[24])
    shelf.put("k/mixed", ([H[21], H[22]], GROUP, group), ([H[24]], DELTA, delta), ([H[23]], BLOB, encode_blob(V[23])))
    assert shelf.read(*H[21:25]) == dict(zip(H[21:25], V[21:25], strict=True))
    assert shelf.objects.reads == 2


def test_a_content_beyond_the_limit_is_not_inflated(shelf: Shelf) -> None:
    for at in (0, 3, 12, 20):
        with pytest.raises(TooLarge, match="has 1500 bytes; the limit here is 1499"):
            shelf.driver.run(read_blob(shelf.objects, H[at], 1499))


def test_frames_are_whole_contents(shelf: Shelf) -> None:
    """Whoever receives them needs to know nothing of bases; a chunk may be a delta too."""
    shelf.put("k/list", ([bytes(32)], CHUNK_LIST, encode_chunk_list([_chunk(0), _chunk(5), _chunk(12)])))
    frames = list(read_frames(shelf.line.objects, [*H[0:9], *H[10:21], bytes(32)], shelf.driver.run))
    small = {frame.hash: plain(frame) for frame in frames if frame.hash != bytes(32)}
    assert small == {H[at]: V[at] for at in [*range(9), *range(10, 21)]}
    large = [frame for frame in frames if frame.hash == bytes(32)]
    assert [frame.offset for frame in large] == [0, 1500, 3000]
    assert [frame.data for frame in large] == [encode_blob(V[at])[8:] for at in (0, 5, 12)]


def _chunk(at: int) -> Chunk:
    return Chunk(H[at], 1500)


def _ring(shelf: Shelf) -> None:
    """1 over 8 over 7 ... over 1: only a wrong index or wrong bytes can make it."""
    shelf.put("k/ring", ([H[1]], DELTA, encode_delta(H[8], V[8], 1, V[1])))


def _itself(shelf: Shelf) -> None:
    shelf.put("k/itself", ([H[1]], DELTA, encode_delta(H[1], V[1], 1, V[1])))


def _member_of_its_base(shelf: Shelf) -> None:
    """A group whose base is a member of the same range."""
    raw = encode_group(H[2], V[2], 1, [(H[1], V[1]), (H[3], V[3])])
    shelf.put("k/knot", ([H[1], H[2]], GROUP, raw))


def _nine(shelf: Shelf) -> None:
    """One step more than a reader takes."""
    shelf.put("k/below", ([H[0]], DELTA, encode_delta(H[30], V[30], 1, V[0])), ([H[30]], BLOB, encode_blob(V[30])))


def _base_gone(shelf: Shelf) -> None:
    del shelf.objects.recent[H[0]]


def _container_gone(shelf: Shelf) -> None:
    shelf.store.delete("k/whole")


def _container_cut(shelf: Shelf) -> None:
    shelf.store.put("k/whole", shelf.store.get("k/whole").data[:-1])


def _another_base(shelf: Shelf) -> None:
    shelf.put("k/whole", ([H[0]], BLOB, encode_blob(V[39])))


def _base_is_a_list(shelf: Shelf) -> None:
    shelf.put("k/list", ([H[0]], CHUNK_LIST, encode_chunk_list([])))


def _wrong_kind(shelf: Shelf) -> None:
    place = shelf.objects.recent[H[0]]
    shelf.objects.recent[H[0]] = place._replace(kind=GROUP)


DAMAGES = [
    _ring,
    _itself,
    _member_of_its_base,
    _nine,
    _base_gone,
    _container_gone,
    _container_cut,
    _another_base,
    _base_is_a_list,
    _wrong_kind,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_below_is_named_and_no_other_bytes_come(damage: Callable[[Shelf], None], shelf: Shelf) -> None:
    damage(shelf)
    found = damage_of(lambda: shelf.read(H[8]))
    assert "damaged" in found.message or "missing" in found.message or "cut short" in found.message
    damage_of(lambda: list(read_frames(shelf.line.objects, [H[8]], shelf.driver.run)))


def test_a_content_that_is_no_member_of_its_group_is_damage(shelf: Shelf) -> None:
    shelf.objects.recent[H[25]] = shelf.objects.recent[H[15]]
    assert "is no member of the group" in damage_of(lambda: shelf.read(H[25])).message
    assert "is no member of the group" in damage_of(lambda: shelf.size(H[25])).message


def test_flipped_bytes_are_damage_or_the_right_answer(shelf: Shelf) -> None:
    rnd = random.Random(5)
    for key in ("k/whole", "k/chain", "k/group", "k/over"):
        good = shelf.store.get(key).data
        for _ in range(60):
            at = rnd.randrange(4, len(good))
            shelf.store.put(key, good[:at] + rnd.randbytes(1) + good[at + 1 :])
            for wanted in (8, 10, 19, 20):
                try:
                    assert shelf.read(H[wanted]) == {H[wanted]: V[wanted]}
                except Corrupt:
                    continue
        shelf.store.put(key, good)
