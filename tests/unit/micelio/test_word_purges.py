"""Erasing words of sessions and people as acts of administrators: what goes, what stays, who is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import msgspec
import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from ledgers import land, request
from mic.core.errors import Erased, InvalidInput, NotFound, PermissionDenied, PreconditionFailed
from mic.core.ids import ulid_text
from mic.core.session import Author, Message
from micelio import config
from micelio.accounts.actor import Actor
from micelio.accounts.models import HandleClaim, User
from micelio.audit.models import AuditEvent
from micelio.mail.models import Letter
from micelio.operators import person_purges, purges, word_purges
from micelio.operators.models import Purge
from micelio.organizations.actions import create_organization
from micelio.organizations.models import Membership, Organization
from micelio.projects.actions import create_project
from micelio.projects.administering import project_of_name
from micelio.projects.ledgers import open_ledger
from micelio.projects.models import Project
from micelio.projects.queries import get_project
from micelio.sessions import projector
from micelio.sessions.branches import create_branch
from micelio.sessions.models import Landing, OpenSession, Projection

pytestmark = pytest.mark.django_db
SESSION = (2).to_bytes(16, "big")
ID = ulid_text(SESSION)
TYPED = ID[-12:]


def _actor(handle: str, **more: object) -> Actor:
    user = User.objects.create(handle=handle, **more)
    return Actor(
        user_id=user.id, handle=handle, name=user.name, email=user.email, is_admin=user.is_admin, via="web"
    )  # fmt: skip


@pytest.fixture
def amy() -> Actor:
    return _actor(f"amy{uuid4().hex[:6]}", is_admin=True)


@pytest.fixture
def grace() -> Actor:
    """Somebody with a second address, and a letter under way."""
    actor = _actor(f"grace{uuid4().hex[:6]}", name="Grace H", email="Grace@example.org")
    EmailAddress.objects.create(user_id=actor.user_id, email="g@example.net", verified=True)
    now = timezone.now()
    Letter.objects.create(to="grace@example.org", subject="s", sealed="", created_at=now, expires_at=now)
    HandleClaim.objects.create(handle=actor.handle, kind="user")
    return actor


@pytest.fixture
def name(amy: Actor) -> str:
    owner = f"o{uuid4().hex[:8]}"
    create_organization(amy, owner, "", "")
    create_project(amy, owner, "box", "", "", "public")
    return f"{owner}/box"


@pytest.fixture
def two() -> Iterator[None]:
    before = config.current()
    config.install(replace(before, purge_needs_two=True))
    yield
    config.install(before)


def _id(name: str):  # type: ignore[no-untyped-def]
    owner, handle = name.split("/")
    return Project.objects.get(owner__handle=owner, handle=handle).id


def _land(name: str, number: int, base: int, goal: str, owner: bytes = bytes(16), author: Author | None = None) -> None:
    ledger = open_ledger(_id(name))
    wanted = request(ledger, number, base, {b"f%d" % number: b"%d\n" % number}, goal=goal)
    session = msgspec.structs.replace(
        wanted.session,
        owner=owner,
        author=author or wanted.session.author,
        conversation=(Message("human", author.name if author else "Ada", f"about {goal}"),),
    )
    ledger.land(wanted._replace(session=session))
    projector.catch_up(_id(name))


def test_words_of_a_landing(amy: Actor, name: str) -> None:
    _land(name, 1, 0, "first")
    _land(name, 2, 1, "hunter2")
    found = word_purges.look(amy, name, ID.lower())
    assert (found.session, found.position, found.messages, found.decisions, found.forks) == (ID, 2, 1, 1, ())
    for wrong in (("secret", "why", "0" * 12), ("secret", " ", TYPED), ("person", "why", TYPED)):
        with pytest.raises(InvalidInput):
            word_purges.ask(amy, name, ID, wrong[0], wrong[1], typed=wrong[2])
    assert not Purge.objects.exists()
    asked = word_purges.ask(amy, name, ID, "secret", "ticket 7", typed=TYPED)
    assert (asked.kind, asked.session, asked.content, asked.state) == ("words", ID, "", "running")
    assert purges.carry_out(asked.id)
    assert not purges.carry_out(asked.id)
    rows = list(Landing.objects.filter(project_id=_id(name)).order_by("position"))
    assert [(row.position, row.goal[:28], row.messages, row.decisions) for row in rows] == [
        (1, "first", 1, 1),
        (2, "Erased: the words of a sessi", 0, 0),
        (3, "Erased: the words of a sessi", 0, 0),
    ]
    assert rows[1].author_name == "Ada"
    assert Projection.objects.get(project_id=_id(name)).decisions == 1
    with pytest.raises(Erased):
        word_purges.look(amy, name, ID)
    acts = [event for event in AuditEvent.objects.order_by("id") if event.action.startswith("purge")]
    assert [(act.action, act.details["session"], act.object_name) for act in acts] == [
        ("purge.ask", ID, name),
        ("purge.done", ID, name),
    ]
    assert projector.rebuild_project(_id(name)) == 3
    assert [row.goal for row in Landing.objects.filter(project_id=_id(name)).order_by("position")] == [
        row.goal for row in rows
    ]


def test_words_of_a_session_that_did_not_land(amy: Actor, name: str) -> None:
    _land(name, 1, 0, "first")
    ledger = open_ledger(_id(name))
    kept = msgspec.structs.replace(
        request(ledger, 2, 1, {b"x": b"x\n"}, goal="hunter2").session, owner=amy.user_id.bytes if amy.user_id else b""
    )
    ledger.put_open_session(kept)
    projector.keep_row(_id(name), kept, queued=True)
    with pytest.raises(PreconditionFailed, match="waits to be landed"):
        word_purges.look(amy, name, ID)
    OpenSession.objects.update(queued=False)
    assert word_purges.look(amy, name, ID).position == 0
    asked = word_purges.ask(amy, name, ID, "secret", "why", typed=TYPED)
    assert purges.carry_out(asked.id)
    assert not OpenSession.objects.exists()
    with pytest.raises(NotFound):
        ledger.open_session(SESSION)
    with pytest.raises(NotFound):
        word_purges.look(amy, name, ID)


def test_forks_are_named_and_origins_too(amy: Actor, name: str) -> None:
    _land(name, 1, 0, "first")
    _land(name, 2, 1, "hunter2")
    owner = name.split("/")[0]
    fork = create_project(amy, owner, "fork", "", "", "public", fork_from=name)
    projector.catch_up(fork.id)
    assert word_purges.look(amy, name, ID).forks == (f"{owner}/fork",)
    with pytest.raises(InvalidInput, match="Forks read this session too"):
        word_purges.ask(amy, name, ID, "secret", "why", typed=TYPED)
    with pytest.raises(InvalidInput, match=f"is read from {name}"):
        word_purges.look(amy, f"{owner}/fork", ID)
    asked = word_purges.ask(amy, name, ID, "secret", "why", typed=TYPED, with_forks=True)
    assert purges.carry_out(asked.id)
    for project in (_id(name), fork.id):
        assert Landing.objects.get(project_id=project, position=2).goal.startswith("Erased: ")


def test_words_of_a_branch(amy: Actor, name: str) -> None:
    """A branch is asked by its name; what it reads from main is erased there, and the branch is named."""
    _land(name, 1, 0, "first")
    owner, handle = name.split("/")
    branch = create_branch(amy, get_project(amy, owner, handle), "side")
    line = open_ledger(project_of_name(amy, f"{name}@{branch.name}"))
    line.land(request(line, 2, 1, {b"x": b"x\n"}, goal="hunter2"))
    projector.catch_up(project_of_name(amy, f"{name}@side"))
    with pytest.raises(NotFound):
        word_purges.look(amy, name, ID)
    with pytest.raises(InvalidInput, match=f"is read from {name}"):
        word_purges.look(amy, f"{name}@side", ulid_text((1).to_bytes(16, "big")))
    assert word_purges.look(amy, name, ulid_text((1).to_bytes(16, "big"))).forks == (f"{name}@side",)
    asked = word_purges.ask(amy, f"{name}@side", ID, "secret", "why", typed=TYPED)
    assert purges.carry_out(asked.id)
    assert line.landing(2).session.goal.startswith("Erased: ")
    assert purges.list_purges(amy)[0].project == f"{name}@side"


def test_who_may(amy: Actor, grace: Actor, name: str) -> None:
    for act in (
        lambda: word_purges.look(grace, name, ID),
        lambda: word_purges.ask(grace, name, ID, "secret", "why", typed=TYPED),
        lambda: person_purges.look(grace, amy.handle),
        lambda: person_purges.ask(grace, amy.handle, "why", typed=amy.handle),
    ):
        with pytest.raises(PermissionDenied):
            act()
    with pytest.raises(InvalidInput):
        word_purges.look(amy, name, "abc")


def test_a_person_goes_and_what_they_landed_stays(amy: Actor, grace: Actor, name: str) -> None:
    assert grace.user_id is not None
    own = grace.user_id.bytes
    _land(name, 1, 0, "first", own, Author("Grace H", "grace@example.org"))
    _land(name, 2, 1, "second, ask g@example.net")
    _land(name, 3, 2, "third", author=Author("G", "G@example.net"))
    ledger = open_ledger(_id(name))
    kept = msgspec.structs.replace(request(ledger, 9, 3, {b"x": b"x\n"}, goal="open").session, owner=own)
    ledger.put_open_session(kept)
    projector.keep_row(_id(name), kept)
    found = person_purges.look(amy, grace.handle)
    assert found.names == tuple(sorted(("Grace H", grace.handle)))
    assert set(found.emails) == {"Grace@example.org", "g@example.net", "grace@example.org"}
    assert (found.landings, found.open_sessions, found.organizations) == (((name, 2),), 1, ())
    with pytest.raises(InvalidInput, match="handle"):
        person_purges.ask(amy, grace.handle, "asked for it", typed="grace")
    asked = person_purges.ask(amy, grace.handle, "asked for it", typed=grace.handle)
    assert purges.carry_out(asked.id)
    rows = Landing.objects.filter(project_id=_id(name)).order_by("position")
    assert [(row.author_name, row.author_email) for row in rows][:3] == [
        ("Erased person", "erased@micelio.invalid"),
        ("Ada", "ada@example.org"),
        ("Erased person", "erased@micelio.invalid"),
    ]
    assert [row.goal for row in rows][:3] == ["first", "second, ask g@example.net", "third"]
    assert ledger.landing(1).session.conversation[0].author == "Erased person"
    assert not User.objects.filter(id=grace.user_id).exists()
    assert not Letter.objects.exists()
    assert not OpenSession.objects.exists()
    claim = HandleClaim.objects.get(handle=grace.handle)
    assert claim.holder == grace.user_id
    (row,) = Purge.objects.all()
    assert (row.state, row.handle, list(row.plan)) == ("done", "", ["projects"])
    with pytest.raises(NotFound):
        person_purges.look(amy, grace.handle)


def test_the_last_owner_and_the_last_administrator_stay(amy: Actor, grace: Actor) -> None:
    owner = f"g{uuid4().hex[:8]}"
    create_organization(grace, owner, "", "")
    assert person_purges.look(amy, grace.handle).organizations == (owner,)
    with pytest.raises(PreconditionFailed, match=f"last owner of {owner}"):
        person_purges.ask(amy, grace.handle, "why", typed=grace.handle)
    Membership.objects.create(organization=Organization.objects.get(handle=owner), user_id=amy.user_id, role="owner")
    assert person_purges.ask(amy, grace.handle, "why", typed=grace.handle).state == "running"
    with pytest.raises(PreconditionFailed, match="last administrator"):
        person_purges.ask(replace(amy, user_id=uuid4()), amy.handle, "why", typed=amy.handle)
    ben = _actor("ben", is_admin=True)
    with pytest.raises(InvalidInput, match="themselves"):
        person_purges.ask(ben, "ben", "why", typed="ben")


def test_a_second_one_confirms_a_person(amy: Actor, grace: Actor, two: None) -> None:
    asked = person_purges.ask(amy, grace.handle, "why", typed=grace.handle)
    assert (asked.state, asked.handle) == ("waiting", grace.handle)
    with pytest.raises(PermissionDenied):
        purges.confirm(amy, asked.id, grace.handle)
    ben = _actor("ben", is_admin=True)
    with pytest.raises(InvalidInput):
        purges.confirm(ben, asked.id, "grace")
    assert User.objects.filter(id=grace.user_id).exists()
    assert purges.confirm(ben, asked.id, grace.handle).state == "running"
    assert purges.carry_out(asked.id)
    assert not User.objects.filter(id=grace.user_id).exists()


def test_killed_half_way_a_person_is_taken_up(
    amy: Actor, grace: Actor, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account is gone by then: what it was known by is in the row."""
    assert grace.user_id is not None
    _land(name, 1, 0, "first", grace.user_id.bytes, Author("Grace H", "grace@example.org"))
    land(open_ledger(_id(name)), 2, 1, {b"b": b"b\n"})
    asked = person_purges.ask(amy, grace.handle, "why", typed=grace.handle)

    def fail(*_: object) -> int:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(projector, "derive_again", fail)
        with pytest.raises(RuntimeError):
            purges.carry_out(asked.id)
    assert not User.objects.filter(id=grace.user_id).exists()
    assert purges.carry_out(asked.id)
    assert Landing.objects.get(project_id=_id(name), position=1).author_name == "Erased person"


