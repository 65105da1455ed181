"""Erasure: the bytes go in every copy, the log stays whole, nothing living is lost; killed anywhere it is taken up."""

from __future__ import annotations

import contextlib
import random

import pytest

from ledgers import NOON, Traced, land, objects_of, request, store_of, traced
from mic.core.epoch import PackRef
from mic.core.errors import Corrupt, Erased, InvalidInput, MicError, NotFound
from mic.core.ids import content_hash
from mic.core.tombstone import Reason, Tombstone, decode_tombstone, encode_tombstone
from mic.ledger.effects import Delete, Effect, Put, PutIf, PutNew
from mic.ledger.frame import Frame
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.ledger.verify import Verifier
from mic.sim.limits import small_limits
from mic.store import MemoryStore

SECRET = b"key = 5f1c0e9a77b24d6e8f3a1b2c3d4e5f60\n"


def _noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def _text(seed: int, lines: int = 120) -> bytes:
    dice = random.Random(seed)
    return b"".join(b"%032x\n" % dice.getrandbits(128) for _ in range(lines))


def _upload(project: Project, *texts: bytes) -> list[PackRef]:
    upload = project.upload()
    for text in texts:
        for at in range(0, len(text), 1 << 20):
            piece = text[at : at + (1 << 20)]
            project.run(upload.receive(Frame(content_hash(text), len(text), at, len(piece), False, piece)))
    return list(project.run(upload.finish()))


def _green(store: MemoryStore, name: str = "p") -> None:
    ledger = Ledger(store)
    assert [f for f in Verifier(name, ledger.driver.run).findings() if f.kind != "unreachable"] == []


def _everywhere(store: MemoryStore, plain: bytes) -> list[str]:
    """The objects that hold a content, as it is or in one of the forms that can be opened without another."""
    import zstandard

    found = []
    for key, raw in objects_of(store).items():
        at, here = 0, plain in raw
        while not here and (at := raw.find(b"\x28\xb5\x2f\xfd", at)) >= 0:
            with contextlib.suppress(zstandard.ZstdError):
                here = plain in zstandard.ZstdDecompressor().decompress(
                    raw[at:], max_output_size=8 << 20, allow_extra_data=True
                )
            at += 1
        if here:
            found.append(key)
    return found


@pytest.fixture
def made() -> tuple[Project, Traced, MemoryStore]:
    store = MemoryStore()
    project, driver = traced(store)
    project.create()
    land(project, 1, 0, {b"a": b"one\n", b"key": SECRET})
    land(project, 2, 1, {b"b": b"two\n"})
    return project, driver, store


def test_what_a_tombstone_says() -> None:
    stone = Tombstone(bytes(32), 7, Reason.TAKEDOWN, NOON, "ada")
    assert stone.text == (
        "This content was erased (a takedown) by ada on 2026-11-01 00:00 UTC.\n"
        f"It had 7 bytes and the SHA-256 {'00' * 32}.\n"
    )
    assert decode_tombstone(encode_tombstone(stone), "k") == stone
    for at in range(len(encode_tombstone(stone))):
        with pytest.raises(Corrupt):
            decode_tombstone(encode_tombstone(stone)[:at], "k")


