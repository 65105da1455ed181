"""Reading tokens: who comes with one, and what an account has."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Network
from typing import Any
from uuid import UUID

from django.db import OperationalError
from django.db.models import Q, QuerySet
from django.utils import timezone

from mic.core.errors import NotFound
from mic.core.ids import ulid_text
from mic.core.token import claims_to_be_token, is_token
from micelio.accounts.actor import Actor, actor_from_token, invalid_token
from micelio.accounts.grant import Grant, Scope
from micelio.accounts.whereabouts import require_within
from micelio.audit.actions import record
from micelio.audit.once import once
from micelio.audit.origin import current_address
from micelio.prepared import Prepared
from micelio.projects.queries import project_names
from micelio.tokens.models import AccessToken
from micelio.tokens.policy import require_keeper

_log = logging.getLogger("micelio.tokens")

# The last use is for people who clean up; writing it with every call would make each reading call a writing one.
USE_WRITTEN_EVERY = timedelta(minutes=1)
# So long an address is not new again.
ADDRESS_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token as its owner sees it.

    `projects` holds `owner/handle`, None when it is for all; `session` is a ULID or "".
    """

    id: UUID
    name: str
    scopes: tuple[str, ...]
    projects: tuple[str, ...] | None
    session: str
    mixes: bool
    anywhere: bool
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


def actor_of_token(token: str) -> Actor:
    """Whoever an access token of any kind stands for, with what it allows. Raises Unauthenticated.

    PermissionDenied for one that is used from elsewhere than settings say. One query, and a write when the last use is
    more than a minute ago. A token that is unknown, expired, revoked, of a
    closed account or of another forge has one answer.
    """
    actor = _actor_of_token(token)
    require_within(actor)
    note_address(actor)
    return actor


def _actor_of_token(token: str) -> Actor:
    if not claims_to_be_token(token):
        return actor_from_token(token)
    now = timezone.now()
    rows = _by_hash(hash_of(token), now) if is_token(token) else []
    if not rows:
        raise invalid_token()
    token_id, scopes, everything, projects, session, mixes, anywhere, used, user_id, handle, name, email = rows[0]
    _note_use(token_id, used, now)
    grant = Grant(
        token_id,
        frozenset(Scope(scope) for scope in scopes.split()),
        None if everything else frozenset(map(UUID, projects)),
        bytes(session or b""),
        mixes,
        anywhere,
    )
    # Not an administrator, whoever made it: no scope is for running the forge.
    return Actor(
        user_id, handle, name or handle, email, False, "agent-token" if grant.session else "personal-token", grant
    )


def note_address(actor: Actor) -> None:
    """Record that a token, or the sign-in of a client, is used from an address where it was not used before.

    Of IPv6 the network counts, of which a home has one: /64.
    """
    address = network_of(current_address())
    if not address or actor.user_id is None:
        return
    name = actor.token or f"account {actor.user_id}"
    kind, thing = ("token", actor.token) if actor.token else ("account", str(actor.user_id))
    once(
        ("token.new_address", name, address),
        ADDRESS_KEPT,
        lambda: record(actor, "token.new_address", kind, thing, actor.handle, network=address),
    )


def network_of(address: str) -> str:
    """The address, or the /64 of an IPv6 address; "" for none."""
    if ":" not in address:
        return address
    return str(IPv6Network((address, 64), strict=False))


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def list_tokens(actor: Actor) -> list[TokenView]:
    """The actor's tokens that are not expired, newest first."""
    keeper = require_keeper(actor)
    found = AccessToken.objects.filter(user_id=keeper, expires_at__gt=timezone.now())
    rows = list(found.order_by("-created_at", "id"))
    names = project_names(actor, {UUID(item) for row in rows for item in row.project_ids})
    return [view(row, names) for row in rows]


def own(actor: Actor, token_id: UUID) -> AccessToken:
    """The row of a token of the actor's that is not expired. Raises NotFound, also for somebody else's."""
    found = AccessToken.objects.filter(id=token_id, user_id=require_keeper(actor), expires_at__gt=timezone.now())
    row = found.first()
    if row is None:
        raise NotFound(f"You have no token {token_id}.", hint="List yours with `mic auth token list`.")
    return row


def view(row: AccessToken, names: dict[UUID, str]) -> TokenView:
    """The value of a row; `names` are of its projects, as far as the owner may still see them."""
    projects = None if row.all_projects else tuple(sorted(names.get(UUID(item), "") for item in row.project_ids))
    return TokenView(
        row.id,
        row.name,
        tuple(row.scopes.split()),
        None if projects is None else tuple(name or "(gone)" for name in projects),
        ulid_text(bytes(row.session_id)) if row.session_id else "",
        row.mixes,
        row.anywhere,
        row.created_at,
        row.expires_at,
        row.last_used_at,
    )


def _note_use(token_id: UUID, used: datetime | None, now: datetime) -> None:
    if used is not None and now - used < USE_WRITTEN_EVERY:
        return
    older = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - USE_WRITTEN_EVERY)
    try:
        AccessToken.objects.filter(older, id=token_id).update(last_used_at=now)
    except OperationalError:
        # The database is busy with somebody's writing; a use that is not noted must not refuse the call.
        _log.warning("the use of token %s could not be noted", token_id)


def _query(hashed: str, now: datetime) -> QuerySet[AccessToken, tuple[Any, ...]]:
    found = AccessToken.objects.filter(token_hash=hashed, expires_at__gt=now, user__is_active=True)
    return found.values_list(
        "id", "scopes", "all_projects", "project_ids", "session_id", "mixes", "anywhere", "last_used_at",
        "user_id", "user__handle", "user__name", "user__email",
    )  # fmt: skip


_by_hash = Prepared(_query, str, datetime)
