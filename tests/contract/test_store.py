"""What every object store must do, asked of each adapter that we have."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mic.core.errors import (
    AlreadyExists,
    InvalidInput,
    MicError,
    NotFound,
    PreconditionFailed,
    StorageFull,
    Unavailable,
)
from mic.store import DirectoryStore, Listed, MemoryStore, ObjectStore
from mic.store.disk_cache import DiskCache
from mic.store.race import race
from mic.store.ram import RamCache
from mic.store.s3 import S3Store
from mic.store.tiers import KINDS, TieredStore
from radosgw import Radosgw
from s3_server import S3Server

THREADS = 16


@pytest.fixture(params=["memory", "directory", "s3", "tiers", pytest.param("radosgw", marks=pytest.mark.radosgw)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Each adapter in turn, empty."""
    if request.param in ("s3", "radosgw"):
        server: S3Server | Radosgw = request.getfixturevalue("s3_server" if request.param == "s3" else "radosgw")
        return S3Store(server.new_place())
    if request.param == "tiers":
        disk = DiskCache(tmp_path / "cache", 64 << 20, dict.fromkeys(KINDS))
        return TieredStore(DirectoryStore(tmp_path / "store"), ram=RamCache(16 << 20), disk=disk)
    return MemoryStore() if request.param == "memory" else DirectoryStore(tmp_path / "store")


# ------------------------------------------------------------------ the eight calls


def test_what_is_put_is_what_is_got(store: ObjectStore) -> None:
    """Any bytes, also none and all values; the last put stands."""
    every = bytes(range(256)) * 300
    store.put("a", b"")
    store.put("d/e/f.bin", every)
    assert store.get("a").data == b""
    assert store.get("d/e/f.bin").data == every
    store.put("a", b"two")
    assert store.get("a").data == b"two"


@pytest.mark.parametrize("size", [0, 5, (8 << 20) - 1, 8 << 20, (19 << 20) + 7])
def test_a_file_is_put_from_its_first_byte(store: ObjectStore, size: int) -> None:
    """Whole, wherever it was read to before, in one part or several; and in place of what was there."""
    data = random.Random(size).randbytes(size)
    store.put("a/b", b"old")
    with tempfile.TemporaryFile() as file:
        file.write(data)
        store.put_file("a/b", file)
        assert store.get("a/b").data == data
        file.seek(0)
        file.truncate()
        file.write(b"new")
        store.put_file("a/b", file)
    assert store.get_range("a/b", 0, 10) == b"new"
    assert [item for item in store.list("") if not item.key.startswith("doctor/")] == [Listed("a/b", 3)]
    with tempfile.SpooledTemporaryFile(1 << 20) as spooled:
        spooled.write(b"in memory")
        store.put_file("c", spooled)  # type: ignore[arg-type]
    assert store.get("c").data == b"in memory"
    with pytest.raises(InvalidInput):
        store.put_file("../c", io.BytesIO(b"x"))


