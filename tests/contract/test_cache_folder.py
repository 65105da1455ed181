"""A cache on a disk that is full, may only be read, or belongs to somebody else. Needs root to make them."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from mic.store import MemoryStore
from mic.store.disk_cache import DiskCache
from mic.store.tiers import KINDS, TieredStore

pytestmark = pytest.mark.root

NOBODY = 65534


def test_a_disk_that_is_full_before_the_budget_is_reached_is_a_cache_that_misses(tiny: Path) -> None:
    """What fits is given back as it was, what does not is a miss, nothing unfinished is left."""
    noise = random.Random(1)
    mine = DiskCache(tiny / "cache", 64 << 20, {"blobs": None})
    data = {b"%d" % number: noise.randbytes(30_000) for number in range(40)}
    for key, value in data.items():
        mine.put("blobs", key, value)
    found = {key: mine.get("blobs", key) for key in data}
    assert {key: value for key, value in found.items() if value is not None}.items() <= data.items()
    assert None in found.values()
    assert os.listdir(tiny / "cache" / "new") == []


def test_a_store_before_a_full_cache_still_answers(tiny: Path) -> None:
    bucket = MemoryStore()
    noise = random.Random(2)
    packs = {f"projects/p/packs/{number:064x}.pack": noise.randbytes(150_000) for number in range(8)}
    for key, data in packs.items():
        bucket.put_new(key, data)
    store = TieredStore(bucket, disk=DiskCache(tiny / "cache", 64 << 20, dict.fromkeys(KINDS)))
    for _ in range(2):
        for key, data in packs.items():
            assert store.get_range(key, 70_000, 70_000) == data[70_000:140_000]
            assert store.get(key).data == data


def test_a_folder_that_may_only_be_read_still_gives_what_is_in_it(tiny: Path) -> None:
    mine = DiskCache(tiny / "cache", 1 << 20, {"blobs": 1000.0})
    mine.put("blobs", b"k", b"data")
    subprocess.run(["mount", "-o", "remount,ro", str(tiny)], check=True)
    later = DiskCache(tiny / "cache", 1 << 20, {"blobs": 1000.0}, lambda: os.stat(tiny / "cache").st_mtime + 900)
    assert later.get("blobs", b"k") == b"data"
    later.put("blobs", b"other", b"data")
    assert later.get("blobs", b"other") is None
    later.clear()
    assert later.get("blobs", b"k") == b"data"


def _as_nobody(root: Path) -> str:
    """What somebody without rights gets from a cache: after writing `k`, the value of `k`."""
    os.seteuid(NOBODY)
    try:
        theirs = DiskCache(root, 1 << 20, {"blobs": None})
        theirs.put("blobs", b"k", b"theirs")
        return f"{theirs.get('blobs', b'k')!r} {theirs.used().files} {theirs.clear().files}"
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that everybody can reach and write to."""
    folder = tmp_path
    while folder != folder.parent and folder.stat().st_uid == os.geteuid() and folder.name != "tmp":
        folder.chmod(0o755)
        folder = folder.parent
    reachable = tmp_path / "open"
    reachable.mkdir()
    reachable.chmod(0o777)
    return reachable


def test_a_folder_of_somebody_else_is_not_used(open_folder: Path) -> None:
    """Neither one that cannot be written to, nor one that everybody may write to: who owns it could read along."""
    assert _as_nobody(open_folder / "own") == "b'theirs' 1 1"
    for mode in (0o755, 0o777, 0o700, 0):
        root = open_folder / f"foreign{mode:o}"
        root.mkdir()
        root.chmod(mode)
        assert _as_nobody(root) == "None 0 0"
        assert list(root.iterdir()) == []


def test_an_entry_that_may_not_be_read_is_a_miss(open_folder: Path) -> None:
    root = open_folder / "cache"
    assert _as_nobody(root) == "b'theirs' 1 1"
    mine = root / "blobs"
    for folder in mine.iterdir():
        os.chown(folder, 0, 0)
        folder.chmod(0)
    assert _as_nobody(root) == "None 0 0"
