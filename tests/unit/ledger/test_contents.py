"""Contents on their way in and out: frames, chunks, packs, and what is refused."""

from __future__ import annotations

import hashlib
import random
import tracemalloc
from collections.abc import Sequence

import msgspec
import pytest
import zstandard

from ledgers import REGULAR, Traced, check_history, contents, damage_of, land, request, traced
from mic.core.blob import compress, encode_blob
from mic.core.epoch import PackRef
from mic.core.errors import Corrupt, InvalidInput, TooLarge
from mic.core.ids import content_hash
from mic.core.session import Author, Change, Op
from mic.ledger.effects import GetRange, PutNew
from mic.ledger.frame import Frame, plain, whole
from mic.ledger.history import HistoryCommit
from mic.ledger.ledger import Ledger
from mic.ledger.project import LandRequest, Project
from mic.ledger.upload import Upload
from mic.store import MemoryStore

PART = 1 << 20


@pytest.fixture
def place() -> tuple[Project, Traced]:
    project, driver = traced(MemoryStore())
    project.create()
    return project, driver


def _frames(data: bytes, zstd: bool = True, part: int = PART) -> list[Frame]:
    name = content_hash(data)
    out = []
    for at in range(0, len(data), part):
        piece = data[at : at + part]
        out.append(Frame(name, len(data), at, len(piece), zstd, compress(piece) if zstd else piece))
    return out


def _receive(project: Project, upload: Upload, frames: Sequence[Frame]) -> None:
    for frame in frames:
        project.run(upload.receive(frame))
    project.run(upload.finish())


def _upload(project: Project, *frames: Frame) -> Upload:
    upload = project.upload()
    _receive(project, upload, frames)
    return upload


def _joined(frames: list[Frame]) -> bytes:
    """What a receiver makes of the frames of one content: parts in order, without a gap."""
    out = b""
    for frame in frames:
        assert (frame.hash, frame.offset) == (frames[0].hash, len(out))
        out += zstandard.ZstdDecompressor().decompress(frame.data) if frame.zstd else frame.data
    assert len(out) == frames[0].size
    return out


def _land_packs(project: Project, number: int, path: bytes, data: bytes, packs: list[PackRef]) -> None:
    position = project.head().position
    sent = request(project, number, position, {path: data}, send=False)
    project.land(LandRequest(sent.session, {}, packs))


@pytest.mark.parametrize("zstd", [True, False])
def test_a_large_content_is_chunked_and_comes_back(place: tuple[Project, Traced], zstd: bool) -> None:
    """9 MiB of noise through an upload: known as chunked in the tree, the same bytes in this and a new process."""
    project, driver = place
    data = random.Random(1).randbytes(9 << 20)
    upload = _upload(project, *_frames(data, zstd))
    assert (upload.blobs, upload.bytes) == (1, 9 << 20)
    _land_packs(project, 1, b"big", data, upload.packs)
    entry = project.entry(project.head().tree, b"big")
    assert entry is not None
    assert (entry.kind, entry.size) == (1, 9 << 20)
    for reader in (project, Ledger(driver.store).open("p")):
        assert reader.has_blob(content_hash(data))
        assert reader.blob(content_hash(data)) == data
        assert _joined(list(reader.frames([content_hash(data)]))) == data
        listed = reader.chunk_list(content_hash(data))
        assert listed is not None
        first = listed.entries[0]
        assert hashlib.sha256(data[: first.length]).digest() == first.hash
        assert (listed.size, listed.paged) == (9 << 20, False)
        with pytest.raises(TooLarge, match=f"has {9 << 20} bytes; the limit here is 1000"):
            reader.blob(content_hash(data), limit=1000)
    # An edit in the middle sends few new chunks.
    edited = data[: 5 << 20] + b"edited" + data[5 << 20 :]
    driver.effects.clear()
    second = _upload(project, *_frames(edited))
    (pack,) = (effect for effect in driver.effects if isinstance(effect, PutNew))
    assert len(pack.data) < 1 << 20
    _land_packs(project, 2, b"big", edited, second.packs)
    assert project.blob(content_hash(edited)) == edited
    check_history(Ledger(driver.store).open("p"))


