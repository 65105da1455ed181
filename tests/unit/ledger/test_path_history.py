"""Who touched a path: through rollups, without them, around damaged ones, through a fork; what a check says of them."""

from __future__ import annotations

import pytest

from ledgers import Journeys, Traced, damage_of, import_sealed, land, objects_of, store_of, traced
from mic.core.errors import NotFound
from mic.core.record import Record
from mic.core.rollup import BELOW, roll_records
from mic.core.session import Op
from mic.ledger.effects import Get, GetRange
from mic.ledger.ledger import Ledger
from mic.ledger.path_history import path_history, view_of
from mic.ledger.project import Project
from mic.ledger.repair import repair
from mic.ledger.verify import Finding, Verifier
from mic.sim.limits import small_limits
from mic.store import MemoryStore

ADDED, MODIFIED, DELETED = int(Op.ADDED), int(Op.MODIFIED), int(Op.DELETED)
# Landing n up to 1,002 writes d{n % 50}/f, and those behind it `busy`, but for these.
LATER = {1500: {b"d07/f": b"once"}, 1700: {b"d07/f": None}, 2400: {b"d07/g": b"new", b"d08/f": b"x"}}
D07_F = [(1700, DELETED), (1500, MODIFIED), *((n, MODIFIED) for n in range(957, 56, -50)), (7, ADDED)]
D07 = [(2400, BELOW)] + [(at, BELOW) for at, _ in D07_F]


@pytest.fixture(scope="module")
def sealed() -> dict[str, bytes]:
    """2,450 landings, 2,000 of them sealed and rolled up."""
    store = MemoryStore()
    project, _ = traced(store)
    import_sealed(project, 1002, lambda number: b"content %d" % number)
    for number in range(1003, 2451):
        land(project, number, number - 1, LATER.get(number, {b"busy": b"%d" % number}))
    assert project.seal() == 2000
    assert project.due_to_roll
    assert project.roll() == 2
    assert not project.due_to_roll
    assert project.roll() == 0
    return objects_of(store)


def _ask(project: Project, path: bytes, **asked: int) -> list[tuple[int, int]]:
    return [tuple(touch) for touch in project.path_history(path, **{"limit": 100, **asked}).touches]


def _reads(driver: Traced, of: str) -> int:
    return sum(of in effect.key for effect in driver.effects if isinstance(effect, Get | GetRange))


def test_files_and_directories(sealed: dict[str, bytes]) -> None:
    project, driver = traced(store_of(sealed))
    assert _ask(project, b"d07/f") == D07_F
    assert _ask(project, b"d07") == D07
    assert _ask(project, b"d07/g") == [(2400, ADDED)]
    assert _ask(project, b"d0") == _ask(project, b"d07/") == _ask(project, b"d07/f/x") == []
    assert len(_ask(project, b"busy", limit=10_000)) == 1448 - 3
    assert not _reads(driver, ".log"), "a segment was read although there are rollups"


def test_from_to_and_how_many(sealed: dict[str, bytes]) -> None:
    project, _ = traced(store_of(sealed))
    assert _ask(project, b"d07/f", before=1700, after=907) == [(1500, MODIFIED), (957, MODIFIED)]
    assert _ask(project, b"d07/f", before=1701, after=1699) == [(1700, DELETED)]
    assert _ask(project, b"d07/f", before=7) == []
    assert _ask(project, b"d07/f", before=10**12, after=1000) == D07_F[:2]
    found, before = [], 0
    while True:
        page = project.path_history(b"d07", before=before, limit=4)
        found += [tuple(touch) for touch in page.touches]
        if not page.reached:
            break
        before = page.reached + 1
    assert found == D07


def test_requests(sealed: dict[str, bytes]) -> None:
    """A path is one range of each rollup that has it; who asks again reads nothing else."""
    project, driver = traced(store_of(sealed))
    _ask(project, b"d07/f")
    assert _reads(driver, ".bloom") == 4
    driver.effects.clear()
    _ask(project, b"d07/f")
    assert _reads(driver, ".bloom") == 2
    driver.effects.clear()
    _ask(project, b"nowhere")
    assert _reads(driver, ".bloom") == 0


def test_of_a_far_store_many_rollups_are_asked_at_once() -> None:
    """Where each of twelve would be a journey; for what is touched often no more are read than there would be."""
    with small_limits():
        store = MemoryStore()
        project, _ = traced(store)
        project.create()
        for number in range(1, 79 * 6 + 1):
            land(project, number, number - 1, {b"f%d" % (number % 40): b"%d" % number, b"busy": b"%d" % number})
        project.seal()
        project.roll()
        heads = {}
        for far in (False, True):
            for path in (b"nowhere", b"f7", b"busy"):
                asked, driver = traced(store)
                asked.line.far = far
                asked.head()
                driver.effects.clear()
                journeys = Journeys(asked)
                found = asked.path_history(path, limit=5)
                heads[far, path] = (found, journeys.count, _reads(driver, ".bloom"))
    for path in (b"nowhere", b"f7", b"busy"):
        assert heads[False, path][0] == heads[True, path][0]
    assert heads[False, b"nowhere"][2] == heads[True, b"nowhere"][2] == 12
    assert (heads[False, b"nowhere"][1], heads[True, b"nowhere"][1]) == (13, 6)  # one is a look at the head
    assert heads[True, b"busy"][2] <= heads[False, b"busy"][2] + 1


