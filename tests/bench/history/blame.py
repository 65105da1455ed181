"""Blame of 10,000 lines x 1,000 versions: the first time, again, and after one more landing, against `git blame`.

The same history in both. In one, each version changes five places of the file, in the other they gather in a tenth of
it, so that lines of the first version are left to the end in both.
"""

from __future__ import annotations

import contextlib
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.measure import Row, ms
from mic.core.blob import encode_blob
from mic.core.errors import NotFound
from mic.core.ids import content_hash
from mic.core.session import Author, Op
from mic.ledger.blame_cache import Version
from mic.ledger.history import HistoryCommit
from mic.ledger.ledger import Ledger
from mic.store import DirectoryStore

LINES = 10_000
VERSIONS = 1_000
PLACES = 5
PATH = b"src/long.py"
TURNS = 3


def _versions(spread: int) -> Iterator[bytes]:
    """Texts whose lines are all different; places lie within the first `spread` lines."""
    rnd = random.Random(1)
    fresh = iter(range(10**9))
    lines = [b"    value_%07d = compute(%d)  # and why\n" % (next(fresh), rnd.randrange(10**6)) for _ in range(LINES)]
    yield b"".join(lines)
    for _ in range(VERSIONS - 1):
        for _ in range(PLACES):
            at = rnd.randrange(spread)
            lines[at] = b"    value_%07d = changed(%d)\n" % (next(fresh), rnd.randrange(10**6))
            lines.insert(rnd.randrange(spread), b"    also_%07d()\n" % next(fresh))
            del lines[rnd.randrange(spread)]
        yield b"".join(lines)


def _to_git(folder: Path, texts: list[bytes]) -> list[bytes]:
    subprocess.run(["git", "init", "-q", "--bare", folder], check=True)
    process = subprocess.Popen(["git", "-C", folder, "fast-import", "--quiet"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    for number, text in enumerate(texts):
        head = b"commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata 1\nx\n" % (1_700_000_000 + number)
        process.stdin.write(head + b"M 100644 inline %s\ndata %d\n%s\n" % (PATH, len(text), text))
    process.stdin.close()
    assert process.wait() == 0
    subprocess.run(["git", "-C", folder, "gc", "-q"], check=True)
    subprocess.run(["git", "-C", folder, "commit-graph", "write", "--reachable", "--changed-paths"], check=True)
    listed = subprocess.run(["git", "-C", folder, "rev-list", "--reverse", "main"], check=True, capture_output=True)
    return listed.stdout.split()


def _to_project(folder: Path, texts: list[bytes], oids: list[bytes]) -> None:
    project = Ledger(DirectoryStore(folder)).open("p")
    project.create()
    history = project.import_history("bench", bytes(16))
    for number, (text, oid) in enumerate(zip(texts, oids, strict=True)):
        history.add_content(content_hash(text), len(text), encode_blob(text))
        change = (PATH, int(Op.MODIFIED if number else Op.ADDED), 0o100644, content_hash(text), len(text))
        commit = HistoryCommit(bytes.fromhex(oid.decode()), b"", Author("A"), number, "x", [change])
        project.run(history.add_commit(commit))
    project.finish_import(history)
    project.seal()
    project.roll()
    while project.compact():
        pass


def _seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def _git_blame(folder: Path, revision: bytes) -> list[tuple[bytes, int]]:
    """Commit and line there of each line."""
    command = ["git", "-C", folder, "blame", "--line-porcelain", revision, "--", PATH]
    rows = subprocess.run(command, check=True, capture_output=True).stdout.splitlines()
    words = [row.split(b" ") for row in rows if not row.startswith(b"\t")]
    return [(row[0], int(row[1])) for row in words if len(row) >= 3 and len(row[0]) == 40]


def _cold(folder: Path) -> tuple[Ledger, float]:
    """A process that has read nothing yet but the head."""
    ledger = Ledger(DirectoryStore(folder))
    project = ledger.open("p")
    project.head()
    with contextlib.suppress(NotFound):
        project.blame(b"no such file", VERSIONS)  # brings numpy
    return ledger, _seconds(lambda: project.blame(PATH, VERSIONS))


def rows() -> Iterator[Row]:
    """Cold, warm and one landing later."""
    for what, spread in (("all over it", LINES), ("in a tenth of it", LINES // 10)):
        with tempfile.TemporaryDirectory() as name:
            texts = list(_versions(spread))
            oids = _to_git(Path(name, "git"), texts)
            _to_project(Path(name, "bucket"), texts, oids)
            yield from _rows(Path(name), what, oids)


def _rows(folder: Path, what: str, oids: list[bytes]) -> Iterator[Row]:
    name = f"blame of {LINES:,} lines x {VERSIONS:,} versions, changed {what}"
    turns = [(_cold(folder / "bucket"), _seconds(lambda: _git_blame(folder / "git", oids[-1]))) for _ in range(TURNS)]
    cold = statistics.median(ours for (_, ours), _ in turns)
    git = statistics.median(theirs for _, theirs in turns)
    project = turns[-1][0][0].open("p")
    found = project.blame(PATH, VERSIONS).blame
    told = [(oids[found.origins[at].position - 1], line + 1) for at, line in zip(found.origin, found.line, strict=True)]
    wanted = _git_blame(folder / "git", oids[-1])
    same = sum(ours == theirs for ours, theirs in zip(told, wanted, strict=True)) / len(wanted)
    yield Row(
        f"{name}, cold", ms(cold), f"git blame {ms(git)}", f"{cold / git:.2f}x, {same:.1%} of lines as git says",
        "<= 1.2x git blame", cold <= 1.2 * git,
    )  # fmt: skip
    warm = statistics.median(_seconds(lambda: list(project.blame(PATH, VERSIONS).blame.hunks())) for _ in range(9))
    yield Row(f"{name}, warm, as runs of lines", ms(warm), "", "", "<= 100 ms", warm <= 0.1)
    newest = Version("p", PATH, VERSIONS, project.blame(PATH, VERSIONS).entry.hash)
    project.blame(PATH, VERSIONS - 1)
    steps = []
    for _ in range(9):
        project.blames.drop(newest)
        steps.append(_seconds(lambda: project.blame(PATH, VERSIONS)))
    after = statistics.median(steps)
    yield Row(f"{name}, one landing after it was asked", ms(after), "", "", "<= 100 ms", after <= 0.1)
