"""`log -- PATH` over a million landings: requests, time, and what rollups cost to make and to keep.

The log is made of segments alone, with records of five paths of 100,000, some of them changed far more often than
others. Git's peer is a history of the same paths with changed-path filters in its commit graph.
"""

from __future__ import annotations

import itertools
import random
import resource
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.measure import Row, ms
from mic.core.head import Head
from mic.core.record import PathChange, Record
from mic.core.segment import SEGMENT, encode_segment
from mic.core.session import Op
from mic.core.tree import BLOB, Entry
from mic.ledger.driver import Driver
from mic.ledger.effects import Effect
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache
from mic.ledger.path_history import LogView, PathHistory, path_history
from mic.ledger.rollups import roll
from mic.store import DirectoryStore

LANDINGS = 1_000_000
FILES = 100_000
PATHS = 5
COMMITS = 50_000  # of git's history

_NAMES = [b"src/part%02d/module%03d/file%d.py" % (n % 40, n % 1000, n) for n in range(FILES)]


class Counted(Driver):
    """The real driver, which counts requests."""

    requests = 0

    def _one(self, effect: Effect) -> Any:
        self.requests += 1
        return super()._one(effect)


def _changed(rnd: random.Random) -> list[bytes]:
    """The paths of one landing: a few are in most landings, most in few."""
    return sorted({_NAMES[int(FILES * rnd.random() ** 3)] for _ in range(PATHS)})


def _write_log(store: DirectoryStore, line: Line) -> Counter[bytes]:
    rnd, times = random.Random(1), Counter[bytes]()
    content, root = bytes(range(32)), bytes(32)
    for start in range(1, LANDINGS + 1, SEGMENT):
        records = []
        for position in range(start, start + SEGMENT):
            paths = _changed(rnd)
            times.update(paths)
            changes = tuple(PathChange(p, Op.MODIFIED, Entry(p, 0o100644, BLOB, 9, content)) for p in paths)
            records.append(Record(position, position.to_bytes(16, "big"), root, position - 1, position, root, changes))
        store.put(line.segment_key(start), encode_segment(records))
    return times


def rows() -> Iterator[Row]:
    """Cold and warm, often and seldom touched, at the best and the worst number of landings."""
    with tempfile.TemporaryDirectory() as folder:
        store = DirectoryStore(Path(folder, "bucket"))
        driver = Counted(store)
        line = Line("p", NodeCache(1 << 20))
        line.head = line.covered = Head(LANDINGS, bytes(32), LANDINGS)
        times = _write_log(store, line)
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        made = driver.run(roll(line))
        taken = time.process_time() - start
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        sizes = {level: sum(each.size for each in store.list(line.rollup_prefix(level))) for level in (1, 2, 3, 4)}
        log = sum(each.size for each in store.list(line.prefix)) - sum(sizes.values())
        yield Row(
            f"{made:,} rollups over {LANDINGS:,} landings of {PATHS} paths", f"{taken:.0f} s of one core",
            f"{taken / LANDINGS * 1e6:.0f} us a landing", f"{sum(sizes.values()) / log:.2f}x the bytes of the log",
            "", None,
        )  # fmt: skip
        yield Row(
            "the same, memory", f"{grown >> 10} MiB more",
            " ".join(f"level {level}: {size >> 20} MiB" for level, size in sizes.items()), "", "", None,
        )  # fmt: skip
        common = [name for name, _ in times.most_common(3)]
        seldom = [name for name, _ in times.most_common()[-3:]]
        absent = [b"src/part07/module007/none%d" % n for n in range(3)]
        directory = [b"src/part07", b"src/part33/module033", b"src/part12/module512"]
        asked = {
            "a path of many": common,
            "a path of few": seldom,
            "a path of none": absent,
            "anything below a directory": directory,
        }
        for head in (LANDINGS, LANDINGS - 1):
            for what, names in asked.items():
                yield _row(driver, head, what, names)
        yield _row(driver, LANDINGS, "all landings of a path of many", common, limit=10_000_000)
        yield from _git(Path(folder, "git"), common, seldom)


def _row(driver: Counted, head: int, what: str, names: Sequence[bytes], limit: int = 50) -> Row:
    # Behind the newest million or hundred thousand: as many sealed positions as there are landings.
    line = Line("p", NodeCache(1 << 20))
    sealed = head // SEGMENT * SEGMENT
    cold, warm, seconds = [], [], []
    for name in names:
        line.rollups = type(line.rollups)()
        cold.append(_ask(driver, line, sealed, name, limit)[0])
    for name in names:
        _ask(driver, line, sealed, name, limit)
        requests, taken = _ask(driver, line, sealed, name, limit)
        warm.append(requests)
        seconds.append(taken)
    met = max(cold) <= 10 and statistics.median(seconds) <= 0.05
    return Row(
        f"log of {what}, {sealed:,} landings", ms(statistics.median(seconds)), f"{max(cold)} requests cold",
        f"{max(warm)} warm", "<= 10 requests cold, <= 50 ms warm", met,
    )  # fmt: skip


def _ask(driver: Counted, line: Line, sealed: int, name: bytes, limit: int) -> tuple[int, float]:
    before, start = driver.requests, time.perf_counter()
    found: PathHistory = driver.run(path_history(LogView(line, 0, None, (), sealed, sealed), name, limit=limit))
    assert found.touches is not None
    return driver.requests - before, time.perf_counter() - start


def _git(folder: Path, common: Sequence[bytes], seldom: Sequence[bytes]) -> Iterator[Row]:
    subprocess.run(["git", "init", "-q", "--bare", folder], check=True)
    process = subprocess.Popen(["git", "-C", folder, "fast-import", "--quiet"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    rnd = random.Random(1)
    for number in range(COMMITS):
        head = b"commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata 1\nx\n" % (1_700_000_000 + number)
        blob = b"%d\n" % number
        body = b"".join(b"M 100644 inline %s\ndata %d\n%s" % (p, len(blob), blob) for p in _changed(rnd))
        process.stdin.write(head + body)
    process.stdin.close()
    assert process.wait() == 0
    subprocess.run(["git", "-C", folder, "commit-graph", "write", "--reachable", "--changed-paths"], check=True)
    for what, names in (("many", common), ("few", seldom)):
        taken = []
        for name in itertools.islice(names, 2):
            start = time.perf_counter()
            subprocess.run(
                ["git", "-C", folder, "log", "-50", "--format=%h", "main", "--", name], check=True, capture_output=True
            )
            taken.append(time.perf_counter() - start)
        yield Row(
            f"git log of a path of {what}, {COMMITS:,} commits, changed-path filters", "",
            ms(statistics.median(taken)), "", "", None,
        )  # fmt: skip
