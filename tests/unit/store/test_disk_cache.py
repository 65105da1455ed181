"""The cache in a directory: what it gives back, what it refuses, and what happens to a directory that is not well."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

import mic
from mic.store.disk_cache import DiskCache

MIB = 1 << 20
SOURCE = str(Path(mic.__file__).parents[1])
KINDS = {"blobs": None, "trees": None}


def cache(root: Path, size: int = 8 * MIB, **kinds: float | None) -> DiskCache:
    """A cache of blobs and trees."""
    return DiskCache(root / "cache", size, kinds or KINDS)


def file_of(root: Path, kind: str = "blobs") -> Path:
    """The only file of a cache."""
    (found,) = (path for path in (root / "cache" / kind).rglob("*") if path.is_file())
    return found


def disk_bytes(root: Path) -> int:
    """Bytes of all entries, in whole pages of 4 KiB."""
    sizes = [path.stat().st_size for path in (root / "cache").rglob("*") if path.is_file()]
    return sum((size + 4095) // 4096 * 4096 for size in sizes)


def test_what_was_put_is_given_back_to_whoever_asks_with_the_same_key_and_kind(tmp_path: Path) -> None:
    mine = cache(tmp_path)
    assert mine.get("blobs", b"k") is None
    mine.put("blobs", b"k", b"one")
    mine.put("blobs", b"k", b"two")
    mine.put("trees", b"k", b"")
    other = cache(tmp_path)
    assert other.get("blobs", b"k") == b"two"
    assert other.get("trees", b"k") == b""
    assert other.get("blobs", b"K") is None
    other.remove("blobs", b"k")
    assert mine.get("blobs", b"k") is None


def test_of_many_keys_those_are_told_that_there_is_a_file_for(tmp_path: Path) -> None:
    mine = cache(tmp_path)
    keys = [b"%d" % number for number in range(600)]
    assert mine.present("blobs", keys) == []
    for key in (b"3", b"500", b"77"):
        mine.put("blobs", key, b"x")
    mine.put("trees", b"4", b"x")
    assert mine.present("blobs", keys) == [b"3", b"77", b"500"]


def test_nobody_else_can_read_the_folder(tmp_path: Path) -> None:
    """The folder is 0700 and its files 0600, also when somebody had opened the folder up."""
    mine = cache(tmp_path)
    mine.put("blobs", b"k", b"secret")
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    assert file_of(tmp_path).stat().st_mode & 0o777 == 0o600
    (tmp_path / "cache").chmod(0o755)
    assert cache(tmp_path).get("blobs", b"k") == b"secret"
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700


def test_the_layout_is_the_one_that_is_documented(tmp_path: Path) -> None:
    """Made by hand from the documented layout, with the CRC-32C of a bit-by-bit program."""
    body = b"MICK" + bytes([1, 0]) + (3).to_bytes(2, "big") + (5).to_bytes(8, "big")
    check = _crc32c(body + b"key" + b"bytes")
    name = "2c70e12b7a0646f92279f427c7b38e7334d8e538"  # sha256sum of "key", first 40 digits
    path = tmp_path / "cache" / "blobs" / "2c" / name
    path.parent.mkdir(parents=True)
    (tmp_path / "cache").chmod(0o700)
    path.write_bytes(body + check.to_bytes(4, "big") + b"key" + b"bytes")
    assert cache(tmp_path).get("blobs", b"key") == b"bytes"


def _crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=some.binary(max_size=300), spoil=some.data())
def test_a_file_that_is_not_whole_is_a_miss_and_goes_away(tmp_path: Path, data: bytes, spoil: some.DataObject) -> None:
    """Truncated, lengthened, with a flipped bit, or replaced by anything: never other bytes than were put."""
    mine = cache(tmp_path)
    mine.put("blobs", b"key", data)
    path = file_of(tmp_path)
    raw = bytearray(path.read_bytes())
    how = spoil.draw(some.sampled_from(["cut", "flip", "more", "other"]))
    if how == "cut":
        raw = raw[: spoil.draw(some.integers(0, len(raw) - 1))]
    elif how == "flip":
        raw[spoil.draw(some.integers(0, len(raw) - 1))] ^= 1 << spoil.draw(some.integers(0, 7))
    elif how == "more":
        raw += spoil.draw(some.binary(min_size=1, max_size=20))
    else:
        raw = bytearray(spoil.draw(some.binary(max_size=400).filter(lambda other: other != bytes(raw))))
    path.write_bytes(raw)
    assert mine.get("blobs", b"key") is None
    assert not path.exists()


def test_an_entry_of_another_key_under_this_name_is_a_miss(tmp_path: Path) -> None:
    mine = cache(tmp_path)
    mine.put("blobs", b"one", b"data of one")
    raw = file_of(tmp_path).read_bytes()
    mine.put("trees", b"two", b"data of two")
    file_of(tmp_path, "trees").write_bytes(raw)
    assert mine.get("trees", b"two") is None


def test_what_stands_in_the_place_of_an_entry_and_is_no_file_is_a_miss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder, a pipe that nobody writes to, a symlink to a whole entry, a socket; and a file too large to read."""
    mine = cache(tmp_path)
    mine.put("blobs", b"key", b"data")
    path = file_of(tmp_path)
    whole = tmp_path / "elsewhere"
    path.rename(whole)
    for make in (path.mkdir, lambda: os.mkfifo(path), lambda: path.symlink_to(whole)):
        make()
        assert mine.get("blobs", b"key") is None
        if path.is_dir():
            mine.put("blobs", b"key", b"data")
            assert cache(tmp_path).get("blobs", b"key") is None
            path.rmdir()
        assert not os.path.lexists(path)
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(path.parent)  # an address has room for 107 bytes
        listener.bind(path.name)
        assert mine.get("blobs", b"key") is None
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    assert mine.get("blobs", b"key") is None
    assert whole.exists()


