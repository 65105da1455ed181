"""Who may see and do what with organizations and projects."""

from __future__ import annotations

import uuid

import pytest

from joining import let_in
from mic.core.errors import AlreadyExists, InvalidInput, NotFound, PermissionDenied, Unauthenticated, Unavailable
from micelio.accounts import actions as accounts
from micelio.accounts.actor import ANONYMOUS, Actor, actor_of
from micelio.accounts.policy import OPERATOR
from micelio.audit.models import AuditEvent
from micelio.organizations import actions as organizations
from micelio.organizations.policy import role_of
from micelio.organizations.queries import get_organization, list_members, list_organizations
from micelio.projects import ledgers
from micelio.projects.actions import create_project
from micelio.projects.models import Project
from micelio.projects.policy import require_manage, require_read, require_write
from micelio.projects.queries import get_project, list_projects

pytestmark = pytest.mark.django_db


def _person(handle: str) -> Actor:
    return actor_of(accounts.create_user(OPERATOR, handle), "web")


@pytest.fixture
def owner() -> Actor:
    actor = _person("olga")
    organizations.create_organization(actor, "acme", "Acme")
    return actor


@pytest.fixture
def member(owner: Actor) -> Actor:
    actor = _person("mia")
    let_in(owner, "acme", "mia", "member")
    return actor


@pytest.fixture
def stranger() -> Actor:
    return _person("sam")


def test_the_maker_of_an_organization_is_its_owner(owner: Actor) -> None:
    view = get_organization(owner, "ACME")
    assert (view.handle, view.name, view.role) == ("acme", "Acme", "owner")
    assert [(m.handle, m.role) for m in list_members(owner, "acme")] == [("olga", "owner")]


def test_people_and_organizations_share_one_namespace(owner: Actor) -> None:
    with pytest.raises(AlreadyExists, match="olga"):
        organizations.create_organization(owner, "Olga")
    with pytest.raises(AlreadyExists, match="acme"):
        accounts.create_user(OPERATOR, "acme")


def test_a_visitor_makes_nothing(owner: Actor) -> None:
    with pytest.raises(Unauthenticated):
        organizations.create_organization(ANONYMOUS, "mine")
    with pytest.raises(Unauthenticated):
        create_project(ANONYMOUS, "acme", "web")
    with pytest.raises(Unauthenticated):
        let_in(ANONYMOUS, "acme", "olga")


def test_only_admins_change_members(owner: Actor, member: Actor, stranger: Actor) -> None:
    for actor in (member, stranger):
        with pytest.raises(PermissionDenied):
            let_in(actor, "acme", "sam")
        with pytest.raises(PermissionDenied):
            organizations.remove_member(actor, "acme", "olga")
    assert role_of(member, get_organization(owner, "acme").id) == "member"


def test_a_member_may_leave_but_the_last_owner_may_not(owner: Actor, member: Actor) -> None:
    organizations.remove_member(member, "acme", "mia")
    assert list_organizations(member) == []
    with pytest.raises(PermissionDenied, match="without an owner"):
        organizations.remove_member(owner, "acme", "olga")
    with pytest.raises(PermissionDenied, match="without an owner"):
        let_in(owner, "acme", "olga", "member")


def test_members_are_shown_to_members_only(owner: Actor, member: Actor, stranger: Actor) -> None:
    assert [m.handle for m in list_members(member, "acme")] == ["mia", "olga"]
    assert [m.handle for m in list_members(member, "acme", after="mia")] == ["olga"]
    with pytest.raises(PermissionDenied):
        list_members(stranger, "acme")
    with pytest.raises(Unauthenticated):
        list_members(ANONYMOUS, "acme")


def test_wrong_roles_handles_and_names_are_refused(owner: Actor) -> None:
    with pytest.raises(InvalidInput, match="role"):
        let_in(owner, "acme", "olga", "chief")
    with pytest.raises(NotFound):
        let_in(owner, "acme", "nobody")
    with pytest.raises(NotFound):
        get_organization(owner, "nothing")
    with pytest.raises(InvalidInput):
        organizations.create_organization(owner, "long-name", "x" * 201)


def test_a_project_comes_with_its_data(owner: Actor) -> None:
    """Rows, an audit event, and position 0 in the object store."""
    project = create_project(owner, "Acme", "Web", description="The site", visibility="public")
    assert (project.owner, project.handle, project.name, project.role) == ("acme", "web", "web", "owner")
    assert ledgers.open_ledger(project.id).head().position == 0
    assert AuditEvent.objects.filter(action="project.create", object_name="acme/web").count() == 1


