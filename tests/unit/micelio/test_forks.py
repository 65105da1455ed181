"""Forks as people meet them: who may make, see, open and delete them, and what a deletion leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from joining import let_in
from ledgers import land
from mic.core.errors import AlreadyExists, InvalidInput, NotFound, PermissionDenied, StorageFull, Unauthenticated
from mic.ledger.ledger import Ledger
from mic.store import MemoryStore
from micelio.accounts import actions as accounts
from micelio.accounts.actor import ANONYMOUS, Actor, actor_of
from micelio.accounts.policy import OPERATOR
from micelio.audit.models import AuditEvent
from micelio.organizations import actions as organizations
from micelio.projects import ledgers, registry
from micelio.projects.actions import create_project, update_project
from micelio.projects.deletion import delete_project
from micelio.projects.erasure import erase, unfinished
from micelio.projects.forks import count_forks, list_forks, origin_of
from micelio.projects.jobs import erase_project, finish_erasures
from micelio.projects.models import Confinement, Project
from micelio.projects.policy import require_manage, require_read, require_write
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import get_project, list_projects
from micelio.projects.restore import restore
from micelio.sessions import projector
from micelio.sessions.models import Landing, LastChange, Projection
from micelio.sessions.queries import last_changes, list_landings

pytestmark = pytest.mark.django_db


def _person(handle: str, *, of: str = "") -> Actor:
    actor = actor_of(accounts.create_user(OPERATOR, handle), "web")
    if of:
        organizations.create_organization(actor, of)
    return actor


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run's store is shared, and names repeat."""
    monkeypatch.setattr(ledgers, "_ledger", Ledger(MemoryStore()))


@pytest.fixture
def olga() -> Actor:
    """Admin of acme, which owns the origins."""
    return _person("olga", of="acme")


@pytest.fixture
def fred(olga: Actor) -> Actor:
    """A member of acme and admin of forks."""
    fred = _person("fred", of="forks")
    let_in(olga, "acme", "fred")
    return fred


@pytest.fixture
def mia(fred: Actor) -> Actor:
    """A member of forks, nobody in acme."""
    mia = _person("mia")
    let_in(fred, "forks", "mia")
    return mia


def _origin(actor: Actor, visibility: str, landings: int = 3) -> ProjectView:
    made = create_project(actor, "acme", "api", description="Signs people in.", visibility=visibility)
    ledger = ledgers.open_ledger(made.id)
    for number in range(1, landings + 1):
        land(ledger, number, number - 1, {b"a/%d" % number: b"%d\n" % number})
    projector.catch_up(made.id)
    return made


def _handles(actor: Actor, owner: str = "") -> list[str]:
    return [f"{row.owner}/{row.handle}" for row in list_projects(actor, owner)]


def _doors(actor: Actor, project: ProjectView) -> dict[str, Any]:
    """What each way in answers: the sentence of the error, or that there is none."""
    view = ProjectView(**{name: getattr(project, name) for name in ProjectView.__slots__})
    doors: dict[str, Callable[[], object]] = {
        "get": lambda: get_project(actor, project.owner, project.handle),
        "read": lambda: require_read(actor, view),
        "write": lambda: require_write(actor, view),
        "manage": lambda: require_manage(actor, view),
        "landings": lambda: list_landings(actor, view),
        "forks": lambda: count_forks(actor, view),
        "list forks": lambda: list_forks(actor, view),
        "update": lambda: update_project(actor, project.owner, project.handle, name="x"),
        "delete": lambda: delete_project(actor, project.owner, project.handle),
        "fork": lambda: create_project(actor, "nowhere", "x", fork_from=f"{project.owner}/{project.handle}"),
    }
    answers: dict[str, Any] = {}
    for name, door in doors.items():
        try:
            door()
            answers[name] = "open"
        except NotFound as error:
            answers[name] = error.message
        except (PermissionDenied, Unauthenticated) as error:
            answers[name] = error.code
    return answers


# ------------------------------------------------------------------ making


def test_a_fork_begins_where_its_origin_stands(olga: Actor, fred: Actor) -> None:
    """Its own row, head, settings and audit event; history, description and lists from its origin."""
    origin = _origin(olga, "public")
    made = create_project(fred, "forks", "mine", visibility="public", fork_from="ACME/api")
    assert (made.owner, made.handle, made.name, made.description) == ("forks", "mine", "mine", "Signs people in.")
    assert (made.origin_id, made.fork_position, made.confined) == (origin.id, 3, False)
    assert ledgers.open_ledger(made.id).head() == ledgers.open_ledger(origin.id).head()
    land(ledgers.open_ledger(origin.id), 4, 3, {b"later": b"\n"})
    assert ledgers.open_ledger(made.id).head().position == 3
    event = AuditEvent.objects.filter(action="project.create", object_id=str(made.id)).get()
    assert event.details == {"visibility": "public", "fork_from": "acme/api"}
    seen = origin_of(fred, made)
    assert seen is not None
    assert (seen.handle, count_forks(ANONYMOUS, seen), count_forks(fred, made)) == ("api", 1, 0)
    assert origin_of(fred, origin) is None