def test_the_bytes_go_and_the_log_stays(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, _, store = made
    assert _everywhere(store, SECRET) != []
    before = project.records(1, 2)
    done = project.erase(content_hash(SECRET), Reason.SECRET, "ada")
    assert (done.already, done.projects, len(done.keys)) == (False, ("p",), 1)
    assert _everywhere(store, SECRET) == []
    for reader in (project, Ledger(store).open("p")):
        assert reader.records(1, 2) == before
        for read in (reader.blob, lambda h, r=reader: list(r.pieces(h)), lambda h, r=reader: list(r.frames([h]))):
            with pytest.raises(Erased, match="was erased") as met:
                read(content_hash(SECRET))
            assert "by ada on 2026-11-01" in met.value.details["text"]
        assert not reader.has_blob(content_hash(SECRET))
        assert reader.blob(content_hash(b"one\n")) == b"one\n"
    newest = project.landing(3)
    assert newest.session.goal == "Erase a content: a leaked secret"
    assert newest.session.metadata["erased"]["content"] == content_hash(SECRET)
    assert newest.record.changes == ()
    _green(store)


def test_who_knew_where_its_bytes_lay_is_told_too(made: tuple[Project, Traced, MemoryStore]) -> None:
    """Another front end looked for the contents of a clone before one of them was erased: it looks once more."""
    project, _, store = made
    wanted = [content_hash(SECRET), content_hash(b"one\n")]
    other = Ledger(store).open("p")
    other.head()
    places = other.content_places([*wanted, bytes(32)])
    assert set(places) == set(wanted)
    assert [frame.size for frame in other.frames(wanted[1:], places=places)] == [4]
    project.erase(wanted[0], Reason.SECRET, "ada")
    with pytest.raises(Erased, match="was erased"):
        list(other.frames(wanted[:1], places=places))
    assert other.content_places(wanted).keys() == {wanted[1]}


def test_again_does_nothing_and_says_so(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, driver, store = made
    project.erase(content_hash(SECRET), Reason.SECRET, "ada")
    held, driver.now = objects_of(store), NOON + 5000
    done = project.erase(content_hash(SECRET), Reason.TAKEDOWN, "bob")
    assert (done.already, done.tombstone.by, done.tombstone.at) == (True, "ada", NOON)
    assert objects_of(store) == held
    with pytest.raises(NotFound, match="has no content"):
        project.erase(content_hash(b"never\n"), Reason.SECRET, "ada")
    assert objects_of(store) == held


def test_a_base_that_is_misread_loses_nothing() -> None:
    """The head of a delta names what it leans on, and no checksum covers it: two readings have to be the same."""
    store = MemoryStore()
    project, driver = traced(store)
    project.create()
    base = _text(1)
    land(project, 1, 0, {b"f": base + b"old\n"})
    land(project, 2, 1, {b"f": base + b"new\n"})
    old, new = content_hash(base + b"old\n"), content_hash(base + b"new\n")
    real, wrong = driver._one, [1]

    def one(effect: Effect) -> object:
        answer = real(effect)
        if isinstance(answer, bytes) and answer[:4] == b"MICD" and old in answer[:64] and wrong[0]:
            wrong[0] -= 1
            return answer.replace(old, bytes(32))
        return answer

    driver._one = one  # type: ignore[method-assign]
    with pytest.raises(MicError):
        project.erase(old, Reason.SECRET, "ada")
    assert wrong == [0]
    assert Ledger(store).open("p").blob(new) == base + b"new\n"
    project.erase(old, Reason.SECRET, "ada")
    assert Ledger(store).open("p").blob(new) == base + b"new\n"
    _green(store)


def test_what_was_erased_does_not_come_back(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, _, store = made
    late = _upload(project, b"innocent\n", SECRET)
    project.erase(content_hash(SECRET), Reason.SECRET, "ada")
    assert _everywhere(store, SECRET) == []
    with pytest.raises(Erased):
        land(project, 5, 3, {b"again": SECRET})
    with pytest.raises(Erased):
        _upload(project, SECRET)
    with pytest.raises(Erased):
        project.land(request(project, 6, 3, {b"x": b"innocent\n"}, send=False)._replace(packs=late))
    with pytest.raises(Erased):
        project.land(request(project, 7, 3, {b"moved": SECRET}, send=False))
    assert land(project, 8, 3, {b"key": None}).position == 4
    _green(store)


def test_what_leaned_on_it_is_written_anew() -> None:
    """A delta over the erased version, and groups that compaction has made with it."""
    store = MemoryStore()
    with small_limits():
        project, _ = traced(store)
        project.create()
        texts = [_text(1) + b"edit %d\n" % number for number in range(14)]
        texts[5] = texts[5] + SECRET
        for number, text in enumerate(texts):
            land(project, number + 1, number, {b"f": text})
        project.seal()
        while project.compact():
            pass
        held = {item.place.kind for item in project.run(_entries(project))}
        assert {4, 5} <= held  # deltas and groups
        found = project.look_to_erase(content_hash(texts[5]))
        assert [(named.position, named.path) for named in found.named] == [(6, b"f")]
        assert found.copies >= 2
        assert found.moved >= 1
        old = Ledger(store).open("p")
        old.head()
        project.erase(content_hash(texts[5]), Reason.SECRET, "ada")
        for reader in (project, old, Ledger(store).open("p")):
            for number, text in enumerate(texts):
                if number != 5:
                    assert reader.blob(content_hash(text)) == text
            with pytest.raises(Erased):
                reader.blob(content_hash(texts[5]))
        _green(store)
        for number in range(15, 40):
            land(project, number, number, {b"f": _text(1) + b"more %d\n" % number})
        project.seal()
        while project.compact():
            pass
        _green(store)
        last = Ledger(store).open("p")
        for text in (text for number, text in enumerate(texts) if number != 5):
            assert last.blob(content_hash(text)) == text
        assert project.collect().left == []


def _entries(project: Project):  # type: ignore[no-untyped-def]
    from mic.ledger.erase import _open
    from mic.ledger.survey import entries

    return (yield from entries((yield from _open(project.line.project))))


def test_chunks_that_others_consist_of_stay() -> None:
    store = MemoryStore()
    project, _ = traced(store)
    project.create()
    common, mine, other = _noise(1, 3 << 20), _noise(2, 2 << 20), _noise(3, 2 << 20)
    packs = _upload(project, common + mine, common + other)
    wanted = request(project, 1, 0, {b"x": common + mine, b"y": common + other}, send=False)
    project.land(wanted._replace(packs=packs))
    done = project.erase(content_hash(common + mine), Reason.TAKEDOWN, "ada")
    assert done.shared > 10
    assert project.blob(content_hash(common + other)) == common + other
    with pytest.raises(Erased):
        list(project.pieces(content_hash(common + mine)))
    assert _everywhere(store, mine[:8000]) == []
    _green(store)
    # A part is not forbidden: another content may bring it again.
    third = mine + other
    packs = _upload(project, third)
    project.land(request(project, 3, 2, {b"z": third}, send=False)._replace(packs=packs))
    assert Ledger(store).open("p").blob(content_hash(third)) == third
    _green(store)


def test_a_part_of_a_larger_content_is_not_erased_alone() -> None:
    store = MemoryStore()
    project, _ = traced(store)
    project.create()
    large = _noise(1, 5 << 20)
    packs = _upload(project, large)
    project.land(request(project, 1, 0, {b"large": large}, send=False)._replace(packs=packs))
    first = project.chunk_list(content_hash(large)).entries[0]  # type: ignore[union-attr]
    chunk = large[: first.length]
    land(project, 2, 1, {b"small": chunk})
    with pytest.raises(InvalidInput, match="is a part of 1 larger") as met:
        project.erase(content_hash(chunk), Reason.SECRET, "ada")
    assert met.value.details["contents"] == [content_hash(large).hex()]
    project.erase(content_hash(large), Reason.SECRET, "ada")
    assert project.blob(content_hash(chunk)) == chunk  # it is a file of its own
    project.erase(content_hash(chunk), Reason.SECRET, "ada")
    _green(store)


def test_forks_that_read_it_are_named_and_taken_along(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, _, store = made
    ledger = Ledger(store)
    ledger.fork("p", "q")
    ledger.fork("q", "r")
    land(ledger.open("q"), 20, 2, {b"mine": b"of the fork\n"})
    reader = Ledger(store).open("r")
    reader.head()
    with pytest.raises(InvalidInput, match="2 forks") as met:
        project.erase(content_hash(SECRET), Reason.SECRET, "ada")
    assert sorted(met.value.details["forks"]) == ["q", "r"]
    with pytest.raises(InvalidInput, match="forked from"):
        ledger.open("q").erase(content_hash(SECRET), Reason.SECRET, "ada")
    assert not any("/erased/" in key for key in objects_of(store))
    done = project.erase(content_hash(SECRET), Reason.SECRET, "ada", with_forks=True)
    assert sorted(done.projects) == ["p", "q", "r"]
    assert _everywhere(store, SECRET) == []
    for name in ("p", "q", "r"):
        for each in (Ledger(store).open(name), reader):
            with pytest.raises(Erased):
                each.blob(content_hash(SECRET))
        fresh = Ledger(store).open(name)
        back = request(fresh, 30, fresh.head().position, {b"back": SECRET})
        with pytest.raises(Erased):
            fresh.land(back)
        _green(store, name)


def test_a_fork_with_a_copy_of_its_own_is_erased_by_itself(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, _, store = made
    ledger = Ledger(store)
    ledger.fork("p", "q")
    ledger.condemn("p")
    ledger.release_forks("p")
    ledger.pardon("p")
    project.erase(content_hash(SECRET), Reason.SECRET, "ada")
    assert Ledger(store).open("q").blob(content_hash(SECRET)) == SECRET
    assert Ledger(store).open("q").erase(content_hash(SECRET), Reason.SECRET, "ada").projects == ("q",)
    assert _everywhere(store, SECRET) == []
    _green(store, "q")


def test_a_fork_that_lands_the_same_by_itself_has_it(made: tuple[Project, Traced, MemoryStore]) -> None:
    """It was forked before the content came, so it was not asked; what it landed since is its own."""
    project, _, store = made
    Ledger(store).fork("p", "q")
    late = b"came later\n"
    land(project, 40, 2, {b"late": late})
    fork = Ledger(store).open("q")
    fork.head()
    assert project.erase(content_hash(late), Reason.SECRET, "ada").projects == ("p",)
    land(fork, 41, 2, {b"mine": late})
    for each in (fork, Ledger(store).open("q")):
        assert each.blob(content_hash(late)) == late
        assert each.tombstones([content_hash(late)]) == {}
        land(each, 42, 3, {b"again": late})
    _green(store, "q")
    with pytest.raises(Erased):
        Ledger(store).open("p").blob(content_hash(late))
    assert Ledger(store).open("q").erase(content_hash(late), Reason.SECRET, "ada").projects == ("q",)
    assert _everywhere(store, late) == []
    _green(store, "q")


def test_a_fork_made_behind_it_knows_it_and_takes_it_along(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, _, store = made
    project.erase(content_hash(SECRET), Reason.SECRET, "ada")
    ledger = Ledger(store)
    ledger.fork("p", "q")
    with pytest.raises(Erased):
        land(ledger.open("q"), 30, 3, {b"back": SECRET})
    _green(store, "q")
    ledger.condemn("p")
    ledger.release_forks("p")
    ledger.erase("p")
    fork = Ledger(store).open("q")
    with pytest.raises(Erased):
        fork.blob(content_hash(SECRET))
    assert fork.blob(content_hash(b"one\n")) == b"one\n"
    with pytest.raises(Erased):
        land(fork, 30, 3, {b"back": SECRET})
    _green(store, "q")


class _Killed(BaseException):
    pass


def _writes(effect: Effect) -> bool:
    return isinstance(effect, Put | PutNew | PutIf | Delete)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_write_it_is_taken_up(when: str) -> None:
    """With a landing of an older front end between the kill and the resumption."""
    with small_limits():
        begun = MemoryStore()
        project, _ = traced(begun)
        project.create()
        texts = [_text(1) + b"edit %d\n" % number for number in range(14)]
        for number, text in enumerate(texts):
            land(project, number + 1, number, {b"f": text})
        project.seal()
        while project.compact():
            pass
        Ledger(begun).fork("p", "q")
        wanted, killed = content_hash(texts[4]), 0
        for at in range(100):
            store = store_of(objects_of(begun))
            other = Ledger(store).open("p")
            other.head()
            land(other, 100, 14, {b"f": texts[4]}) if at % 2 else None
            project, driver = traced(store)
            seen = 0

            def kill(effect: Effect, at: int = at) -> None:
                nonlocal seen
                if _writes(effect):
                    seen += 1
                    if seen == at + 1:
                        raise _Killed

            setattr(driver, when, kill)
            try:
                project.erase(wanted, Reason.SECRET, "ada", with_forks=True)
            except _Killed:
                killed += 1
            else:
                break
            head = other.head().position
            with contextlib.suppress(Erased):
                land(other, 101, head, {b"f": texts[4] + b"late\n"})
            setattr(driver, when, lambda effect: None)
            again, _ = traced(store)
            again.erase(wanted, Reason.SECRET, "bob", with_forks=True)
            for name in ("p", "q"):
                reader = Ledger(store).open(name)
                with pytest.raises(Erased):
                    reader.blob(wanted)
                for number, text in enumerate(texts):
                    if number != 4:
                        assert reader.blob(content_hash(text)) == text
                _green(store, name)
            assert Ledger(store).open("p").blob(content_hash(texts[4] + b"late\n")) == texts[4] + b"late\n"
        assert killed > 8


def test_a_landing_that_is_under_way_loses_and_learns(made: tuple[Project, Traced, MemoryStore]) -> None:
    """It leans on the erased version, and its epoch is written when the erasure comes."""
    store = MemoryStore()
    slow, driver = traced(store)
    slow.create()
    base = _text(1) + SECRET
    land(slow, 1, 0, {b"f": base})

    def erase_now(effect: Effect) -> None:
        if isinstance(effect, PutNew) and "/tail/" in effect.key:
            driver.after = lambda effect: None
            Ledger(store).open("p").erase(content_hash(base), Reason.SECRET, "ada")

    driver.after = erase_now
    landed = land(slow, 2, 1, {b"f": base + b"living\n"})
    assert landed.position == 3
    assert Ledger(store).open("p").blob(content_hash(base + b"living\n")) == base + b"living\n"
    slow.collect()
    _green(store)


def test_damage_elsewhere_stops_it(made: tuple[Project, Traced, MemoryStore]) -> None:
    _project, _, store = made
    key = next(key for key in objects_of(store) if "/tail/" in key)
    store.put(key, objects_of(store)[key][:150])
    with pytest.raises(MicError) as met:
        Ledger(store).open("p").erase(content_hash(SECRET), Reason.SECRET, "ada")
    assert not isinstance(met.value, NotFound)


def test_a_late_copy_is_swept(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, _, store = made
    other = Ledger(store).open("p")
    upload = other.upload()
    project.erase(content_hash(SECRET), Reason.SECRET, "ada")
    # A front end that has not looked at the head since: it takes the upload, and nobody can land it.
    upload.line.objects.erased, upload.line.graves = {}, frozenset()
    other.run(upload.receive(Frame(content_hash(SECRET), len(SECRET), 0, len(SECRET), False, SECRET)))
    other.run(upload.finish())
    assert _everywhere(store, SECRET) != []
    assert len(project.sweep()) == 1
    assert _everywhere(store, SECRET) == []
    assert project.sweep() == []
    _green(store)


def test_two_large_contents_at_once_lose_all_their_chunks() -> None:
    """One erasure is stopped behind its landing; the other leaves the first one's list to it."""
    store = MemoryStore()
    project, _ = traced(store)
    project.create()
    one, two = _noise(1, 5 << 20), _noise(2, 5 << 20)
    packs = _upload(project, one, two)
    project.land(request(project, 1, 0, {b"x": one, b"y": two}, send=False)._replace(packs=packs))
    stopped, driver = traced(store)

    def stop(effect: Effect) -> None:
        if isinstance(effect, PutIf):
            raise _Killed

    driver.after = stop
    with pytest.raises(_Killed):
        stopped.erase(content_hash(one), Reason.SECRET, "ada")
    project.erase(content_hash(two), Reason.SECRET, "ada")
    project.erase(content_hash(one), Reason.SECRET, "ada")
    assert _everywhere(store, one[:8000]) == _everywhere(store, two[:8000]) == []
    _green(store)
