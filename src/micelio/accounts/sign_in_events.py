"""Sign-ins and sign-outs in the audit log, those that failed too, whichever door they came through."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction

from micelio.accounts.actor import ANONYMOUS, actor_of
from micelio.accounts.models import User
from micelio.audit.actions import record


def listen() -> None:
    """Called once, when Django is ready."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit")
    user_logged_out.connect(_signed_out, dispatch_uid="audit")
    user_login_failed.connect(_failed, dispatch_uid="audit")
    email_confirmed.connect(_confirmed, dispatch_uid="audit")


@transaction.atomic
def _signed_in(sender: object, user: User, **about: Any) -> None:
    record(actor_of(user, "web"), "account.sign_in", "account", user.id, user.handle)


@transaction.atomic
def _signed_out(sender: object, user: User | None, **about: Any) -> None:
    if user is not None:
        record(actor_of(user, "web"), "account.sign_out", "account", user.id, user.handle)


@transaction.atomic
def _confirmed(sender: object, email_address: EmailAddress, **about: Any) -> None:
    user = email_address.user
    record(
        actor_of(user, "link"), "account.address_confirmed", "account", user.id, user.handle, after=email_address.email
    )


@transaction.atomic
def _failed(sender: object, credentials: dict[str, Any], **about: Any) -> None:
    """Only a name that exists is kept: whoever types a password into the wrong field must not find it in a log."""
    typed = str(credentials.get("username") or credentials.get("email") or "").strip().lower()
    user = User.objects.filter(handle=typed).first() or User.objects.filter(email__iexact=typed).first()
    if user is not None:
        record(ANONYMOUS, "account.sign_in_failed", "account", user.id, user.handle)
    else:
        record(ANONYMOUS, "account.sign_in_failed", "account", "")
