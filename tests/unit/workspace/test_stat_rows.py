"""Files that are vouched for by rows of stat data, beside what `os.lstat` says of each."""

from __future__ import annotations

import os
import posix
import random
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from mic.workspace import stat_rows
from mic.workspace.stat_rows import Recorded, differing

# Two whole batches, and part of a third.
FILES = 1_100
BITS = 0o170100


class Files:
    """Some files, and the columns of what was recorded of them, which a test may change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = [b"%d/file%04d" % (number % 7, number) for number in range(FILES)]
        for number, path in enumerate(self.paths):
            (folder / os.fsdecode(path)).parent.mkdir(exist_ok=True)
            (folder / os.fsdecode(path)).write_bytes(b"x" * (number % 5))
        stats = [os.lstat(folder / os.fsdecode(path)) for path in self.paths]
        self.ctimes = [stat.st_ctime_ns for stat in stats]
        self.modes = [stat.st_mode & BITS for stat in stats]
        self.sizes = [stat.st_size for stat in stats]
        self.inodes = [stat.st_ino for stat in stats]
        self.clock = max(self.ctimes) + 1

    def __getitem__(self, number: int) -> Path:
        return self.folder / os.fsdecode(self.paths[number])

    def found(self, root: int | None = None, start: int = 0, end: int = FILES) -> list[tuple[int, bool]]:
        recorded = Recorded(self.paths, self.clock, self.ctimes, BITS, self.modes, self.sizes, self.inodes)
        rows = differing(root, recorded, start, end)
        assert rows is not None
        return rows


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.chdir(tmp_path)
    return Files(tmp_path)


def later(stat: os.stat_result, path: Path) -> None:
    """Until the file's ctime is another one than it was: clocks of file systems tick some hundred times a second."""
    while os.lstat(path).st_ctime_ns == stat.st_ctime_ns:
        os.utime(path, ns=(0, 0))


@pytest.mark.parametrize("handle", [False, True])
def test_what_is_as_recorded_is_not_found(files: Files, handle: bool) -> None:
    root = os.open(files.folder, os.O_RDONLY) if handle else None
    try:
        if handle:
            os.chdir("/")
        assert files.found(root) == []
        assert files.found(root, 499, 501) == []
        assert files.found(root, 7, 7) == []
        files[3].unlink()
        files.sizes[1_099] += 1
        assert files.found(root) == [(3, False), (1_099, True)]
        assert files.found(root, 4, 1_099) == []
        assert files.found(root, 3, 4) == [(3, False)]
    finally:
        if root is not None:
            os.close(root)


def grown(files: Files, number: int) -> None:
    files[number].write_bytes(b"x" * 9)


def touched(files: Files, number: int) -> None:
    later(os.lstat(files[number]), files[number])


def replaced(files: Files, number: int) -> None:
    """Another file of the same bytes. What a program may set is as it was; the old one still has its inode."""
    path = files[number]
    old = path.with_suffix(".old")
    path.rename(old)
    path.write_bytes(old.read_bytes())
    os.utime(path, ns=(old.stat().st_atime_ns, old.stat().st_mtime_ns))


def executable(files: Files, number: int) -> None:
    files[number].chmod(0o755)


def a_link(files: Files, number: int) -> None:
    files[number].rename(files[number].with_suffix(".old"))
    files[number].symlink_to(files[number].with_suffix(".old").name)


def a_folder(files: Files, number: int) -> None:
    files[number].unlink()
    files[number].mkdir()


@pytest.mark.parametrize("number", [0, 499, 500, 1_000, 1_099])
@pytest.mark.parametrize("change", [grown, touched, replaced, executable, a_link, a_folder])
def test_a_change_is_found(files: Files, change: Callable[[Files, int], None], number: int) -> None:
    change(files, number)
    assert files.found() == [(number, True)]


@pytest.mark.parametrize("column", ["ctimes", "modes", "sizes", "inodes"])
@pytest.mark.parametrize("bit", [0, 6, 29, 31, 33, 47, 62])
def test_each_bit_of_each_number_counts(files: Files, column: str, bit: int) -> None:
    numbers = getattr(files, column)
    bit = bit % 32 if column == "modes" else bit
    for number in (0, 700):
        numbers[number] ^= 1 << bit
    files.clock = 1 << 63
    assert files.found() == [(0, True), (700, True)]


