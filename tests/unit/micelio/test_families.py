"""Refresh tokens are good once, and a spent one that comes back ends all that began with the same approval."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from allauth.idp.oidc.models import Token
from django.test import Client
from django.utils import timezone

from mic.core.errors import Unauthenticated
from micelio.accounts import actions
from micelio.accounts.actor import actor_from_token
from micelio.accounts.models import FamilyToken, User
from micelio.accounts.policy import OPERATOR
from micelio.audit.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def dora() -> User:
    actions.ensure_client()
    return actions.create_user(OPERATOR, "dora")


def _old_sign_in(user: User, value: str = "r0") -> str:
    """A refresh token as the version before families has left it."""
    token = Token(type=Token.Type.REFRESH_TOKEN, client_id=actions.CLIENT_ID, user=user)
    token.expires_at = timezone.now() + timedelta(days=80)
    token.set_value(value)
    token.set_scopes(["mic"])
    token.save()
    return value


def _exchange(refresh_token: str) -> dict[str, Any]:
    fields = {"client_id": "mic-cli", "grant_type": "refresh_token", "refresh_token": refresh_token}
    answer = Client(enforce_csrf_checks=True).post("/-/oauth/token", fields, headers={"host": "localhost"})
    said = json.loads(answer.content)
    assert isinstance(said, dict)
    return said | {"status": answer.status_code}


def _good(token: str) -> bool:
    try:
        return actor_from_token(token).handle == "dora"
    except Unauthenticated:
        return False


def test_an_earlier_sign_in_goes_on(dora: User) -> None:
    """A refresh token of the version before is exchanged as ever, and has a family from then on."""
    said = _exchange(_old_sign_in(dora))
    assert (said["status"], said["expires_in"]) == (200, 900)
    assert _good(said["access_token"])
    assert timedelta(days=6, hours=23) < Token.objects.get(type="rt").expires_at - timezone.now() <= timedelta(days=7)
    assert FamilyToken.objects.values("family").distinct().count() == 1


def test_a_spent_refresh_token_ends_its_family(dora: User) -> None:
    """Whoever came first is out as well; another sign-in of the same account is not; one row says why."""
    other = _exchange(_old_sign_in(dora, "other"))
    first = _exchange(_old_sign_in(dora))
    second = _exchange(first["refresh_token"])
    assert _good(first["access_token"])
    assert _good(second["access_token"])
    reused = _exchange(first["refresh_token"])
    assert reused == _exchange("never was") == {"error": "invalid_grant", "status": 400}
    assert not _good(first["access_token"])
    assert not _good(second["access_token"])
    assert _exchange(second["refresh_token"])["error"] == "invalid_grant"
    assert _good(other["access_token"])
    assert _exchange(other["refresh_token"])["status"] == 200
    (event,) = AuditEvent.objects.filter(action="token.family_end")
    assert (event.actor_id, event.object_name) == (None, "dora")
    assert first["refresh_token"] not in str(event.details)


def test_the_spent_token_of_an_earlier_version_ends_its_family_too(dora: User) -> None:
    old = _old_sign_in(dora)
    first = _exchange(old)
    assert _exchange(old)["error"] == "invalid_grant"
    assert not _good(first["access_token"])


def test_signing_out_ends_the_family(dora: User) -> None:
    """The refresh token is handed in; access tokens that were handed out before it end as well."""
    first = _exchange(_old_sign_in(dora))
    second = _exchange(first["refresh_token"])
    data = {"client_id": "mic-cli", "token": second["refresh_token"]}
    assert Client().post("/-/oauth/revoke", data, headers={"host": "localhost"}).status_code == 200
    assert not _good(first["access_token"])
    assert not _good(second["access_token"])
    assert not FamilyToken.objects.exists()


def test_a_suspended_account_renews_nothing(dora: User) -> None:
    first = _exchange(_old_sign_in(dora))
    User.objects.update(is_active=False)
    assert _exchange(first["refresh_token"]) == {"error": "invalid_grant", "status": 400}
    assert not _good(first["access_token"])


@pytest.mark.parametrize("value", ["", "x" * 100_000, "\x00", "é", "mic_pat_"])
def test_what_is_no_refresh_token(dora: User, value: str) -> None:
    said = _exchange(value)
    assert (said["status"], said["error"]) in [(400, "invalid_grant"), (400, "invalid_request")]


def test_what_can_be_exchanged_no_more_is_forgotten(dora: User) -> None:
    first = _exchange(_old_sign_in(dora))
    FamilyToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert actions.purge_expired() == 3
    assert _exchange(first["refresh_token"])["status"] == 200