def test_who_may_fork(olga: Actor, fred: Actor, mia: Actor) -> None:
    """Whoever may read the origin, into an organization that they administer."""
    _origin(olga, "private")
    with pytest.raises(PermissionDenied):
        create_project(fred, "acme", "x", fork_from="acme/api")
    with pytest.raises(Unauthenticated):
        create_project(ANONYMOUS, "forks", "x", fork_from="acme/api")
    organizations.create_organization(mia, "mias")
    words = []
    for name in ("acme/api", "acme/none"):
        with pytest.raises(NotFound) as refused:
            create_project(mia, "mias", "x", fork_from=name)
        words.append(refused.value.message.replace(name, "NAME"))
    assert words[0] == words[1]
    for name in ("api", "acme/", "/api", "acme/api/x"):
        with pytest.raises(InvalidInput, match="does not name a project"):
            create_project(fred, "forks", "x", fork_from=name)
    assert _handles(mia) == []


def test_rows_tell_the_history_of_a_fork(olga: Actor, fred: Actor) -> None:
    """Copied from the origin where they tell just that, read from the log where the origin went on: the same rows."""
    origin = _origin(olga, "public")
    first = create_project(fred, "forks", "first", fork_from="acme/api")
    assert projector.catch_up(first.id) == 3
    second = create_project(fred, "forks", "second", fork_from="acme/api")
    land(ledgers.open_ledger(origin.id), 4, 3, {b"a/1": b"changed\n"})
    projector.catch_up(origin.id)
    assert projector.catch_up(second.id) == 3
    told = []
    for made in (first, second):
        rows = Landing.objects.filter(project_id=made.id).order_by("position")
        changes = LastChange.objects.filter(project_id=made.id)
        state = Projection.objects.get(project_id=made.id)
        told.append(
            (
                [(r.position, bytes(r.session_id), r.goal, r.landed_at, r.files, r.decisions) for r in rows],
                sorted((bytes(c.directory), bytes(c.name), c.position) for c in changes),
                (state.position, state.decisions),
            )
        )
    assert told[0] == told[1]
    assert [row[2] for row in told[0][0]] == ["Goal 1", "Goal 2", "Goal 3"]
    assert told[0][1] == [(b"", b"a", 3), (b"a", b"1", 1), (b"a", b"2", 2), (b"a", b"3", 3)]
    assert told[0][2] == (3, 3)
    assert last_changes(fred, second, b"a", [b"1"])[b"1"].position == 1


# ------------------------------------------------------------------ forks of private projects


def test_a_fork_of_a_private_project_asks_both(olga: Actor, fred: Actor, mia: Actor) -> None:
    """Whoever may not read the origin does not see the fork, though a member of its owner; nor does the reverse."""
    _origin(olga, "private")
    made = create_project(fred, "forks", "mine", fork_from="acme/api")
    assert (made.visibility, made.confined) == ("private", True)
    assert get_project(fred, "forks", "mine") == made
    absent = "There is no project forks/mine, or you may not see it."
    for outsider in (mia, olga, ANONYMOUS):
        answers = _doors(outsider, made)
        assert {answers[door] for door in answers if door != "fork"} == {absent}
        assert "forks/mine" not in _handles(outsider) + _handles(outsider, "forks")
    assert _handles(fred) == ["acme/api", "forks/mine"]
    let_in(olga, "acme", "mia")
    assert _handles(mia) == ["acme/api", "forks/mine"]
    assert _doors(mia, made)["write"] == "open"
    organizations.remove_member(olga, "acme", "mia")
    assert _doors(mia, made)["write"] == absent


def test_a_fork_of_a_fork_asks_all(olga: Actor, fred: Actor, mia: Actor) -> None:
    """Each private project on the way keeps its say."""
    _origin(olga, "private")
    create_project(fred, "forks", "mine", fork_from="acme/api")
    organizations.create_organization(fred, "third")
    made = create_project(fred, "third", "far", fork_from="forks/mine")
    let_in(fred, "third", "mia")
    assert _doors(mia, made)["get"] != "open"
    let_in(olga, "acme", "mia")
    assert _doors(mia, made)["get"] == "open"
    organizations.remove_member(fred, "forks", "mia")
    assert _doors(mia, made)["get"] != "open"
    assert "third/far" not in _handles(mia)


