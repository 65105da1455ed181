"""Landings that store a content as a delta over what landed before on its path."""

from __future__ import annotations

import random

import pytest

from ledgers import check_history, land, traced
from mic.core.blob import encode_blob
from mic.core.delta import DELTA_DEPTH
from mic.core.epoch import BLOB, DELTA
from mic.core.errors import PreconditionFailed
from mic.core.ids import content_hash
from mic.ledger.effects import PutIf
from mic.ledger.ledger import Ledger
from mic.ledger.previous import KEPT_BYTES, Previous
from mic.ledger.project import Project
from mic.store import MemoryStore
from mic.store.port import ObjectStore

_LINES = [random.Random(4).randbytes(1200 * 20)[at * 20 : at * 20 + 20].hex().encode() + b"\n" for at in range(1200)]
V = [b"".join(_LINES[at : 100 + at]) for at in range(30)]


def _kinds(project: Project, contents: list[bytes]) -> list[int]:
    return [project.line.objects.require(content_hash(data), "content").kind for data in contents]


def _landed(store: ObjectStore, count: int) -> Project:
    project, _ = traced(store)
    project.create()
    for number in range(count):
        land(project, number + 1, number, {b"a.py": V[number], b"tiny": b"%d" % number})
    return project


def test_chains_of_four_deltas_stand_on_a_whole_content() -> None:
    project = _landed(MemoryStore(), 12)
    assert DELTA_DEPTH == 4
    assert _kinds(project, V[:12]) == [BLOB, DELTA, DELTA, DELTA, DELTA] * 2 + [BLOB, DELTA]
    assert _kinds(project, [b"3"]) == [BLOB]


def test_a_cold_reader_reads_every_version(tmp_path: object) -> None:
    store = MemoryStore()
    _landed(store, 12)
    cold = Ledger(store).open("p")
    cold.head()
    check_history(cold)
    for data in V[:12]:
        assert cold.blob(content_hash(data)) == data
    before = cold.object_reads
    assert cold.blob(content_hash(V[4])) == V[4]
    assert cold.object_reads - before == 5  # four deltas and the whole one: the longest chain


def test_a_process_that_knows_nothing_before_stores_whole() -> None:
    store = MemoryStore()
    _landed(store, 3)
    second, _ = traced(store)
    second.head()
    land(second, 4, 3, {b"a.py": V[3]})
    land(second, 5, 4, {b"a.py": V[4]})
    assert _kinds(second, V[:5]) == [BLOB, DELTA, DELTA, BLOB, DELTA]
    check_history(second)


def test_a_lost_race_leaves_nothing_to_lean_on() -> None:
    """The content of an epoch that no head names must not become a base."""
    store = MemoryStore()
    project, driver = traced(store)
    project.create()
    land(project, 1, 0, {b"a.py": V[0]})
    other, _ = traced(store)
    other.head()

    def refuse(effect: object) -> None:
        if isinstance(effect, PutIf):
            driver.before = lambda effect: None
            land(other, 2, 1, {b"b.py": b"other"})
            raise PreconditionFailed("somebody was faster")

    driver.before = refuse
    land(project, 3, 1, {b"a.py": V[1]})
    land(project, 4, 3, {b"a.py": V[2]})
    cold = Ledger(store).open("p")
    cold.head()
    check_history(cold)


def test_what_shares_nothing_is_whole_and_what_is_equal_is_stored_once() -> None:
    project = _landed(MemoryStore(), 2)
    noise = random.Random(9).randbytes(5000)
    land(project, 3, 2, {b"a.py": noise})
    land(project, 4, 3, {b"a.py": V[1]})  # back again
    assert _kinds(project, [noise, V[1]]) == [BLOB, DELTA]
    check_history(project)


@pytest.mark.parametrize("size", [KEPT_BYTES // 8, KEPT_BYTES // 2])
def test_little_is_kept_whatever_lands(size: int) -> None:
    previous = Previous()
    for number in range(40):
        noise = random.Random(number).randbytes(size)
        previous.put(b"%d" % (number % 20), content_hash(noise), encode_blob(noise), 0)
        kept = sum(len(item.whole) for item in previous._kept.values())
        assert kept == previous._bytes <= KEPT_BYTES
    assert (len(previous._kept) > 0) == (size < KEPT_BYTES // 4)
