"""Repairing: what can be derived is derived, what was replaced is kept, what would lose something is asked first."""

from __future__ import annotations

import random

import pytest

from ledgers import REGULAR, Files, check_history, contents, import_sealed, land, objects_of, request, store_of, traced
from mic.core.epoch import decode_epoch
from mic.core.errors import InvalidInput
from mic.core.head import Head, decode_head
from mic.core.ids import content_hash
from mic.ledger.frame import Frame
from mic.ledger.ledger import Ledger
from mic.ledger.repair import repair
from mic.ledger.verify import Verifier
from mic.store import MemoryStore, ObjectStore

P = f"{1:032x}"
PREFIX = f"projects/{P}/"
NOISE = random.Random(3).randbytes(200)


@pytest.fixture(scope="module")
def kept() -> dict[str, bytes]:
    """1,003 landings, 1,000 of them sealed."""
    store = MemoryStore()
    project, _ = traced(store, P)
    import_sealed(project, 1000, lambda number: b"content %d" % number)
    for number in (1001, 1002, 1003):
        land(project, number, number - 1, {b"late": b"%d" % number})
    return objects_of(store)


@pytest.fixture
def store(kept: dict[str, bytes]) -> MemoryStore:
    """A copy that a test may spoil."""
    return store_of(kept)


@pytest.fixture(scope="module")
def files(kept: dict[str, bytes]) -> Files:
    """What the project holds at its head."""
    return contents(Ledger(store_of(kept)).open(P))


def _repair(store: ObjectStore, accept_loss: bool = False, known: int = 0) -> list[str]:
    driver = Ledger(store).driver
    found = list(Verifier(P, driver.run).findings())
    return driver.run(repair(P, found, known, accept_loss))


def _sound(store: ObjectStore) -> bool:
    driver = Ledger(store).driver
    return not [finding for finding in Verifier(P, driver.run).findings() if finding.kind != "unreachable"]


def _keys(store: ObjectStore, below: str) -> list[str]:
    return [item.key for item in store.list(f"{PREFIX}{below}/")]


def _epochs(store: ObjectStore) -> list[str]:
    return _keys(store, "landing-log/tail")


def test_a_sound_project_is_left_alone(store: MemoryStore, kept: dict[str, bytes]) -> None:
    assert _repair(store) == []
    assert objects_of(store) == kept


@pytest.mark.parametrize("spoil", ["segment", "run", "both", "gone"])
def test_segments_and_runs_are_made_again(store: MemoryStore, spoil: str, kept: dict[str, bytes], files: Files) -> None:
    """Byte for byte the segment that was there; what was damaged is kept aside."""
    segment = f"{PREFIX}landing-log/000000000001.log"
    run = _keys(store, "packs/index")[0]
    for key in {"segment": [segment], "run": [run], "both": [segment, run], "gone": [segment]}[spoil]:
        if spoil == "gone":
            store.delete(key)
        else:
            store.put(key, NOISE)
    done = _repair(store)
    assert done[-1] == "segments and index runs stand up to @1000"
    assert store.get(segment).data == kept[segment]
    assert _sound(store)
    cold = Ledger(store).open(P)
    check_history(cold)
    assert contents(cold) == files
    aside = {store.get(key).data for key in _keys(store, "set-aside")}
    assert (NOISE in aside) == (spoil != "gone")


@pytest.mark.parametrize("damage", [None, b"", NOISE, bytes(48)])
def test_a_lost_head_is_put_on_the_newest_complete_landing(
    store: MemoryStore, damage: bytes | None, kept: dict[str, bytes], files: Files
) -> None:
    if damage is None:
        store.delete(f"{PREFIX}head")
    else:
        store.put(f"{PREFIX}head", damage)
    assert "the head stands at @1003 again" in _repair(store)
    assert store.get(f"{PREFIX}head").data == kept[f"{PREFIX}head"]
    assert _sound(store)
    assert contents(Ledger(store).open(P)) == files
    assert land(Ledger(store).open(P), 2000, 1003, {b"more": b"1"}).position == 1004


