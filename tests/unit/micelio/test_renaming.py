"""Handles change, old ones lead to the new, and nobody else gets them; organizations are handed over and deleted."""

from __future__ import annotations

import pytest

from joining import let_in
from mic.core.errors import AlreadyExists, InvalidInput, MicError, NotEmpty, NotFound, PermissionDenied, Unauthenticated
from micelio.accounts import actions as accounts
from micelio.accounts.actor import ANONYMOUS, Actor, actor_of
from micelio.accounts.models import HandleClaim, User
from micelio.accounts.names import rename_account
from micelio.accounts.policy import OPERATOR
from micelio.accounts.queries import get_user
from micelio.audit.models import AuditEvent
from micelio.organizations.actions import (
    create_organization,
    delete_organization,
    remove_member,
    rename_organization,
    transfer_organization,
    update_organization,
)
from micelio.organizations.queries import get_organization, list_members
from micelio.projects.actions import create_project
from micelio.projects.jobs import enter_again
from micelio.projects.models import Project
from micelio.projects.moved import Move, moves
from micelio.projects.queries import get_project, list_projects
from micelio.projects.registry import entries

pytestmark = pytest.mark.django_db


def _person(handle: str) -> Actor:
    return actor_of(accounts.create_user(OPERATOR, handle), "web")


@pytest.fixture
def olga() -> Actor:
    actor = _person("olga")
    create_organization(actor, "acme")
    return actor


def test_an_organization_gets_another_handle(olga: Actor) -> None:
    """The old one leads to it, and is nobody else's, under any spelling."""
    made = rename_organization(olga, "acme", " Apex ")
    assert (made.handle, made.name, made.role) == ("apex", "apex", "owner")
    for handle in ("acme", "ACME", "apex"):
        assert get_organization(ANONYMOUS, handle).handle == "apex"
    with pytest.raises(AlreadyExists, match="acme is taken"):
        create_organization(olga, "acme")
    with pytest.raises(AlreadyExists, match="acme is taken"):
        accounts.create_user(OPERATOR, "acme")
    with pytest.raises(AlreadyExists, match="acme is taken"):
        rename_account(_person("sam"), "acme")
    event = AuditEvent.objects.get(action="organization.rename")
    assert (event.object_name, event.details) == ("apex", {"before": "acme", "after": "apex"})


def test_back_to_an_earlier_handle(olga: Actor) -> None:
    rename_organization(olga, "acme", "apex")
    assert rename_organization(olga, "acme", "acme").handle == "acme"
    assert get_organization(ANONYMOUS, "apex").handle == "acme"
    assert rename_organization(olga, "acme", "acme").handle == "acme"


def test_a_given_name_stays(olga: Actor) -> None:
    create_organization(olga, "zoo", "The Zoo")
    assert rename_organization(olga, "zoo", "park").name == "The Zoo"


def test_a_person_gets_another_handle(olga: Actor) -> None:
    """Whoever names the old one means them; memberships stay."""
    assert rename_account(olga, "Olga-2") == "olga-2"
    assert get_user(ANONYMOUS, "olga").handle == "olga-2"
    assert [member.handle for member in list_members(olga, "acme")] == ["olga-2"]
    with pytest.raises(AlreadyExists):
        create_organization(olga, "olga")
    again = actor_of(User.objects.get(handle="olga-2"), "web")
    assert rename_account(again, "olga") == "olga"
    assert get_user(ANONYMOUS, "olga-2").handle == "olga"
    with pytest.raises(Unauthenticated):
        rename_account(ANONYMOUS, "nobody")


def test_a_closed_account_is_not_found_by_its_old_handle(olga: Actor) -> None:
    rename_account(olga, "olga-2")
    User.objects.update(is_active=False)
    with pytest.raises(NotFound):
        get_user(ANONYMOUS, "olga")


def test_ten_handles_and_no_more(olga: Actor) -> None:
    """Each is taken for good, so nobody takes them all."""
    for number in range(2, 11):
        rename_account(olga, f"olga-{number}")
    with pytest.raises(InvalidInput, match="olga-10 has had 10 handles"):
        rename_account(olga, "olga-11")
    assert rename_account(olga, "olga") == "olga"
    assert HandleClaim.objects.filter(kind="user").count() == 10


@pytest.mark.parametrize(
    "handle", ["", "-", "admin", "settings", "a" * 40, "a/b", "a.b", "a b", "аcme", "acme\u202e", "a\x00", "é"]
)
def test_bad_handles(olga: Actor, handle: str) -> None:
    for rename in (lambda: rename_account(olga, handle), lambda: rename_organization(olga, "acme", handle)):
        with pytest.raises(InvalidInput):
            rename()
    assert set(HandleClaim.objects.values_list("handle", flat=True)) == {"olga", "acme"}