def test_what_one_time_has_more_another_cannot_have_less(files: Files) -> None:
    """Times are compared as one large number, in which one digit could carry into the next."""
    files.ctimes[10] += 1
    files.ctimes[11] -= 1
    files.ctimes[20] -= 1_000_000_000
    files.ctimes[600] = -1
    files.ctimes[601] = 0
    assert files.found() == [(10, True), (11, True), (20, True), (600, True), (601, True)]


def test_other_bits_of_a_mode_do_not_count(files: Files) -> None:
    for number in (0, 999):
        files[number].chmod(0o606)
        files.ctimes[number] = os.lstat(files[number]).st_ctime_ns
    files.clock = max(files.ctimes) + 1
    assert files.found() == []


def test_what_is_as_young_as_the_clock_is_not_vouched_for(files: Files) -> None:
    for clock in (0, 1, min(files.ctimes), files.ctimes[550], max(files.ctimes), max(files.ctimes) + 1, (1 << 64) - 1):
        files.clock = clock
        assert files.found() == [(number, True) for number, ctime in enumerate(files.ctimes) if ctime >= clock]


def test_a_row_that_was_not_filled_is_nobodys(files: Files) -> None:
    """What is in the buffer is of the file 500 earlier, and here the very same is recorded of the one that is gone."""
    for column in (files.ctimes, files.modes, files.sizes, files.inodes):
        column[777] = column[277]
    files[777].unlink()
    assert files.found() == [(777, False)]
    for path in (files.folder / "3").iterdir():
        path.unlink()
    (files.folder / "3").rmdir()
    (files.folder / "3").write_bytes(b"")  # a file in the place of a folder
    assert files.found() == [(number, False) for number in range(FILES) if number % 7 == 3 or number == 777]


def test_without_sizes_and_inodes(files: Files) -> None:
    """As folders are recorded."""
    recorded = Recorded(files.paths, files.clock, files.ctimes, 0o170000, [0o100000] * FILES)
    assert differing(None, recorded, 0, FILES) == []
    files[5].unlink()
    files[5].mkdir()
    found = differing(None, recorded, 0, FILES)
    assert found == [(5, True)]


def test_at_random_as_one_by_one(files: Files) -> None:
    chance = random.Random(29)
    for _ in range(20):
        for number in chance.sample(range(FILES), chance.choice([1, 5, 400])):
            kind = chance.randrange(4)
            if kind == 0:
                files[number].unlink(missing_ok=True)
            elif kind == 1:
                files[number].write_bytes(b"y" * chance.randrange(5))
            elif kind == 2:
                files.ctimes[number] += chance.choice([-1, 1, 1_000_000_000, 1 << 40])
            else:
                files.inodes[number] = chance.getrandbits(64)
        files.clock = time.time_ns() + chance.choice([-10_000_000, 1_000_000_000])
        expected = []
        for number in range(FILES):
            try:
                stat = os.lstat(files[number])
            except FileNotFoundError:
                expected.append((number, False))
                continue
            now = stat.st_ctime_ns, stat.st_size, stat.st_ino, stat.st_mode & BITS
            then = files.ctimes[number], files.sizes[number], files.inodes[number], files.modes[number]
            if now != then or now[0] >= files.clock:
                expected.append((number, True))
        assert files.found() == expected


def test_an_unknown_machine_and_an_old_library(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = Recorded(files.paths, files.clock, files.ctimes, BITS, files.modes, files.sizes, files.inodes)
    with monkeypatch.context() as patch:
        patch.setattr(posix, "uname", lambda: SimpleNamespace(machine="vax"))
        assert differing(None, recorded, 0, FILES) is None
    with monkeypatch.context() as patch:
        patch.setattr("sys.platform", "darwin")
        assert differing(None, recorded, 0, FILES) is None

    def absent(library: int, name: str) -> int:
        raise OSError(f"undefined symbol: {name}")

    monkeypatch.setattr("_ctypes.dlsym", absent)
    assert differing(None, recorded, 0, FILES) is None
    assert stat_rows._LAYOUTS.keys() == {"x86_64", "aarch64"}
