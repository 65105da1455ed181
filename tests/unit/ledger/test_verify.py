"""Verifying a project: a sound one has no findings, each kind of damage is named, nothing is written."""

from __future__ import annotations

import random
from collections.abc import Callable
from uuid import UUID

import pytest

from ledgers import import_sealed, land, objects_of, request, store_of, traced
from mic.core.epoch import decode_epoch, make_epoch
from mic.core.errors import Unavailable
from mic.core.head import Head, decode_head
from mic.core.ids import content_hash
from mic.core.segment import decode_segment, encode_segment
from mic.ledger.effects import Delete, Effect, GetRange, List, Put, PutIf, PutNew
from mic.ledger.frame import Frame
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.ledger.verify import Finding, Verifier
from mic.sim.limits import small_limits
from mic.store import MemoryStore, ObjectStore

P = UUID(int=1).hex
PREFIX = f"projects/{P}/"


@pytest.fixture(scope="module")
def kept() -> dict[str, bytes]:
    """1,005 landings, 1,000 of them sealed, one file of them large."""
    store = MemoryStore()
    project, _ = traced(store, P)
    import_sealed(project, 1002, lambda number: b"content %d\n" % number * (1 + number % 7))
    big = random.Random(1).randbytes(5 << 20)
    upload = project.upload()
    for start in range(0, len(big), 1 << 20):
        part = big[start : start + (1 << 20)]
        project.run(upload.receive(Frame(content_hash(big), len(big), start, len(part), False, part)))
    packs = project.run(upload.finish())
    project.land(request(project, 1003, 1002, {b"big": big}, send=False)._replace(packs=packs))
    for number in (1004, 1005):
        land(project, number, number - 1, {b"late": b"%d" % number})
    return objects_of(store)


@pytest.fixture
def store(kept: dict[str, bytes]) -> MemoryStore:
    """A copy that a test may spoil."""
    return store_of(kept)


def _verify(store: ObjectStore, name: str = P) -> list[Finding]:
    """The findings; whoever checks writes nothing."""
    project, driver = traced(store, name)
    found = list(Verifier(name, project.run).findings())
    assert not [effect for effect in driver.effects if isinstance(effect, Put | PutNew | PutIf | Delete)]
    return found


def _newest(store: ObjectStore) -> str:
    return max(item.key for item in store.list(f"{PREFIX}landing-log/tail/"))


def _first(store: ObjectStore, ending: str) -> str:
    return next(item.key for item in store.list(PREFIX) if item.key.endswith(ending))


def test_a_sound_project_has_no_findings(store: MemoryStore) -> None:
    told: list[str] = []
    project, _ = traced(store, P)
    assert list(Verifier(P, project.run, lambda what, done, of: told.append(what)).findings()) == []
    assert list(dict.fromkeys(told)) == ["log", "packs", "index", "trees", "sessions", "contents"]


def test_sealing_meanwhile_is_no_finding(store: MemoryStore) -> None:
    """Whichever of its lists a check reads first, segments and runs appear behind it."""
    for item in [*store.list(f"{PREFIX}packs/index/"), *store.list(f"{PREFIX}landing-log/0")]:
        store.delete(item.key)
    for number in range(1, 9):
        copy = store_of(objects_of(store))
        project, driver = traced(copy, P)
        lists: list[Effect] = []

        def seals(effect: Effect, lists: list[Effect] = lists, copy: MemoryStore = copy, number: int = number) -> None:
            if isinstance(effect, List):
                lists.append(effect)
                if len(lists) == number:
                    assert Ledger(copy).open(P).seal() == 1000

        driver.after = seals
        assert list(Verifier(P, project.run).findings()) == []
    assert len(lists) < 8


def test_a_run_beyond_the_head_that_was_read() -> None:
    """Others land old contents again and seal them while a check reads: it goes by what it has read of the log."""
    beyond = 0
    with small_limits():
        for moment in range(60):
            store = MemoryStore()
            busy, _ = traced(store, P)
            busy.create()
            for number in range(1, 6):
                land(busy, number, number - 1, {b"text": b"%d" % (number % 2)})
            project, driver = traced(store, P)
            effects: list[Effect] = []

            def lands(
                effect: Effect, effects: list[Effect] = effects, busy: Project = busy, moment: int = moment
            ) -> None:
                effects.append(effect)
                if len(effects) == moment + 1:
                    for number in range(6, 13):
                        land(busy, number, number - 1, {b"text": b"%d" % (number % 2)})
                    busy.seal()

            driver.after = lands
            assert list(Verifier(P, project.run).findings()) == [], moment
            beyond += len(effects) > moment
    assert beyond > 10


def test_a_store_that_is_away_is_no_damage(store: MemoryStore) -> None:
    """While the contents are read: the check ends with an error, and says of no content that it is damaged."""
    project, driver = traced(store, P)
    told: list[str] = []

    def away(effect: Effect) -> None:
        if told == ["sessions"] and isinstance(effect, GetRange):
            raise Unavailable("the store is away")

    def sessions(what: str, last: bool) -> None:
        if what == "sessions" and last:
            told.append(what)

    driver.before = away
    with pytest.raises(Unavailable):
        list(Verifier(P, project.run, lambda what, done, of: sessions(what, done == of)).findings())


def test_an_object_that_was_stored_twice_is_where_either_says(store: MemoryStore) -> None:
    """A landing that brings an old tree back stores its nodes again, behind the run that knows them already."""
    project, _ = traced(store, P)
    land(project, 1006, 1005, {b"big": None, b"late": None})
    assert project.head().tree == project.tree_at(1002)
    assert _verify(store) == []