def test_many_contents_through_an_upload(place: tuple[Project, Traced]) -> None:
    """Whole frames, parts of a content that is not large after all, an empty one and one twice."""
    project, _ = place
    texts = [b"%d " % n * n for n in range(50)]
    frames = [frame for text in texts for frame in (_frames(text) or [Frame(content_hash(b""), 0, 0, 0, False, b"")])]
    parts = _frames(random.Random(2).randbytes(3000), part=1000)
    upload = _upload(project, *frames, *parts, *frames[:5])
    assert len(upload.packs) == 1
    names = {content_hash(text): text for text in texts}
    wanted = [*names, parts[0].hash]
    changes = tuple(
        Change(b"f%d" % n, int(Op.ADDED), REGULAR, name, 3000 if name == parts[0].hash else len(names[name]))
        for n, name in enumerate(wanted)
    )
    sent = request(project, 1, 0, {})
    project.land(LandRequest(msgspec.structs.replace(sent.session, changes=changes), {}, upload.packs))
    found = {frame.hash: _joined([frame]) for frame in project.frames(wanted)}
    assert {name: hashlib.sha256(data).digest() for name, data in found.items()} == {name: name for name in wanted}


def test_a_large_content_inside_an_import(place: tuple[Project, Traced]) -> None:
    project, driver = place
    data = random.Random(3).randbytes(5 << 20)
    history = project.import_history("test", bytes(16))
    upload = _upload(project, *_frames(data))
    for pack, objects in upload.placed:
        history.add_pack(pack, objects)
    for number, size in ((1, len(data)), (2, len(data) - 1)):
        change = (b"f%d" % number, int(Op.ADDED), REGULAR, content_hash(data), size)
        commit = HistoryCommit(bytes([number]) * 20, b"", Author("A"), 0, "", [change])
        if number == 1:
            project.run(history.add_commit(commit))
        else:
            with pytest.raises(InvalidInput, match=f"f2 has {5 << 20} bytes"):
                project.run(history.add_commit(commit))
    project.finish_import(history)
    assert contents(project) == {b"f1": (REGULAR, data)}
    assert contents(Ledger(driver.store).open("p")) == {b"f1": (REGULAR, data)}


GOOD = b"a good content\n" * 100


def _huge_frame() -> bytes:
    """A zstd frame of a few bytes that claims to hold 4 GiB - 1."""
    # Magic, a descriptor with a 4-byte content size in a single segment, the size, an empty last block.
    return bytes.fromhex("28b52ffd") + bytes([0xA0]) + (0xFFFFFFFF).to_bytes(4, "little") + bytes([1, 0, 0])


BAD_FRAMES = {
    "another content": Frame(content_hash(GOOD), 4, 0, 4, False, b"evil"),
    "too short": Frame(content_hash(GOOD), len(GOOD), 0, len(GOOD), False, GOOD[:-1]),
    "too long": Frame(content_hash(GOOD), len(GOOD), 0, len(GOOD), False, GOOD + b"x"),
    "zstd of another length": Frame(content_hash(GOOD), len(GOOD), 0, len(GOOD), True, compress(GOOD + b"x")),
    "zstd that is none": Frame(content_hash(GOOD), len(GOOD), 0, len(GOOD), True, GOOD),
    "zstd with a tail": Frame(content_hash(GOOD), len(GOOD), 0, len(GOOD), True, compress(GOOD) + b"tail"),
    "zstd cut short": Frame(content_hash(GOOD), len(GOOD), 0, len(GOOD), True, compress(GOOD)[:-4]),
    "no zstd at all": Frame(content_hash(GOOD), len(GOOD), 0, len(GOOD), True, b""),
    "4 GiB in a few bytes": Frame(content_hash(GOOD), 0xFFFFFFFF, 0, 0xFFFFFFFF, True, _huge_frame()),
    "4 GiB behind a small claim": Frame(content_hash(GOOD), 100, 0, 100, True, _huge_frame()),
    "a part that ends behind the end": Frame(content_hash(GOOD), 10, 8, 4, False, b"1234"),
}


@pytest.mark.parametrize("frame", BAD_FRAMES.values(), ids=BAD_FRAMES)
def test_a_frame_that_is_not_what_it_says_is_refused_before_it_costs_anything(
    place: tuple[Project, Traced], frame: Frame
) -> None:
    """By a landing and by an upload alike; nothing is stored, and no more memory is taken than the frame may have."""
    project, driver = place
    tracemalloc.start()
    with pytest.raises(InvalidInput):
        whole(frame)
    with pytest.raises(InvalidInput):
        _upload(project, frame)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20
    assert driver.writes == ["PutNew projects/p/head"]


