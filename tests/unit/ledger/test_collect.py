"""Collection: what nothing names goes in stages, and nothing else does, whatever happens in between."""

from __future__ import annotations

import pytest

from ledgers import NOON, Traced, check_history, contents, import_sealed, land, objects_of, request, store_of, traced
from mic.core.epoch import PackRef
from mic.core.errors import Busy, Corrupt, Expired, Unavailable
from mic.core.ids import content_hash
from mic.core.leavings import Stage
from mic.core.session import Author
from mic.ledger import intents
from mic.ledger.collect import DAY, FREE, GRACE, KEEP
from mic.ledger.effects import Delete, Effect, PutNew
from mic.ledger.frame import Frame
from mic.ledger.history import HistoryCommit, HistoryImport
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.ledger.repair import repair
from mic.ledger.verify import Verifier
from mic.sim.limits import small_limits
from mic.store import MemoryStore
from mic.store.ram import RamCache
from mic.store.tiers import TieredStore


def _upload(project: Project, *texts: bytes) -> list[PackRef]:
    upload = project.upload()
    for text in texts:
        project.run(upload.receive(Frame(content_hash(text), len(text), 0, len(text), False, text)))
    return list(project.run(upload.finish()))


def _land_packed(project: Project, number: int, base: int, path: bytes, text: bytes, packs: list[PackRef]) -> int:
    wanted = request(project, number, base, {path: text}, send=False)
    return project.land(wanted._replace(packs=packs)).position


def _stages(project: Project) -> dict[str, Stage]:
    return {move.name: move.stage for move in project.collect().left}


@pytest.fixture
def made() -> tuple[Project, Traced, MemoryStore]:
    store = MemoryStore()
    project, driver = traced(store)
    project.create()
    land(project, 1, 0, {b"a": b"one\n"})
    return project, driver, store