def test_a_file_does_not_pass_through_memory(tmp_path: Path, s3_server: S3Server) -> None:
    """128 MB are put with less than 70 MB more than before, into a directory and into a bucket."""
    with (tmp_path / "large").open("w+b") as file:
        for number in range(32):
            file.write(number.to_bytes(4, "big") * (1 << 20))
        script = (
            "import json, resource, sys; from pathlib import Path; from mic.store import DirectoryStore\n"
            "from mic.store.s3 import S3Store; from mic.store.s3_place import S3Place\n"
            "place = json.loads(sys.argv[3])\n"
            "store = S3Store(S3Place(**place)) if place else DirectoryStore(Path(sys.argv[2]))\n"
            "store.put('first', b'x'); before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "store.put_file('large', open(sys.argv[1], 'rb'))\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
        )
        for place in ({}, dataclasses.asdict(s3_server.new_place())):
            paths = [str(tmp_path / "large"), str(tmp_path / "store")]
            command = [sys.executable, "-c", script, *paths, json.dumps(place)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            assert int(done.stdout) < 70 << 10


def test_a_range_is_cut_at_the_end(store: ObjectStore) -> None:
    store.put("a/b", b"0123456789")
    assert store.get_range("a/b", 0, 3) == b"012"
    assert store.get_range("a/b", 4, 100) == b"456789"
    assert store.get_range("a/b", 9, 1) == b"9"
    assert store.get_range("a/b", 10, 5) == b""
    assert store.get_range("a/b", 99, 5) == b""
    assert store.get_range("a/b", 2, 0) == b""


@pytest.mark.parametrize("key", ["absent", "a/absent", "a/b/below-an-object", "a"])
def test_absent_is_not_found_with_its_name(store: ObjectStore, key: str) -> None:
    """Also where an object stands in the way, and where only a part of other keys has this name."""
    store.put("a/b", b"x")
    for read in (lambda: store.get(key), lambda: store.get_range(key, 0, 1)):
        with pytest.raises(NotFound, match=f"{key} does not exist"):
            read()


def test_create_only_keeps_the_first(store: ObjectStore) -> None:
    store.put_new("a/b", b"first")
    with pytest.raises(AlreadyExists, match="a/b exists already"):
        store.put_new("a/b", b"second")
    assert store.get("a/b").data == b"first"
    store.delete("a/b")
    store.put_new("a/b", b"third")
    assert store.get("a/b").data == b"third"


def test_swap_needs_the_tag_of_what_is_there(store: ObjectStore) -> None:
    """An old tag, a tag of nothing and an absent object all fail, and change nothing."""
    store.put("head", b"one")
    first = store.get("head").tag
    store.put_if("head", b"two", first)
    for tag in (first, "", "no such tag"):
        with pytest.raises(PreconditionFailed, match="head has changed"):
            store.put_if("head", b"three", tag)
    with pytest.raises(PreconditionFailed):
        store.put_if("absent", b"three", first)
    assert store.get("head").data == b"two"
    with pytest.raises(NotFound):
        store.get("absent")
    store.delete("head")
    with pytest.raises(PreconditionFailed):
        store.put_if("head", b"three", first)


def test_what_is_too_large_to_swap_has_no_tag(store: ObjectStore) -> None:
    """An empty tag never swaps, so a large object is never swapped by mistake."""
    store.put("large", bytes((1 << 20) + 1))
    assert store.get("large").tag == ""
    with pytest.raises(PreconditionFailed):
        store.put_if("large", b"x", "")
    store.put("just", bytes(1 << 20))
    store.put_if("just", b"x", store.get("just").tag)
    assert store.get("just").data == b"x"


def test_delete_of_nothing_is_nothing(store: ObjectStore) -> None:
    store.put("a/b", b"x")
    store.delete("a/c")
    store.delete("z/y")
    store.delete("a/b")
    store.delete("a/b")
    with pytest.raises(NotFound):
        store.get("a/b")
    assert list(store.list("")) == []


def test_a_large_object_is_whole_and_read_in_parts(store: ObjectStore) -> None:
    """64 MiB, as packs are: all of it, a part from the middle, and what is left at the end."""
    size = 64 << 20
    block = bytes(range(251)) * 4096
    data = (block * (size // len(block) + 1))[:size]
    store.put_new("packs/large", data)
    assert store.get("packs/large").data == data
    assert store.get_range("packs/large", 40_000_003, 70_001) == data[40_000_003:40_070_004]
    assert store.get_range("packs/large", size - 5, 100) == data[-5:]
    assert list(store.list("packs/")) == [Listed("packs/large", 67_108_864)]


@pytest.mark.parametrize(
    "key", ["a=b", "a@b", "a+b", "a+b/c=d/e@f", "_", "-", "a..b", "x." * 100 + "x", "/".join("abcdefgh" * 8)]
)
def test_odd_keys_are_keys(store: ObjectStore, key: str) -> None:
    """Signs that addresses write in another way, long parts, many parts: kept, listed and removed under their name."""
    store.put_new(key, b"one")
    store.put_if(key, b"two", store.get(key).tag)
    assert store.get_range(key, 1, 9) == b"wo"
    assert list(store.list("")) == [Listed(key, 3)]
    store.delete(key)
    assert list(store.list("")) == []


def test_keys_that_begin_like_others_are_apart(store: ObjectStore) -> None:
    """A list below `ab/` holds neither `ab` nor `abc/x`; removing one leaves the other."""
    for key in ["abc", "ab.c", "abc.d", "ab/x", "abd/x"]:
        store.put(key, key.encode())
    assert [item.key for item in store.list("ab/")] == ["ab/x"]
    store.delete("abc")
    assert [item.key for item in store.list("")] == ["ab.c", "ab/x", "abc.d", "abd/x"]
    assert store.get("abc.d").data == b"abc.d"


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    """It is got, ranged over, listed, kept by create-only and swapped like any other."""
    store.put_new("e", b"")
    with pytest.raises(AlreadyExists):
        store.put_new("e", b"x")
    assert store.get_range("e", 0, 1) == b""
    assert store.get_range("e", 0, 0) == b""
    assert list(store.list("")) == [Listed("e", 0)]
    store.put_if("e", b"x", store.get("e").tag)
    store.put_if("e", b"", store.get("e").tag)
    assert store.get("e").data == b""


KEYS = ["a", "b-c", "b/1", "b/10", "b/2", "b/d/e", "b0", "b=c", "c/d/e/f", "c/d/e0", "projects/x/head"]


def test_lists_are_sorted_by_the_bytes_of_the_key(store: ObjectStore) -> None:
    """A directory's keys stand where their bytes do: `b-c` before `b/1`, `b0` behind it."""
    for key in reversed(KEYS):
        store.put(key, b"x" * len(key))
    expected = ["a", "b-c", "b/1", "b/10", "b/2", "b/d/e", "b0", "b=c", "c/d/e/f", "c/d/e0", "projects/x/head"]
    assert list(store.list("")) == [Listed(key, len(key)) for key in expected]
    assert [item.key for item in store.list("b/")] == ["b/1", "b/10", "b/2", "b/d/e"]
    assert [item.key for item in store.list("b/d/")] == ["b/d/e"]
    assert list(store.list("absent/")) == []
    assert list(store.list("a/")) == []


@pytest.mark.parametrize("start_after", [*KEYS, "", "0", "b", "b/", "b/15", "b/d", "b/d/", "b/d/z", "c/d/e/", "zz"])
def test_a_list_goes_on_behind_any_key(store: ObjectStore, start_after: str) -> None:
    """Present or not, inside a directory or beside it."""
    for key in KEYS:
        store.put(key, b"x")
    assert [item.key for item in store.list("", start_after)] == [key for key in sorted(KEYS) if key > start_after]
    below = [key for key in sorted(KEYS) if key.startswith("b/") and key > start_after]
    assert [item.key for item in store.list("b/", start_after)] == below


REFUSED = [
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/../b",
    "../a",
    "a/./b",
    "a b",
    "a\n",
    "é",
    "a\x00b",
    "a\\b",
    "a:b",
]


@pytest.mark.parametrize("key", [*REFUSED, ".tmp/x", ".locks/00", ".tmp"])
def test_keys_that_could_mean_another_place_are_refused(store: ObjectStore, key: str) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: store.get(key),
        lambda: store.get_range(key, 0, 1),
        lambda: store.put(key, b"x"),
        lambda: store.put_file(key, io.BytesIO(b"x")),
        lambda: store.put_new(key, b"x"),
        lambda: store.put_if(key, b"x", "tag"),
        lambda: store.delete(key),
    ]
    for call in calls:
        with pytest.raises(InvalidInput, match="is not a store key"):
            call()
    assert list(store.list("")) == []


# ------------------------------------------------------------------ races


def test_one_of_sixteen_creators_wins(store: ObjectStore) -> None:
    for number in range(20):
        key = f"made/{number}"
        outcomes = race(THREADS, lambda which, key=key: store.put_new(key, b"%d" % which))  # type: ignore[misc]
        winners = [which for which, error in enumerate(outcomes) if error is None]
        assert len(winners) == 1
        assert all(isinstance(error, AlreadyExists) for error in outcomes if error)
        assert store.get(key).data == b"%d" % winners[0]


def test_one_of_sixteen_creators_of_the_same_bytes_wins(store: ObjectStore) -> None:
    """A claim is a claim, even where all claimants write the same."""
    for number in range(5):
        outcomes = race(THREADS, lambda _, key=f"claims/{number}": store.put_new(key, b"mine"))  # type: ignore[misc]
        assert outcomes.count(None) == 1
        assert all(isinstance(error, AlreadyExists) for error in outcomes if error)


def test_one_of_sixteen_swappers_wins_each_round(store: ObjectStore, request: pytest.FixtureRequest) -> None:
    """The others are refused. Ceph gives some of them an error 500 instead, which is unclear and no refusal."""
    losses = PreconditionFailed | Unavailable if "radosgw" in request.node.name else PreconditionFailed
    store.put("head", b"start")
    for number in range(20):
        tag = store.get("head").tag
        outcomes = race(THREADS, lambda which, n=number, t=tag: store.put_if("head", b"%d %d" % (n, which), t))  # type: ignore[misc]
        winners = [which for which, error in enumerate(outcomes) if error is None]
        assert len(winners) == 1
        assert all(isinstance(error, losses) for error in outcomes if error)
        assert store.get("head").data == b"%d %d" % (number, winners[0])


def test_a_reader_never_sees_half_an_object(store: ObjectStore) -> None:
    """Objects of one repeated byte, replaced under a reader's eyes: each read is of one byte and whole."""
    size = 1 << 18
    store.put("o", b"\x00" * size)
    done = threading.Event()
    torn: list[int] = []

    def read() -> None:
        while not done.is_set():
            data = store.get("o").data
            if len(data) != size or data.count(data[:1]) != size:
                torn.append(len(data))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for value in range(100):
        store.put("o", bytes([value]) * size)
    done.set()
    for reader in readers:
        reader.join()
    assert torn == []


# Run by another process: counts up by compare-and-swap.
_COUNT_UP = """
import sys
from mic.core.errors import PreconditionFailed
from mic.store import DirectoryStore

store = DirectoryStore(sys.argv[1])
for _ in range(50):
    while True:
        data, tag = store.get("counter")
        try:
            store.put_if("counter", b"%d" % (int(data) + 1), tag)
            break
        except PreconditionFailed:
            continue
"""


def test_no_swap_is_lost_between_four_processes(tmp_path: Path) -> None:
    """Four processes each count up 50 times: the counter says 200."""
    store = DirectoryStore(tmp_path)
    store.put("counter", b"0")
    workers = [subprocess.Popen([sys.executable, "-c", _COUNT_UP, str(tmp_path)]) for _ in range(4)]
    assert [worker.wait(timeout=50) for worker in workers] == [0, 0, 0, 0]
    assert store.get("counter").data == b"200"


# ------------------------------------------------------------------ a disk that fails


@pytest.fixture
def broken_write(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """`broken_write(errno)`: from then on every os.write writes a few bytes and then fails."""
    real = os.write

    def install(code: int) -> None:
        written: set[int] = set()

        def write(descriptor: int, data: Any) -> int:
            if descriptor in written:
                raise OSError(code, os.strerror(code))
            written.add(descriptor)
            return real(descriptor, bytes(data)[:3])

        monkeypatch.setattr(os, "write", write)

    yield install
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EFBIG, StorageFull),
        (errno.EIO, Unavailable),
        (errno.EROFS, Unavailable),
    ],
)
def test_a_write_that_fails_leaves_nothing(
    tmp_path: Path, broken_write: Callable[[int], None], code: int, expected: type[MicError]
) -> None:
    """The old objects stand, no new one and no temporary file is there, and the error names the key."""
    store = DirectoryStore(tmp_path)
    store.put("there", b"old")
    tag = store.get("there").tag
    broken_write(code)
    calls: list[tuple[str, Callable[[], None]]] = [
        ("there", lambda: store.put("there", b"0123456789")),
        ("there", lambda: store.put_if("there", b"0123456789", tag)),
        ("new/one", lambda: store.put_new("new/one", b"0123456789")),
    ]
    for key, call in calls:
        with pytest.raises(expected, match=key) as caught:
            call()
        assert type(caught.value) is expected
    assert list(store.list("")) == [Listed("there", 3)]
    assert store.get("there").data == b"old"
    assert os.listdir(tmp_path / ".tmp") == []


def test_a_failing_flush_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be made durable is not acknowledged."""
    store = DirectoryStore(tmp_path)

    def fsync(_: int) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(Unavailable, match="a/b"):
        store.put_new("a/b", b"x")
    monkeypatch.undo()
    assert list(store.list("")) == []
    assert os.listdir(tmp_path / ".tmp") == []


def test_a_folder_that_cannot_be_read_is_not_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error while listing or reading is Unavailable, never an end of the list and never NotFound."""
    store = DirectoryStore(tmp_path)
    store.put("a/b", b"x")

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, "permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(Unavailable, match="permission denied"):
        list(store.list("a/"))
    monkeypatch.undo()
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(Unavailable, match="permission denied"):
        store.get("a/b")
