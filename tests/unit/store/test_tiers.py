"""Tiers in front of a bucket: what they keep, what they never keep, and what many who ask at once cost."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from ledgers import check_history, damage_of, land
from mic.core.errors import AlreadyExists, NotFound, Unavailable
from mic.ledger.ledger import Ledger
from mic.store import Listed, MemoryStore, Tagged
from mic.store.disk_cache import DiskCache
from mic.store.ram import ENTRY_BYTES, RamCache
from mic.store.tiers import BLOCK, KINDS, Range, TieredStore, kind_of

MIB = 1 << 20
PACK = "projects/p/packs/" + "ab" * 32 + ".pack"
DATA = random.Random(1).randbytes(3 * BLOCK + 1000)

IMMUTABLE = {
    PACK: "blobs",
    "projects/p/blobs/ab/" + "ab" * 32: "blobs",
    "projects/p/trees/ab/" + "ab" * 32 + ".bin": "trees",
    "projects/p/landing-log/tail/0000000000000001-01a19467e8000001-2222222222222222": "logs",
    "projects/p/landing-log/000000000001.log": "logs",
    "projects/p/packs/index/000000000001-000000001000.run": "logs",
    "projects/p/lines/topic/landing-log/tail/0000000000000001-01a19467e8000001-2222222222222222": "logs",
    "projects/p/lines/topic/landing-log/000000000001.log": "logs",
}
MUTABLE = [
    "registry/0123456789abcdef0123456789abcdef.json",
    "projects/p/head",
    "projects/p/lines/topic/head",
    "projects/p/sessions/0190a0b0c0d0e0f0a1a2a3a4a5a6a7a8.bin",
    "projects/p/inbox/0190a0b0-c0d0",
    "projects/p/beacons/front-1",
    "projects/p/git/refs",
    "projects/p/refs/heads/main",
    "projects/p/gc/boundary",
    "projects/p/forks/q",
    "projects/p/origin",
    "projects/p/landing-log/seq/0000000000000001",
    "projects/p/packs/index/newest",
    "projects/p/packs/index",
    "projects/p/landing-log/tail",
    "projects/p/unknown/" + "ab" * 32,
    "packs/" + "ab" * 32 + ".pack",
    "elsewhere/projects/p/packs/" + "ab" * 32 + ".pack",
    PACK + "/head",
    PACK + "\n",
]


class Watched(MemoryStore):
    """A bucket that says what was read of it, and can be told to do something first."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[tuple[str, int, int]] = []
        self.before: Callable[[], None] = lambda: None

    def get(self, key: str) -> Tagged:
        self.reads.append((key, 0, -1))
        self.before()
        return super().get(key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        self.reads.append((key, start, length))
        self.before()
        return super().get_range(key, start, length)


@pytest.fixture
def bucket() -> Watched:
    """One pack of three blocks and a bit."""
    made = Watched()
    made.put(PACK, DATA)
    return made


def in_ram(bucket: MemoryStore, size: int = 16 * MIB) -> TieredStore:
    """Memory alone in front."""
    return TieredStore(bucket, ram=RamCache(size))


def on_disk(bucket: MemoryStore, root: Path) -> TieredStore:
    """A disk alone in front."""
    return TieredStore(bucket, disk=DiskCache(root / "cache", 64 * MIB, dict.fromkeys(KINDS)))


@pytest.fixture(params=["ram", "disk", "both"])
def store(request: pytest.FixtureRequest, bucket: Watched, tmp_path: Path) -> TieredStore:
    """Each set of tiers in front of the same bucket."""
    ram = None if request.param == "disk" else RamCache(16 * MIB)
    disk = None if request.param == "ram" else DiskCache(tmp_path / "cache", 64 * MIB, dict.fromkeys(KINDS))
    return TieredStore(bucket, ram=ram, disk=disk)


# ------------------------------------------------------------------ what is kept


@pytest.mark.parametrize(("key", "kind"), IMMUTABLE.items())
def test_objects_that_never_change_have_a_class(key: str, kind: str) -> None:
    assert kind_of(key) == kind


@pytest.mark.parametrize("key", MUTABLE)
def test_every_other_key_has_none(key: str) -> None:
    assert kind_of(key) is None


@pytest.mark.parametrize("key", MUTABLE[:-1])
def test_a_key_that_can_change_is_asked_for_each_time(store: TieredStore, bucket: Watched, key: str) -> None:
    """Whole or a range of it; its tag is the bucket's, so that it can be swapped."""
    for data in (b"one", b"two"):
        bucket.put(key, data)
        assert store.get(key) == bucket.get(key)
        assert store.get_range(key, 0, 3) == data
    store.put_if(key, b"three", store.get(key).tag)
    assert bucket.get(key).data == b"three"


def test_a_second_read_does_not_reach_the_bucket(store: TieredStore, bucket: Watched) -> None:
    assert store.get_range(PACK, 100, 50) == DATA[100:150]
    assert bucket.reads == [(PACK, 0, BLOCK)]
    assert store.get_range(PACK, 100, 50) == DATA[100:150]
    assert store.get_range(PACK, 60_000, 1000) == DATA[60_000:61_000], "a neighbour"
    assert len(bucket.reads) == 1


def test_only_what_is_missing_is_read_and_neighbours_at_once(store: TieredStore, bucket: Watched) -> None:
    store.get_range(PACK, BLOCK, 1)
    bucket.reads.clear()
    assert store.get_range(PACK, 10, len(DATA)) == DATA[10:]
    assert bucket.reads == [(PACK, 0, BLOCK), (PACK, 2 * BLOCK, 2 * BLOCK)]
    bucket.reads.clear()
    assert store.get(PACK).data == DATA
    assert store.get_range(PACK, 0, 10 * BLOCK) == DATA
    assert bucket.reads == []


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 20 * BLOCK, 20 * BLOCK + 7])
def test_a_whole_object_is_read_once_and_its_ranges_never(tmp_path: Path, size: int) -> None:
    """Of any length, also one that ends with a block; large ones are kept on the disk alone."""
    bucket = Watched()
    data = random.Random(size).randbytes(size)
    bucket.put(PACK, data)
    store = on_disk(bucket, tmp_path)
    for _ in range(2):
        assert store.get(PACK).data == data
        assert store.get_range(PACK, size // 2, size + 1) == data[size // 2 :]
        assert store.get_range(PACK, size, 5) == b""
    assert bucket.reads == [(PACK, 0, -1)]


@settings(max_examples=300, deadline=None)
@given(
    size=some.integers(0, 5 * BLOCK),
    spans=some.lists(some.tuples(some.integers(0, 6 * BLOCK), some.integers(0, 3 * BLOCK)), max_size=8),
)
def test_any_ranges_are_what_the_bucket_has(size: int, spans: list[tuple[int, int]]) -> None:
    bucket = MemoryStore()
    data = random.Random(size).randbytes(size)
    bucket.put(PACK, data)
    store = in_ram(bucket)
    for start, length in spans:
        assert store.get_range(PACK, start, length) == data[start : start + length]


def test_absence_is_not_kept(store: TieredStore, bucket: Watched) -> None:
    other = PACK.replace("ab", "cd")
    for read in (lambda: store.get(other), lambda: store.get_range(other, 0, 10)):
        with pytest.raises(NotFound):
            read()
    bucket.put(other, b"there now")
    assert store.get(other).data == b"there now"
    assert store.get_range(other, 0, 5) == b"there"


def test_what_was_just_written_is_at_hand(bucket: Watched) -> None:
    store = in_ram(bucket)
    epoch = "projects/p/landing-log/tail/0000000000000002-01a19467e8000002-2222222222222222"
    store.put_new(epoch, DATA)
    assert store.get_range(epoch, 0, 1 << 20) == DATA
    assert store.get(epoch).data == DATA
    assert bucket.reads == []
    with pytest.raises(AlreadyExists):
        store.put_new(epoch, b"other")
    assert store.get(epoch).data == DATA


def test_what_is_deleted_or_replaced_is_gone(store: TieredStore, bucket: Watched) -> None:
    """Nobody replaces such an object but to mend it."""
    store.get(PACK)
    store.put(PACK, b"mended")
    assert store.get(PACK).data == b"mended"
    store.delete(PACK)
    with pytest.raises(NotFound):
        store.get_range(PACK, 0, 3)
    assert list(store.list("projects/")) == []


def test_memory_is_bounded(bucket: Watched) -> None:
    ram = RamCache(8 * (BLOCK + ENTRY_BYTES))
    store = TieredStore(bucket, ram=ram)
    keys = [f"projects/p/packs/{number:064x}.pack" for number in range(20)]
    for key in keys:
        bucket.put(key, DATA[:BLOCK])
        store.get_range(key, 0, 1)
        store.get_range(keys[0], 0, 1)
    assert ram.size <= ram.max_bytes
    bucket.reads.clear()
    for key in keys[:1] + keys[-7:]:
        store.get_range(key, 0, 1)
    assert bucket.reads == []
    store.get_range(keys[5], 0, 1)
    assert len(bucket.reads) == 1
    ram.put(PACK, 0, bytes(3 * BLOCK))
    assert ram.get(PACK, 0) is None, "too large to be worth it"


def test_a_stream_leaves_memory_as_it_was(bucket: Watched, tmp_path: Path) -> None:
    ram = RamCache(64 * MIB)
    store = TieredStore(bucket, ram=ram)
    bucket.put(PACK, bytes(3 * MIB))
    store.get_range(PACK, 0, 3 * MIB)
    assert ram.size == 0


def test_one_projects_objects_are_never_found_under_anothers_key(store: TieredStore, bucket: Watched) -> None:
    """Two projects may hold an object of the same name; who may read the one learns nothing of the other."""
    mine, theirs = PACK, PACK.replace("projects/p/", "projects/q/")
    assert store.get_range(mine, 0, 100) == DATA[:100]
    for read in (lambda: store.get_range(theirs, 0, 100), lambda: store.get(theirs)):
        with pytest.raises(NotFound):
            read()
    bucket.put(theirs, b"q")
    assert store.get_range(theirs, 0, 100) == b"q"
    assert store.get_range(mine, 0, 100) == DATA[:100]


def test_the_counters_tell_the_tiers_apart(bucket: Watched, tmp_path: Path) -> None:
    store = TieredStore(bucket, ram=RamCache(MIB), disk=DiskCache(tmp_path / "cache", 64 * MIB, dict.fromkeys(KINDS)))
    store.get_range(PACK, 0, 10)
    store.get_range(PACK, 0, 10)
    counts = store.counts
    assert (counts.bucket.hits, counts.bucket.bytes) == (1, BLOCK)
    assert (counts.ram.hits, counts.disk.hits, counts.ram.bytes) == (1, 0, BLOCK)
    again = TieredStore(bucket, ram=RamCache(MIB), disk=DiskCache(tmp_path / "cache", 64 * MIB, dict.fromkeys(KINDS)))
    again.get_range(PACK, 0, 10)
    assert (again.counts.disk.hits, again.counts.bucket.hits) == (1, 0)


# ------------------------------------------------------------------ many at once


def _together(number: int, work: Callable[[int], None]) -> list[BaseException | None]:
    outcomes: list[BaseException | None] = [None] * number

    def run(which: int) -> None:
        try:
            work(which)
        except BaseException as error:
            outcomes[which] = error

    threads = [threading.Thread(target=run, args=(which,)) for which in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    return outcomes


def _until_all_wait(store: TieredStore, number: int) -> Callable[[], None]:
    """A pause in the bucket's read until `number` others wait for it; counted where they begin to wait."""
    waiting = threading.Semaphore(0)
    original = store._claim

    def claim(key: str, numbers: object) -> object:
        mine, others = original(key, numbers)  # type: ignore[arg-type]
        if others:
            waiting.release()
        return mine, others

    store._claim = claim  # type: ignore[method-assign,assignment]

    def pause() -> None:
        for _ in range(number):
            assert waiting.acquire(timeout=20)

    return pause


@pytest.mark.parametrize("whole", [False, True])
def test_many_who_ask_for_the_same_cost_one_read(bucket: Watched, whole: bool) -> None:
    store = in_ram(bucket)
    bucket.before = _until_all_wait(store, 7)
    got: list[bytes] = []

    def work(_: int) -> None:
        got.append(store.get(PACK).data if whole else store.get_range(PACK, 10, 2 * BLOCK))

    assert _together(8, work) == [None] * 8
    assert got == [DATA if whole else DATA[10 : 10 + 2 * BLOCK]] * 8
    assert len(bucket.reads) == 1


@pytest.mark.parametrize("whole", [False, True])
def test_an_error_reaches_all_who_wait_and_is_not_kept(bucket: Watched, whole: bool) -> None:
    store = in_ram(bucket)
    pause = _until_all_wait(store, 5)

    def fail() -> None:
        pause()
        raise Unavailable("the bucket does not answer", hint="wait")

    bucket.before = fail
    outcomes = _together(6, lambda _: store.get(PACK) and None if whole else store.get_range(PACK, 0, 10) and None)
    assert [type(error) for error in outcomes] == [Unavailable] * 6
    assert {(error.message, error.hint) for error in outcomes if isinstance(error, Unavailable)} == {
        ("the bucket does not answer", "wait")
    }
    assert len({id(error) for error in outcomes}) == 6, "one traceback each"
    bucket.before = lambda: None
    assert store.get_range(PACK, 0, 10) == DATA[:10]
    assert store.get(PACK).data == DATA


@pytest.mark.parametrize("whole", [False, True])
def test_who_waits_for_a_thread_that_dies_reads_for_itself(bucket: Watched, whole: bool) -> None:
    store = in_ram(bucket)
    pause = _until_all_wait(store, 3)
    first = threading.Lock()

    def die_once() -> None:
        if first.acquire(blocking=False):
            pause()
            raise SystemExit

    bucket.before = die_once
    got: list[bytes] = []
    outcomes = _together(
        4, lambda _: got.append(store.get(PACK).data if whole else store.get_range(PACK, 0, len(DATA)))
    )
    assert sorted(str(type(error).__name__) for error in outcomes) == ["NoneType"] * 3 + ["SystemExit"]
    assert got == [DATA] * 3


def test_overlapping_ranges_in_many_threads_are_right(bucket: Watched, tmp_path: Path) -> None:
    bucket.put(PACK, data := random.Random(7).randbytes(40 * BLOCK + 5))
    store = TieredStore(
        bucket, ram=RamCache(6 * BLOCK), disk=DiskCache(tmp_path / "cache", 64 * MIB, dict.fromkeys(KINDS))
    )
    wrong = []

    def work(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(60):
            start, length = dice.randrange(len(data)), dice.randrange(1, 5 * BLOCK)
            if store.get_range(PACK, start, length) != data[start : start + length]:
                wrong.append((start, length))

    assert _together(8, work) == [None] * 8
    assert not wrong
    assert not store._flights


# ------------------------------------------------------------------ ahead, and an edge


def test_what_was_foretold_is_there_without_a_read(bucket: Watched) -> None:
    """Neighbours come in one read; keys that can change are left alone; what goes wrong is nobody's error."""
    store = TieredStore(bucket, ram=RamCache(16 * MIB), prefetch_threads=1)
    small = [Range(PACK, start, 1000) for start in range(0, 3 * BLOCK, 5000)]
    store.prefetch([*small, Range("projects/p/head", 0, 48), Range(PACK.replace("ab", "cd"), 0, 10)])
    store._prefetcher.wait()  # type: ignore[union-attr]
    assert bucket.reads == [(PACK, 0, 3 * BLOCK), (PACK.replace("ab", "cd"), 0, BLOCK)]
    bucket.reads.clear()
    for item in small:
        assert store.get_range(*item) == DATA[item.start : item.start + 1000]
    assert bucket.reads == []
    store.close()
    store.prefetch(small)


def test_without_threads_nothing_is_foretold(bucket: Watched) -> None:
    in_ram(bucket).prefetch([Range(PACK, 0, 10)])
    assert bucket.reads == []


def test_more_wishes_than_can_be_met_are_dropped(bucket: Watched) -> None:
    """Whoever wishes is never held up, and closing drops what waits."""
    store = TieredStore(bucket, ram=RamCache(16 * MIB), prefetch_threads=1)
    gate = threading.Event()
    bucket.before = lambda: bool(gate.wait(20)) or None
    for _ in range(500):
        store.prefetch([Range(PACK, 0, 10)])
    store.close()
    gate.set()
    store._prefetcher._running[0].join(20)  # type: ignore[union-attr]
    assert not store._prefetcher._running[0].is_alive()  # type: ignore[union-attr]
    assert len(bucket.reads) <= 1


def test_an_edge_is_asked_before_the_bucket_and_believed_only_when_it_answers(bucket: Watched) -> None:
    asked: list[tuple[str, int, int]] = []
    answers: Iterator[bytes | None] = iter([DATA[:BLOCK], None, bytes(BLOCK + 1)])

    def edge(key: str, start: int, length: int) -> bytes | None:
        asked.append((key, start, length))
        return next(answers)

    bucket.put("projects/p/head", b"head")
    store = TieredStore(bucket, ram=RamCache(16 * MIB), edge=edge)
    assert store.get("projects/p/head").data == b"head"
    assert asked == []
    bucket.reads.clear()
    assert store.get_range(PACK, 0, 10) == DATA[:10]
    assert bucket.reads == []
    assert store.get_range(PACK, BLOCK, 10) == DATA[BLOCK : BLOCK + 10]
    assert store.get_range(PACK, 2 * BLOCK, 10) == DATA[2 * BLOCK : 2 * BLOCK + 10], "more than was asked for"
    assert asked == [(PACK, number * BLOCK, BLOCK) for number in range(3)]
    assert bucket.reads == [(PACK, BLOCK, BLOCK), (PACK, 2 * BLOCK, BLOCK)]
    assert (store.counts.edge.hits, store.counts.edge.misses) == (1, 2)


# ------------------------------------------------------------------ under a ledger


def test_a_ledger_over_tiers_is_the_ledger_over_its_bucket(tmp_path: Path) -> None:
    bucket = MemoryStore()
    writer = Ledger(in_ram(bucket)).open("p")
    writer.create()
    for number in range(1, 30):
        land(writer, number, number - 1, {b"f%d" % (number % 7): b"content %d" % number * 100, b"d/%d" % number: b"x"})
    for _ in range(2):
        check_history(Ledger(on_disk(bucket, tmp_path)).open("p"))
    check_history(Ledger(bucket).open("p"))


def test_damage_that_was_kept_is_forgotten_once_it_is_found(tmp_path: Path) -> None:
    """An object is damaged, read, kept; then it is put back from a backup. The next reading but one is right again."""
    bucket = MemoryStore()
    project = Ledger(bucket).open("p")
    project.create()
    land(project, 1, 0, {b"f": b"content " * 1000})
    key = next(item.key for item in bucket.list("projects/p/landing-log/tail/"))
    good = bucket.get(key).data
    entry = project.entry(project.head().tree, b"f")
    assert entry is not None
    place = project.line.objects.find(entry.hash)
    assert place is not None
    bad = bytearray(good)
    bad[place.offset + 20] ^= 1
    bucket.put(key, bytes(bad))
    reader = Ledger(
        TieredStore(
            bucket,
            ram=RamCache(16 * MIB),
            disk=DiskCache(tmp_path / "cache", 64 * MIB, dict.fromkeys(KINDS)),
        )
    ).open("p")
    damage_of(lambda: reader.head() and reader.blob(entry.hash))
    bucket.put(key, good)
    assert reader.blob(entry.hash) == b"content " * 1000


def test_an_edge_that_lies_is_not_asked_again_for_that_object() -> None:
    bucket = MemoryStore()
    project = Ledger(bucket).open("p")
    project.create()
    land(project, 1, 0, {b"f": b"content " * 1000})
    head = project.head()
    entry = project.entry(head.tree, b"f")
    assert entry is not None

    place = project.line.objects.find(entry.hash)
    assert place is not None

    def lying(key: str, start: int, length: int) -> bytes:
        honest = bytearray(bucket.get_range(key, start, length))
        honest[place.offset + 20 - start] ^= 1
        return bytes(honest)

    reader = Ledger(TieredStore(bucket, ram=RamCache(16 * MIB), edge=lying)).open("p")
    damage_of(lambda: reader.blob(entry.hash))
    assert reader.blob(entry.hash) == b"content " * 1000


def test_the_tiers_are_a_store(bucket: Watched) -> None:
    store = in_ram(bucket)
    assert list(store.list("projects/")) == [Listed(PACK, len(DATA))]


def test_opening_a_directory_brings_its_small_files(tmp_path: Path) -> None:
    """Where reading is a journey, the files of a directory are there when they are asked for; large ones are not."""
    bucket = Watched()
    noise = random.Random(3)
    files = {b"d/f%02d" % number: noise.randbytes(3000) for number in range(30)}
    large = {b"d/large": noise.randbytes(200_000)}
    writer = Ledger(bucket).open("p")
    writer.create()
    land(writer, 1, 0, files | large)
    land(writer, 2, 1, {b"other": b"x"})
    store = TieredStore(bucket, ram=RamCache(16 * MIB), prefetch_threads=1)
    reader = Ledger(store).open("p")
    root = reader.tree_at(1)
    reader.head()
    entries = {entry.path: entry for entry in reader.list_dir(root, b"d")}
    assert store._prefetcher is not None
    store._prefetcher.wait()
    before = len(bucket.reads)
    for path, data in files.items():
        assert reader.blob(entries[path].hash) == data
    assert [read for read in bucket.reads[before:] if not read[0].endswith("/head")] == []
    store.close()
