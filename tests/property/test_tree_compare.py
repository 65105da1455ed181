"""Two trees compared at some paths, beside dictionaries."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from mic.core.tree import EMPTY_TREE, Entry, Node, apply, build, compare, occupied
from trees import drive, drive_cold, file, small_nodes

MODES = (0o100644, 0o100755, 0o120000, 0o100664)


def _file(rnd: random.Random, path: bytes) -> Entry:
    return file(path, rnd.randrange(1 << 20), rnd.choice(MODES))


def _path(rnd: random.Random) -> bytes:
    return b"d%d/%s%d" % (rnd.randrange(40), rnd.choice((b"", b"e/")), rnd.randrange(400))


def _changed(rnd: random.Random, old: dict[bytes, Entry], count: int) -> dict[bytes, Entry]:
    """Files of which some are new, gone, of another mode, or of another content under the same mode."""
    new = dict(old)
    for _ in range(count):
        path = rnd.choice(sorted(new)) if new and rnd.random() < 0.7 else _path(rnd)
        kind = rnd.random()
        if kind < 0.3:
            new.pop(path, None)
        elif kind < 0.5 and path in new:
            new[path] = new[path]._replace(mode=rnd.choice(MODES))
        else:
            new[path] = _file(rnd, path)
    return new


@given(st.integers(0, 1 << 32))
@settings(max_examples=60, deadline=None)
def test_what_differs_at_some_paths(seed: int) -> None:
    """Trees of unequal heights, of the same files and of none: old entries are found, and what has become of them."""
    rnd = random.Random(seed)
    old = {path: _file(rnd, path) for path in {_path(rnd) for _ in range(rnd.choice((0, 1, 30, 600)))}}
    new = _changed(rnd, old, rnd.choice((0, 1, 5, 400)))
    if rnd.random() < 0.1:
        new = {}
    nodes: dict[bytes, Node] = {}
    with small_nodes():
        before, after = (build([files[path] for path in sorted(files)], nodes) for files in (old, new))
    some = rnd.sample(sorted(old | new), min(len(old | new), rnd.choice((1, 5, 200))))
    paths = [*some, *(_path(rnd) for _ in range(rnd.choice((0, 3)))), b"a", b"z"]
    rnd.shuffle(paths)
    places, moved = drive(compare({}, before, after, paths), nodes)
    assert {path: leaf.entry(at) for path, (leaf, at) in places.items()} == {
        path: old[path] for path in paths if path in old
    }
    assert moved == {path: new.get(path) for path in paths if _seen(old.get(path)) != _seen(new.get(path))}


def _seen(entry: Entry | None) -> tuple[bytes, int] | None:
    return (entry.hash, entry.mode) if entry is not None else None


def test_what_is_shared_is_read_once() -> None:
    """Of ten thousand files one differs: beside the way to it, the second tree costs no reading."""
    nodes: dict[bytes, Node] = {}
    files = [file(b"src/%05d" % number, number) for number in range(10_000)]
    with small_nodes():
        old = build(files, nodes)
        new = drive(apply(nodes, old, {b"src/05000": file(b"src/05000", 1)}, nodes), nodes)
    levels = nodes[old].level + 1
    paths = [b"src/%05d" % number for number in range(0, 10_000, 500)]
    _, alone = drive_cold(compare({}, old, old, paths), nodes)
    (_, moved), asked = drive_cold(compare({}, old, new, paths), nodes)
    assert moved == {b"src/05000": file(b"src/05000", 1)}
    assert len(asked) == len(alone) == levels
    assert sum(asked) <= sum(alone) + levels


@given(st.integers(0, 1 << 32))
@settings(max_examples=40, deadline=None)
def test_which_directories_have_files(seed: int) -> None:
    """A directory is where a path goes on behind a slash; a name that only begins alike is none."""
    rnd = random.Random(seed)
    names = sorted({_path(rnd) for _ in range(rnd.choice((1, 40, 500)))})
    nodes: dict[bytes, Node] = {}
    with small_nodes():
        root = build([file(name, 1) for name in names], nodes)
    asked = [b"d%d" % number for number in range(42)] + [b"d%d/e" % number for number in range(42)] + [*names[:5], b"z"]
    expected = {path for path in asked if any(name.startswith(path + b"/") for name in names)}
    assert drive(occupied({}, root, asked), nodes) == expected
    assert drive(occupied({}, EMPTY_TREE, asked), {}) == set()
