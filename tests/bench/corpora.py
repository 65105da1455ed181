"""Repositories made for measuring: sizes are exact, contents look like source."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

WORDS = [
    "def",
    "class",
    "return",
    "import",
    "value",
    "index",
    "total",
    "count",
    "merge",
    "split",
    "line",
    "tree",
    "path",
]


def text(rnd: random.Random, lines: int) -> bytes:
    """Something like code, `lines` long."""
    return "".join(
        f"{'    ' * rnd.randrange(3)}{' '.join(rnd.choices(WORDS, k=rnd.randrange(3, 9)))}\n" for _ in range(lines)
    ).encode()


def path_of(number: int) -> bytes:
    """Forty files a directory, a thousand directories a part."""
    return b"part%02d/module%03d/file%05d.py" % (number // 40_000, number // 40, number)


def make_repository(folder: Path, files: int, commits: int, lines: int = 40) -> Path:
    """A bare repository: one commit with `files` files, then `commits - 1` that change three each."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    process = subprocess.Popen(["git", "-C", str(folder), "fast-import", "--quiet"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    for piece in _stream(files, commits, lines):
        process.stdin.write(piece)
    process.stdin.close()
    assert process.wait() == 0
    subprocess.run(["git", "-C", str(folder), "repack", "-q", "-a", "-d"], check=True)
    return folder


def _stream(files: int, commits: int, lines: int) -> Iterator[bytes]:
    rnd = random.Random(files * 1000 + commits)
    for number in range(commits):
        changed = range(files) if number == 0 else rnd.sample(range(files), min(3, files))
        message = b"Change %d\n" % number
        yield b"commit refs/heads/main\nauthor A <a@example.org> %d +0000\n" % (1_600_000_000 + number)
        yield b"committer A <a@example.org> %d +0000\ndata %d\n%s" % (1_600_000_000 + number, len(message), message)
        for file in changed:
            data = text(rnd, lines)
            yield b"M 100644 inline %s\ndata %d\n%s\n" % (path_of(file), len(data), data)
        yield b"\n"
