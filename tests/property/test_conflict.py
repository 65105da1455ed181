"""The conflict check against a naive model: whole trees in dictionaries, and `git merge-file` for lines."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from ledgers import EXECUTABLE, LINK, REGULAR, Files, Wanted, check_history, contents, land
from mic.core.errors import Conflicted
from mic.ledger.ledger import Ledger
from mic.store import MemoryStore

SCHEDULES = 320
LANDINGS = 14
# Names that collide as file and directory, and neighbours around the slash.
PATHS = [b"a", b"a/x", b"a/y", b"a/y/z", b"a.b", b"a0", b"b", b"c", b"d/e", b"d"]
File = tuple[int, bytes]


class _Clash(Exception):
    """The model says that two sides do not go together."""


def _text(rnd: random.Random, old: bytes | None) -> bytes:
    """A text of numbered lines of which some were changed, dropped or added; now and then binary."""
    if rnd.random() < 0.06:
        return b"\x00" + rnd.randbytes(3)
    lines = old.splitlines(keepends=True) if old else [b"%d: base\n" % n for n in range(12)]
    for _ in range(rnd.choice([1, 1, 1, 2])):
        at = rnd.randrange(len(lines) + 1)
        kind = rnd.random()
        if kind < 0.7 and at < len(lines):
            lines[at] = lines[at].split(b":")[0] + b": %d\n" % rnd.randrange(3)
        elif kind < 0.85 and at < len(lines):
            del lines[at]
        else:
            lines.insert(at, b"new %d\n" % rnd.randrange(1000))
    return b"".join(lines)


def _edit(rnd: random.Random, base: Files) -> dict[bytes, Wanted]:
    """What somebody did in a workspace of `base`: the tree they leave could be one on a disk."""
    mine: Files = dict(base)
    touched: set[bytes] = set()
    for _ in range(rnd.choice([1, 1, 2, 3])):
        path = rnd.choice(PATHS) if rnd.random() < 0.6 else b"c"
        old = mine.get(path)
        kind = rnd.random()
        if old is not None and kind < 0.2:
            del mine[path]
        elif old is not None and kind < 0.35:
            mine[path] = (rnd.choice([REGULAR, EXECUTABLE, LINK]), old[1])
        else:
            for other in [p for p in mine if _overlap(p, path)]:
                del mine[other]
                touched.add(other)
            mine[path] = (old[0] if old else REGULAR, _text(rnd, old[1] if old else None))
        touched.add(path)
    return {path: mine.get(path) for path in sorted(touched) if mine.get(path) != base.get(path)}


def _overlap(left: bytes, right: bytes) -> bool:
    """One is a directory of the other."""
    return left.startswith(right + b"/") or right.startswith(left + b"/")


def _one_of(base: int, ours: int, theirs: int) -> int:
    if theirs in (base, ours):
        return ours
    if ours == base:
        return theirs
    raise _Clash


def _three_way(folder: Path, base: File | None, ours: File | None, theirs: File | None) -> File | None:
    """What both made of a file; raises _Clash."""
    if theirs in (base, ours):
        return ours
    if base is None or ours is None or theirs is None:
        raise _Clash
    if LINK in (base[0], ours[0], theirs[0]):
        raise _Clash
    mode = _one_of(base[0], ours[0], theirs[0])
    return mode, _merge_file(folder, base[1], ours[1], theirs[1])


def _merge_file(folder: Path, base: bytes, ours: bytes, theirs: bytes) -> bytes:
    if theirs in (base, ours):
        return ours
    if ours == base:
        return theirs
    if any(b"\x00" in side for side in (base, ours, theirs)):
        raise _Clash
    for name, data in (("ours", ours), ("base", base), ("theirs", theirs)):
        (folder / name).write_bytes(data)
    done = subprocess.run(
        ["git", "merge-file", "-p", "ours", "base", "theirs"], cwd=folder, capture_output=True, check=False
    )
    if done.returncode:
        assert done.returncode < 128, done.stderr
        raise _Clash
    return done.stdout


def _judge(folder: Path, base: Files, head: Files, edits: dict[bytes, Wanted]) -> tuple[Files, set[bytes]]:
    """The next tree and the paths that clash, from whole trees alone."""
    after, clashes = dict(head), set()
    kept = {path for path in head if edits.get(path, head[path]) is not None}
    for path, wanted in edits.items():
        assert wanted is None or isinstance(wanted, tuple)
        try:
            result = _three_way(folder, base.get(path), wanted, head.get(path))
        except _Clash:
            clashes.add(path)
            continue
        if wanted is not None and path not in head and any(_overlap(path, other) for other in kept):
            clashes.add(path)
        if result is None:
            after.pop(path, None)
        else:
            after[path] = result
    return after, clashes


@pytest.mark.parametrize("group", range(8))
def test_no_conflict_is_missed_and_none_is_invented(group: int, tmp_path: Path) -> None:
    """Random sessions from random bases, through two front ends: the same clashes, the same trees as the model."""
    merged = clashed = 0
    for number in range(SCHEDULES // 8):
        seed = group * 1000 + number
        rnd = random.Random(seed)
        store = MemoryStore()
        fronts = [Ledger(store).open("p") for _ in range(2)]
        fronts[0].create()
        trees: list[Files] = [{}]
        for session in range(1, LANDINGS + 1):
            position = rnd.randrange(max(0, len(trees) - 5), len(trees))
            edits = _edit(rnd, trees[position])
            if not edits:
                continue
            expected, clashes = _judge(tmp_path, trees[position], trees[-1], edits)
            where = f"seed {seed}, session {session}, base {position}, head {len(trees) - 1}, {edits}"
            found: set[bytes] = set()
            try:
                merged += len(land(rnd.choice(fronts), session, position, edits).merged)
            except Conflicted as error:
                found = {clash.path for clash in error.details["clashes"]}
            assert found == clashes, where
            if clashes:
                clashed += 1
                continue
            trees.append(expected)
            assert fronts[0].head().position == len(trees) - 1, where
        reader = Ledger(store).open("p")
        for position in {0, 1, len(trees) // 2, len(trees) - 1} & set(range(len(trees))):
            assert contents(reader, position) == trees[position], f"seed {seed}, position {position}"
        check_history(reader)
    assert clashed > 20, "the schedules must clash, or they show nothing"
    assert merged > 5, "and merge"
