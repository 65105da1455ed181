"""Tokens that end because something else did: all sign-ins of their account, or the session that they are for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from micelio.accounts.signals import sign_ins_end
from micelio.audit.actions import record
from micelio.sessions.signals import agents_landed
from micelio.tokens.models import AccessToken

# For an answer that was lost on its way, and is asked for again with the same token.
AFTER_LANDING = timedelta(minutes=1)


@receiver(sign_ins_end, dispatch_uid="tokens")
def end_tokens(sender: object, user: Any, tokens_too: bool, **about: Any) -> None:
    """Agents' tokens always end: they were made by one of those sign-ins, for minutes. Personal ones where asked."""
    rows = AccessToken.objects.filter(user_id=user.id)
    if not tokens_too:
        rows = rows.filter(session_id__isnull=False)
    names = sorted(rows.values_list("name", flat=True))
    if names:
        rows.delete()
        record(about["actor"], "token.revoke_all", "account", user.id, user.handle, tokens=names)


@receiver(agents_landed, dispatch_uid="tokens")
def shorten_tokens(sender: object, token_ids: list[str], **about: Any) -> None:
    """An agent whose session has landed reads private code for a minute more, not for what is left of its fifteen."""
    soon = timezone.now() + AFTER_LANDING
    AccessToken.objects.filter(id__in=token_ids, expires_at__gt=soon).update(expires_at=soon)