def test_what_lands_while_the_account_goes_is_found(
    amy: Actor, grace: Actor, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert grace.user_id is not None
    own, author = grace.user_id.bytes, Author("Grace H", "grace@example.org")
    _land(name, 1, 0, "first", own, author)
    asked = person_purges.ask(amy, grace.handle, "why", typed=grace.handle)
    real = projector.derive_again

    def late(project: object, sessions: object) -> int:
        monkeypatch.setattr(projector, "derive_again", real)
        _land(name, 2, 1, "second", own, author)
        return real(project, sessions)  # type: ignore[arg-type]

    monkeypatch.setattr(projector, "derive_again", late)
    assert purges.carry_out(asked.id)
    names = Landing.objects.filter(project_id=_id(name)).exclude(owner_id=None).values_list("author_name", flat=True)
    assert "Grace H" not in names


def test_two_that_ask_for_the_same_person(amy: Actor, grace: Actor, name: str) -> None:
    """The second has nothing left to do, and says so."""
    first, second = (person_purges.ask(amy, grace.handle, "why", typed=grace.handle) for _ in range(2))
    assert purges.carry_out(first.id)
    assert purges.carry_out(second.id)
    ended = AuditEvent.objects.filter(action="purge.done").order_by("id")
    assert [event.details["already"] for event in ended] == [False, True]
