"""Access tokens, looked up at the beginning of every call that is not a page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.models import Token
from django.db.models import Q, QuerySet
from django.utils import timezone

from micelio.accounts.actor import SCOPE, Actor
from micelio.prepared import Prepared


def _query(hashed: str, now: datetime) -> QuerySet[Any, Any]:
    in_time = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    found: QuerySet[Any, Any] = Token.objects.filter(
        in_time, type=Token.Type.ACCESS_TOKEN, hash=hashed, user__is_active=True
    )
    return found.values_list("scopes", "user_id", "user__handle", "user__name", "user__email", "user__is_admin")


_by_hash = Prepared(_query, str, datetime)


def holder(token: str) -> Actor | None:
    """The active account that a valid access token with our scope stands for. One query."""
    rows = _by_hash(get_adapter().hash_token(token), timezone.now())
    if not rows:
        return None
    scopes, user_id, handle, name, email, is_admin = rows[0]
    if SCOPE not in map(str.strip, scopes.split("\n")):
        return None
    return Actor(user_id, handle, name or handle, email, is_admin, "token")
