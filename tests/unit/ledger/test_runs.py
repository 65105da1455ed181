"""The chain of index runs: which ones are taken, what stands in for a damaged one, and how they are merged."""

from __future__ import annotations

import hashlib
import random
import struct
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgers import check_history, land, traced
from mic.core.errors import Corrupt
from mic.core.head import Head
from mic.core.indexrun import IndexRun, Place, RunName, encode_run, parse_run_name
from mic.core.runmerge import merge_runs
from mic.core.tree import EMPTY_TREE
from mic.ledger.driver import Driver
from mic.ledger.ledger import Ledger
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache
from mic.ledger.runs import adopt, choose_chain, due_for_merge, load_runs, merge
from mic.store import DirectoryStore, MemoryStore, ObjectStore
from mic.store.directory import MAP_FROM


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _run(first: int, last: int, step: int = 1, mark: str = "") -> bytes:
    """A run over these positions with one object, in one container, for each `step`-th of them."""
    places = {_hash(f"{n}"): Place(f"k{mark}/{n}", 1, n, 4) for n in range(first, last + 1, step)}
    return encode_run(first, Head(last, _hash("tree"), last), places, {n.to_bytes(16, "big"): n for n in (first, last)})


def _name(text: str) -> RunName:
    name = parse_run_name(text)
    assert name is not None
    return name


def test_a_name_says_positions_and_generation() -> None:
    assert RunName(1, 1000).text() == "000000000001-000000001000.run"
    assert RunName(1, 1000, 7).text() == "000000000001-000000001000.0007.run"
    assert _name("000000000001-000000001000.0007.run") == RunName(1, 1000, 7)


@pytest.mark.parametrize(
    "text",
    ["", "1-2.run", "000000000001-000000001000.0000.run", "000000000002-000000000001.run",
     "000000000000-000000000001.run", "000000000001-000000001000.run.tmp", "000000000001-000000001000.7.run"],
)  # fmt: skip
def test_what_is_no_name_of_a_run(text: str) -> None:
    assert parse_run_name(text) is None


@pytest.mark.parametrize(
    ("names", "chain"),
    [
        ([], []),
        ([(5, 9)], []),
        ([(1, 10), (11, 20)], [(1, 10), (11, 20)]),
        ([(1, 10), (11, 20), (1, 20)], [(1, 20)]),
        # The longest first step leads nowhere.
        ([(1, 10), (1, 13), (11, 20)], [(1, 10), (11, 20)]),
        ([(1, 10), (1, 13), (14, 20), (11, 15), (16, 20), (1, 12)], [(1, 13), (14, 20)]),
        ([(1, 10, 0), (1, 10, 2), (1, 10, 1)], [(1, 10, 2)]),
        # What was compacted does not lie any more where the run over both says.
        ([(1, 10, 1), (11, 20, 0), (1, 20, 0)], [(1, 10, 1), (11, 20, 0)]),
        ([(1, 10, 1), (11, 20, 0), (1, 20, 1)], [(1, 20, 1)]),
    ],
)
def test_the_chain_that_reaches_furthest(names: list[tuple[int, ...]], chain: list[tuple[int, ...]]) -> None:
    assert choose_chain([RunName(*name) for name in names]) == [RunName(*name) for name in chain]


@given(st.sets(st.tuples(st.integers(1, 8), st.integers(1, 8)).filter(lambda pair: pair[0] <= pair[1])))
def test_no_chain_reaches_further(pairs: set[tuple[int, int]]) -> None:
    """Held against every path there is."""

    def furthest(at: int) -> int:
        return max((max(last, furthest(last + 1)) for first, last in pairs if first == at), default=0)

    chain = choose_chain([RunName(*pair) for pair in pairs])
    assert (chain[-1].last if chain else 0) == furthest(1)
    assert [name.first for name in chain] == [1, *(name.last + 1 for name in chain)][: len(chain)]


def _line(store: ObjectStore) -> Line:
    line = Line("p", NodeCache())
    Driver(store).run(load_runs(line))
    return line


