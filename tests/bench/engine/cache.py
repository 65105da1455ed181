"""What the tiers before a bucket cost and save: a hit in each, a second reading, a directory that is opened."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.measure import Row, alternate, ms
from ledgers import land
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store import DirectoryStore, MemoryStore, ObjectStore, Tagged
from mic.store.disk_cache import DiskCache
from mic.store.ram import RamCache
from mic.store.tiers import KINDS, TieredStore

# A bucket in the same region: the first byte of a small object comes after 20 to 50 ms.
JOURNEY = 0.03
FILES, DIRECTORIES = 50, 20


class Far(MemoryStore):
    """A store that answers a read after 30 ms, once `far` is set, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.far = False

    def get(self, key: str) -> Tagged:
        self._travel()
        return super().get(key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        self._travel()
        return super().get_range(key, start, length)

    def _travel(self) -> None:
        if self.far:
            self.reads += 1
            time.sleep(JOURNEY)


def rows() -> Iterator[Row]:
    """Rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _hits(Path(folder))
        yield from _again(Path(folder))
        yield from _directory()


def _hits(folder: Path) -> Iterator[Row]:
    """Reading 2 KiB of a pack, in microseconds, beside opening the file and reading it with pread."""
    key = "projects/p/packs/" + "ab" * 32 + ".pack"
    near = DirectoryStore(folder / "near")
    near.put(key, random.Random(1).randbytes(4 << 20))
    ram = TieredStore(near, ram=RamCache(16 << 20))
    disk = TieredStore(near, disk=DiskCache(folder / "hits", 1 << 30, dict.fromkeys(KINDS)))
    spots = [random.Random(2).randrange(0, (4 << 20) - 2048) for _ in range(1000)]

    def reading(store: ObjectStore) -> Callable[[], float]:
        def read() -> float:
            start = time.perf_counter()
            for at in spots:
                store.get_range(key, at, 2048)
            return (time.perf_counter() - start) / len(spots)

        return read

    def plain() -> float:
        path = folder / "near" / key
        start = time.perf_counter()
        for at in spots:
            descriptor = os.open(path, os.O_RDONLY)
            os.pread(descriptor, 2048, at)
            os.close(descriptor)
        return (time.perf_counter() - start) / len(spots)

    # Once through, so that what is timed are hits.
    reading(ram)()
    in_ram, on_disk, bare, direct = alternate(7, reading(ram), reading(disk), plain, reading(near))
    for name, taken in (("memory", in_ram), ("disk, verified", on_disk), ("none: the directory itself", direct)):
        yield Row(
            f"2 KiB of a pack, tier: {name}", f"{taken * 1e6:.1f} us", f"open, pread, close: {bare * 1e6:.1f} us",
            f"{taken / bare:.2f}x", "-", None,
        )  # fmt: skip


def _project(bucket: Far) -> None:
    """Directories of files of 4 KiB that do not compress, landed in one session."""
    noise = random.Random(3)
    project = Ledger(bucket).open("p")
    project.create()
    files = {b"d%02d/f%02d" % (d, f): noise.randbytes(4096) for d in range(DIRECTORIES) for f in range(FILES)}
    land(project, 1, 0, files)


def _read(project: Project, directories: range) -> float:
    """Seconds to open directories and read every file in them, one after the other as pages do."""
    root = project.head().tree
    start = time.perf_counter()
    for number in directories:
        for entry in project.list_dir(root, b"d%02d" % number):
            project.blob(entry.hash)
    return time.perf_counter() - start


def _again(folder: Path) -> Iterator[Row]:
    """1,000 objects read twice, the second time by a process that knows nothing: what reaches the bucket."""
    bucket = Far()
    _project(bucket)
    cache = DiskCache(folder / "again", 1 << 30, dict.fromkeys(KINDS))
    seconds, reads = [], []
    for store in (bucket, TieredStore(bucket, disk=cache), TieredStore(bucket, ram=RamCache(64 << 20), disk=cache)):
        project = Ledger(store).open("p")
        project.head()
        bucket.far, bucket.reads = True, 0
        seconds.append(_read(project, range(DIRECTORIES)))
        heads = 1  # the head is asked for every time
        reads.append(bucket.reads - heads)
        bucket.far = False
    yield Row(
        "1,000 objects over 30 ms, first reading through tiers", f"{reads[1]} reads, {ms(seconds[1])}",
        f"without: {reads[0]:,} reads, {ms(seconds[0])}", f"{seconds[0] / seconds[1]:.0f}x", "-", None,
    )  # fmt: skip
    yield Row(
        "the same, second reading", f"{reads[2]} reads, {ms(seconds[2])}",
        f"without: {reads[0]:,} reads, {ms(seconds[0])}", f"{seconds[0] / seconds[2]:.0f}x", "0 reads", reads[2] == 0,
    )  # fmt: skip


def _directory() -> Iterator[Row]:
    """A directory is opened, then its 50 files are read, everything cold."""
    bucket = Far()
    _project(bucket)
    taken = {}
    for name, threads, tiers in (("bare", 0, False), ("blocks", 0, True), ("ahead", 2, True)):
        store = TieredStore(bucket, ram=RamCache(64 << 20), prefetch_threads=threads) if tiers else bucket
        project = Ledger(store).open("p")
        project.head()
        bucket.far, bucket.reads = True, 0
        taken[name] = (_read(project, range(7, 8)), bucket.reads - 1)
        bucket.far = False
    bare, bare_reads = taken["bare"]
    for name, what in (("blocks", "blocks of 64 KiB"), ("ahead", "blocks, and read ahead")):
        seconds, reads = taken[name]
        yield Row(
            f"a directory opened and its 50 files read over 30 ms: {what}", f"{reads} reads, {ms(seconds)}",
            f"without: {bare_reads} reads, {ms(bare)}", f"{bare / seconds:.1f}x", "-", None,
        )  # fmt: skip
