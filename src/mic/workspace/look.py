"""Which files' stat data do not vouch for them: the one loop of `mic status` that runs once for each file.

Nothing of it is bytecode but the comparison: stat data and what was recorded come as tuples from functions in C. Where
asked to, part of the files is looked at by forks, as git does with threads: half of the time is the kernel's, and the
other half is under the interpreter's lock.
"""

from __future__ import annotations

import posix
from _functools import partial  # type: ignore[import-not-found]  # functools takes 3 ms to load
from _operator import attrgetter

from mic.workspace.columns import DISK_BITS, Columns

TYPE_CHECKING = False  # as typing has it, which takes 5 ms to load
if TYPE_CHECKING:
    from collections.abc import Iterable

# Fewer are looked at sooner than a fork is made.
_PAYS = 8_000
# Fewer are looked at before the C library's own function is found.
_MANY = 1_000
_MOST = 4
_FOUND = 5
_KIND, _FOLDER = 0o170000, 0o040000
GONE, SUSPECT = 0, 1
# Whatever sets st_mtime sets st_ctime to now, so that one is not asked for.
_numbers = attrgetter("st_ctime_ns", "st_size", "st_ino", "st_mode")


def look(root: int, columns: Columns, forks: bool) -> list[tuple[int, int]]:
    """(number, GONE or SUSPECT) of all files but those that are as recorded, in order. `root` is an open folder.

    With `forks` this process has no threads, and the folder that it is in may change.
    """
    files = len(columns.paths)
    workers = min(_MOST, _processors(), files // _PAYS) if forks else 1
    if workers < 2:
        return _look(root, columns, 0, files, False)
    parts = [(files * part // workers, files * (part + 1) // workers) for part in range(workers)]
    begun = [_begin(root, columns, *part) for part in parts[1:]]
    found = _look(root, columns, *parts[0], True)
    for work, part in zip(begun, parts[1:], strict=True):
        told = _end(*work) if work is not None else None
        found += _look(root, columns, *part, True) if told is None else told
    return found


def folders_that_differ(root: int, columns: Columns) -> Iterable[int]:
    """The numbers of directories that are not vouched for, or of all."""
    everything = range(len(columns.dirs))
    if len(everything) < _MANY:
        return everything
    from mic.workspace.stat_rows import Recorded, differing

    modes = [_FOLDER] * len(everything)
    paths = [path or b"." for path in columns.dirs]
    found = differing(root, Recorded(paths, columns.clock, columns.dir_ctimes, _KIND, modes), 0, len(everything))
    return everything if found is None else [number for number, _ in found]


def _processors() -> int:
    return len(posix.sched_getaffinity(0)) if hasattr(posix, "sched_getaffinity") else posix.cpu_count() or 1


def _look(root: int, columns: Columns, start: int, end: int, enter: bool) -> list[tuple[int, int]]:
    """With `enter` this process, which has no threads, goes into the folder: names are found sooner from there."""
    if enter:
        posix.fchdir(root)
    lstat = posix.lstat if enter else partial(posix.lstat, dir_fd=root)
    if end - start >= _MANY:
        from mic.workspace.stat_rows import Recorded, differing

        recorded = Recorded(
            columns.paths, columns.clock, columns.ctimes, DISK_BITS, columns.bits, columns.disk_sizes, columns.inodes
        )
        rows = differing(None if enter else root, recorded, start, end)
        if rows is not None:
            return [(number, SUSPECT if there else _how(lstat, columns.paths[number])) for number, there in rows]
    return _one_by_one(lstat, columns, start, end)


def _how(lstat, path: bytes) -> int:  # type: ignore[no-untyped-def]  # typing takes 5 ms
    try:
        lstat(path)
    except OSError as error:
        return _of(error)
    return SUSPECT


def _of(error: OSError) -> int:
    """Whatever else may be the matter, whoever needs that file meets it again."""
    return GONE if isinstance(error, (FileNotFoundError, NotADirectoryError)) else SUSPECT


def _one_by_one(lstat, columns: Columns, start: int, end: int) -> list[tuple[int, int]]:  # type: ignore[no-untyped-def]
    paths = columns.paths[start:end]
    usual = _usual_modes(lstat, paths)
    stats = map(_numbers, map(lstat, paths))
    known = zip(
        columns.ctimes[start:end], columns.disk_sizes[start:end], columns.inodes[start:end],
        map(usual.get, columns.bits[start:end]), strict=True,
    )  # fmt: skip
    found = []
    number = start
    while True:
        try:
            for now, then in zip(stats, known):  # noqa: B905  # what raises has no length
                if now != then:
                    found.append((number, SUSPECT))
                number += 1
            break
        except OSError as error:
            found.append((number, _of(error)))
            number += 1
            next(known)
    clock, ctimes = columns.clock, columns.ctimes[start:end]
    if paths and max(ctimes) >= clock:
        there = {number for number, _ in found}
        found += [
            (start + place, SUSPECT)
            for place, ctime in enumerate(ctimes)
            if ctime >= clock and start + place not in there
        ]
        found.sort()
    return found


def _usual_modes(lstat, paths: list[bytes]) -> dict[int, int]:  # type: ignore[no-untyped-def]  # typing takes 5 ms
    """The whole mode that a file most likely has, by the bits that are recorded of it, as the first files have it.

    A file with another one is looked at once more, no more than that.
    """
    allowed = 0o644
    for path in paths[:20]:
        try:
            mode = lstat(path).st_mode
        except OSError:
            continue
        if mode & 0o170000 == 0o100000:
            allowed = mode & 0o666
            break
    return {0o100000: 0o100000 | allowed, 0o100100: 0o100000 | allowed | (allowed & 0o444) >> 2, 0o120100: 0o120777}


def _begin(root: int, columns: Columns, start: int, end: int) -> tuple[int, int] | None:
    """The process that looks at a part of the files, and the pipe that it tells; None when no process is to be had."""
    told, telling = posix.pipe()
    try:
        process = posix.fork()
    except OSError:
        process = -1
    if process:
        posix.close(telling)
        if process < 0:
            posix.close(told)
            return None
        return process, told
    try:
        found = _look(root, columns, start, end, True)
        data = memoryview(b"".join(number.to_bytes(4, "big") + bytes([what]) for number, what in found) + b"e")
        while data:
            data = data[posix.write(telling, data) :]
    finally:
        posix._exit(0)


def _end(process: int, told: int) -> list[tuple[int, int]] | None:
    """What a process has found; None when it did not come to its end."""
    parts = []
    while part := posix.read(told, 1 << 20):
        parts.append(part)
    posix.close(told)
    posix.waitpid(process, 0)
    data = b"".join(parts)
    if data[-1:] != b"e":
        return None
    return [
        (int.from_bytes(data[place : place + 4], "big"), data[place + 4]) for place in range(0, len(data) - 1, _FOUND)
    ]
