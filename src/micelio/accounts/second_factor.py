"""Where the forge differs from allauth's second factors: their secrets are encrypted, their events recorded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
    authenticator_used,
)
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from micelio.accounts.actor import Actor, actor_of
from micelio.accounts.models import User
from micelio.accounts.policy import require_operator
from micelio.audit.actions import record
from micelio.config import current
from micelio.vault import keyring

_PURPOSE = "second factor"
# Fields of an authenticator's data that are encrypted, by its type.
_SECRETS = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}
_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
_KINDS = {
    Authenticator.Type.TOTP: "app",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Bends allauth's second factors to the rules of the house."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This code is not right, or no longer. Wait for the next one."),
    }

    def encrypt(self, text: str) -> str:
        return keyring().seal(text, _PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        return keyring().open(encrypted_text, _PURPOSE)

    def get_totp_issuer(self) -> str:
        return f"Micelio {current().hostname}"

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return "Passkey" if not count else f"Passkey {count + 1}"


def factors_of(user_id: UUID) -> QuerySet[Any, Any]:
    """The second factors of an account, as a part of a query. Recovery codes are none: they stand in for one."""
    found: QuerySet[Any, Any] = Authenticator.objects.filter(user_id=user_id, type__in=_FACTORS)
    return found


def with_factor(ids: Iterable[UUID]) -> set[UUID]:
    """Which of these accounts have a second factor."""
    found = Authenticator.objects.filter(user_id__in=list(ids), type__in=_FACTORS)
    return set(found.values_list("user_id", flat=True))


@transaction.atomic
def remove_all(actor: Actor, user: User) -> int:
    """Let an account sign in without a second factor, as the operator, for somebody who lost it; how many it had."""
    require_operator(actor)
    removed, _ = Authenticator.objects.filter(user=user).delete()
    record(actor, "second_factor.remove_all", "account", user.id, user.handle, removed=removed)
    return int(removed)


@transaction.atomic
def encrypt_anew() -> int:
    """Encrypt with the newest key what an older one has encrypted; how many secrets."""
    ring, done = keyring(), 0
    for row in Authenticator.objects.select_for_update().filter(type__in=list(_SECRETS)):
        field = _SECRETS[Authenticator.Type(row.type)]
        value = row.data.get(field)
        if value is not None and not ring.is_newest(value):
            row.data[field] = ring.seal(ring.open(value, _PURPOSE), _PURPOSE)
            row.save(update_fields=["data"])
            done += 1
    return done


def listen() -> None:
    """Called once, when Django is ready."""
    for signal, action in (
        (authenticator_added, "second_factor.add"),
        (authenticator_removed, "second_factor.remove"),
        (authenticator_reset, "second_factor.reset"),
        (authenticator_used, "second_factor.use"),
        (authentication_failed, "second_factor.fail"),
    ):
        signal.connect(_recorder(action), dispatch_uid=f"audit {action}", weak=False)


def _recorder(action: str) -> Any:
    @transaction.atomic
    def hear(sender: object, request: HttpRequest, user: User, authenticator: Any = None, **about: Any) -> None:
        kind = _KINDS[Authenticator.Type(authenticator.type)] if authenticator is not None else ""
        record(actor_of(user, "web"), action, "account", user.id, user.handle, kind=kind)

    return hear
