"""Personal and session tokens: what each may do, for how long, and what is kept of it."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from joining import let_in
from mic.core.blob import encode_blob
from mic.core.errors import AlreadyExists, InvalidInput, NotFound, PermissionDenied, TooLarge, Unauthenticated
from mic.core.ids import content_hash
from mic.core.session import Change, Op, Session
from mic.core.token import is_token
from micelio.accounts import actions as accounts
from micelio.accounts.actor import ANONYMOUS, Actor, actor_of
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.audit.models import AuditEvent
from micelio.audit.origin import come_from
from micelio.organizations import actions as organizations
from micelio.organizations.invitations import invite
from micelio.organizations.queries import get_organization, list_members, list_organizations
from micelio.projects import actions as projects
from micelio.projects.deletion import delete_project
from micelio.projects.models import Project
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import get_project, list_projects
from micelio.sessions import actions as sessions
from micelio.sessions import queries as landings
from micelio.sessions.intake import HistoryIntake
from micelio.tokens import actions, queries
from micelio.tokens.models import AccessToken

pytestmark = pytest.mark.django_db

SESSION = bytes(range(16))
OTHER = bytes(range(1, 17))
ALL = ["project:write", "session:write", "org:admin"]


@pytest.fixture
def olga() -> Actor:
    """Admin of acme, with a public project `web` and a private one, `vault`."""
    actor = actor_of(accounts.create_user(OPERATOR, "olga"), "web")
    organizations.create_organization(actor, "acme")
    projects.create_project(actor, "acme", "web", visibility="public")
    projects.create_project(actor, "acme", "vault")
    return actor


@pytest.fixture
def sam() -> Actor:
    return actor_of(accounts.create_user(OPERATOR, "sam"), "web")


def _with(actor: Actor, *scopes: str, of: tuple[str, ...] = (), mixes: bool = False) -> Actor:
    """Whoever comes with a new token of `actor`."""
    return queries.actor_of_token(actions.create_token(actor, "t", scopes, of, mixes=mixes).value)


def _vault(actor: Actor) -> ProjectView:
    return get_project(actor, "acme", "vault")


def test_a_token_is_shown_once_and_kept_as_a_hash(olga: Actor) -> None:
    made = actions.create_token(olga, " CI ", ["session:write", "project:read"], ["acme/Web"], 7)
    assert is_token(made.value)
    assert made.value.startswith("mic_pat_")
    row = AccessToken.objects.get()
    assert made.value not in str(vars(row))
    assert (made.token.name, made.token.scopes, made.token.projects) == (
        "CI", ("project:read", "session:write"), ("acme/web",),
    )  # fmt: skip
    assert timedelta(days=6, hours=23) < made.token.expires_at - timezone.now() <= timedelta(days=7)
    assert [view.id for view in queries.list_tokens(olga)] == [row.id]
    event = AuditEvent.objects.get(action="token.create")
    assert (event.object_name, event.details["scopes"]) == ("CI", "project:read session:write")
    assert made.value not in str(event.details)


def test_asked_again_with_the_same_id_there_is_one_token(olga: Actor, sam: Actor) -> None:
    """While nobody has used it: whoever lost the answer never had its value. The id of anything else is taken."""
    ident = uuid.UUID("018f0000-0000-7000-8000-000000000001")
    first = actions.create_token(olga, "CI", ["project:read"], token_id=ident)
    second = actions.create_token(olga, "CI", ["project:read"], days=3, token_id=ident)
    assert [token.id for token in queries.list_tokens(olga)] == [ident] == [second.token.id]
    with pytest.raises(Unauthenticated):
        queries.actor_of_token(first.value)
    events = AuditEvent.objects.filter(object_type="token").order_by("id").values_list("action", flat=True)
    assert list(events) == ["token.create", "token.revoke", "token.create"]
    for actor, name in ((sam, "CI"), (olga, "Other")):
        with pytest.raises(AlreadyExists):
            actions.create_token(actor, name, ["project:read"], token_id=ident)
    assert queries.actor_of_token(second.value).handle == "olga"
    with pytest.raises(AlreadyExists):
        actions.create_token(olga, "CI", ["project:read"], token_id=ident)
    assert queries.actor_of_token(second.value).handle == "olga"
    assert actions.create_token(olga, "CI", ["project:read"]).token.id != ident


def test_a_token_stands_for_its_account_and_never_for_an_administrator() -> None:
    root = actor_of(accounts.create_user(OPERATOR, "root", is_admin=True), "web")
    actor = _with(root, "org:read")
    assert (actor.user_id, actor.handle, actor.is_admin, actor.via) == (root.user_id, "root", False, "personal-token")


def _expire(row: AccessToken) -> None:
    AccessToken.objects.update(expires_at=timezone.now())


def _revoke(row: AccessToken) -> None:
    row.delete()


def _suspend(row: AccessToken) -> None:
    User.objects.update(is_active=False)


@pytest.mark.parametrize("spoil", [_expire, _revoke, _suspend])
def test_a_token_that_is_not_good_any_more_is_nobody(olga: Actor, spoil: object) -> None:
    """In the words for one that never was, and for one that was mistyped or is a hash."""
    value = actions.create_token(olga, "t", ["org:read"]).value
    assert queries.actor_of_token(value).handle == "olga"
    row = AccessToken.objects.get()
    spoil(row)  # type: ignore[operator]
    said = set()
    for token in (value, value[:-1], value[:-1] + "!", "x" * 57, "mic_pat_", row.token_hash, "", "mic_pat_" + "é" * 49):
        with pytest.raises(Unauthenticated) as caught:
            queries.actor_of_token(token)
        said.add((caught.value.message, caught.value.hint))
    assert said == {("The access token is not valid here.", "Sign in again with `mic auth login`.")}


def test_a_revoked_token_is_out_at_once_and_only_its_owner_revokes_it(olga: Actor, sam: Actor) -> None:
    made = actions.create_token(olga, "t", ["org:read"])
    answers = []
    for wrong in (made.token.id, uuid.uuid4()):
        with pytest.raises(NotFound) as caught:
            actions.revoke_token(sam, wrong)
        answers.append((caught.value.message.replace(str(wrong), "?"), caught.value.hint))
    assert answers[0] == answers[1]
    with pytest.raises(Unauthenticated):
        actions.revoke_token(ANONYMOUS, made.token.id)
    actions.revoke_token(olga, made.token.id)
    with pytest.raises(Unauthenticated):
        queries.actor_of_token(made.value)
    assert AuditEvent.objects.filter(action="token.revoke", object_id=str(made.token.id)).count() == 1


def test_a_token_neither_makes_nor_sees_nor_revokes_tokens(olga: Actor) -> None:
    """It would outlive its own revocation."""
    actor = _with(olga, *ALL, mixes=True)
    own = AccessToken.objects.get().id
    for act in (
        lambda: actions.create_token(actor, "t", ["org:read"]),
        lambda: actions.create_session_token(actor, _vault(olga), SESSION),
        lambda: actions.renew_session_token(actor, own),
        lambda: actions.revoke_token(actor, own),
        lambda: queries.list_tokens(actor),
    ):
        with pytest.raises(PermissionDenied, match="nor make, list or revoke"):
            act()


@pytest.mark.parametrize(
    ("scopes", "of", "days", "sentence"),
    [
        ([], [], 0, "needs a scope"),
        (["admin"], [], 0, "'admin' is not a scope"),
        (["session:read"], [], 0, "could not read"),
        (["org:read", "project:read"], ["acme/web"], 0, "cannot have a scope of organizations"),
        (["project:read"], ["acme"], 0, "does not name a project"),
        (["project:read"], [], 367, "cannot be good for 367 days"),
        (["project:read"], [], -1, "cannot be good for -1 days"),
        (["project:write"], [], 0, "read private projects and write public ones"),
        (["project:read", "session:write"], ["acme/web", "acme/vault"], 0, "read private projects and write public"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(
    olga: Actor, scopes: list[str], of: list[str], days: int, sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        actions.create_token(olga, "t", scopes, of, days)
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb", "a\x00b", "a\u202eb"])
def test_a_token_needs_a_name_that_can_be_read(olga: Actor, name: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        actions.create_token(olga, name, ["org:read"])


def test_a_project_of_others_is_as_absent_as_one_that_is_not_there(olga: Actor, sam: Actor) -> None:
    said = []
    for handle in ("vault", "nothing"):
        with pytest.raises(NotFound) as caught:
            actions.create_token(sam, "t", ["project:read"], [f"acme/{handle}"])
        said.append(caught.value.message.replace(handle, "?"))
    assert said[0] == said[1]


def test_an_account_has_so_many_tokens_at_once(olga: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST_TOKENS", 2)
    actions.create_token(olga, "t", ["org:read"])
    actions.create_token(olga, "t", ["org:read"])
    with pytest.raises(TooLarge, match="You have 2 tokens"):
        actions.create_token(olga, "t", ["org:read"])
    AccessToken.objects.update(expires_at=timezone.now())
    actions.create_token(olga, "t", ["org:read"])


def test_scopes_are_not_ignored(olga: Actor) -> None:
    """Each act needs its own; to write is to read, and nothing else follows from anything."""
    reader = _with(olga, "project:read")
    assert _vault(reader).role == "owner"
    assert [p.handle for p in list_projects(reader)] == ["vault", "web"]
    for refused in (
        lambda: landings.list_landings(reader, _vault(olga)),
        lambda: sessions.start_session(reader, _vault(olga), "Goal", 0, SESSION),
        lambda: projects.update_project(reader, "acme", "vault", name="x"),
        lambda: projects.create_project(reader, "acme", "new"),
        lambda: delete_project(reader, "acme", "vault"),
        lambda: get_organization(reader, "acme"),
        lambda: list_organizations(reader),
        lambda: list_members(reader, "acme"),
        lambda: invite(reader, "acme", "olga"),
        lambda: organizations.create_organization(reader, "mine"),
    ):
        with pytest.raises(PermissionDenied, match="lacks the scope"):
            refused()
    member = _with(olga, "org:admin")
    assert get_organization(member, "acme").role == "owner"
    with pytest.raises(PermissionDenied, match="lacks the scope project:read"):
        get_project(member, "acme", "nothing")
    writer = _with(olga, "project:read", "session:write", of=("acme/vault",))
    assert sessions.start_session(writer, _vault(writer), "Goal", 0, SESSION).goal == "Goal"
    assert [row.goal for row in landings.list_open_sessions(writer, _vault(writer))] == ["Goal"]
    with pytest.raises(PermissionDenied, match="project:write"):
        projects.update_project(writer, "acme", "vault", name="x")


def test_a_token_for_one_project_knows_of_no_other(olga: Actor) -> None:
    """Not even of the public ones; a new project of the same name is another project."""
    actor = _with(olga, "project:write", "session:write", of=("acme/vault",))
    assert [p.handle for p in list_projects(actor)] == ["vault"]
    with pytest.raises(NotFound):
        get_project(actor, "acme", "web")
    with pytest.raises(PermissionDenied, match="for some projects only"):
        projects.create_project(actor, "acme", "new")
    gone = get_project(olga, "acme", "vault")
    delete_project(olga, "acme", "vault")
    with pytest.raises(NotFound):
        get_project(actor, "acme", "vault")
    Project.everything.filter(id=gone.id).delete()  # as it is erased when its days are over
    projects.create_project(olga, "acme", "vault")
    with pytest.raises(NotFound):
        get_project(actor, "acme", "vault")
    assert queries.list_tokens(olga)[0].projects == ("(gone)",)


def test_private_does_not_go_public_through_a_token(olga: Actor) -> None:
    """Neither by publishing a project, nor after the visibility of one of its projects has changed."""
    projects.create_project(olga, "acme", "vault2")
    actor = _with(olga, "project:write", "session:write", of=("acme/vault", "acme/vault2"))
    with pytest.raises(PermissionDenied, match="make nothing public"):
        projects.update_project(actor, "acme", "vault", visibility="public")
    projects.update_project(olga, "acme", "vault2", visibility="public")
    with pytest.raises(PermissionDenied, match="make nothing public in acme/vault2"):
        sessions.start_session(actor, get_project(actor, "acme", "vault2"), "Goal", 0, SESSION)
    assert sessions.start_session(actor, _vault(actor), "Goal", 0, SESSION)
    mixed = _with(olga, "project:write", "session:write", of=("acme/vault", "acme/vault2"), mixes=True)
    assert sessions.start_session(mixed, get_project(mixed, "acme", "vault2"), "Goal", 0, OTHER)


def test_a_membership_that_ends_ends_for_tokens_too(olga: Actor, sam: Actor) -> None:
    let_in(olga, "acme", "sam")
    actor = _with(sam, "project:read", of=("acme/vault",))
    assert _vault(actor).role == "member"
    organizations.remove_member(olga, "acme", "sam")
    with pytest.raises(NotFound):
        _vault(actor)


def test_an_agents_token_lands_one_session_and_nothing_else(olga: Actor) -> None:
    made = actions.create_session_token(olga, _vault(olga), SESSION)
    assert made.value.startswith("mic_agt_")
    assert timedelta(minutes=14) < made.token.expires_at - timezone.now() <= timedelta(minutes=15)
    agent = queries.actor_of_token(made.value)
    assert agent.via == "agent-token"
    vault = _vault(agent)
    assert sessions.start_session(agent, vault, "Goal", 0, SESSION).owner == olga.user_id.bytes  # type: ignore[union-attr]
    sessions.start_session(olga, _vault(olga), "Hidden", 0, OTHER)
    assert landings.get_session(agent, vault, SESSION).session.goal == "Goal"
    assert landings.list_open_sessions(agent, vault) == []
    with pytest.raises(NotFound):
        landings.get_session(agent, vault, OTHER)
    for refused in (
        lambda: sessions.start_session(agent, vault, "Goal", 0, OTHER),
        lambda: sessions.start_session(agent, vault, "Goal", 0),
        lambda: sessions.abandon_session(agent, vault, SESSION),
        lambda: HistoryIntake(agent, vault, "x"),
        lambda: projects.update_project(agent, "acme", "vault", name="x"),
        lambda: list_members(agent, "acme"),
        lambda: actions.create_session_token(agent, vault, SESSION),
    ):
        with pytest.raises(PermissionDenied):
            refused()
    with pytest.raises(NotFound):
        get_project(agent, "acme", "web")
    event = AuditEvent.objects.filter(action="session.start").earliest("id")
    assert (event.actor_handle, event.via, event.token) == ("olga", "agent-token", str(made.token.id))


def test_an_agents_token_ends_a_minute_after_its_landing(olga: Actor) -> None:
    """An answer that was lost can be asked for again; what is left of the quarter of an hour is gone."""
    made = actions.create_session_token(olga, _vault(olga), SESSION)
    personal = actions.create_token(olga, "t", ["org:read"]).token
    agent = queries.actor_of_token(made.value)
    project = _vault(agent)
    change = Change(b"a.txt", int(Op.ADDED), 0o100644, content_hash(b"a"), 1, b"", 0)
    session = Session(id=SESSION, goal="Goal", base_position=0, hlc_created=1, changes=(change,))
    sessions.land(agent, project, session, {content_hash(b"a"): encode_blob(b"a")})
    left = AccessToken.objects.get(id=made.token.id).expires_at - timezone.now()
    assert timedelta(seconds=50) < left <= timedelta(minutes=1)
    assert AccessToken.objects.get(id=personal.id).expires_at == personal.expires_at
    assert landings.get_session(queries.actor_of_token(made.value), project, SESSION).session.goal == "Goal"
    with pytest.raises(InvalidInput, match="landed"):
        actions.renew_session_token(olga, made.token.id)


def test_an_agents_token_is_made_for_a_session_that_can_land(olga: Actor, sam: Actor) -> None:
    """Not somebody else's, not an abandoned one, and only where its maker may land."""
    let_in(olga, "acme", "sam")
    sessions.start_session(olga, _vault(olga), "Goal", 0, SESSION)
    with pytest.raises(PermissionDenied, match="started by somebody else"):
        actions.create_session_token(sam, _vault(sam), SESSION)
    made = actions.create_session_token(olga, _vault(olga), SESSION)
    sessions.abandon_session(olga, _vault(olga), SESSION)
    for again in (
        lambda: actions.create_session_token(olga, _vault(olga), SESSION),
        lambda: actions.renew_session_token(olga, made.token.id),
    ):
        with pytest.raises(InvalidInput, match="abandoned"):
            again()
    organizations.remove_member(olga, "acme", "sam")
    with pytest.raises(PermissionDenied):
        actions.create_session_token(sam, get_project(sam, "acme", "web"), OTHER)


