"""Sign-ups that nobody confirmed are removed, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from micelio import config
from micelio.accounts import actions, unconfirmed
from micelio.accounts.actor import actor_of
from micelio.accounts.models import HandleClaim, User
from micelio.accounts.policy import OPERATOR
from micelio.audit.models import AuditEvent
from micelio.organizations.actions import create_organization
from micelio.postal_place import PostalPlace
from micelio.setting_values import BadSetting

pytestmark = pytest.mark.django_db
POSTAL = PostalPlace("mail.example.org", 587, "", "", "starttls", "Micelio <micelio@example.org>")


@pytest.fixture(autouse=True)
def _with_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "_installed", replace(config.current(), postal=POSTAL))


def _signed_up(handle: str, *, days: float, verified: bool = False) -> User:
    user = User(handle=handle, email=f"{handle}@example.org")
    user.set_password("a mill above the river")
    actions.register(user, "web")
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=verified)
    User.objects.filter(pk=user.pk).update(created_at=timezone.now() - timedelta(days=days))
    return user


def _left() -> set[str]:
    return set(User.objects.values_list("handle", flat=True))


def test_a_week_old_sign_up_goes_and_its_names_are_free() -> None:
    """One of six days stays. The handle and the address can be taken by whoever has them, and the log says it."""
    _signed_up("late", days=7.1)
    _signed_up("young", days=6.9)
    assert unconfirmed.remove_unconfirmed() == 1
    assert _left() == {"young"}
    assert not HandleClaim.objects.filter(handle="late").exists()
    assert AuditEvent.objects.filter(action="account.unconfirmed", object_name="late").count() == 1
    _signed_up("late", days=0)
    assert unconfirmed.remove_unconfirmed() == 0


def test_who_is_somebody_stays() -> None:
    """Confirmed, used, waiting, suspended, an administrator, made by the operator, or the owner of something."""
    _signed_up("proven", days=30, verified=True)
    for handle, change in (
        ("used", {"last_login": timezone.now()}),
        ("waits", {"waiting": True}),
        ("shut", {"suspended_at": timezone.now()}),
        ("boss", {"is_admin": True}),
    ):
        User.objects.filter(pk=_signed_up(handle, days=30).pk).update(**change)
    made = actions.create_user(OPERATOR, "made", email="made@example.org")
    User.objects.filter(pk=made.pk).update(created_at=timezone.now() - timedelta(days=30))
    create_organization(actor_of(_signed_up("owns", days=30), "command"), "owned")
    assert unconfirmed.remove_unconfirmed() == 0
    assert _left() == {"proven", "used", "waits", "shut", "boss", "made", "owns"}


def test_the_setting_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 0 nobody goes, nor where no mail is sent, where nobody could confirm; 30 days are 30."""
    _signed_up("old", days=29)
    for changed in ({"unconfirmed_days": 0}, {"postal": None}, {"unconfirmed_days": 30}):
        monkeypatch.setattr(config, "_installed", replace(config.current(), **({"postal": POSTAL} | changed)))
        assert unconfirmed.remove_unconfirmed() == 0
    monkeypatch.setattr(config, "_installed", replace(config.current(), postal=POSTAL, unconfirmed_days=28))
    assert unconfirmed.remove_unconfirmed() == 1


def test_the_setting_is_a_number_of_days() -> None:
    assert config.load({}).unconfirmed_days == 7
    assert config.load({"MICELIO_UNCONFIRMED_DAYS": "0"}).unconfirmed_days == 0
    with pytest.raises(BadSetting, match="MICELIO_UNCONFIRMED_DAYS is 'x'; use a whole number"):
        config.load({"MICELIO_UNCONFIRMED_DAYS": "x"})
