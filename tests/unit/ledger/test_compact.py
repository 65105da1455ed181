"""Compaction: versions that landed one by one, written again as groups while everybody goes on reading."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from ledgers import check_history, contents, damage_of, land, objects_of, store_of, traced
from mic.core.delta import GROUP_DEPTH, MAX_DEPTH, decode_group
from mic.core.epoch import BLOB, DELTA, GROUP
from mic.core.errors import Unavailable
from mic.core.ids import content_hash
from mic.core.indexrun import IndexRun, Place
from mic.core.repoint import repoint
from mic.ledger.effects import Effect, Protocol, PutNew
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.ledger.small import read_small
from mic.ledger.verify import Verifier
from mic.store import MemoryStore
from mic.store.port import ObjectStore

LANDINGS = 1010
# The large file lands with each sixth: the chain of deltas that ends at the newest begins before the last segment does.
EVERY = 6
_NOISE = random.Random(8).randbytes(1200 * 20)
_LINES = [_NOISE[at * 20 : at * 20 + 20].hex().encode() + b"\n" for at in range(1200)]


def _version(number: int) -> bytes:
    """Four hundred lines, of which each version drops the first and adds one."""
    return b"".join(_LINES[number % 700 : number % 700 + 400])


@pytest.fixture(scope="module")
def landed() -> dict[str, bytes]:
    """1,010 landings of one large and one small file and of some noise, 1,000 of them sealed."""
    store = MemoryStore()
    project, _ = traced(store)
    project.create()
    for number in range(LANDINGS):
        files = {b"small": b"%d\n" % number}
        if number % EVERY == 0:
            files[b"src/large.py"] = _version(number // EVERY)
        if number % 100 == 0:
            files[b"noise"] = random.Random(number).randbytes(2000)
        land(project, number + 1, number, files)
    assert project.seal() == 1000
    return objects_of(store)


@pytest.fixture
def store(landed: dict[str, bytes]) -> MemoryStore:
    """A copy of it."""
    return store_of(landed)


def _open(store: ObjectStore) -> Project:
    project = Ledger(store).open("p")
    project.head()
    return project


def _place(project: Project, data: bytes) -> Place:
    return project.line.objects.require(content_hash(data), "content")


def _check(project: Project) -> None:
    check_history(project)
    for number in range(0, LANDINGS, EVERY):
        assert project.blob(content_hash(_version(number // EVERY))) == _version(number // EVERY)


def test_everybody_reads_on(store: MemoryStore) -> None:
    """Who compacted, who had opened the project before, and who opens it cold."""
    before, project = _open(store), _open(store)
    old = _place(before, _version(3))
    head = project.head()
    assert project.compact()
    assert not project.compact()
    assert (_place(project, _version(3)).kind, _place(before, _version(3))) == (GROUP, old)
    for reader in (project, before, _open(store)):
        assert reader.head() == head
        _check(reader)
    assert {finding.kind for finding in Verifier("p", project.run).findings()} <= {"unreachable"}


def test_a_reading_that_meets_the_change_reads_on(store: MemoryStore) -> None:
    """It found a delta by the old run and its base by the new one, where the base leans on what was asked for."""
    project = _open(store)
    readings = []
    for number in range(140, (LANDINGS - 1) // EVERY + 1):
        reading = read_small(project.line.objects, [content_hash(_version(number))])
        readings.append((number, reading, next(reading)))
    assert DELTA in {_place(project, _version(number)).kind for number in range(140, (LANDINGS - 1) // EVERY + 1)}
    assert project.compact()
    for number, reading, wanted in readings:
        assert _finished(project, reading, wanted) == {content_hash(_version(number)): _version(number)}


def _finished(project: Project, protocol: Protocol[Any], wanted: Any) -> Any:
    """What a protocol gives that has begun and waits for `wanted`."""
    while True:
        try:
            wanted = protocol.send(project.driver._perform(wanted))
        except StopIteration as stop:
            return stop.value


def test_old_versions_are_in_groups_and_the_newest_of_each_path_is_whole(store: MemoryStore) -> None:
    project = _open(store)
    project.compact()
    cold = _open(store)
    last = 1008 // EVERY
    assert _place(cold, _version(last)).kind == BLOB
    assert {_place(cold, _version(number)).kind for number in range(last)} == {GROUP}
    assert {_place(cold, random.Random(number).randbytes(2000)).kind for number in range(0, 1000, 100)} == {BLOB}
    places = {_place(cold, _version(number)) for number in range(last)}
    assert len(places) == 2  # 168 versions of 16 KB, 2 MiB a group
    for place in places:
        raw = store.get(place.key).data[place.offset : place.offset + place.length]
        assert decode_group(raw, "group").depth <= GROUP_DEPTH
    assert sum(place.length for place in places) < 400 * 60 + 168 * (36 + 60)


def test_a_cold_read_of_an_old_version_takes_few_reads(store: MemoryStore) -> None:
    _open(store).compact()
    cold = _open(store)
    worst = 0
    for number in range(0, 1000, 60):
        before = cold.object_reads
        cold.blob(content_hash(_version(number // EVERY)))
        worst = max(worst, cold.object_reads - before)
    assert worst <= GROUP_DEPTH + 1 <= MAX_DEPTH


def test_two_front_ends_write_the_same(store: MemoryStore) -> None:
    first, second = _open(store), _open(store)
    assert first.compact()
    after = objects_of(store)
    other = MemoryStore()
    for key, data in after.items():
        if ".0001." not in key and ".pack" not in key:
            other.put(key, data)
    assert _open(other).compact()
    assert objects_of(other) == after
    assert not second.compact()  # its line is followed anew


def test_who_never_looked_at_the_head_compacts(store: MemoryStore) -> None:
    """As the job of a process just started does: afterwards no position is in two of the runs that it knows."""
    project = Ledger(store).open("p")
    assert project.compact()
    assert project.head().position == LANDINGS
    assert [(run.first, run.last) for run in project.line.objects.runs] == [(1, 1010)]
    _check(project)


@pytest.mark.parametrize("write", [0, 1])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_anywhere_leaves_a_project_that_reads_and_compacts(store: MemoryStore, moment: str, write: int) -> None:
    """Between any two writes, the pack and the run; doing it again ends in the same objects."""
    whole = MemoryStore()
    for key, data in objects_of(store).items():
        whole.put(key, data)
    _open(whole).compact()
    project, driver = traced(store)
    project.head()
    seen = 0

    def fail(effect: Effect) -> None:
        nonlocal seen
        if isinstance(effect, PutNew):
            seen += 1
            if seen == write + 1:
                raise Unavailable("the front end was killed")

    setattr(driver, moment, fail)
    with pytest.raises(Unavailable):
        project.compact()
    _check(_open(store))
    assert _open(store).compact() == ((moment, write) != ("after", 1))
    assert objects_of(store) == objects_of(whole)


def test_a_landing_over_a_compacted_version(store: MemoryStore) -> None:
    """A delta whose base is a member of a group by now."""
    project = _open(store)
    data = _version(300)
    land(project, 2000, LANDINGS, {b"src/large.py": data})
    land(project, 2001, LANDINGS + 1, {b"src/large.py": data + b"x"})
    assert _place(project, data + b"x").kind == DELTA
    project.compact()
    cold = _open(store)
    assert contents(cold)[b"src/large.py"][1] == data + b"x"


def _noise(raw: bytes) -> bytes:
    return random.Random(3).randbytes(len(raw))


@pytest.mark.parametrize("spoil", [_noise, lambda raw: raw[:100], lambda raw: b""])
def test_a_damaged_pack_is_named_and_spoils_nothing_else(store: MemoryStore, spoil: Callable[[bytes], bytes]) -> None:
    _open(store).compact()
    cold = _open(store)
    key = _place(cold, _version(3)).key
    good = store.get(key).data
    store.put(key, spoil(good))
    assert key in damage_of(lambda: cold.blob(content_hash(_version(3)))).message
    found = [finding for finding in Verifier("p", cold.run).findings() if finding.kind != "unreachable"]
    assert key in {finding.message.split()[0] for finding in found}
    assert cold.blob(content_hash(b"1009\n")) == b"1009\n"
    store.put(key, good)
    _check(cold)


def test_only_the_places_of_a_run_change(store: MemoryStore) -> None:
    project = _open(store)
    run = project.line.objects.runs[0]
    moved = {content_hash(_version(at)): Place("k/new", GROUP, at, 7) for at in (0, 9)}
    made = IndexRun(repoint(run, moved), "made")
    assert (made.first, made.last, made.head) == (run.first, run.last, run.head)
    columns = run.columns()
    hashes = [bytes(columns.hashes[at : at + 32]) for at in range(0, len(columns.hashes), 32)]
    for object_hash in [*hashes, bytes(32), b"\xff" * 32]:
        assert made.find(object_hash) == moved.get(object_hash, run.find(object_hash))
    assert made.columns().ids == columns.ids
    assert made.columns().positions == columns.positions
