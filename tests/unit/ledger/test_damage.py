"""Damaged stores: each object missing, cut short or full of noise is named, and never an empty tree."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest

from ledgers import check_history, contents, damage_of, import_sealed, land, objects_of, request, store_of, traced
from mic.core.blob import encode_blob
from mic.core.epoch import decode_epoch
from mic.core.errors import Corrupt, MicError
from mic.core.ids import content_hash
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store import MemoryStore, ObjectStore

Damage = Callable[[ObjectStore, str], None]


def _missing(store: ObjectStore, key: str) -> None:
    store.delete(key)


def _empty(store: ObjectStore, key: str) -> None:
    store.put(key, b"")


def _truncated(store: ObjectStore, key: str) -> None:
    store.put(key, store.get(key).data[: len(store.get(key).data) * 2 // 3])


def _garbage(store: ObjectStore, key: str) -> None:
    store.put(key, random.Random(7).randbytes(len(store.get(key).data)))


def _zeros(store: ObjectStore, key: str) -> None:
    store.put(key, bytes(len(store.get(key).data)))


DAMAGES = [_missing, _empty, _truncated, _garbage, _zeros]


@pytest.fixture(scope="module")
def sealed() -> dict[str, bytes]:
    """The objects of a project with 1,005 landings, 1,000 of them sealed, and of a healthy neighbour."""
    store = MemoryStore()
    project, _ = traced(store)
    import_sealed(project, 1002, lambda number: b"content %d\n" % number)
    for number in range(1003, 1006):
        land(project, number, number - 1, {b"late": b"%d" % number})
    neighbour = Ledger(store).open("q")
    neighbour.create()
    land(neighbour, 1, 0, {b"mine": b"stays"})
    return objects_of(store)


@pytest.fixture
def store(sealed: dict[str, bytes]) -> MemoryStore:
    """A copy that a test may spoil."""
    return store_of(sealed)


def _keys(store: ObjectStore) -> dict[str, str]:
    """One object of each kind of project p."""
    found = [item.key for item in store.list("projects/p/")]
    tails = [key for key in found if "/tail/" in key]
    return {
        "head": "projects/p/head",
        "newest epoch": tails[-1],
        "epoch before": tails[-2],
        "epoch of the import": next(key for key in reversed(tails) if f"{1002:016x}-" in key),
        "segment": next(key for key in found if key.endswith("000000000001.log")),
        "run": next(key for key in found if key.endswith(".run")),
    }


def _everything(project: Project) -> None:
    """Read all that a project holds: log, sessions, trees, contents."""
    check_history(project)
    for before in (1006, 500, 3):
        project.landings(before, 2)
    for position in (1, 700, 1001, 1005):
        contents(project, position)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__[1:])
@pytest.mark.parametrize("what", ["head", "newest epoch", "epoch before", "epoch of the import", "segment", "run"])
def test_a_damaged_object_is_named_and_others_go_on(
    store: MemoryStore, what: str, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever reads it is told which object it is. A run only saves a walk: the log tells of its damage."""
    key = _keys(store)[what]
    damage(store, key)
    project = Ledger(store).open("p")
    if what == "run":
        _everything(project)
        # Nobody who lists what is there sees that a run is missing.
        assert [key in message for message in caplog.messages] == ([] if damage is _missing else [True])
    else:
        error = damage_of(lambda: _everything(project))
        named = (error.message, str(error.details.get("object")))
        epoch = _keys(store)["newest epoch"] if what == "head" else key
        assert any(key in text or epoch.rsplit("/", 1)[0] in text for text in named), named
        assert error.hint or error.message
        with pytest.raises(Corrupt):
            _everything(project)  # nothing wrong was kept
    neighbour = Ledger(store).open("q")
    check_history(neighbour)
    assert land(neighbour, 2, 1, {b"more": b"x"}).position == 2


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__[1:])
def test_a_damaged_head_stops_landing_and_is_not_made_anew(store: MemoryStore, damage: Damage) -> None:
    """Not by a landing, not by creating the project again, not as an empty project."""
    damage(store, "projects/p/head")
    before = [(item.key, store.get(item.key)) for item in store.list("projects/p/")]
    project = Ledger(store).open("p")
    asks: list[Callable[[], object]] = [
        project.head,
        project.create,
        project.landings,
        lambda: contents(project),
        lambda: project.tree_at(0),
        lambda: project.import_history("again", bytes(16)),
        lambda: project.find_session(bytes(16)),
    ]
    for ask in asks:
        assert "projects/p/head" in str(damage_of(ask)) or "landing-log/tail" in str(damage_of(ask))
    assert [(item.key, store.get(item.key)) for item in store.list("projects/p/")] == before


def test_a_head_that_goes_missing_under_a_running_forge_is_damage(store: MemoryStore) -> None:
    project = Ledger(store).open("p")
    project.head()
    sent = request(project, 2000, 1005, {b"x": b"x"})
    store.delete("projects/p/head")
    for ask in (project.head, lambda: project.land(sent), project.create):
        assert damage_of(ask).details["object"] == "projects/p/head"


