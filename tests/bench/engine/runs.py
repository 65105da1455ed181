"""Index runs of a million objects: what a look-up costs in one and in many, and mapping them in memory."""

from __future__ import annotations

import hashlib
import mmap
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Row
from mic.core.head import Head
from mic.core.indexrun import IndexRun, Place, encode_run
from mic.store import DirectoryStore
from mic.store.disk_cache import DiskCache
from mic.store.tiers import KINDS, TieredStore

OBJECTS = 1_000_000
ASKED = 2000


def rows() -> Iterator[Row]:
    """Microseconds a look-up, and private bytes that opening the runs took."""
    names = [hashlib.sha256(b"%d" % n).digest() for n in range(OBJECTS)]
    yield _through_tiers(names)
    base = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for count in (1, 10, 40):
            step = OBJECTS // count
            runs, size, grown = [], 0, 0
            for number in range(count):
                file = Path(folder, f"{count}-{number}")
                part = names[number * step : (number + 1) * step]
                raw = encode_run(1, Head(1, bytes(32), 1), {name: Place("k", 1, 8, 9) for name in part}, {})
                size += len(raw)
                file.write_bytes(raw)
                del raw, part
                before = _private()  # what encoding leaves behind is not the reader's
                with file.open("rb") as stream:
                    mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
                runs.append(IndexRun(mapped, file.name))
                grown += max(_private() - before, 0)
            start = time.perf_counter()
            for name in names[:: OBJECTS // ASKED]:
                assert any(run.find(name) is not None for run in reversed(runs))
            each = (time.perf_counter() - start) / ASKED
            base = base or each
            yield Row(
                f"look-up among {OBJECTS:,} objects in {count} mapped runs", f"{each * 1e6:.1f} us", "in one run",
                f"{each / base:.1f}x", "", None,
            )  # fmt: skip
            yield Row(
                f"private memory of {count} mapped runs", f"{grown >> 20} MiB", f"the runs: {size >> 20} MiB",
                f"{grown / size:.2f}x", "does not grow with them", None,
            )  # fmt: skip


def _through_tiers(names: list[bytes]) -> Row:
    """What a process keeps of one run behind a bucket: mapped from the disk tier, and as bytes without one."""
    key = "projects/p/packs/index/000000000001-000000001000.run"
    raw = encode_run(1, Head(1, bytes(32), 1), {name: Place("k", 1, 8, 9) for name in names}, {})
    with tempfile.TemporaryDirectory() as folder:
        bucket = DirectoryStore(Path(folder, "bucket"))
        bucket.put(key, raw)
        size = len(raw)
        del raw
        grown = []
        for disk in (DiskCache(Path(folder, "cache"), 8 << 30, dict.fromkeys(KINDS)), None):
            TieredStore(bucket, disk=disk).map(key)  # brings it to the disk
            before = _private()
            found = TieredStore(bucket, disk=disk).map(key)
            assert IndexRun(found, key).objects == len(names)
            grown.append(_private() - before)
            del found
    mapped, held = max(grown[0], 0), grown[1]
    return Row(
        f"private memory of a run of {len(names):,} objects from the disk tier", f"{mapped / (1 << 20):.1f} MiB",
        f"its bytes ({size >> 20} MiB): {held >> 20} MiB", f"{mapped / held:.2f}x", "does not grow with it", None,
    )  # fmt: skip


def _private() -> int:
    """Anonymous resident bytes of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) << 10
    raise AssertionError("no RssAnon")
