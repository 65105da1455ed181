"""Records: front-coded paths, and what a reader refuses."""

from __future__ import annotations

import bisect
import itertools
import random
import sys
from collections.abc import Callable
from types import FrameType

import pytest

from mic.core import record as module
from mic.core.codec import Reader
from mic.core.errors import Corrupt
from mic.core.record import FEW, PackedChanges, PathChange, Record, encode_record, first_from, packed, read_record
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


def _many() -> Record:
    """A record beyond what is decoded at once: paths of two folders, the last of them short."""
    return _record(*(b"a/folder/%06d" % n for n in range(3 * FEW)), *(b"b/%06d" % n for n in range(100)), b"z")


def test_many_changes_are_decoded_when_they_are_looked_at() -> None:
    """In any order, from both ends, in part, and again; beyond them there is nothing."""
    record = _many()
    found = _read(encode_record(record)).changes
    assert isinstance(found, PackedChanges)
    assert isinstance(_read(encode_record(_record(*(b"%06d" % n for n in range(FEW))))).changes, tuple)
    assert len(found) == 3101
    assert [found[at].path for at in (3100, 0, 2999, 3000, 256, 255, 1, 3099, -1, -3101)] == [
        b"z", b"a/folder/000000", b"a/folder/002999", b"b/000000", b"a/folder/000256", b"a/folder/000255",
        b"a/folder/000001", b"b/000099", b"z", b"a/folder/000000",
    ]  # fmt: skip
    assert [change.path for change in found[2998:3002]] == [
        b"a/folder/002998", b"a/folder/002999", b"b/000000", b"b/000001",
    ]  # fmt: skip
    for at in (3101, -3102):
        with pytest.raises(IndexError):
            found[at]
    assert tuple(found) == record.changes
    assert found == record.changes
    assert found != record.changes[1:]
    assert found == _read(encode_record(record)).changes
    assert found != _read(encode_record(_record(*(b"%06d" % n for n in range(3101))))).changes


def test_packed_changes_are_written_as_they_were() -> None:
    raw = encode_record(_many())
    assert encode_record(_read(raw)) == raw
    assert packed(_many(), raw) == _read(raw)


@pytest.mark.parametrize("at", [0, 1, 255, 256, 3000])
def test_damage_among_packed_changes_is_found_when_they_are_looked_at(at: int) -> None:
    """Whoever walks meets it, and so does whoever looks for one."""
    changes = list(_many().changes)
    changes[at], changes[at + 1] = changes[at + 1], changes[at]
    raw = encode_record(_many()._replace(changes=tuple(changes)))
    with pytest.raises(Corrupt, match="not sorted"):
        list(_read(raw).changes)
    with pytest.raises(Corrupt, match="not sorted"):
        _read(raw).changes[3100]


def test_packed_changes_with_something_behind_them_are_damage() -> None:
    raw = encode_record(_many())
    longer = (len(raw) - 4 + 1).to_bytes(4, "big") + raw[4:] + b"x"
    with pytest.raises(Corrupt, match="another length"):
        list(_read(longer).changes)
    with pytest.raises(Corrupt, match="are left"):
        list(_read((len(raw) - 4 - 8).to_bytes(4, "big") + raw[4:-8]).changes)


def test_a_path_among_packed_changes_is_found_as_in_a_list() -> None:
    """At each path, and between, before and behind them; in a tuple just so."""
    record = _many()
    found = _read(encode_record(record)).changes
    paths = [change.path for change in record.changes]
    wanted = [path + more for path in paths for more in (b"", b"\x00", b"/")] + [b"", b"a", b"b/", b"zz", b"\xff" * 9]
    for path in random.Random(3).sample(wanted, len(wanted)):
        expected = bisect.bisect_left(paths, path)
        assert first_from(found, path) == expected
        assert first_from(record.changes[:500], path) == min(expected, 500)
    assert first_from((), b"a") == 0


def test_looking_for_a_path_decodes_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _read(encode_record(_many())).changes
    assert first_from(found, b"a/folder/000700") == 700  # from here on it is known where blocks begin
    decoded = 0
    before = module._read_change

    def count(reader: Reader, path: bytes) -> PathChange:
        nonlocal decoded
        decoded += 1
        return before(reader, path)

    monkeypatch.setattr(module, "_read_change", count)
    assert first_from(found, b"b/000050") == 3050
    assert found[3050].path == b"b/000050"
    assert decoded <= 256


def test_who_else_looks_at_packed_changes_meanwhile_changes_nothing() -> None:
    """Records are shared by threads, and one may look between any two steps of another."""
    found = _read(encode_record(_many())).changes
    assert found[0].path == b"a/folder/000000"
    others = itertools.cycle([3000, 17])

    def between(frame: FrameType, event: str, argument: object) -> Callable[..., object] | None:
        if not frame.f_code.co_qualname.startswith(("PackedChanges.", "first_from")):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            assert found[next(others)].path in (b"b/000000", b"a/folder/000017")
        return between

    before = sys.gettrace()
    sys.settrace(between)
    try:
        seen = [found[at].path for at in (700, 701, 3, 2999, 3100)]
        place = first_from(found, b"a/folder/001200")
    finally:
        sys.settrace(before)
    assert seen == [b"a/folder/000700", b"a/folder/000701", b"a/folder/000003", b"a/folder/002999", b"z"]
    assert place == 1200


@pytest.mark.parametrize("path", [b"x" * 127, b"x" * 128, b"x" * 16_384])
def test_any_lengths_are_passed_over_among_packed_changes(path: bytes) -> None:
    """Of what is shared, of what is not, of a file's size; odd modes, and what was deleted."""
    changes = []
    for number, size in enumerate([0, 127, 128, 1 << 14, 1 << 35] * 300):
        name = path[:-8] + b"%08d" % number
        entry = Entry(name, 0o100640 if number % 3 else 0o100755, number % 3, size, H)
        changes.append(PathChange(name, 2 if number % 7 == 0 else 1, None if number % 7 == 0 else entry))
    found = _read(encode_record(_record()._replace(changes=tuple(changes)))).changes
    assert isinstance(found, PackedChanges)
    assert found[1_499] == changes[1_499]
    assert [found[at] for at in range(1_500)] == changes
