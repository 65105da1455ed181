"""Nobody is in an organization who has not accepted: by handle, by link, once, within a week."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from joining import let_in
from mic.core.errors import AlreadyExists, InvalidInput, MicError, NotFound, PermissionDenied, TooLarge, Unauthenticated
from micelio import config
from micelio.accounts import actions as accounts
from micelio.accounts.actor import ANONYMOUS, Actor, actor_of
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.audit.models import AuditEvent
from micelio.mail import outbox
from micelio.mail.models import Letter
from micelio.organizations import invitations
from micelio.organizations.actions import create_organization, remove_member, set_role
from micelio.organizations.invitations import (
    accept_invitation,
    count_own_invitations,
    decline_invitation,
    invitation_of_link,
    invite,
    list_invitations,
    own_invitations,
    purge_invitations,
    revoke_invitation,
)
from micelio.organizations.models import Invitation
from micelio.organizations.queries import list_members, list_organizations
from micelio.postal_place import PostalPlace

pytestmark = pytest.mark.django_db
SPENT = "This invitation is good no more: it was answered, taken back, or is older than a week."


def _person(handle: str) -> Actor:
    return actor_of(accounts.create_user(OPERATOR, handle), "web")


@pytest.fixture
def olga() -> Actor:
    actor = _person("olga")
    create_organization(actor, "acme", "Acme")
    return actor


@pytest.fixture
def sam() -> Actor:
    return _person("sam")


def _members(actor: Actor) -> list[tuple[str, str]]:
    return [(member.handle, member.role) for member in list_members(actor, "acme")]


def test_an_account_is_invited_and_accepts(olga: Actor, sam: Actor) -> None:
    """Until then it is in nothing; each step is told to the audit log."""
    made = invite(olga, "acme", "SAM", "reader")
    assert (made.token, made.invitation.whom, made.invitation.role, made.invitation.invited_by) == (
        "", "sam", "reader", "olga",
    )  # fmt: skip
    assert made.invitation.expires_at - made.invitation.created_at < timedelta(days=7, minutes=1)
    assert _members(olga) == [("olga", "owner")]
    assert list_organizations(sam) == []
    assert count_own_invitations(sam) == 1
    assert [(row.organization, row.organization_name, row.role) for row in own_invitations(sam)] == [
        ("acme", "Acme", "reader")
    ]
    assert accept_invitation(sam, organization="ACME").role == "reader"
    assert _members(sam) == [("olga", "owner"), ("sam", "reader")]
    assert own_invitations(sam) == list_invitations(olga, "acme") == []
    with pytest.raises(AlreadyExists, match="You are a member of acme already"):
        accept_invitation(sam, organization="acme")
    events = AuditEvent.objects.filter(organization_id=made.invitation and olga_acme()).order_by("id")
    assert [(event.action, event.actor_handle) for event in events][1:] == [
        ("organization.invite", "olga"),
        ("organization.join", "sam"),
    ]


def olga_acme() -> object:
    return Invitation.objects.values_list("organization_id", flat=True)[0]


def test_an_address_is_invited_by_a_link(olga: Actor, sam: Actor) -> None:
    """Whoever is signed in with it accepts, once. It does not say whose address it was made for."""
    made = invite(olga, "acme", " New.Person@Example.ORG ", "admin")
    assert made.invitation.whom == "new.person@example.org"
    assert len(made.token) == 43
    assert Invitation.objects.get().token_hash not in (None, made.token)
    shown = invitation_of_link(ANONYMOUS, made.token)
    assert (shown.organization, shown.role, shown.email, shown.invited_by) == ("acme", "admin", "", "olga")
    with pytest.raises(Unauthenticated):
        accept_invitation(ANONYMOUS, token=made.token)
    assert accept_invitation(sam, token=made.token).role == "admin"
    for answer in (accept_invitation, decline_invitation):
        with pytest.raises(NotFound) as caught:
            answer(_person(f"late-{answer.__name__[:3]}"), token=made.token)
        assert caught.value.message == SPENT
    assert "new.person@example.org" in str(AuditEvent.objects.get(action="organization.invite").details)


@pytest.mark.parametrize("token", ["", "x", "x" * 100_000, "\x00", "\ud800", "none"])
def test_a_link_that_never_was(olga: Actor, sam: Actor, token: str) -> None:
    """The answer of one that is spent."""
    if token:
        with pytest.raises(NotFound, match="good no more"):
            accept_invitation(sam, token=token)
    with pytest.raises(NotFound, match="good no more"):
        invitation_of_link(sam, token)


def test_who_declines_is_not_in(olga: Actor, sam: Actor) -> None:
    invite(olga, "acme", "sam")
    decline_invitation(sam, organization="acme")
    link = invite(olga, "acme", "sam@example.org").token
    decline_invitation(sam, token=link)
    assert _members(olga) == [("olga", "owner")]
    assert list_invitations(olga, "acme") == []
    with pytest.raises(NotFound):
        accept_invitation(sam, token=link)


def test_an_invitation_is_taken_back(olga: Actor, sam: Actor) -> None:
    """By admins, by its id; then it opens nothing."""
    link = invite(olga, "acme", "sam@example.org")
    by_handle = invite(olga, "acme", "sam").invitation
    assert {row.whom for row in list_invitations(olga, "acme")} == {"sam", "sam@example.org"}
    first, second = list_invitations(olga, "acme", limit=1), list_invitations(olga, "acme")[1:]
    assert list_invitations(olga, "acme", after=str(first[0].id)) == second
    with pytest.raises(PermissionDenied):
        revoke_invitation(sam, "acme", str(by_handle.id))
    for one in (link.invitation, by_handle):
        revoke_invitation(olga, "acme", str(one.id))
    with pytest.raises(NotFound, match="no such open invitation"):
        revoke_invitation(olga, "acme", str(by_handle.id))
    with pytest.raises(InvalidInput, match="is not the id"):
        revoke_invitation(olga, "acme", "1")
    with pytest.raises(NotFound):
        accept_invitation(sam, token=link.token)
    with pytest.raises(NotFound):
        accept_invitation(sam, organization="acme")


def test_an_invitation_of_another_organization_is_none_here(olga: Actor, sam: Actor) -> None:
    create_organization(sam, "zoo")
    theirs = invite(sam, "zoo", "olga").invitation
    with pytest.raises(NotFound):
        revoke_invitation(olga, "acme", str(theirs.id))
    assert len(own_invitations(olga)) == 1


def test_a_later_invitation_replaces_the_earlier(olga: Actor, sam: Actor) -> None:
    old = invite(olga, "acme", "sam@example.org", "admin")
    new = invite(olga, "acme", "SAM@example.org", "reader")
    assert [row.role for row in list_invitations(olga, "acme")] == ["reader"]
    with pytest.raises(NotFound):
        accept_invitation(sam, token=old.token)
    assert accept_invitation(sam, token=new.token).role == "reader"
    with pytest.raises(AlreadyExists, match="sam is a member of acme already"):
        invite(olga, "acme", "sam", "admin")


def test_after_a_week_it_is_good_no_more(olga: Actor, sam: Actor) -> None:
    """And a month later it is gone. Inviting anew works in between."""
    link = invite(olga, "acme", "sam@example.org").token
    invite(olga, "acme", "sam")
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert own_invitations(sam) == list_invitations(olga, "acme") == []
    with pytest.raises(NotFound):
        accept_invitation(sam, token=link)
    with pytest.raises(NotFound):
        accept_invitation(sam, organization="acme")
    assert purge_invitations() == 0
    invite(olga, "acme", "sam")
    Invitation.objects.filter(expires_at__lt=timezone.now()).update(expires_at=timezone.now() - timedelta(days=31))
    assert purge_invitations() == 2
    assert len(own_invitations(sam)) == 1


def test_a_stronger_role_is_kept(olga: Actor, sam: Actor) -> None:
    """A link for a reader does not take the role of an admin away."""
    link = invite(olga, "acme", "sam@example.org", "reader").token
    let_in(olga, "acme", "sam", "admin")
    assert accept_invitation(sam, token=link).role == "admin"


def test_who_left_lets_nobody_in(olga: Actor, sam: Actor) -> None:
    """Removed, made a member only, or closed: what they had invited to is refused until somebody else invites."""
    adam = _person("adam")
    for end in (
        lambda: remove_member(olga, "acme", "adam"),
        lambda: set_role(olga, "acme", "adam", "member"),
        lambda: User.objects.filter(handle="adam").update(is_active=False),
    ):
        let_in(olga, "acme", "adam", "admin")
        link = invite(adam, "acme", "sam@example.org").token
        end()
        with pytest.raises(PermissionDenied, match="adam, who made this invitation, may not invite to acme any more"):
            accept_invitation(sam, token=link)
    assert ("sam", "member") not in _members(olga)


def test_only_owners_invite_owners(olga: Actor, sam: Actor) -> None:
    let_in(olga, "acme", "sam", "admin")
    for whom in ("olga@example.org", "olga"):
        with pytest.raises(PermissionDenied, match="Only an owner of acme"):
            invite(sam, "acme", whom, "owner")
    new = _person("new")
    invite(olga, "acme", "new", "owner")
    assert accept_invitation(new, organization="acme").role == "owner"


@pytest.mark.parametrize(
    "whom",
    ["", "nobody", "a@", "@", "a b@example.org", "x@example.org\nBcc: y@example.org", "\x00@example.org", "é@e",
     "a" * 10_000_000 + "@example.org", "olga\u202e", "оlga"],
)  # fmt: skip
def test_whom_one_cannot_invite(olga: Actor, whom: str) -> None:
    """A sentence, and no row."""
    with pytest.raises(MicError) as caught:
        invite(olga, "acme", whom)
    assert isinstance(caught.value, InvalidInput | NotFound)
    assert len(caught.value.message) < 300
    assert Invitation.objects.count() == 0


def test_not_for_ever_more(olga: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open invitations of one organization are bounded; one that replaces another is none more."""
    monkeypatch.setattr(invitations, "MOST_OPEN", 2)
    for name in ("a", "b", "a"):
        invite(olga, "acme", f"{name}@example.org")
    with pytest.raises(TooLarge, match="has 2 open invitations"):
        invite(olga, "acme", "c@example.org")


def test_where_mail_is_sent_the_link_is_mailed(olga: Actor) -> None:
    """To the address, good as long as the invitation; an account that is invited by its handle gets no letter."""
    before = config.current()
    place = PostalPlace("mail.example.org", 25, "", "", "off", "forge@example.org")
    config.install(replace(before, postal=place))
    try:
        token = invite(olga, "acme", "bea@example.org", "reader").token
        _person("sam")
        invite(olga, "acme", "sam")
    finally:
        config.install(before)
    letter = Letter.objects.get()
    contents = outbox.contents_of(letter)
    assert (letter.to, contents.link) == ("bea@example.org", f"{before.base_url}/-/invitations/{token}")
    assert contents.paragraphs[0].startswith("olga invites you to acme on ")
    assert letter.expires_at - letter.created_at == timedelta(days=7)
