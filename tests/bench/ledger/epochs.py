"""Landings a second of one core: five-file sessions into a million files, in epochs, in memory."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from bench.measure import Row, ms
from ledgers import REGULAR
from mic.core.blob import encode_blob
from mic.core.ids import content_hash
from mic.core.session import Author, Change, Op, Session
from mic.core.tree import Entry
from mic.ledger.history import HistoryCommit
from mic.ledger.land import Landed, land_group
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.ledger.request import LandRequest
from mic.store import MemoryStore

FILES = 1_000_000
GROUP = 100
ROUNDS = 12


def rows() -> Iterator[Row]:
    """Sessions that change five random files each, a hundred of them in an epoch."""
    project = _project()
    rnd = random.Random(1)
    taken, head = [], project.head()
    for number in range(ROUNDS):
        wishes = [_wish(project, rnd, number * GROUP + at, head.position, head.tree) for at in range(GROUP)]
        start = time.process_time()
        outcomes = project.run(land_group(project.line, wishes))
        taken.append(time.process_time() - start)
        assert all(isinstance(outcome, Landed) for outcome in outcomes), outcomes
        head = project.head()
    each = sorted(taken)[len(taken) // 2] / GROUP
    yield Row(
        f"landing 5 of {FILES:,} files, {GROUP} sessions in an epoch, in memory", f"{1 / each:,.0f} landings/s",
        "", f"{ms(each)} of one core each", ">= 1,000/s", 1 / each >= 1000,
    )  # fmt: skip


def _path(number: int) -> bytes:
    return b"src/%03d/%03d/file%d.py" % (number % 1000, number // 1000, number)


def _project() -> Project:
    project = Ledger(MemoryStore(), cache_bytes=512 << 20).open("p")
    project.create()
    history = project.import_history("made", bytes(16))
    data = b"made\n"
    history.add_content(content_hash(data), len(data), encode_blob(data))
    changes = [(_path(number), 0, REGULAR, content_hash(data), len(data)) for number in range(FILES)]
    project.run(history.add_commit(HistoryCommit(bytes(20), b"", Author("A"), 0, "All", changes)))
    project.finish_import(history)
    return project


def _wish(project: Project, rnd: random.Random, number: int, base: int, root: bytes) -> LandRequest:
    # Every session its own files: what clashes is not what is measured here.
    paths = sorted(_path((number * 5 + at) * 7919 % FILES) for at in range(5))
    known: dict[bytes, Entry] = project.entries(root, paths)
    changes, contents = [], {}
    for path in paths:
        data = rnd.randbytes(40)
        changes.append(
            Change(path, int(Op.MODIFIED), REGULAR, content_hash(data), len(data), known[path].hash, REGULAR)
        )
        contents[content_hash(data)] = encode_blob(data)
    session = Session(number.to_bytes(16, "big"), f"Goal {number}", base_position=base, changes=tuple(changes))
    return LandRequest(session, contents)