def test_what_is_private_is_not_published_by_forking_it(olga: Actor, fred: Actor) -> None:
    """Not when it is forked, not afterwards, not when the origin is gone; only when the origin is public itself."""
    origin = _origin(olga, "private")
    with pytest.raises(InvalidInput, match="acme/api is private"):
        create_project(fred, "forks", "mine", visibility="public", fork_from="acme/api")
    create_project(fred, "forks", "mine", fork_from="acme/api")
    create_project(fred, "forks", "other", fork_from="acme/api")
    for handle in ("mine", "other"):
        with pytest.raises(InvalidInput, match="a fork of a private project"):
            update_project(fred, "forks", handle, visibility="public")
    update_project(olga, "acme", "api", visibility="public")
    assert update_project(fred, "forks", "mine", visibility="public").visibility == "public"
    update_project(olga, "acme", "api", visibility="private")
    made = create_project(fred, "forks", "late", fork_from="acme/api")
    delete_project(olga, "acme", "api")
    assert erase(origin.id) == 0  # it can still be restored
    _days_pass(origin.id)
    assert erase(origin.id) is None
    assert get_project(ANONYMOUS, "forks", "mine").visibility == "public"
    assert not get_project(fred, "forks", "other").confined
    late = get_project(fred, "forks", "late")
    assert (late.id, late.confined, late.origin_id, late.fork_position) == (made.id, True, None, 3)
    with pytest.raises(InvalidInput, match="a fork of a private project"):
        update_project(fred, "forks", "late", visibility="public")
    organizations.remove_member(olga, "acme", "fred")
    with pytest.raises(NotFound):
        get_project(fred, "forks", "late")


def test_a_public_origin_turns_private(olga: Actor, fred: Actor, mia: Actor) -> None:
    """Forks stay what they are, for they show what was public; the origin's name is no longer shown to outsiders."""
    _origin(olga, "public")
    made = create_project(fred, "forks", "mine", visibility="public", fork_from="acme/api")
    seen = origin_of(mia, made)
    assert seen is not None
    update_project(olga, "acme", "api", visibility="private")
    assert get_project(ANONYMOUS, "forks", "mine").fork_position == 3
    assert origin_of(mia, made) is None
    assert origin_of(fred, made) is not None
    again = create_project(fred, "forks", "again", fork_from="forks/mine")
    assert not again.confined


def test_forks_are_counted_as_one_may_see_them(olga: Actor, fred: Actor, mia: Actor) -> None:
    """Private forks count for their readers only."""
    _origin(olga, "public")
    create_project(fred, "forks", "shown", visibility="public", fork_from="acme/api")
    create_project(fred, "forks", "mine", fork_from="acme/api")
    origin = get_project(ANONYMOUS, "acme", "api")
    assert [count_forks(who, origin) for who in (ANONYMOUS, olga, mia, fred)] == [1, 1, 2, 2]

    def names(who: Actor, after: str = "", limit: int = 50) -> list[str]:
        return [f"{row.owner}/{row.handle}" for row in list_forks(who, origin, after, limit)]

    assert [names(who) for who in (ANONYMOUS, olga)] == [["forks/shown"]] * 2
    assert [names(who) for who in (mia, fred)] == [["forks/mine", "forks/shown"]] * 2
    assert names(fred, limit=1) == ["forks/mine"]
    assert names(fred, "forks/mine") == ["forks/shown"]
    assert names(ANONYMOUS, "forks/shown") == []


# ------------------------------------------------------------------ changing


def test_settings_are_changed_by_admins_only(olga: Actor, fred: Actor, mia: Actor) -> None:
    """A member may not, an outsider not even know; what was changed is in the audit log and the registry."""
    origin = _origin(olga, "private")
    with pytest.raises(PermissionDenied):
        update_project(fred, "acme", "api", visibility="public")
    with pytest.raises(NotFound):
        update_project(mia, "acme", "api", visibility="public")
    with pytest.raises(InvalidInput, match="'secret' is not a visibility"):
        update_project(olga, "acme", "api", visibility="secret")
    with pytest.raises(InvalidInput, match="The name is longer than 200"):
        update_project(olga, "acme", "api", name="n" * 201)
    made = update_project(olga, "acme", "api", name=" The API ", description="", visibility="public")
    assert (made.name, made.description, made.visibility) == ("The API", "", "public")
    assert update_project(olga, "acme", "api", name="The API") == made
    assert update_project(olga, "acme", "api", name="").name == "api"
    entry = next(entry for entry in registry.entries() if entry.id == origin.id)
    assert (entry.name, entry.visibility) == ("api", "public")
    events = AuditEvent.objects.filter(action="project.update", object_id=str(origin.id)).order_by("id")
    assert [event.details for event in events] == [
        {
            "before": {"name": "api", "description": "Signs people in.", "visibility": "private"},
            "after": {"name": "The API", "description": "", "visibility": "public"},
        },
        {"before": {"name": "The API"}, "after": {"name": "api"}},
    ]