def test_a_head_that_goes_back_is_noticed(store: MemoryStore) -> None:
    """An old backup of the head alone, under a running forge and below the index."""
    project = Ledger(store).open("p")
    newest = store.get("projects/p/head").data
    land(project, 2000, 1005, {b"x": b"x"})
    store.put("projects/p/head", newest)
    assert damage_of(project.head).details["object"] == "projects/p/head"
    keys = [item.key for item in store.list("projects/p/landing-log/tail/")]
    old = decode_epoch(store.get(keys[0]).data, keys[0]).new.encode()
    store.put("projects/p/head", old)
    assert damage_of(Ledger(store).open("p").head).details["object"] == "projects/p/head"


@pytest.mark.parametrize("kind", [0, 1, 3], ids=["node", "content", "session"])
@pytest.mark.parametrize("damage", ["noise", "zeros", "swapped"])
def test_a_damaged_part_of_an_epoch_is_named(kind: int, damage: str) -> None:
    """The epoch's own checksum holds, one object inside does not: another object in its place is noticed too."""
    store = MemoryStore()
    project, _ = traced(store)
    project.create()
    land(project, 1, 0, {b"a/one": b"first content", b"a/two": b"other content"})
    (key,) = (item.key for item in store.list("projects/p/landing-log/tail/"))
    raw = store.get(key).data
    epoch = decode_epoch(raw, key)
    item = next(item for item in epoch.objects if item.kind == kind)
    start = epoch.data_start + item.offset
    put = {
        "noise": random.Random(3).randbytes(item.length),
        "zeros": bytes(item.length),
        "swapped": encode_blob(b"something else")[: item.length].ljust(item.length, b"\x00"),
    }[damage]
    store.put(key, raw[:start] + put + raw[start + item.length :])
    cold = Ledger(store).open("p")
    asks: dict[int, Callable[[], object]] = {
        0: lambda: cold.files(cold.tree_at(1)),
        1: lambda: contents(cold),
        3: cold.landings,
    }
    error = damage_of(asks[kind])
    assert key in error.message
    if kind == 0:
        for ask in (
            lambda: cold.list_dir(cold.tree_at(1)),
            lambda: cold.entry(cold.tree_at(1), b"a/one"),
            lambda: cold.totals(cold.tree_at(1)),
            lambda: cold.diff(cold.tree_at(0), cold.tree_at(1)),
            lambda: land(cold, 2, 1, {b"a/one": b"x"}),
        ):
            assert key in damage_of(ask).message
    assert cold.head().position == 1


def test_a_content_that_no_container_lists_is_named() -> None:
    project, _ = traced(MemoryStore())
    project.create()
    land(project, 1, 0, {b"a": b"x"})
    absent = content_hash(b"never sent")
    assert absent.hex() in damage_of(lambda: project.blob(absent)).message
    assert absent.hex() in damage_of(lambda: list(project.frames([absent]))).message
    assert absent.hex() in damage_of(lambda: project.files(absent)).message
    assert not project.has_blob(absent)


def test_a_part_that_is_missing_at_the_end_of_an_epoch_is_named() -> None:
    """Cut inside its data: records and contents list are whole, what lies behind the cut is not."""
    store = MemoryStore()
    project, _ = traced(store)
    project.create()
    land(project, 1, 0, {b"%d" % n: random.Random(n).randbytes(500) for n in range(20)})
    (key,) = (item.key for item in store.list("projects/p/landing-log/tail/"))
    raw = store.get(key).data
    store.put(key, raw[: decode_epoch(raw, key).data_start + 50])
    cold = Ledger(store).open("p")
    assert cold.head().position == 1
    for ask in (cold.landings, lambda: cold.files(cold.tree_at(1))):
        error = damage_of(ask)
        assert error.details["object"] == key


def test_noise_anywhere_is_an_error_of_the_house(store: MemoryStore) -> None:
    """400 single bytes changed anywhere: the answers are the same as before, or an error that is expected."""
    rnd = random.Random(20261120)
    healthy = Ledger(store).open("p")
    expected = contents(healthy)
    keys = [item.key for item in store.list("projects/p/") if "index" not in item.key]
    for _ in range(400):
        key = rnd.choice(keys)
        raw = store.get(key).data
        at = rnd.randrange(len(raw))
        store.put(key, raw[:at] + bytes([raw[at] ^ 1 << rnd.randrange(8)]) + raw[at + 1 :])
        cold = Ledger(store).open("p")
        with contextlib.suppress(MicError):
            assert contents(cold) == expected
            cold.landings(limit=20)
        store.put(key, raw)


def test_a_head_of_zeros_is_not_an_empty_project() -> None:
    """What a file system may leave of a small file after a power cut."""
    store = MemoryStore()
    project, _ = traced(store)
    project.create()
    land(project, 1, 0, {b"a": b"x"})
    store.put("projects/p/head", bytes(48))
    assert damage_of(Ledger(store).open("p").head).details["object"] == "projects/p/head"