def test_an_upload_that_nobody_lands_goes_in_stages(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, driver, store = made
    (pack,) = _upload(project, b"left behind\n")
    key = f"packs/{pack.hash.hex()}.pack"
    for passed, stage in (
        (0, Stage.SEEN),
        (KEEP - 1, Stage.SEEN),
        (KEEP, Stage.CONDEMNED),
        (KEEP + GRACE - 1, Stage.CONDEMNED),
    ):
        driver.now = NOON + passed
        assert _stages(project) == {key: stage}
        assert f"projects/p/{key}" in objects_of(store)
    driver.now = NOON + KEEP + GRACE
    assert _stages(project) == {key: Stage.GONE}
    assert f"projects/p/{key}" not in objects_of(store)
    assert list(project.collect().left) == []
    driver.now += FREE - 1
    project.collect()
    assert [name for name in objects_of(store) if "/gc/" in name] == ["projects/p/gc/0000000000000003"]
    driver.now += 1
    project.collect()
    assert _upload(project, b"left behind\n") == [pack]
    assert contents(project) == {b"a": (0o100644, b"one\n")}


def test_what_is_condemned_is_not_landed_and_is_uploaded_anew(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, driver, _ = made
    packs = _upload(project, b"late\n")
    project.collect()
    driver.now += KEEP
    project.collect()
    with pytest.raises(Expired, match="waited too long") as refused:
        _land_packed(project, 2, 1, b"b", b"late\n", packs)
    assert refused.value.code == "upload_expired"
    again = _upload(project, b"late\n")
    assert again != packs
    assert _land_packed(project, 2, 1, b"b", b"late\n", again) == 2
    for _ in range(3):
        driver.now += KEEP
        project.collect()
    with pytest.raises(Expired):
        _land_packed(project, 3, 2, b"c", b"late, too\n", packs)
    assert contents(project) == {b"a": (0o100644, b"one\n"), b"b": (0o100644, b"late\n")}
    check_history(project)


def test_what_was_landed_meanwhile_stays(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, driver, store = made
    packs = _upload(project, b"in time\n")
    assert list(_stages(project).values()) == [Stage.SEEN]
    assert _land_packed(project, 2, 1, b"b", b"in time\n", packs) == 2
    for _ in range(3):
        driver.now += KEEP
        assert _stages(project) == {}
    assert contents(project)[b"b"] == (0o100644, b"in time\n")
    assert f"projects/p/packs/{packs[0].hash.hex()}.pack" in objects_of(store)


def test_a_pack_of_which_everything_lies_elsewhere_stays() -> None:
    """No index run names it; its epoch does, and a check would miss it."""
    store = MemoryStore()
    project, driver = traced(store)
    with small_limits():  # six landings are sealed
        project.create()
        first = _upload(project, b"twice\n")
        _land_packed(project, 1, 0, b"x", b"twice\n", first)
        second = _upload(project, b"twice\n", b"once\n")
        _land_packed(project, 2, 1, b"y", b"once\n", second)
        for number in range(3, 8):
            land(project, number, number - 1, {b"z": b"%d\n" % number})
        assert project.seal() == 6
        keys = {f"projects/p/packs/{pack.hash.hex()}.pack" for pack in first + second}
        (run,) = project.line.objects.runs
        assert len(keys & {run.key(container) for container in range(run.containers)}) == 1
        for _ in range(4):
            driver.now += KEEP
            assert _stages(project) == {}
    assert keys <= objects_of(store).keys()


def test_a_round_goes_by_what_others_have_landed_since_it_was_known() -> None:
    """Landings, index runs and packs of another front end, none of which this one has looked at before."""
    store = MemoryStore()
    with small_limits():  # six landings are sealed
        project, driver = traced(store)
        project.create()
        left = _upload(project, b"left behind\n")
        land(project, 1, 0, {b"z": b"1\n"})
        other, _ = traced(store)
        packs = _upload(other, b"theirs\n")
        _land_packed(other, 2, 1, b"x", b"theirs\n", packs)
        for number in range(3, 15):
            land(other, number, number - 1, {b"z": b"%d\n" % number})
        assert other.seal() == 12
        for _ in range(2):
            assert list(_stages(project)) == [f"packs/{left[0].hash.hex()}.pack"]
            driver.now += KEEP
        assert _stages(project) == {f"packs/{left[0].hash.hex()}.pack": Stage.GONE}
        assert project.line.head is not None
        assert project.line.head.position == 14
        assert contents(project)[b"x"] == (0o100644, b"theirs\n")
        check_history(project)


def test_an_epoch_that_lost_its_race_goes(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, _driver, store = made
    other = store_of(objects_of(store))
    land(Ledger(other).open("p"), 7, 1, {b"b": b"lost\n"})
    lost = {key: raw for key, raw in objects_of(other).items() if key not in objects_of(store)}
    (key,) = [key for key in lost if "/tail/" in key]
    store.put(key, lost[key])
    name = key.removeprefix("projects/p/")
    assert _stages(project) == {}  # the log has not come so far: somebody may be about to land it
    land(project, 2, 1, {b"b": b"won\n"})
    assert project.collect(dry=True).left[0][:3] == (name, len(lost[key]), Stage.GONE)
    found = project.collect()
    assert (found.removed, found.freed) == (1, len(lost[key]))
    assert key not in objects_of(store)
    assert _stages(project) == {}
    check_history(Ledger(store).open("p"))


def test_far_below_the_head_nobody_looks_for_epochs_each_day(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, _, store = made
    other = store_of(objects_of(store))
    land(Ledger(other).open("p"), 7, 1, {b"b": b"lost\n"})
    (key,) = [key for key in objects_of(other) if key not in objects_of(store) and "/tail/" in key]
    store.put(key, other.get(key).data)
    for number in range(2, 9):
        land(project, number, number - 1, {b"b": b"%d\n" % number})
    assert project.collect(newest=5).removed == 0
    assert project.collect(newest=7).removed == 1


def test_what_a_promised_landing_names_stays(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, driver, store = made
    packs = _upload(project, b"promised\n")
    wanted = request(project, 2, 1, {b"b": b"promised\n"}, send=False)._replace(packs=packs)
    project.run(intents.accept(project.line, wanted, claimed=False))
    for _ in range(4):
        driver.now += KEEP
        assert _stages(project) == {}
    assert f"projects/p/packs/{packs[0].hash.hex()}.pack" in objects_of(store)


def test_a_dry_round_writes_and_removes_nothing(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, driver, store = made
    _upload(project, b"left\n")
    for passed in (0, KEEP, GRACE):
        driver.now += passed
        before = objects_of(store)
        found = project.collect(dry=True)
        assert (found.removed, found.freed, len(found.left)) == (0, 0, 1)
        assert objects_of(store) == before
        project.collect()


def test_of_a_damaged_log_nothing_goes() -> None:
    store = MemoryStore()
    project, driver = traced(store)
    import_sealed(project, 1100, lambda number: b"%d\n" % number)
    _upload(project, b"left\n")
    for passed in (0, KEEP):
        driver.now += passed
        project.collect()
    driver.now += GRACE
    whole = objects_of(store)
    for key in whole:
        if key.endswith(".run") or "/tail/" in key or key.endswith("/head"):
            # Of an epoch only the beginning matters here.
            spoilt = store_of({**whole, key: whole[key][:60] if "/tail/" in key else whole[key][:-1]})
            other, clock = traced(spoilt)
            clock.now = driver.now
            with pytest.raises(Corrupt):
                other.collect()
            assert objects_of(spoilt).keys() == whole.keys()


@pytest.mark.parametrize("at", range(12))
def test_a_round_that_is_killed_is_done_again(at: int) -> None:
    """At each write, before it and behind it: another round comes to the same end."""
    store = MemoryStore()
    project, driver = traced(store)
    project.create()
    land(project, 1, 0, {b"a": b"one\n"})
    for number in range(3):
        _upload(project, b"left %d\n" % number)
    count = [0]

    def disturb(effect: Effect) -> None:
        if isinstance(effect, PutNew | Delete):
            count[0] += 1
            if count[0] == at // 2 + 1:
                raise Unavailable("killed")

    setattr(driver, "before" if at % 2 else "after", disturb)
    for _ in range(12):
        try:
            project.collect()
        except Unavailable:
            continue
        driver.now += KEEP + DAY
    assert [name for name in objects_of(store) if name.endswith(".pack")] == []
    assert contents(Ledger(store).open("p")) == {b"a": (0o100644, b"one\n")}


def test_what_a_fork_reads_through_stays(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, driver, store = made
    packs = _upload(project, b"shared\n")
    _land_packed(project, 2, 1, b"b", b"shared\n", packs)
    ledger = Ledger(store)
    ledger.fork("p", "q")
    own = ledger.open("q")
    land(own, 9, 2, {b"c": b"own\n"})
    fork, clock = traced(store, "q")
    for _ in range(4):
        driver.now += KEEP
        clock.now = driver.now
        assert _stages(project) == {}
        assert _stages(fork) == {}
    assert contents(Ledger(store).open("q")) == {
        b"a": (0o100644, b"one\n"), b"b": (0o100644, b"shared\n"), b"c": (0o100644, b"own\n"),
    }  # fmt: skip


def test_a_compaction_writes_other_packs_than_one_that_was_killed() -> None:
    """What that one has left is on its way out: nothing that is needed lies in it."""
    store = MemoryStore()
    project, driver = traced(store)
    with small_limits():
        project.create()
        for number in range(1, 15):
            text = b"".join(b"line %d\n" % (number + at) for at in range(40))
            land(project, number, number - 1, {b"file": text})
        assert project.seal() == 12
        expected = contents(project, 3), contents(project, 11)

        def killed(effect: Effect) -> None:
            if isinstance(effect, PutNew) and effect.key.endswith(".run"):
                raise Unavailable("killed")

        driver.before = killed
        with pytest.raises(Unavailable):
            project.compact()
        driver.before = lambda effect: None
        left = {name for name in _stages(project) if name.startswith("packs/")}
        assert left
        assert project.compact()
        for passed in (KEEP, GRACE, GRACE):
            driver.now += passed
            project.collect()
        there = {key.removeprefix("projects/p/") for key in objects_of(store)}
        assert not left & there
        assert [name for name in there if name.endswith(".pack")]
        fresh = Ledger(store).open("p")
        assert (contents(fresh, 3), contents(fresh, 11)) == expected
        assert [finding.kind for finding in Verifier("p", fresh.run).findings()] == []


def test_what_is_made_anew_while_its_name_goes_has_another(made: tuple[Project, Traced, MemoryStore]) -> None:
    """Behind the removal nothing says any more that there was one, but what is written down."""
    project, driver, store = made
    packs = _upload(project, b"again\n")
    for passed in (0, KEEP, GRACE):
        driver.now += passed
        project.collect()
    again = _upload(project, b"again\n")
    assert again != packs
    assert _land_packed(project, 2, 1, b"b", b"again\n", again) == 2
    driver.now += GRACE
    project.collect()
    assert contents(Ledger(store).open("p"))[b"b"] == (0o100644, b"again\n")


def test_a_cache_that_remembers_a_pack_lands_nothing() -> None:
    """What was removed by another front end, long ago, is still in this one's memory."""
    bucket = MemoryStore()
    project, driver = traced(TieredStore(bucket, ram=RamCache(64 << 20)))
    other, clock = traced(TieredStore(bucket, ram=RamCache(64 << 20)))
    project.create()
    land(project, 1, 0, {b"a": b"one\n"})
    packs = _upload(project, b"late\n")
    for passed in (0, KEEP, GRACE, FREE):
        clock.now += passed
        other.collect()
    driver.now = clock.now
    with pytest.raises(Expired):
        _land_packed(project, 2, 1, b"b", b"late\n", packs)
    assert other.head().position == 1


def _fed(project: Project, clock: int | None = None) -> HistoryImport:
    """An import of three commits whose contents lie in packs, all but its end."""
    history, upload = project.import_history("test", bytes(16), clock=clock), project.upload()
    for number in range(1, 4):
        text = b"content %d\n" % number
        project.run(upload.receive(Frame(content_hash(text), len(text), 0, len(text), False, text)))
        project.run(upload.flush())
        history.add_pack(*upload.placed[-1])
        change = (b"f%d" % number, 0, 0o100644, content_hash(text), len(text))
        commit = HistoryCommit(number.to_bytes(20, "big"), b"", Author("A"), number, "m", [change])
        project.run(history.add_commit(commit))
        project.run(history._flush())
    return history


def _born() -> tuple[Project, Traced, MemoryStore]:
    store = MemoryStore()
    project, driver = traced(store)
    project.create()
    return project, driver, store


def test_an_import_that_takes_weeks_keeps_what_it_brought() -> None:
    project, _driver, store = _born()
    history = _fed(project)
    other, clock = traced(store)
    for _ in range(4):
        clock.now += KEEP
        assert _stages(other) == {}
    assert project.finish_import(history).position == 3
    assert [finding.kind for finding in Verifier("p", other.run).findings()] == []


def test_an_import_goes_on_after_a_round() -> None:
    """With the clock of the attempt before it makes the same epochs: their packs are nobody's leavings."""
    project, _, store = _born()
    clock = _fed(project, 0).clock
    assert _stages(project) == {}
    second = Ledger(store).open("p")
    assert second.finish_import(_fed(second, clock)).position == 3


def test_an_import_that_failed_is_done_again_while_its_packs_go() -> None:
    project, driver, _store = _born()
    project.run(_fed(project).forget())
    for passed in (0, KEEP, GRACE):
        driver.now += passed
        project.collect()
    history = _fed(project)
    driver.now += GRACE
    project.collect()
    assert project.finish_import(history).position == 3
    assert [finding.kind for finding in Verifier("p", project.run).findings()] == []


def test_copies_of_a_release_that_stopped_stay() -> None:
    """They lie in the fork before it is independent; nothing of its own log names them yet."""
    store = MemoryStore()
    origin, _ = traced(store, "o")
    origin.create()
    packs = _upload(origin, b"packed\n")
    _land_packed(origin, 1, 0, b"a", b"packed\n", packs)
    ledger = Ledger(store)
    ledger.fork("o", "f")
    ledger.condemn("o")
    key = f"projects/o/packs/{packs[0].hash.hex()}.pack"
    whole = store.get(key).data
    fork, clock = traced(store, "f")

    def stops(effect: Effect) -> None:
        if isinstance(effect, PutNew) and "/index/" in effect.key:
            raise Unavailable("killed")

    ledger.driver = stopping = Traced(store)
    stopping.before = stops
    with pytest.raises(Unavailable):
        ledger.release_forks("o")
    copied = [name for name in objects_of(store) if name.startswith("projects/f/") and "/tail/" in name]
    assert len(copied) == 1
    for _ in range(4):
        clock.now += KEEP
        assert _stages(fork) == {}
    stopping.before = lambda effect: None
    assert ledger.release_forks("o") == 1
    assert store.get(key).data == whole
    ledger.erase("o")
    assert contents(Ledger(store).open("f")) == {b"a": (0o100644, b"packed\n")}


def test_a_round_that_slept_loses(made: tuple[Project, Traced, MemoryStore]) -> None:
    """Its number is free again, and what it would remove was landed meanwhile."""
    project, driver, store = made
    _upload(project, b"x\n")
    for passed in (0, KEEP):
        driver.now += passed
        project.collect()
    slow, clock = traced(store)
    clock.now = driver.now + GRACE

    def sleeps(effect: Effect) -> None:
        if isinstance(effect, PutNew) and "/gc/" in effect.key:
            clock.before = lambda effect: None
            for passed in (GRACE, FREE, DAY):
                driver.now += passed
                project.collect()
            again = _upload(project, b"x\n")
            assert _land_packed(project, 2, 1, b"b", b"x\n", again) == 2

    clock.before = sleeps
    with pytest.raises(Busy):
        slow.collect()
    assert contents(Ledger(store).open("p"))[b"b"] == (0o100644, b"x\n")


def test_runs_that_a_repair_set_aside_are_read_by_who_has_them() -> None:
    store = MemoryStore()
    project, driver = traced(store)
    with small_limits():
        project.create()
        for number in range(1, 15):
            text = b"".join(b"line %d\n" % (number + at) for at in range(40))
            land(project, number, number - 1, {b"file": text})
        assert project.seal() == 12
        assert project.compact()
        reader = Ledger(store).open("p")
        expected = contents(reader, 3)
        reader = Ledger(store).open("p")
        reader.head()
        key = next(key for key in objects_of(store) if key.endswith(".log"))
        store.put(key, store.get(key).data[:-1])
        project.run(repair("p", list(Verifier("p", project.run).findings())))
        for _ in range(4):
            driver.now += KEEP
            assert _stages(Ledger(store).open("p")) == {}
        assert contents(reader, 3) == expected


def test_what_cannot_be_removed_is_named_and_the_rest_goes(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, driver, store = made
    for number in range(3):
        _upload(project, b"left %d\n" % number)
    stuck = min(key for key in objects_of(store) if key.endswith(".pack"))

    def keeps(effect: Effect) -> None:
        if isinstance(effect, Delete) and effect.key == stuck:
            raise Unavailable("retention")

    driver.before = keeps
    for passed in (0, KEEP, GRACE):
        driver.now += passed
        found = project.collect()
    assert (found.removed, list(found.stuck)) == (2, [stuck.removeprefix("projects/p/")])


@pytest.mark.parametrize(
    "name", ["packs/index/README", "packs/mine.pack", "landing-log/tail/0000000000000001-backup", "packs/x.pack.bak"]
)
def test_what_is_not_ours_stays(made: tuple[Project, Traced, MemoryStore], name: str) -> None:
    project, driver, store = made
    store.put(f"projects/p/{name}", b"somebody's")
    for _ in range(4):
        driver.now += KEEP
        assert project.collect().removed == 0
    assert store.get(f"projects/p/{name}").data == b"somebody's"


def test_damage_in_what_is_written_down_is_found_and_set_aside(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, _, store = made
    _upload(project, b"left\n")
    project.collect()
    packs = _upload(project, b"new\n")
    key = "projects/p/gc/0000000000000001"
    store.put(key, store.get(key).data[:-1])
    with pytest.raises(Corrupt):
        _land_packed(project, 2, 1, b"b", b"new\n", packs)
    findings = list(Verifier("p", project.run).findings())
    assert [finding.object for finding in findings if finding.kind == "damaged"] == [key]
    assert project.run(repair("p", findings)) == [f"{key} was set aside"]
    assert _land_packed(project, 2, 1, b"b", b"new\n", packs) == 2
