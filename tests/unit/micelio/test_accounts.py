"""Accounts: handles, tokens, one-time links, and what the audit log keeps of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Token
from django.utils import timezone

from mic.core.errors import AlreadyExists, InvalidInput, NotFound, PermissionDenied, Unauthenticated
from micelio.accounts import actions, queries
from micelio.accounts.actor import ANONYMOUS, Actor, actor_from_token, actor_of
from micelio.accounts.handles import parse_handle
from micelio.accounts.models import SignInLink, User
from micelio.accounts.policy import OPERATOR
from micelio.accounts.redirects import is_local
from micelio.audit.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    actions.ensure_client()
    return actions.create_user(OPERATOR, "ada", name="Ada", email="Ada@Example.org")


@pytest.mark.parametrize("text", ["ada", "a", "7up", "a-b-", "x" * 39])
def test_good_handles_are_kept(text: str) -> None:
    assert parse_handle(text) == text


def test_handles_have_one_spelling() -> None:
    assert parse_handle(" Ada ") == "ada"


@pytest.mark.parametrize(
    "text", ["", "-a", "a_b", "a.b", "a/b", "x" * 40, "ädä", "a b", "a\n", "a\x00", "settings", "API"]
)
def test_bad_and_reserved_handles_are_refused(text: str) -> None:
    """A line end inside, other scripts and the forge's own words are no handles."""
    if text == "a\n":  # surrounding white space is forgiven
        assert parse_handle(text) == "a"
        return
    with pytest.raises(InvalidInput):
        parse_handle(text)


def test_handles_are_taken_once_in_any_spelling(ada: User) -> None:
    with pytest.raises(AlreadyExists, match="ada"):
        actions.create_user(OPERATOR, "ADA")
    assert User.objects.count() == 1


def test_addresses_are_taken_once_in_any_spelling(ada: User) -> None:
    assert ada.email == "ada@example.org"
    with pytest.raises(AlreadyExists, match=r"ada@example\.org"):
        actions.create_user(OPERATOR, "eve", email="ADA@example.org")
    assert not queries.handle_taken("eve"), "the refused account left its handle taken"


def test_only_the_operator_makes_accounts_links_and_tokens_for_others(ada: User) -> None:
    actor = actor_of(ada, "web")
    with pytest.raises(PermissionDenied):
        actions.create_user(actor, "eve")
    with pytest.raises(PermissionDenied):
        actions.make_sign_in_link(actor, ada)
    with pytest.raises(PermissionDenied):
        actions.issue_token(Actor(None, "operator", "Operator", "", True, "command"), ada, timedelta(days=1))


def test_a_token_stands_for_its_account(ada: User) -> None:
    value = actions.issue_token(OPERATOR, ada, timedelta(days=1))
    actor = actor_from_token(value)
    assert (actor.user_id, actor.handle, actor.name, actor.via) == (ada.id, "ada", "Ada", "token")
    assert not Token.objects.filter(hash=value).exists(), "the token itself must not be stored"


def _expire(value: str) -> None:
    Token.objects.by_value(value).update(expires_at=timezone.now() - timedelta(seconds=1))


def _revoke(value: str) -> None:
    Token.objects.by_value(value).delete()


def _deactivate(value: str) -> None:
    User.objects.update(is_active=False)


def _narrow(value: str) -> None:
    Token.objects.by_value(value).update(scopes="openid")


def _orphan(value: str) -> None:
    Token.objects.by_value(value).update(user=None)


def _as_refresh(value: str) -> None:
    Token.objects.by_value(value).update(type=Token.Type.REFRESH_TOKEN)


@pytest.mark.parametrize("spoil", [_expire, _revoke, _deactivate, _narrow, _orphan, _as_refresh])
def test_a_token_that_is_not_good_any_more_is_nobody(ada: User, spoil: object) -> None:
    """Expired, revoked, of a closed account, without the scope, without an account, of another kind: one answer."""
    value = actions.issue_token(OPERATOR, ada, timedelta(days=1))
    spoil(value)  # type: ignore[operator]
    with pytest.raises(Unauthenticated, match="not valid here"):
        actor_from_token(value)


@pytest.mark.parametrize("value", ["", "wrong", "x" * 10_000, "\x00", "é"])
def test_a_wrong_token_is_nobody(ada: User, value: str) -> None:
    with pytest.raises(Unauthenticated, match="not valid here"):
        actor_from_token(value)