def test_old_entries_are_a_miss_by_their_class_alone(tmp_path: Path) -> None:
    """The time counts from the last use; a class without one keeps for ever."""
    now = time.time()
    mine = DiskCache(tmp_path / "cache", MIB, {"blobs": 100.0, "trees": None}, lambda: now)
    for kind in ("blobs", "trees"):
        mine.put(kind, b"k", b"data")
    now += 99
    assert mine.get("blobs", b"k") == b"data"
    now += 10
    assert mine.get("trees", b"k") == b"data"
    assert mine.get("blobs", b"k") is None
    now += 1e9
    assert mine.get("trees", b"k") == b"data"


def test_a_use_that_is_long_after_the_last_one_is_remembered(tmp_path: Path) -> None:
    now = time.time()
    mine = DiskCache(tmp_path / "cache", MIB, {"blobs": 3600.0}, lambda: now)
    mine.put("blobs", b"k", b"data")
    for _ in range(4):
        now += 3000
        assert mine.get("blobs", b"k") == b"data"
    now += 3601
    assert mine.get("blobs", b"k") is None


@pytest.mark.parametrize("size", [1 * MIB, 64 * MIB])
def test_the_bytes_are_bounded_and_the_least_recently_used_go_first(tmp_path: Path, size: int) -> None:
    """Three times the budget is written; what was used meanwhile is still there, what was not is mostly gone."""
    mine = DiskCache(tmp_path / "cache", size, KINDS)
    entry = size // 256
    now = int(time.time())
    for number in range(16):
        mine.put("blobs", b"kept %d" % number, bytes(entry))
        os.utime(_path(tmp_path, b"kept %d" % number), (now, now - 2_000_000))
        assert mine.get("blobs", b"kept %d" % number) == bytes(entry)
    for number in range(768):
        mine.put("blobs", b"passing %d" % number, number.to_bytes(4, "big") * (entry // 4))
        os.utime(_path(tmp_path, b"passing %d" % number), (now, now - 1_000_000 + 1000 * number))
    for number in range(16):
        assert mine.get("blobs", b"kept %d" % number) == bytes(entry)
    assert disk_bytes(tmp_path) <= size
    assert disk_bytes(tmp_path) > size // 3
    assert mine.get("blobs", b"passing 0") is None
    assert mine.get("blobs", b"passing 767") is not None
    assert mine.used().bytes == disk_bytes(tmp_path)


def _path(root: Path, key: bytes) -> Path:
    import hashlib

    name = hashlib.sha256(key).hexdigest()[:40]
    return root / "cache" / "blobs" / name[:2] / name


def test_many_short_processes_keep_to_the_bound_together(tmp_path: Path) -> None:
    """Each writes one entry and ends, and so never counts to a sweep by itself."""
    for number in range(600):
        cache(tmp_path, MIB).put("blobs", b"%d" % number, bytes(8000))
    assert disk_bytes(tmp_path) <= MIB * 2
    assert cache(tmp_path, MIB).get("blobs", b"599") == bytes(8000)


def test_an_entry_too_large_for_the_cache_is_not_kept(tmp_path: Path) -> None:
    mine = cache(tmp_path, MIB)
    mine.put("blobs", b"small", b"small")
    mine.put("blobs", b"large", bytes(MIB))
    assert mine.get("blobs", b"large") is None
    assert mine.get("blobs", b"small") == b"small"


def test_a_folder_full_of_garbage_is_swept_up(tmp_path: Path) -> None:
    """Files that somebody put among the entries count and go; what lies beside the cache's own folders stays."""
    mine = cache(tmp_path, MIB)
    noise = random.Random(1)
    mine.put("blobs", b"first", b"data")
    for folder in ("00", "7f", "ff"):
        (tmp_path / "cache" / "blobs" / folder).mkdir(exist_ok=True)
        for number in range(20):
            garbage = tmp_path / "cache" / "blobs" / folder / f"garbage {number}"
            garbage.write_bytes(noise.randbytes(50_000))
            os.utime(garbage, (1, 1))
    other = tmp_path / "cache" / "notes.txt"
    other.write_text("mine")
    for number in range(400):
        mine.put("blobs", b"%d" % number, noise.randbytes(8000))
    assert not list((tmp_path / "cache").rglob("garbage*"))
    assert disk_bytes(tmp_path) <= MIB
    assert mine.get("blobs", b"399") is not None
    assert other.read_text() == "mine"
    mine.clear()
    assert other.read_text() == "mine"


@pytest.mark.parametrize("place", ["file/cache", "file", "/proc/mic-cache", "/dev/null"])
def test_a_folder_that_cannot_be_is_a_cache_that_is_always_empty(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("a file")
    mine = DiskCache(tmp_path / place, MIB, KINDS)
    mine.put("blobs", b"k", b"data")
    assert mine.get("blobs", b"k") is None
    assert mine.used() == (0, 0)
    assert mine.clear() == (0, 0)


def test_a_folder_that_vanishes_is_made_again(tmp_path: Path) -> None:
    import shutil

    mine = cache(tmp_path)
    mine.put("blobs", b"k", b"data")
    shutil.rmtree(tmp_path / "cache")
    assert mine.get("blobs", b"k") is None
    mine.put("blobs", b"k", b"again")
    assert mine.get("blobs", b"k") == b"again"


def test_clearing_says_what_it_dropped(tmp_path: Path) -> None:
    mine = cache(tmp_path)
    for number in range(10):
        mine.put("blobs", b"%d" % number, bytes(5000))
    assert mine.used() == (10, 10 * 8192)
    assert mine.clear() == (10, 10 * 8192)
    assert mine.used() == (0, 0)
    assert mine.get("blobs", b"1") is None


def test_a_writer_that_was_killed_leaves_nothing_for_ever(tmp_path: Path) -> None:
    """Its unfinished file is not an entry, and goes when it is an hour old."""
    mine = cache(tmp_path, MIB)
    mine.put("blobs", b"k", b"data")
    left, fresh = (tmp_path / "cache" / "new" / name for name in ("4711-0-aaaa", "4712-0-bbbb"))
    left.write_bytes(b"MICK")
    fresh.write_bytes(b"MICK")
    os.utime(left, (1, time.time() - 4000))
    for number in range(200):
        mine.put("blobs", b"%d" % number, bytes(8000))
    assert not left.exists()
    assert fresh.exists()


_HAMMER = """
import hashlib, random, sys
from mic.store.disk_cache import DiskCache
seed, root = int(sys.argv[1]), sys.argv[2]
mine, dice = DiskCache(root, 1 << 20, {"blobs": None}), random.Random(seed)
print("ready", flush=True)
hits = 0
for turn in range(int(sys.argv[3])):
    key = b"%d" % dice.randrange(200)
    data = hashlib.shake_128(key).digest(len(key) * 3000)
    found = mine.get("blobs", key)
    assert found in (None, data), key
    hits += found is not None
    if found is None:
        mine.put("blobs", key, data)
assert hits
"""


def test_processes_that_hammer_one_folder_never_get_wrong_bytes(tmp_path: Path) -> None:
    """Four work, two more are killed while they write; nobody fails, and the bound holds."""
    command = [sys.executable, "-c", _HAMMER]
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    root = str(tmp_path / "cache")

    def start(seed: int, turns: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*command, str(seed), root, str(turns)], env=environment, stdout=subprocess.PIPE, text=True
        )

    workers = [start(seed, 1500) for seed in range(4)]
    victims = [start(seed, 10**9) for seed in (8, 9)]
    for process in (*workers, *victims):
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in workers[:2]:
        assert process.wait(60) == 0
    for process in victims:
        process.send_signal(signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
    for process in workers[2:]:
        assert process.wait(60) == 0
    for process in (*workers, *victims):
        assert process.stdout is not None
        process.stdout.close()
    assert disk_bytes(tmp_path) <= 2 * MIB


def test_threads_share_one_cache(tmp_path: Path) -> None:
    mine = cache(tmp_path, MIB)
    wrong: list[bytes] = []

    def work(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(300):
            key = b"%d" % dice.randrange(100)
            mine.put("blobs", key, key * 2000)
            found = mine.get("blobs", key)
            if found not in (None, key * 2000):
                wrong.append(key)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert disk_bytes(tmp_path) <= 2 * MIB