def test_without_rollups_the_records_are_read(sealed: dict[str, bytes]) -> None:
    kept = {key: data for key, data in sealed.items() if not key.endswith(".bloom")}
    project, driver = traced(store_of(kept))
    assert _ask(project, b"d07/f") == D07_F
    assert _reads(driver, ".log") == 2
    # Only so many segments at a time.
    view = view_of(project.line)
    first = project.run(path_history(view, b"d07/f", limit=100, segments=1))
    assert [tuple(touch) for touch in first.touches] == D07_F[:2]
    assert first.reached == 1000
    rest = project.run(path_history(view, b"d07/f", before=first.reached + 1, limit=100, segments=1))
    assert [tuple(touch) for touch in rest.touches] == D07_F[2:]


def _rollups(objects: dict[str, bytes]) -> list[str]:
    return sorted(key for key in objects if key.endswith(".bloom"))


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("what", ["empty", "short", "head", "bucket", "version", "other range"])
def test_a_spoilt_rollup_is_gone_around(
    sealed: dict[str, bytes], what: str, far: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer is the same, the log names the object, the check does too, and a repair makes it again."""
    first, second = _rollups(sealed)
    raw = bytearray(sealed[second])
    if what == "bucket":
        raw[-8] ^= 1
    elif what == "head":
        raw[20] ^= 1
    elif what == "version":
        raw[4] = 9
    spoilt = {"empty": b"", "short": bytes(raw[:70]), "other range": sealed[first]}.get(what, bytes(raw))
    store = store_of({**sealed, second: spoilt})
    project, _ = traced(store)
    project.line.far = far
    assert _ask(project, b"d07/f") == D07_F
    assert second in caplog.text
    findings = list(Verifier("p", project.run).findings())
    assert [finding.object for finding in findings] == [second]
    done = project.run(repair("p", findings))
    assert done == [f"{second} was set aside", "1 rollups were made again"]
    assert store.get(second).data == sealed[second]
    assert _bad(project) == []


def _bad(project: Project) -> list[Finding]:
    return [finding for finding in Verifier("p", project.run).findings() if finding.kind != "unreachable"]


def test_a_lie_with_a_right_checksum_is_found_by_a_check(sealed: dict[str, bytes]) -> None:
    first, _ = _rollups(sealed)
    project, _ = traced(store_of(sealed))
    records = project.records(1, 1000)
    lie = roll_records([*records[:-1], Record(*records[-1][:-1], ())])
    liar, _ = traced(store_of({**sealed, first: lie}))
    assert [(finding.kind, finding.object) for finding in _bad(liar)] == [("wrong", first)]


def test_a_rollup_of_what_has_not_landed_is_wrong(sealed: dict[str, bytes]) -> None:
    first, _ = _rollups(sealed)
    early = first.replace("000000000001.bloom", "000000002001.bloom")
    project, _ = traced(store_of({**sealed, early: sealed[first]}))
    assert _ask(project, b"d07/g") == [(2400, ADDED)]
    found = _bad(project)
    assert [finding.object for finding in found] == [early]
    assert found[0].message == "positions 2001 to 3000 have not landed"


def test_a_missing_segment_is_no_nobody(sealed: dict[str, bytes]) -> None:
    """Without the rollup and the segment that it was made of nothing can be told."""
    kept = {key: data for key, data in sealed.items() if not key.endswith("000000000001.bloom")}
    segment = "projects/p/landing-log/000000000001.log"
    del kept[segment]
    project, _ = traced(store_of(kept))
    assert _ask(project, b"d07/f", after=1000) == D07_F[:2]
    assert segment in damage_of(lambda: _ask(project, b"d07/f")).message


def test_a_fork_asks_its_origin(sealed: dict[str, bytes]) -> None:
    """What the fork shares is read from the rollups of the origin, and nothing that landed there later."""
    store = store_of(sealed)
    ledger = Ledger(store)
    origin = ledger.open("p")
    ledger.fork("p", "q")
    land(origin, 9001, 2450, {b"d07/f": b"later, in the origin"})
    fork = ledger.open("q")
    land(fork, 9002, 2450, {b"d07/f": b"in the fork"})
    assert _ask(fork, b"d07/f") == [(2451, ADDED), *D07_F]
    for number in range(2452, 3001):
        land(fork, 10_000 + number, number - 1, {b"busy": b"%d" % number})
    assert fork.seal() == 3000
    assert fork.roll() == 1
    assert [key for key in _rollups(objects_of(store)) if key.startswith("projects/q/")] == [
        "projects/q/landing-log/bloom-index/level-1/000000002001.bloom"
    ]
    again = Ledger(store).open("q")
    assert _ask(again, b"d07/f") == [(2451, ADDED), *D07_F]
    assert _ask(again, b"d07") == [(2451, BELOW), *D07]


def test_no_project_has_no_history() -> None:
    with pytest.raises(NotFound):
        traced(MemoryStore())[0].path_history(b"a")


def test_a_new_project(sealed: dict[str, bytes]) -> None:
    project, _ = traced(MemoryStore())
    project.create()
    assert project.path_history(b"a") == ([], 0)
    assert project.roll() == 0
