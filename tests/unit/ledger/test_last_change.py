"""Which landing put there what is in the way: sealed long ago, lately, never; and what is read to find out."""

from __future__ import annotations

import pytest

from ledgers import Traced, damage_of, import_sealed, land, objects_of, store_of, traced
from mic.core.errors import Conflicted
from mic.ledger.effects import Get
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store import MemoryStore

# Landing n below 1,003 writes d{n % 50}/f; those behind it are these.
LATER = {
    1003: {b"d07/f": b"once"},
    1004: {b"d07/f": b"content 957"},  # what landing 957 had put there
    1005: {b"d08/f": None},
    1006: {b"d09/f": b"twin"},
    1007: {b"d10/f": b"twin"},
}


@pytest.fixture(scope="module")
def sealed() -> dict[str, bytes]:
    """2,050 landings, 2,000 of them sealed."""
    store = MemoryStore()
    project, _ = traced(store)
    import_sealed(project, 1002, lambda number: b"content %d" % number)
    for number in range(1003, 2051):
        land(project, number, number - 1, LATER.get(number, {b"busy": b"%d" % number}))
    assert project.seal() == 2000
    return objects_of(store)


def _cold(objects: dict[str, bytes]) -> tuple[Project, Traced]:
    return traced(store_of(objects))


def _clash_at(project: Project, base: int, *paths: bytes) -> dict[bytes, int]:
    """Where the clashes of a session say that the other side changed the paths."""
    with pytest.raises(Conflicted) as caught:
        land(project, 5000, base, dict.fromkeys(paths, b"mine"))
    return {clash.path: clash.theirs_position for clash in caught.value.details["clashes"]}


@pytest.mark.parametrize(
    ("path", "base", "position"),
    [
        (b"d11/f", 11, 961),
        (b"d11/f", 960, 961),
        (b"d00/f", 100, 1000),
        (b"d01/f", 100, 1001),
        (b"d07/f", 100, 1004),
        (b"d08/f", 100, 1005),
        (b"d09/f", 100, 1006),
        (b"d10/f", 100, 1007),
        (b"busy", 1500, 2050),
    ],
)
def test_the_newest_landing_is_named(sealed: dict[str, bytes], path: bytes, base: int, position: int) -> None:
    """Changed once or often, back to what it was, deleted, or to what another path got at another position."""
    assert _clash_at(_cold(sealed)[0], base, path) == {path: position}


def test_one_look_at_the_log_serves_all_paths(sealed: dict[str, bytes]) -> None:
    """Each segment is read once, whether two paths or fifty clash."""
    for count in (2, 50):
        project, driver = _cold(sealed)
        paths = [b"d%02d/f" % number for number in range(11, 11 + count) if number < 50]
        project.entries(project.tree_at(500), paths)
        driver.effects.clear()
        found = _clash_at(project, 500, *paths)
        assert found == {path: 950 + int(path[1:3]) for path in paths}
        read = [effect.key for effect in driver.effects if isinstance(effect, Get) and effect.key.endswith(".log")]
        assert read.count("projects/p/landing-log/000000001001.log") == 1


def test_a_segment_that_cannot_tell_is_not_taken_apart(sealed: dict[str, bytes]) -> None:
    """The one without the hash of what is there is only searched; a deletion has no hash, so all are read."""
    project, _ = _cold(sealed)
    assert _clash_at(project, 100, b"d11/f") == {b"d11/f": 961}
    assert list(project.line.segments) == [1]
    assert _clash_at(project, 100, b"d08/f") == {b"d08/f": 1005}
    assert set(project.line.segments) == {1, 1001}


def test_a_damaged_segment_is_no_answer(sealed: dict[str, bytes]) -> None:
    """One bit that is wrong could be in the hash that is looked for."""
    key = "projects/p/landing-log/000000001001.log"
    raw = bytearray(sealed[key])
    raw[70_000] ^= 1
    project, _ = _cold(sealed | {key: bytes(raw)})
    error = damage_of(lambda: land(project, 5000, 100, {b"d11/f": b"mine"}))
    assert error.details["object"] == key
    project, _ = _cold({name: data for name, data in sealed.items() if name != key})
    error = damage_of(lambda: land(project, 5000, 100, {b"d11/f": b"mine"}))
    assert error.details["object"] == key


def test_a_fork_finds_what_its_origin_landed(sealed: dict[str, bytes]) -> None:
    """Before the fork point, in the segment that holds landings of both, and behind it."""
    ledger = Ledger(store_of(sealed))
    fork = ledger.open("f")
    assert ledger.fork("p", "f").position == 2050
    for number in range(2051, 3051):
        land(fork, number, number - 1, {b"d12/f": b"fork"} if number == 2100 else {b"own": b"%d" % number})
    assert fork.seal() == 3000
    cold = Ledger(ledger.driver.store).open("f")
    assert _clash_at(cold, 100, b"d11/f") == {b"d11/f": 961}
    assert _clash_at(cold, 100, b"d12/f", b"d13/f") == {b"d12/f": 2100, b"d13/f": 963}
    assert _clash_at(cold, 2000, b"busy", b"own") == {b"busy": 2050, b"own": 3050}
