"""Four roles, in an organization and in one project: the stronger counts, and owners are made by owners."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model

from joining import let_in
from mic.core.errors import InvalidInput, NotFound, PermissionDenied, Unauthenticated
from micelio.accounts import actions as accounts
from micelio.accounts.actor import ANONYMOUS, Actor, actor_of
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.audit.models import AuditEvent
from micelio.organizations import actions as organizations
from micelio.organizations.policy import asked_once
from micelio.organizations.queries import list_members
from micelio.projects.actions import create_project, update_project
from micelio.projects.deletion import delete_project
from micelio.projects.members import list_project_members, remove_project_member, set_project_member
from micelio.projects.policy import require_manage, require_own, require_read, require_write
from micelio.projects.queries import get_project, list_projects

pytestmark = pytest.mark.django_db


def _person(handle: str) -> Actor:
    return actor_of(accounts.create_user(OPERATOR, handle), "web")


@pytest.fixture
def olga() -> Actor:
    """Owner of acme, with the private project vault in it."""
    actor = _person("olga")
    organizations.create_organization(actor, "acme")
    create_project(actor, "acme", "vault")
    return actor


@pytest.fixture
def sam() -> Actor:
    return _person("sam")


def _names(actor: Actor) -> list[tuple[str, str | None]]:
    return [(f"{project.owner}/{project.handle}", project.role) for project in list_projects(actor)]


def test_a_reader_of_the_organization_reads_and_does_not_write(olga: Actor, sam: Actor) -> None:
    let_in(olga, "acme", "sam", "reader")
    project = get_project(sam, "acme", "vault")
    assert project.role == "reader"
    require_read(sam, project)
    with pytest.raises(PermissionDenied) as refused:
        require_write(sam, project)
    assert refused.value.message == "Only members of acme may write to acme/vault, and your role there is reader."
    assert refused.value.hint == "An admin of acme can give you the role member."
    assert [(member.handle, member.role) for member in list_members(sam, "acme")] == [
        ("olga", "owner"),
        ("sam", "reader"),
    ]


@pytest.mark.parametrize(
    ("there", "here", "counts"),
    [
        (None, "reader", "reader"),
        (None, "owner", "owner"),
        ("reader", "member", "member"),
        ("member", "reader", "member"),
        ("admin", "owner", "owner"),
        ("owner", "reader", "owner"),
    ],
)
def test_the_stronger_role_counts(olga: Actor, sam: Actor, there: str | None, here: str, counts: str) -> None:
    if there:
        let_in(olga, "acme", "sam", there)
    assert set_project_member(olga, "acme", "vault", "SAM", here).role == here
    with asked_once():
        assert get_project(sam, "acme", "vault").role == counts
    assert _names(sam) == [("acme/vault", counts)]


def test_a_role_in_one_project_opens_that_one(olga: Actor, sam: Actor) -> None:
    """Neither another project nor the organization."""
    other = create_project(olga, "acme", "other")
    set_project_member(olga, "acme", "vault", "sam", "admin")
    project = get_project(sam, "acme", "vault")
    require_manage(sam, project)
    assert _names(sam) == [("acme/vault", "admin")]
    assert _names(ANONYMOUS) == []
    with pytest.raises(NotFound):
        get_project(sam, "acme", "other")
    with pytest.raises(NotFound):
        require_read(sam, other)
    with pytest.raises(PermissionDenied):
        list_members(sam, "acme")
    with pytest.raises(PermissionDenied):
        create_project(sam, "acme", "more")


def test_who_has_a_role_in_a_project(olga: Actor, sam: Actor) -> None:
    """Added, changed, listed and removed, each once in the audit log; setting what is there already is no act."""
    _person("pia")
    set_project_member(olga, "acme", "vault", "sam", "reader")
    set_project_member(olga, "acme", "vault", "sam", "member")
    set_project_member(olga, "acme", "vault", "sam", "member")
    set_project_member(olga, "acme", "vault", "pia")
    project = get_project(sam, "acme", "vault")
    listed = [(member.handle, member.role) for member in list_project_members(sam, project)]
    assert listed == [("pia", "member"), ("sam", "member")]
    assert [member.handle for member in list_project_members(sam, project, after="pia")] == ["sam"]
    remove_project_member(olga, "acme", "vault", "pia")
    with pytest.raises(NotFound, match="pia has no role in acme/vault alone"):
        remove_project_member(olga, "acme", "vault", "pia")
    events = AuditEvent.objects.filter(action__startswith="project.member").order_by("id")
    assert [(e.action, e.details["member"], e.details["before"], e.details["after"]) for e in events] == [
        ("project.member", "sam", None, "reader"),
        ("project.member", "sam", "reader", "member"),
        ("project.member", "pia", None, "member"),
        ("project.member_remove", "pia", "member", None),
    ]


def test_who_gives_up_a_role_in_a_project(olga: Actor, sam: Actor) -> None:
    """Anybody may give up their own; who has none is told, as far as they may know of the project."""
    with pytest.raises(NotFound, match="There is no project acme/vault"):
        remove_project_member(sam, "acme", "vault", "sam")
    set_project_member(olga, "acme", "vault", "sam", "reader")
    with pytest.raises(PermissionDenied):
        remove_project_member(sam, "acme", "vault", "olga")
    remove_project_member(sam, "acme", "vault", "sam")
    assert _names(sam) == []
    with pytest.raises(NotFound):
        list_project_members(ANONYMOUS, get_project(olga, "acme", "vault"))


def test_owners_are_made_and_unmade_by_owners(olga: Actor, sam: Actor) -> None:
    """In an organization and in a project: an admin of it does neither, and does not make themselves one."""
    adam = _person("adam")
    let_in(olga, "acme", "adam", "admin")
    for handle in ("sam", "adam"):
        with pytest.raises(PermissionDenied, match="Only an owner of acme"):
            let_in(adam, "acme", handle, "owner")
        with pytest.raises(PermissionDenied, match="Only owners of acme/vault"):
            set_project_member(adam, "acme", "vault", handle, "owner")
    with pytest.raises(PermissionDenied, match="Only an owner of acme"):
        let_in(adam, "acme", "olga", "admin")
    with pytest.raises(PermissionDenied, match="Only an owner of acme"):
        organizations.remove_member(adam, "acme", "olga")
    set_project_member(olga, "acme", "vault", "sam", "owner")
    with pytest.raises(PermissionDenied, match="Only owners of acme/vault"):
        remove_project_member(adam, "acme", "vault", "sam")
    let_in(olga, "acme", "adam", "owner")
    organizations.remove_member(adam, "acme", "olga")
    assert [member.handle for member in list_members(adam, "acme")] == ["adam"]


def test_an_owner_of_a_project_owns_it_alone(olga: Actor, sam: Actor) -> None:
    set_project_member(olga, "acme", "vault", "sam", "owner")
    project = get_project(sam, "acme", "vault")
    require_own(sam, project)
    assert set_project_member(sam, "acme", "vault", "olga", "owner").role == "owner"
    with pytest.raises(PermissionDenied):
        let_in(sam, "acme", "sam")
    with pytest.raises(PermissionDenied, match="Only owners of acme/vault"):
        require_own(_settled(olga, "adam", "admin"), project)


def _settled(owner: Actor, handle: str, role: str) -> Actor:
    made = _person(handle)
    let_in(owner, "acme", handle, role)
    return made


def test_a_closed_account_is_no_owner_to_rely_on(olga: Actor) -> None:
    """The last owner with an open account stays."""
    _settled(olga, "oda", "owner")
    User.objects.filter(handle="oda").update(is_active=False)
    with pytest.raises(PermissionDenied, match="without an owner"):
        organizations.remove_member(olga, "acme", "olga")


@pytest.mark.parametrize("role", ["", "chief", "OWNERS", "member\x00", "x" * 100_000])
def test_what_is_no_role(olga: Actor, sam: Actor, role: str) -> None:
    with pytest.raises(InvalidInput, match="is not a role"):
        set_project_member(olga, "acme", "vault", "sam", role)
    with pytest.raises(InvalidInput, match="is not a role"):
        let_in(olga, "acme", "sam", role)


def test_a_fork_of_a_private_project_is_for_those_who_read_it(olga: Actor, sam: Actor) -> None:
    """With a role in the origin alone one forks it; another reader of the fork must read the origin too."""
    set_project_member(olga, "acme", "vault", "sam", "reader")
    organizations.create_organization(sam, "zoo")
    create_project(sam, "zoo", "copy", fork_from="acme/vault")
    max_ = _person("max")
    let_in(sam, "zoo", "max", "member")
    assert _names(max_) == []
    with pytest.raises(NotFound):
        get_project(max_, "zoo", "copy")
    set_project_member(olga, "acme", "vault", "max", "reader")
    assert _names(max_) == [("acme/vault", "reader"), ("zoo/copy", "member")]
    assert get_project(max_, "zoo", "copy").confined
    remove_project_member(olga, "acme", "vault", "sam")
    assert _names(sam) == []
    with pytest.raises(NotFound):
        get_project(sam, "zoo", "copy")


def test_an_admin_of_one_project_changes_and_deletes_it(olga: Actor, sam: Actor) -> None:
    set_project_member(olga, "acme", "vault", "sam", "member")
    with pytest.raises(PermissionDenied):
        update_project(sam, "acme", "vault", name="Mine")
    set_project_member(olga, "acme", "vault", "sam", "admin")
    assert update_project(sam, "acme", "vault", name="Mine").role == "admin"
    delete_project(sam, "acme", "vault")
    with pytest.raises(Unauthenticated):
        set_project_member(ANONYMOUS, *_public(olga), "sam")


def _public(owner: Actor) -> tuple[str, str]:
    create_project(owner, "acme", "open", visibility="public")
    return "acme", "open"


@pytest.mark.django_db(transaction=True)
def test_the_first_admin_of_earlier_versions_owns() -> None:
    """One owner for each organization, whoever came first; members stay; and back again."""
    before = [("organizations", "0001_initial")]
    after = [("organizations", "0002_four_roles")]
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    people = {handle: accounts.create_user(OPERATOR, handle).id for handle in ("ada", "bea", "cyd")}
    try:
        _migrate(before)
        organization, membership = _models(before)
        for handle, admins in (("acme", "bea ada"), ("zoo", "cyd"), ("none", "")):
            made = organization.objects.create(handle=handle, name=handle)
            for person in [*admins.split(), *(["cyd"] if handle == "acme" else [])]:
                role = "admin" if person in admins else "member"
                membership.objects.create(organization=made, user_id=people[person], role=role)
        _migrate(after)
        roles = "organization__handle", "user__handle", "role"
        assert set(_models(after)[1].objects.values_list(*roles)) == {
            ("acme", "bea", "owner"),
            ("acme", "ada", "admin"),
            ("acme", "cyd", "member"),
            ("zoo", "cyd", "owner"),
        }
        _migrate(before)
        assert set(_models(before)[1].objects.values_list("role", flat=True)) == {"admin", "member"}
    finally:
        _migrate(latest)


def _migrate(to: list[tuple[str, str]]) -> None:
    MigrationExecutor(connection).migrate(to)


def _models(at: list[tuple[str, str]]) -> tuple[type[Model], type[Model]]:
    apps = MigrationExecutor(connection).loader.project_state(at).apps
    return apps.get_model("organizations", "Organization"), apps.get_model("organizations", "Membership")