def test_a_lost_landing_is_given_up_only_when_that_is_said(store: MemoryStore) -> None:
    newest = _epochs(store)[-1]
    store.delete(newest)
    with pytest.raises(InvalidInput, match="@1003 has landed, and the log is complete up to @1002 only"):
        _repair(store)
    assert decode_head(store.get(f"{PREFIX}head").data, "").position == 1003
    assert _repair(store, accept_loss=True)[0] == "the head stands at @1002 again; @1003 to @1003 are lost"
    assert _sound(store)
    assert contents(Ledger(store).open(P))[b"late"] == (REGULAR, b"1002")


def test_two_ends_are_not_chosen_between(store: MemoryStore) -> None:
    """A lost race left another epoch at the same position; without the head nobody can tell which one counted."""
    key = _epochs(store)[-1]
    raw = store.get(key).data
    epoch = decode_epoch(raw, key)
    other = MemoryStore()
    for item in store.list(""):
        other.put(item.key, store.get(item.key).data)
    other.put(f"{PREFIX}head", epoch.prev.encode())
    other.delete(key)
    land(Ledger(other).open(P), 3000, 1002, {b"rival": b"x"})
    rival = _epochs(other)[-1]
    store.put(rival, other.get(rival).data)
    store.delete(f"{PREFIX}head")
    with pytest.raises(InvalidInput, match="two histories of project .* end at @1003"):
        _repair(store)
    assert _keys(store, "set-aside") == []


def test_a_project_without_its_log_is_not_made_up(store: MemoryStore) -> None:
    for key in _epochs(store):
        store.delete(key)
    store.delete(f"{PREFIX}head")
    with pytest.raises(InvalidInput, match="no landing of project .* can be followed"):
        _repair(store)


def test_a_fork_is_repaired_down_to_where_it_began(store: MemoryStore) -> None:
    ledger = Ledger(store)
    name = f"{2:032x}"
    head: Head = ledger.fork(P, name)
    fork = ledger.open(name)
    land(fork, 4000, head.position, {b"mine": b"x"})
    wanted = store.get(f"projects/{name}/head").data
    store.delete(f"projects/{name}/head")
    driver = Ledger(store).driver
    found = list(Verifier(name, driver.run).findings())
    assert driver.run(repair(name, found)) == ["the head stands at @1004 again"]
    assert store.get(f"projects/{name}/head").data == wanted


def test_a_landing_that_only_the_rows_remember_is_not_given_up_unasked(store: MemoryStore) -> None:
    """Head and newest epoch are both gone: the log looks whole, and is not."""
    store.delete(_epochs(store)[-1])
    store.delete(f"{PREFIX}head")
    with pytest.raises(InvalidInput, match="@1003 has landed, and the log is complete up to @1002 only"):
        _repair(store, known=1003)
    assert _repair(store, accept_loss=True, known=1003) == ["the head stands at @1002 again; @1003 to @1003 are lost"]


def test_a_fork_that_nobody_landed_in_gets_its_head_back(store: MemoryStore) -> None:
    name = f"{2:032x}"
    Ledger(store).fork(P, name)
    wanted = store.get(f"projects/{name}/head").data
    store.delete(f"projects/{name}/head")
    driver = Ledger(store).driver
    found = list(Verifier(name, driver.run).findings())
    assert driver.run(repair(name, found)) == ["the head stands at @1003 again"]
    assert store.get(f"projects/{name}/head").data == wanted


def test_a_lost_content_is_no_reason_to_move_the_head(store: MemoryStore, kept: dict[str, bytes]) -> None:
    """A pack that is gone stays gone, and is left for the check to name."""
    project = Ledger(store).open(P)
    upload = project.upload()
    data = b"in a pack"
    project.run(upload.receive(Frame(content_hash(data), len(data), 0, len(data), False, data)))
    packs = project.run(upload.finish())
    project.land(request(project, 2000, 1003, {b"packed": data}, send=False)._replace(packs=packs))
    head = store.get(f"{PREFIX}head").data
    (pack,) = (key for key in _keys(store, "packs") if key.endswith(".pack"))
    store.delete(pack)
    assert _repair(store) == []
    assert store.get(f"{PREFIX}head").data == head
