"""Landings that wait: the process dies anywhere, they are found again and land once; and what ends otherwise."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from joining import let_in
from ledgers import REGULAR, check_history, contents
from mic.core.blob import encode_blob
from mic.core.errors import Corrupt, MicError, QueueFull, TooLarge, Unavailable
from mic.core.ids import content_hash
from mic.core.session import Change, Op, Session, State
from mic.ledger import intents
from mic.ledger.intents import waiting
from mic.ledger.ledger import Ledger
from mic.ledger.project import Landed
from mic.store import MemoryStore
from mic.store.faults import Fault, FaultyStore
from micelio.accounts import actions as accounts
from micelio.accounts.actor import actor_of
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.organizations import actions as organizations
from micelio.projects import ledgers
from micelio.projects.actions import create_project
from micelio.projects.project_view import ProjectView
from micelio.sessions import lander
from micelio.sessions.actions import abandon_session, land
from micelio.sessions.later import land_later
from micelio.sessions.queries import get_session, list_open_sessions, standing
from micelio.sessions.refusal import Refusal

pytestmark = pytest.mark.django_db
World = SimpleNamespace


def forget_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a process that has just started: nothing in memory."""
    for name, empty in (("_due", deque), ("_resting", dict), ("_known", set), ("_failures", dict)):
        monkeypatch.setattr(lander, name, empty())


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """ada is admin, max a member; one empty project, and nobody who lands by itself."""
    forget_all(monkeypatch)
    store = MemoryStore()
    monkeypatch.setattr(ledgers, "_ledger", Ledger(store))
    ada = actor_of(accounts.create_user(OPERATOR, "ada"), "token")
    member = actor_of(accounts.create_user(OPERATOR, "max"), "token")
    organizations.create_organization(ada, "acme")
    let_in(ada, "acme", "max", "member")
    return World(store=store, ada=ada, max=member, project=create_project(ada, "acme", "api"))


def wish(number: int, path: bytes, data: bytes, base: int = 0, old: bytes | None = None) -> Session:
    op = Op.ADDED if old is None else Op.MODIFIED
    was = (b"", 0) if old is None else (content_hash(old), REGULAR)
    change = Change(path, int(op), REGULAR, content_hash(data), len(data), *was)
    return Session(number.to_bytes(16, "big"), f"Goal {number}", base_position=base, changes=(change,))


def sent(data: bytes) -> dict[bytes, bytes]:
    return {content_hash(data): encode_blob(data)}


def run_all() -> None:
    """What the threads do with what is due, here."""
    while lander._due:
        lander.work_on(lander._due.popleft())