def test_an_agents_token_is_renewed_by_its_maker_while_it_is_good(olga: Actor, sam: Actor) -> None:
    made = actions.create_session_token(olga, _vault(olga), SESSION)
    soon = timezone.now() + timedelta(seconds=30)
    AccessToken.objects.update(expires_at=soon)
    with pytest.raises(NotFound):
        actions.renew_session_token(sam, made.token.id)
    assert actions.renew_session_token(olga, made.token.id).expires_at > soon + timedelta(minutes=14)
    AccessToken.objects.update(expires_at=timezone.now())
    with pytest.raises(NotFound):
        actions.renew_session_token(olga, made.token.id)
    personal = actions.create_token(olga, "t", ["org:read"])
    with pytest.raises(InvalidInput, match="no token of a session"):
        actions.renew_session_token(olga, personal.token.id)


def test_the_last_use_is_written_once_a_minute(olga: Actor) -> None:
    """One query for a call, and a second one when the use is news."""
    come_from("")  # from nowhere that would be noted
    value = actions.create_token(olga, "t", ["org:read"]).value
    assert queries.list_tokens(olga)[0].last_used_at is None
    for expected in (2, 1, 1):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            queries.actor_of_token(value)
        assert len(asked) == expected
    used = queries.list_tokens(olga)[0].last_used_at
    assert used is not None
    AccessToken.objects.update(last_used_at=used - timedelta(seconds=61))
    queries.actor_of_token(value)
    assert (queries.list_tokens(olga)[0].last_used_at or used) >= used


def test_expired_tokens_are_removed(olga: Actor) -> None:
    actions.create_token(olga, "t", ["org:read"])
    keep = actions.create_token(olga, "u", ["org:read"])
    AccessToken.objects.exclude(id=keep.token.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert actions.purge_expired() == 1
    assert AccessToken.objects.get().id == keep.token.id
