"""Git histories made for measuring, the same bytes each time: long ones, merges, many files, many tags.

Sizes come from the environment (`make bench-git COMMITS=50000`), so that one command measures small and large.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.corpora import path_of, text

COMMITS = int(os.environ.get("COMMITS", "10000"))
FILES = int(os.environ.get("FILES", "100000"))
TAGS = int(os.environ.get("TAGS", "5000"))
LANDINGS = int(os.environ.get("LANDINGS", "100000"))

_DAY = 1_600_000_000


def git(folder: Path, *arguments: str) -> str:
    """What a git command prints, run in `folder`; it must succeed."""
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    ).stdout.strip()


def stream(kind: str) -> Iterator[bytes]:
    """The history of a kind in git's fast-import form: "long", "merges", "files", "tags"."""
    if kind == "merges":
        return _merges(COMMITS)
    if kind == "files":
        return _line(FILES, 3, 4)
    if kind == "tags":
        return _tags(max(TAGS // 5, 1), TAGS)
    return _line(1000, COMMITS, 40)


def import_stream(folder: Path, data: Iterable[bytes]) -> None:
    """Feed a new bare repository from a fast-import stream. What git makes of it is one pack, without bitmaps."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    git(folder, "config", "http.receivepack", "true")
    git(folder, "config", "gc.auto", "0")
    git(folder, "config", "receive.autogc", "false")
    process = subprocess.Popen(["git", "-C", str(folder), "fast-import", "--quiet"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    for piece in data:
        process.stdin.write(piece)
    process.stdin.close()
    assert process.wait() == 0


def make_history(folder: Path, kind: str) -> Path:
    """A bare repository of that kind, packed as well as `git gc` packs, without bitmaps."""
    import_stream(folder, stream(kind))
    return packed(folder)


def packed(folder: Path) -> Path:
    """Pack a repository as well as `git gc` does, without bitmaps."""
    git(folder, "-c", "repack.writeBitmaps=false", "repack", "-q", "-a", "-d", "-f")
    return folder


def _commit(mark: int, ref: bytes, parents: tuple[int, ...], number: int) -> bytes:
    message = b"Change %d\n" % number
    head = b"commit %b\nmark :%d\n" % (ref, mark)
    who = b"A <a@example.org> %d +0000\n" % (_DAY + number)
    named = b"".join(b"%b :%d\n" % (b"merge" if at else b"from", parent) for at, parent in enumerate(parents))
    return head + b"author " + who + b"committer " + who + b"data %d\n%b" % (len(message), message) + named


def _file(path: bytes, data: bytes) -> bytes:
    return b"M 100644 inline %b\ndata %d\n%b\n" % (path, len(data), data)


def _line(files: int, commits: int, lines: int) -> Iterator[bytes]:
    """One line of commits: the first with all files, each other with one edit in each of three."""
    rnd = random.Random(files * 1000 + commits)
    contents: dict[int, bytes] = {}
    for number in range(commits):
        yield _commit(number + 1, b"refs/heads/main", (number,) if number else (), number)
        for file in range(files) if not number else rnd.sample(range(files), min(3, files)):
            if number:
                old = contents[file].splitlines(keepends=True)
                old[rnd.randrange(len(old))] = text(rnd, 1)
                contents[file] = b"".join(old)
            else:
                contents[file] = text(rnd, lines)
            yield _file(path_of(file), contents[file])
        yield b"\n"


def _merges(commits: int) -> Iterator[bytes]:
    """Twenty branches that are merged into main one after the other, and begin anew from there."""
    rnd = random.Random(commits)
    yield _commit(1, b"refs/heads/main", (), 0)
    for file in range(500):
        yield _file(path_of(file), text(rnd, 30))
    main, mark = 1, 1
    tips: dict[int, int] = {}
    while mark < commits:
        side = mark % 20
        ref = b"refs/heads/side%02d" % side
        mark += 1
        yield _commit(mark, ref, (tips.get(side, main),), mark)
        yield _file(path_of(rnd.randrange(500)), text(rnd, 30))
        tips[side] = mark
        if rnd.random() < 0.4:
            mark += 1
            yield _commit(mark, b"refs/heads/main", (main, tips.pop(side)), mark)
            yield _file(path_of(500 + mark % 50), text(rnd, 3))
            main = mark
            yield b"reset %b\nfrom :%d\n\n" % (ref, main)


def _tags(commits: int, tags: int) -> Iterator[bytes]:
    """A line of commits, and annotated tags on them, one in ten on a tag."""
    yield from _line(200, commits, 20)
    for number in range(tags):
        message = b"Release %d\n" % number
        target = b"%d" % (commits + number) if number % 10 == 9 else b"%d" % (number % commits + 1)
        yield b"tag v%d\nmark :%d\nfrom :%b\ntagger A <a@example.org> %d +0000\ndata %d\n%b" % (
            number, commits + 1 + number, target, _DAY + number, len(message), message,
        )  # fmt: skip