def restart(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new process over the same store."""
    forget_all(monkeypatch)
    monkeypatch.setattr(ledgers, "_ledger", Ledger(world.store))
    lander.sweep()
    run_all()


def left(project: ProjectView) -> int:
    ledger = ledgers.open_ledger(project.id)
    return len(ledger.run(waiting(ledger.line)))


class _Died(BaseException):
    """The process ends: nothing behind this is carried out, whatever would catch an error."""


def _dying_at(step: int) -> Callable[[str, str], Fault]:
    numbers = itertools.count()

    def plan(call: str, key: str) -> Fault:
        if next(numbers) == step:
            raise _Died
        return Fault.NONE

    return plan


class _FailingAt:
    def __init__(self, step: int, fault: Fault) -> None:
        self.step, self.fault, self.calls = step, fault, 0

    def __call__(self, call: str, key: str) -> Fault:
        self.calls += 1
        return self.fault if self.calls == self.step + 1 else Fault.NONE


def begin(world: World, monkeypatch: pytest.MonkeyPatch, handle: str, plan: Callable[[str, str], Fault]) -> ProjectView:
    """A new project in a new store, of which the next calls go by this plan."""
    world.store = MemoryStore()
    forget_all(monkeypatch)
    monkeypatch.setattr(ledgers, "_ledger", Ledger(world.store))
    project = create_project(world.ada, "acme", handle)
    monkeypatch.setattr(ledgers, "_ledger", Ledger(FaultyStore(world.store, plan)))
    return project


def test_a_death_at_any_step_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before each call of the store, from acceptance to the end. What was answered lands, once; the rest may be sent
    again; nothing is left waiting."""
    session = wish(1, b"a", b"1")
    for step in itertools.count():
        project = begin(world, monkeypatch, f"p{step}", _dying_at(step))
        accepted = finished = False
        try:
            assert land_later(world.max, project, session, sent(b"1")) is None
            accepted = True
            run_all()
            finished = True
        except _Died:
            pass
        restart(world, monkeypatch)
        if not accepted:
            again = land_later(world.max, project, session, sent(b"1"))
            run_all()
            assert again is None or again.already
        found = standing(world.max, project, session.id)
        assert isinstance(found, Landed)
        assert (found.position, left(project)) == (1, 0)
        ledger = ledgers.open_ledger(project.id)
        check_history(ledger)
        assert contents(ledger) == {b"a": (REGULAR, b"1")}
        if finished:
            break
    assert step > 12


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER, Fault.TWICE])
def test_a_store_that_fails_at_any_step_delays_it(world: World, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    """An answer that is lost, a call that is not done: the wish stays and is tried again, and lands once."""
    session = wish(1, b"a", b"1")
    for step in itertools.count():
        plan = _FailingAt(step, fault)
        project = begin(world, monkeypatch, f"p{step}", plan)
        while True:
            try:
                land_later(world.max, project, session, sent(b"1"))
                break
            except Unavailable:
                continue
        run_all()
        for item in list(lander._resting):
            del lander._resting[item]
            lander.work_on(item)
        calls = plan.calls
        assert not lander._resting
        monkeypatch.setattr(ledgers, "_ledger", Ledger(world.store))
        found = standing(world.max, project, session.id)
        assert isinstance(found, Landed)
        assert (found.position, left(project)) == (1, 0)
        check_history(ledgers.open_ledger(project.id))
        if calls <= step:
            break
    assert step > 12


def test_two_processes_land_one_wish_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both find the same intent: one position, and no error."""
    land_later(world.max, world.project, wish(1, b"a", b"1"), sent(b"1"))
    item = lander._due.popleft()
    views = [Ledger(world.store), Ledger(world.store)]
    for view in views:
        monkeypatch.setattr(ledgers, "_ledger", view)
        lander.work_on(item)
    assert ledgers.open_ledger(world.project.id).head().position == 1
    assert not lander._resting


def test_the_same_wish_waits_once_and_another_beside_it(world: World) -> None:
    """Sent again while it waits it is one; changed and sent again it is another, which is not lost if the first
    clashes."""
    for data in (b"1", b"1", b"2"):
        land_later(world.max, world.project, wish(1, b"a", data), sent(data))
    assert left(world.project) == 2
    run_all()
    found = standing(world.max, world.project, wish(1, b"a", b"1").id)
    assert isinstance(found, Landed)
    assert found.position == 1
    assert ledgers.open_ledger(world.project.id).head().position == 1


def test_a_right_that_is_gone_when_its_turn_comes(world: World) -> None:
    """The policy is asked again: nothing lands, the outcome says so, and the session is open and told so."""
    session = wish(1, b"a", b"1")
    land_later(world.max, world.project, session, sent(b"1"))
    assert [row.state for row in list_open_sessions(world.ada, world.project)] == ["queued"]
    assert get_session(world.ada, world.project, session.id).state == "queued"
    organizations.remove_member(world.ada, "acme", "max")
    run_all()
    found = standing(world.ada, world.project, session.id)
    assert isinstance(found, Refusal)
    assert found.code in ("not_found", "permission_denied")
    assert ledgers.open_ledger(world.project.id).head().position == 0
    assert [row.state for row in list_open_sessions(world.ada, world.project)] == ["active"]
    assert left(world.project) == 0


def test_an_account_that_was_closed_lands_nothing(world: World) -> None:
    session = wish(1, b"a", b"1")
    land_later(world.max, world.project, session, sent(b"1"))
    User.objects.filter(handle="max").update(is_active=False)
    run_all()
    found = standing(world.ada, world.project, session.id)
    assert isinstance(found, Refusal)
    assert found.code == "permission_denied"


def test_abandoned_while_it_waits(world: World) -> None:
    """Given up before its turn: nothing lands, and it stays given up."""
    session = wish(1, b"a", b"1")
    land_later(world.max, world.project, session, sent(b"1"))
    abandon_session(world.max, world.project, session.id)
    run_all()
    assert ledgers.open_ledger(world.project.id).head().position == 0
    assert get_session(world.max, world.project, session.id).session.state == State.ABANDONED
    assert left(world.project) == 0


def test_landed_at_once_while_it_waits(world: World) -> None:
    """The same session through both ways: one landing, the same position."""
    session = wish(1, b"a", b"1")
    land_later(world.max, world.project, session, sent(b"1"))
    assert land(world.max, world.project, session, sent(b"1")).position == 1
    run_all()
    assert ledgers.open_ledger(world.project.id).head().position == 1
    assert land_later(world.max, world.project, session, sent(b"1")).position == 1  # type: ignore[union-attr]


def test_limits_of_what_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Number and bytes of one project, and bytes of one wish; what was accepted stays."""
    monkeypatch.setattr(intents, "MAX_WAITING", 2)
    for number in (1, 2):
        land_later(world.max, world.project, wish(number, b"f%d" % number, b"x"), sent(b"x"))
    with pytest.raises(QueueFull) as full:
        land_later(world.max, world.project, wish(3, b"f3", b"x"), sent(b"x"))
    assert full.value.code == "queue_full"
    monkeypatch.setattr(intents, "MAX_WAITING", 1000)
    monkeypatch.setattr(intents, "MAX_WAITING_BYTES", 600)
    with pytest.raises(QueueFull):
        land_later(world.max, world.project, wish(3, b"f3", b"x"), sent(b"x"))
    monkeypatch.setattr(intents, "MAX_INTENT", 100)
    with pytest.raises(TooLarge):
        land_later(world.max, world.project, wish(3, b"f3", b"x"), sent(b"x"))
    run_all()
    assert ledgers.open_ledger(world.project.id).head().position == 2


def test_a_damaged_intent_is_told_and_its_bytes_are_kept(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The author hears that it has to be landed again; others' landings go on."""
    session = wish(1, b"a", b"1")
    land_later(world.max, world.project, session, sent(b"1"))
    key = lander._due[0][1].key
    raw = world.store.get(key).data
    world.store.put(key, raw[:-1] + b"!")
    run_all()
    found = standing(world.max, world.project, session.id)
    assert isinstance(found, Refusal)
    assert found.code == Corrupt.code
    assert "Land it again." in found.hint
    assert left(world.project) == 0
    aside = key.replace("/intents/", "/set-aside/intents/")
    assert world.store.get(aside).data == raw[:-1] + b"!"
    assert "cannot be read" in caplog.text


def test_what_may_pass_is_tried_again_with_growing_pauses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged project, or a fault of ours, ends nothing."""
    land_later(world.max, world.project, wish(1, b"a", b"1"), sent(b"1"))
    item = lander._due.popleft()
    errors: list[Exception] = [Corrupt("damaged"), ValueError("a fault"), Unavailable("away")]

    def fails(*_: object) -> None:
        raise errors.pop(0)

    now = [100.0]
    monkeypatch.setattr(lander, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with monkeypatch.context() as patch:
        patch.setattr(lander, "carry_out", fails)
        pauses = []
        while errors:
            lander.work_on(item)
            pauses.append(lander._resting.pop(item) - now[0])
    assert pauses == [5.0, 10.0, 20.0]
    lander.work_on(item)
    assert left(world.project) == 0


def test_a_thread_takes_what_is_added(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes while the threads run is carried out, and stopping ends them."""
    done = threading.Event()
    seen: list[object] = []

    def carried(project_id: object, item: object) -> None:
        seen.append(item)
        done.set()

    monkeypatch.setattr(lander, "carry_out", carried)
    monkeypatch.setattr(lander, "sweep", int)
    monkeypatch.setattr(lander, "let_go", lambda: None)
    monkeypatch.setattr(lander, "connection", SimpleNamespace(close=lambda: None))
    stop = lander.start()
    try:
        land_later(world.max, world.project, wish(1, b"a", b"1"), sent(b"1"))
        assert done.wait(30)
    finally:
        stop()
    assert len(seen) == 1


def test_another_account_does_not_take_the_id(world: World) -> None:
    """Claimed by acceptance: nobody starts or lands a session of that id before its turn."""
    land_later(world.max, world.project, wish(1, b"a", b"1"), sent(b"1"))
    for act in (land, land_later):
        with pytest.raises(MicError) as refused:
            act(world.ada, world.project, wish(1, b"b", b"2"), sent(b"2"))
        assert refused.value.code == "permission_denied"
