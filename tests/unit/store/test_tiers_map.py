"""Whole objects mapped from the disk tier: index runs behind a bucket."""

from __future__ import annotations

import os
import random
from mmap import mmap
from pathlib import Path

import pytest

from mic.core.errors import NotFound
from mic.store import MapsObjects, MemoryStore
from mic.store.disk_cache import DiskCache
from mic.store.tiers import KINDS, MAP_FROM, TieredStore

KEY = "projects/p/packs/index/000000000001-000000001000.run"
DATA = random.Random(1).randbytes(MAP_FROM + 12_345)


class _Counting(MemoryStore):
    reads = 0

    def get(self, key: str):  # type: ignore[no-untyped-def]
        self.reads += 1
        return super().get(key)


@pytest.fixture
def bucket() -> _Counting:
    made = _Counting()
    made.put(KEY, DATA)
    return made


def _tiers(bucket: MemoryStore, root: Path, size: int = 256 << 20) -> TieredStore:
    return TieredStore(bucket, disk=DiskCache(root / "cache", size, dict.fromkeys(KINDS)))


def _files(root: Path) -> list[Path]:
    return [path for path in (root / "cache").rglob("*") if path.is_file()]


def test_an_object_is_mapped_and_read_from_the_bucket_once(bucket: _Counting, tmp_path: Path) -> None:
    """Also by the next process; the disk holds it once."""
    store = _tiers(bucket, tmp_path)
    assert isinstance(store, MapsObjects)
    for reader in (store, store, _tiers(bucket, tmp_path)):
        found = reader.map(KEY)
        assert isinstance(found, memoryview)
        assert isinstance(found.obj, mmap)
        assert found == DATA
    assert bucket.reads == 1
    assert sum(path.stat().st_size for path in _files(tmp_path)) < len(DATA) + 200


def test_what_is_mapped_outlives_its_file(bucket: _Counting, tmp_path: Path) -> None:
    """Evicted, forgotten, deleted: whoever has it mapped reads on, and the next one asks the bucket."""
    store = _tiers(bucket, tmp_path)
    found = store.map(KEY)
    store.forget(KEY)
    assert _files(tmp_path) == []
    assert found == DATA
    assert store.map(KEY) == DATA
    assert bucket.reads == 2
    store.delete(KEY)
    assert found == DATA
    with pytest.raises(NotFound):
        store.map(KEY)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "grown"])
def test_a_damaged_file_is_a_miss(bucket: _Counting, tmp_path: Path, damage: str) -> None:
    _tiers(bucket, tmp_path).map(KEY)
    (file,) = _files(tmp_path)
    raw = file.read_bytes()
    middle = len(raw) // 2
    spoilt = {
        "flip": raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1 :],
        "cut": raw[:middle],
        "empty": b"",
        "grown": raw + b"x",
    }[damage]
    file.write_bytes(spoilt)
    store = _tiers(bucket, tmp_path)
    assert store.map(KEY) == DATA
    assert bucket.reads == 2
    assert [path.read_bytes() for path in _files(tmp_path)] == [raw]


def test_without_room_it_is_bytes(bucket: _Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that is too small for it, none at all, a folder of somebody else's things, too much mapped."""
    assert _tiers(bucket, tmp_path / "small", 1 << 20).map(KEY) == DATA
    assert TieredStore(bucket).map(KEY) == DATA
    (tmp_path / "cache").write_bytes(b"a file")
    assert _tiers(bucket, tmp_path).map(KEY) == DATA
    monkeypatch.setattr("mic.store.disk_cache._MAX_MAPPED", 0)
    found = _tiers(bucket, tmp_path / "full").map(KEY)
    assert isinstance(found, bytes)
    assert found == DATA


def test_mappings_keep_no_descriptor_when_they_are_gone(bucket: _Counting, tmp_path: Path) -> None:
    store = _tiers(bucket, tmp_path)
    store.map(KEY)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        store.map(KEY)
    assert len(os.listdir("/proc/self/fd")) == before
