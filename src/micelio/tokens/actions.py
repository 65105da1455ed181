"""Making, renewing and revoking tokens."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from mic.core.errors import AlreadyExists, InvalidInput, TooLarge
from mic.core.ids import ulid_text
from mic.core.token import PERSONAL, RANDOM_BYTES, SESSION, make_token
from micelio.accounts.actor import Actor
from micelio.accounts.grant import FOR_SESSION, Grant, Scope, scopes_text
from micelio.audit.actions import record
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import named_projects, project_names, project_of
from micelio.sessions.queries import require_landable
from micelio.tokens.models import NAME_LENGTH, AccessToken
from micelio.tokens.policy import require_keeper, require_sound
from micelio.tokens.queries import TokenView, hash_of, own, view

DEFAULT_DAYS = 30
# A year and a day, for what is renewed once a year.
MOST_DAYS = 366
SESSION_LIFETIME = timedelta(minutes=15)
# Of one account, at one time. Beyond it a list is of no use to whoever wants to find the token that leaked.
MOST_TOKENS = 200
MOST_PROJECTS = 100


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token just made. `value` is the token itself, to be shown once: it is kept nowhere."""

    value: str
    token: TokenView


@transaction.atomic
def create_token(
    actor: Actor,
    name: str,
    scopes: Sequence[str],
    projects: Sequence[str] = (),
    days: int = 0,
    *,
    mixes: bool = False,
    anywhere: bool = False,
    token_id: UUID | None = None,
) -> MadeToken:
    """Make a personal token for the actor. Raises Unauthenticated, PermissionDenied, InvalidInput, NotFound, TooLarge.

    `projects` are `owner/handle` that the actor may see; none means all that the account reaches, now and later.
    `days` from 1 to 366 until it expires; 0 means 30. `mixes` allows it to read private projects and write public ones,
    `anywhere` to come from outside the networks of organizations that let tokens of their admins do so.

    `token_id` is one that whoever asks has made. Asked again with it, a token of that id and name that nobody has used
    is replaced: the answer that told it was lost. Raises AlreadyExists for any other token that has the id.
    """
    keeper = require_keeper(actor)
    if not 0 <= days <= MOST_DAYS:
        raise InvalidInput(f"A token cannot be good for {days} days.", hint=f"Use 1 to {MOST_DAYS} days.")
    if len(projects) > MOST_PROJECTS:
        raise TooLarge(
            f"{len(projects)} projects for one token; the limit is {MOST_PROJECTS}.", hint="Make two tokens."
        )
    named = named_projects(actor, [_parsed(text) for text in dict.fromkeys(projects)]) if projects else None
    ids = None if named is None else frozenset(project.id for project in named)
    grant = Grant(token_id or uuid4(), _scopes(scopes), ids, b"", mixes, anywhere)
    require_sound(grant, named)
    lasts = timedelta(days=days or DEFAULT_DAYS)
    if token_id is not None:
        _replace(actor, keeper, token_id, _name(name))
    return _made(actor, keeper, _name(name), grant, timezone.now() + lasts)


def _replace(actor: Actor, keeper: UUID, token_id: UUID, name: str) -> None:
    row = AccessToken.objects.select_for_update().filter(id=token_id).first()
    if row is None:
        return
    if (row.user_id, row.name, row.session_id, row.last_used_at) != (keeper, name, None, None):
        raise AlreadyExists("There is a token of this id already.", hint="Make another one, with an id of its own.")
    row.delete()
    record(actor, "token.revoke", "token", token_id, row.name)


@transaction.atomic
def create_session_token(actor: Actor, project: ProjectView, session_id: bytes, name: str = "") -> MadeToken:
    """Make a token for an agent that lands one session of the actor's, good for 15 minutes.

    It reads this project, starts and lands this session, and nothing else. The session may be one that the forge has
    not heard of yet. Raises as `create_token`, and PermissionDenied for a session of somebody else.
    """
    keeper = require_keeper(actor)
    require_landable(actor, project, session_id)
    grant = Grant(uuid4(), FOR_SESSION, frozenset({project.id}), session_id)
    label = _name(name or f"session {ulid_text(session_id)}")
    return _made(actor, keeper, label, grant, timezone.now() + SESSION_LIFETIME)


