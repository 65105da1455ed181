"""The conflict check of one session, warm: five or a thousand of a million files, on a new base and on an old one.

A history of 102,000 landings is imported and sealed, then opened cold. Each session is prepared (what it says of its
base, its contents) and judged against the head, as landing does before it writes anything. The trees of both bases
are stored nowhere: they lie within an epoch, as most do. FILES=100000 LANDINGS=20000 makes it smaller, for trying out.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Sequence

from bench.measure import Row, alternate, ms
from ledgers import REGULAR
from mic.core.blob import encode_blob
from mic.core.ids import content_hash
from mic.core.session import Author, Change, Op, Session
from mic.ledger.batch import Batch
from mic.ledger.history import HistoryCommit
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.ledger.request import LandRequest, prepare
from mic.store import MemoryStore

FILES = int(os.environ.get("FILES", "1000000"))
LANDINGS = int(os.environ.get("LANDINGS", "102000"))
AGE = LANDINGS - 2000
SESSIONS = 15
# Of ten files one never changes; the others change in this order, one a landing.
QUIET, ORDER = range(0, FILES, 10), [number for number in range(FILES) if number % 10]
random.Random(1).shuffle(ORDER)
ROUNDS = 9


def rows() -> Iterator[Row]:
    """Sessions that land from a base that is new and one that is old, and sessions that clash with old landings."""
    project = Ledger(_history(), cache_bytes=2 << 30).open("p")
    head = project.head().position
    start = time.process_time()
    project.tree_at(head - AGE)
    first = time.process_time() - start
    for count in (5, 1000):
        sessions = [_drawn(count, seed, QUIET) for seed in range(SESSIONS)]
        new, old = ([_wish(project, base, paths) for paths in sessions] for base in (head - 1, head - AGE))
        young, aged = alternate(
            ROUNDS, lambda new=new: _check(project, new, 0), lambda old=old: _check(project, old, 0)
        )
        yield Row(
            f"conflict check of {count:,} of {FILES:,} files, warm, in memory",
            f"{ms(young)} of one core",
            "",
            "",
            "<= 5 ms",
            young <= 0.005,
        )
        yield Row(
            f"the same, base {AGE:,} landings old", ms(aged), f"base 1 landing old {ms(young)}", f"{aged / young:.2f}x",
            "<= 1.2x", aged <= 1.2 * young,
        )  # fmt: skip
    for count in (5, 1000):
        wishes = [
            _wish(project, head - AGE, _drawn(count, seed, ORDER[LANDINGS - AGE + 1 : LANDINGS])) for seed in range(3)
        ]
        (clashing,) = alternate(1, lambda wishes=wishes, count=count: _check(project, wishes, count))
        yield Row(f"the same, {count:,} files that landings of any age changed", ms(clashing), "", "", "-", None)
    yield Row(f"the tree {AGE:,} landings back, looked for the first time", ms(first), "", "", "-", None)


def _path(number: int) -> bytes:
    return b"src/%03d/%03d/file%d.py" % (number % 1000, number // 1000, number)


def _drawn(count: int, seed: int, numbers: Sequence[int]) -> list[bytes]:
    return sorted(map(_path, random.Random(seed).sample(numbers, count)))


def _history() -> MemoryStore:
    """All files in the first landing; each of the others changes one of nine in ten of them."""
    store = MemoryStore()
    project = Ledger(store, cache_bytes=2 << 30).open("p")
    project.create()
    history = project.import_history("made", bytes(16))
    author = Author("A")
    texts = [b"%d\n" % number for number in range(LANDINGS)]
    for data in texts:
        history.add_content(content_hash(data), len(data), encode_blob(data))
    first = (content_hash(texts[0]), len(texts[0]))
    everything = [(_path(number), int(Op.ADDED), REGULAR, *first) for number in range(FILES)]
    project.run(history.add_commit(HistoryCommit(bytes(20), b"", author, 0, "All", everything)))
    for number in range(1, LANDINGS):
        data = texts[number]
        change = (_path(ORDER[number]), int(Op.MODIFIED), REGULAR, content_hash(data), len(data))
        project.run(history.add_commit(HistoryCommit(number.to_bytes(20, "big"), b"", author, 0, "One", [change])))
    project.finish_import(history)
    project.seal()
    return store


def _wish(project: Project, base: int, paths: Sequence[bytes]) -> LandRequest:
    known = project.entries(project.tree_at(base), paths)
    data = b"another\n"
    mine = (int(Op.MODIFIED), REGULAR, content_hash(data), len(data))
    changes = tuple(Change(path, *mine, known[path].hash, REGULAR) for path in paths)
    session = Session(bytes(16), "Goal", base_position=base, changes=changes)
    return LandRequest(session, {content_hash(data): encode_blob(data)})


def _check(project: Project, wishes: Sequence[LandRequest], clashes: int) -> float:
    """Seconds of one core for one of the sessions, of each of which so many files clash."""
    line = project.line
    assert line.head is not None
    start = time.process_time()
    for wish in wishes:
        verdict = project.run(Batch(line, line.head).judge(project.run(prepare(line, wish))))
        assert len(verdict.clashes) == clashes
    return (time.process_time() - start) / len(wishes)