def test_parts_must_come_in_order_and_whole(place: tuple[Project, Traced]) -> None:
    project, _ = place
    data = random.Random(4).randbytes(4000)
    parts = _frames(data, part=1000)
    other = _frames(data[::-1], part=1000)
    for wrong in (
        [parts[1]],
        [parts[0], parts[2]],
        [parts[0], parts[0]],
        [parts[0], other[1]],
        [parts[0], *_frames(b"whole in between")],
        [parts[0], parts[1]],
        [parts[0], parts[1], parts[2]],
    ):
        upload = project.upload()
        with pytest.raises(InvalidInput, match=r"in order, one content at a time|ended after \d+ of 4000 bytes"):
            _receive(project, upload, wrong)
        upload.close()
    damaged = [*parts[:3], parts[3]._replace(zstd=False, data=bytes(1000))]
    with pytest.raises(InvalidInput, match="has SHA-256"):
        _upload(project, *damaged)
    assert _joined(parts) == data
    assert _upload(project, *parts).blobs == 1


def test_receipts_of_nothing_are_refused(place: tuple[Project, Traced]) -> None:
    """A pack that is not there, sizes that cannot be: an error of the house, whatever the numbers."""
    project, _ = place
    upload = _upload(project, *_frames(GOOD))
    (pack,) = upload.packs
    for wrong in (
        PackRef(bytes(32), pack.size),
        *(pack._replace(size=size) for size in (0, 1, 7, 8, pack.size - 1, pack.size + 1, 0xFFFFFFFF)),
    ):
        with pytest.raises((Corrupt, InvalidInput)):
            _land_packs(project, 1, b"f", GOOD, [wrong])
    assert project.head().position == 0
    _land_packs(project, 1, b"f", GOOD, [pack])
    assert contents(project) == {b"f": (REGULAR, GOOD)}


def test_neighbours_are_read_at_once_and_come_back_exact(place: tuple[Project, Traced]) -> None:
    """300 contents in three epochs, asked for in any order and twice: a few ranges, every byte right."""
    project, driver = place
    rnd = random.Random(5)
    model = {}
    for number in range(3):
        files = {b"%d/%d" % (number, n): rnd.randbytes(rnd.randrange(3000)) for n in range(100)}
        land(project, number + 1, number, files)
        model |= {content_hash(data): data for data in files.values()}
    asked = list(model) * 2
    rnd.shuffle(asked)
    driver.effects.clear()
    frames = list(project.frames(asked))
    assert {frame.hash: _joined([frame]) for frame in frames} == model
    assert len(frames) == len(model)
    assert len([effect for effect in driver.effects if isinstance(effect, GetRange)]) == 3


def test_a_frame_of_a_damaged_content_is_stopped(place: tuple[Project, Traced]) -> None:
    project, driver = place
    land(project, 1, 0, {b"f": GOOD})
    (key,) = (item.key for item in driver.store.list("projects/p/landing-log/tail/"))
    raw = driver.store.get(key).data
    at = raw.index(encode_blob(GOOD))
    driver.store.put(key, raw[:at] + b"XXXX" + raw[at + 4 :])
    assert key in damage_of(lambda: list(project.frames([content_hash(GOOD)]))).message
    driver.store.put(key, raw[:at])
    assert key in damage_of(lambda: list(project.frames([content_hash(GOOD)]))).message


def test_plain_gives_the_bytes_of_a_part() -> None:
    assert [plain(frame) for frame in _frames(b"0123456789", part=4)] == [b"0123", b"4567", b"89"]


def test_what_another_front_end_landed_can_be_read_here(place: tuple[Project, Traced]) -> None:
    """A content is asked of a process that has not looked since: it looks, instead of calling it missing."""
    one, driver = place
    two, cold = Ledger(driver.store).open("p"), Ledger(driver.store).open("p")
    assert two.head().position == 0
    land(one, 1, 0, {b"f": GOOD})
    assert [two.blob(content_hash(GOOD)), cold.blob(content_hash(GOOD))] == [GOOD, GOOD]
    land(one, 2, 1, {b"g": b"more"})
    assert [_joined([frame]) for frame in two.frames([content_hash(b"more")])] == [b"more"]
    assert cold.chunk_list(content_hash(b"more")) is None