# ------------------------------------------------------------------ deleting


def _days_pass(project_id: UUID) -> None:
    """The seven days in which a deletion can be taken back are over."""
    Project.everything.filter(id=project_id).update(deleted_at=timezone.now() - timedelta(days=7))


def _keys(project_id: UUID) -> list[str]:
    return [item.key for item in ledgers.ledger().driver.store.list("") if project_id.hex in item.key]


def test_deleting_leaves_the_forks(olga: Actor, fred: Actor) -> None:
    """At once gone from every door, later from the store, while a fork keeps all that it had."""
    origin = _origin(olga, "public")
    made = create_project(fred, "forks", "mine", fork_from="acme/api")
    projector.catch_up(made.id)
    with pytest.raises(PermissionDenied):
        delete_project(fred, "acme", "api")
    assert delete_project(olga, "acme", "api").forks == 1
    assert set(_doors(olga, origin).values()) >= {"There is no project acme/api, or you may not see it."}
    assert erase_project.func(str(origin.id)) == 0
    assert Landing.objects.filter(project_id=origin.id).count() == 3
    with pytest.raises(AlreadyExists, match="acme/api was deleted and can be restored until"):
        create_project(olga, "acme", "api")
    _days_pass(origin.id)
    assert erase_project.func(str(origin.id)) == 0  # lets the fork go, and leaves its readers time
    assert not Landing.objects.filter(project_id=origin.id).exists()
    assert projector.catch_up(origin.id) == 0
    assert _keys(origin.id)
    assert erase_project.func(str(origin.id)) > 0
    assert _keys(origin.id) == []
    ledger = ledgers.open_ledger(made.id)
    assert [landing.session.goal for landing in ledger.landings()] == ["Goal 3", "Goal 2", "Goal 1"]
    assert [row.goal for row in list_landings(fred, made)] == ["Goal 3", "Goal 2", "Goal 1"]
    assert create_project(olga, "acme", "api").id != origin.id
    event = AuditEvent.objects.filter(action="project.delete").get()
    assert (event.object_name, event.details) == ("acme/api", {"forks": 1})


def test_a_deletion_that_is_not_committed_is_taken_back(olga: Actor) -> None:
    """The mark is in the store and the row still there: the next look writes the registry's entry again."""
    origin = _origin(olga, "public")
    ledgers.ledger().condemn(origin.id.hex)
    registry.strike(origin.id)
    assert finish_erasures.func() == 1
    assert erase(origin.id) == 0
    assert origin.id not in unfinished()
    assert origin.id in [entry.id for entry in registry.entries()]
    assert ledgers.open_ledger(origin.id).head().position == 3


def test_a_store_that_fails_undoes_the_deletion(olga: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and objects are as they were."""
    origin = _origin(olga, "public")

    def full(project: ProjectView) -> None:
        raise StorageFull("no space left")

    monkeypatch.setattr(registry, "enter", full)
    with pytest.raises(StorageFull):
        delete_project(olga, "acme", "api")
    assert get_project(olga, "acme", "api") == origin
    assert not AuditEvent.objects.filter(action="project.delete").exists()


def test_a_rebuild_knows_forks_and_what_was_deleted(olga: Actor, fred: Actor, mia: Actor) -> None:
    """From the store alone: origin, fork point and confinement are back, what was erased is not."""
    origin = _origin(olga, "private")
    create_project(fred, "forks", "mine", fork_from="acme/api")
    gone = create_project(olga, "acme", "gone")
    delete_project(olga, "acme", "gone")
    _days_pass(gone.id)
    erase(gone.id)
    ours = {origin.id, get_project(fred, "forks", "mine").id}
    Project.everything.all().delete()
    assert restore(olga) == 2
    made = get_project(fred, "forks", "mine")
    assert (made.origin_id, made.fork_position, made.confined) == (origin.id, 3, True)
    assert Confinement.objects.filter(project_id=made.id, source=origin.id, organization__handle="acme").count() == 1
    with pytest.raises(NotFound):
        get_project(mia, "forks", "mine")
    assert not Project.everything.filter(id=gone.id).exists()
    assert ours <= set(Project.objects.values_list("id", flat=True))
