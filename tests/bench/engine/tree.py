"""The tree: building, landing, looking up, differences, at sizes from a thousand to a thousand million files.

Nothing here waits for anything, so times are those of the processor: what else runs on the machine does not count.
"""

from __future__ import annotations

import gc
import hashlib
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bench.measure import Row, alternate, ms
from mic.core.blob import encode_node
from mic.core.tree import Child, Entry, Node, apply, build, decode_node, diff, inner, leaf, lookup
from mic.core.tree.edit import reachable
from trees import drive, drive_cold

MILLION = 1_000_000
MEAN = 256  # entries of a node, as the splitter makes them
ROUNDS = 1000


def _path(number: int) -> bytes:
    """Sorted like the numbers, four levels deep, 31 bytes."""
    high, low = divmod(number, MILLION)
    return b"area%04d/mod%03d/pt%03d/f%02d.c" % (high, low // 10_000, low // 100 % 100, low % 100)


def _entry(number: int, seed: int = 0) -> Entry:
    return Entry(_path(number), 0o100644, 0, number * 7919 % 60_000, hashlib.sha256(b"%d %d" % (number, seed)).digest())


class Lazy(dict[bytes, Node]):
    """A tree of any number of files whose nodes are made when they are asked for, and decoded from real bytes.

    Their names are made up: the hash of a thousand million files cannot be had in a benchmark.
    """

    def __init__(self, files: int) -> None:
        super().__init__()
        self.files = files
        self.raws: dict[bytes, bytes] = {}
        self.height = 0
        while files > MEAN ** (self.height + 1):
            self.height += 1
        self.root = self._name(self.height, 0)

    @staticmethod
    def _name(level: int, index: int) -> bytes:
        return b"made-up." + level.to_bytes(8, "big") + index.to_bytes(16, "big")

    def _raw(self, name: bytes) -> bytes:
        level, index = int.from_bytes(name[8:16], "big"), int.from_bytes(name[16:], "big")
        below = MEAN**level
        starts = range(index * below * MEAN, min((index + 1) * below * MEAN, self.files), below)
        if not level:
            return leaf([_entry(number) for number in starts]).raw
        children = []
        for start in starts:
            stop = min(start + below, self.files)
            children.append(Child(_path(stop - 1), stop - start, 0, self._name(level - 1, start // below)))
        return inner(level, children).raw

    def __missing__(self, name: bytes) -> Node:
        if name not in self.raws:
            self.raws[name] = self._raw(name)
        self[name] = decode_node(self.raws[name], "node", name)
        return self[name]


def _median(rounds: int, make: Callable[[], Any], act: Callable[[Any], object]) -> float:
    times = []
    for _ in range(rounds):
        given = make()
        start = time.thread_time()
        act(given)
        times.append(time.thread_time() - start)
    return statistics.median(times)


def _git_index(entries: Sequence[Entry]) -> float:
    """Processor seconds that git takes to read these entries into an index and write its trees."""
    lines = b"".join(b"100644 %s\t%s\n" % (entry.hash[:20].hex().encode(), entry.path) for entry in entries)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "init", "-q", folder], check=True)
        git, before = ["git", "-C", folder], os.times()
        subprocess.run([*git, "update-index", "--index-info"], input=lines, check=True)
        subprocess.run([*git, "write-tree", "--missing-ok"], stdout=subprocess.DEVNULL, check=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system


def _building(entries: list[Entry]) -> Iterator[Row]:
    part = entries[:100_000]

    def ours() -> float:
        start = time.thread_time()
        build(part, {})
        return time.thread_time() - start

    mine, git = alternate(5, ours, lambda: _git_index(part))
    speed = len(part) / mine
    yield Row(
        "tree: bulk build, 100,000 sorted entries",
        f"{speed:,.0f} entries/s",
        f"git update-index + write-tree {len(part) / git:,.0f}/s",
        f"{git / mine:.1f}x",
        ">= 500,000 entries/s per core",
        speed >= 500_000,
    )


def _landing(entries: list[Entry], root: bytes, nodes: dict[bytes, Node]) -> Iterator[Row]:
    rnd = random.Random(1)
    sizes: dict[str, list[tuple[int, int]]] = {"replace": [], "insert": []}
    for what, ending in (("replace", b""), ("insert", b"x")):
        for _ in range(ROUNDS):
            path = rnd.choice(entries).path + ending
            fresh: dict[bytes, Node] = {}
            new = drive(apply(nodes, root, {path: _entry(1, rnd.randrange(MILLION))._replace(path=path)}, fresh), nodes)
            raws = [node.raw for node in reachable(new, fresh)]
            sizes[what].append((sum(map(len, map(encode_node, raws))), sum(map(len, raws))))
    for what, pairs in sizes.items():
        stored = statistics.median(pair[0] for pair in pairs)
        plain = statistics.median(pair[1] for pair in pairs)
        yield Row(
            f"tree: nodes that a one-file {what} writes at 1,000,000 files (median of 1,000)",
            f"{stored / 1000:.1f} KB ({plain / 1000:.1f} KB before zstd)",
            "",
            f"{stored / 30_000:.2f} of the limit",
            "<= 30 KB",
            stored <= 30_000,
        )
    table = {entry.path: entry for entry in entries}

    def five() -> dict[bytes, Entry]:
        return {path: entries[0]._replace(path=path) for path in (e.path + b"x" for e in rnd.sample(entries, 5))}

    def yardstick(edits: dict[bytes, Entry]) -> None:
        table.update(edits)
        for path in edits:
            del table[path]

    taken = _median(ROUNDS, five, lambda edits: drive(apply(nodes, root, edits, {}), nodes))
    plain_dict = _median(ROUNDS, five, yardstick)
    yield Row(
        "tree: sorted multi-insert of 5 random paths into 1,000,000 files (median, warm)",
        f"{taken * 1000:.2f} ms",
        f"a dictionary, no root {plain_dict * 1000:.3f} ms",
        f"{taken * 1000:.2f} of the limit",
        "<= 1 ms",
        taken <= 0.001,
    )


def _looking_up() -> Iterator[Row]:
    rnd = random.Random(2)
    small, large = Lazy(1000), Lazy(1000 * MILLION)
    cold: dict[int, list[float]] = {small.files: [], large.files: []}
    warm: dict[int, list[float]] = {small.files: [], large.files: []}
    reads = {small.files: 0, large.files: 0}
    for _ in range(300):
        for tree in (small, large):
            path = _path(rnd.randrange(tree.files))
            drive(lookup(tree, tree.root, [path]), tree)  # makes the bytes of the nodes
            tree.clear()
            start = time.thread_time()
            found, asked = drive_cold(lookup(tree, tree.root, [path]), tree)
            cold[tree.files].append(time.thread_time() - start)
            assert list(found) == [path]
            reads[tree.files] = max(reads[tree.files], len(asked))
            start = time.thread_time()
            again, asked = drive_cold(lookup(tree, tree.root, [path]), tree)
            warm[tree.files].append(time.thread_time() - start)
            assert again == found
            assert not asked
    many = reads[large.files]
    yield Row(
        "tree: dependent reads of a look-up among 1,000,000,000 files (nodes made on demand under made-up names)",
        f"{many} cold, 0 warm",
        f"1,000 files: {reads[small.files]} cold, 0 warm",
        "",
        "<= 4 cold, 0 warm",
        many <= 4,
    )
    for what, times in (("warm", warm), ("cold, decoding included", cold)):
        one, other = statistics.median(times[large.files]), statistics.median(times[small.files])
        yield Row(
            f"tree: time of a look-up among 1,000,000,000 files, {what}",
            f"{one * 1e6:.0f} us",
            f"1,000 files: {other * 1e6:.0f} us",
            f"{one / other:.1f}x",
            "<= 4x the time at 1,000",
            one <= 4 * other,
        )


def _differing() -> Iterator[Row]:
    rnd = random.Random(3)
    tree = Lazy(10 * MILLION)
    edits = {_path(number): _entry(number, 1) for number in rnd.sample(range(tree.files), 10)}
    fresh: dict[bytes, Node] = {}
    new = drive(apply(tree, tree.root, edits, fresh), tree)
    tree.update(fresh)
    assert [change.path for change in drive(diff(tree, tree.root, new), tree)] == sorted(edits)
    taken = _median(100, lambda: None, lambda _: drive(diff(tree, tree.root, new), tree))
    yield Row(
        "tree: difference of 10 changed files in 10,000,000 (warm; nodes made on demand under made-up names)",
        ms(taken),
        "",
        f"{taken / 0.005:.2f} of the limit",
        "<= 5 ms",
        taken <= 0.005,
    )


def rows() -> Iterator[Row]:
    """Every figure of the tree."""
    entries = [_entry(number) for number in range(MILLION)]
    gc.freeze()  # a million entries at hand are the benchmark's, and not what a collection should walk
    yield from _building(entries)
    nodes: dict[bytes, Node] = {}
    root = build(entries, nodes)
    counts = sorted(node.count for node in nodes.values() if not node.level)
    mean, p99 = statistics.mean(counts), counts[len(counts) * 99 // 100]
    yield Row(
        "tree: entries of a leaf at 1,000,000 files, 99th percentile over mean",
        f"{p99} over {mean:.0f}",
        "",
        f"{p99 / mean:.2f}x",
        "<= 1.7x",
        p99 <= 1.7 * mean,
    )
    yield from _landing(entries, root, nodes)
    del entries, nodes
    yield from _looking_up()
    yield from _differing()