@pytest.fixture(params=["memory", "directory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Both ways in which a run comes to its reader."""
    return MemoryStore() if request.param == "memory" else DirectoryStore(tmp_path / "store")


def _put(store: ObjectStore, first: int, last: int, raw: bytes | None = None, generation: int = 0) -> str:
    key = Line("p", NodeCache()).run_key(first, last, generation)
    store.put_new(key, _run(first, last) if raw is None else raw)
    return key


@pytest.mark.parametrize("harm", ["cut", "flipped", "empty", "another's"])
def test_finer_runs_stand_in_for_a_damaged_one(store: ObjectStore, harm: str) -> None:
    """And the line says which one it went round."""
    good = _run(1, 20)
    raw = {"cut": good[:-9], "flipped": good[:99] + bytes((good[99] ^ 1,)) + good[100:], "empty": b""}
    bad = _put(store, 1, 20, raw.get(harm, _run(1, 19)))
    _put(store, 1, 10)
    _put(store, 11, 20)
    line = _line(store)
    assert [(run.first, run.last) for run in line.objects.runs] == [(1, 10), (11, 20)]
    assert line.covered.position == 20
    assert [isinstance(fault, Corrupt) and bad in fault.message for fault in line.faults] == [True]
    found = [line.objects.find(_hash(str(n))) for n in (1, 20)]
    assert found == [Place("k/1", 1, 1, 4), Place("k/20", 1, 20, 4)]


def test_a_damaged_run_without_finer_ones_ends_the_chain(store: ObjectStore) -> None:
    """The epochs behind it are walked, as if nobody had written it."""
    _put(store, 1, 10)
    _put(store, 11, 20, b"")
    _put(store, 21, 30)
    line = _line(store)
    assert [(run.first, run.last) for run in line.objects.runs] == [(1, 10)]
    assert line.covered.position == 10


def test_a_large_run_is_mapped_and_outlives_its_file(tmp_path: Path) -> None:
    """Nothing of it is copied; a compaction that removes the file disturbs no reader."""
    store = DirectoryStore(tmp_path / "store")
    key = _put(store, 1, 6000)
    assert (tmp_path / "store" / key).stat().st_size > MAP_FROM
    line = _line(store)
    store.delete(key)
    assert len(store._mapped) == 1
    assert [line.objects.find(_hash(str(n))) for n in (1, 3333, 6000, 6001)] == [
        Place("k/1", 1, 1, 4), Place("k/3333", 1, 3333, 4), Place("k/6000", 1, 6000, 4), None
    ]  # fmt: skip
    assert line.find_session((6000).to_bytes(16, "big")) == 6000


def test_a_million_landings_are_a_few_dozen_runs() -> None:
    """A run for every thousand landings, merged as they come; everything is found in the end, and by a cold reader."""
    store = MemoryStore()
    line, driver = _line(store), Driver(store)
    for first in range(1, 1_000_000, 1000):
        _put(store, first, first + 999, _run(first, first + 999, 500))
        line.objects.runs = [
            *line.objects.runs,
            IndexRun(_run(first, first + 999, 500), line.run_key(first, first + 999)),
        ]
        while parts := due_for_merge(line.objects.runs):
            adopt(line, driver.run(merge(line, parts)), parts)
    cold = _line(store)
    for each in (line, cold):
        assert len(each.objects.runs) <= 28
        assert [left.last + 1 == right.first for left, right in pairwise(each.objects.runs)].count(False) == 0
        assert each.objects.runs[-1].last == 1_000_000
        for n in random.Random(7).sample(range(1, 1_000_000, 500), 200):
            assert each.objects.find(_hash(str(n))) == Place(f"k/{n}", 1, n, 4)
            assert each.objects.find(_hash(f"no {n}")) is None
    assert cold.covered.position == 1_000_000
    assert line.find_session((1001).to_bytes(16, "big")) == 1001


def test_a_merge_takes_the_newest_place_and_keeps_order() -> None:
    """Hashes that begin alike, a hash in both, runs of version 1 and 2."""
    alike = [b"\x07" * 8 + bytes((n,)) * 24 for n in range(5)]
    old = encode_run(1, Head(3, EMPTY_TREE, 3), {h: Place("old", 0, n, 1) for n, h in enumerate(alike)}, {bytes(16): 2})
    places = {alike[2]: Place("new", 1, 77, 5), b"\xff" * 32: Place("new", 2, 5, 6), bytes(32): Place("x", 3, 0, 1)}
    new = encode_run(4, Head(6, EMPTY_TREE, 6), places, {b"\x01" * 16: 5})
    merged = IndexRun(merge_runs([IndexRun(_version_1(old), "old"), IndexRun(new, "new")]), "merged")
    assert (merged.first, merged.last, merged.head) == (1, 6, Head(6, EMPTY_TREE, 6))
    assert [merged.find(h) for h in alike] == [
        Place("old", 0, 0, 1), Place("old", 0, 1, 1), Place("new", 1, 77, 5),
        Place("old", 0, 3, 1), Place("old", 0, 4, 1),
    ]  # fmt: skip
    assert [merged.find(h) for h in places] == list(places.values())
    assert (merged.session(bytes(16)), merged.session(b"\x01" * 16), merged.session(b"\x02" * 16)) == (2, 5, None)
    assert merged.objects == 7


def _version_1(raw: bytes) -> bytes:
    """A run of at most 8 objects in its older form, written out by hand."""
    from mic.core.codec import crc32c

    assert raw[5] == 0
    containers, key_bytes = struct.unpack_from(">II", raw, 72)
    ends = struct.unpack_from(f">{containers}I", raw, 80)
    start = 80 + 4 * containers
    keys = [raw[start + (ends[n - 1] if n else 0) : start + ends[n]] for n in range(containers)]
    rest = raw[start + key_bytes : -4]
    body = raw[:4] + b"\x01" + raw[5:76] + b"".join(len(k).to_bytes(2, "big") + k for k in keys) + rest[:4] + rest[8:]
    return body + crc32c(body)


def test_whoever_merges_writes_the_same() -> None:
    parts = [IndexRun(_run(n, n + 9), "part") for n in range(1, 80, 10)]
    raw = merge_runs(parts)
    assert raw == merge_runs(parts)
    whole = IndexRun(_run(1, 80), "whole")
    merged = IndexRun(raw, "merged")
    assert merged.objects == whole.objects == 80
    assert all(merged.find(_hash(str(n))) == whole.find(_hash(str(n))) for n in range(1, 82))


def test_empty_runs_merge() -> None:
    """Landings that brought nothing of their own."""
    parts = [encode_run(n, Head(n, EMPTY_TREE, n), {}, {}) for n in (1, 2)]
    merged = IndexRun(merge_runs([IndexRun(raw, "part") for raw in parts]), "merged")
    assert (merged.objects, merged.sessions, merged.find(bytes(32))) == (0, 0, None)


def test_a_project_goes_round_a_damaged_run() -> None:
    """Everything is read from the epochs."""
    store = MemoryStore()
    project, _ = traced(store)
    project.create()
    for number in range(1, 4):
        land(project, number, number - 1, {b"f": b"%d" % number})
    key = "projects/p/packs/index/000000000001-000000000002.run"
    store.put(key, b"noise")
    cold = Ledger(store).open("p")
    check_history(cold)
    assert cold.line.covered.position == 0
