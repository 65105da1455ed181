"""Collecting a project of a million contents, a hundredth of them garbage, while 50 landings a second go on.

Contents lie in packs of a hundred, as a client uploads small files; garbage is packs that nobody lands. Seconds without
and with a collector take turns. It does one round after the other, more than it ever would, in a process of its own: so
does the forge's daily job.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.measure import Row, ms
from mic.core.blob import encode_blob
from mic.core.epoch import PackRef
from mic.core.ids import content_hash
from mic.core.session import Change, Op, Session
from mic.ledger.frame import Frame
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.ledger.request import LandRequest
from mic.store import DirectoryStore
from micelio.projects.collecting import collect_apart
from micelio.projects.collector import Asked

PROJECT = "0" * 32
CONTENTS = 1_000_000
IN_PACK = 100
PACKS_OF_A_LANDING = 9
RATE = 50  # landings a second
TURNS = 4
SECONDS = 15  # of each turn
# A round must be done within half of the grace.
KEEP, GRACE = 10_000, 30_000  # ms


def rows() -> Iterator[Row]:
    """How long a landing takes without and with a collector, and what a round costs."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        project = Ledger(DirectoryStore(data / "store")).open(PROJECT)
        project.create()
        garbage = _fill(project)
        without: list[float] = []
        beside: list[float] = []
        rounds: list[float] = []
        removed = 0
        at = [0]
        for _ in range(TURNS):
            without += _land(project, at)
            stop = threading.Event()
            with ThreadPoolExecutor(1) as collector:
                collected = collector.submit(_collect, data, stop, rounds)
                beside += _land(project, at)
                stop.set()
                removed += collected.result()
        left = {item.key for item in project.driver.store.list(f"{project.line.prefix}packs/")} & garbage
        assert (len(left), removed) == (0, len(garbage))
        before, after = _p99(without), _p99(beside)
        yield Row(
            f"p99 of {len(beside):,} landings, {CONTENTS:,} contents being collected, 1% garbage", ms(after),
            f"without {ms(before)}", f"{after / before:.2f}x", "<= 1.5x without", after <= 1.5 * before,
        )  # fmt: skip
        yield Row(
            "the same, median", ms(statistics.median(beside)), f"without {ms(statistics.median(without))}",
            f"{statistics.median(beside) / statistics.median(without):.2f}x", "", None,
        )  # fmt: skip
        yield Row(
            f"the same, a round beside {RATE} landings/s", f"{statistics.median(rounds):.1f} s",
            f"the longest {max(rounds):.1f} s", f"{removed} packs removed in {len(rounds)} rounds", "", None,
        )  # fmt: skip


def _fill(project: Project) -> set[str]:
    """All contents, landed but for the last hundredth; the names of packs that are garbage."""
    packs = CONTENTS // IN_PACK
    kept = packs - packs // 100
    made: list[tuple[PackRef, list[bytes]]] = []
    base = 0
    for number in range(kept):
        made.append(_pack(project, number))
        if len(made) == PACKS_OF_A_LANDING or number == kept - 1:
            changes = [
                Change(b"src/%04d/%06d" % (int(text.split()[1]) % 997, int(text.split()[1])), int(Op.ADDED), 0o100644,
                       content_hash(text), len(text))
                for _, texts in made for text in texts
            ]  # fmt: skip
            session = Session(base.to_bytes(16, "big"), "Fill", base_position=base, changes=tuple(changes))
            base = project.land(LandRequest(session, {}, packs=[pack for pack, _ in made])).position
            made = []
    project.seal()
    return {project.line.pack_key(_pack(project, number)[0].hash) for number in range(kept, packs)}


def _pack(project: Project, number: int) -> tuple[PackRef, list[bytes]]:
    upload, texts = project.upload(), [b"content %d\n" % (number * IN_PACK + at) for at in range(IN_PACK)]
    for text in texts:
        project.run(upload.receive(Frame(content_hash(text), len(text), 0, len(text), False, text)))
    (pack,) = project.run(upload.finish())
    return pack, texts


def _land(project: Project, at: list[int]) -> list[float]:
    """Seconds of each landing of one turn, from when it is due."""
    head = project.head().position
    begin = time.monotonic() + 0.2

    def one(number: int) -> float:
        due = begin + number / RATE
        time.sleep(max(0.0, due - time.monotonic()))
        text = b"landed %d\n" % (at[0] + number)
        path = b"src/%04d/new%d" % ((at[0] + number) % 997, at[0] + number)
        change = Change(path, int(Op.ADDED), 0o100644, content_hash(text), len(text))
        session = Session(random.randbytes(16), "Land", base_position=head, changes=(change,))
        project.land(LandRequest(session, {content_hash(text): encode_blob(text)}))
        return time.monotonic() - due

    count = RATE * SECONDS
    with ThreadPoolExecutor(8) as callers:
        taken = list(callers.map(one, range(count)))
    at[0] += count
    return taken


def _collect(data: Path, stop: threading.Event, rounds: list[float]) -> int:
    """Round after round; how many objects were removed."""
    environment = {**os.environ, "MICELIO_DATA_DIR": str(data)}
    removed = 0
    while not stop.is_set():
        start = time.monotonic()
        for told in collect_apart(Asked([PROJECT], KEEP, GRACE), environment):
            assert (told.error, told.stuck) == ("", {})
            removed += told.removed
        rounds.append(time.monotonic() - start)
    return removed


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]
