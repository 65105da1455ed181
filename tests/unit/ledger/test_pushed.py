"""Work that was pushed and has not landed: one object a session, safe from collection until it lands or is given up."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ledgers import NOON, Traced, contents, land, objects_of, request, traced
from mic.core.epoch import PackRef
from mic.core.errors import Corrupt, Expired, TooLarge
from mic.core.ids import content_hash
from mic.core.leavings import Stage
from mic.ledger.collect import DAY, GRACE, KEEP
from mic.ledger.effects import Delete, Effect
from mic.ledger.frame import Frame
from mic.ledger.project import Project
from mic.ledger.pushed import MAX_PACKS
from mic.ledger.repair import repair
from mic.ledger.verify import Verifier
from mic.store import DirectoryStore, MemoryStore, ObjectStore


def upload(project: Project, *texts: bytes) -> list[PackRef]:
    """The receipts of contents that went ahead."""
    receiver = project.upload()
    for text in texts:
        project.run(receiver.receive(Frame(content_hash(text), len(text), 0, len(text), False, text)))
    return list(project.run(receiver.finish()))


def pushes(store: ObjectStore) -> list[str]:
    """The names of the pushes of the project."""
    return sorted(name for name in objects_of(store) if name.startswith("projects/p/pushed/"))


@pytest.fixture(params=["memory", "directory"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Project, Traced, ObjectStore]:
    """In the store of the forge's default too, which lists folders and no beginnings of names."""
    store = MemoryStore() if request.param == "memory" else DirectoryStore(str(tmp_path))
    project, driver = traced(store)
    project.create()
    land(project, 1, 0, {b"a": b"one\n"})
    return project, driver, store


def test_a_push_is_read_back_and_the_next_takes_its_place(made: tuple[Project, Traced, ObjectStore]) -> None:
    project, driver, store = made
    first, second = (request(project, 2, 1, {b"b": text}, send=False).session for text in (b"half\n", b"whole\n"))
    assert project.push_of(first.id) is None
    packs = upload(project, b"half\n")
    project.keep_push(first, packs)
    driver.now = NOON - DAY  # the clock goes back
    more = upload(project, b"whole\n")
    project.keep_push(second, more)
    (name,) = pushes(store)
    assert name.startswith(f"projects/p/pushed/{first.id.hex()}/")
    push = project.push_of(first.id)
    assert push is not None
    assert (push.session, push.packs) == (second, tuple(more))
    frames = list(project.frames([content_hash(b"whole\n"), content_hash(b"one\n")], push))
    assert sorted(frame.hash for frame in frames) == sorted([content_hash(b"whole\n"), content_hash(b"one\n")])
    project.drop_pushes(first.id)
    assert pushes(store) == []
    assert project.push_of(first.id) is None


def test_collection_spares_pushed_packs_for_as_long_as_they_are(made: tuple[Project, Traced, ObjectStore]) -> None:
    project, driver, store = made
    session = request(project, 2, 1, {b"b": b"two\n"}, send=False).session
    packs = upload(project, b"two\n")
    key = f"packs/{packs[0].hash.hex()}.pack"
    project.keep_push(session, packs)
    for days in (0, 30, 60):
        driver.now = NOON + days * DAY
        assert list(project.collect().left) == []
    wanted = request(project, 2, 1, {b"b": b"two\n"}, send=False)
    assert project.land(wanted._replace(packs=packs)).position == 2
    # The log names the pack now, and the push has nothing more to say.
    assert list(project.collect().left) == []
    assert pushes(store) == []
    driver.now += KEEP + GRACE
    project.collect()
    assert f"projects/p/{key}" in objects_of(store)
    assert contents(project) == {b"a": (0o100644, b"one\n"), b"b": (0o100644, b"two\n")}


def test_what_a_newer_push_leaves_out_goes_in_stages(made: tuple[Project, Traced, ObjectStore]) -> None:
    project, _, _ = made
    session = request(project, 2, 1, {b"b": b"two\n"}, send=False).session
    old, new = upload(project, b"old\n"), upload(project, b"two\n")
    project.keep_push(session, old)
    project.keep_push(session, new)
    (move,) = project.collect().left
    assert (move.name, move.stage) == (f"packs/{old[0].hash.hex()}.pack", Stage.SEEN)


def test_what_is_condemned_is_not_pushed(made: tuple[Project, Traced, ObjectStore]) -> None:
    project, driver, store = made
    session = request(project, 2, 1, {b"b": b"two\n"}, send=False).session
    packs = upload(project, b"two\n")
    project.collect()
    driver.now = NOON + KEEP
    project.collect()
    with pytest.raises(Expired):
        project.keep_push(session, packs)
    assert pushes(store) == []


def test_stopped_between_the_new_one_and_the_old_one(made: tuple[Project, Traced, ObjectStore]) -> None:
    """Both are there, and the newer one counts; the next push takes both away."""
    project, driver, store = made
    first, second = (request(project, 2, 1, {b"b": text}, send=False).session for text in (b"1\n", b"2\n"))
    project.keep_push(first, upload(project, b"1\n"))

    def stop(effect: Effect) -> None:
        if isinstance(effect, Delete):
            raise KeyboardInterrupt

    driver.before = stop
    with pytest.raises(KeyboardInterrupt):
        project.keep_push(second, upload(project, b"2\n"))
    driver.before = lambda effect: None
    assert len(pushes(store)) == 2
    push = project.push_of(first.id)
    assert push is not None
    assert push.session == second
    project.keep_push(msgspec.structs.replace(second, goal="Third"), [])
    assert len(pushes(store)) == 1


def test_a_damaged_push_is_named_and_stops_collection(made: tuple[Project, Traced, ObjectStore]) -> None:
    project, _, store = made
    session = request(project, 2, 1, {b"b": b"two\n"}, send=False).session
    project.keep_push(session, upload(project, b"two\n"))
    (name,) = pushes(store)
    raw = store.get(name).data
    store.put(name, raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:])
    with pytest.raises(Corrupt, match=r"pushed/[0-9a-f]+/"):
        project.push_of(session.id)
    with pytest.raises(Corrupt):
        project.collect()
    found = list(Verifier("p", project.run).findings())
    # What it named, nobody knows.
    assert [(finding.kind, finding.object) for finding in found if finding.kind != "unreachable"] == [("damaged", name)]
    said = project.run(repair("p", found))
    assert said == [f"{name} was set aside"]
    assert pushes(store) == []
    assert len(list(project.collect().left)) == 1


def test_verify_knows_what_a_push_names(made: tuple[Project, Traced, ObjectStore]) -> None:
    project, _, _ = made
    session = request(project, 2, 1, {b"b": b"two\n"}, send=False).session
    project.keep_push(session, upload(project, b"two\n"))
    assert list(Verifier("p", project.run).findings()) == []


def test_too_many_packs(made: tuple[Project, Traced, ObjectStore]) -> None:
    project, _, _ = made
    session = request(project, 2, 1, {b"b": b"two\n"}, send=False).session
    with pytest.raises(TooLarge, match="the limits are 33554432 and 1000"):
        project.keep_push(session, [PackRef(bytes(32), 100)] * (MAX_PACKS + 1))
