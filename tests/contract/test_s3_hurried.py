"""Readers in a hurry: a bucket that is away costs them one short wait, then nothing, and patient ones wait on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from mic.core.errors import NotFound, Unavailable
from mic.ledger.driver import Driver
from mic.ledger.effects import Get, Protocol
from mic.store import s3 as s3_module
from mic.store import tiers
from mic.store.patience import Reach, hurried
from mic.store.ram import RamCache
from mic.store.s3 import S3Store
from mic.store.tiers import TieredStore
from scripted_s3 import ScriptedS3, Step

PACK = f"projects/p/packs/{'0' * 64}.pack"
LOST, BROKEN, BUSY, CUT = Step(0), Step(500, "InternalError"), Step(503, "SlowDown"), Step(cut=True)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedS3]:
    """With readers that wait a fifth of a second for a byte; patient ones would wait the minute of the settings."""
    monkeypatch.setattr(s3_module, "HURRIED_SECONDS", 0.2)
    running = ScriptedS3()
    running.objects["a/b"] = (b"0123456789", "")
    running.objects[PACK] = (b"pack", "")
    yield running
    running.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(server: ScriptedS3, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    monkeypatch.setattr(s3_module, "Reach", lambda: Reach(clock))
    return S3Store(server.place, lambda _: None)


READS: list[Callable[[S3Store], object]] = [
    lambda store: store.get("a/b"),
    lambda store: store.get_range("a/b", 2, 3),
    lambda store: list(store.list("a/")),
]


@pytest.mark.parametrize("read", READS)
def test_a_silent_bucket_is_waited_for_once_and_then_left_alone(
    server: ScriptedS3, store: S3Store, clock: Clock, read: Callable[[S3Store], object]
) -> None:
    """One request of one, then none for five seconds, then one again; when it answers, all are let through."""
    server.answers.clear()
    with hurried():
        with pytest.raises(Unavailable, match="did not answer in time"):
            read(store)
        for _ in range(50):
            with pytest.raises(Unavailable, match="no answer a moment ago"):
                read(store)
        assert len(server.asked) == 1
        clock.now += 5.1
        with pytest.raises(Unavailable, match="did not answer in time"):
            read(store)
        with pytest.raises(Unavailable, match="no answer a moment ago"):
            read(store)
        assert len(server.asked) == 2
        server.answers.set()
        clock.now += 5.1
        read(store)
        read(store)
        assert len(server.asked) == 4


@pytest.mark.parametrize("read", READS)
def test_a_stopped_bucket_is_asked_twice_and_then_left_alone(
    server: ScriptedS3, store: S3Store, read: Callable[[S3Store], object]
) -> None:
    """Refused connections take no time; the second is for one that was closed while nobody used it."""
    server.stop()
    pauses: list[float] = []
    store._pause = pauses.append
    with hurried():
        with pytest.raises(Unavailable, match="cannot be reached"):
            read(store)
        for _ in range(50):
            with pytest.raises(Unavailable, match="no answer a moment ago"):
                read(store)
    assert len(pauses) == 1
    with pytest.raises(Unavailable, match="cannot be reached"):
        read(store)  # patient: it asks four times, whatever others found
    assert len(pauses) == 4


@pytest.mark.parametrize("step", [LOST, CUT, BROKEN, BUSY])
def test_one_failure_that_passes_is_not_seen(server: ScriptedS3, store: S3Store, step: Step) -> None:
    """In a hurry too: the second answer is given."""
    server.script.append(step)
    with hurried():
        assert store.get("a/b").data == b"0123456789"
    assert len(server.asked) == 2


def test_an_answer_is_an_answer(server: ScriptedS3, store: S3Store) -> None:
    """A store that says "absent", or that it is broken, was reached: the next is asked as well."""
    with hurried():
        for _ in range(3):
            with pytest.raises(NotFound):
                store.get("a/none")
        server.script.extend([BROKEN] * 2)
        with pytest.raises(Unavailable):
            store.get("a/b")
        assert store.get("a/b").data == b"0123456789"


def test_what_a_patient_reader_finds_is_known_to_all(server: ScriptedS3, store: S3Store) -> None:
    """Four times nothing: nobody in a hurry tries. One answer: everybody may."""
    server.script.extend([LOST] * 4)
    with pytest.raises(Unavailable):
        store.get("a/b")
    with hurried(), pytest.raises(Unavailable, match="no answer a moment ago"):
        store.get("a/b")
    assert len(server.asked) == 4
    assert store.get("a/b").data == b"0123456789"
    with hurried():
        assert store.get("a/b").data == b"0123456789"


def test_of_many_one_looks_whether_it_is_back() -> None:
    """The others are refused until that one knows, or must have given up."""
    clock = Clock()
    reach = Reach(clock)
    reach.heard(False)
    clock.now += 5.1
    assert [reach.may_ask() for _ in range(6)] == [True, False, False, False, False, False]
    clock.now += 5.1
    assert not reach.may_ask()
    clock.now += 3
    assert reach.may_ask()
    reach.heard(True)
    assert reach.may_ask()


def test_threads_that_read_side_by_side_are_in_the_same_hurry(server: ScriptedS3, store: S3Store) -> None:
    """A group of reads of one page: each is asked once, and none of them with patience."""

    def page() -> Protocol[list[object]]:
        found: list[object] = yield (Get("a/b"), Get("a/b"), Get("a/b"))
        return found

    server.answers.clear()
    with hurried(), pytest.raises(Unavailable):
        Driver(store, parallel=3).run(page())
    assert 1 <= len(server.asked) <= 3


def test_who_waits_for_a_hurried_reader_reads_for_itself(
    server: ScriptedS3, store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A landing that wants the block which a page has just given up on gets it."""
    tiered = TieredStore(store, ram=RamCache(1 << 20))
    mine, _ = tiered._claim(PACK, [0])
    waits = threading.Event()

    def patience() -> float:
        waits.set()
        return 60

    monkeypatch.setattr(tiers, "_patience", patience)
    got: list[bytes] = []
    landing = threading.Thread(target=lambda: got.append(tiered.get_range(PACK, 0, 4)))
    landing.start()
    assert waits.wait(60)
    server.script.extend([LOST] * 2)
    with hurried(), pytest.raises(Unavailable):
        tiered._read_claimed("blobs", PACK, mine, True)
    landing.join(60)
    assert got == [b"pack"]