def test_only_owners_rename_hand_over_and_delete(olga: Actor) -> None:
    adam = _person("adam")
    let_in(olga, "acme", "adam", "admin")
    acts = (
        lambda who: rename_organization(who, "acme", "apex"),
        lambda who: transfer_organization(who, "acme", "adam"),
        lambda who: delete_organization(who, "acme", "acme"),
    )
    for act in acts:
        with pytest.raises(PermissionDenied, match="Only an owner of acme"):
            act(adam)
        with pytest.raises(PermissionDenied):
            act(_person(f"stan-{acts.index(act)}"))
        with pytest.raises(Unauthenticated):
            act(ANONYMOUS)
    assert update_organization(adam, "acme", name="Acme", description="Tools").description == "Tools"
    with pytest.raises(InvalidInput, match="longer than 200"):
        update_organization(adam, "acme", name="x" * 10_000_000)
    assert AuditEvent.objects.filter(action="organization.update").count() == 1


def test_an_organization_is_handed_over(olga: Actor) -> None:
    """To a member with an open account; who hands it over becomes an admin, and may leave."""
    let_in(olga, "acme", _person("sam").handle, "reader")
    for name, error in (("nobody", NotFound), ("olga", InvalidInput)):
        with pytest.raises(error):
            transfer_organization(olga, "acme", name)
    assert transfer_organization(olga, "acme", "SAM").role == "admin"
    assert [(member.handle, member.role) for member in list_members(olga, "acme")] == [
        ("olga", "admin"),
        ("sam", "owner"),
    ]
    remove_member(olga, "acme", "olga")
    assert AuditEvent.objects.filter(action="organization.leave").count() == 1


def test_a_closed_account_takes_nothing_over_and_can_be_removed(olga: Actor) -> None:
    let_in(olga, "acme", _person("sam").handle)
    User.objects.filter(handle="sam").update(is_active=False)
    with pytest.raises(InvalidInput, match="closed"):
        transfer_organization(olga, "acme", "sam")
    remove_member(olga, "acme", "sam")
    assert [member.handle for member in list_members(olga, "acme")] == ["olga"]


def test_an_empty_organization_is_deleted(olga: Actor) -> None:
    """When its name is typed. Neither this nor an earlier handle is ever free again."""
    rename_organization(olga, "acme", "apex")
    for typed in ("", "acme", "yes", "x" * 10_000_000):
        with pytest.raises(InvalidInput, match="is not apex; nothing was deleted"):
            delete_organization(olga, "apex", typed)
    delete_organization(olga, "apex", " APEX ")
    for handle in ("apex", "acme"):
        with pytest.raises(NotFound):
            get_organization(olga, handle)
        with pytest.raises(AlreadyExists):
            create_organization(olga, handle)
    assert AuditEvent.objects.get(action="organization.delete").object_name == "apex"


def test_an_organization_with_projects_stays(olga: Actor) -> None:
    """And one whose private history lives on in a fork elsewhere."""
    create_project(olga, "acme", "web")
    create_organization(olga, "zoo")
    create_project(olga, "zoo", "web", fork_from="acme/web")
    with pytest.raises(NotEmpty, match="acme still has projects"):
        delete_organization(olga, "acme", "acme")
    Project.objects.filter(owner__handle="acme").delete()
    with pytest.raises(NotEmpty, match="Forks elsewhere hold what was private in acme"):
        delete_organization(olga, "acme", "acme")
    assert get_organization(olga, "acme").role == "owner"
    with pytest.raises(AlreadyExists):
        create_organization(olga, "acme")


def test_the_bucket_knows_the_new_handle(olga: Actor) -> None:
    """Of its projects, and of forks elsewhere that only its members may read."""
    create_project(olga, "acme", "web")
    create_organization(olga, "zoo")
    create_project(olga, "zoo", "copy", fork_from="acme/web")
    own = set(Project.objects.values_list("id", flat=True))
    organization = rename_organization(olga, "acme", "apex")
    assert enter_again.call(str(organization.id)) == 2
    found = {entry.handle: entry for entry in entries() if entry.id in own}
    assert {(entry.owner, entry.handle) for entry in found.values()} == {("apex", "web"), ("zoo", "copy")}
    assert [confined.organization for confined in found["copy"].confined_to] == ["apex"]


def test_a_project_is_found_under_its_owners_earlier_handle(olga: Actor) -> None:
    """By whoever may see it, under its present name; for others the old address is that of nothing."""
    create_project(olga, "acme", "web")
    create_project(olga, "acme", "site", visibility="public")
    rename_organization(olga, "acme", "apex")
    with moves() as moved:
        found = get_project(olga, "ACME", "web")
    assert (found.owner, found.handle, found.role) == ("apex", "web", "owner")
    assert moved == [Move("acme", "web", "apex", "web")]
    assert get_project(ANONYMOUS, "acme", "site").owner == "apex"
    assert [row.handle for row in list_projects(ANONYMOUS, "acme")] == ["site"]
    for handle in ("web", "weg"):
        with pytest.raises(NotFound, match=f"There is no project acme/{handle}, or you may not see it"):
            get_project(ANONYMOUS, "acme", handle)
    create_project(olga, "acme", "more")
    assert get_project(olga, "apex", "more").owner == "apex"


def test_what_fails_changes_no_name(olga: Actor) -> None:
    create_organization(olga, "zoo")
    with pytest.raises(MicError):
        rename_organization(olga, "acme", "zoo")
    assert get_organization(olga, "acme").handle == "acme"
    assert get_organization(olga, "zoo").handle == "zoo"