def test_a_link_signs_in_once(ada: User) -> None:
    token = actions.make_sign_in_link(OPERATOR, ada)
    assert actions.burn_sign_in_link(token) == (ada, "")
    with pytest.raises(NotFound, match="spent or expired"):
        actions.burn_sign_in_link(token)


def test_a_new_link_closes_the_older_one(ada: User) -> None:
    older = actions.make_sign_in_link(OPERATOR, ada)
    newer = actions.make_sign_in_link(OPERATOR, ada)
    with pytest.raises(NotFound):
        actions.burn_sign_in_link(older)
    assert actions.burn_sign_in_link(newer) == (ada, "")


def test_a_link_is_good_for_a_day(ada: User) -> None:
    token = actions.make_sign_in_link(OPERATOR, ada)
    link = SignInLink.objects.get()
    assert timedelta(hours=23) < link.expires_at - timezone.now() <= timedelta(hours=24)
    assert token not in link.token_hash
    SignInLink.objects.update(expires_at=timezone.now())
    with pytest.raises(NotFound):
        actions.burn_sign_in_link(token)


def test_a_link_of_a_closed_account_does_not_open_it(ada: User) -> None:
    token = actions.make_sign_in_link(OPERATOR, ada)
    User.objects.update(is_active=False)
    with pytest.raises(NotFound):
        actions.burn_sign_in_link(token)


def test_setting_a_password_closes_open_links(ada: User) -> None:
    token = actions.make_sign_in_link(OPERATOR, ada)
    actions.change_password(actor_of(ada, "web"), ada, "a long enough phrase", tokens_too=True)
    with pytest.raises(NotFound):
        actions.burn_sign_in_link(token)


def test_an_account_is_changed_by_its_owner_only(ada: User) -> None:
    eve = actions.create_user(OPERATOR, "eve")
    with pytest.raises(PermissionDenied):
        actions.update_account(actor_of(eve, "web"), ada, name="Eve was here")
    with pytest.raises(Unauthenticated):
        actions.update_account(ANONYMOUS, ada, name="Nobody was here")
    ada.refresh_from_db()
    assert ada.name == "Ada"


def test_administrator_needs_a_link_until_one_has_a_password(ada: User) -> None:
    admin = actions.create_user(OPERATOR, "admin", is_admin=True)
    assert not queries.administrator_has_password()
    actions.change_password(actor_of(admin, "web"), admin, "a long enough phrase", tokens_too=True)
    assert queries.administrator_has_password()


def test_expired_tokens_and_links_are_purged(ada: User) -> None:
    kept = actions.issue_token(OPERATOR, ada, timedelta(days=1))
    _expire(actions.issue_token(OPERATOR, ada, timedelta(days=1)))
    actions.make_sign_in_link(OPERATOR, ada)
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert actions.purge_expired() == 2
    assert actor_from_token(kept).handle == "ada"


def test_acts_are_in_the_audit_log_and_stay_there(ada: User) -> None:
    """Who, what, to whom; and no way to change or remove it through the models."""
    actions.issue_token(OPERATOR, ada, timedelta(days=1))
    seen = list(AuditEvent.objects.order_by("id").values_list("actor_handle", "action", "object_name", "via"))
    assert seen == [("operator", "account.create", "ada", "command"), ("operator", "account.token", "ada", "command")]
    event = AuditEvent.objects.first()
    assert event is not None
    for attempt in (event.save, event.delete, AuditEvent.objects.all().delete):
        with pytest.raises(TypeError, match="only grows"):
            attempt()
    with pytest.raises(TypeError, match="only grows"):
        AuditEvent.objects.update(action="nothing")


@pytest.mark.parametrize("url", ["/", "/acme/web?x=1", "/-/device?code=ABCD"])
def test_redirects_inside_the_forge_are_followed(url: str) -> None:
    assert is_local(url)


@pytest.mark.parametrize(
    "url",
    ["", "//evil.example", "/\\evil.example", "///evil.example", "https://evil.example/", "http:evil.example",
     "javascript:alert(1)", "acme/web", "/\t/evil.example", "\\\\evil.example", " //evil.example", "/\x00/evil"],
)  # fmt: skip
def test_redirects_that_leave_the_forge_are_not(url: str) -> None:
    assert not is_local(url)
