"""Refresh tokens that come back: each is good once, and the family of one that comes twice ends.

All tokens that began with one approval in the browser are a family. A refresh token is spent when it is exchanged.
When a spent one is presented again, two parties hold copies of it, and nobody can tell the thief from the owner: so
both are out (RFC 9700, section 4.14.2).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.models import Token
from django.db import connection
from django.utils import timezone

from micelio.accounts.actor import ANONYMOUS
from micelio.accounts.models import FamilyToken, User
from micelio.audit.actions import record


def present(refresh_token: str) -> UUID | None:
    """Look at a refresh token that is about to be exchanged: the family of a good one, None when there is none.

    One that was spent before ends its family. Inside the transaction of the exchange, so that of two exchanges at once
    the second finds what the first has spent.
    """
    assert connection.in_atomic_block, "two exchanges at once must be one after the other"
    hashed = get_adapter().hash_token(refresh_token)
    kept = Token.objects.select_for_update().filter(hash=hashed, type=Token.Type.REFRESH_TOKEN).first()
    known = FamilyToken.objects.filter(token_hash=hashed).first()
    if known is not None and known.spent_at is not None:
        _end_reused(known.family)
        return None
    if kept is None:
        return None
    # A sign-in of an earlier version has no family yet, and begins one.
    return known.family if known is not None else uuid4()


def exchanged(family: UUID | None, refresh_token: str, answer: dict[str, Any]) -> None:
    """Remember what a token endpoint has handed out: for `refresh_token`, or "" for an approval."""
    hash_of = get_adapter().hash_token
    of = family or uuid4()
    values = [str(answer[name]) for name in ("access_token", "refresh_token") if name in answer]
    made = list(Token.objects.filter(hash__in=[hash_of(value) for value in values], user__isnull=False))
    FamilyToken.objects.bulk_create(
        FamilyToken(token_hash=token.hash, family=of, user_id=token.user_id, expires_at=token.expires_at)
        for token in made
    )
    if refresh_token:
        # Kept for as long as it would have been good itself: later nobody takes it anyway.
        begun = {"family": of, "user_id": made[0].user_id, "expires_at": max(token.expires_at for token in made)}
        spent = {"spent_at": timezone.now()}
        FamilyToken.objects.update_or_create(
            token_hash=hash_of(refresh_token), defaults=spent, create_defaults=begun | spent
        )


def end_family_of(refresh_token: str) -> bool:
    """End all tokens that belong with a refresh token; False when it is of no family."""
    known = FamilyToken.objects.filter(token_hash=get_adapter().hash_token(refresh_token)).first()
    if known is None:
        return False
    _end(known.family)
    return True


def end_all_of(user_id: UUID) -> None:
    """Forget every family of an account, whose tokens the caller ends."""
    FamilyToken.objects.filter(user_id=user_id).delete()


def purge_expired() -> int:
    """Forget tokens that could not be exchanged any more, spent or not. Returns how many."""
    removed, _ = FamilyToken.objects.filter(expires_at__lt=timezone.now()).delete()
    return removed


def _end_reused(family: UUID) -> None:
    user = User.objects.get(id=FamilyToken.objects.filter(family=family).values_list("user_id", flat=True)[0])
    _end(family)
    # Who presented it is not known: that is the point.
    record(ANONYMOUS, "token.family_end", "account", user.id, user.handle, reason="a spent refresh token came back")


def _end(family: UUID) -> None:
    rows = FamilyToken.objects.filter(family=family)
    Token.objects.filter(hash__in=list(rows.values_list("token_hash", flat=True))).delete()
    rows.delete()