def test_a_store_that_fails_leaves_no_project(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows are undone with it, so that the same name can be tried again."""

    def full(project_id: uuid.UUID) -> object:
        raise Unavailable("The store did not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(ledgers, "open_ledger", full)
        with pytest.raises(Unavailable):
            create_project(owner, "acme", "web")
    assert not Project.objects.exists()
    assert not AuditEvent.objects.filter(action="project.create").exists()
    create_project(owner, "acme", "web")


@pytest.mark.parametrize(
    "handle", ["", "-", ".", "..", ".git", "web.git", "a..b", "a/b", "a b", "-a", "_a", "a.", "x" * 101]
)
def test_bad_project_handles_are_refused(owner: Actor, handle: str) -> None:
    with pytest.raises(InvalidInput):
        create_project(owner, "acme", handle)


def test_project_names_are_taken_once_per_owner(owner: Actor) -> None:
    create_project(owner, "acme", "web")
    with pytest.raises(AlreadyExists, match="web"):
        create_project(owner, "acme", "WEB")
    with pytest.raises(InvalidInput, match="visibility"):
        create_project(owner, "acme", "other", visibility="secret")


def test_only_admins_make_projects(owner: Actor, member: Actor, stranger: Actor) -> None:
    for actor in (member, stranger):
        with pytest.raises(PermissionDenied):
            create_project(actor, "acme", "web")


def test_public_is_read_by_all_and_written_by_members(owner: Actor, member: Actor, stranger: Actor) -> None:
    create_project(owner, "acme", "web", visibility="public")
    for actor, role in ((owner, "owner"), (member, "member"), (stranger, None), (ANONYMOUS, None)):
        project = get_project(actor, "acme", "web")
        assert project.role == role
        require_read(actor, project)
    require_write(member, project)
    require_manage(owner, project)
    with pytest.raises(PermissionDenied):
        require_manage(member, project)
    with pytest.raises(PermissionDenied):
        require_write(stranger, project)
    with pytest.raises(Unauthenticated):
        require_write(ANONYMOUS, project)


def test_private_and_absent_look_the_same_to_strangers(owner: Actor, member: Actor, stranger: Actor) -> None:
    """In words, hint and details; for reading, writing and a view that was got before."""
    project = create_project(owner, "acme", "web", visibility="private")
    assert get_project(member, "acme", "web").role == "member"
    for actor in (stranger, ANONYMOUS, OPERATOR):
        answers = []
        for handle in ("web", "weg"):
            with pytest.raises(NotFound) as caught:
                get_project(actor, "acme", handle)
            answers.append((caught.value.message.replace(handle, "?"), caught.value.hint, caught.value.details))
        assert answers[0] == answers[1]
        with pytest.raises(NotFound):
            require_read(actor, project)
        with pytest.raises(NotFound):
            require_write(actor, project)


def test_lists_hold_what_the_actor_may_read(owner: Actor, member: Actor, stranger: Actor) -> None:
    create_project(owner, "acme", "open", visibility="public")
    create_project(owner, "acme", "shut", visibility="private")
    organizations.create_organization(stranger, "zoo")
    create_project(stranger, "zoo", "bear", visibility="private")

    def names(actor: Actor, **options: object) -> list[str]:
        return [f"{p.owner}/{p.handle}" for p in list_projects(actor, **options)]  # type: ignore[arg-type]

    assert names(ANONYMOUS) == ["acme/open"]
    assert names(member) == ["acme/open", "acme/shut"]
    assert names(stranger) == ["acme/open", "zoo/bear"]
    assert names(stranger, owner="zoo") == ["zoo/bear"]
    assert names(member, owner="zoo") == []
    assert names(member, after="acme/open") == ["acme/shut"]
    assert names(stranger, after="acme/open") == ["zoo/bear"]
    assert names(member, limit=1) == ["acme/open"]


def test_who_was_removed_reads_no_more(owner: Actor, member: Actor) -> None:
    """A view that was got as a member is judged anew."""
    create_project(owner, "acme", "web", visibility="private")
    project = get_project(member, "acme", "web")
    organizations.remove_member(owner, "acme", "mia")
    with pytest.raises(NotFound):
        require_read(member, project)
    with pytest.raises(NotFound):
        require_write(member, project)