def test_an_empty_project_has_no_findings() -> None:
    store = MemoryStore()
    Ledger(store).open(P).create()
    assert _verify(store) == []


def test_a_fork_is_checked_through_its_origin(store: MemoryStore) -> None:
    """And a damaged content of the origin is found in the fork too."""
    ledger = Ledger(store)
    name = UUID(int=2).hex
    fork = _fork(ledger, name)
    land(fork, 5000, 1005, {b"mine": b"x"})
    assert _verify(store, name) == []
    spoiled = _first(store, ".pack")
    store.delete(spoiled)
    assert ("missing", spoiled) in {(finding.kind, finding.object) for finding in _verify(store, name)}


def _fork(ledger: Ledger, name: str) -> Project:
    ledger.fork(P, name)
    return ledger.open(name)


@pytest.mark.parametrize(
    ("ending", "damage", "kind"),
    [
        ("head", lambda raw: raw[:-1], "damaged"),
        ("head", None, "missing"),
        ("000000000001.log", lambda raw: raw[:-50] + bytes(50), "damaged"),
        ("000000000001.log", None, "missing"),
        (".run", lambda raw: raw[:-50] + bytes(50), "damaged"),
        (".pack", None, "missing"),
        (".pack", lambda raw: raw[:-3] + bytes(3), "damaged"),
    ],
)
def test_each_object_that_is_damaged_or_missing_is_named(
    store: MemoryStore, ending: str, damage: Callable[[bytes], bytes] | None, kind: str
) -> None:
    key = _first(store, ending)
    if damage is None:
        store.delete(key)
    else:
        store.put(key, damage(store.get(key).data))
    assert (kind, key) in {(finding.kind, finding.object) for finding in _verify(store)}


def test_a_missing_epoch_ends_the_log_and_says_what_is_out_of_reach(store: MemoryStore) -> None:
    key = _newest(store)
    store.delete(key)
    found = _verify(store)
    assert ("missing", key) in {(finding.kind, finding.object) for finding in found}
    assert "positions 1 to 1005 are out of its reach" in [finding.message for finding in found]


def test_one_flipped_bit_in_a_content_is_found(store: MemoryStore) -> None:
    """Whatever byte of the data of an epoch is hit, something that lies there is named."""
    rnd = random.Random(5)
    key = min(item.key for item in store.list(f"{PREFIX}landing-log/tail/"))
    whole = store.get(key).data
    data_start = decode_epoch(whole, key).data_start
    for _ in range(12):
        at = rnd.randrange(data_start, len(whole))
        spoiled = bytearray(whole)
        spoiled[at] ^= 1 << rnd.randrange(8)
        store.put(key, bytes(spoiled))
        found = _verify(store)
        assert found, at
        assert {finding.kind for finding in found} <= {"damaged", "missing"}


def test_a_chunk_that_is_damaged_is_found(store: MemoryStore) -> None:
    key = _first(store, ".pack")
    raw = bytearray(store.get(key).data)
    raw[1 << 20] ^= 1
    store.put(key, bytes(raw))
    assert [finding.kind for finding in _verify(store)] == ["damaged"]


def test_a_segment_that_tells_another_story_is_wrong(store: MemoryStore) -> None:
    key = f"{PREFIX}landing-log/000000000001.log"
    records = list(decode_segment(store.get(key).data, key))
    records[499] = records[499]._replace(session=bytes(16))
    store.put(key, encode_segment(records))
    assert [(finding.kind, finding.message) for finding in _verify(store)] == [
        ("wrong", "it tells @500 otherwise than the log")
    ]


def test_a_landing_that_does_not_make_its_tree_is_wrong(store: MemoryStore) -> None:
    """A head and an epoch that agree with each other and not with what was changed."""
    key = _newest(store)
    raw = store.get(key).data
    epoch = decode_epoch(raw, key)
    packed = [
        (item.hash, item.kind, raw[epoch.data_start + item.offset : epoch.data_start + item.offset + item.length])
        for item in epoch.objects
    ]
    before = decode_epoch(store.get(_key_of(epoch.prev)).data, "")
    lie = Head(epoch.new.position, before.prev.tree, epoch.new.hlc)
    record = epoch.records[0]._replace(root_after=lie.tree)
    store.put(_key_of(lie), make_epoch(epoch.prev, lie, bytes(8), [record], epoch.packs, packed)[1])
    store.delete(key)
    store.put(f"{PREFIX}head", lie.encode())
    messages = {finding.message for finding in _verify(store)}
    assert messages == {"its changes do not make its tree", "its tree is not what all landings together make"}


def _key_of(head: Head) -> str:
    return f"{PREFIX}landing-log/tail/{head.position:016x}-{head.hlc:016x}-{head.tree[:8].hex()}"


def test_what_a_lost_race_left_is_unreachable_and_nothing_else(store: MemoryStore) -> None:
    head = decode_head(store.get(f"{PREFIX}head").data, "")
    other = head._replace(hlc=head.hlc + 1)
    store.put(_key_of(other), store.get(_key_of(head)).data)
    store.put(f"{PREFIX}packs/{'0' * 64}.pack", b"MICP")
    assert {(finding.kind, finding.object) for finding in _verify(store)} == {
        ("unreachable", _key_of(other)),
        ("unreachable", f"{PREFIX}packs/{'0' * 64}.pack"),
    }