@transaction.atomic
def renew_session_token(actor: Actor, token_id: UUID) -> TokenView:
    """Give an agent's token 15 minutes from now, while it is good and its session can still land.

    Raises Unauthenticated, PermissionDenied, NotFound, InvalidInput.
    """
    row = own(actor, token_id)
    if not row.session_id:
        raise InvalidInput(f"{row.name} is no token of a session.", hint="Make a new one before it expires.")
    project = project_of(actor, UUID(row.project_ids[0]))
    require_landable(actor, project, bytes(row.session_id))
    row.expires_at = timezone.now() + SESSION_LIFETIME
    row.save(update_fields=["expires_at"])
    record(actor, "token.renew", "token", row.id, row.name, expires=_stamp(row.expires_at))
    return view(row, {project.id: f"{project.owner}/{project.handle}"})


@transaction.atomic
def revoke_token(actor: Actor, token_id: UUID) -> None:
    """End a token of the actor's at once. Raises Unauthenticated, PermissionDenied, NotFound."""
    row = own(actor, token_id)
    row.delete()
    record(actor, "token.revoke", "token", token_id, row.name)


def purge_expired() -> int:
    """Remove the rows of tokens that can never be used again. Returns how many."""
    removed, _ = AccessToken.objects.filter(expires_at__lt=timezone.now()).delete()
    return removed


def _made(actor: Actor, keeper: UUID, name: str, grant: Grant, expires_at: datetime) -> MadeToken:
    if AccessToken.objects.filter(user_id=keeper, expires_at__gt=timezone.now()).count() >= MOST_TOKENS:
        raise TooLarge(f"You have {MOST_TOKENS} tokens; that is the limit.", hint="Revoke some that you do not need.")
    value = make_token(SESSION if grant.session else PERSONAL, secrets.token_bytes(RANDOM_BYTES))
    ids = sorted(map(str, grant.projects or ()))
    row = AccessToken.objects.create(
        id=grant.token_id,
        user_id=keeper,
        name=name,
        token_hash=hash_of(value),
        scopes=scopes_text(grant.scopes),
        all_projects=grant.projects is None,
        project_ids=ids,
        session_id=grant.session or None,
        mixes=grant.mixes,
        anywhere=grant.anywhere,
        created_at=timezone.now(),
        expires_at=expires_at,
    )
    details: dict[str, Any] = {
        "scopes": row.scopes,
        "projects": ids or "all",
        "mixes": row.mixes,
        "anywhere": row.anywhere,
        "expires": _stamp(expires_at),
    }
    if grant.session:
        details["session"] = ulid_text(grant.session)
    # Whoever manages the project may read that an agent was let in.
    only = next(iter(grant.projects or ())) if grant.session else None
    record(actor, "token.create", "token", row.id, row.name, project_id=only, **details)
    return MadeToken(value, view(row, project_names(actor, grant.projects or frozenset())))


def _parsed(text: str) -> tuple[str, str]:
    owner, slash, handle = text.strip().partition("/")
    if not slash or not owner or not handle or "/" in handle:
        raise InvalidInput(f"{text[:200]!r} does not name a project.", hint="Use ORG/PROJECT.")
    return owner, handle


def _scopes(words: Sequence[str]) -> frozenset[Scope]:
    unknown = [word for word in words if word not in set(Scope)]
    if unknown:
        raise InvalidInput(f"{unknown[0][:40]!r} is not a scope.", hint=f"Use {', '.join(Scope)}.")
    return frozenset(map(Scope, words))


def _name(text: str) -> str:
    name = text.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise InvalidInput(
            f"A token needs a name of 1 to {NAME_LENGTH} printable characters.", hint="Say what will use it."
        )
    return name


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
