"""Large contents: lists that are sent, ranges that are read, and what is refused or damaged."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from itertools import pairwise

import pytest
import zstandard

from ledgers import Traced, damage_of, request, traced
from mic.core.blob import compress, frame_blob
from mic.core.chunking import chunk_stream
from mic.core.chunklist import Chunk, encode_chunk_list, encode_page_list
from mic.core.epoch import PackRef
from mic.core.errors import Corrupt, InvalidInput, TooLarge
from mic.core.ids import content_hash
from mic.ledger.effects import GetRange
from mic.ledger.frame import Frame, whole
from mic.ledger.ledger import Ledger
from mic.ledger.project import LandRequest, Project
from mic.store import MemoryStore

SIZE = 6 << 20
DATA = random.Random(5).randbytes(SIZE)
NAME = content_hash(DATA)
# Nothing here depends on where the cutter cuts: 60 pieces of 100 KiB, the last one of 144 KiB less.
CUTS = [*range(0, SIZE, 100 << 10), SIZE]
PIECES = [DATA[start:stop] for start, stop in pairwise(CUTS)]
CHUNKS = [Chunk(content_hash(piece), len(piece)) for piece in PIECES]
PAGES = [encode_chunk_list(CHUNKS[:30]), encode_chunk_list(CHUNKS[30:])]
LISTED = [Chunk(content_hash(raw), size) for raw, size in zip(PAGES, (30 * 102_400, SIZE - 30 * 102_400), strict=True)]
FLAT, PAGED = encode_chunk_list(CHUNKS), encode_page_list(LISTED)


@pytest.fixture
def place() -> tuple[Project, Traced]:
    project, driver = traced(MemoryStore())
    project.create()
    return project, driver


def _content(data: bytes) -> Frame:
    return Frame(content_hash(data), len(data), 0, len(data), True, compress(data))


def _list(raw: bytes, name: bytes = NAME, size: int = SIZE) -> Frame:
    return Frame(name, size, 0, len(raw), False, raw, True)


def _upload(project: Project, *frames: Frame) -> list[PackRef]:
    upload = project.upload()
    for frame in frames:
        project.run(upload.receive(frame))
    return project.run(upload.finish())


def _land(project: Project, packs: list[PackRef], path: bytes = b"big", data: bytes = DATA) -> None:
    position = project.head().position
    sent = request(project, position + 1, position, {path: data}, send=False)
    project.land(LandRequest(sent.session, {}, packs))


@pytest.mark.parametrize("raw", [FLAT, PAGED], ids=["flat", "paged"])
def test_a_list_and_its_chunks_make_a_large_content(place: tuple[Project, Traced], raw: bytes) -> None:
    """Sent as chunks, pages and a list, in any order: in the tree it is a large file like any other."""
    project, driver = place
    pages = PAGES if raw == PAGED else []
    _land(project, _upload(project, _list(raw), *map(_content, [*pages, *reversed(PIECES)])))
    entry = project.entry(project.head().tree, b"big")
    assert entry is not None
    assert (entry.kind, entry.size, entry.hash) == (1, SIZE, NAME)
    cold = Ledger(driver.store).open("p")
    assert cold.blob(NAME) == DATA
    assert b"".join(cold.pieces(NAME)) == DATA
    frames = list(cold.frames([NAME]))
    assert [frame.offset for frame in frames] == CUTS[:-1]
    assert b"".join(zstandard.ZstdDecompressor().decompress(frame.data) for frame in frames) == DATA


def test_an_edit_sends_one_chunk_its_page_and_the_list(place: tuple[Project, Traced]) -> None:
    """What the project holds already is named and not sent; the two pages are told apart."""
    project, _ = place
    _land(project, _upload(project, *map(_content, [*PIECES, *PAGES]), _list(PAGED)))
    assert project.incomplete_pages([page.hash for page in LISTED]) == []
    piece = b"edited" + PIECES[40][6:]
    data = DATA[: CUTS[40]] + piece + DATA[CUTS[41] :]
    page = encode_chunk_list([*CHUNKS[30:40], Chunk(content_hash(piece), len(piece)), *CHUNKS[41:]])
    changed = Chunk(content_hash(page), LISTED[1].length)
    assert project.incomplete_pages([LISTED[0].hash, changed.hash]) == [changed.hash]
    raw = encode_page_list([LISTED[0], changed])
    _land(project, _upload(project, _content(piece), _content(page), _list(raw, content_hash(data))), data=data)
    assert project.blob(content_hash(data)) == data


def test_a_page_without_its_chunks_is_incomplete(place: tuple[Project, Traced]) -> None:
    """Somebody lands the bytes of a page as a file: nobody takes its chunks for present."""
    project, _ = place
    _land(project, _upload(project, _content(PAGES[0])), b"page", PAGES[0])
    assert project.incomplete_pages([LISTED[0].hash]) == [LISTED[0].hash]
    _land(project, _upload(project, _content(PIECES[0])), b"piece", PIECES[0])
    with pytest.raises(InvalidInput, match="is no list page"):
        project.incomplete_pages([CHUNKS[0].hash])


def _replaced(at: int, chunk: Chunk) -> list[Chunk]:
    return [*CHUNKS[:at], chunk, *CHUNKS[at + 1 :]]


def _paged(*pages: Chunk) -> Frame:
    return _list(encode_page_list(list(pages)))


LIES: dict[str, tuple[Callable[[], Frame], str]] = {
    "it names itself": (lambda: _list(encode_chunk_list(_replaced(3, Chunk(NAME, 102_400)))), "does not hold"),
    "it names nothing that is here": (
        lambda: _list(encode_chunk_list(_replaced(3, Chunk(bytes(32), 102_400)))),
        "names 0000000000",
    ),
    "a page is not here": (
        lambda: _paged(LISTED[0], Chunk(bytes(32), LISTED[1].length)),
        "names 000",
    ),
    "a page is a chunk": (
        lambda: _paged(LISTED[0], Chunk(CHUNKS[0].hash, LISTED[1].length)),
        "begin",
    ),
    "a page of another length": (
        lambda: _paged(Chunk(LISTED[0].hash, LISTED[1].length), Chunk(LISTED[1].hash, LISTED[0].length)),
        "to a page of",
    ),
    "a chunk is a page": (
        lambda: _list(encode_chunk_list(_replaced(3, Chunk(LISTED[0].hash, 102_400)))),
        "to a chunk of 1088",
    ),
    "a chunk of another length": (
        lambda: _list(encode_chunk_list([Chunk(CHUNKS[0].hash, 102_399), Chunk(CHUNKS[1].hash, 102_401), *CHUNKS[2:]])),
        "102399 bytes to a chunk of 102400",
    ),
    "another order": (lambda: _list(encode_chunk_list([CHUNKS[1], CHUNKS[0], *CHUNKS[2:]])), "has SHA-256"),
    "another content": (lambda: _list(FLAT, bytes(32)), "has SHA-256"),
    "another size": (lambda: _list(FLAT, size=SIZE + 1), f"adds up to {SIZE} bytes, not {SIZE + 1}"),
    "no size": (lambda: _list(FLAT, size=4 << 20), "is sent whole"),
    "tiny chunks": (
        lambda: _list(encode_chunk_list([Chunk(bytes(32), 1000)] * 5000), size=5_000_000),
        "a chunk of 1000 bytes; they have 16384 to 131072",
    ),
    "not a list": (lambda: _list(b"MICB" + bytes(40)), "begin with"),
    "an absurd count": (lambda: _list(b"MICI\xff\xff\xff\xff" + bytes(40)), "cannot fit"),
    "not plain": (lambda: _list(FLAT)._replace(zstd=True), "must come plain"),
    "in parts": (lambda: _list(FLAT)._replace(offset=1), "must come plain"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_list_that_lies_is_refused(place: tuple[Project, Traced], lie: str) -> None:
    """Everything honest is sent along: only the list is wrong. Nothing counts as present afterwards."""
    project, _ = place
    make, why = LIES[lie]
    with pytest.raises(InvalidInput, match=why) as caught:
        _upload(project, *map(_content, [*PIECES, *PAGES]), make())
    assert type(caught.value) is InvalidInput
    assert not project.has_blob(NAME)


def test_a_list_for_more_than_can_be_kept(place: tuple[Project, Traced]) -> None:
    project, _ = place
    many = [Chunk(bytes(32), 1 << 30)] * 65
    with pytest.raises(TooLarge, match="68719476736"):
        _upload(project, _list(encode_page_list(many), size=65 << 30))


def test_only_chunks_of_this_project_can_be_named(place: tuple[Project, Traced]) -> None:
    """Another project of the same store holds them all: it makes no difference here."""
    project, driver = place
    other = Ledger(driver.store).open("q")
    other.create()
    _land(other, _upload(other, *map(_content, PIECES), _list(FLAT)))
    with pytest.raises(InvalidInput, match="which this project does not hold"):
        _upload(project, _list(FLAT))


def test_a_landing_names_every_receipt(place: tuple[Project, Traced]) -> None:
    """The pack with the list alone would make the content count as present, without its chunks."""
    project, _ = place
    packs = _upload(project, *map(_content, PIECES), _list(FLAT))
    assert len(packs) == 2
    with pytest.raises(InvalidInput, match="was not sent"):
        _land(project, packs[1:])
    assert project.head().position == 0
    _land(project, packs)
    assert project.blob(NAME) == DATA


def test_a_list_is_not_a_content_in_one_frame() -> None:
    with pytest.raises(InvalidInput, match="belongs in UploadBlobs"):
        whole(_list(FLAT))


@pytest.mark.parametrize("raw", [FLAT, PAGED], ids=["flat", "paged"])
def test_a_range_reads_the_chunks_that_hold_it(place: tuple[Project, Traced], raw: bytes) -> None:
    """Byte for byte what a slice gives, with one read for the list, one for a page and one for each chunk."""
    project, driver = place
    _land(project, _upload(project, *map(_content, [*PIECES, *PAGES]), _list(raw)))
    pages = 1 if raw == PAGED else 0
    for start, length, chunks in ((0, 1, 1), (102_399, 2, 2), (102_400, 102_400, 1), (SIZE - 1, 9, 1), (SIZE, 9, 0)):
        driver.effects.clear()
        assert project.read_range(NAME, start, length) == DATA[start : start + length]
        reads = [effect for effect in driver.effects if isinstance(effect, GetRange)]
        assert len(reads) == 1 + chunks + (pages if chunks else 0)
    source = random.Random(3)
    for _ in range(20):
        start, length = source.randrange(SIZE), source.randrange(500_000)
        assert project.read_range(NAME, start, length) == DATA[start : start + length]


def test_a_range_of_a_small_content(place: tuple[Project, Traced]) -> None:
    project, _ = place
    _land(project, _upload(project, _content(b"0123456789")), b"small", b"0123456789")
    small = content_hash(b"0123456789")
    assert [project.read_range(small, 2, 3), project.read_range(small, 8, 9), project.read_range(small, 10, 1)] == [
        b"234",
        b"89",
        b"",
    ]


def test_pages_through_the_forge_itself(place: tuple[Project, Traced]) -> None:
    """A content that comes in plain parts is cut and listed by the forge: in pages above 1,024 chunks."""
    project, _ = place
    noise = random.Random(6).randbytes(1 << 20)
    data = b"".join(number.to_bytes(4, "big") + noise for number in range(85))
    parts = [data[at : at + (1 << 20)] for at in range(0, len(data), 1 << 20)]
    name = content_hash(data)
    frames, offset = [], 0
    for part in parts:
        frames.append(Frame(name, len(data), offset, len(part), False, part))
        offset += len(part)
    _land(project, _upload(project, *frames), data=data)
    listed = project.chunk_list(name)
    assert listed is not None
    assert (listed.paged, listed.size) == (True, len(data))
    assert project.incomplete_pages([page.hash for page in listed.entries]) == []
    digest = hashlib.sha256()
    count = 0
    for piece in project.pieces(name):
        digest.update(piece)
        count += 1
    assert digest.digest() == name
    rest = iter(parts)
    assert count == sum(1 for _ in chunk_stream(lambda _: next(rest, b"")))
    assert count > 1024


DAMAGE: dict[str, tuple[bytes, bytes, str]] = {
    "a chunk": (frame_blob(len(PIECES[7]), compress(PIECES[7])), CHUNKS[7].hash, "content"),
    "a page": (frame_blob(len(PAGES[0]), compress(PAGES[0])), LISTED[0].hash, "content"),
    "the list": (PAGED, NAME, "chunk list"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_of_a_part_is_named(place: tuple[Project, Traced], what: str) -> None:
    """Other bytes where a chunk, a page or the list lies: every way of reading says which."""
    project, driver = place
    _land(project, _upload(project, *map(_content, [*PIECES, *PAGES]), _list(PAGED)))
    raw, name, words = DAMAGE[what]
    for listed in list(driver.store.list("projects/p/packs/")):
        pack = driver.store.get(listed.key).data
        driver.store.put(listed.key, pack.replace(raw, b"X" * len(raw)))
    for read in (
        lambda: project.blob(NAME),
        lambda: project.read_range(NAME, CUTS[7], 1),
        lambda: list(project.frames([NAME])),
    ):
        damage = damage_of(read)
        assert isinstance(damage, Corrupt)
        assert f"{words} {name.hex()}" in damage.message
