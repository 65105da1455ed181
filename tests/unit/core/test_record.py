"""Records: front-coded paths, and what a reader refuses."""

from __future__ import annotations

import random

import pytest

from mic.core.codec import Reader
from mic.core.errors import Corrupt
from mic.core.record import PathChange, Record, encode_record, read_record
from mic.core.tree import Entry

H = bytes(range(32))


def _record(*paths: bytes) -> Record:
    changes = tuple(PathChange(path, 0, Entry(path, 0o100644, 0, 1, H)) for path in paths)
    return Record(1, bytes(16), H, 0, 5, H, changes)


def _read(raw: bytes) -> Record:
    reader = Reader(raw, "record")
    found = read_record(reader)
    reader.done()
    return found


def test_many_paths_come_back_and_take_little() -> None:
    """20,000 paths of 40 shared bytes: about what differs is stored, beside the 32 bytes of a hash."""
    prefix = b"a/long/common/folder/name/of/forty/bytes/"
    paths = [prefix + b"%05d" % n for n in range(20_000)]
    raw = encode_record(_record(*paths))
    assert _read(raw) == _record(*paths)
    assert len(raw) < 20_000 * (32 + 8)


@pytest.mark.parametrize("seed", range(30))
def test_any_sorted_paths_come_back(seed: int) -> None:
    rnd = random.Random(seed)
    paths = {bytes(rnd.choices(b"ab/\xff\x00", k=rnd.randrange(1, 300))) for _ in range(rnd.randrange(40))}
    assert _read(encode_record(_record(*sorted(paths)))) == _record(*sorted(paths))


def test_the_longest_path_comes_back() -> None:
    assert _read(encode_record(_record(b"x" * 16_383, b"x" * 16_384))).changes[1].path == b"x" * 16_384


@pytest.mark.parametrize("paths", [(b"b", b"a"), (b"a", b"a"), (b"ab", b"a")])
def test_paths_that_are_not_sorted_are_damage(paths: tuple[bytes, ...]) -> None:
    with pytest.raises(Corrupt, match="not sorted"):
        _read(encode_record(_record(*paths)))


def test_a_path_that_grows_beyond_the_limit_is_damage() -> None:
    """Front coding could make a long path of little."""
    with pytest.raises(Corrupt, match="malformed"):
        _read(encode_record(_record(b"x" * 16_384, b"x" * 16_385)))


@pytest.mark.parametrize("length", [0, 108, 145, 147, (1 << 32) - 1])
def test_a_wrong_length_is_damage(length: int) -> None:
    raw = encode_record(_record(b"a"))
    assert len(raw) - 4 == 146
    with pytest.raises(Corrupt):
        _read(length.to_bytes(4, "big") + raw[4:])
