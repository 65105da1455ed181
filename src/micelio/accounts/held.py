"""What the accounts room holds about one account, for whoever asks for their own data. No secret is among it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Token
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession

from micelio.accounts.models import HandleClaim, Invitation, User


def held(user_id: UUID) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind, fields) of each thing."""
    user = User.objects.get(id=user_id)
    yield (
        "account",
        {
            "id": user.id, "handle": user.handle, "name": user.name, "email": user.email,
            "administrator": user.is_admin, "created_at": user.created_at, "last_sign_in": user.last_login,
            "has_password": user.has_usable_password(), "suspended_at": user.suspended_at,
            "suspended_for": user.suspended_for, "language": user.language,
        },
    )  # fmt: skip
    for address in EmailAddress.objects.filter(user=user).order_by("email"):
        yield "address", {"email": address.email, "verified": address.verified, "primary": address.primary}
    for claim in HandleClaim.objects.filter(holder=user_id, kind="user").order_by("handle"):
        yield "earlier_handle", {"handle": claim.handle, "claimed_at": claim.claimed_at}
    for account in SocialAccount.objects.filter(user=user).order_by("id"):
        yield (
            "other_site",
            {
                "site": account.provider, "number": account.uid, "joined_at": account.date_joined,
                "last_sign_in": account.last_login, "told_us": account.extra_data,
            },
        )  # fmt: skip
    for factor in Authenticator.objects.filter(user=user).order_by("id"):
        name = factor.data.get("name", "") if isinstance(factor.data, dict) else ""
        yield (
            "second_factor",
            {"type": factor.type, "name": name, "added_at": factor.created_at, "last_used_at": factor.last_used_at},
        )
    for session in UserSession.objects.filter(user=user).order_by("id"):
        yield (
            "browser",
            {
                "address": session.ip, "browser": session.user_agent, "signed_in_at": session.created_at,
                "last_seen_at": session.last_seen_at,
            },
        )  # fmt: skip
    for token in Token.objects.filter(user=user).order_by("id"):
        yield (
            "sign_in",
            {
                "program": token.client.name if token.client_id else "", "type": token.type,
                "signed_in_at": token.created_at, "expires_at": token.expires_at,
            },
        )  # fmt: skip
    for invitation in Invitation.objects.filter(used_by=user).order_by("created_at"):
        yield "invited", {"note": invitation.note, "at": invitation.created_at, "used_at": invitation.closed_at}
